"""What jobs do: each looks again at one thing under lock, and acts only where it is still true."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions import offers
from dispatch.actions.cases import Case, load_case
from dispatch.actions.matching import find_candidates, keep_receipt, preview
from dispatch.actions.step import Draft, Step
from dispatch.actions.take_action import apply_action
from dispatch.domain.commands import Command, Facts
from dispatch.domain.errors import Conflict, NotFound
from dispatch.domain.matching import Candidate, Match
from dispatch.store.ids import new_id
from dispatch.store.tables.tickets import Offer, Visit


def act(step: Step, ticket_id: UUID, action: str, facts: Facts | None = None) -> dict[str, Any]:
    """One action by the system, in the step's transaction."""
    return apply_action(step, Command(new_id(), ticket_id, action, facts or Facts()))


def run_match(step: Step, ticket_id: UUID, anew: bool = False) -> dict[str, Any]:
    """Find who fits an open ticket and act by mode; keep the receipt. Returns views.ReceiptView.

    A ticket that is not open, has no site or is the dispatcher's already is only looked at.
    `anew`: a dispatcher asks for another round after the offers ran out.
    """
    case = load_case(step, ticket_id, Facts())
    found = find_candidates(step, case)
    mode = case.ticket.mode or case.work_type.mode
    view = preview(step, case, found)
    waits = case.ticket.attention == "offers_ran_out" and not anew
    if case.ticket.status != "open" or case.visit.closed_at is not None or waits:
        if anew:
            raise Conflict("action_not_allowed", action="match", status=case.ticket.status, allowed=[])
        return view
    if case.ticket.site is None:
        case.ticket.attention = "needs_position"
        step.db.flush()
        return view
    chosen = _best(step, case, found, mode)
    receipt = keep_receipt(step, case, found, mode, chosen)
    step.db.flush()
    _act_by_mode(step, case, mode, chosen, _round(step, case, anew))
    return {**view, "receipt_id": receipt.id, "chosen_engineer_id": receipt.chosen_engineer_id}


def _best(step: Step, case: Case, found: Match, mode: str) -> Candidate | None:
    """The best who is not being asked already."""
    if mode == "manual":
        return None
    asked = {offer.engineer_id for offer in offers.pending_offers(step, case)}
    return next((c for c in found.eligible if c.engineer.engineer_id not in asked), None)


def _round(step: Step, case: Case, anew: bool) -> int:
    """1 for a new beginning; the offers of this visit count the rounds."""
    if anew:
        return 1
    return _last_round(step, case) % step.rules.offer_rounds + 1


def _last_round(step: Step, case: Case) -> int:
    """The round of this visit's newest offer, 0 before the first."""
    newest = (
        select(Offer.round)
        .where(Offer.tenant_id == step.tenant_id, Offer.visit_id == case.visit.id, Offer.kind == "offer")
        .order_by(Offer.offered_at.desc(), Offer.id.desc())
        .limit(1)
    )
    return int(step.db.execute(newest).scalar() or 0)


def _act_by_mode(step: Step, case: Case, mode: str, chosen: Candidate | None, round_: int) -> None:
    ticket = case.ticket
    if mode == "manual":
        ticket.attention = "manual"
    elif mode == "pool":
        _open_pool(step, case, chosen)
    elif chosen is None:
        ticket.attention = "no_candidate"
        step.set_timer("match_again", ticket.id, step.now + timedelta(minutes=step.rules.match_again_min))
    elif mode == "direct":
        act(step, ticket.id, "assign", Facts(engineer_id=chosen.engineer.engineer_id))
    else:
        offer_to(step, case, chosen, round_)
    step.db.flush()


def _open_pool(step: Step, case: Case, chosen: Candidate | None) -> None:
    """The pool is open at once; nobody grabs in time → the best is offered it, then the dispatcher's turn."""
    ticket = case.ticket
    waited = step.now - case.visit.opened_at >= timedelta(minutes=step.rules.pool_min)
    if waited and chosen is not None:
        offer_to(step, case, chosen, 1)
    elif waited:
        ticket.attention = "no_candidate"
        step.set_timer("match_again", ticket.id, step.now + timedelta(minutes=step.rules.match_again_min))
    else:
        due_at = case.visit.opened_at + timedelta(minutes=step.rules.pool_min)
        step.set_timer("match_again", ticket.id, max(due_at, step.now + timedelta(minutes=1)))


def offer_to(step: Step, case: Case, chosen: Candidate, round_: int) -> None:
    """The system's `offer` of one engineer, its round and travel kept on the offer."""
    done = act(step, case.ticket.id, "offer", Facts(engineer_id=chosen.engineer.engineer_id))
    assert done["status"] == "offered"
    offer = step.db.scalars(
        select(Offer).where(
            Offer.tenant_id == step.tenant_id,
            Offer.visit_id == case.visit.id,
            Offer.engineer_id == chosen.engineer.engineer_id,
            Offer.status == "pending",
        )
    ).one()
    offer.round = round_
    offer.travel_s, offer.distance_m = chosen.engineer.travel_s, chosen.engineer.distance_m


def expire_offer(step: Step, offer_id: UUID) -> None:
    """The offer's time is over, if it still is pending."""
    ticket_id = step.db.scalars(
        select(Offer.ticket_id).where(Offer.tenant_id == step.tenant_id, Offer.id == offer_id)
    ).one_or_none()
    if ticket_id is None:
        return
    case = load_case(step, ticket_id, Facts())
    offer = step.db.get(Offer, {"tenant_id": step.tenant_id, "id": offer_id}, populate_existing=True)
    if offer is None or offer.status != "pending":
        return
    if offer.expires_at > step.now:
        step.set_timer("offer_expires", offer.id, offer.expires_at)
        return
    offers.expire(step, case, offer)
    step.db.flush()


def continue_offers(step: Step, ticket_id: UUID) -> None:
    """After a no or silence: the next one, up to the tenant's rounds; then the dispatcher's queue."""
    case = load_case(step, ticket_id, Facts())
    if case.ticket.status != "offered" or offers.pending_offers(step, case):
        return
    found = find_candidates(step, case)
    mode = case.ticket.mode or case.work_type.mode
    asked = _last_round(step, case)
    chosen = found.eligible[0] if found.eligible else None
    if chosen is None or asked >= step.rules.offer_rounds:
        keep_receipt(step, case, found, mode, None)
        act(step, ticket_id, "run_out")
        return
    keep_receipt(step, case, found, mode, chosen)
    offer_to(step, case, chosen, asked + 1)
    step.db.flush()


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
