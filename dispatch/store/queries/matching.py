"""Who might fit: the nearest by PostGIS, with all that the rules look at, in one statement."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.domain.matching import EngineerSeen, WorkWanted
from geo.points import Point
from geo.travel import great_circle_travel

#: The nearest able first (GiST on (tenant_id, position)), then the rest of what a rule must see.
_NEAREST = text("""
    select e.id from engineers e
    where e.tenant_id = :tenant and e.active and e.skill_levels @> cast(:levels as text[])
      and e.position is not null
    order by e.position <-> st_setsrid(st_makepoint(:lon, :lat), 4326)::geography
    limit :limit
""")

_NEAREST_ANY = text("""
    select e.id from engineers e
    where e.tenant_id = :tenant and e.active and e.position is not null
    order by e.position <-> st_setsrid(st_makepoint(:lon, :lat), 4326)::geography
    limit :limit
""")

_SEEN = text("""
    select e.id, e.name, e.territory_id, e.daily_limit_min, e.trainee, e.active,
           st_x(e.position::geometry) as lon, st_y(e.position::geometry) as lat, e.position_at,
           coalesce(d.planned_min, 0) as planned_min,
           (select jsonb_object_agg(s.skill, s.level) from engineer_skills s
             where s.tenant_id = e.tenant_id and s.engineer_id = e.id) as skills,
           (select jsonb_object_agg(s.skill, s.certified_until) from engineer_skills s
             where s.tenant_id = e.tenant_id and s.engineer_id = e.id
               and s.certified_until is not null) as certified,
           h.starts_at, h.ends_at,
           exists (select from absences a where a.tenant_id = e.tenant_id and a.engineer_id = e.id
                    and a.starts_at < :until and a.ends_at > :at) as absent,
           exists (select from visit_engineers v where v.tenant_id = e.tenant_id and v.engineer_id = e.id
                    and v.set_off_at is not null and v.left_at is null) as under_way,
           coalesce(
             (select r.reason from refusals r where r.tenant_id = e.tenant_id
                and r.ticket_id = :ticket and r.engineer_id = e.id),
             (select 'expired' from offers o where o.tenant_id = e.tenant_id and o.ticket_id = :ticket
                and o.engineer_id = e.id and o.status = 'expired' and o.kind = 'offer'
                and o.offered_at >= :offers_since limit 1)) as refused,
           exists (select from customer_exclusions x join tickets t
                     on t.tenant_id = x.tenant_id and t.customer_id = x.customer_id
                    where x.tenant_id = e.tenant_id and t.id = :ticket and x.engineer_id = e.id) as excluded
    from engineers e
    left join engineer_days d on d.tenant_id = e.tenant_id and d.engineer_id = e.id and d.day = :day
    left join lateral (
        select starts_at, ends_at from shifts s
        where s.tenant_id = e.tenant_id and s.engineer_id = e.id and s.ends_at > :at and s.starts_at < :until
        order by starts_at limit 1) h on true
    where e.tenant_id = :tenant and e.id = any(:ids)
""")


def nearest_able(db: Session, tenant_id: UUID, work: WorkWanted, site: Point, limit: int) -> list[UUID]:
    """Ids of the nearest engineers who have the skills, nearest first, at most `limit`."""
    levels = [f"{skill}/{level}" for skill, level in work.skills.items()]
    found = db.execute(
        _NEAREST,
        {"tenant": tenant_id, "levels": levels, "lon": site.lon, "lat": site.lat, "limit": limit},
    )
    return list(found.scalars())


def nearest_any(db: Session, tenant_id: UUID, site: Point, limit: int) -> list[UUID]:
    """The nearest whatever their skills: so that a receipt can say why the next-door one was not chosen."""
    found = db.execute(_NEAREST_ANY, {"tenant": tenant_id, "lon": site.lon, "lat": site.lat, "limit": limit})
    return list(found.scalars())


def engineers_seen(
    db: Session,
    tenant_id: UUID,
    work: WorkWanted,
    ids: list[UUID],
    site: Point | None,
    at: datetime,
    until: datetime,
    now: datetime,
    offers_since: datetime,
) -> list[EngineerSeen]:
    """The facts of these engineers for the time `at` … `until`, in the order of their ids."""
    rows = db.execute(
        _SEEN,
        {
            "tenant": tenant_id,
            "ids": ids,
            "ticket": work.ticket_id,
            "day": work.day,
            "at": at,
            "until": until,
            "offers_since": offers_since,
        },
    )
    seen = {row.id: _seen(row, site, now) for row in rows}
    return [seen[i] for i in ids if i in seen]


def _seen(row: Any, site: Point | None, now: datetime) -> EngineerSeen:
    travel_s = distance_m = None
    if site is not None and row.lon is not None:
        travel = great_circle_travel(Point(row.lon, row.lat), site)
        travel_s, distance_m = travel.seconds, round(travel.metres)
    return EngineerSeen(
        engineer_id=row.id,
        name=row.name,
        skills=row.skills or {},
        certified_until={k: date.fromisoformat(v) for k, v in (row.certified or {}).items()},
        territory_id=row.territory_id,
        shift=(row.starts_at.astimezone(UTC), row.ends_at.astimezone(UTC)) if row.starts_at else None,
        absent=row.absent,
        planned_min=row.planned_min,
        limit_min=row.daily_limit_min,
        under_way=row.under_way,
        travel_s=travel_s,
        distance_m=distance_m,
        position_age_s=int((now - row.position_at).total_seconds()) if row.position_at else None,
        refused=row.refused,
        excluded_by_customer=row.excluded,
        trainee=row.trainee,
        active=row.active,
    )
