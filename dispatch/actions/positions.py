"""Positions from phones: many at once, the newest on the engineer's row, all in the history; only of those
who agreed, only while they work. Who was shown them is kept for the engineer to read."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.actions.keeping import POSITIONS_KEPT
from dispatch.actions.step import Step
from dispatch.domain.commands import Reading
from dispatch.store.queries.reading import fetch

#: A reading from further ahead than this is refused: the phone's clock is wrong.
MOST_AHEAD = timedelta(minutes=10)
OLDEST = timedelta(days=2)
#: Before and after a shift the phone may already and still tell where it is.
SHIFT_MARGIN = timedelta(minutes=60)
VIEWS_SHOWN = 200

_DAYS = text("select ensure_positions_partition(cast(:day as date))")

_KEEP = text("""
    insert into engineer_positions
      (tenant_id, engineer_id, at, position, accuracy_m, datum, raw_lon, raw_lat, speed_mps, mock)
    select :tenant, :engineer, r.at, st_setsrid(st_makepoint(r.lon, r.lat), 4326)::geography,
           r.accuracy_m, r.datum, r.raw_lon, r.raw_lat, r.speed_mps, r.mock
    from unnest(cast(:at as timestamptz[]), cast(:lon as float8[]), cast(:lat as float8[]),
                cast(:accuracy_m as float8[]), cast(:datum as text[]), cast(:raw_lon as float8[]),
                cast(:raw_lat as float8[]), cast(:speed_mps as float8[]), cast(:mock as bool[]))
         as r(at, lon, lat, accuracy_m, datum, raw_lon, raw_lat, speed_mps, mock)
    on conflict do nothing
""")

_NEWEST = text("""
    update engineers set position = st_setsrid(st_makepoint(:lon, :lat), 4326)::geography,
      position_at = :at, position_accuracy_m = :accuracy_m
    where tenant_id = :tenant and id = :engineer and (position_at is null or position_at < :at)
""")


_MAY = """
  select e.position_consent_at as agreed_at,
    coalesce((select jsonb_agg(jsonb_build_array(
        extract(epoch from s.starts_at)::float8, extract(epoch from s.ends_at)::float8))
      from shifts s where s.tenant_id = e.tenant_id and s.engineer_id = e.id
        and s.ends_at >= %(first)s and s.starts_at <= %(last)s), '[]'::jsonb) as spans
  from engineers e where e.tenant_id = %(tenant)s and e.id = %(engineer)s
"""


def take_positions(step: Step, engineer_id: UUID, readings: list[Reading]) -> tuple[int, int]:
    """(taken, refused). Nothing is stored of somebody who has not agreed, or that was read outside a shift,
    whenever it is sent; sent again, a reading is stored once."""
    now = step.now
    fresh = [r for r in readings if now - OLDEST <= r.at <= now + MOST_AHEAD]
    good = _allowed(step, engineer_id, fresh)
    if not good:
        return 0, len(readings)
    for day in sorted({r.at.astimezone(UTC).date() for r in good}):
        step.db.execute(_DAYS, {"day": day})
    columns = ("at", "lon", "lat", "accuracy_m", "datum", "raw_lon", "raw_lat", "speed_mps", "mock")
    values = {name: [getattr(r, name) for r in good] for name in columns}
    step.db.execute(_KEEP, {"tenant": step.tenant_id, "engineer": engineer_id, **values})
    newest = max(good, key=lambda r: r.at)
    step.db.execute(
        _NEWEST,
        {
            "tenant": step.tenant_id,
            "engineer": engineer_id,
            "lon": newest.lon,
            "lat": newest.lat,
            "at": newest.at,
            "accuracy_m": newest.accuracy_m,
        },
    )
    return len(good), len(readings) - len(good)


def _allowed(step: Step, engineer_id: UUID, readings: list[Reading]) -> list[Reading]:
    """Those read after the engineer agreed and within a shift, or close to one."""
    if not readings:
        return []
    values = {
        "tenant": step.tenant_id,
        "engineer": engineer_id,
        "first": min(r.at for r in readings) - SHIFT_MARGIN,
        "last": max(r.at for r in readings) + SHIFT_MARGIN,
    }
    rows = fetch(step.db, _MAY, values)
    if not rows or rows[0]["agreed_at"] is None:
        return []
    margin_s = SHIFT_MARGIN.total_seconds()
    spans = [(start - margin_s, end + margin_s) for start, end in rows[0]["spans"]]
    return [r for r in readings if any(start <= r.at.timestamp() <= end for start, end in spans)]


def agree_to_positions(step: Step, engineer_id: UUID, agreed: bool) -> None:
    """From now on positions are taken, or not: then the newest one goes at once."""
    values = {"tenant": step.tenant_id, "engineer": engineer_id, "now": step.now if agreed else None}
    fetch(step.db, _AGREE, values)


_AGREE = """
  update engineers set
    position_consent_at = case when %(now)s::timestamptz is null then null
      else coalesce(position_consent_at, %(now)s) end,
    position = case when %(now)s::timestamptz is null then null else position end,
    position_at = case when %(now)s::timestamptz is null then null else position_at end,
    position_accuracy_m = case when %(now)s::timestamptz is null then null else position_accuracy_m end
  where tenant_id = %(tenant)s and id = %(engineer)s
"""

_SHOWN = """
  insert into position_views (tenant_id, engineer_id, dispatcher_id, hour, last_at)
  select %(tenant)s, e.id, %(dispatcher)s, date_trunc('hour', %(now)s::timestamptz), %(now)s
  from engineers e where e.tenant_id = %(tenant)s and e.id = any(%(engineers)s)
  on conflict (tenant_id, engineer_id, dispatcher_id, hour)
    do update set views = position_views.views + 1, last_at = excluded.last_at
"""


def note_shown(
    db: Session, tenant_id: UUID, dispatcher_id: UUID, engineers: Collection[UUID], now: datetime
) -> None:
    """This dispatcher was shown where these engineers are: one row an hour each."""
    values = {"tenant": tenant_id, "dispatcher": dispatcher_id, "now": now, "engineers": list(engineers)}
    fetch(db, _SHOWN, values)


_VIEWS = """
  select v.hour, v.last_at, coalesce(d.name, '') as name from position_views v
  left join dispatchers d on d.tenant_id = v.tenant_id and d.id = v.dispatcher_id
  where v.tenant_id = %(tenant)s and v.engineer_id = %(engineer)s
  order by v.hour desc, v.last_at desc limit %(most)s
"""


def read_position_use(step: Step, engineer_id: UUID) -> dict[str, Any]:
    """Whether this engineer agreed, how long positions are kept, and who was shown them, newest first."""
    values = {"tenant": step.tenant_id, "engineer": engineer_id, "most": VIEWS_SHOWN}
    values |= {"first": step.now, "last": step.now}
    rows = fetch(step.db, _MAY, values)
    agreed = bool(rows) and rows[0]["agreed_at"] is not None
    return {"agreed": agreed, "kept_days": POSITIONS_KEPT.days, "views": fetch(step.db, _VIEWS, values)}
