"""Transactions: one per command, the tenant set for its length, closed before the reply."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg import errors as pg
from psycopg.types.json import set_json_loads
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from dispatch.store.exchange import Link, Question, Rows, exchange, exchange_async
from dispatch.store.links import Links

Result = TypeVar("Result")

#: What a transaction may lose by bad luck alone; it is tried again, this many times in all.
LOST_BY_LUCK = (pg.DeadlockDetected, pg.SerializationFailure)
TRIES = 4

#: Every wait has an end, milliseconds.
OPTIONS = (
    "statement_timeout=20000",
    "lock_timeout=10000",
    "idle_in_transaction_session_timeout=60000",
    "timezone=UTC",
    "jit=off",  # compiling a statement takes longer than any of ours
)


class Unavailable(Exception):
    """PostgreSQL cannot be reached or is too busy right now; the API answers 503, retry later."""


class Database:
    """A pool of connections as the application's role, and the only way to begin a transaction."""

    def __init__(self, url: str, pool_size: int = 8, application: str = "paidan") -> None:
        self.url, self._application = url, application
        self.engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connect,
            pool_size=pool_size,
            pool_use_lifo=True,  # the fewer connections work, the warmer they are
            max_overflow=0,
            pool_timeout=20,
            pool_pre_ping=False,
        )
        self._links = Links(self._connect, pool_size)

    def _connect(self) -> Link:
        link = Link.connect(
            self.url,
            options=" ".join(f"-c {option}" for option in OPTIONS),
            application_name=self._application,
            connect_timeout=5,
        )
        set_json_loads(orjson.loads, link)
        return link

    @contextmanager
    def transaction(self, tenant_id: UUID | None, snapshot: bool = False) -> Iterator[Session]:
        """A transaction that sees one tenant's rows (None: only the directory's).

        `snapshot`: every statement reads the same instant. Commits on leaving, rolls back on an
        exception. Raises Unavailable when the database cannot be reached or the pool stays empty.
        """
        with self._opened(tenant_id, BEGIN_SNAPSHOT if snapshot else BEGIN) as (db, _):
            yield db

    @contextmanager
    def _opened(
        self, tenant_id: UUID | None, begin: str, *first: Question
    ) -> Iterator[tuple[Session, list[Rows]]]:
        """The transaction, and what its `first` questions gave in the trip that began it."""
        pool, link = self.engine.pool, None
        try:
            with Session(self.engine, expire_on_commit=False, autoflush=False) as db, db.begin():
                link = driver(db)
                yield db, exchange(link, [(begin, {}), _set_tenant(tenant_id), *first])[2:]
        except PoolTimeout as error:
            raise Unavailable("pool") from error
        except DBAPIError as error:
            if _gone(error):
                self._lost(pool, link)
                raise Unavailable("database") from error
            raise
        except psycopg.OperationalError as error:
            if isinstance(error, LOST_BY_LUCK):
                raise
            self._lost(pool, link)
            raise Unavailable("database") from error

    def _lost(self, pool: Pool, link: psycopg.Connection[Any] | None) -> None:
        """Where a connection broke, the others of its pool are not trusted either: once for each pool."""
        if (link is None or link.closed) and self.engine.pool is pool:
            self.close()

    def run(self, tenant_id: UUID | None, work: Callable[..., Result], *first: Question) -> Result:
        """`work(session, *rows of each first question)` in one transaction, again when luck lost it
        (deadlock), at most TRIES times. The first questions travel with the transaction's beginning."""
        for attempt in range(1, TRIES + 1):
            try:
                with self._opened(tenant_id, BEGIN, *first) as (db, rows):
                    return work(db, *rows)
            except (DBAPIError, psycopg.Error) as error:
                cause = error.orig if isinstance(error, DBAPIError) else error
                if attempt == TRIES or not isinstance(cause, LOST_BY_LUCK):
                    raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)
        raise AssertionError("unreachable")

    def read(self, tenant_id: UUID, *questions: Question) -> list[Rows]:
        """The rows of each (SQL in psycopg's `%(name)s` form, values), in one transaction and one trip
        to the server: for the hot reads, a fraction of what a Session costs. Raises Unavailable.
        """
        pool = self.engine.pool
        try:
            pooled = self.engine.raw_connection()
        except PoolTimeout as error:
            raise Unavailable("pool") from error
        except DBAPIError as error:
            raise Unavailable("database") from error
        db = pooled.driver_connection
        assert isinstance(db, psycopg.Connection)
        try:
            return exchange(db, [_set_tenant(tenant_id), *questions])[1:]
        except psycopg.OperationalError as error:
            if db.closed:
                pooled.invalidate()
            self._lost(pool, db)
            raise Unavailable("database") from error
        finally:
            pooled.close()

    async def trip(self, tenant_id: UUID, *questions: Question) -> list[Rows]:
        """As `read`, on the event loop: what phones ask for most costs less than a thread's turn. Done when it comes
        back; in a thread all the same where as many are on their way as the pool has connections."""
        pool, link = self.engine.pool, None
        try:
            async with self._links.one() as link:
                if link is not None:
                    return (await exchange_async(link, [_set_tenant(tenant_id), *questions]))[1:]
        except psycopg.OperationalError as error:
            self._lost(pool, link)
            raise Unavailable("database") from error
        return await asyncio.to_thread(self.read, tenant_id, *questions)

    def close(self) -> None:
        self.engine.dispose()
        self._links.close()


BEGIN, BEGIN_SNAPSHOT = "begin", "begin isolation level repeatable read"
#: Narrows every transaction begun while it is set to these territories (ids with commas): row-level security
#: reads it. The front door sets it for one request; empty means the whole company.
SCOPE: ContextVar[str] = ContextVar("scope", default="")
SET_TENANT = """
  select set_config('app.tenant', %(tenant)s, true), set_config('app.scope', %(scope)s, true)
"""


def _set_tenant(tenant_id: UUID | None) -> Question:
    return SET_TENANT, {"tenant": str(tenant_id) if tenant_id else "", "scope": SCOPE.get()}


def finish(
    db: Session, writes: Sequence[Question], tenant_id: UUID | None = None, after: Sequence[Question] = ()
) -> list[Rows]:
    """The transaction's last statements and its commit in one trip: locks are let go the sooner. `after` is read
    in the same trip of what is committed then; its rows are the result."""
    reads = [_set_tenant(tenant_id), *after] if after else []
    answers = exchange(driver(db), [*writes, ("commit", {}), *reads])
    return answers[len(answers) - len(after) :]


def driver(db: Session) -> psycopg.Connection[Any]:
    """psycopg's own connection, in the session's transaction."""
    connection = db.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def _gone(error: DBAPIError) -> bool:
    """The connection or the server went away, or a statement waited longer than it may."""
    if error.connection_invalidated or isinstance(error, OperationalError):
        return not isinstance(error.orig, LOST_BY_LUCK)
    return isinstance(error.orig, pg.AdminShutdown | pg.CrashShutdown | pg.CannotConnectNow)
