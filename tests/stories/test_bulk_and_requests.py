"""Many tickets at once with one report, and what engineers ask for, each through HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from dispatch.store.ids import new_id
from dispatch.store.queries import bulk, requests
from dispatch.store.tables.people import Shift
from tests.builders import add_engineer, new_ticket
from tests.house import Product, Town, ok, refused


@pytest.fixture
def town(product: Product) -> Town:
    return product.company()


def tell(town: Town, path: str, who: str = "Dora", **body: Any) -> Any:
    body = {"command_id": str(new_id()), **body}
    return town.product.client.post(f"/dispatcher/v1{path}", json=body, headers=town.board(who))


def ask(town: Town, name: str, **body: Any) -> Any:
    body = {"command_id": str(new_id()), **body}
    return town.product.client.post("/engineer/v1/requests", json=body, headers=town.phone(name))


def span(town: Town, hours: float = 12) -> dict[str, str]:
    now = town.product.clock.now()
    return {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=hours)).isoformat()}


def assigned(town: Town, name: str, count: int, work_type: str = "ac_direct") -> list[str]:
    """Tickets in the hands of one engineer."""
    found = []
    for _ in range(count):
        ticket_id = town.create(new_ticket("survey"))["ticket_id"]
        ok(town.direct(ticket_id, "amend", work_type=work_type))
        ok(town.direct(ticket_id, "assign", engineer_id=str(town.made.engineers[name])))
        found.append(ticket_id)
    return found


def test_a_sick_engineers_day_goes_to_the_others_in_one_action(town: Town) -> None:
    tickets = assigned(town, "Ana", 3)
    (leak,) = assigned(town, "Ana", 1, "ac_repair")
    town.settle()
    ben = str(town.made.engineers["Ben"])
    town.product.rows(
        "update engineer_skills set level = 1 where engineer_id = %(e)s and skill = 'hvac' returning 1", e=ben
    )
    body = {"command_id": str(new_id()), **span(town)}
    path = f"/engineers/{town.made.engineers['Ana']}/out"
    report = ok(tell(town, path, **body))
    outcomes = {line["ticket_id"]: (line["outcome"], line["engineer_name"]) for line in report["lines"]}
    assert outcomes == {**dict.fromkeys(tickets, ("assigned", "Ben")), leak: ("open", None)}
    assert ok(tell(town, path, **body))["report_id"] == report["report_id"]
    assert [town.view(t)["ticket"]["engineer_name"] for t in tickets] == ["Ben"] * 3
    assert town.status(leak) == "open"
    (kept,) = ok(town.product.client.get("/dispatcher/v1/bulk", headers=town.board()))["reports"]
    assert (kept["asked_by"], len(kept["lines"])) == ("Dora", 4)
    town.settle()
    assert town.view(leak)["ticket"]["attention"] == "no_candidate"
    candidate = ok(
        town.product.client.get(
            f"/dispatcher/v1/tickets/{leak}/candidates/{town.made.engineers['Ana']}", headers=town.board()
        )
    )
    assert [r["rule"] for r in candidate["candidate"]["refusals"]] == ["absent", "refused_before"]


def test_what_is_refused_to_one_ticket_does_not_undo_another(town: Town) -> None:
    """Sabotage: the middle one cannot be rebooked; the report says why, the others are moved."""
    now = town.product.clock.now()
    window = {"window_from": now.isoformat(), "window_to": (now + timedelta(hours=2)).isoformat()}
    tickets = [town.create(new_ticket("survey", **window))["ticket_id"] for _ in range(3)]
    ok(town.direct(tickets[1], "cancel", reason="by_customer"))
    report = ok(tell(town, "/bulk/rebook", ticket_ids=tickets, later_min=24 * 60))
    found = {line["ticket_id"]: line for line in report["lines"]}
    assert [found[t]["outcome"] for t in tickets] == ["rebooked", "refused", "rebooked"]
    assert found[tickets[1]]["code"] == "action_not_allowed"
    for ticket_id in (tickets[0], tickets[2]):
        view = town.view(ticket_id)
        assert view["ticket"]["window"]["start"][:13] == (now + timedelta(days=1)).isoformat()[:13]
        assert [h["action"] for h in view["history"]].count("rebook") == 1
    stranger = town.product.company().create(new_ticket("survey"))["ticket_id"]
    (line,) = ok(tell(town, "/bulk/rebook", ticket_ids=[stranger], later_min=60))["lines"]
    assert line["code"] == "ticket_unknown"


def test_a_rebooked_ticket_leaves_an_engineer_who_is_away_then(town: Town) -> None:
    now = town.product.clock.now()
    (ticket_id,) = assigned(town, "Ana", 1)
    start = now + timedelta(hours=1)
    ok(
        town.direct(
            ticket_id,
            "rebook",
            window_from=start.isoformat(),
            window_to=(start + timedelta(hours=2)).isoformat(),
        )
    )
    away = {
        "starts_at": (now + timedelta(hours=24)).isoformat(),
        "ends_at": (now + timedelta(hours=36)).isoformat(),
    }
    asked = ok(ask(town, "Ana", kind="leave", **away))
    ok(tell(town, f"/requests/{asked['request_id']}/answer", verdict="approve"))
    (line,) = ok(tell(town, "/bulk/rebook", ticket_ids=[ticket_id], later_min=24 * 60))["lines"]
    assert (line["outcome"], line["engineer_name"], line["broken_rules"]) == ("assigned", "Ben", ["absent"])


def test_overtime_asked_and_approved_lengthens_the_days_limit(town: Town) -> None:
    made = town.made
    ana = made.engineers["Ana"]
    town.product.rows("update engineers set daily_limit_min = 45 where id = %(e)s returning 1", e=ana)
    (first,) = assigned(town, "Ana", 1)
    second = town.create(new_ticket("survey"))["ticket_id"]
    facts = refused(town.direct(second, "assign", engineer_id=str(ana)), 422, "action_not_ready")
    assert facts["broken_rules"][0]["limit_min"] == 45
    day = made.house.now() + timedelta(hours=8)
    asked = ok(ask(town, "Ana", kind="overtime", day=day.date().isoformat(), minutes=60))
    (line,) = ok(town.product.client.get("/dispatcher/v1/requests", headers=town.board()))["requests"]
    assert (line["kind"], line["engineer_name"], line["status"]) == ("overtime", "Ana", "open")
    ok(tell(town, f"/requests/{asked['request_id']}/answer", verdict="approve"))
    refused(tell(town, f"/requests/{asked['request_id']}/answer", verdict="refuse"), 409, "request_answered")
    ok(town.direct(second, "assign", engineer_id=str(ana)))
    (mine,) = ok(town.product.client.get("/engineer/v1/requests", headers=town.phone("Ana")))["requests"]
    assert (mine["status"], mine["answered_by"]) == ("approved", "Dora")
    assert town.status(first) == "assigned"


def test_a_part_asked_for_must_be_in_the_van_of_who_comes(town: Town) -> None:
    town.product.rows(
        "insert into parts (tenant_id, code, name, unit) values (%(tenant)s, 'fan', '{}', 'piece') returning code",
        town.made.tenant_id,
    )
    (ticket_id,) = assigned(town, "Ana", 1)
    refused(
        ask(town, "Ben", kind="part", ticket_id=ticket_id, part="fan", quantity="1"), 404, "ticket_unknown"
    )
    missing = refused(ask(town, "Ana", kind="part", part="fan", quantity="1"), 422, "request_incomplete")
    assert missing["missing"] == ["ticket_id"]
    asked = ok(ask(town, "Ana", kind="part", ticket_id=ticket_id, part="fan", quantity="1"))
    ok(tell(town, f"/requests/{asked['request_id']}/answer", verdict="approve"))
    path = f"/dispatcher/v1/tickets/{ticket_id}/candidates/{town.made.engineers['Ben']}"
    line = ok(town.product.client.get(path, headers=town.board()))["candidate"]
    assert line["refusals"] == [{"rule": "parts", "part": "fan", "needs": 1.0, "has": 0.0}]


def test_a_request_is_withdrawn_by_its_engineer_alone(town: Town) -> None:
    asked = ok(
        ask(
            town,
            "Ana",
            kind="overtime",
            day=(town.product.clock.now().date() + timedelta(days=3)).isoformat(),
            minutes=30,
        )
    )
    path = f"/engineer/v1/requests/{asked['request_id']}/withdraw"
    body = {"command_id": str(new_id())}
    refused(town.product.client.post(path, json=body, headers=town.phone("Ben")), 404, "request_unknown")
    assert ok(town.product.client.post(path, json=body, headers=town.phone("Ana")))["status"] == "withdrawn"
    refused(tell(town, f"/requests/{asked['request_id']}/answer", verdict="approve"), 409, "request_answered")


def test_at_night_only_who_is_on_call_is_woken_and_only_for_what_is_urgent(town: Town) -> None:
    made = town.made
    now = made.house.now()
    with made.house.database.transaction(made.tenant_id) as db:
        nora = add_engineer(made, db, "Nora", {"hvac": 2}, 100, now)
        shifts = db.query(Shift).filter(Shift.engineer_id == nora).all()
        for shift in shifts:
            shift.kind = "on_call"
    for name in ("Ana", "Ben", "Eve"):
        town.product.rows("delete from shifts where engineer_id = %(e)s returning 1", e=made.engineers[name])
    calm = town.create(new_ticket("ac_direct"))["ticket_id"]
    urgent = town.create(new_ticket("ac_direct", priority="urgent"))["ticket_id"]
    town.settle()
    assert town.view(urgent)["ticket"]["engineer_name"] == "Nora"
    assert town.view(calm)["ticket"]["attention"] == "no_candidate"
    path = f"/dispatcher/v1/tickets/{calm}/candidates/{nora}"
    line = ok(town.product.client.get(path, headers=town.board()))["candidate"]
    assert line["refusals"] == [{"rule": "on_call_only", "priority": "normal"}]


def pages(town: Town, path: str, name: str) -> list[list[dict[str, Any]]]:
    """Every page of a list, followed by its cursor."""
    found, page = [], ""
    while True:
        body = ok(town.product.client.get(f"/dispatcher/v1/{path}{page}", headers=town.board()))
        found.append(body[name])
        if body["next_page"] is None:
            return found
        page = f"?page={body['next_page']}"


def test_requests_and_reports_go_page_by_page_and_none_is_left_out(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "PAGE", 2)
    monkeypatch.setattr(bulk, "PAGE", 2)
    asked = [ok(ask(town, "Ana", kind="leave", **span(town, hours)))["request_id"] for hours in range(1, 6)]
    ok(tell(town, f"/requests/{asked[4]}/answer", verdict="refuse"))
    ids = [[one["request_id"] for one in page] for page in pages(town, "requests", "requests")]
    assert ids == [[asked[3], asked[2]], [asked[1], asked[0]], [asked[4]]]
    own = ok(town.product.client.get(f"/engineer/v1/requests?page={asked[2]}", headers=town.phone("Ana")))
    assert [one["request_id"] for one in own["requests"]] == [asked[1], asked[0]]
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    of_ticket = town.product.client.get(
        f"/dispatcher/v1/requests?ticket_id={ticket_id}", headers=town.board()
    )
    assert ok(of_ticket)["requests"] == []
    engineer_id = town.made.engineers["Ben"]
    for _ in range(3):
        ok(tell(town, f"/engineers/{engineer_id}/out", reason="sick", **span(town)))
    reports = pages(town, "bulk", "reports")
    assert [len(page) for page in reports] == [2, 1]
    assert len({one["report_id"] for page in reports for one in page}) == 3
