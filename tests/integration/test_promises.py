"""Promises from the event to the warning: pinned terms, ledger, and a worker that was dead."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from dispatch.actions import promise_settings, promises
from dispatch.actions.intake import TicketWanted, create_ticket
from dispatch.actions.step import run_step
from dispatch.domain.commands import system
from dispatch.store.ids import new_id
from tests.background import Background
from tests.builders import SITE, new_ticket
from tests.databases import Database
from tests.house import Product, Town, ok, refused

NAME = {"zh": "标准", "en": "Standard"}
OFFICE: list[Any] = [[[540, 720], [780, 1080]]] * 5 + [[], []]


def put(town: Town, path: str, body: dict[str, Any], name: str = "Ada") -> Any:
    return town.product.client.put(f"/dispatcher/v1/{path}", json=body, headers=town.board(name))


def policy(town: Town, **more: Any) -> UUID:
    policy_id = new_id()
    body = {"name": NAME, "response_min": 30, "arrival_min": 120, "resolution_min": 480, **more}
    ok(put(town, f"promise_policies/{policy_id}", body))
    return policy_id


def ledger(town: Town, ticket_id: str) -> dict[str, dict[str, Any]]:
    reply = town.product.client.get(f"/dispatcher/v1/tickets/{ticket_id}/promises", headers=town.board())
    return {line["kind"]: line for line in ok(reply)["promises"] if line["cycle"] == 1}


@pytest.fixture
def moved(town: Town) -> Iterator[Town]:
    """A town whose clock is put back afterwards."""
    before = town.product.clock.ahead
    yield town
    town.product.clock.ahead = before


def test_a_tickets_promises_run_pause_with_a_reason_and_are_kept(moved: Town) -> None:
    town = moved
    policy(town)
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.settle()
    lines = ledger(town, ticket_id)
    assert {k: v["target_s"] for k, v in lines.items()} == {
        "response": 1800, "arrival": 7200, "resolution": 28_800,
    }  # fmt: skip
    assert town.view(ticket_id)["ticket"]["promise"]["kind"] == "response"
    town.assign_by_hand(ticket_id, "Ana", reason="agreed_by_phone")
    town.product.clock.move(minutes=60)
    ok(town.direct(ticket_id, "hold", reason="parts"))
    town.settle()
    lines = ledger(town, ticket_id)
    assert lines["response"]["ended"] == "met"
    paused = lines["resolution"]
    assert (paused["paused_reason"], paused["due_at"], round(paused["elapsed_s"], -2)) == (
        "parts",
        None,
        3600,
    )
    town.product.clock.move(minutes=600)
    ok(town.direct(ticket_id, "resume"))
    town.settle()
    spans = ledger(town, ticket_id)["resolution"]["spans"]
    assert [(s["running"], s["reason"]) for s in spans] == [(True, None), (False, "parts"), (True, None)]
    assert not ledger(town, ticket_id)["resolution"]["late"]


def test_warnings_come_once_and_then_the_chain_goes_up(moved: Town) -> None:
    town = moved
    policy(town, response_min=None, arrival_min=None, resolution_min=100)
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    fired = []
    for minutes in (1, 75, 1, 25, 60):
        town.product.clock.move(minutes=minutes)
        town.settle()
        fired.append([step["pct"] for step in ledger(town, ticket_id)["resolution"]["steps"]])
    assert fired == [[], [75], [75], [75, 100], [75, 100, 150]]
    actions = [
        line["action"] for line in town.view(ticket_id)["history"] if line["subject_type"] == "promise"
    ]
    assert actions == ["promise_broken", "promise_broken", "promise_at_risk"]


def lateness(town: Town, ticket_id: str) -> float:
    """What being late costs the best candidate, by the match's own score."""
    reply = town.product.client.get(f"/dispatcher/v1/tickets/{ticket_id}/candidates", headers=town.board())
    return min(float(line["parts"]["lateness"]) for line in ok(reply)["candidates"])


def test_the_match_reads_the_promises_own_clock_and_no_other(
    moved: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Late by the promise whatever was asked for; not late while it is paused; sabotaged, by what was asked for."""
    town = moved
    policy(town, response_min=None, arrival_min=30, resolution_min=None)
    asked = (town.product.clock.now() + timedelta(days=2)).isoformat()
    ticket_id = town.create(new_ticket("survey", due_at=asked))["ticket_id"]
    town.settle()
    assert lateness(town, ticket_id) == 0
    ok(town.direct(ticket_id, "hold", reason="parts"))
    town.settle()
    town.product.clock.move(minutes=90)
    assert lateness(town, ticket_id) == 0
    ok(town.direct(ticket_id, "resume"))
    town.settle()
    town.product.clock.move(minutes=90)
    assert lateness(town, ticket_id) >= 2 * 55
    due = ledger(town, ticket_id)["arrival"]["due_at"]
    work = town.product.rows("select due_at from promise_clocks where ticket_id = %(id)s", id=ticket_id)
    assert datetime.fromisoformat(due) in {row["due_at"] for row in work}
    monkeypatch.setattr("dispatch.actions.promises.due_times", lambda *_: {})
    assert lateness(town, ticket_id) == 0


def test_the_most_special_policy_counts_and_tickets_keep_the_terms_they_had(moved: Town) -> None:
    town = moved
    policy(town)
    special = policy(town, work_type="survey", resolution_min=60)
    policy(town, priority="urgent", resolution_min=30)
    ticket_id = town.create(new_ticket("survey", priority="urgent"))["ticket_id"]
    town.settle()
    assert ledger(town, ticket_id)["resolution"]["target_s"] == 3600
    body = {"name": NAME, "work_type": "survey", "resolution_min": 10}
    ok(put(town, f"promise_policies/{special}", body))
    ok(town.direct(ticket_id, "note", text="still here"))
    ok(town.direct(ticket_id, "contact", text="called"))
    town.settle()
    assert ledger(town, ticket_id)["resolution"]["target_s"] == 3600
    ok(town.direct(ticket_id, "amend", description="not cooling at all"))
    town.settle()
    assert ledger(town, ticket_id)["resolution"]["target_s"] == 600


def test_a_contract_goes_before_all_and_a_calendar_before_the_wall_clock(moved: Town) -> None:
    town = moved
    calendar_id, contract_id = new_id(), new_id()
    ok(
        put(
            town,
            f"calendars/{calendar_id}",
            {"name": NAME, "rules": {"zone": "Asia/Shanghai", "week": OFFICE}},
        )
    )
    fill = town.product.client.post(
        f"/dispatcher/v1/calendars/{calendar_id}/china_days", json={"year": 2026}, headers=town.board("Ada")
    )
    assert ok(fill)["version"] == 2
    town.create(new_ticket("survey", contact_phone="13900009999"))
    contract = {"customer_phone": "13900009999", "number": "K-1", "starts_at": "2020-01-01T00:00:00Z"}
    ok(put(town, f"contracts/{contract_id}", contract))
    policy(town, work_type="survey", resolution_min=60)
    policy(town, contract_id=str(contract_id), calendar_id=str(calendar_id), resolution_min=6000)
    theirs = town.create(new_ticket("survey", contact_phone="13900009999"))["ticket_id"]
    others = town.create(new_ticket("survey"))["ticket_id"]
    town.settle()
    assert ledger(town, theirs)["resolution"]["target_s"] == 360_000
    assert ledger(town, others)["resolution"]["target_s"] == 3600
    assert ledger(town, theirs)["resolution"]["guess"] == (
        ledger(town, theirs)["resolution"]["due_at"] > "2026-12-31T16:00:00"
    )


def test_contracts_and_duties_are_changed_without_asking_again_and_taken_away(town: Town) -> None:
    client, admin, contract_id, duty_id = town.product.client, town.board("Ada"), new_id(), new_id()
    town.create(new_ticket("survey", contact_phone="13900009999"))
    wanted = {"number": "K-2", "starts_at": "2020-01-01T00:00:00Z"}
    refused(put(town, f"contracts/{contract_id}", wanted), 404, "customer_unknown")
    ok(put(town, f"contracts/{contract_id}", wanted | {"customer_phone": "13900009999"}))
    ok(put(town, f"contracts/{contract_id}", wanted | {"ends_at": "2030-01-01T00:00:00Z"}))
    duty = {"dispatcher_id": str(town.made.dispatchers["Dora"]), "starts_at": "2020-01-01T00:00:00Z"}
    ok(put(town, f"duties/{duty_id}", duty | {"ends_at": "2099-01-01T00:00:00Z"}))

    def listed() -> tuple[list[Any], list[Any]]:
        found = ok(client.get("/dispatcher/v1/promise_settings", headers=admin))
        return found["contracts"], found["duties"]

    assert [len(lines) for lines in listed()] == [1, 1]
    assert listed()[0][0]["ends_at"].startswith("2030-01-01")
    policy(town, contract_id=str(contract_id), resolution_min=60)
    path = f"/dispatcher/v1/contracts/{contract_id}"
    refused(client.delete(path, headers=admin), 409, "contract_in_use")
    town.product.rows("delete from promise_policies where contract_id = %(c)s returning id", c=contract_id)
    assert client.delete(path, headers=admin).status_code == 204
    refused(client.delete(path, headers=admin), 404, "contract_unknown")
    assert client.delete(f"/dispatcher/v1/duties/{duty_id}", headers=admin).status_code == 204
    refused(client.delete(f"/dispatcher/v1/duties/{duty_id}", headers=admin), 404, "duty_unknown")
    assert listed() == ([], [])


def test_duties_that_are_over_take_no_room_and_contracts_have_a_room_of_their_own(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise_settings, "MOST", 1)
    dora = {"dispatcher_id": str(town.made.dispatchers["Dora"]), "starts_at": "2020-01-01T00:00:00Z"}
    for _ in range(2):
        ok(put(town, f"duties/{new_id()}", dora | {"ends_at": "2020-02-01T00:00:00Z"}))
    to_come = dora | {"ends_at": "2099-01-01T00:00:00Z"}
    ok(put(town, f"duties/{new_id()}", to_come))
    assert refused(put(town, f"duties/{new_id()}", to_come), 409, "too_many") == {"most": 1}
    town.create(new_ticket("survey", contact_phone="13900009999"))
    contract = {"starts_at": "2020-01-01T00:00:00Z", "customer_phone": "13900009999"}
    for number in ("K-3", "K-4"):
        ok(put(town, f"contracts/{new_id()}", contract | {"number": number}))


def test_what_is_malformed_or_doubled_is_refused_by_name(town: Town) -> None:
    policy(town)
    refused(
        put(town, f"promise_policies/{new_id()}", {"name": NAME, "response_min": 5}), 409, "policy_doubled"
    )
    refused(put(town, f"promise_policies/{new_id()}", {"name": NAME}), 422, "promise_policy_empty")
    unknown = {"name": NAME, "response_min": 5, "calendar_id": str(new_id())}
    refused(put(town, f"promise_policies/{new_id()}", unknown), 404, "calendar_unknown")
    rules = {"zone": "Mars/Base", "week": OFFICE}
    refused(put(town, f"calendars/{new_id()}", {"name": NAME, "rules": rules}), 422, "zone_unknown")
    assert (
        put(town, f"promise_policies/{new_id()}", {"name": NAME, "response_min": 5}, "Dora").status_code
        == 403
    )


# a dead worker

DEADLINES = 1_000
BACK_S = 60.0
#: Of a processor's time, and of the clock's where all else on the machine takes its share.
SHARED_TIMES = 5  # another test beside it, on a machine half as fast


def overdue_tickets(product: Product, count: int) -> Town:
    """A company with `count` tickets whose clocks run and break an hour after creation."""
    town = product.company()
    policy(
        town,
        response_min=None,
        arrival_min=None,
        resolution_min=60,
        steps=[{"pct": 100, "whom": "dispatchers"}],
    )

    def create(step: Any) -> None:
        for number in range(count):
            wanted = TicketWanted("survey", "d", f"{number} Example Road", "import", site=SITE)
            create_ticket(step, wanted)

    run_step(town.made.house, system(town.made.tenant_id), create)
    follow_up(town)
    return town


def follow_up(town: Town) -> None:
    """The clocks of all tickets, as their events' jobs would read them."""
    rows = town.product.rows(
        "with gone as (delete from outbox where tenant_id = %(tenant)s) "
        "select ticket_id, max(seq) as seq from ticket_events where tenant_id = %(tenant)s group by ticket_id",
        town.made.tenant_id,
    )

    def keep(step: Any) -> None:
        for row in rows:
            promises.keep_promises(step, row["ticket_id"], row["seq"])

    run_step(town.made.house, system(town.made.tenant_id), keep)


def fired(town: Town) -> list[int]:
    """How often each promise fired."""
    rows = town.product.rows(
        "select count(*)::int as n from ticket_events where tenant_id = %(tenant)s and action = 'promise_broken'"
        " group by subject_id",
        town.made.tenant_id,
    )
    return [row["n"] for row in rows]


@pytest.mark.alone
def test_a_thousand_deadlines_due_while_the_worker_is_dead_fire_once_each_within_a_minute(
    fresh_database: Database, tmp_path: Any
) -> None:
    product = Product(fresh_database, tmp_path)
    background = Background(fresh_database, product.settings, tmp_path)
    try:
        town = overdue_tickets(product, DEADLINES)
        assert fired(town) == []
        product.clock.move(minutes=90)
        began, took_s = time.monotonic(), 0.0
        with ThreadPoolExecutor(1) as threads:
            settling = threads.submit(background.settle, product.clock.now())
            while len(fired(town)) < DEADLINES and not settling.done():
                time.sleep(0.5)
            took_s = time.monotonic() - began
            settling.result()  # whatever follows from the deadlines
        assert fired(town) == [1] * DEADLINES
        busy_s = background.cpu_s()
        print(f"{DEADLINES} deadlines: {took_s:.1f} s, {busy_s:.1f} s of them at work")
        assert took_s <= SHARED_TIMES * BACK_S, took_s
        assert busy_s <= BACK_S, busy_s
    finally:
        background.stop()
        product.close()


def test_a_deadline_whose_job_died_is_found_by_the_sweep(moved: Town) -> None:
    town = moved
    town = overdue_tickets(town.product, 3)
    town.settle()
    with psycopg.connect(town.product.database.superuser_url, row_factory=dict_row) as db:
        db.execute("delete from timers where kind in ('promise_step', 'promise_sweep')")
    town.product.clock.move(minutes=64)
    town.settle()
    assert fired(town) == []
    arm = lambda step: step.set_timer("promise_sweep", step.tenant_id, step.now)  # noqa: E731
    run_step(town.made.house, system(town.made.tenant_id), arm)
    town.settle()
    assert fired(town) == [1, 1, 1]


def test_a_warning_without_its_key_would_be_seen_to_come_twice(
    moved: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage: steps are not remembered."""
    town = overdue_tickets(moved.product, 2)
    keep = promises._fire

    def forget(step: Any, ticket: Any, row: Any, reached: Any, at: Any) -> None:
        row.revision += 1 + step.now.microsecond
        keep(step, ticket, row, reached, at)

    monkeypatch.setattr(promises, "_fire", forget)
    for _ in range(2):
        town.product.clock.move(minutes=90)
        follow_up(town)
    assert max(fired(town)) > 1


def test_boards_hear_of_clocks_that_changed_and_of_no_others(town: Town) -> None:
    """The job of an event leaves a row for the relay, the same job again none."""
    policy(town)
    ticket_id = UUID(town.create(new_ticket("survey"))["ticket_id"])
    asking, house = system(town.made.tenant_id), town.product.house

    def news() -> list[Any]:
        with psycopg.connect(town.product.database.superuser_url) as db:
            rows = db.execute(
                "delete from outbox where ticket_id = %s and action = 'promises_kept' returning seq",
                [ticket_id],
            )
            return rows.fetchall()

    first = "select min(seq) from ticket_events where ticket_id = %s"
    with psycopg.connect(town.product.database.superuser_url) as db:
        (seq,) = db.execute(first, [ticket_id]).fetchone() or (0,)
    for expected in (1, 0):
        run_step(house, asking, lambda step: promises.keep_promises(step, ticket_id, seq))
        assert len(news()) == expected
    town.settle()
