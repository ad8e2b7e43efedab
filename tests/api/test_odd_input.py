"""What no form would send and anybody can: every door refuses it in words, and goes on."""

import json
from typing import Any

import pytest

from dispatch.store.ids import new_id
from tests.builders import new_ticket, picture
from tests.house import Town, ok, refused

NO_CALENDAR = ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2201-01-01T00:00:00Z"]


@pytest.mark.parametrize("at", NO_CALENDAR)
def test_an_instant_no_calendar_has_is_refused_by_every_door(town: Town, at: str) -> None:
    reply = town.product.client.post(
        "/api/v1/tickets", json=new_ticket("survey", due_at=at), headers=town.key
    )
    assert refused(reply, 422, "request_invalid")["fields"]
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    tap = {"command_id": str(new_id()), "ticket_id": ticket_id, "action": "set_off", "at": at, "facts": {}}
    refused(
        town.product.client.post("/engineer/v1/actions", json=tap, headers=town.phone("Ana")),
        422,
        "request_invalid",
    )
    refused(town.direct(ticket_id, "hold", reason="other", until=at), 422, "request_invalid")
    shifts = town.product.client.get("/dispatcher/v1/shifts", params={"since": at}, headers=town.board("Ada"))
    refused(shifts, 422, "request_invalid")


@pytest.mark.parametrize("at", NO_CALENDAR)
def test_a_photo_is_kept_whatever_its_clock_showed(town: Town, at: str) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    url = f"/dispatcher/v1/photos/{new_id()}"
    reply = town.product.client.put(
        url,
        params={"ticket_id": ticket_id, "kind": "intake", "taken_at": at},
        content=picture(3),
        headers=town.board(),
    )
    ok(reply)
    kept = town.product.rows(
        "select taken_at from evidence where tenant_id = %(tenant)s", town.made.tenant_id
    )
    assert abs((kept[0]["taken_at"] - town.product.clock.now()).total_seconds()) < 60


def raw(town: Town, body: bytes, **more: str) -> Any:
    headers = {**town.key, "Content-Type": "application/json", **more}
    return town.product.client.post("/api/v1/tickets", content=body, headers=headers)


@pytest.mark.parametrize(
    "text", ["\ud800", "a\x00b", "\udfff中", "[" * 10], ids=["surrogate", "nul", "half", "brackets"]
)
def test_letters_no_database_keeps_are_refused_or_kept_and_break_nothing(town: Town, text: str) -> None:
    reply = raw(town, json.dumps(new_ticket("survey", description=text)).encode())
    assert reply.status_code in (201, 422)
    assert reply.status_code == 201 or reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 6000, b"\xff\xfe\x00", b"NaN"]
)
def test_a_body_that_is_no_request_is_refused_in_words(town: Town, body: bytes) -> None:
    refused(raw(town, body), 422, "request_invalid")


@pytest.mark.parametrize("page", ["zzzz", "-1", "²", "１００", "9" * 15, "1e3"])
@pytest.mark.parametrize("path", ["board", "tickets", "messages", "dead_letters", "webhook_deliveries"])
def test_a_page_no_reply_has_named_is_refused_and_never_the_first_again(
    town: Town, path: str, page: str
) -> None:
    reply = town.product.client.get(
        f"/dispatcher/v1/{path}", params={"page": page}, headers=town.board("Ada")
    )
    assert refused(reply, 422, "page_invalid")
    far = town.product.client.get(
        f"/dispatcher/v1/{path}", params={"page": "10050"}, headers=town.board("Ada")
    )
    assert ok(far)["next_page"] is None
