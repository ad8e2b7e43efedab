"""The tickets of a bulk action, locked in the order of their ids; reports already made."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch, page_of

PAGE = 20

#: An engineer's tickets not begun yet whose window, or booked day where there is none, lies in the span.
_BOOKED = """
  select t.id from tickets t
  join visits v on v.tenant_id = t.tenant_id and v.ticket_id = t.id and v.closed_at is null
  where t.tenant_id = %(tenant)s and v.engineer_id = %(engineer)s and t.status in ('assigned', 'en_route')
    and case when v.window_to is null then v.booked_day between %(first)s and %(last)s
      else v.window_from < %(ends)s and v.window_to > %(starts)s end
  order by t.id limit %(limit)s
"""
_LOCK = "select id from tickets where tenant_id = %(tenant)s and id = any(%(ids)s) order by id for update"
_URGENT_FIRST = """
  select id, ticket_no from tickets where tenant_id = %(tenant)s and id = any(%(ids)s)
  order by array_position(array['urgent','high','normal','low'], priority), due_at nulls last, created_at, id
"""
_REPORTS = """
  select r.id as report_id, r.kind, r.at, d.name as asked_by, r.facts, r.lines
  from bulk_reports r left join dispatchers d on d.tenant_id = r.tenant_id and d.id = r.asked_by
  where r.tenant_id = %(tenant)s and (%(before)s::uuid is null or (r.at, r.id) < (
      select l.at, l.id from bulk_reports l where l.tenant_id = r.tenant_id and l.id = %(before)s))
  order by r.at desc, r.id desc limit %(limit)s
"""


_SEEN = "select id from tickets where tenant_id = %(tenant)s and id = any(%(ids)s::uuid[])"
_WAITING = """
  select t.id, t.ticket_no from tickets t
  join visits v on v.tenant_id = t.tenant_id and v.ticket_id = t.id and v.closed_at is null
  where t.tenant_id = %(tenant)s and t.status = 'open' and t.site is not null
    and (t.attention is null or t.attention in ('no_candidate', 'urged'))
  order by array_position(array['urgent','high','normal','low'], t.priority), t.created_at, t.id limit %(limit)s
"""


def waiting_tickets(db: Session, tenant_id: UUID, limit: int) -> list[dict[str, Any]]:
    """(id, ticket_no) of open tickets with a site that no dispatcher has been called for, the urgent first."""
    return list(fetch(db, _WAITING, {"tenant": tenant_id, "limit": limit}))


def lock_tickets(db: Session, tenant_id: UUID, ids: list[UUID]) -> list[dict[str, Any]]:
    """(id, ticket_no) of those that exist, all locked, the most urgent first."""
    values = {"tenant": tenant_id, "ids": ids}
    fetch(db, _LOCK, values)
    return list(fetch(db, _URGENT_FIRST, values))


def booked_with(
    db: Session,
    tenant_id: UUID,
    engineer_id: UUID,
    span: tuple[datetime, datetime],
    days: tuple[date, date],
    limit: int,
) -> list[dict[str, Any]]:
    """As `lock_tickets`: what this engineer has in the span, at most `limit`."""
    values = {
        "tenant": tenant_id,
        "engineer": engineer_id,
        "starts": span[0],
        "ends": span[1],
        "first": days[0],
        "last": days[1],
        "limit": limit,
    }
    return lock_tickets(db, tenant_id, [row["id"] for row in fetch(db, _BOOKED, values)])


def read_bulk_reports(
    db: Session, tenant_id: UUID, before: UUID | None = None, narrowed: bool = False
) -> dict[str, Any]:
    """views.BulkPage, newest first, those older than the report `before`. `narrowed`: with the lines of tickets that
    row-level security shows, and no report without one."""
    rows = fetch(db, _REPORTS, {"tenant": tenant_id, "before": before, "limit": PAGE + 1})
    page = page_of("reports", rows, PAGE, "report_id")
    if narrowed:
        page["reports"] = _seen_lines(db, tenant_id, page["reports"])
    return page


def _seen_lines(db: Session, tenant_id: UUID, reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [line["ticket_id"] for report in reports for line in report["lines"]]
    seen = {str(row["id"]) for row in fetch(db, _SEEN, {"tenant": tenant_id, "ids": ids})}
    shown = [
        {**report, "lines": [line for line in report["lines"] if line["ticket_id"] in seen]}
        for report in reports
    ]
    return [report for report in shown if report["lines"]]
