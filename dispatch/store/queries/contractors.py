"""What a contractor's dispatcher sees: what they are asked for, what they took, whom they may name."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.matching import CONTRACTOR_VISITS
from dispatch.store.queries.reading import WORK_TYPE, fetch, fetch_all, page_of, site_card, window_card

_QUOTA = f"""
  select k.daily_quota, ({CONTRACTOR_VISITS}) as visits from contractors k
  where k.tenant_id = %(tenant)s and k.id = %(contractor)s
"""
PAGE = 200
#: What is to be answered first, then what lacks a name, then the rest, each by its deadline: so reads a line's key.
_TICKETS = f"""
  with mine as (
    select o.ticket_id, o.visit_id, o.id as offer_id, o.expires_at from offers o
    where o.tenant_id = %(tenant)s and o.contractor_id = %(contractor)s and o.status = 'pending'
      and o.expires_at > %(now)s
    union all
    select v.ticket_id, v.id, null, null from visits v
    where v.tenant_id = %(tenant)s and v.contractor_id = %(contractor)s and v.closed_at is null)
  select t.id as ticket_id, t.ticket_no, t.status, t.version, t.priority,
    {WORK_TYPE} as work_type,
    t.description, t.address, st_x(t.site::geometry) as lon, st_y(t.site::geometry) as lat,
    v.window_from, v.window_to, t.due_at, m.offer_id, m.expires_at, v.name_by, v.engineer_id,
    e.name as engineer_name, k.line_id
  from mine m
  join tickets t on t.tenant_id = %(tenant)s and t.id = m.ticket_id
  join visits v on v.tenant_id = %(tenant)s and v.id = m.visit_id
  join work_types w on w.tenant_id = %(tenant)s and w.code = t.work_type
  left join engineers e on e.tenant_id = %(tenant)s and e.id = v.engineer_id,
    lateral (select concat_ws('.', (m.offer_id is null)::int, (v.engineer_id is not null)::int,
      to_char(coalesce(m.expires_at, v.name_by, t.created_at) at time zone 'UTC', 'YYYYMMDDHH24MISSUS'), t.id, m.offer_id)
      as line_id) k
  where k.line_id collate "C" > %(after)s order by k.line_id collate "C" limit %(limit)s
"""
_ENGINEERS = """
  select id as engineer_id, name from engineers
  where tenant_id = %(tenant)s and contractor_id = %(contractor)s and active and not trainee
  order by name, id limit 500
"""


def read_quota(
    db: Session, tenant_id: UUID, contractor_id: UUID, ticket_id: UUID, day: date
) -> tuple[int, int | None]:
    """The contractor's visits of the day besides this ticket's, and how many were agreed (None: no limit)."""
    values = {"tenant": tenant_id, "contractor": contractor_id, "ticket": ticket_id, "day": day}
    rows = fetch(db, _QUOTA, values)
    return (rows[0]["visits"], rows[0]["daily_quota"]) if rows else (0, None)


def read_contractor_work(
    db: Session, tenant_id: UUID, contractor_id: UUID, now: datetime, after: str | None
) -> dict[str, Any]:
    """field_views.ContractorWork as plain values."""
    values = {"tenant": tenant_id, "contractor": contractor_id, "now": now}
    asked = {**values, "after": after or "", "limit": PAGE + 1}
    tickets, engineers = fetch_all(db, (_TICKETS, asked), (_ENGINEERS, values))
    page = page_of("tickets", tickets, PAGE, "line_id")
    return {**page, "now": now, "tickets": [_ticket(row) for row in page["tickets"]], "engineers": engineers}


def _ticket(row: dict[str, Any]) -> dict[str, Any]:
    actions = ["accept_offer", "decline_offer"] if row["offer_id"] else []
    if row["status"] == "assigned":
        actions = ["name_engineer", "hand_back"]
    row.pop("line_id")
    site = site_card(row.pop("lon"), row.pop("lat"))
    window = window_card(row.pop("window_from"), row.pop("window_to"))
    return {**row, "site": site, "window": window, "allowed_actions": actions}
