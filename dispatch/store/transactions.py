"""Transactions: one per command, the tenant set for its length, closed before the reply."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from uuid import UUID

from psycopg import errors as pg
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

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
)


class Unavailable(Exception):
    """PostgreSQL cannot be reached or is too busy right now; the API answers 503, retry later."""


class Database:
    """A pool of connections as the application's role, and the only way to begin a transaction."""

    def __init__(self, url: str, pool_size: int = 8, application: str = "paidan") -> None:
        self.url = url
        self.engine = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=20,
            pool_pre_ping=False,
            connect_args={
                "options": " ".join(f"-c {option}" for option in OPTIONS),
                "application_name": application,
                "connect_timeout": 5,
            },
        )

    @contextmanager
    def transaction(self, tenant_id: UUID | None, snapshot: bool = False) -> Iterator[Session]:
        """A transaction that sees one tenant's rows (None: only the directory's).

        `snapshot`: every statement reads the same instant. Commits on leaving, rolls back on an
        exception. Raises Unavailable when the
        database cannot be reached or the pool stays empty.
        """
        try:
            with Session(self.engine, expire_on_commit=False, autoflush=False) as db, db.begin():
                if snapshot:
                    db.execute(text("set transaction isolation level repeatable read"))
                db.execute(SET_TENANT, {"tenant": str(tenant_id) if tenant_id else ""})
                yield db
        except PoolTimeout as error:
            raise Unavailable("pool") from error
        except DBAPIError as error:
            if _gone(error):
                self.engine.dispose()
                raise Unavailable("database") from error
            raise

    def run(self, tenant_id: UUID | None, work: Callable[[Session], Result]) -> Result:
        """`work` in one transaction, again when luck lost it (deadlock), at most TRIES times."""
        for attempt in range(1, TRIES + 1):
            try:
                with self.transaction(tenant_id) as db:
                    return work(db)
            except DBAPIError as error:
                if attempt == TRIES or not isinstance(error.orig, LOST_BY_LUCK):
                    raise
                time.sleep(random.uniform(0.005, 0.02) * 2**attempt)
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.engine.dispose()


SET_TENANT = text("select set_config('app.tenant', :tenant, true)")


def _gone(error: DBAPIError) -> bool:
    """The connection or the server went away, or a statement waited longer than it may."""
    if error.connection_invalidated or isinstance(error, OperationalError):
        return not isinstance(error.orig, LOST_BY_LUCK)
    return isinstance(error.orig, pg.AdminShutdown | pg.CrashShutdown | pg.CannotConnectNow)
