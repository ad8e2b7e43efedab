"""What follows a match, by the policy's mode: assign, ask one, ask several, open the pool, ask a contractor, wait."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions import contractors, offers
from dispatch.actions.acting import act
from dispatch.actions.cases import Case, load_case
from dispatch.actions.matching import find_candidates, keep_receipt, policy_of, preview
from dispatch.actions.pools import look_after_pool
from dispatch.actions.step import Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import Conflict
from dispatch.domain.matching import Candidate, Match
from dispatch.domain.matching_policy import Policy
from dispatch.store.tables.tickets import Offer

_WAIT = """
  insert into timers (tenant_id, kind, subject_id, due_at)
  values (%(tenant)s, 'match_batch', %(tenant)s, %(due_at)s) on conflict do nothing
"""


def under_policy(step: Step, case: Case) -> Policy:
    """`policy_of`; from here on the step goes by its numbers."""
    policy = policy_of(step, case)
    step.rules = policy.rules(step.rules)
    return policy


def run_match(step: Step, ticket_id: UUID, anew: bool = False) -> dict[str, Any]:
    """Find who fits an open ticket and act by mode; keep the receipt. Returns views.ReceiptView.

    Nobody is looked for, and nothing returned, where the ticket is not open, is the dispatcher's already or waits for
    the next batch: whoever looks at it sees who would fit now.
    `anew`: a dispatcher asks for another round after the offers ran out. Raises Conflict `action_not_allowed`.
    """
    case = load_case(step, ticket_id, Facts())
    waits = case.ticket.attention == "offers_ran_out" and not anew
    if case.ticket.status != "open" or case.visit.closed_at is not None or waits:
        if anew:
            raise Conflict("action_not_allowed", action="match", status=case.ticket.status, allowed=[])
        return {}
    policy = under_policy(step, case)
    if case.ticket.site is not None:
        case.ticket.mode = policy.mode
        if not anew and _waits_for_batch(step, case, policy):
            wait_for_batch(step)
            return {}
    work, found = find_candidates(step, case)
    view = preview(step, case, work, found, policy.mode)
    if case.ticket.site is None:
        case.ticket.attention = "needs_position"
        step.db.flush()
        return view
    chosen = None if policy.mode in ("manual", "contractor") else _best(step, case, found)
    receipt = keep_receipt(step, case, work, found, policy.mode, chosen)
    step.db.flush()
    _act_by_mode(step, case, policy, found, chosen, 1 if anew else _next_round(step, case))
    return {**view, "receipt_id": receipt.id, "chosen_engineer_id": receipt.chosen_engineer_id}


def _waits_for_batch(step: Step, case: Case, policy: Policy) -> bool:
    """Whether this ticket is matched together with others: not what is urgent, and not what a batch left over."""
    mine = policy.mode in ("direct", "offer") and case.ticket.priority != "urgent"
    return bool(step.rules.batch_min) and mine and case.ticket.attention is None


def wait_for_batch(step: Step) -> None:
    """The tenant's next batch is at most `batch_min` away; one that is set already stays."""
    due_at = step.now + timedelta(minutes=step.rules.batch_min)
    step.writes.append((_WAIT, {"tenant": step.tenant_id, "due_at": due_at}))


def _best(step: Step, case: Case, found: Match) -> Candidate | None:
    """The best who is not being asked already."""
    asked = {offer.engineer_id for offer in offers.pending_offers(step, case)}
    return next((c for c in found.eligible if c.engineer.engineer_id not in asked), None)


def _next_round(step: Step, case: Case) -> int:
    """The offers of this visit count the rounds; after the last comes the first again."""
    return _last_round(step, case) % step.rules.offer_rounds + 1


def _last_round(step: Step, case: Case) -> int:
    """The round of this visit's newest offer, 0 before the first."""
    newest = (
        select(Offer.round)
        .where(
            Offer.tenant_id == step.tenant_id,
            Offer.ticket_id == case.ticket.id,
            Offer.visit_id == case.visit.id,
            Offer.kind == "offer",
        )
        .order_by(Offer.offered_at.desc(), Offer.id.desc())
        .limit(1)
    )
    return int(step.db.execute(newest).scalar() or 0)


def _act_by_mode(
    step: Step, case: Case, policy: Policy, found: Match, chosen: Candidate | None, round_: int
) -> None:
    ticket, mode = case.ticket, policy.mode
    if mode == "manual":
        ticket.attention = "manual"
    elif mode == "contractor" and contractors.has_refused(step, case, policy.contractor_id):
        ticket.attention = "offers_ran_out"
    elif mode == "contractor":
        act(step, ticket.id, "offer", Facts(engineer_id=policy.contractor_id))
    elif mode == "pool" and not look_after_pool(step, case, found):
        pass
    elif chosen is None:
        ticket.attention = "no_candidate"
        step.set_timer("match_again", ticket.id, step.now + timedelta(minutes=step.rules.match_again_min))
    elif mode == "direct":
        act(step, ticket.id, "assign", Facts(engineer_id=chosen.engineer.engineer_id))
    elif mode == "offer_many":
        offer_to(step, case, found.eligible[: step.rules.offers_at_once], round_)
    else:
        offer_to(step, case, (chosen,), round_)
    step.db.flush()


def offer_to(step: Step, case: Case, chosen: tuple[Candidate, ...], round_: int) -> None:
    """The system's `offer` to these, the round and each one's travel kept on the offer."""
    by_id = {c.engineer.engineer_id: c.engineer for c in chosen}
    act(step, case.ticket.id, "offer", Facts(engineer_ids=tuple(by_id)))
    case.offers = None
    for offer in offers.pending_offers(step, case):
        seen = by_id.get(offer.engineer_id) if offer.engineer_id else None
        if seen is not None:
            offer.round = round_
            offer.travel_s, offer.distance_m = seen.travel_s, seen.distance_m


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
    """After a no or silence: the next ones, up to the policy's rounds; then the dispatcher's queue."""
    case = load_case(step, ticket_id, Facts())
    if case.ticket.status != "offered" or offers.pending_offers(step, case):
        return
    policy = under_policy(step, case)
    work, found = find_candidates(step, case)
    asked = _last_round(step, case)
    chosen = found.eligible[0] if found.eligible else None
    if chosen is None or asked >= step.rules.offer_rounds or policy.mode == "contractor":
        keep_receipt(step, case, work, found, policy.mode, None)
        act(step, ticket_id, "run_out")
        return
    keep_receipt(step, case, work, found, policy.mode, chosen)
    at_once = step.rules.offers_at_once if policy.mode == "offer_many" else 1
    offer_to(step, case, found.eligible[:at_once], asked + 1)
    step.db.flush()
