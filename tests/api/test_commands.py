"""A command is applied once: sent twice it answers the same, with another body it is refused."""

import threading

import pytest
from sqlalchemy import event

from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.house import Product, Town, ok, refused


def events_of(town: Town, ticket_id: str) -> int:
    rows = town.product.rows("select count(*) as n from ticket_events where ticket_id = %(t)s", t=ticket_id)
    return int(rows[0]["n"])


def test_a_command_sent_twice_is_applied_once_and_answers_the_same(town: Town) -> None:
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    command_id = str(new_id())
    at = town.product.clock.now().isoformat()
    body = {"command_id": command_id, "ticket_id": ticket_id, "action": "set_off", "at": at, "facts": {}}
    first, again = (
        ok(town.product.client.post("/engineer/v1/actions", json=body, headers=town.phone(name)))
        for _ in range(2)
    )
    assert first["result"] == again["result"]
    before = events_of(town, ticket_id)
    other = {**body, "action": "turn_back"}
    reply = town.product.client.post("/engineer/v1/actions", json=other, headers=town.phone(name))
    refused(reply, 422, "command_id_reused")
    assert events_of(town, ticket_id) == before


def test_a_refusal_is_remembered_too(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    command_id = str(new_id())
    body = {"command_id": command_id, "action": "resume", "facts": {}}
    url = f"/dispatcher/v1/tickets/{ticket_id}/actions"
    first = town.product.client.post(url, json=body, headers=town.board())
    ok(town.direct(ticket_id, "hold", reason="other"))
    again = town.product.client.post(url, json=body, headers=town.board())
    assert (first.status_code, again.status_code) == (409, 409)
    assert town.status(ticket_id) == "on_hold"


def test_a_ticket_created_twice_exists_once(town: Town) -> None:
    body = new_ticket("survey")
    assert town.create(body) == town.create(body)
    rows = town.product.rows(
        "select count(*) as n from tickets where tenant_id = %(tenant)s", town.made.tenant_id
    )
    assert rows[0]["n"] == 1


def test_the_same_command_ten_times_at_once_is_applied_once(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    body = {"command_id": str(new_id()), "action": "note", "facts": {"text": "once"}}
    url = f"/dispatcher/v1/tickets/{ticket_id}/actions"
    headers, replies = town.board(), []

    def send() -> None:
        replies.append(town.product.client.post(url, json=body, headers=headers))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {r.status_code for r in replies} == {200}
    assert len({r.json()["result"]["seq"] for r in replies}) == 1
    notes = [line for line in town.view(ticket_id)["history"] if line["action"] == "note"]
    assert len(notes) == 1


def test_without_the_stored_answer_the_twin_would_be_applied_again(town: Town) -> None:
    """Sabotage: forget the answer, and the same command does its work a second time."""
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    body = {"command_id": str(new_id()), "action": "note", "facts": {"text": "twice"}}
    url = f"/dispatcher/v1/tickets/{ticket_id}/actions"
    ok(town.product.client.post(url, json=body, headers=town.board()))
    town.product.rows(
        "delete from commands where command_id = %(c)s returning command_id", c=body["command_id"]
    )
    ok(town.product.client.post(url, json=body, headers=town.board()))
    notes = [line for line in town.view(ticket_id)["history"] if line["action"] == "note"]
    assert len(notes) == 2


def test_a_reply_cut_after_the_commit_is_answered_the_same_next_time(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    body = {"command_id": str(new_id()), "action": "note", "facts": {"text": "cut"}}
    url = f"/dispatcher/v1/tickets/{ticket_id}/actions"
    headers = town.board()
    cut = CutAfterCommit(town.product)
    with cut:
        reply = town.product.client.post(url, json=body, headers=headers)
    assert reply.status_code == 500
    again = ok(town.product.client.post(url, json=body, headers=headers))
    notes = [line for line in town.view(ticket_id)["history"] if line["action"] == "note"]
    assert [line["seq"] for line in notes] == [again["result"]["seq"]]


class CutAfterCommit:
    """The process dies (an exception nobody expects) right after the next commit."""

    def __init__(self, product: Product) -> None:
        self.engine = product.house.database.engine
        self.armed = True

    def __enter__(self) -> "CutAfterCommit":
        event.listen(self.engine, "checkin", self._checkin)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "checkin", self._checkin)

    def _checkin(self, *_: object) -> None:
        if self.armed:
            self.armed = False
            raise ZeroDivisionError("cut")


@pytest.mark.parametrize("body", ["{", "[]", '{"command_id": 1}', '{"facts": {"text": "\\u0000"}}'])
def test_malformed_commands_are_refused_with_a_reason(town: Town, body: str) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    reply = town.product.client.post(
        f"/dispatcher/v1/tickets/{ticket_id}/actions",
        content=body,
        headers={**town.board(), "content-type": "application/json"},
    )
    refused(reply, 422, "request_invalid")
