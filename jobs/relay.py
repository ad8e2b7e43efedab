"""`python -m jobs.relay`: outbox rows become jobs and live events; timers that came due become jobs.

One relay is active, others stand by on an advisory lock. A row is deleted in the same
transaction that queues its jobs and notifies, so each event is relayed once, after its commit.
"""

import json
import logging
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from dispatch.adapters.logs import entry, set_up
from dispatch.adapters.queue import FOLLOW_UP, JobQueue, JobWanted
from dispatch.domain.reactions import MAX_DEPTH, REACTIONS, TIMERS
from dispatch.settings import Settings, read_settings
from dispatch.store.queries.operations import RELAY_LEADER
from jobs import automations, keeping, matching, promises, telling, telling_channels, telling_webhooks, visits
from jobs.registry import JOBS

MODULES = (automations, keeping, matching, promises, telling, telling_channels, telling_webhooks, visits)
IDLE_S = 0.05
BATCH = 200
STAND_BY_S = 1.0
RECONNECT_S = 0.5
CHANNEL = "paidan_live"

_OUTBOX = """
  delete from outbox where id in (
    select id from outbox order by id limit %(batch)s for update skip locked)
  returning id, tenant_id, seq, action, subject_id, ticket_id, territory_id, depth, trace, span
"""
#: By their place: however many wait, those that are due are all that is read. One that was set anew just now has moved,
#: and is found in the next round.
TIMERS_DUE = """
  delete from timers where ctid = any(array(
    select ctid from timers where due_at <= %(now)s order by due_at limit %(batch)s for update skip locked))
  returning tenant_id, kind, subject_id
"""

Connection = psycopg.Connection[dict[str, Any]]


class Relay:
    """One relay process; `stop()` ends its loop after the round under way."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue = JobQueue(JOBS)
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def run(self) -> None:
        """Until stopped; the database's absence is waited for."""
        while not self._stopped:
            try:
                with psycopg.connect(
                    self._settings.database_relay_url,
                    autocommit=True,
                    row_factory=dict_row,
                    connect_timeout=5,
                    application_name="paidan-relay",
                    options="-c statement_timeout=20000 -c timezone=UTC",
                ) as connection:
                    self._lead(connection)
            except psycopg.Error as error:
                entry("database_away", logging.WARNING, error=type(error).__name__)
                time.sleep(RECONNECT_S)

    def _lead(self, connection: Connection) -> None:
        while not self._stopped and not _leads(connection):
            time.sleep(STAND_BY_S)
        while not self._stopped:
            with connection.transaction():
                moved = self.relay_once(connection, self._settings.clock.now())
            if moved < BATCH:
                time.sleep(IDLE_S)

    def relay_once(self, connection: Connection, now: datetime) -> int:
        """One batch in the caller's transaction; how many rows were relayed."""
        rows = connection.execute(_OUTBOX, {"batch": BATCH}).fetchall()
        rows.sort(key=lambda row: (row["tenant_id"], row["seq"]))
        timers = connection.execute(TIMERS_DUE, {"batch": BATCH, "now": now}).fetchall()
        self._queue.defer(connection, [*_reactions(rows), *_due(timers)])
        for row in rows:
            notice = {
                "t": str(row["tenant_id"]),
                "s": row["seq"],
                "k": str(row["ticket_id"]) if row["ticket_id"] else None,
                "a": row["action"],
            }
            connection.execute("select pg_notify(%s, %s)", [CHANNEL, json.dumps(notice)])
        return len(rows) + len(timers)


def _leads(connection: Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s) as leads", [RELAY_LEADER]).fetchone()
    return bool(row and row["leads"])


def _reactions(rows: list[dict[str, Any]]) -> Iterator[JobWanted]:
    for row in rows:
        if row["depth"] > MAX_DEPTH:
            entry("reactions_in_circles", logging.ERROR, tenant=row["tenant_id"], seq=row["seq"])
            continue
        yield from _of_event(REACTIONS.get(row["action"], ()), {key: row[key] for key in _ABOUT})


def _of_event(names: Sequence[str], about: Mapping[str, Any]) -> Iterator[JobWanted]:
    """An event's jobs: those under one lock would wait for each other, and are one in the queue."""
    together: dict[str, list[JobWanted]] = {}
    for name in names:
        wanted = _job(name, **about)
        together.setdefault(wanted.lock or name, []).append(wanted)
    for lock, jobs in together.items():
        if len(jobs) == 1:
            yield jobs[0]
        else:
            yield JobWanted(FOLLOW_UP, {**jobs[0].arguments, "names": [job.name for job in jobs]}, lock)


def _due(timers: list[dict[str, Any]]) -> Iterator[JobWanted]:
    for timer in timers:
        yield _job(TIMERS[timer["kind"]], timer["tenant_id"], timer["subject_id"])


_ABOUT = ("tenant_id", "subject_id", "ticket_id", "seq", "depth", "trace", "span")


def _job(
    name: str,
    tenant_id: object,
    subject_id: object,
    ticket_id: object = None,
    seq: int = 0,
    depth: int = 0,
    trace: str | None = None,
    span: str | None = None,
) -> JobWanted:
    arguments = {
        "tenant": str(tenant_id),
        "subject": str(subject_id),
        "ticket": str(ticket_id) if ticket_id else None,
        "seq": seq,
        "depth": depth,
        "trace": trace,
        "span": span,
    }
    return JobWanted(name, arguments, lock=_lock(name, str(ticket_id or subject_id)))


def _lock(name: str, subject: str) -> str:
    """Jobs of a ticket run in order, and one that is tried again holds up those behind it. Pushes wait for somebody
    else's service: they queue among themselves, so that a service that hangs delays no ladder and no customer."""
    return f"push/{subject}" if name.startswith("push_") else subject


def main() -> None:
    settings = read_settings()
    set_up("relay", settings.log_level)
    relay = Relay(settings)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: relay.stop())
    relay.run()


if __name__ == "__main__":
    main()
