"""What an engineer's phone shows, each in one statement, straight to the wire's shape."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.lifecycle import TicketStatus, engineer_buttons
from dispatch.store.exchange import Question, Rows
from dispatch.store.personal import PersonalData
from dispatch.store.queries.reading import ETA_ESTIMATED, WORK_TYPE, fetch, site_card, window_card
from dispatch.store.queries.requests import APPROVED_DISCOUNT
from dispatch.store.transactions import Database

_TICKETS = f"""
    select t.id as ticket_id, t.ticket_no, t.status, t.version, t.priority, {WORK_TYPE} as work_type,
      t.description, t.address, t.door_enc, t.contact_name_enc, t.contact_phone_enc,
      st_x(t.site::geometry) as lon, st_y(t.site::geometry) as lat,
      v.window_from, v.window_to, t.due_at, v.id as visit_id, v.number as visit_number,
      coalesce(c.role, 'lead') as role, v.acknowledged_at is not null as acknowledged,
      c.checked_in_at, v.eta_at, {ETA_ESTIMATED}, t.hold_until, t.outcome, w.checklist,
      ({APPROVED_DISCOUNT.format(ticket="t.id")}) as discount_percent,
      coalesce((select jsonb_agg(jsonb_build_object('asset_id', m.asset_id, 'kind', a.kind, 'serial', a.serial,
          'name', a.name, 'outcome', m.outcome) order by m.asset_id)
        from ticket_assets m join assets a on a.tenant_id = m.tenant_id and a.id = m.asset_id
        where m.tenant_id = t.tenant_id and m.ticket_id = t.id), '[]'::jsonb) as machines,
      (select jsonb_build_object('quote_id', q.id, 'status', q.status, 'currency', q.currency,
          'total_minor', q.total_minor) from quotes q
        where q.tenant_id = t.tenant_id and q.visit_id = v.id order by q.version desc limit 1) as quote,
      coalesce((select jsonb_agg(jsonb_build_object('photo_id', e.id, 'kind', e.kind, 'taken_at', e.taken_at,
          'pending', e.pending) order by e.taken_at) from evidence e
        where e.tenant_id = t.tenant_id and e.ticket_id = t.id), '[]'::jsonb) as photos
"""

#: `crew`: as one of the visit's crew; a ticket kept on hold has nobody on its visit.
_MINE = f"""
  with mine as (
    select v.id, true as crew from visits v
      where v.tenant_id = %(tenant)s and v.engineer_id = %(engineer)s and v.closed_at is null
    union all
    select c.visit_id, true from visit_engineers c
      where c.tenant_id = %(tenant)s and c.engineer_id = %(engineer)s and c.left_at is null and c.role <> 'lead'
    union all
    select v.id, false from tickets h
      join visits v on v.tenant_id = h.tenant_id and v.ticket_id = h.id and v.closed_at is null
      where h.tenant_id = %(tenant)s and h.hold_engineer_id = %(engineer)s and h.status = 'on_hold'
  ),
  day as (
    select e.name, e.language, e.daily_limit_min + coalesce(d.extra_min, 0) as limit_min,
      coalesce(d.planned_min, 0) as planned_min,
      s.starts_at, s.ends_at, coalesce((z.settings ->> 'service_code')::float8 = 1, false) as service_code,
      (select seq from chain_heads where tenant_id = %(tenant)s) as seq
    from engineers e
    join tenants z on z.id = e.tenant_id
    left join engineer_days d on d.tenant_id = e.tenant_id and d.engineer_id = e.id
      and d.day = (%(now)s::timestamptz at time zone z.zone)::date
    left join lateral (select starts_at, ends_at from shifts s where s.tenant_id = e.tenant_id
      and s.engineer_id = e.id and s.ends_at > %(now)s order by s.starts_at limit 1) s on true
    where e.tenant_id = %(tenant)s and e.id = %(engineer)s
  ),
  cards as ({_TICKETS}
    from mine m
    join visits v on v.tenant_id = %(tenant)s and v.id = m.id and v.closed_at is null
    join tickets t on t.tenant_id = v.tenant_id and t.id = v.ticket_id
    join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
    left join visit_engineers c on m.crew and c.tenant_id = v.tenant_id and c.visit_id = v.id
      and c.engineer_id = %(engineer)s
    where t.status not in ('closed', 'cancelled') and (%(ticket)s::uuid is null or t.id = %(ticket)s)
    order by coalesce(v.window_from, t.due_at, t.created_at), t.id limit 100
  )
  select day.*, cards.* from day left join cards on true
"""

_OFFERS = f"""
  select o.id as offer_id, o.kind, t.id as ticket_id, t.ticket_no, t.priority, {WORK_TYPE} as work_type,
    t.description, t.address, st_x(t.site::geometry) as lon, st_y(t.site::geometry) as lat,
    v.window_from, v.window_to, t.due_at, o.travel_s, o.distance_m, o.expires_at,
    coalesce((select r.body ->> 'travel_source' <> 'roads' from receipts r
      where r.tenant_id = o.tenant_id and r.ticket_id = o.ticket_id
      order by r.decided_at desc limit 1), true) as travel_estimated
  from offers o
  join tickets t on t.tenant_id = o.tenant_id and t.id = o.ticket_id
  join visits v on v.tenant_id = o.tenant_id and v.id = o.visit_id
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  where o.tenant_id = %(tenant)s and o.engineer_id = %(engineer)s and o.status = 'pending'
    and o.expires_at > %(now)s
  order by o.expires_at limit 50
"""

#: The pool as one engineer sees it: `waiting` by what `able` can do, less what they refused and rings that do not
#: reach them.
_WAITING = """
  with able as materialized (
    select w.code, w.mode, e.territory_id as home, e.position as here
    from engineers e join work_types w on w.tenant_id = e.tenant_id
    where e.tenant_id = %(tenant)s and e.id = %(engineer)s and not e.trainee
      and not exists (select from work_type_skills k where k.tenant_id = w.tenant_id and k.work_type = w.code
        and not e.skill_levels @> array[k.skill || '/' || k.level])
  ),
  waiting as materialized (
    select t.id, t.territory_id from tickets t
      where t.tenant_id = %(tenant)s and t.status in ('open', 'offered') and t.mode is null
        and t.work_type = any(array(select code from able where mode = 'pool'))
    union all
    select t.id, t.territory_id from tickets t
      where t.tenant_id = %(tenant)s and t.status in ('open', 'offered') and t.mode = 'pool'
        and t.work_type = any(array(select code from able))
  ),
  pool as (
    select g.id from waiting g
    where (g.territory_id is null or coalesce(g.territory_id = (select home from able limit 1), true))
      and g.id not in (select r.ticket_id from refusals r
        where r.tenant_id = %(tenant)s and r.engineer_id = %(engineer)s)
      and g.id not in (select x.ticket_id from visits x
        join pools p on p.tenant_id = x.tenant_id and p.visit_id = x.id
        join tickets y on y.tenant_id = x.tenant_id and y.id = x.ticket_id and y.status in ('open', 'offered')
        where x.tenant_id = %(tenant)s and x.closed_at is null
          and not st_dwithin((select here from able limit 1), y.site, p.ring_m))
  )
"""

_POOL = f"""
  {_WAITING}
  select null::uuid as offer_id, 'pool' as kind, t.id as ticket_id, t.ticket_no, t.priority,
    {WORK_TYPE} as work_type, t.description, t.address,
    st_x(t.site::geometry) as lon, st_y(t.site::geometry) as lat,
    v.window_from, v.window_to, t.due_at, null::int as travel_s,
    round(st_distance((select here from able limit 1), t.site))::int as distance_m,
    null::timestamptz as expires_at,
    (select p.collect_until from pools p where p.tenant_id = v.tenant_id and p.visit_id = v.id
      and p.collect_until > %(now)s) as collect_until,
    exists (select from bids b where b.tenant_id = v.tenant_id and b.visit_id = v.id
      and b.engineer_id = %(engineer)s) as name_down
  from pool
  join tickets t on t.tenant_id = %(tenant)s and t.id = pool.id
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  join visits v on v.tenant_id = t.tenant_id and v.ticket_id = t.id and v.closed_at is null
  where %(after)s::uuid is null or t.id > %(after)s::uuid
  order by t.id limit %(limit)s
"""

_POOL_COUNT = f"{_WAITING} select count(*) as count from pool"


def today_questions(tenant_id: UUID, engineer_id: UUID, now: datetime) -> list[Question]:
    """What `show_today` is made of."""
    values = {"tenant": tenant_id, "engineer": engineer_id, "now": now, "ticket": None}
    return [(_MINE, values), (_OFFERS, values), (_POOL_COUNT, values)]


def read_today(
    database: Database, personal: PersonalData, tenant_id: UUID, engineer_id: UUID, now: datetime
) -> dict[str, Any]:
    """mobile_contract's Today as plain values."""
    answers = database.read(tenant_id, *today_questions(tenant_id, engineer_id, now))
    return show_today(answers, personal, tenant_id, engineer_id, now)


def show_today(
    answers: list[Rows], personal: PersonalData, tenant_id: UUID, engineer_id: UUID, now: datetime
) -> dict[str, Any]:
    """The answers to `today_questions` as mobile_contract's Today."""
    rows, offers, pool = answers
    head = rows[0]
    return {
        "v": 1,
        "as_of_seq": head["seq"],
        "now": now,
        "engineer": {
            "engineer_id": engineer_id,
            "name": head["name"],
            "language": head["language"],
            "on_shift": head["starts_at"] is not None and head["starts_at"] <= now,
            "shift_from": head["starts_at"],
            "shift_to": head["ends_at"],
            "planned_min": head["planned_min"],
            "limit_min": head["limit_min"],
        },
        "tickets": [_ticket(row, personal, tenant_id) for row in rows if row["ticket_id"] is not None],
        "offers": [_offer(row) for row in offers],
        "pool_count": pool[0]["count"],
    }


def read_ticket(
    db: Session,
    personal: PersonalData,
    tenant_id: UUID,
    engineer_id: UUID,
    ticket_id: UUID,
    now: datetime,
) -> dict[str, Any] | None:
    """One TicketCard, or None where it is not this engineer's now."""
    values = {"tenant": tenant_id, "engineer": engineer_id, "now": now, "ticket": ticket_id}
    rows = [row for row in fetch(db, _MINE, values) if row["ticket_id"] is not None]
    return _ticket(rows[0], personal, tenant_id) if rows else None


def read_pool(
    database: Database, tenant_id: UUID, engineer_id: UUID, now: datetime, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """A page of the pool, by ticket id; only what this engineer may grab."""
    values = {"tenant": tenant_id, "engineer": engineer_id, "now": now, "after": after, "limit": limit}
    (rows,) = database.read(tenant_id, (_POOL, values))
    return [_offer(row) for row in rows]


_HISTORY = """
  select e.seq, e.at, e.action, e.actor, e.from_status, e.to_status, x.text
  from ticket_events e left join event_texts x on x.tenant_id = e.tenant_id and x.seq = e.seq
  where e.tenant_id = %(tenant)s and e.ticket_id = %(ticket)s and e.subject_type = 'ticket'
  order by e.seq desc limit 100
"""


def read_history(db: Session, tenant_id: UUID, ticket_id: UUID) -> list[dict[str, Any]]:
    """The ticket's own events, newest first."""
    return list(fetch(db, _HISTORY, {"tenant": tenant_id, "ticket": ticket_id}))


_CHANGES = """
  select e.seq, e.ticket_id from ticket_events e
  where e.tenant_id = %(tenant)s and e.seq > %(cursor)s and e.ticket_id is not null
    and (exists (select from visits v
           join visit_engineers c on c.tenant_id = v.tenant_id and c.visit_id = v.id
           where v.tenant_id = e.tenant_id and v.ticket_id = e.ticket_id and c.engineer_id = %(engineer)s)
      or exists (select from offers o where o.tenant_id = e.tenant_id and o.ticket_id = e.ticket_id
           and o.engineer_id = %(engineer)s))
  order by e.seq limit %(limit)s
"""


def read_changes(
    db: Session, tenant_id: UUID, engineer_id: UUID, cursor: int, limit: int
) -> list[dict[str, Any]]:
    """(seq, ticket_id) of events after the cursor that concern this engineer, oldest first."""
    values = {"tenant": tenant_id, "engineer": engineer_id, "cursor": cursor, "limit": limit}
    return list(fetch(db, _CHANGES, values))


def _ticket(row: dict[str, Any], personal: PersonalData, tenant_id: UUID) -> dict[str, Any]:
    def opened(column: str) -> str | None:
        return personal.decrypt(row[f"{column}_enc"], tenant_id, row["ticket_id"], column)

    return {
        "ticket_id": row["ticket_id"],
        "ticket_no": row["ticket_no"],
        "status": row["status"],
        "version": row["version"],
        "priority": row["priority"],
        "work_type": row["work_type"],
        "description": row["description"],
        "address": row["address"],
        "door": opened("door"),
        "site": site_card(row["lon"], row["lat"]),
        "contact": {"name": opened("contact_name"), "phone": opened("contact_phone")},
        "window": window_card(row["window_from"], row["window_to"]),
        "due_at": row["due_at"],
        "visit_id": row["visit_id"],
        "visit_number": row["visit_number"],
        "role": row["role"],
        "acknowledged": row["acknowledged"],
        "checked_in_at": row["checked_in_at"],
        "eta_at": row["eta_at"],
        "eta_estimated": row["eta_estimated"],
        "hold_until": row["hold_until"],
        "outcome": row["outcome"],
        "checklist": row["checklist"],
        "machines": row["machines"],
        "service_code": row["service_code"],
        "quote": row["quote"],
        "discount_percent": row["discount_percent"],
        "photos": row["photos"],
        "allowed_actions": engineer_buttons(
            TicketStatus(row["status"]), row["role"], row["quote"] and row["quote"]["status"]
        ),
    }


_ANSWERS = {
    "offer": ["accept_offer", "decline_offer"],
    "hand_over": ["accept_hand_over", "decline_offer"],
    "pool": ["grab"],
}


def _offer(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "offer_id": row["offer_id"],
        "kind": row["kind"],
        "ticket_id": row["ticket_id"],
        "ticket_no": row["ticket_no"],
        "priority": row["priority"],
        "work_type": row["work_type"],
        "description": row["description"],
        "address": row["address"],
        "site": site_card(row["lon"], row["lat"]),
        "window": window_card(row["window_from"], row["window_to"]),
        "due_at": row["due_at"],
        "travel_s": row["travel_s"],
        "travel_estimated": row.get("travel_estimated", True),
        "distance_m": row["distance_m"],
        "expires_at": row["expires_at"],
        "collect_until": row.get("collect_until"),
        "name_down": row.get("name_down", False),
        "allowed_actions": _ANSWERS[row["kind"]],
    }
