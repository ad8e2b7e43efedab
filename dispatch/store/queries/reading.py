"""Hot reads use the driver directly: SQLAlchemy's part of a request costs more than PostgreSQL's."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from dispatch.store.exchange import Question, Rows, exchange
from dispatch.store.transactions import driver


def fetch(db: Session, sql: str, values: Mapping[str, Any]) -> Rows:
    """The rows of `sql` (psycopg's `%(name)s` form) as dicts, in the session's transaction."""
    return exchange(driver(db), [(sql, values)])[0]


def fetch_all(db: Session, *questions: Question) -> list[Rows]:
    """As `fetch` for several statements in one trip to the server; [] for one that gives no rows."""
    return exchange(driver(db), questions)


def page_of(name: str, rows: Rows, most: int, key: str) -> dict[str, Any]:
    """{name: at most `most` rows, next_page}: one row more was asked for than is shown, and says that there is a next
    page, which begins behind the `key` of the last one shown."""
    shown = rows[:most]
    return {name: shown, "next_page": str(shown[-1][key]) if len(rows) > most else None}


#: Of the tenant %(tenant)s.
CURRENCY = "select currency from tenants where id = %(tenant)s"
#: A work type `w` as boards and phones show it.
WORK_TYPE = """jsonb_build_object('code', w.code, 'name', w.name, 'duration_min', w.duration_min,
    'completion_photos', w.completion_photos, 'check_in_radius_m', w.check_in_radius_m)"""

#: Beside `v.eta_at`: whether that time stands on distance alone (an estimate) and not on roads.
ETA_ESTIMATED = """case when v.eta_at is null then false else coalesce((select tr.source <> 'roads' from trips tr
    where tr.tenant_id = v.tenant_id and tr.visit_id = v.id), true) end as eta_estimated"""


def site_card(lon: float | None, lat: float | None) -> dict[str, Any] | None:
    return None if lon is None else {"lon": lon, "lat": lat, "datum": "wgs84"}


def window_card(start: Any, end: Any) -> dict[str, Any] | None:
    return None if end is None else {"start": start, "end": end}
