"""Hot reads use the driver directly: SQLAlchemy's part of a request costs more than PostgreSQL's."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session

from dispatch.store.transactions import driver


def fetch(db: Session, sql: str, values: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The rows of `sql` (psycopg's `%(name)s` form) as dicts, in the session's transaction."""
    with driver(db).cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql, values).fetchall()


def fetch_all(db: Session, *questions: tuple[str, Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """As `fetch` for several statements in one trip to the server; [] for one that gives no rows."""
    connection = driver(db)
    with connection.pipeline():
        cursors = [connection.cursor(row_factory=dict_row).execute(*question) for question in questions]
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def site_card(lon: float | None, lat: float | None) -> dict[str, Any] | None:
    return None if lon is None else {"lon": lon, "lat": lat, "datum": "wgs84"}


def window_card(start: Any, end: Any) -> dict[str, Any] | None:
    return None if end is None else {"start": start, "end": end}
