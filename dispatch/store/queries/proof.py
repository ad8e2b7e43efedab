"""What proves and settles one ticket, as the board shows it."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch_all

_TICKET = """
  select t.coverage, w.checklist as items,
    (select jsonb_build_object('ticket_id', p.id, 'ticket_no', p.ticket_no, 'kind', t.parent_kind, 'status', p.status)
      from tickets p where p.tenant_id = t.tenant_id and p.id = t.parent_id) as parent,
    coalesce((select jsonb_agg(jsonb_build_object('ticket_id', c.id, 'ticket_no', c.ticket_no, 'kind', c.parent_kind,
        'status', c.status) order by c.created_at)
      from tickets c where c.tenant_id = t.tenant_id and c.parent_id = t.id), '[]'::jsonb) as children
  from tickets t join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  where t.tenant_id = %(tenant)s and t.id = %(ticket)s
"""
_VISITS = """
  select v.id as visit_id, v.number, e.name as engineer_name, v.checked_in_at, v.completed_at,
    coalesce(c.outcome, v.outcome) as outcome, c.text, coalesce(c.checklist, '[]'::jsonb) as checklist
  from visits v
  left join completions c on c.tenant_id = v.tenant_id and c.visit_id = v.id
  left join engineers e on e.tenant_id = v.tenant_id and e.id = v.engineer_id
  where v.tenant_id = %(tenant)s and v.ticket_id = %(ticket)s order by v.number desc limit 50
"""
_MACHINES = """
  select s.asset_id, x.kind, x.serial, x.name, x.warranty_until, s.outcome, s.text, s.checklist, s.done_at
  from ticket_assets s join assets x on x.tenant_id = s.tenant_id and x.id = s.asset_id
  where s.tenant_id = %(tenant)s and s.ticket_id = %(ticket)s order by x.kind, x.serial nulls last, s.asset_id
"""
_USED = """
  select m.part, p.name, p.unit, m.quantity::text as quantity, m.serial, m.to_kind = 'returned' as returned, m.at
  from part_movements m join parts p on p.tenant_id = m.tenant_id and p.code = m.part
  where m.tenant_id = %(tenant)s and m.ticket_id = %(ticket)s and m.to_kind in ('ticket', 'returned')
  order by m.id limit 200
"""
_QUOTES = """
  select id as quote_id, version, status, currency, total_minor, lines, quoted_at, answered_at from quotes
  where tenant_id = %(tenant)s and ticket_id = %(ticket)s order by quoted_at desc, version desc limit 20
"""
_PAYMENTS = """
  select id as payment_id, method, currency, amount_minor, reference, actor, at from payments
  where tenant_id = %(tenant)s and ticket_id = %(ticket)s order by at limit 100
"""
_EARNED = """
  select l.payee_kind, coalesce(jsonb_build_object('zh', e.name, 'en', e.name), c.name) as payee, l.reason,
    l.currency, l.amount_minor, l.at
  from settlement_lines l
  left join engineers e on e.tenant_id = l.tenant_id and e.id = l.payee_id and l.payee_kind <> 'contractor'
  left join contractors c on c.tenant_id = l.tenant_id and c.id = l.payee_id and l.payee_kind = 'contractor'
  where l.tenant_id = %(tenant)s and l.ticket_id = %(ticket)s order by l.at, l.id limit 100
"""


def read_ticket_proof(db: Session, tenant_id: UUID, ticket_id: UUID) -> dict[str, Any] | None:
    """views.TicketProof in one trip, or None where the tenant has no such ticket."""
    values = {"tenant": tenant_id, "ticket": ticket_id}
    asked = (_TICKET, _VISITS, _MACHINES, _USED, _QUOTES, _PAYMENTS, _EARNED)
    found = [list(rows) for rows in fetch_all(db, *((sql, values) for sql in asked))]
    tickets, *lists = found
    if not tickets:
        return None
    names = ("visits", "machines", "parts", "quotes", "payments", "earned")
    return {**tickets[0], **dict(zip(names, lists, strict=True))}
