"""Pushes through the real firebase-admin against the local push service, over real sockets."""

import importlib.resources
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import ValidationError

from api.command_line.fake_fcm import MESSAGES_KEPT, Post
from api.command_line.fake_fcm_rules import BadMessage, check_request
from dispatch.adapters.push import PushMessage, PushResult
from dispatch.adapters.push_firebase import FirebasePushSender
from mobile_contract.push import PUSH_BYTES_MAX, PushPayload
from tests.fakes.push_service import PushService, running_push_service

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
OFFER = PushPayload(
    type="offer", offer_id=UUID(int=5), ticket_id=UUID(int=7), seq=42, exp=NOW + timedelta(minutes=2)
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushService]:
    with running_push_service(tmp_path_factory.mktemp("push")) as service:
        yield service


@pytest.fixture(scope="module")
def sender(service: PushService) -> Iterator[FirebasePushSender]:
    sender = FirebasePushSender(json.loads(service.account_path.read_text()), lambda: NOW, service.url)
    yield sender
    sender.close()


def push(target: str, **changes: Any) -> PushMessage:
    fields: dict[str, Any] = {"data": OFFER.to_data(), "expires_at": OFFER.exp, "collapse_key": "offer-5"}
    return PushMessage(target, **(fields | changes))


def test_an_offer_reaches_the_service_as_a_phone_needs_it(
    service: PushService, sender: FirebasePushSender
) -> None:
    since = len(service.log())
    assert sender.send([push("phone-1")]) == [PushResult("phone-1", "accepted")]
    (entry,) = service.log(since)
    message = entry["message"]
    assert message["data"] == {
        "v": "1",
        "type": "offer",
        "offer_id": str(UUID(int=5)),
        "ticket_id": str(UUID(int=7)),
        "seq": "42",
        "exp": str(int(OFFER.exp.timestamp())),
    }
    assert message["android"] == {"priority": "high", "ttl": "120s", "collapse_key": "offer-5"}
    assert message["apns"]["headers"]["apns-priority"] == "10"
    assert "notification" not in message


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("gone:1", ("gone", 0.0, None)),
        ("quota:1", ("retry", 600.0, "push_resource_exhausted")),
        ("e503:1", ("retry", 2.0, "push_unavailable")),
        ("e500:1", ("retry", 10.0, "push_internal")),
        ("sender:1", ("refused", 0.0, "push_sender_id_mismatch")),
    ],
)
def test_each_answer_becomes_one_outcome_at_once(
    sender: FirebasePushSender, target: str, expected: tuple[str, float, str | None]
) -> None:
    began = time.monotonic()
    (result,) = sender.send([push(target)])
    assert (result.outcome, result.after_s, result.code) == expected
    assert time.monotonic() - began < 10


def test_the_library_left_to_itself_would_wait_as_long_as_it_is_told(service: PushService) -> None:
    """Sabotage: without our adapters an answer with Retry-After 2 holds the sender for seconds."""
    from firebase_admin import _http_client, messaging
    from requests.adapters import HTTPAdapter

    sender = FirebasePushSender(json.loads(service.account_path.read_text()), lambda: NOW, service.url)
    session = messaging._get_messaging_service(sender._app)._client.session
    session.mount("http://", HTTPAdapter(max_retries=_http_client.DEFAULT_RETRY_CONFIG))
    began = time.monotonic()
    sender.send([push("flaky:sabotage")])
    assert time.monotonic() - began >= 1.9
    sender.close()


def test_a_flaky_device_is_reached_when_the_job_tries_again(sender: FirebasePushSender) -> None:
    outcomes = [sender.send([push("flaky:1")])[0].outcome for _ in range(3)]
    assert outcomes == ["retry", "retry", "accepted"]


def test_a_slow_service_is_given_up_after_five_seconds(sender: FirebasePushSender) -> None:
    began = time.monotonic()
    (result,) = sender.send([push("slow:1")])
    assert (result.outcome, result.code) == ("retry", "push_deadline_exceeded")
    # The service would take ten.
    assert 4.5 < time.monotonic() - began < 9.5


def test_120_pushes_keep_their_order_and_one_bad_device_harms_no_other(sender: FirebasePushSender) -> None:
    targets = [f"gone:{i}" if i % 10 == 3 else f"many-{i}" for i in range(120)]
    results = sender.send([push(target) for target in targets])
    assert [result.target for result in results] == targets
    assert [r.outcome for r in results] == ["gone" if t.startswith("gone") else "accepted" for t in targets]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": {"type": "offer", "text": "好" * 1400}}, "push_too_large"),
        ({"data": {"from": "x"}}, "push_reserved_key"),
        ({"data": {"google.x": "x"}}, "push_reserved_key"),
        ({"data": {"seq": 5}}, "push_malformed"),
        ({"expires_at": NOW}, "push_expired"),
    ],
)
def test_what_the_service_would_refuse_is_not_sent(
    service: PushService, sender: FirebasePushSender, changes: dict[str, Any], code: str
) -> None:
    since = len(service.log())
    good, bad = sender.send([push("beside"), push("bad", **changes)])
    assert (good.outcome, bad.outcome, bad.code) == ("accepted", "refused", code)
    assert [entry["token"] for entry in service.log(since)] == ["beside"]


def test_an_expiry_far_away_is_cut_to_28_days(service: PushService, sender: FirebasePushSender) -> None:
    since = len(service.log())
    sender.send([push("later", expires_at=NOW + timedelta(days=90))])
    assert service.log(since)[0]["message"]["android"]["ttl"] == f"{28 * 86400}s"


def test_no_service_at_all_means_try_again_and_never_an_exception(
    service: PushService, tmp_path: Path
) -> None:
    account = json.loads(service.account_path.read_text())
    deaf = FirebasePushSender(account, lambda: NOW, "http://127.0.0.1:1")
    assert [r.outcome for r in deaf.send([push("a"), push("b")])] == ["retry", "retry"]
    deaf.close()


def test_a_wrong_key_gets_no_access_token_and_sends_nothing(service: PushService, tmp_path: Path) -> None:
    with running_push_service(tmp_path) as other:
        account = json.loads(other.account_path.read_text())
        account["token_uri"] = f"{service.url}/token"
        stranger = FirebasePushSender(account, lambda: NOW, service.url)
        (result,) = stranger.send([push("a-stranger")])
        stranger.close()
    assert (result.outcome, result.code) == ("retry", "push_no_access_token")
    assert "a-stranger" not in {entry["token"] for entry in service.log()}


def test_a_message_without_access_token_is_turned_away(service: PushService) -> None:
    answer = httpx.post(
        f"{service.url}/v1/projects/x/messages:send", json={"message": {"token": "t"}}, timeout=5
    )
    assert answer.status_code == 401


def test_two_senders_in_one_process_keep_their_own_address(service: PushService, tmp_path: Path) -> None:
    with running_push_service(tmp_path) as other:
        one = FirebasePushSender(json.loads(service.account_path.read_text()), lambda: NOW, service.url)
        two = FirebasePushSender(json.loads(other.account_path.read_text()), lambda: NOW, other.url)
        one.send([push("to-one")])
        two.send([push("to-two")])
        assert [entry["token"] for entry in other.log()] == ["to-two"]
        assert "to-two" not in {entry["token"] for entry in service.log()}
        one.close()
        two.close()


def test_a_waiting_phone_receives_its_push_at_once_and_no_others(
    service: PushService, sender: FirebasePushSender
) -> None:
    after = len(service.log())
    timer = threading.Timer(
        0.5, sender.send, ([push("someone-else"), push("gone:waiting"), push("waiting")],)
    )
    timer.start()
    began = time.monotonic()
    answer = httpx.get(
        f"{service.url}/messages/waiting", params={"after": after, "wait_s": 10}, timeout=15
    ).json()
    timer.join()
    # It would be held for ten.
    assert 0.4 < time.monotonic() - began < 9
    assert [PushPayload.from_data(m["message"]["data"]) for m in answer["messages"]] == [OFFER]
    quiet = httpx.get(
        f"{service.url}/messages/waiting", params={"after": answer["last"], "wait_s": 0.1}, timeout=5
    ).json()
    assert quiet == {"last": answer["last"], "messages": []}


def test_the_service_remembers_a_bounded_number_of_messages() -> None:
    post = Post()
    for number in range(MESSAGES_KEPT + 5):
        post.keep({"token": f"t{number}"}, "accepted")
    assert len(post.messages) == MESSAGES_KEPT
    assert [entry["n"] for entry in post.since(MESSAGES_KEPT + 3)] == [MESSAGES_KEPT + 4, MESSAGES_KEPT + 5]


def test_the_service_runs_as_a_program_and_keeps_its_key(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-m", "api.command_line.fake_fcm", "--port", "0", "--state", tmp_path]
        )
        try:
            account = wait_for_account(tmp_path / "service-account.json", seen=keys)
            sender = FirebasePushSender(account, lambda: NOW, account["token_uri"].removesuffix("/token"))
            outcomes = []
            for _ in range(50):
                outcomes.append(sender.send([push("phone")])[0].outcome)
                if outcomes[-1] == "accepted":
                    break
                time.sleep(0.1)
            assert outcomes[-1] == "accepted"
            sender.close()
            keys.append(account["private_key"])
        finally:
            process.terminate()
            process.wait(timeout=10)
    assert keys[0] == keys[1]


def wait_for_account(path: Path, seen: list[str]) -> dict[str, str]:
    """The account once the program (started again: with its new port) has written it and answers."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            account: dict[str, str] = json.loads(path.read_text())
            httpx.get(account["token_uri"].removesuffix("token") + "health", timeout=1)
            return account
        except (OSError, ValueError, httpx.HTTPError):
            time.sleep(0.05)
    raise AssertionError(f"no account after 20 s, {len(seen)} seen before")


# What the rules allow and refuse, and that Google's own description agrees.

ALLOWED: list[dict[str, Any]] = [
    {"message": {"token": "t"}},
    {"message": {"token": "t", "data": {"a": "b"}, "android": {"ttl": "60s", "priority": "high"}}},
    {
        "message": {"token": "t", "android": {"collapse_key": "c", "directBootOk": True}},
        "validate_only": True,
    },
    {
        "message": {
            "token": "t",
            "apns": {"headers": {"apns-priority": "10"}, "payload": {"aps": {"badge": 1}}},
        }
    },
    {"message": {"token": "t", "notification": {"title": "x"}, "fcm_options": {"analytics_label": "a"}}},
    {"message": {"topic": "t", "webpush": {"headers": {"TTL": "5"}}}},
]
WRONG_SHAPE: list[Any] = [
    [],
    {"message": []},
    {"message": {"token": 5}},
    {"message": {"token": "t", "data": {"a": 1}}},
    {"message": {"token": "t", "colour": "red"}},
    {"message": {"token": "t", "android": {"priority": "loud"}}},
    {"message": {"token": "t", "android": {"ttl": "soon"}}},
    {"message": {"token": "t", "apns": {"headers": {"a": 1}}}},
    {"message": {"token": "t"}, "validate_only": "yes"},
]
WRONG_MEANING: list[Any] = [
    {"message": {}},
    {"message": {"token": "t", "topic": "t"}},
    {"message": {"token": "t", "data": {"from": "x"}}},
    {"message": {"token": "t", "data": {"a": "好" * 1400}}},
    {"message": {"token": "t", "android": {"ttl": "2419201s"}}},
    {"message": {"token": "t", "apns": {"headers": {"apns-push-type": "background", "apns-priority": "10"}}}},
    {},
]


@pytest.mark.parametrize("body", ALLOWED)
def test_a_good_message_is_allowed(body: dict[str, Any]) -> None:
    assert check_request(body) == body["message"]


@pytest.mark.parametrize("body", WRONG_SHAPE + WRONG_MEANING)
def test_a_bad_message_is_refused_with_its_field(body: Any) -> None:
    with pytest.raises(BadMessage):
        check_request(body)


def test_googles_own_description_agrees_with_our_rules() -> None:
    document = json.loads(
        importlib.resources.files("googleapiclient.discovery_cache.documents")
        .joinpath("fcm.v1.json")
        .read_text()
    )
    assert [fits(document, body, "SendMessageRequest") for body in ALLOWED] == [True] * len(ALLOWED)
    assert [fits(document, body, "SendMessageRequest") for body in WRONG_SHAPE] == [False] * len(WRONG_SHAPE)


def fits(document: dict[str, Any], value: Any, schema: Any) -> bool:
    """A value against a schema of the discovery document, names in either spelling."""
    while isinstance(schema, str) or "$ref" in schema:
        schema = document["schemas"][schema if isinstance(schema, str) else schema["$ref"]]
    kinds = {"object": dict, "string": str, "boolean": bool, "any": object}
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if schema.get("format") == "google-duration":
        return value.endswith("s") and value[:-1].replace(".", "", 1).isdecimal()
    if schema["type"] != "object":
        return value.upper() in schema["enum"] if "enum" in schema else True
    if "properties" not in schema:
        return all(fits(document, item, schema["additionalProperties"]) for item in value.values())
    named = {name.lower(): inner for name, inner in schema["properties"].items()}
    return all(
        key.replace("_", "").lower() in named and fits(document, item, named[key.replace("_", "").lower()])
        for key, item in value.items()
    )


def test_a_payload_survives_the_wire_and_is_small() -> None:
    assert PushPayload.from_data(OFFER.to_data()) == OFFER
    assert all(isinstance(value, str) for value in OFFER.to_data().values())
    assert len(json.dumps(OFFER.to_data())) < PUSH_BYTES_MAX / 10


@pytest.mark.parametrize(
    "changes",
    [{"offer_id": None}, {"type": "ticket_changed"}, {"type": "joke"}, {"phone": "138"}, {"seq": -1}],
)
def test_a_payload_that_says_too_much_or_too_little_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PushPayload.model_validate(OFFER.model_dump() | changes)


@pytest.mark.parametrize("changes", [{"exp": "soon"}, {"seq": "x"}, {"name": "Chen"}, {"v": "2"}])
def test_a_phone_refuses_data_that_is_no_payload(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PushPayload.from_data(OFFER.to_data() | changes)
