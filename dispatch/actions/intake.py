"""Tickets come in: from dispatchers, other systems, customers and files, through one function."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update

from dispatch.actions.cases import as_geography
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotReady
from dispatch.domain.events import instant
from dispatch.domain.lifecycle import TicketStatus
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


def create_ticket(step: Step, wanted: TicketWanted, retired_too: bool = False) -> dict[str, Any]:
    """A ticket, its first visit, its customer's link, its event. Returns TicketCreated without `seq`.

    `retired_too`: what goes on from an older ticket may be of a work type no longer offered. Raises NotReady
    `work_type_unknown`, `work_type_retired`, `window_invalid`; Conflict `external_ref_known` with the
    ticket that has this reference already.
    """
    work_type = step.db.get(WorkType, {"tenant_id": step.tenant_id, "code": wanted.work_type})
    if work_type is None:
        raise NotReady("work_type_unknown", work_type=wanted.work_type)
    if work_type.retired_at is not None and not retired_too:
        raise NotReady("work_type_retired", work_type=wanted.work_type)
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
        .where(
            Customer.tenant_id == step.tenant_id,
            Customer.phone_blind.in_(step.personal.blinds(digits, step.tenant_id)),
        )
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
