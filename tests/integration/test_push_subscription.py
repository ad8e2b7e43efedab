"""A browser that its engineer lets be told: subscribed, told, let go, and what is no subscription refused."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.channel import ACCEPTED, Message, Sent
from dispatch.adapters.push import PushMessage, PushResult
from dispatch.adapters.webpush import padded, point, public_key, unpadded
from dispatch.store.ids import new_id
from jobs.registry import Wired
from tests.builders import new_ticket
from tests.house import Town, ok, refused

VAPID = padded(bytes(range(1, 33)))


class Wire:
    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> Sent:
        self.sent.append(message)
        return ACCEPTED


@pytest.fixture
def wire(town: Town) -> Iterator[Wire]:
    made, rooms = Wire(), town.product.app.state.rooms
    before, town.product.book = rooms.settings, ChannelBook(town.product.clock.now, {"webpush": made})
    rooms.settings = replace(before, vapid_key=VAPID)
    yield made
    rooms.settings, town.product.book = before, None


def subscription(endpoint: str = "https://push.example/send/1", **keys: Any) -> str:
    theirs = padded(point(ec.generate_private_key(ec.SECP256R1()).public_key()))
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": theirs, "auth": padded(b"s" * 16), **keys}})


def put(town: Town, target: str, path: str = "", name: str = "Ana") -> Any:
    client, body = town.product.client, {"platform": "web", "target": target}
    send = client.post if path else client.put
    return send(f"/engineer/v1/push_target{path}", json=body, headers=town.phone(name))


def test_a_browser_subscribes_with_the_servers_key_is_told_and_let_go(town: Town, wire: Wire) -> None:
    key = ok(town.product.client.get("/engineer/v1/push_key", headers=town.phone("Ana")))["public_key"]
    assert key == public_key(VAPID)
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpadded(key))
    target = subscription()
    assert put(town, target).status_code == 204
    offer(town)
    (told,) = wire.sent
    assert told.target == target
    assert put(town, target, "/gone", "Ben").status_code == 204
    offer(town)
    assert len(wire.sent) == 2
    assert put(town, target, "/gone").status_code == 204
    offer(town)
    assert len(wire.sent) == 2
    assert put(town, target).status_code == 204
    offer(town)
    assert len(wire.sent) == 3


def offer(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    ok(town.direct(ticket_id, "offer", engineer_ids=[str(town.made.engineers["Ana"])]))
    town.settle()


def ask_leave(town: Town) -> str:
    now = town.product.clock.now()
    leave = {"kind": "leave", "starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=4)).isoformat()}
    body = {"command_id": str(new_id()), **leave}
    reply = town.product.client.post("/engineer/v1/requests", json=body, headers=town.phone("Ana"))
    return str(ok(reply)["request_id"])


def refuse(town: Town, request_id: str) -> None:
    url, body = f"/dispatcher/v1/requests/{request_id}/answer", {"verdict": "refuse"}
    command = {"command_id": str(new_id()), **body}
    ok(town.product.client.post(url, json=command, headers=town.board()))
    town.settle()


def test_without_the_app_answers_assignments_and_changes_are_told_in_the_browser(
    town: Town, wire: Wire
) -> None:
    assert put(town, subscription()).status_code == 204
    refuse(town, ask_leave(town))
    (said,) = wire.sent
    assert (said.title, said.url) == ("Request answered", "http://127.0.0.1:8080/phone/#/requests")
    assert "leave" in said.text
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.settle()
    town.assign_by_hand(ticket_id, "Ana")
    town.settle()
    ok(town.direct(ticket_id, "cancel", reason="no_longer_needed"))
    town.settle()
    town.product.clock.move(seconds=30)
    town.settle()
    assert [one.title for one in wire.sent[1:]] == ["New ticket", "Ticket changed"]


@pytest.mark.parametrize("told_twice", [False, True])
def test_who_has_the_app_is_not_told_twice(
    town: Town, wire: Wire, monkeypatch: pytest.MonkeyPatch, told_twice: bool
) -> None:
    """And the sabotage: as if this installation pushed to no app."""

    class App:
        def send(self, messages: Sequence[PushMessage]) -> list[PushResult]:
            return [PushResult(one.target, "accepted") for one in messages]

    body = {"platform": "fcm", "target": f"app-{told_twice}"}
    town.product.client.put("/engineer/v1/push_target", json=body, headers=town.phone("Ana"))
    assert put(town, subscription()).status_code == 204
    monkeypatch.setattr(
        "tests.house.Wired",
        lambda *given, **more: Wired(given[0], None if told_twice else App(), *given[2:], **more),
    )
    refuse(town, ask_leave(town))
    assert len(wire.sent) == int(told_twice)


@pytest.mark.parametrize(
    "target",
    [
        "a token",
        "[]",
        "{}",
        subscription("http://push.example/1"),
        subscription("https://127.0.0.1/1"),
        subscription("https://[::ffff:10.0.0.1]/1"),
        subscription(p256dh="AAAA"),
        subscription(auth=padded(b"short")),
        subscription(p256dh=7),
    ],
)
def test_what_is_no_subscription_or_leads_inside_is_refused(town: Town, target: str) -> None:
    refused(put(town, target), 422, "push_target_invalid")


def test_without_a_key_nothing_is_offered(town: Town) -> None:
    reply = town.product.client.get("/engineer/v1/push_key", headers=town.phone("Ana"))
    assert ok(reply) == {"public_key": None}
