"""Tickets come in; are corrected, moved, chased, noted; are called off or found to be twins."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from dispatch.actions.bookings import rebook_day, unbook
from dispatch.actions.cases import Case, as_geography, close_visit
from dispatch.actions.offers import withdraw_offers
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.events import instant
from dispatch.domain.lifecycle import Actor, Need, TicketStatus
from dispatch.domain.reasons import check_reason
from dispatch.domain.words import search_words
from dispatch.store.ids import new_id, new_ticket_no
from dispatch.store.personal import phone_digits
from dispatch.store.tables.people import Customer
from dispatch.store.tables.tenants import DirectoryEntry, WorkType
from dispatch.store.tables.tickets import CustomerLink, Promise, Ticket, Visit
from geo.points import Point

PRIORITIES = ("low", "normal", "high", "urgent")
LONGEST_WINDOW = timedelta(days=31)
FURTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class TicketWanted:
    """A repair asked for. `site` is WGS-84, with the raw reading beside it."""

    work_type: str
    description: str
    address: str
    source: str
    priority: str = "normal"
    door: str | None = None
    site: Point | None = None
    site_raw: dict[str, Any] | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    window_from: datetime | None = None
    window_to: datetime | None = None
    due_at: datetime | None = None
    language: str | None = None
    external_ref: str | None = None
    ticket_id: UUID = field(default_factory=new_id)


def create_ticket(step: Step, wanted: TicketWanted) -> dict[str, Any]:
    """A ticket, its first visit, its customer's link, its event. Returns TicketCreated without `seq`.

    Raises NotReady `work_type_unknown`, `window_invalid`; Conflict `external_ref_known` with the
    ticket that has this reference already.
    """
    work_type = step.db.get(WorkType, {"tenant_id": step.tenant_id, "code": wanted.work_type})
    if work_type is None:
        raise NotReady("work_type_unknown", work_type=wanted.work_type)
    if wanted.priority not in PRIORITIES:
        raise NotReady("priority_unknown", priority=wanted.priority, allowed=list(PRIORITIES))
    check_window(step, wanted.window_from, wanted.window_to)
    _check_new(step, wanted)
    ticket = _new_ticket(step, wanted)
    step.db.add(ticket)
    step.db.flush()
    visit = Visit(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=ticket.id,
        number=1,
        window_from=wanted.window_from,
        window_to=wanted.window_to,
        duration_min=work_type.duration_min,
        opened_at=step.now,
        version=1,
    )
    step.db.add(visit)
    if wanted.window_to is not None:
        promise_window(step, ticket.id, wanted.window_from, wanted.window_to)
    token = make_link(step, ticket.id)
    step.drafts.append(
        Draft(
            subject_type="ticket",
            subject_id=ticket.id,
            ticket_id=ticket.id,
            action="create",
            to_status=ticket.status,
            facts={
                "source": wanted.source,
                "work_type": wanted.work_type,
                "priority": wanted.priority,
                "engineer": None,
                "visit": str(visit.id),
                "window": [instant(wanted.window_from), instant(wanted.window_to)],
            },
            territory_id=ticket.territory_id,
        )
    )
    return {
        "ticket_id": str(ticket.id),
        "ticket_no": ticket.ticket_no,
        "status": ticket.status,
        "version": 1,
        "customer_link": token,
    }


def _check_new(step: Step, wanted: TicketWanted) -> None:
    if wanted.external_ref is None:
        return
    known = step.db.scalars(
        select(Ticket.id).where(
            Ticket.tenant_id == step.tenant_id,
            Ticket.source == wanted.source,
            Ticket.external_ref == wanted.external_ref,
        )
    ).one_or_none()
    if known is not None:
        raise Conflict("external_ref_known", ticket_id=str(known), external_ref=wanted.external_ref)


def _new_ticket(step: Step, wanted: TicketWanted) -> Ticket:
    ticket_id, personal, tenant_id = wanted.ticket_id, step.personal, step.tenant_id
    digits = phone_digits(wanted.contact_phone)
    number = new_ticket_no()
    return Ticket(
        tenant_id=tenant_id,
        id=ticket_id,
        ticket_no=number,
        status=str(TicketStatus.OPEN),
        version=1,
        priority=wanted.priority,
        work_type=wanted.work_type,
        territory_id=territory_at(step, wanted.site),
        customer_id=_customer(step, wanted, digits),
        description=wanted.description,
        address=wanted.address,
        door_enc=personal.encrypt(wanted.door, tenant_id, ticket_id, "door"),
        contact_name_enc=personal.encrypt(wanted.contact_name, tenant_id, ticket_id, "contact_name"),
        contact_phone_enc=personal.encrypt(wanted.contact_phone, tenant_id, ticket_id, "contact_phone"),
        contact_phone_blind=personal.blind(digits, tenant_id),
        contact_last4_blind=personal.blind(digits[-4:] if digits else None, tenant_id),
        language=wanted.language or step.rules.language,
        site=as_geography(wanted.site) if wanted.site else None,
        site_raw=wanted.site_raw,
        source=wanted.source,
        external_ref=wanted.external_ref,
        due_at=wanted.due_at,
        created_at=step.now,
        updated_at=step.now,
        attention=None if wanted.site else "needs_position",
        search=search_words(number, wanted.description, wanted.address, wanted.external_ref),
    )


def _customer(step: Step, wanted: TicketWanted, digits: str | None) -> UUID | None:
    """Who asks, known again by the phone number."""
    if digits is None:
        return None
    blind = step.personal.blind(digits, step.tenant_id)
    known = step.db.scalars(
        select(Customer.id)
        .where(Customer.tenant_id == step.tenant_id, Customer.phone_blind == blind)
        .limit(1)
    ).one_or_none()
    if known is not None:
        return known
    customer_id = new_id()
    step.db.add(
        Customer(
            tenant_id=step.tenant_id,
            id=customer_id,
            name_enc=step.personal.encrypt(wanted.contact_name, step.tenant_id, customer_id, "name"),
            phone_enc=step.personal.encrypt(wanted.contact_phone, step.tenant_id, customer_id, "phone"),
            phone_blind=blind,
            phone_last4_blind=step.personal.blind(digits[-4:], step.tenant_id),
            language=wanted.language or step.rules.language,
            created_at=step.now,
        )
    )
    step.db.flush()
    return customer_id


_TERRITORY = text("""
    select id from territories where tenant_id = :tenant and area is not null
      and st_covers(area, st_setsrid(st_makepoint(:lon, :lat), 4326)::geography)
    order by id limit 1
""")


def territory_at(step: Step, site: Point | None) -> UUID | None:
    """The territory whose area covers the site, if any."""
    if site is None:
        return None
    row = step.db.execute(_TERRITORY, {"tenant": step.tenant_id, "lon": site.lon, "lat": site.lat}).first()
    return row.id if row else None


def make_link(step: Step, ticket_id: UUID) -> str:
    """A new link for the ticket's customer: 160 bits, kept as a hash and, to be sent again, encrypted."""
    token = secrets.token_urlsafe(20)
    digest = sha256(token.encode()).digest()
    link_id = new_id()
    sealed = step.personal.encrypt(token, step.tenant_id, link_id, "link")
    assert sealed is not None
    step.db.add(
        CustomerLink(
            tenant_id=step.tenant_id,
            id=link_id,
            ticket_id=ticket_id,
            token_hash=digest,
            token_enc=sealed,
            created_at=step.now,
            expires_at=step.now + timedelta(days=step.rules.link_days),
        )
    )
    step.db.add(
        DirectoryEntry(
            lookup=f"link:{digest.hex()}", tenant_id=step.tenant_id, kind="link", subject_id=link_id
        )
    )
    return token


def check_window(step: Step, start: datetime | None, end: datetime | None) -> None:
    """Both or neither, in order, not over, not absurd. Raises NotReady `window_invalid`."""
    if start is None and end is None:
        return
    why = None
    if start is None or end is None:
        why = "half"
    elif end <= start:
        why = "ends_before_it_begins"
    elif end <= step.now:
        why = "past"
    elif end - start > LONGEST_WINDOW:
        why = "too_long"
    elif start - step.now > FURTHEST:
        why = "too_far_ahead"
    if why:
        raise NotReady("window_invalid", why=why)


def promise_window(step: Step, ticket_id: UUID, start: datetime | None, end: datetime) -> None:
    """A new version of what the customer was promised; the older one stays, superseded."""
    mine = (Promise.tenant_id == step.tenant_id, Promise.ticket_id == ticket_id, Promise.kind == "window")
    version = step.db.execute(select(func.coalesce(func.max(Promise.version), 0)).where(*mine)).scalar_one()
    step.db.execute(
        update(Promise).where(*mine, Promise.superseded_at.is_(None)).values(superseded_at=step.now)
    )
    step.db.add(
        Promise(
            tenant_id=step.tenant_id,
            id=new_id(),
            ticket_id=ticket_id,
            kind="window",
            version=version + 1,
            promised_from=start,
            promised_to=end,
            promised_by=str(step.principal.role),
            promised_by_id=step.principal.id,
            promised_at=step.now,
        )
    )


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
    if facts.work_type is not None and not step.db.get(
        WorkType, {"tenant_id": step.tenant_id, "code": facts.work_type}
    ):
        raise NotReady("work_type_unknown", work_type=facts.work_type)
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
