"""A browser that its engineer lets be told: subscribed, told, let go, and what is no subscription refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.channel import ACCEPTED, Message, Sent
from dispatch.adapters.webpush import padded, point, public_key, unpadded
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
