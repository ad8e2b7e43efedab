"""Positions from phones: many at once, the newest on the engineer's row, all in the history; only of those
who agreed, only while they work. Who was shown them is kept for the engineer to read."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.actions.keeping import POSITIONS_KEPT
from dispatch.actions.step import House, Step
from dispatch.domain.commands import Principal, Reading
from dispatch.store.queries.reading import fetch

#: A reading from further ahead than this is refused: the phone's clock is wrong.
MOST_AHEAD = timedelta(minutes=10)
OLDEST = timedelta(days=2)
#: Before and after a shift the phone may already and still tell where it is.
SHIFT_MARGIN = timedelta(minutes=60)
VIEWS_SHOWN = 200

_DAY = "select ensure_positions_partition(%(day)s::date)"

#: What may be kept of `read`: of somebody who agreed, within a shift or close to one.
_ALLOWED = """
    select r.* from read r, engineers e
    where e.tenant_id = %(tenant)s and e.id = %(engineer)s and e.position_consent_at is not null
      and exists (select from shifts s where s.tenant_id = %(tenant)s and s.engineer_id = %(engineer)s
        and s.starts_at <= r.at + %(margin)s::interval and s.ends_at >= r.at - %(margin)s::interval)
"""
_TAKE = f"""
  with read as (
    select * from unnest(%(at)s::timestamptz[], %(lon)s::float8[], %(lat)s::float8[], %(accuracy_m)s::float8[],
        %(datum)s::text[], %(raw_lon)s::float8[], %(raw_lat)s::float8[], %(speed_mps)s::float8[], %(mock)s::bool[])
      as r(at, lon, lat, accuracy_m, datum, raw_lon, raw_lat, speed_mps, mock)
  ),
  allowed as materialized ({_ALLOWED}),
  kept as (
    insert into engineer_positions
      (tenant_id, engineer_id, at, position, accuracy_m, datum, raw_lon, raw_lat, speed_mps, mock)
    select %(tenant)s, %(engineer)s, a.at, st_setsrid(st_makepoint(a.lon, a.lat), 4326)::geography,
      a.accuracy_m, a.datum, a.raw_lon, a.raw_lat, a.speed_mps, a.mock
    from allowed a on conflict do nothing
  ),
  moved as (
    update engineers e set position = st_setsrid(st_makepoint(n.lon, n.lat), 4326)::geography,
      position_at = n.at, position_accuracy_m = n.accuracy_m
    from (select * from allowed order by at desc limit 1) n
    where e.tenant_id = %(tenant)s and e.id = %(engineer)s and e.position_consent_at is not null
      and (e.position_at is null or e.position_at < n.at)
  )
  select count(*)::int as taken from allowed
"""
_COLUMNS = ("at", "lon", "lat", "accuracy_m", "datum", "raw_lon", "raw_lat", "speed_mps", "mock")


async def take_positions(house: House, principal: Principal, readings: list[Reading]) -> int:
    """How many of the engineer's readings were taken. Nothing is stored of somebody who has not agreed, or that was
    read outside a shift, whenever it is sent; sent again, a reading is stored once."""
    now = house.now()
    fresh = [r for r in readings if now - OLDEST <= r.at <= now + MOST_AHEAD]
    if not fresh:
        return 0
    days = sorted({r.at.astimezone(UTC).date() for r in fresh})
    values: dict[str, Any] = {name: [getattr(r, name) for r in fresh] for name in _COLUMNS}
    values |= {"tenant": principal.tenant_id, "engineer": principal.id, "margin": SHIFT_MARGIN}
    asked = [(_DAY, {"day": day}) for day in days]
    answers = await house.database.trip(principal.tenant_id, *asked, (_TAKE, values))
    return int(answers[-1][0]["taken"])


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


_AGREED = """
  select position_consent_at as agreed_at from engineers where tenant_id = %(tenant)s and id = %(engineer)s
"""


def read_position_use(step: Step, engineer_id: UUID) -> dict[str, Any]:
    """Whether this engineer agreed, how long positions are kept, and who was shown them, newest first."""
    values = {"tenant": step.tenant_id, "engineer": engineer_id, "most": VIEWS_SHOWN}
    rows = fetch(step.db, _AGREED, values)
    agreed = bool(rows) and rows[0]["agreed_at"] is not None
    return {"agreed": agreed, "kept_days": POSITIONS_KEPT.days, "views": fetch(step.db, _VIEWS, values)}
