"""Held: a visit waits for parts, the customer or the weather, and is taken up again, by the same engineer or not."""

from datetime import timedelta

from dispatch.actions.bookings import arm_acknowledge, give_to, take_from, unbook
from dispatch.actions.cases import Case, check_lead, close_visit, engineer_of, open_visit
from dispatch.actions.offers import withdraw_offers
from dispatch.actions.step import Step
from dispatch.domain.errors import NotReady
from dispatch.domain.lifecycle import Need
from dispatch.domain.reasons import HOLD_DEFAULTS, check_reason

MAX_HOLD = timedelta(days=365)


def _hold_met(step: Step, case: Case) -> set[Need]:
    check_lead(case)
    until = case.facts.until
    if until is not None and not step.now < until <= step.now + MAX_HOLD:
        raise NotReady("until_out_of_range", least=step.now.isoformat(), most_days=MAX_HOLD.days)
    return {Need.REASON} if check_reason("hold", case.facts.reason) else set()


def _hold(step: Step, case: Case) -> dict[str, object]:
    assert case.facts.reason is not None
    hold_days, pauses = HOLD_DEFAULTS[case.facts.reason]
    ticket = case.ticket
    engineer_id = case.visit.engineer_id
    ticket.hold_reason = case.facts.reason
    ticket.hold_until = case.facts.until or step.now + timedelta(days=hold_days)
    ticket.hold_engineer_id = engineer_id if case.facts.keep_engineer else None
    ticket.hold_pauses_promise = pauses if case.facts.pauses_promise is None else case.facts.pauses_promise
    ticket.attention = None
    withdraw_offers(step, case)
    if case.visit.set_off_at is not None:
        unbook(step, case)
        close_visit(step, case, "held")
        open_visit(step, case)
    else:
        take_from(step, case)
    step.drop_timers(ticket.id, "match_again")
    step.set_timer("hold_until", ticket.id, ticket.hold_until)
    return {
        "reason": ticket.hold_reason,
        "until": ticket.hold_until.isoformat(),
        "kept": str(ticket.hold_engineer_id) if ticket.hold_engineer_id else None,
        "pauses_promise": ticket.hold_pauses_promise,
    }


def end_hold(step: Step, case: Case) -> None:
    ticket = case.ticket
    ticket.hold_reason = ticket.hold_until = ticket.hold_engineer_id = None
    ticket.hold_pauses_promise = False
    step.drop_timers(ticket.id, "hold_until")


def _nothing(step: Step, case: Case) -> set[Need]:
    return set()


def _resume(step: Step, case: Case) -> dict[str, object]:
    end_hold(step, case)
    return {}


def _resume_kept_met(step: Step, case: Case) -> set[Need]:
    kept = case.ticket.hold_engineer_id
    if kept is None:
        return set()
    engineer_of(step, kept)
    return {Need.ENGINEER}


def _resume_kept(step: Step, case: Case) -> dict[str, object]:
    engineer = engineer_of(step, case.ticket.hold_engineer_id)
    end_hold(step, case)
    give_to(step, case, engineer, within_limit=False)
    arm_acknowledge(step, case)
    return {}


HANDLERS = {
    "hold": (_hold_met, _hold),
    "resume": (_nothing, _resume),
    "resume_kept": (_resume_kept_met, _resume_kept),
}
