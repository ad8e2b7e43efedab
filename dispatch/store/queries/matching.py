"""Who might fit: the nearest by PostGIS, with all that the rules look at, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.matching_facts import EngineerSeen, WorkWanted
from dispatch.store.queries.reading import fetch
from geo.points import Point
from geo.travel import great_circle_travel

_NEAREST_FIRST = """
  order by e.position <-> st_setsrid(st_makepoint(%(lon)s, %(lat)s), 4326)::geography limit %(limit)s
"""

#: The nearest who are able and free: GiST on (tenant_id, position) gives them one by one, nearest first, and
#: each is looked at until enough are found. Free: on shift, not away, room in the day, has not refused.
NEAREST_FREE = f"""
  select e.id from engineers e
  where e.tenant_id = %(tenant)s and e.active and not e.trainee and e.position is not null
    and e.skill_levels @> %(levels)s::text[]
    and exists (select from shifts s where s.tenant_id = e.tenant_id and s.engineer_id = e.id
      and s.ends_at > %(at)s and s.starts_at < %(until)s)
    and not exists (select from absences a where a.tenant_id = e.tenant_id and a.engineer_id = e.id
      and a.ends_at > %(at)s and a.starts_at < %(until)s)
    and not exists (select from engineer_days d where d.tenant_id = e.tenant_id and d.engineer_id = e.id
      and d.day = %(day)s and d.planned_min + %(duration_min)s > e.daily_limit_min + d.extra_min)
    and not exists (select from refusals r where r.tenant_id = e.tenant_id and r.ticket_id = %(ticket)s
      and r.engineer_id = e.id)
  {_NEAREST_FIRST}
"""

#: The nearest who have the skills, free or not: so that a receipt says why they were not chosen.
_NEAREST_ABLE = f"""
  select e.id from engineers e
  where e.tenant_id = %(tenant)s and e.active and e.position is not null
    and e.skill_levels @> %(levels)s::text[]
  {_NEAREST_FIRST}
"""

_NEAREST_ANY = f"""
  select e.id from engineers e where e.tenant_id = %(tenant)s and e.active and e.position is not null
  {_NEAREST_FIRST}
"""

#: Whom the customer would like back, wherever they are.
_PREFERRED = """
  select p.engineer_id as id from customer_preferences p
  join tickets t on t.tenant_id = p.tenant_id and t.customer_id = p.customer_id
  where p.tenant_id = %(tenant)s and t.id = %(ticket)s limit %(limit)s
"""

#: A contractor `k`'s visits of the day, besides this ticket's: those with a name, and those taken without one.
CONTRACTOR_VISITS = """
  select (select count(*)::int from visits v join engineers g on g.tenant_id = v.tenant_id and g.id = v.engineer_id
      where v.tenant_id = k.tenant_id and g.contractor_id = k.id and v.booked_day = %(day)s
        and v.ticket_id <> %(ticket)s)
    + (select count(*)::int from visits v
      where v.tenant_id = k.tenant_id and v.contractor_id = k.id and v.engineer_id is null
        and v.closed_at is null and v.booked_day = %(day)s and v.ticket_id <> %(ticket)s)
"""

_SEEN = f"""
  select e.id, e.name, e.territory_id, e.trainee, e.active,
    e.daily_limit_min + coalesce(d.extra_min, 0) as limit_min,
    st_x(e.position::geometry) as lon, st_y(e.position::geometry) as lat, e.position_at,
    coalesce(d.planned_min, 0) as planned_min, e.hour_cost_minor,
    e.position_consent_at is not null as consents,
    (select jsonb_object_agg(s.skill, s.level) from engineer_skills s
      where s.tenant_id = e.tenant_id and s.engineer_id = e.id) as skills,
    (select jsonb_object_agg(s.skill, s.certified_until) from engineer_skills s
      where s.tenant_id = e.tenant_id and s.engineer_id = e.id
        and s.certified_until is not null) as certified,
    h.starts_at, h.ends_at, h.kind = 'on_call' as on_call,
    exists (select from absences a where a.tenant_id = e.tenant_id and a.engineer_id = e.id
      and a.starts_at < %(until)s and a.ends_at > %(at)s) as absent,
    exists (select from visit_engineers v where v.tenant_id = e.tenant_id and v.engineer_id = e.id
      and v.set_off_at is not null and v.left_at is null) as under_way,
    coalesce(
      (select r.reason from refusals r where r.tenant_id = e.tenant_id
        and r.ticket_id = %(ticket)s and r.engineer_id = e.id),
      (select 'expired' from offers o where o.tenant_id = e.tenant_id and o.ticket_id = %(ticket)s
        and o.engineer_id = e.id and o.status = 'expired' and o.kind = 'offer'
        and o.offered_at >= %(offers_since)s limit 1)) as refused,
    exists (select from customer_exclusions x join tickets t
        on t.tenant_id = x.tenant_id and t.customer_id = x.customer_id
      where x.tenant_id = e.tenant_id and t.id = %(ticket)s and x.engineer_id = e.id) as excluded,
    exists (select from customer_preferences x join tickets t
        on t.tenant_id = x.tenant_id and t.customer_id = x.customer_id
      where x.tenant_id = e.tenant_id and t.id = %(ticket)s and x.engineer_id = e.id) as preferred,
    (select jsonb_object_agg(p.part, (
        select coalesce(sum(m.quantity) filter (where m.to_kind = 'van' and m.to_id = e.id), 0)
          - coalesce(sum(m.quantity) filter (where m.from_kind = 'van' and m.from_id = e.id), 0)
        from part_movements m where m.tenant_id = e.tenant_id and m.part = p.part
          and (m.to_id = e.id or m.from_id = e.id)))
      from parts_wanted p where p.tenant_id = e.tenant_id and p.ticket_id = %(ticket)s) as van,
    k.daily_quota as contractor_quota,
    case when k.daily_quota is null then 0 else ({CONTRACTOR_VISITS}) end as contractor_visits
  from engineers e
  left join contractors k on k.tenant_id = e.tenant_id and k.id = e.contractor_id
  left join engineer_days d on d.tenant_id = e.tenant_id and d.engineer_id = e.id and d.day = %(day)s
  left join lateral (
    select starts_at, ends_at, kind from shifts s
    where s.tenant_id = e.tenant_id and s.engineer_id = e.id and s.ends_at > %(at)s and s.starts_at < %(until)s
    order by s.kind = 'on_call', starts_at limit 1) h on true
  where e.tenant_id = %(tenant)s and e.id = any(%(ids)s)
"""

_PARTS = "select part, quantity from parts_wanted where tenant_id = %(tenant)s and ticket_id = %(ticket)s"


@dataclass(frozen=True, slots=True)
class Looking:
    """For whom, where and when is looked: the visit would be from `at` to `until`."""

    tenant_id: UUID
    work: WorkWanted
    site: Point | None
    at: datetime
    until: datetime
    now: datetime
    offers_since: datetime

    def values(self, **more: Any) -> dict[str, Any]:
        """As the statements name them."""
        work = self.work
        return {
            "tenant": self.tenant_id,
            "ticket": work.ticket_id,
            "levels": [f"{skill}/{level}" for skill, level in work.skills.items()],
            "day": work.day,
            "duration_min": work.duration_min,
            "at": self.at,
            "until": self.until,
            "offers_since": self.offers_since,
            "lon": self.site.lon if self.site else None,
            "lat": self.site.lat if self.site else None,
            **more,
        }


def read_parts_wanted(db: Session, tenant_id: UUID, ticket_id: UUID) -> dict[str, float]:
    """Part code → quantity that the van of who comes must hold."""
    rows = fetch(db, _PARTS, {"tenant": tenant_id, "ticket": ticket_id})
    return {row["part"]: float(row["quantity"]) for row in rows}


def worth_a_line(db: Session, looking: Looking, free: int, others: int) -> list[UUID]:
    """Who stands in a receipt: the nearest `free` who are able and free, and so that it can say why not them,
    whom the customer prefers, the `others` nearest able and the `others` nearest whatever they can do."""
    found: dict[UUID, None] = {}
    for sql, limit in (
        (NEAREST_FREE, free),
        (_PREFERRED, others),
        (_NEAREST_ABLE, others),
        (_NEAREST_ANY, others),
    ):
        found |= dict.fromkeys(row["id"] for row in fetch(db, sql, looking.values(limit=limit)))
    return list(found)


def engineers_seen(db: Session, looking: Looking, ids: Sequence[UUID]) -> list[EngineerSeen]:
    """The facts of these engineers for the wanted time, in the order of their ids; unknown ids are left out."""
    rows = fetch(db, _SEEN, looking.values(ids=list(ids)))
    seen = {row["id"]: _seen(row, looking.site, looking.now) for row in rows}
    return [seen[i] for i in ids if i in seen]


def _seen(row: dict[str, Any], site: Point | None, now: datetime) -> EngineerSeen:
    travel_s = distance_m = None
    if site is not None and row["lon"] is not None:
        travel = great_circle_travel(Point(row["lon"], row["lat"]), site)
        travel_s, distance_m = travel.seconds, round(travel.metres)
    shift = (row["starts_at"].astimezone(UTC), row["ends_at"].astimezone(UTC)) if row["starts_at"] else None
    return EngineerSeen(
        engineer_id=row["id"],
        name=row["name"],
        skills=row["skills"] or {},
        certified_until={k: date.fromisoformat(v) for k, v in (row["certified"] or {}).items()},
        territory_id=row["territory_id"],
        shift=shift,
        absent=row["absent"],
        planned_min=row["planned_min"],
        limit_min=row["limit_min"],
        under_way=row["under_way"],
        travel_s=travel_s,
        distance_m=distance_m,
        position_age_s=int((now - row["position_at"]).total_seconds()) if row["position_at"] else None,
        refused=row["refused"],
        excluded_by_customer=row["excluded"],
        trainee=row["trainee"],
        active=row["active"],
        on_call=bool(row["on_call"]),
        preferred=row["preferred"],
        consents=row["consents"],
        hour_cost_minor=row["hour_cost_minor"],
        van={part: float(quantity) for part, quantity in (row["van"] or {}).items()},
        contractor_visits=row["contractor_visits"],
        contractor_quota=row["contractor_quota"],
    )
