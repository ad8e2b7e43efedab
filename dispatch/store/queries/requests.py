"""Requests as the board and the phone show them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch, page_of

PAGE = 50

#: `booked` is how many visits of theirs a leave would leave alone: they are to be moved in bulk.
_LIST = """
  select r.id as request_id, r.kind, r.engineer_id, e.name as engineer_name, r.ticket_id, t.ticket_no, r.status,
    r.facts, r.asked_at, r.answered_at, d.name as answered_by,
    case when r.kind = 'leave' then (
      select count(*)::int from visits v where v.tenant_id = r.tenant_id and v.engineer_id = r.engineer_id
        and v.closed_at is null and coalesce(v.window_from, v.booked_day::timestamptz)
          between (r.facts ->> 'starts_at')::timestamptz and (r.facts ->> 'ends_at')::timestamptz)
      else 0 end as booked
  from requests r
  join engineers e on e.tenant_id = r.tenant_id and e.id = r.engineer_id
  left join tickets t on t.tenant_id = r.tenant_id and t.id = r.ticket_id
  left join dispatchers d on d.tenant_id = r.tenant_id and d.id = r.answered_by
  where r.tenant_id = %(tenant)s and (%(engineer)s::uuid is null or r.engineer_id = %(engineer)s)
    and (%(territories)s::uuid[] = '{}' or e.territory_id is null or e.territory_id = any(%(territories)s))
    and (%(ticket)s::uuid is null or r.ticket_id = %(ticket)s)
    and (%(after)s::uuid is null or (r.status <> 'open', -extract(epoch from r.asked_at), r.id) > (
      select l.status <> 'open', -extract(epoch from l.asked_at), l.id from requests l
      where l.tenant_id = r.tenant_id and l.id = %(after)s))
  order by (r.status <> 'open'), r.asked_at desc, r.id limit %(limit)s
"""
_LEADS = """
  select v.id from visits v where v.tenant_id = %(tenant)s and v.ticket_id = %(ticket)s
    and v.engineer_id = %(engineer)s limit 1
"""


def read_requests(
    db: Session,
    tenant_id: UUID,
    engineer_id: UUID | None = None,
    *,
    ticket_id: UUID | None = None,
    after: UUID | None = None,
    territories: Iterable[UUID] = (),
) -> dict[str, Any]:
    """v1.RequestPage: open ones first, newest first, those behind the request `after`; of one engineer, or of all
    where None: of those in `territories` or in none; of one ticket."""
    values = {
        "tenant": tenant_id,
        "engineer": engineer_id,
        "ticket": ticket_id,
        "after": after,
        "territories": list(territories),
        "limit": PAGE + 1,
    }
    return page_of("requests", fetch(db, _LIST, values), PAGE, "request_id")


def leads_ticket(db: Session, tenant_id: UUID, engineer_id: UUID, ticket_id: UUID) -> bool:
    """Whether some visit of the ticket is or was this engineer's."""
    return bool(fetch(db, _LEADS, {"tenant": tenant_id, "engineer": engineer_id, "ticket": ticket_id}))


#: The newest discount that was approved for a ticket.
APPROVED_DISCOUNT = """
  select (r.facts ->> 'percent')::int as percent from requests r
  where r.tenant_id = %(tenant)s and r.ticket_id = {ticket} and r.kind = 'discount' and r.status = 'approved'
  order by r.answered_at desc, r.id limit 1
"""


def approved_discount(db: Session, tenant_id: UUID, ticket_id: UUID) -> int | None:
    """Per cent that a dispatcher allowed off this ticket's price, None where none was."""
    sql = APPROVED_DISCOUNT.format(ticket="%(ticket)s")
    rows = fetch(db, sql, {"tenant": tenant_id, "ticket": ticket_id})
    return rows[0]["percent"] if rows else None
