"""The customer's verdict: sign off, or not accepted and back to work; opened again later."""

from datetime import datetime, timedelta
from uuid import UUID

from dispatch.actions.bookings import give_to, unbook
from dispatch.actions.cases import Case, close_visit, load_case, open_visit
from dispatch.actions.evidence import attach, check_photos
from dispatch.actions.money import check_witness
from dispatch.actions.money_settlement import settle, take_back
from dispatch.actions.service_code import check_service_code
from dispatch.actions.step import Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import NotReady
from dispatch.domain.lifecycle import Need
from dispatch.domain.reasons import check_reason
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.evidence import Acceptance
from dispatch.store.tables.people import Engineer


def _sign_off_met(step: Step, case: Case) -> set[Need]:
    check_photos(step, case, "signature")
    if case.witnessed_by is not None:
        check_witness(case)
        check_service_code(step, case)
        if not case.facts.photo_ids and not case.facts.photo_pending:
            raise NotReady("action_not_ready", action="sign_off", missing=["signature"])
    if case.facts.rating is not None and not 1 <= case.facts.rating <= 5:
        raise NotReady("rating_out_of_range", least=1, most=5)
    met = set()
    if case.facts.text or case.facts.photo_ids:
        met.add(Need.PROOF)
    done_at = case.visit.completed_at
    due_at = done_at + timedelta(days=step.rules.acceptance_days) if done_at else None
    if due_at is not None and due_at <= step.now and case.ticket.disputed_at is None:
        met.add(Need.UNDISPUTED)
    return met


def _sign_off(step: Step, case: Case) -> dict[str, object]:
    photos = attach(step, case, "signature")
    step.db.flush()
    _keep_verdict(step, case, "signed_off")
    case.ticket.closed_at = step.now
    case.ticket.attention = None
    step.drop_timers(case.ticket.id, "sign_off_by", "remind_sign_off", "match_again", "hold_until")
    settled = settle(step, case)
    close_visit(step, case, "signed_off")
    facts: dict[str, object] = {"outcome": case.ticket.outcome}
    if case.facts.rating is not None:
        facts["rating"] = case.facts.rating
    if photos:
        facts["photos"] = photos
    if settled:
        facts["settled"] = settled
    return facts


def _keep_verdict(step: Step, case: Case, verdict: str) -> None:
    signature = case.facts.photo_ids[0] if verdict == "signed_off" and case.facts.photo_ids else None
    step.db.add(
        Acceptance(
            tenant_id=step.tenant_id,
            id=new_id(),
            ticket_id=case.ticket.id,
            visit_id=case.visit.id,
            verdict=verdict,
            actor=str(step.principal.role),
            actor_id=step.principal.id,
            witnessed_by=case.witnessed_by,
            signature_id=signature,
            rating=case.facts.rating,
            reason=case.facts.reason,
            text=case.facts.text,
            at=step.now,
        )
    )


def _reject_met(step: Step, case: Case) -> set[Need]:
    check_photos(step, case, "reject")
    return {Need.REASON} if check_reason("reject", case.facts.reason) else set()


def _reject(step: Step, case: Case) -> dict[str, object]:
    """Not accepted: the same engineer comes again on a rework visit, or the ticket is open."""
    photos = attach(step, case, "reject")
    _keep_verdict(step, case, "rejected")
    case.ticket.disputed_at = step.now
    case.ticket.outcome = None
    step.drop_timers(case.ticket.id, "sign_off_by", "remind_sign_off")
    engineer = None
    if case.visit.engineer_id is not None:
        engineer = step.db.get(Engineer, {"tenant_id": step.tenant_id, "id": case.visit.engineer_id})
        unbook(step, case)
    close_visit(step, case, "rejected")
    open_visit(step, case)
    if engineer is not None:
        give_to(step, case, engineer, within_limit=False)
        step.set_timer(
            "acknowledge_by", case.visit.id, step.now + timedelta(minutes=step.rules.acknowledge_min)
        )
    case.ticket.attention = "rejected"
    return {"reason": case.facts.reason, "photos": photos}


def _reopen_met(step: Step, case: Case) -> set[Need]:
    met = {Need.REASON} if check_reason("reopen", case.facts.reason) else set()
    closed_at = case.ticket.closed_at
    if closed_at is not None and step.now <= closed_at + timedelta(days=step.rules.reopen_days):
        met.add(Need.WITHIN_REOPEN_DAYS)
    else:
        case.refusal_facts["reopen_days"] = step.rules.reopen_days
    return met


def _reopen(step: Step, case: Case) -> dict[str, object]:
    case.ticket.closed_at = None
    case.ticket.outcome = None
    open_visit(step, case)
    taken_back = take_back(step, case)
    return {"reason": case.facts.reason, **({"taken_back": taken_back} if taken_back else {})}


def closes_at(step: Step, ticket_id: UUID) -> tuple[int, datetime] | None:
    """The newest event of a ticket that still waits for its customer, and when it closes by itself; None where
    it waits no longer or is disputed."""
    case = load_case(step, ticket_id, Facts())
    done_at = case.visit.completed_at
    if case.ticket.status != "awaiting_acceptance" or done_at is None or case.ticket.disputed_at is not None:
        return None
    heads = fetch(
        step.db,
        "select max(seq) as seq from ticket_events where tenant_id = %(tenant)s and ticket_id = %(ticket)s",
        {"tenant": step.tenant_id, "ticket": ticket_id},
    )
    return int(heads[0]["seq"]), done_at + timedelta(days=step.rules.acceptance_days)


HANDLERS = {
    "sign_off": (_sign_off_met, _sign_off),
    "reject": (_reject_met, _reject),
    "reopen": (_reopen_met, _reopen),
}
