"""What jobs do: each looks again at one thing under lock, and acts only where it is still true."""

from datetime import timedelta
from uuid import UUID

from dispatch.actions.acting import act
from dispatch.actions.cases import Case, load_case
from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import NotFound
from dispatch.store.tables.tickets import Visit


def alert_unacknowledged(step: Step, visit_id: UUID) -> None:
    """Told, and silent: the dispatcher must know."""
    visit = step.db.get(Visit, {"tenant_id": step.tenant_id, "id": visit_id})
    if visit is None:
        return
    case = load_case(step, visit.ticket_id, Facts())
    same = case.visit.id == visit_id and case.visit.acknowledged_at is None
    if case.ticket.status == "assigned" and same:
        case.ticket.attention = "not_acknowledged"
        step.drafts.append(_alert(case, "not_acknowledged"))
        step.db.flush()


def _alert(case: Case, why: str) -> Draft:
    return Draft(
        subject_type="visit",
        subject_id=case.visit.id,
        ticket_id=case.ticket.id,
        action="alert",
        facts={"attention": why},
        territory_id=case.ticket.territory_id,
    )


def resume_ticket(step: Step, ticket_id: UUID) -> None:
    """The hold's end has come: back to the kept engineer, else open."""
    case = load_case(step, ticket_id, Facts())
    ticket = case.ticket
    if ticket.status != "on_hold" or ticket.hold_until is None:
        return
    if ticket.hold_until > step.now:
        step.set_timer("hold_until", ticket.id, ticket.hold_until)
        return
    try:
        act(step, ticket.id, "resume_kept" if ticket.hold_engineer_id else "resume")
    except NotFound:
        act(step, ticket.id, "resume")


def sign_off_by_default(step: Step, ticket_id: UUID) -> None:
    """The tenant's days are over and nobody objected."""
    case = load_case(step, ticket_id, Facts())
    if case.ticket.status != "awaiting_acceptance":
        return
    due_at = (case.visit.completed_at or step.now) + timedelta(days=step.rules.acceptance_days)
    if due_at > step.now:
        step.set_timer("sign_off_by", ticket_id, due_at)
        return
    act(step, ticket_id, "sign_off")
