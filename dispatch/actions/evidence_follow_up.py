"""Work that comes back: a follow-up or a warranty callback is a ticket of its own, linked to the one before;
what never came back was fixed the first time."""

from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.actions.cases import Case, as_point
from dispatch.actions.evidence_machines import machines_of
from dispatch.actions.intake import TicketWanted, create_ticket
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.proof import TicketAsset
from dispatch.store.tables.tickets import Ticket

KINDS = ("follow_up", "warranty_callback")


def follow_up(step: Step, case: Case, kind: str, description: str | None) -> dict[str, Any]:
    """A dispatcher's `child_ticket` of what is closed. Raises Conflict `ticket_not_closed`: what is open is worked
    on itself."""
    if case.ticket.status != "closed":
        raise Conflict("ticket_not_closed", status=case.ticket.status)
    return child_ticket(step, case, kind, description=description)


def child_ticket(
    step: Step, case: Case, kind: str, description: str | None = None, priority: str | None = None
) -> dict[str, Any]:
    """A new ticket for the same site, contact and machines, linked to this one; a warranty callback costs its
    customer nothing. Returns TicketCreated without `seq`."""
    ticket = case.ticket

    def opened(column: str) -> str | None:
        sealed = getattr(ticket, f"{column}_enc")
        return step.personal.decrypt(sealed, step.tenant_id, ticket.id, column)

    made = create_ticket(
        step,
        TicketWanted(
            work_type=ticket.work_type,
            description=description or ticket.description,
            address=ticket.address,
            source="follow_up",
            priority=priority or ticket.priority,
            door=opened("door"),
            site=as_point(ticket.site),
            site_raw=ticket.site_raw,
            contact_name=opened("contact_name"),
            contact_phone=opened("contact_phone"),
            language=ticket.language,
        ),
        retired_too=True,
    )
    child = step.db.get(Ticket, {"tenant_id": step.tenant_id, "id": UUID(made["ticket_id"])})
    assert child is not None
    child.parent_id, child.parent_kind = ticket.id, kind
    child.asset_id = ticket.asset_id
    if kind == "warranty_callback":
        child.coverage = "warranty"
    for machine in machines_of(step, ticket.id):
        step.db.add(TicketAsset(tenant_id=step.tenant_id, ticket_id=child.id, asset_id=machine.asset_id))
    step.db.flush()
    facts = {"child": str(child.id), "kind": kind}
    step.drafts.append(
        Draft("follow_up", child.id, ticket.id, "follow_up", facts=facts, territory_id=ticket.territory_id)
    )
    return made


#: One visit that was completed as fixed, no verdict against it, never opened again, no ticket after it.
_FIRST_TIME = """
  select count(*)::int as closed, count(*) filter (where
      (select count(*) from visits v where v.tenant_id = t.tenant_id and v.ticket_id = t.id
        and v.completed_at is not null) = 1
      and t.outcome = 'fixed'
      and not exists (select from acceptances a where a.tenant_id = t.tenant_id and a.ticket_id = t.id
        and a.verdict = 'rejected')
      and not exists (select from ticket_events e where e.tenant_id = t.tenant_id and e.ticket_id = t.id
        and e.action = 'reopen')
      and not exists (select from tickets c where c.tenant_id = t.tenant_id and c.parent_id = t.id)
    )::int as fixed_first_time
  from tickets t
  where t.tenant_id = %(tenant)s and t.status = 'closed' and t.closed_at >= %(since)s
    and t.closed_at < %(before)s and t.outcome in ('fixed', 'temporary', 'not_fixed')
"""


def first_time_fix(step: Step, since: datetime, before: datetime) -> dict[str, Any]:
    """Of the tickets closed in this time on which work was done, how many were fixed by one visit for good."""
    (row,) = fetch(step.db, _FIRST_TIME, {"tenant": step.tenant_id, "since": since, "before": before})
    return dict(row)
