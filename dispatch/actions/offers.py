"""Asking engineers: offer, answer, run out, grab from the pool, hand over to a colleague."""

from datetime import timedelta
from uuid import UUID

from dispatch.actions import contractors
from dispatch.actions.bookings import give_to
from dispatch.actions.cases import Case, engineer_of, in_pool, offers_of, was_made_to
from dispatch.actions.matching import judge_one
from dispatch.actions.pool_rules import check_grab, count_grab
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.lifecycle import Actor, Need
from dispatch.domain.matching import Refusal as Refused
from dispatch.domain.reasons import EXCLUDING, check_reason
from dispatch.store.ids import new_id
from dispatch.store.tables.tenants import Contractor
from dispatch.store.tables.tickets import Offer, Refusal

MAX_OFFERS_AT_ONCE = 20


def make_offer(
    step: Step,
    case: Case,
    engineer_id: UUID,
    round_: int,
    kind: str = "offer",
    travel: tuple[int | None, int | None] = (None, None),
) -> Offer:
    """A pending offer, its expiry armed, its event drafted."""
    offer = Offer(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        visit_id=case.visit.id,
        engineer_id=engineer_id,
        from_engineer_id=case.engineer_id if kind == "hand_over" else None,
        kind=kind,
        round=round_,
        status="pending",
        offered_at=step.now,
        expires_at=step.now + timedelta(seconds=step.rules.offer_s),
        travel_s=travel[0],
        distance_m=travel[1],
    )
    return _ask(step, case, offer)


def _ask(step: Step, case: Case, offer: Offer) -> Offer:
    offers_of(step, case).append(offer)
    step.db.add(offer)
    step.db.flush()
    step.set_timer("offer_expires", offer.id, offer.expires_at)
    return offer


def pending_offers(step: Step, case: Case) -> list[Offer]:
    return [o for o in offers_of(step, case) if o.status == "pending" and o.visit_id == case.visit.id]


def withdraw_offers(step: Step, case: Case, but: UUID | None = None) -> None:
    """Nobody is asked any more, except the offer `but`."""
    for offer in pending_offers(step, case):
        if offer.id != but:
            offer.status = "withdrawn"
            offer.answered_at = step.now
            step.drop_timers(offer.id, "offer_expires")
            step.drafts.append(_offer_draft(case, offer, "offer_withdrawn"))


def _offer_draft(case: Case, offer: Offer, action: str, text: str | None = None) -> Draft:
    whom = (
        {"engineer": str(offer.engineer_id)}
        if offer.engineer_id
        else {"contractor": str(offer.contractor_id)}
    )
    return Draft(
        subject_type="offer",
        subject_id=offer.id,
        ticket_id=case.ticket.id,
        action=action,
        facts={**whom, "status": offer.status, **({"reason": offer.reason} if offer.reason else {})},
        text=text,
        territory_id=case.ticket.territory_id,
    )


# offer


def _offer_met(step: Step, case: Case) -> set[Need]:
    return {Need.ENGINEER} if _asked(case) else set()


def _asked(case: Case) -> tuple[UUID, ...]:
    facts = case.facts
    wanted = facts.engineer_ids or ((facts.engineer_id,) if facts.engineer_id else ())
    return tuple(dict.fromkeys(wanted))[:MAX_OFFERS_AT_ONCE]


def _offer(step: Step, case: Case) -> dict[str, object]:
    pending = {offer.engineer_id or offer.contractor_id for offer in pending_offers(step, case)}
    case.ticket.attention = None
    asked = []
    for whom in _asked(case):
        if whom in pending:
            raise Conflict("offer_pending", engineer_id=str(whom))
        if step.db.get(Contractor, {"tenant_id": step.tenant_id, "id": whom}) is not None:
            offer = _offer_contractor(step, case, whom)
        else:
            offer = make_offer(step, case, engineer_of(step, whom).id, 1)
        asked.append(str(offer.id))
    step.drop_timers(case.ticket.id, "match_again")
    return {"offers": asked}


def _offer_contractor(step: Step, case: Case, contractor_id: UUID) -> Offer:
    offer = Offer(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        visit_id=case.visit.id,
        contractor_id=contractor_id,
        round=1,
        status="pending",
        offered_at=step.now,
        expires_at=step.now + timedelta(seconds=step.rules.offer_s * 4),
    )
    return _ask(step, case, offer)


# run_out


def _run_out(step: Step, case: Case) -> dict[str, object]:
    """Everyone who fits was asked: the dispatcher's turn."""
    case.ticket.attention = "offers_ran_out"
    return {}


# accept_offer, decline_offer


def _live_offer(step: Step, case: Case, kind: str) -> Offer:
    """The offer the command names (or the only one for this engineer), alive.

    Raises NotFound `offer_unknown`, Conflict `offer_not_live`.
    """
    named = case.facts.offer_id
    found = [
        offer
        for offer in offers_of(step, case)
        if offer.kind == kind and was_made_to(offer, case) and named in (None, offer.id)
    ]
    if not found:
        raise NotFound("offer_unknown", offer_id=str(named))
    offer = max(found, key=lambda o: (o.status == "pending", o.offered_at))
    if offer.status != "pending" or offer.expires_at <= step.now or offer.visit_id != case.visit.id:
        status = "expired" if offer.status == "pending" else offer.status
        raise Conflict("offer_not_live", offer_id=str(offer.id), offer_status=status)
    return offer


def _accept_met(step: Step, case: Case) -> set[Need]:
    _live_offer(step, case, "offer")
    return {Need.LIVE_OFFER}


def _accept(step: Step, case: Case) -> dict[str, object]:
    offer = _live_offer(step, case, "offer")
    lent = contractors.named_engineer(step, case) if case.actor is Actor.CONTRACTOR else None
    offer.status = "accepted"
    offer.answered_at = step.now
    step.drop_timers(offer.id, "offer_expires")
    withdraw_offers(step, case, but=offer.id)
    facts: dict[str, object] = {"offer": str(offer.id)}
    if case.actor is not Actor.CONTRACTOR:
        give_to(step, case, engineer_of(step, offer.engineer_id), within_limit=True)
        case.visit.acknowledged_at = step.now
    elif lent is not None:
        contractors.lend(step, case, lent)
    else:
        facts |= contractors.take_unnamed(step, case)
    return facts


def decline(step: Step, case: Case) -> None:
    """No, and not again; the reason is kept. The ticket itself does not move here."""
    if case.actor not in (Actor.ENGINEER, Actor.CONTRACTOR):
        raise NotFound("offer_unknown")
    reason = check_reason("decline_offer", case.facts.reason)
    if reason is None:
        raise NotReady("action_not_ready", action="decline_offer", missing=[str(Need.REASON)])
    kind = "offer"
    if case.facts.offer_id is not None:
        named = step.db.get(Offer, {"tenant_id": step.tenant_id, "id": case.facts.offer_id})
        kind = named.kind if named is not None else kind
    offer = _live_offer(step, case, kind)
    offer.status = "declined"
    offer.answered_at = step.now
    offer.reason = reason
    step.drop_timers(offer.id, "offer_expires")
    if offer.engineer_id is not None and offer.kind == "offer":
        exclude(step, case, offer.engineer_id, reason)
    step.drafts.append(_offer_draft(case, offer, "decline_offer", case.facts.text))


def expire(step: Step, case: Case, offer: Offer) -> None:
    """Nobody answered in time."""
    offer.status = "expired"
    offer.answered_at = step.now
    step.drafts.append(_offer_draft(case, offer, "offer_expired"))


def exclude(step: Step, case: Case, engineer_id: UUID, reason: str) -> None:
    """Do not ask this engineer about this ticket again, where the reason is of that kind."""
    if reason not in EXCLUDING:
        return
    key = {"tenant_id": step.tenant_id, "ticket_id": case.ticket.id, "engineer_id": engineer_id}
    if step.db.get(Refusal, key) is None:
        step.db.add(Refusal(**key, reason=reason, at=step.now))
        step.db.flush()


# grab


def _grab_met(step: Step, case: Case) -> set[Need]:
    """The pool's rules: open to all who fit, and this engineer fits."""
    check_eligible(step, case)
    return {Need.POOL}


def check_eligible(step: Step, case: Case) -> None:
    """Raises Conflict `not_in_pool`, `not_in_ring`, `grabs_used_up`, `not_eligible` with the broken rules."""
    if not in_pool(case):
        raise Conflict("not_in_pool", ticket_id=str(case.ticket.id))
    engineer = engineer_of(step, case.engineer_id)
    check_grab(step, case, engineer.id)
    broken = [r for r in judge_one(step, case, engineer.id).refusals if not _may_grab_despite(r)]
    if broken:
        raise Conflict("not_eligible", broken_rules=[r.as_json() for r in broken])


def _may_grab_despite(refusal: Refused) -> bool:
    """Silence is not a no, and who grabs knows where they are."""
    silent = refusal.rule == "refused_before" and refusal.facts.get("reason") == "expired"
    return silent or refusal.rule == "position_unknown"


def _grab(step: Step, case: Case) -> dict[str, object]:
    withdraw_offers(step, case)
    give_to(step, case, engineer_of(step, case.engineer_id), within_limit=True)
    case.visit.acknowledged_at = step.now
    count_grab(step, case)
    return {}


# hand_over, accept_hand_over


def _hand_over_met(step: Step, case: Case) -> set[Need]:
    _check_lead(case)
    colleague = case.facts.colleague_id
    if colleague is None or colleague == case.engineer_id:
        return set()
    engineer_of(step, colleague, "colleague_unknown")
    return {Need.COLLEAGUE}


def _hand_over(step: Step, case: Case) -> dict[str, object]:
    """Ask the colleague; the visit moves when they accept."""
    assert case.facts.colleague_id is not None
    for earlier in pending_offers(step, case):
        if earlier.kind == "hand_over":
            earlier.status = "withdrawn"
            earlier.answered_at = step.now
    step.db.flush()
    offer = make_offer(step, case, case.facts.colleague_id, 1, kind="hand_over")
    return {"offers": [str(offer.id)], "colleague": str(case.facts.colleague_id)}


def _accept_hand_over_met(step: Step, case: Case) -> set[Need]:
    _live_offer(step, case, "hand_over")
    return {Need.LIVE_OFFER}


def _accept_hand_over(step: Step, case: Case) -> dict[str, object]:
    offer = _live_offer(step, case, "hand_over")
    if case.visit.engineer_id != offer.from_engineer_id:
        raise Conflict("offer_not_live", offer_id=str(offer.id), offer_status="withdrawn")
    offer.status = "accepted"
    offer.answered_at = step.now
    step.drop_timers(offer.id, "offer_expires")
    give_to(step, case, engineer_of(step, offer.engineer_id), within_limit=True)
    case.visit.acknowledged_at = step.now
    return {"offer": str(offer.id), "from": str(offer.from_engineer_id)}


def _check_lead(case: Case) -> None:
    if case.engineer_id is None or case.visit.engineer_id != case.engineer_id:
        raise Conflict("not_the_lead", ticket_id=str(case.ticket.id))


def _nothing(step: Step, case: Case) -> set[Need]:
    return set()


HANDLERS = {
    "offer": (_offer_met, _offer),
    "run_out": (_nothing, _run_out),
    "accept_offer": (_accept_met, _accept),
    "grab": (_grab_met, _grab),
    "hand_over": (_hand_over_met, _hand_over),
    "accept_hand_over": (_accept_hand_over_met, _accept_hand_over),
}
