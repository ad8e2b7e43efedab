"""Twenty companies share ten connections: 10,000 requests, errors, cancels and cut connections in between."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dispatch.store.tables import Base
from dispatch.store.transactions import Database as Store
from dispatch.store.transactions import Unavailable, driver
from tests.builders import new_ticket
from tests.databases import Database
from tests.house import Product, Town

TENANTS = 20
CONNECTIONS = 10
REQUESTS = 10_000
#: Every table of a company, asked without naming the company: row-level security alone must tell them apart.
TABLES = sorted(set(Base.metadata.tables) - {"directory", "signin_attempts", "tenants"})
#: Those of them that hold rows of every company here.
FULL = ["tickets", "ticket_events", "engineers", "shifts", "skills", "work_types", "signins"]


@dataclass
class Seen:
    """What became of the requests; `foreign` counts rows of somebody else's company."""

    done: Counter[str] = field(default_factory=Counter)
    foreign: int = 0
    own: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, rows: list[Any], tenant: UUID) -> None:
        with self.lock:
            self.done[kind] += 1
            self.foreign += sum(row != tenant for row in rows)
            self.own += sum(row == tenant for row in rows)


class Traffic:
    """One request after the other of a company picked at random, each in one of the ways requests end."""

    def __init__(self, store: Store, tenants: list[UUID], seen: Seen) -> None:
        self.store = store
        self.tenants = tenants
        self.seen = seen

    def many(self, seed: int, count: int, tables: list[str]) -> None:
        chance = random.Random(seed)
        kinds = ("read", "session", "error", "bug", "cancel", "cut")
        for _ in range(count):
            tenant = chance.choice(self.tenants)
            table = chance.choice(FULL if chance.random() < 0.5 else tables)
            (kind,) = chance.choices(kinds, (56, 30, 8, 5, 0.85, 0.15))
            try:
                rows = getattr(self, kind)(tenant, table)
            except Unavailable:
                kind, rows = kind if kind in {"cancel", "cut"} else "unavailable", []
            self.seen.note(kind, rows, tenant)

    def read(self, tenant: UUID, table: str) -> list[UUID]:
        (rows,) = self.store.read(tenant, (f"select tenant_id from {table} limit 50", {}))
        return [row["tenant_id"] for row in rows]

    def session(self, tenant: UUID, table: str) -> list[UUID]:
        with self.store.transaction(tenant) as db:
            return list(db.execute(text(f"select tenant_id from {table} limit 50")).scalars())

    def error(self, tenant: UUID, table: str) -> list[UUID]:
        """A statement fails in the middle; the connection goes back to the pool after it."""
        with suppress(DBAPIError, psycopg.Error), self.store.transaction(tenant) as db:
            db.execute(text(f"select tenant_id from {table} limit 1"))
            db.execute(text("select 1 / 0"))
        with suppress(psycopg.Error):
            self.store.read(tenant, (f"select tenant_id from {table} limit 1", {}), ("select 1 / 0", {}))
        return []

    def bug(self, tenant: UUID, table: str) -> list[UUID]:
        """The program fails in the middle of a transaction."""
        found: list[UUID] = []
        with suppress(ZeroDivisionError), self.store.transaction(tenant) as db:
            found = list(db.execute(text(f"select tenant_id from {table} limit 50")).scalars())
            raise ZeroDivisionError
        return found

    def cancel(self, tenant: UUID, table: str) -> list[UUID]:
        """Somebody hangs up while the database works."""
        with suppress(DBAPIError, psycopg.Error), self.store.transaction(tenant) as db:
            db.execute(text(f"select tenant_id from {table} limit 1"))
            threading.Timer(0.01, driver(db).cancel_safe).start()
            db.execute(text("select pg_sleep(0.2)"))
        time.sleep(0.02)
        return []

    def cut(self, tenant: UUID, table: str) -> list[UUID]:
        """The server ends the connection in the middle of a transaction."""
        with suppress(DBAPIError, psycopg.Error), self.store.transaction(tenant) as db:
            db.execute(text(f"select tenant_id from {table} limit 1"))
            db.execute(text("select pg_terminate_backend(pg_backend_pid())"))
        return []


@pytest.fixture(scope="module")
def tenants(product: Product) -> list[UUID]:
    """Twenty companies with people and a ticket each."""
    towns: list[Town] = [product.company() for _ in range(TENANTS)]
    for town in towns:
        town.create(new_ticket("ac_direct"))
        town.phone("Ana")
    return [town.made.tenant_id for town in towns]


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    made = Store(database.app_url, CONNECTIONS, "interleaved")
    yield made
    made.close()


def run(store: Store, tenants: list[UUID], requests: int, tables: list[str]) -> Seen:
    seen = Seen()
    with ThreadPoolExecutor(TENANTS) as pool:
        traffic = Traffic(store, tenants, seen)
        each = requests // TENANTS
        for done in [pool.submit(traffic.many, seed, each, tables) for seed in range(TENANTS)]:
            done.result()
    return seen


def test_ten_thousand_interleaved_requests_see_no_foreign_row(store: Store, tenants: list[UUID]) -> None:
    seen = run(store, tenants, REQUESTS, TABLES)
    print(dict(seen.done), f"{seen.own} own rows, {seen.foreign} foreign")
    assert seen.foreign == 0
    assert seen.own > REQUESTS
    assert sum(seen.done.values()) == REQUESTS
    assert seen.done["unavailable"] < 0.05 * REQUESTS
    assert min(seen.done[kind] for kind in ("read", "session", "error", "bug", "cancel", "cut")) > 3


def test_with_security_off_on_one_table_the_same_traffic_turns_red(
    store: Store, tenants: list[UUID], database: Database
) -> None:
    """Sabotage: one table of all unprotected."""
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        db.execute("alter table skills disable row level security")
        try:
            seen = run(store, tenants, 2_000, TABLES)
        finally:
            db.execute("alter table skills enable row level security")
    assert seen.foreign > 0
