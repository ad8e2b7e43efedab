"""What a customer's link shows, in one statement."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.lifecycle import Actor, TicketStatus, allowed_actions
from dispatch.domain.tenancy import TenantRules
from dispatch.store.queries.reading import ETA_ESTIMATED, fetch, window_card

_TICKET = f"""
  select t.ticket_no, t.status, t.version, t.language, n.zone, n.name as tenant_name, w.name as work_type,
    t.description, t.address, v.window_from, v.window_to, v.eta_at, {ETA_ESTIMATED}, e.name as engineer_name, t.outcome,
    case when t.status = 'en_route' and e.position_at > %(now)s - %(fresh)s
      then ceil(st_distance(e.position, t.site) / %(step)s)::int * %(step)s end as away_m,
    v.id as visit_id, v.completed_at, t.closed_at,
    (select coalesce(sum(y.amount_minor), 0)::int8 from payments y
      where y.tenant_id = t.tenant_id and y.ticket_id = t.id) as paid_minor,
    (select c.text from completions c where c.tenant_id = t.tenant_id and c.ticket_id = t.id
      order by c.at desc limit 1) as what_was_done,
    (select to_jsonb(q) from (select q.id as quote_id, q.status, q.currency, q.total_minor, q.lines
      from quotes q where q.tenant_id = t.tenant_id and q.ticket_id = t.id
      order by q.quoted_at desc limit 1) q) as quote,
    coalesce((select jsonb_agg(jsonb_build_object('photo_id', p.id, 'kind', p.kind, 'taken_at', p.taken_at,
        'pending', p.pending) order by p.taken_at) from evidence p
      where p.tenant_id = t.tenant_id and p.ticket_id = t.id and not p.pending
        and p.kind in ('intake', 'completion', 'reject')), '[]'::jsonb) as photos,
    coalesce((select jsonb_agg(jsonb_build_object('at', x.at, 'action', x.action, 'to_status', x.to_status)
        order by x.seq) from ticket_events x
      where x.tenant_id = t.tenant_id and x.ticket_id = t.id and x.subject_type = 'ticket'
        and (x.from_status is distinct from x.to_status or x.action in ('quote', 'rebook', 'urge'))),
      '[]'::jsonb) as progress
  from tickets t
  join tenants n on n.id = t.tenant_id
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  left join lateral (select * from visits v where v.tenant_id = t.tenant_id and v.ticket_id = t.id
    order by (v.closed_at is not null), v.number desc limit 1) v on true
  left join engineers e on e.tenant_id = v.tenant_id and e.id = v.engineer_id
  where t.tenant_id = %(tenant)s and t.id = %(ticket)s
"""

#: While an engineer is under way the customer reads how far off, to half a kilometre and of a fresh position: never where.
AWAY_STEP_M = 500
AWAY_FRESH = timedelta(minutes=10)

#: Said by the dispatcher's phone, not by a button.
_NOT_SHOWN = frozenset({"note"})


def read_customer_ticket(
    db: Session, tenant_id: UUID, ticket_id: UUID, rules: TenantRules, now: Any
) -> dict[str, Any]:
    """CustomerTicket as plain values."""
    (row,) = fetch(
        db,
        _TICKET,
        {"tenant": tenant_id, "ticket": ticket_id, "now": now, "fresh": AWAY_FRESH, "step": AWAY_STEP_M},
    )
    status = TicketStatus(row["status"])
    quote = row["quote"]
    buttons = [a for a in allowed_actions(status, Actor.CUSTOMER) if a not in _NOT_SHOWN]
    if not quote or quote["status"] != "open":
        buttons = [a for a in buttons if a not in ("approve_quote", "refuse_quote")]
    if row["closed_at"] is not None and now > row["closed_at"] + timedelta(days=rules.reopen_days):
        buttons = [a for a in buttons if a != "reopen"]
    waiting = status is TicketStatus.AWAITING_ACCEPTANCE and row["completed_at"] is not None
    plain = (
        "ticket_no", "status", "version", "language", "zone", "tenant_name", "work_type", "description",
        "address", "visit_id", "paid_minor", "eta_at", "eta_estimated", "away_m", "engineer_name", "outcome",
        "what_was_done", "photos", "progress",
    )  # fmt: skip
    return {
        **{key: row[key] for key in plain},
        "window": window_card(row["window_from"], row["window_to"]),
        "quote": {k: quote[k] for k in ("quote_id", "status", "currency", "total_minor")} if quote else None,
        "quote_lines": quote["lines"] if quote else [],
        "sign_off_by": row["completed_at"] + timedelta(days=rules.acceptance_days) if waiting else None,
        "allowed_actions": buttons,
    }
