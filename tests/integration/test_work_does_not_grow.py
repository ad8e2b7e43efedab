"""What an offer, its ladder and the queue's tidying read does not grow with rows that need nothing any more."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from procrastinate.sql import queries

from dispatch.actions import matching_modes, telling_ladder
from dispatch.actions.acting import act
from dispatch.actions.cases import load_case
from dispatch.actions.step import Step, run_step
from dispatch.adapters.queue import FORGET, FORGET_DONE_HOURS
from dispatch.domain.commands import Facts, system
from dispatch.store.queries.reading import fetch
from jobs.relay import TIMERS_DUE
from tests.builders import new_ticket
from tests.databases import Database
from tests.house import Product, Town, ok

#: Tickets that went the same way before; rows one step may read more beside them than alone, as small tables are read whole.
MANY, MORE = 400, 120

_READ = "select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as rows from pg_stat_xact_user_tables"
_COLUMNS = """
  select array_agg(column_name::text) from information_schema.columns
  where table_name = %s and is_generated = 'NEVER' and table_schema = 'public'
"""
#: Each copy's ids follow from the original's, so that what refers to a row refers to its copy.
_COPIED = {
    "tickets": "id = {id}, ticket_no = ticket_no || '-' || n",
    "visits": "id = {id}, ticket_id = {ticket_id}",
    "offers": "id = {id}, ticket_id = {ticket_id}, visit_id = {visit_id}",
    "ladders": "id = {id}, ticket_id = {ticket_id}, offer_id = {offer_id}",
    "push_deliveries": "subject_id = {subject_id}, seq = seq + n * 1000",
}
_IDS = ("id", "ticket_id", "visit_id", "offer_id", "subject_id")


@dataclass
class Grown:
    """A company in a database of its own."""

    town: Town
    database: Database

    def counted(self, work: Callable[[Step], object]) -> int:
        """Rows the step reads, by the database's own count."""

        def counting(step: Step) -> int:
            before = fetch(step.db, _READ, {})[0]["rows"]
            work(step)
            step.db.flush()
            return int(fetch(step.db, _READ, {})[0]["rows"] - before)

        return run_step(self.town.product.house, system(self.town.made.tenant_id), counting)

    def one(self, sql: str, *values: object) -> Any:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as db:
            row = db.execute(sql, values).fetchone() or (None,)
            return row[0]

    def do(self, sql: str, *values: object) -> None:
        with psycopg.connect(self.database.superuser_url, autocommit=True) as db:
            db.execute(sql, values)

    def life(self) -> dict[str, int]:
        """Rows read by each step of an offer that nobody sees."""
        town, clock = self.town, self.town.product.clock
        ticket_id = UUID(town.create(new_ticket("survey"))["ticket_id"])
        ok(town.direct(str(ticket_id), "offer", engineer_id=str(town.made.engineers["Ana"])))
        offer_id = self.one("select id from offers where ticket_id = %s", ticket_id)
        read = {
            "match": self.counted(lambda step: matching_modes.run_match(step, ticket_id)),
            "start": self.counted(lambda step: telling_ladder.start_ladders(step, {}, ticket_id)),
        }
        self.do(
            "insert into push_deliveries select tenant_id, 1, %s, id, 'accepted', now() from push_targets where "
            "target = 'ana-phone' on conflict do nothing",
            offer_id,
        )
        ladder_id = self.one("select id from ladders where ticket_id = %s", ticket_id)
        clock.move(minutes=30)
        read["climb"] = self.counted(lambda step: telling_ladder.climb(step, {}, ladder_id))
        read["expire"] = self.counted(lambda step: matching_modes.expire_offer(step, offer_id))
        read["end"] = self.counted(lambda step: telling_ladder.end_ladders(step, {}, ticket_id))
        read["go on"] = self.counted(lambda step: matching_modes.continue_offers(step, ticket_id))
        return read

    def grow(self) -> None:
        """MANY times what there is, and as many phones of somebody else."""
        with psycopg.connect(self.database.superuser_url) as db:
            for table, changed in _COPIED.items():
                names = db.execute(_COLUMNS, [table]).fetchone()
                assert names is not None
                columns = ", ".join(names[0])
                db.execute(
                    f"create temp table k as select {columns}, n from {table}, generate_series(1, {MANY}) n"
                )
                copied = {name: f"md5(n || {name}::text)::uuid" for name in _IDS}
                db.execute(f"update k set {changed.format(**copied)}")
                db.execute(f"insert into {table} ({columns}) select {columns} from k")
                db.execute("drop table k")
            db.execute(
                "insert into push_targets (tenant_id, id, engineer_id, platform, target, created_at) select tenant_id, "
                f"gen_random_uuid(), id, 'fcm', 'ben-' || n, now() from engineers, generate_series(1, {MANY}) n "
                "where name = 'Ben'"
            )
            db.execute("analyze")


@pytest.fixture
def grown(fresh_database: Database, tmp_path: Path) -> Iterator[Grown]:
    product = Product(fresh_database, tmp_path)
    town = product.company({"offer_rounds": 1})
    body = {"platform": "fcm", "target": "ana-phone"}
    reply = product.client.put("/engineer/v1/push_target", json=body, headers=town.phone("Ana"))
    assert reply.status_code == 204
    yield Grown(town, fresh_database)
    product.close()


def too_many(alone: dict[str, int], beside: dict[str, int]) -> set[str]:
    """The steps that read more beside many than alone."""
    return {name for name in alone if beside[name] > alone[name] + MORE}


def test_each_step_of_an_offer_reads_as_many_rows_beside_many_that_ended(grown: Grown) -> None:
    alone = grown.life()
    grown.grow()
    assert grown.one("select count(*) from ladders") == MANY + 1
    assert too_many(alone, grown.life()) == set()
    for index, slow in (
        ("ix_ladders_ticket", "end"),
        ("ix_push_targets_engineer", "start"),
        ("ix_push_deliveries_subject", "start"),
        ("ix_offers_ticket", "go on"),
    ):
        grown.do(f"drop index {index}")
        assert slow in too_many(alone, grown.life()), f"without {index} nobody would notice"


def test_a_wait_for_a_tickets_lock_looks_for_no_contractors_tickets(grown: Grown) -> None:
    grown.life()
    grown.grow()
    ticket_id = UUID(grown.town.create(new_ticket("survey"))["ticket_id"])
    assert read_after_a_wait(grown, ticket_id) < MORE
    grown.do("alter function paidan_given(uuid) called on null input")
    assert read_after_a_wait(grown, ticket_id) > MANY


def read_after_a_wait(grown: Grown, ticket_id: UUID) -> int:
    """Rows read by whoever waited until somebody else had changed the ticket."""
    read: list[int] = []
    waiter = threading.Thread(
        target=lambda: read.append(grown.counted(lambda step: load_case(step, ticket_id, Facts())))
    )
    with psycopg.connect(grown.database.superuser_url) as db:
        db.execute("update tickets set urged = urged + 1 where id = %s", [ticket_id])
        waiter.start()
        waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = %s"
        for _ in range(600):
            if grown.one(waiting, grown.database.name):
                break
            waiter.join(0.05)
    waiter.join(60)
    return read[0]


def test_nobody_is_looked_for_where_nobody_is_to_be_asked(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offered ticket, and one that is the dispatcher's since its offers ran out: a look at them costs no match."""
    asked: list[str] = []
    find = matching_modes.find_candidates
    monkeypatch.setattr(
        matching_modes,
        "find_candidates",
        lambda step, case: asked.append(case.ticket.status) or find(step, case),
    )

    def match(ticket_id: str) -> None:
        who = system(town.made.tenant_id)
        run_step(town.product.house, who, lambda step: matching_modes.run_match(step, UUID(ticket_id)))

    offered = town.create(new_ticket("survey"))["ticket_id"]
    ok(town.direct(offered, "offer", engineer_id=str(town.made.engineers["Ana"])))
    match(offered)
    assert asked == []
    given_up = town.create(new_ticket("survey"))["ticket_id"]
    town.product.rows(
        "update tickets set attention = 'offers_ran_out' where id = %(id)s returning 1 as done", id=given_up
    )
    match(given_up)
    assert asked == []
    match(town.create(new_ticket("survey"))["ticket_id"])
    assert asked == ["open"]


def test_an_offer_writes_its_ticket_once(town: Town) -> None:
    """Each time the row is written anew with all its indexes."""
    ticket_id = UUID(town.create(new_ticket("survey"))["ticket_id"])
    written = "select n_tup_upd::int as times from pg_stat_xact_user_tables where relname = 'tickets'"

    def offered(step: Step) -> tuple[int, int]:
        before = fetch(step.db, written, {})[0]["times"]
        act(step, ticket_id, "offer", Facts(engineer_id=town.made.engineers["Ana"]))
        once = fetch(step.db, written, {})[0]["times"] - before
        load_case(step, ticket_id, Facts()).ticket.attention = "urged"
        step.db.flush()
        return once, fetch(step.db, written, {})[0]["times"] - before

    assert run_step(town.product.house, system(town.made.tenant_id), offered) == (1, 2)


def test_the_relay_reads_the_timers_that_are_due_and_no_others(fresh_database: Database) -> None:
    """It looks twenty times a second. Each is returned once, the oldest first."""
    with psycopg.connect(fresh_database.superuser_url) as db:
        due = "insert into timers select gen_random_uuid(), %s, gen_random_uuid(), now() + make_interval(mins => n)"
        db.execute(f"{due} from generate_series(1, {MANY}) n", ["later"])
        db.execute(f"{due} from generate_series(-3, -1) n", ["due"])
        db.execute("analyze timers")
        assert [kinds for kinds, _ in (timers_due(db, 2), timers_due(db, 2))] == [["due", "due"], ["due"]]
        kinds, rows = timers_due(db, 2)
        assert kinds == []
        assert rows < MANY / 10
        db.execute("drop index ix_timers_due")
        assert timers_due(db, 2)[1] >= MANY


def timers_due(db: psycopg.Connection[Any], batch: int) -> tuple[list[str], int]:
    """Kinds of the timers taken, and rows read for them."""
    before, now = read(db), datetime.now(UTC)
    kinds = [row[1] for row in db.execute(TIMERS_DUE, {"now": now, "batch": batch})]
    return kinds, read(db) - before


# what is forgotten


def test_jobs_done_long_ago_are_forgotten_and_no_others(fresh_database: Database) -> None:
    with psycopg.connect(fresh_database.app_url) as db:
        kept = [job(db, "succeeded", 1), job(db, "failed", 999), job(db, "doing", 999), job(db, "todo", 999)]
        old = [job(db, "succeeded", FORGET_DONE_HOURS + 1) for _ in range(3)]
        assert forget(db, most=2) == old[:1], "the oldest two, of which one was done an hour ago"
        assert forget(db, most=2) == old[1:2]
        assert forget(db, most=100) == old[2:]
        assert [row[0] for row in db.execute("select id from procrastinate_jobs order by id")] == kept


def test_a_look_at_what_is_to_be_forgotten_reads_no_more_where_more_is_kept(fresh_database: Database) -> None:
    with psycopg.connect(fresh_database.superuser_url) as db:
        for _ in range(3 * MANY):
            job(db, "succeeded", 1)
        db.execute("analyze procrastinate_jobs")
        db.execute("analyze procrastinate_events")
        before = read(db)
        assert forget(db, most=50) == []
        mine = read(db) - before
        assert mine < MANY
        values = {"statuses": ["succeeded"], "queue": None, "nb_hours": FORGET_DONE_HOURS}
        db.execute(queries["delete_old_jobs"], values)
        assert read(db) - before - mine > 3 * MANY, "the library's own looks at all of them"


def job(db: psycopg.Connection[Any], status: str, hours_ago: int) -> int:
    """A job that came to its status so many hours ago."""
    made = "insert into procrastinate_jobs (queue_name, task_name, args) values ('default', 'automate', '{}') returning id"
    row = db.execute(made).fetchone()
    assert row is not None
    db.execute("update procrastinate_jobs set status = %s where id = %s", [status, row[0]])
    db.execute(
        "update procrastinate_events set at = at - make_interval(hours => %s) where job_id = %s",
        [hours_ago, row[0]],
    )
    return int(row[0])


def forget(db: psycopg.Connection[Any], most: int) -> list[int]:
    rows = db.execute(FORGET, {"most": most, "hours": FORGET_DONE_HOURS}).fetchall()
    return sorted(row[0] for row in rows)


def read(db: psycopg.Connection[Any]) -> int:
    row = db.execute(_READ).fetchone()
    assert row is not None
    return int(row[0])
