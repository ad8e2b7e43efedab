"""A ticket that is there is corrected, moved, chased, noted, called off or found to be a twin."""

from sqlalchemy import select

from dispatch.actions.bookings import rebook_day, unbook
from dispatch.actions.cases import Case, as_geography, close_visit
from dispatch.actions.intake import check_window, promise_window, territory_at
from dispatch.actions.offers import withdraw_offers
from dispatch.actions.step import Step
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.events import instant
from dispatch.domain.lifecycle import Actor, Need
from dispatch.domain.reasons import check_reason
from dispatch.domain.words import search_words
from dispatch.store.personal import phone_digits
from dispatch.store.tables.tenants import WorkType
from dispatch.store.tables.tickets import Ticket
from geo.points import Point

# cancel, mark_duplicate


def _cancel_met(step: Step, case: Case) -> set[Need]:
    return {Need.REASON} if check_reason("cancel", case.facts.reason) else set()


def _cancel(step: Step, case: Case) -> dict[str, object]:
    _call_off(step, case, "cancelled")
    return {"reason": case.facts.reason}


def _call_off(step: Step, case: Case, reason: str) -> None:
    withdraw_offers(step, case)
    unbook(step, case)
    case.ticket.attention = None
    case.ticket.hold_reason = case.ticket.hold_until = case.ticket.hold_engineer_id = None
    case.ticket.closed_at = step.now
    step.drop_timers(case.ticket.id, "match_again", "hold_until", "sign_off_by")
    close_visit(step, case, reason)


def _duplicate_met(step: Step, case: Case) -> set[Need]:
    original = case.facts.duplicate_of
    if original is None:
        return set()
    found = step.db.execute(
        select(Ticket.status, Ticket.duplicate_of).where(
            Ticket.tenant_id == step.tenant_id, Ticket.id == original
        )
    ).one_or_none()
    if found is None:
        raise NotFound("ticket_unknown", ticket_id=str(original))
    if original == case.ticket.id or found.duplicate_of is not None:
        raise NotReady("duplicate_of_itself", duplicate_of=str(original))
    return {Need.DUPLICATE_OF}


def _mark_duplicate(step: Step, case: Case) -> dict[str, object]:
    case.ticket.duplicate_of = case.facts.duplicate_of
    _call_off(step, case, "duplicate")
    return {"duplicate_of": str(case.facts.duplicate_of)}


# amend

_PLAIN = ("priority", "description", "address", "due_at")


def _amend_met(step: Step, case: Case) -> set[Need]:
    facts = case.facts
    if facts.work_type is not None:
        work_type = step.db.get(WorkType, {"tenant_id": step.tenant_id, "code": facts.work_type})
        if work_type is None:
            raise NotReady("work_type_unknown", work_type=facts.work_type)
        if work_type.retired_at is not None and facts.work_type != case.ticket.work_type:
            raise NotReady("work_type_retired", work_type=facts.work_type)
    named = [*_PLAIN, "work_type", "site", "door", "contact_name", "contact_phone"]
    return {Need.CHANGES} if any(getattr(facts, name) is not None for name in named) else set()


def _amend(step: Step, case: Case) -> dict[str, object]:
    """Fields as they should have been. The event names the fields, never their old or new text."""
    facts, ticket = case.facts, case.ticket
    changed = [name for name in _PLAIN if getattr(facts, name) is not None]
    for name in changed:
        setattr(ticket, name, getattr(facts, name))
    if facts.work_type is not None and facts.work_type != ticket.work_type:
        changed.append("work_type")
        _change_work_type(step, case, facts.work_type)
    if facts.site is not None:
        changed.append("site")
        site = Point(*facts.site)
        ticket.site = as_geography(site)
        ticket.territory_id = territory_at(step, site)
        if ticket.attention == "needs_position":
            ticket.attention = None
    changed += _amend_contact(step, case)
    ticket.search = search_words(ticket.ticket_no, ticket.description, ticket.address, ticket.external_ref)
    return {"fields": changed}


def _change_work_type(step: Step, case: Case, code: str) -> None:
    work_type = step.db.get(WorkType, {"tenant_id": step.tenant_id, "code": code})
    assert work_type is not None
    case.ticket.work_type = code
    case.work_type = work_type
    if case.visit.engineer_id is None and case.visit.closed_at is None:
        case.visit.duration_min = work_type.duration_min


def _amend_contact(step: Step, case: Case) -> list[str]:
    facts, ticket, personal = case.facts, case.ticket, step.personal
    changed = []
    if facts.door is not None:
        changed.append("door")
        ticket.door_enc = personal.encrypt(facts.door, step.tenant_id, ticket.id, "door")
    if facts.contact_name is not None:
        changed.append("contact_name")
        ticket.contact_name_enc = personal.encrypt(
            facts.contact_name, step.tenant_id, ticket.id, "contact_name"
        )
    if facts.contact_phone is not None:
        changed.append("contact_phone")
        digits = phone_digits(facts.contact_phone)
        ticket.contact_phone_enc = personal.encrypt(
            facts.contact_phone, step.tenant_id, ticket.id, "contact_phone"
        )
        ticket.contact_phone_blind = personal.blind(digits, step.tenant_id)
        ticket.contact_last4_blind = personal.blind(digits[-4:] if digits else None, step.tenant_id)
    return changed


# rebook, contact, urge, note


def _rebook_met(step: Step, case: Case) -> set[Need]:
    check_window(step, case.facts.window_from, case.facts.window_to)
    return {Need.WINDOW} if case.facts.window_to is not None else set()


def _rebook(step: Step, case: Case) -> dict[str, object]:
    _move_window(step, case)
    return {}


def _move_window(step: Step, case: Case) -> None:
    assert case.facts.window_to is not None
    case.visit.window_from = case.facts.window_from
    case.visit.window_to = case.facts.window_to
    case.visit.version += 1
    rebook_day(step, case)
    promise_window(step, case.ticket.id, case.facts.window_from, case.facts.window_to)


def _contact_met(step: Step, case: Case) -> set[Need]:
    check_window(step, case.facts.window_from, case.facts.window_to)
    if case.actor is Actor.ENGINEER and not case.leads:
        raise Conflict("not_the_lead", ticket_id=str(case.ticket.id))
    if case.facts.window_to is not None and case.visit.window_to is not None:
        raise Conflict("window_promised", window_to=instant(case.visit.window_to))
    return {Need.TEXT} if case.facts.text or case.facts.window_to else set()


def _contact(step: Step, case: Case) -> dict[str, object]:
    """The call was made; the first appointment may be agreed in it, a later one only by `rebook`."""
    case.visit.contacted_at = step.now
    if case.facts.window_to is not None:
        _move_window(step, case)
    return {}


def _nothing(step: Step, case: Case) -> set[Need]:
    return set()


def _urge(step: Step, case: Case) -> dict[str, object]:
    case.ticket.urged += 1
    case.ticket.attention = case.ticket.attention or "urged"
    return {"urged": case.ticket.urged}


def _note_met(step: Step, case: Case) -> set[Need]:
    return {Need.TEXT} if case.facts.text else set()


def _note(step: Step, case: Case) -> dict[str, object]:
    return {}


HANDLERS = {
    "cancel": (_cancel_met, _cancel),
    "mark_duplicate": (_duplicate_met, _mark_duplicate),
    "amend": (_amend_met, _amend),
    "rebook": (_rebook_met, _rebook),
    "contact": (_contact_met, _contact),
    "urge": (_nothing, _urge),
    "note": (_note_met, _note),
}
