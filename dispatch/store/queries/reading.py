"""Hot reads use the driver directly: SQLAlchemy's part of a request costs more than PostgreSQL's."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row
from sqlalchemy.orm import Session


def fetch(db: Session, sql: str, values: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The rows of `sql` (psycopg's `%(name)s` form) as dicts, in the session's transaction."""
    connection = db.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(sql, values)
        rows: Sequence[dict[str, Any]] = cursor.fetchall()
    return rows


def site_card(lon: float | None, lat: float | None) -> dict[str, Any] | None:
    return None if lon is None else {"lon": lon, "lat": lat, "datum": "wgs84"}


def window_card(start: Any, end: Any) -> dict[str, Any] | None:
    return None if end is None else {"start": start, "end": end}
