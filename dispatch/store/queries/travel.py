"""Where engineers are, and how finished drives and jobs went."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch
from geo.points import Point

MOST = 5000
MOST_READINGS = 120
MOST_OF_TRACE = 1000

_POSITIONS = """
    select id, st_x(position::geometry) as lon, st_y(position::geometry) as lat from engineers
    where tenant_id = %(tenant)s and id = any(%(ids)s) and position is not null
      and (%(oldest)s::timestamptz is null or position_at >= %(oldest)s)
"""

_PLACES = """
    select st_x(p::geometry) as lon, st_y(p::geometry) as lat from (
        select site as p from tickets where tenant_id = %(tenant)s and id = any(%(tickets)s) and site is not null
        union all
        select position from engineers where tenant_id = %(tenant)s and active and position is not null) places
    limit %(limit)s
"""

#: How long it took goes by the phone's own time of arrival, where that can be true.
_TRIPS = f"""
    select t.base_s, t.base_m, t.set_off_at, t.road_class, t.area, t.engineer_id,
           extract(epoch from case when c.device_at between t.set_off_at and c.at then c.device_at else c.at end
                              - t.set_off_at) as observed_s
    from trips t join check_ins c
      on c.tenant_id = t.tenant_id and c.visit_id = t.visit_id and c.engineer_id = t.engineer_id
    where t.tenant_id = %(tenant)s and t.source = %(source)s and t.set_off_at >= %(since)s
      and c.at > t.set_off_at and c.override_reason is null
    order by t.set_off_at desc limit {MOST}
"""

_JOBS = f"""
    select w.duration_min as planned_min, t.work_type, v.engineer_id, v.checked_in_at,
           coalesce(a.kind, '') as asset, extract(epoch from v.completed_at - v.checked_in_at) as observed_s
    from visits v
    join tickets t on t.tenant_id = v.tenant_id and t.id = v.ticket_id
    join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
    left join assets a on a.tenant_id = t.tenant_id and a.id = t.asset_id
    where v.tenant_id = %(tenant)s and v.checked_in_at >= %(since)s and v.completed_at > v.checked_in_at
      and v.engineer_id is not null
    order by v.checked_in_at desc limit {MOST}
"""


#: Days that somebody has entered into the tenant's calendars, and whether any of those opens on them.
_ENTERED_DAYS = """
    select d.key::date as day, bool_or(jsonb_array_length(d.value) > 0) as open
    from calendars c
    join calendar_versions v on v.tenant_id = c.tenant_id and v.calendar_id = c.id and v.version = c.version
    cross join lateral jsonb_each(v.body -> 'days') d
    where c.tenant_id = %(tenant)s and d.key = any(%(days)s)
    group by d.key
"""

#: Of each phone at most MOST_READINGS, spread over the time: neighbours say the same twice.
_RAW = """
    select e.id as engineer_id, e.name, p.datum,
           array_agg(p.raw_lon order by p.at) as lon, array_agg(p.raw_lat order by p.at) as lat
    from engineers e join lateral (
        select r.* from (
            select *, row_number() over (partition by datum order by at) as n,
                   count(*) over (partition by datum) as all_of
            from engineer_positions
            where tenant_id = e.tenant_id and engineer_id = e.id and at >= %(since)s and raw_lon is not null) r
        where r.n %% greatest(1, r.all_of / %(most)s) = 0) p on true
    where e.tenant_id = %(tenant)s
    group by e.id, e.name, p.datum having count(*) >= 30
"""


_TRACE = f"""
    select st_x(position::geometry) as lon, st_y(position::geometry) as lat,
           extract(epoch from at)::float8 as second, accuracy_m
    from engineer_positions
    where tenant_id = %(tenant)s and engineer_id = %(engineer)s and at between %(begin)s and %(end)s and not mock
    order by at limit {MOST_OF_TRACE}
"""


def trace_of(
    db: Session, tenant_id: UUID, engineer_id: UUID, begin: datetime, end: datetime
) -> Sequence[dict[str, Any]]:
    """Positions of one engineer in order of time, at most MOST_OF_TRACE; those the phone made up left out."""
    asked = {"tenant": tenant_id, "engineer": engineer_id, "begin": begin, "end": end}
    return fetch(db, _TRACE, asked)


def entered_days(db: Session, tenant_id: UUID, days: Iterable[date]) -> dict[date, bool]:
    """Holidays (False) and make-up days (True) among these days; ordinary ones are absent."""
    wanted = sorted({day.isoformat() for day in days})
    rows = fetch(db, _ENTERED_DAYS, {"tenant": tenant_id, "days": wanted})
    return {row["day"]: row["open"] for row in rows}


def raw_readings(db: Session, tenant_id: UUID, since: datetime) -> Sequence[dict[str, Any]]:
    """Each phone's readings as it sent them, by the datum it says: lists lon and lat, at least 30."""
    return fetch(db, _RAW, {"tenant": tenant_id, "since": since, "most": MOST_READINGS})


def positions_of(
    db: Session, tenant_id: UUID, ids: Sequence[UUID], oldest: datetime | None = None
) -> dict[UUID, Point]:
    """Newest positions, of those who have one (not older than `oldest`)."""
    rows = fetch(db, _POSITIONS, {"tenant": tenant_id, "ids": list(ids), "oldest": oldest})
    return {row["id"]: Point(row["lon"], row["lat"]) for row in rows}


def places_of_day(db: Session, tenant_id: UUID, tickets: Sequence[UUID], limit: int) -> list[Point]:
    """Sites of these tickets and newest positions of the tenant's engineers, each place once, at most `limit`."""
    rows = fetch(db, _PLACES, {"tenant": tenant_id, "tickets": list(tickets), "limit": limit})
    return list(dict.fromkeys(Point(row["lon"], row["lat"]) for row in rows))


def finished_trips(db: Session, tenant_id: UUID, source: str, since: datetime) -> Sequence[dict[str, Any]]:
    """The newest drives that ended at their site."""
    return fetch(db, _TRIPS, {"tenant": tenant_id, "source": source, "since": since})


def finished_jobs(db: Session, tenant_id: UUID, since: datetime) -> Sequence[dict[str, Any]]:
    """The newest visits from check-in to completion."""
    return fetch(db, _JOBS, {"tenant": tenant_id, "since": since})
