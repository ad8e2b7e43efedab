"""One of many: done whole, or taken back without ending the transaction around it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch


@contextmanager
def savepoint(db: Session) -> Iterator[None]:
    """What is written inside is taken back when a refusal comes out of it, which goes on to the caller.

    By the driver: SQLAlchemy's `begin_nested` goes back by a ROLLBACK that makes psycopg forget every prepared
    statement of the connection, those of `exchange` too, which then fails for as long as the connection lives. A
    statement that the database itself refused ends the whole transaction, as ever.
    """
    db.flush()
    fetch(db, "savepoint one_of_many", {})
    try:
        yield
        db.flush()
    except Exception:
        for new in list(db.new):
            db.expunge(new)
        db.expire_all()
        fetch(db, "rollback to savepoint one_of_many", {})
        raise
    fetch(db, "release savepoint one_of_many", {})
