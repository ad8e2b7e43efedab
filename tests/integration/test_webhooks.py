"""Webhooks from the event to a receiver that verifies them; and addresses that are never asked."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from dispatch.actions import webhooks
from dispatch.adapters import outside
from dispatch.adapters.outside import OutsideClient, RefusedTarget, as_address, is_public
from dispatch.domain.reactions import REACTIONS
from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.fakes import tell_services as fake
from tests.house import Town, ok, refused


def receiver(service: fake.Service, asked: fake.Asked) -> fake.Reply:
    """Verifies as receivers do, then answers by script."""
    try:
        Webhook(service.extra["secret"]).verify(asked.body, asked.headers)
    except WebhookVerificationError:
        return service.refuse("not_verified", 401, {})
    status, headers = service.script.pop(0) if service.script else (204, {})
    service.extra.setdefault("ids", []).append(asked.headers["webhook-id"])
    if status == 204:
        service.accepted.append(asked.json())
        return 200, {}, {}
    return status, {}, headers


@pytest.fixture
def hook(town: Town) -> Iterator[fake.Service]:
    """A receiver that every event is sent to."""
    product = town.product
    before, allowed = product.clock.ahead, product.settings.webhook_test_hosts
    with fake.running(receiver) as service:
        product.outside = OutsideClient({"127.0.0.1"})
        object.__setattr__(product.settings, "webhook_test_hosts", ("127.0.0.1",))
        endpoint_id = str(new_id())
        done = ok(put(town, endpoint_id, {"url": f"{service.url}/hook"}))
        service.extra |= {"secret": done["secret"], "endpoint_id": endpoint_id}
        yield service
    object.__setattr__(product.settings, "webhook_test_hosts", allowed)
    product.outside = OutsideClient()
    product.clock.ahead = before


def put(town: Town, endpoint_id: object, body: dict[str, Any]) -> Any:
    path = f"/dispatcher/v1/webhooks/{endpoint_id}"
    return town.product.client.put(path, json=body, headers=town.board("Ada"))


def deliveries(town: Town) -> list[dict[str, Any]]:
    reply = town.product.client.get("/dispatcher/v1/webhook_deliveries", headers=town.board("Ada"))
    lines: list[dict[str, Any]] = ok(reply)["deliveries"]
    return lines[::-1]


def seqs(service: fake.Service) -> list[int]:
    return [body["data"]["seq"] for body in service.accepted]


def test_events_arrive_signed_in_order_and_carry_nothing_personal(town: Town, hook: fake.Service) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    for n in range(3):
        ok(town.direct(ticket_id, "note", text=f"secret words {n}"))
    town.settle()
    town.settle()
    assert hook.refusals == []
    assert [body["type"] for body in hook.accepted] == ["ticket.create"] + ["ticket.note"] * 3
    assert seqs(hook) == sorted(seqs(hook))
    for secret in ("Chen", "1390000", "3-201", "示例路", "secret words"):
        assert secret not in json.dumps(hook.accepted, ensure_ascii=False)
    assert {line["status"] for line in deliveries(town)} == {"delivered"}


def test_a_receiver_that_is_down_gets_everything_later_in_order_under_the_same_ids(
    town: Town, hook: fake.Service
) -> None:
    hook.script = [(503, {}), (302, {"Location": "http://127.0.0.1:1/"}), (204, {})]
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    ok(town.direct(ticket_id, "note", text="a"))
    town.settle()
    assert hook.accepted == []
    assert [line["tries"] for line in deliveries(town)] == [1, 0]
    for seconds in (7, 40):
        town.product.clock.move(seconds=seconds)
        town.settle()
    assert [body["type"] for body in hook.accepted] == ["ticket.create", "ticket.note"]
    assert len(set(hook.extra["ids"])) == 2
    assert len(hook.extra["ids"]) == 4
    first = deliveries(town)[0]
    assert [attempt["status"] for attempt in first["attempts"]] == [503, 302, 200]


def test_not_waiting_for_the_older_would_be_noticed(
    town: Town, hook: fake.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage: order is left to chance."""
    monkeypatch.setattr(webhooks, "_older_waits", lambda step, row: False)
    with pytest.raises(AssertionError):
        test_a_receiver_that_is_down_gets_everything_later_in_order_under_the_same_ids(town, hook)


def test_after_a_day_it_has_failed_and_may_be_sent_again_by_hand(town: Town, hook: fake.Service) -> None:
    hook.script = [(500, {})] * 11
    town.create(new_ticket("survey"))
    town.settle()
    waited = timedelta()
    while deliveries(town)[0]["status"] == "pending":
        town.product.clock.move(minutes=30)
        waited += timedelta(minutes=30)
        town.settle()
        assert waited < timedelta(hours=40)
    assert waited > timedelta(hours=20)
    (line,) = deliveries(town)
    assert (line["status"], len(line["attempts"])) == ("failed", 11)
    path = f"/dispatcher/v1/webhook_deliveries/{line['delivery_id']}/replay"
    assert town.product.client.post(path, headers=town.board("Ada")).status_code == 204
    refused(town.product.client.post(path, headers=town.board("Ada")), 409, "delivery_pending")
    town.settle()
    assert deliveries(town)[0]["status"] == "delivered"
    assert len(set(hook.extra["ids"])) == 1


def test_a_receiver_that_says_it_is_gone_is_asked_once(town: Town, hook: fake.Service) -> None:
    hook.script = [(410, {})]
    town.create(new_ticket("survey"))
    town.settle()
    assert deliveries(town)[0]["status"] == "failed"


def test_for_a_day_both_secrets_sign_and_then_the_new_one_alone(town: Town, hook: fake.Service) -> None:
    old = hook.extra["secret"]
    path = f"/dispatcher/v1/webhooks/{hook.extra['endpoint_id']}/rotate"
    new = ok(town.product.client.post(path, headers=town.board("Ada")))["secret"]
    for secret, hours, verified in ((old, 1, True), (new, 23, True), (old, 0, False), (new, 0, True)):
        hook.extra["secret"], hook.refusals = secret, []
        town.create(new_ticket("survey"))
        town.settle()
        assert (hook.refusals == []) is verified, (secret == old, hours)
        town.product.clock.move(hours=hours)
    shown = town.product.client.get("/dispatcher/v1/webhooks", headers=town.board("Ada"))
    assert "whsec_" not in shown.text


def test_only_the_actions_asked_for_are_sent(town: Town, hook: fake.Service) -> None:
    body = {"url": f"{hook.url}/hook", "actions": ["note"]}
    assert ok(put(town, hook.extra["endpoint_id"], body))["secret"] is None
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    ok(town.direct(ticket_id, "note", text="a"))
    town.settle()
    assert [body["type"] for body in hook.accepted] == ["ticket.note"]
    refused(put(town, new_id(), {"url": hook.url, "actions": ["dance"]}), 422, "action_unknown")


def test_every_event_that_can_be_asked_for_is_queued() -> None:
    assert [action for action in webhooks.EVENTS if "queue_webhooks" not in REACTIONS[action]] == []


# hostile addresses

HOSTILE = [
    ("http://hooks.example/", "url_not_https"),
    ("ftp://hooks.example/", "url_not_https"),
    ("https://user:pass@hooks.example/", "url_malformed"),
    ("https://hooks.example:99999/", "url_malformed"),
    ("https://hooks.example/a\r\nX: y", "url_malformed"),
    ("https:///nothing", "url_malformed"),
    ("https://127.0.0.1/", "url_not_public"),
    ("https://127.1/", "url_not_public"),
    ("https://2130706433/", "url_not_public"),
    ("https://0x7f.0.0.1/", "url_not_public"),
    ("https://[::1]/", "url_not_public"),
    ("https://[::ffff:127.0.0.1]/", "url_not_public"),
    ("https://[::ffff:a00:1]/", "url_not_public"),
    ("https://[::127.0.0.1]/", "url_not_public"),
    ("https://[64:ff9b::7f00:1]/", "url_not_public"),
    ("https://[2002:7f00:1::]/", "url_not_public"),
    ("https://10.0.0.1/", "url_not_public"),
    ("https://172.16.3.4/", "url_not_public"),
    ("https://192.168.1.1/", "url_not_public"),
    ("https://169.254.169.254/latest/meta-data/", "url_not_public"),
    ("https://100.64.0.1/", "url_not_public"),
    ("https://0.0.0.0/", "url_not_public"),
    ("https://224.0.0.1/", "url_not_public"),
    ("https://[fe80::1]/", "url_not_public"),
    ("https://[fd00::1]/", "url_not_public"),
]


@pytest.mark.parametrize(("url", "code"), HOSTILE)
def test_a_hostile_address_is_refused_when_it_is_entered(url: str, code: str) -> None:
    with pytest.raises(RefusedTarget) as error:
        OutsideClient().check(url)
    assert error.value.code == code


def test_entering_one_over_http_is_refused_by_name(town: Town) -> None:
    refused(put(town, new_id(), {"url": "https://127.0.0.1/"}), 422, "url_not_public")


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:192.168.0.1"], ["169.254.169.254"], ["fe80::1%eth0"]],
)
def test_a_name_that_leads_inside_is_refused_before_anything_is_connected(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(outside.socket, "create_connection", connect)
    client = OutsideClient(resolver=lambda host, port: addresses)
    with pytest.raises(RefusedTarget, match="url_not_public"):
        client.post("https://hooks.example/", b"", {}, 1)


class Rebinding:
    """A name server whose second answer leads inside."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return ["8.8.8.8"] if self.asked == 1 else ["127.0.0.1"]


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise TimeoutError

    monkeypatch.setattr(outside.socket, "create_connection", connect)
    names = Rebinding()
    client = OutsideClient(resolver=names)
    with pytest.raises(httpx.TransportError):
        client.post("https://hooks.example/", b"", {}, 1)
    assert (names.asked, connected) == (1, [("8.8.8.8", 443)])
    with pytest.raises(RefusedTarget):
        client.post("https://hooks.example/", b"", {}, 1)
    assert len(connected) == 1


def test_judging_addresses_by_pythons_own_word_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage: `is_global` alone, which calls a translated loopback global."""
    monkeypatch.setattr(outside, "is_public", lambda address: address.is_global)
    wrong = [url for url, code in HOSTILE if code == "url_not_public" and _passes(url)]
    assert wrong


def _passes(url: str) -> bool:
    try:
        OutsideClient().check(url)
    except RefusedTarget:
        return False
    return True


def test_public_addresses_are_public() -> None:
    for text in ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"):
        address = as_address(text)
        assert address is not None
        assert is_public(address)
    assert as_address("hooks.example") is None


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    inside: list[str] = []

    def redirect(service: fake.Service, asked: fake.Asked) -> fake.Reply:
        inside.append(asked.path)
        return 307, {}, {"Location": f"{service.url}/inside"}

    with fake.running(redirect) as service:
        answer = OutsideClient({"127.0.0.1"}).post(f"{service.url}/hook", b"{}", {}, 5)
    assert (answer.status, inside) == (307, ["/hook"])


def test_a_receiver_that_drips_its_answer_is_left_in_time() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        taken, _ = listener.accept()
        taken.recv(65536)
        taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        ended = threading.Event()
        for _ in range(200):
            try:
                taken.sendall(b"x")
            except OSError:
                return
            ended.wait(0.05)

    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    answer = OutsideClient({"127.0.0.1"}).post(url, b"{}", {}, 0.5)
    assert answer.status == 200
    assert len(answer.body) < 100
    listener.close()
