"""A contractor takes the work and names the engineer later; hours on call are set and read, each through HTTP."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from dispatch.actions import contractors
from dispatch.actions.tenants import add_contractor, add_dispatcher
from dispatch.store.ids import new_id
from tests.builders import PASSWORD, PASSWORD_HASH, add_engineer, new_ticket
from tests.house import Product, Town, ok, refused


class Desk:
    """A contractor with its dispatcher Cora and its engineers Lee and Mia, in a town that gives it every repair."""

    def __init__(self, town: Town, **settings: int) -> None:
        self.town, made = town, town.made
        with made.house.database.transaction(made.tenant_id) as db:
            self.id = add_contractor(db, made.tenant_id, {"zh": "服务商", "en": "Contractor"})
            add_dispatcher(
                db, made.tenant_id, "Cora", f"cora-{made.slug}", PASSWORD_HASH, "contractor", "en", self.id
            )
            self.lee = add_engineer(made, db, "Lee", {"hvac": 2}, 100, made.house.now())
            self.mia = add_engineer(made, db, "Mia", {"hvac": 1}, 100, made.house.now())
        town.product.rows(
            "update engineers set contractor_id = %(c)s where id = any(%(e)s) returning id",
            c=self.id,
            e=[self.lee, self.mia],
        )
        body = {"mode": "contractor", "work_type": "ac_repair", "contractor_id": str(self.id)}
        url = f"/dispatcher/v1/match_policies/{new_id()}"
        done = town.product.client.put(url, json={**body, "settings": settings}, headers=town.board("Ada"))
        assert done.status_code == 204, done.text
        body = {"signin_id": f"cora-{made.slug}", "password": PASSWORD}
        reply = town.product.client.post("/dispatcher/v1/signin", json=body)
        self.headers = {"Authorization": f"Bearer {reply.cookies[town.product.app.state.doorkeeper.cookie]}"}
        town.product.client.cookies.clear()

    def asked(self) -> str:
        """A ticket that the match has offered to the contractor."""
        ticket_id: str = self.town.create(new_ticket())["ticket_id"]
        self.town.settle()
        return ticket_id

    def act(self, ticket_id: str, action: str, **facts: Any) -> Any:
        body = {"command_id": str(new_id()), "action": action, "facts": facts}
        url = f"/dispatcher/v1/tickets/{ticket_id}/actions"
        return self.town.product.client.post(url, json=body, headers=self.headers)

    def work(self) -> dict[str, Any]:
        found: dict[str, Any] = ok(
            self.town.product.client.get("/dispatcher/v1/contractor", headers=self.headers)
        )
        return found


def clock(town: Town, ticket_id: str, kind: str) -> str | None:
    """How the ticket's promise of this kind stands."""
    rows = town.product.rows(
        "select ended from promise_clocks where ticket_id = %(t)s and kind = %(k)s", t=ticket_id, k=kind
    )
    ended: str | None = rows[0]["ended"]
    return ended


def promise(town: Town, response_min: int) -> None:
    url = f"/dispatcher/v1/promise_policies/{new_id()}"
    body = {"name": {"zh": "答复", "en": "Answer"}, "response_min": response_min}
    done = town.product.client.put(url, json=body, headers=town.board("Ada"))
    assert done.status_code in (200, 201, 204), done.text


def test_a_contractor_takes_the_work_and_names_the_engineer_later(product: Product) -> None:
    town = product.company()
    promise(town, 600)
    desk = Desk(town, name_engineer_min=30)
    ticket_id = desk.asked()
    (asked,) = desk.work()["tickets"]
    assert (asked["ticket_id"], asked["allowed_actions"]) == (ticket_id, ["accept_offer", "decline_offer"])
    assert ok(desk.act(ticket_id, "accept_offer"))["result"]["status"] == "assigned"
    town.settle()
    line = town.view(ticket_id)["ticket"]
    assert (line["engineer_name"], line["contractor_name"]["en"]) == (None, "Contractor")
    assert line["name_by"] is not None
    assert clock(town, ticket_id, "response") is None
    told = "select count(*)::int as n from messages_sent where ticket_id = %(t)s and template = 'assigned'"
    assert town.product.rows(told, t=ticket_id)[0]["n"] == 0
    # somebody who may not come, and somebody who is not theirs
    facts = refused(desk.act(ticket_id, "name_engineer", engineer_id=str(desk.mia)), 409, "not_eligible")
    assert facts["broken_rules"] == [{"rule": "skill", "skill": "hvac", "needs": 2, "has": 1}]
    ana = str(town.made.engineers["Ana"])
    refused(desk.act(ticket_id, "name_engineer", engineer_id=ana), 404, "engineer_unknown")
    refused(desk.act(ticket_id, "name_engineer"), 422, "action_not_ready")
    ok(desk.act(ticket_id, "name_engineer", engineer_id=str(desk.lee)))
    town.settle()
    line = town.view(ticket_id)["ticket"]
    assert (line["engineer_name"], line["name_by"], line["contractor_id"]) == ("Lee", None, str(desk.id))
    assert clock(town, ticket_id, "response") == "met"
    assert town.product.rows(told, t=ticket_id)[0]["n"] == 1
    (mine,) = town.today("Lee")["tickets"]
    assert (mine["ticket_id"], mine["role"]) == (ticket_id, "lead")
    town.product.clock.move(minutes=31)
    town.settle()
    assert town.view(ticket_id)["ticket"]["attention"] is None


def test_who_is_not_named_by_the_deadline_is_escalated_to_the_dispatchers(product: Product) -> None:
    """Sabotage of the story above: the contractor stays silent, and an own engineer goes instead."""
    town = product.company()
    desk = Desk(town, name_engineer_min=30)
    ticket_id = desk.asked()
    ok(desk.act(ticket_id, "accept_offer"))
    town.product.clock.move(minutes=29)
    town.settle()
    assert town.view(ticket_id)["ticket"]["attention"] is None
    town.product.clock.move(minutes=2)
    town.settle()
    view = town.view(ticket_id)
    assert view["ticket"]["attention"] == "contractor_unnamed"
    assert "alert" in [line["action"] for line in view["history"]]
    ok(town.direct(ticket_id, "assign", engineer_id=str(town.made.engineers["Ana"])))
    line = town.view(ticket_id)["ticket"]
    assert (line["engineer_name"], line["contractor_id"], line["attention"]) == ("Ana", None, None)
    refused(desk.act(ticket_id, "name_engineer", engineer_id=str(desk.lee)), 409, "not_the_contractor")
    assert desk.work()["tickets"] == []


@pytest.mark.parametrize("named", [False, True])
def test_a_contractor_gives_work_back_and_is_not_asked_for_it_again(product: Product, named: bool) -> None:
    town = product.company()
    desk = Desk(town)
    ticket_id = desk.asked()
    ok(desk.act(ticket_id, "accept_offer", **({"engineer_id": str(desk.lee)} if named else {})))
    (mine,) = desk.work()["tickets"]
    assert mine["allowed_actions"] == ["name_engineer", "hand_back"]
    refused(desk.act(ticket_id, "hand_back"), 422, "action_not_ready")
    ok(desk.act(ticket_id, "hand_back", reason="no_part"))
    town.settle()
    line = town.view(ticket_id)["ticket"]
    assert (line["status"], line["attention"]) == ("open", "offers_ran_out")
    assert (line["contractor_id"], line["engineer_name"]) == (None, None)
    assert desk.work()["tickets"] == []
    why = f"/dispatcher/v1/tickets/{ticket_id}/candidates/{desk.lee}"
    judged = ok(town.product.client.get(why, headers=town.board()))["candidate"]
    assert "refused_before" in [one["rule"] for one in judged["refusals"]]
    ok(town.direct(ticket_id, "amend", description="changed"))
    town.settle()
    assert town.status(ticket_id) == "open"
    event = next(one for one in town.view(ticket_id)["history"] if one["action"] == "hand_back")
    assert (event["actor"], event["facts"]["reason"]) == ("contractor", "no_part")
    ok(town.direct(ticket_id, "assign", engineer_id=str(town.made.engineers["Ana"])))
    refused(desk.act(ticket_id, "hand_back", reason="no_part"), 409, "not_the_contractor")


def test_once_the_engineer_is_on_the_way_a_contractor_gives_nothing_back_and_sabotage_it_is_asked_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = product.company()
    desk = Desk(town)
    away, again = desk.asked(), desk.asked()
    ok(desk.act(away, "accept_offer", engineer_id=str(desk.lee)))
    ok(town.act("Lee", away, "set_off"))
    refused(desk.act(away, "hand_back", reason="no_part"), 409, "action_not_allowed")
    ok(desk.act(again, "accept_offer"))
    monkeypatch.setattr(contractors, "has_refused", lambda *args: False)
    ok(desk.act(again, "hand_back", reason="no_part"))
    town.settle()
    assert town.status(again) == "offered"


def test_work_taken_without_a_name_counts_against_the_contractors_quota(product: Product) -> None:
    town = product.company()
    desk = Desk(town)
    town.product.rows("update contractors set daily_quota = 1 where id = %(c)s returning id", c=desk.id)
    first, second = desk.asked(), desk.asked()
    ok(desk.act(first, "accept_offer"))
    facts = refused(desk.act(second, "accept_offer"), 409, "not_eligible")
    assert facts["broken_rules"] == [{"rule": "contractor_quota", "visits": 1, "quota": 1}]
    refused(desk.act(second, "accept_offer", engineer_id=str(desk.lee)), 409, "not_eligible")


def test_what_one_engineer_gave_back_another_may_accept(product: Product) -> None:
    town = product.company()
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    for name in ("Ana", "Ben"):
        ok(town.direct(ticket_id, "offer", engineer_ids=[str(town.made.engineers[name])]))
        (offer,) = town.today(name)["offers"]
        ok(town.act(name, ticket_id, "accept_offer", offer_id=offer["offer_id"]))
        assert town.view(ticket_id)["ticket"]["engineer_name"] == name
        if name == "Ana":
            ok(town.act(name, ticket_id, "hand_back", reason="overloaded"))


@pytest.fixture
def town(product: Product) -> Town:
    return product.company()


def test_who_is_put_on_call_is_woken_at_night_and_not_once_taken_off(town: Town) -> None:
    made, client = town.made, town.product.client
    town.product.rows("delete from shifts where tenant_id = %(tenant)s returning id", made.tenant_id)
    now = town.product.clock.now()
    span = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=9)}
    body = {"spans": [{"kind": "on_call", **{k: v.isoformat() for k, v in span.items()}}]}
    ana: UUID = made.engineers["Ana"]
    put = client.post(f"/dispatcher/v1/engineers/{ana}/shifts", json=body, headers=town.board())
    assert put.status_code == 204, put.text
    (line,) = ok(client.get("/dispatcher/v1/shifts?kind=on_call", headers=town.board()))["shifts"]
    assert (line["engineer_name"], line["kind"]) == ("Ana", "on_call")
    (mine,) = ok(client.get("/engineer/v1/shifts", headers=town.phone("Ana")))["shifts"]
    assert (mine["kind"], mine["starts_at"][:16]) == ("on_call", line["starts_at"][:16])
    assert ok(client.get("/engineer/v1/shifts", headers=town.phone("Ben")))["shifts"] == []
    urgent = town.create(new_ticket("ac_direct", priority="urgent"))["ticket_id"]
    calm = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    assert town.view(urgent)["ticket"]["engineer_name"] == "Ana"
    assert town.view(calm)["ticket"]["attention"] == "no_candidate"
    gone = client.delete(f"/dispatcher/v1/shifts/{line['shift_id']}", headers=town.board())
    assert gone.status_code == 204
    refused(
        client.delete(f"/dispatcher/v1/shifts/{line['shift_id']}", headers=town.board()), 404, "shift_unknown"
    )
    another = town.create(new_ticket("ac_direct", priority="urgent"))["ticket_id"]
    town.settle()
    assert town.view(another)["ticket"]["attention"] == "no_candidate"


BARE = """
  and case when coalesce((select current_setting('app.scope', true)), '') = '' then true
    else id = any((select paidan_given(substr(current_setting('app.scope', true), 2)::uuid))::uuid[]) end
"""


@pytest.mark.parametrize(("more", "fails"), [("", False), (BARE, True)])
def test_who_waits_for_a_tickets_lock_gets_it_whoever_they_see_for(
    product: Product, more: str, fails: bool
) -> None:
    """A row changed while it was waited for is looked at again, and then every sub-select of a policy is worked
    out. Sabotage: a cast that stands bare in one fails for whoever sees for the whole company."""
    town = product.company()
    ticket_id, database = town.create(new_ticket())["ticket_id"], town.made.house.database
    waiting = text(f"select id from tickets where id = :ticket {more} for update")
    seen: list[object] = []

    def wait() -> None:
        try:
            with database.transaction(town.made.tenant_id) as db:
                db.execute(text("select set_config('app.scope', '', true)"))
                seen.append(str(db.execute(waiting, {"ticket": ticket_id}).scalar_one()))
        except DataError as error:
            seen.append(error)

    with database.transaction(town.made.tenant_id) as db:
        db.execute(text("update tickets set version = version + 1 where id = :ticket"), {"ticket": ticket_id})
        other = threading.Thread(target=wait)
        other.start()
        other.join(0.5)
    other.join(10)
    assert [isinstance(one, DataError) for one in seen] == [fails]
    assert fails or seen == [ticket_id]
