"""The ticket a command is about, locked, with its open visit and crew: gathered in one place."""

from dataclasses import dataclass, field
from uuid import UUID

from geoalchemy2.elements import WKTElement
from geoalchemy2.shape import to_shape
from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import aliased

from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import Forbidden, NotFound
from dispatch.domain.lifecycle import Actor
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import Contractor, WorkType
from dispatch.store.tables.tickets import Offer, Ticket, Visit, VisitEngineer
from geo.points import Point


@dataclass(slots=True)
class Case:
    """`visit` is the open one, or the last where none is open. `engineer_id` is the engineer who
    acts (for whom a dispatcher acts); `refusal_facts` go into a refusal for the reader to see."""

    ticket: Ticket
    visit: Visit
    crew: list[VisitEngineer]
    work_type: WorkType
    actor: Actor
    facts: Facts
    engineer_id: UUID | None = None
    contractor_id: UUID | None = None
    witnessed_by: UUID | None = None
    refusal_facts: dict[str, object] = field(default_factory=dict)
    #: The ticket's offers once somebody asked for them; see `offers_of`.
    offers: list[Offer] | None = None

    @property
    def lead(self) -> VisitEngineer | None:
        return next((c for c in self.crew if c.role == "lead"), None)

    @property
    def leads(self) -> bool:
        """Whether the engineer who acts has the visit, or keeps it through a hold."""
        return self.engineer_id is not None and self.engineer_id in (
            self.visit.engineer_id,
            self.ticket.hold_engineer_id,
        )

    @property
    def site(self) -> Point | None:
        return as_point(self.ticket.site)


def as_point(column: object) -> Point | None:
    """A geography column's value as a Point."""
    if column is None:
        return None
    if isinstance(column, WKTElement):
        lon, lat = column.data.removeprefix("POINT(").removesuffix(")").split()
        return Point(float(lon), float(lat))
    (lon, lat), *_ = to_shape(column).coords  # type: ignore[arg-type]  # column values are Any in geoalchemy2
    return Point(lon, lat)


def as_geography(point: Point) -> WKTElement:
    """A Point as a geography column takes it."""
    return WKTElement(f"POINT({point.lon!r} {point.lat!r})", srid=4326)


_Last = aliased(Visit)
#: First the lock, then the reading: what is read with the lock may be from before a wait for it.
_LOCK = "select id from tickets where tenant_id = %(tenant)s and id = %(ticket)s for update"


_CASE = (
    select(Ticket, Visit, WorkType, VisitEngineer)
    .join(Visit, and_(Visit.tenant_id == Ticket.tenant_id, Visit.ticket_id == Ticket.id))
    .join(WorkType, and_(WorkType.tenant_id == Ticket.tenant_id, WorkType.code == Ticket.work_type))
    .outerjoin(
        VisitEngineer, and_(VisitEngineer.tenant_id == Visit.tenant_id, VisitEngineer.visit_id == Visit.id)
    )
    .where(
        Ticket.tenant_id == bindparam("tenant"),
        Ticket.id == bindparam("ticket"),
        Visit.id
        == select(_Last.id)
        .where(_Last.tenant_id == bindparam("tenant"), _Last.ticket_id == bindparam("ticket"))
        .order_by(_Last.closed_at.is_not(None), _Last.number.desc())
        .limit(1)
        .scalar_subquery(),
    )
    .execution_options(populate_existing=True)
)
_OFFERS = (
    select(Offer)
    .where(Offer.tenant_id == bindparam("tenant"), Offer.ticket_id == bindparam("ticket"))
    .order_by(Offer.id)
)


def load_case(
    step: Step, ticket_id: UUID, facts: Facts, witnessed_by: UUID | None = None, grabs: bool = False
) -> Case:
    """Lock the ticket and read what hangs on it. Who grabs may see a pool's ticket that is gone already.

    Raises NotFound `ticket_unknown` when there is none, or it is not the principal's to see.
    """
    named = {"tenant": step.tenant_id, "ticket": ticket_id}
    if not fetch(step.db, _LOCK, named):
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    rows = step.db.execute(_CASE, named).all()
    ticket, visit, work_type, _ = rows[0]
    crew = [row[3] for row in rows if row[3] is not None]
    case = Case(ticket, visit, crew, work_type, step.principal.actor, facts, witnessed_by=witnessed_by)
    _who_acts(step, case)
    if not (grabs and case.actor is Actor.ENGINEER and of_pool(case)):
        _check_visible(step, case)
    return case


def _who_acts(step: Step, case: Case) -> None:
    principal = step.principal
    if case.actor is Actor.ENGINEER:
        case.engineer_id = principal.id
    elif case.actor is Actor.CONTRACTOR:
        case.contractor_id = principal.contractor_id
    acting_for = case.facts.acting_for
    if acting_for is None:
        return
    if case.actor is not Actor.DISPATCHER:
        raise Forbidden("acting_for_forbidden")
    step.acting_for = acting_for
    known = {"tenant_id": step.tenant_id, "id": acting_for}
    if step.db.get(Engineer, known) is not None:
        case.actor, case.engineer_id = Actor.ENGINEER, acting_for
    elif step.db.get(Contractor, known) is not None:
        case.actor, case.contractor_id = Actor.CONTRACTOR, acting_for
    else:
        raise NotFound("engineer_unknown", engineer_id=str(acting_for))


def _check_visible(step: Step, case: Case) -> None:
    """Foreign is not found: what is not yours to see does not exist for you."""
    principal, ticket = step.principal, case.ticket
    visible = True
    if case.actor is Actor.CUSTOMER:
        visible = principal.ticket_id == ticket.id
    elif case.actor is Actor.ENGINEER:
        visible = (
            any(member.engineer_id == case.engineer_id for member in case.crew)
            or case.visit.engineer_id == case.engineer_id
            or ticket.hold_engineer_id == case.engineer_id
            or in_pool(case)
            or _was_asked(step, case)
        )
    elif case.actor is Actor.CONTRACTOR:
        visible = (
            case.visit.contractor_id == case.contractor_id or _was_asked(step, case) or _is_lent(step, case)
        )
    if not visible:
        raise NotFound("ticket_unknown", ticket_id=str(ticket.id))


def in_pool(case: Case) -> bool:
    """Open to whoever fits and is first."""
    return of_pool(case) and case.ticket.status in ("open", "offered")


def of_pool(case: Case) -> bool:
    """Whether its engineer is found by the pool, whoever has it by now."""
    return (case.ticket.mode or case.work_type.mode) == "pool"


def _was_asked(step: Step, case: Case) -> bool:
    """An offer of this ticket was made to the one who acts, live or not: so a loser reads why."""
    return any(was_made_to(offer, case) for offer in offers_of(step, case))


def _is_lent(step: Step, case: Case) -> bool:
    """The visit is in the hands of an engineer of the contractor's, whoever gave it to them."""
    if case.visit.engineer_id is None:
        return False
    engineer = step.db.get(Engineer, {"tenant_id": step.tenant_id, "id": case.visit.engineer_id})
    return engineer is not None and engineer.contractor_id == case.contractor_id


def offers_of(step: Step, case: Case) -> list[Offer]:
    """Every offer of the ticket, of all its visits, oldest first; read once a step."""
    if case.offers is None:
        values = {"tenant": step.tenant_id, "ticket": case.ticket.id}
        case.offers = list(step.db.scalars(_OFFERS, values))
    return case.offers


def was_made_to(offer: Offer, case: Case) -> bool:
    """Whether it is the offer of the one who acts."""
    if case.actor is Actor.ENGINEER:
        return offer.engineer_id is not None and offer.engineer_id == case.engineer_id
    return offer.contractor_id is not None and offer.contractor_id == case.contractor_id


def engineer_of(step: Step, engineer_id: UUID | None, code: str = "engineer_unknown") -> Engineer:
    """An active engineer of this tenant, or NotFound `code`."""
    engineer = None
    if engineer_id is not None:
        engineer = step.db.get(Engineer, {"tenant_id": step.tenant_id, "id": engineer_id})
    if engineer is None or not engineer.active:
        raise NotFound(code, engineer_id=str(engineer_id))
    return engineer


def close_visit(step: Step, case: Case, reason: str) -> None:
    """End this trip: whoever was under way has left, and asking for it is over."""
    case.visit.closed_at = step.now
    case.visit.close_reason = reason
    case.visit.version += 1
    for member in case.crew:
        if member.left_at is None:
            member.left_at = step.now
    step.drop_timers(case.visit.id, "acknowledge_by")
    step.db.flush()


def open_visit(step: Step, case: Case) -> None:
    """Another trip for the same ticket; the promised window goes with it while it lies ahead."""
    last = case.visit
    number = step.db.execute(
        select(func.max(Visit.number)).where(
            Visit.tenant_id == step.tenant_id, Visit.ticket_id == case.ticket.id
        )
    ).scalar_one()
    keeps_window = last.window_to is not None and last.window_to > step.now and last.completed_at is None
    case.visit = Visit(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        number=number + 1,
        window_from=last.window_from if keeps_window else None,
        window_to=last.window_to if keeps_window else None,
        duration_min=case.work_type.duration_min,
        opened_at=step.now,
        version=1,
    )
    case.crew = []
    step.db.add(case.visit)
    step.db.flush()


def draft_for(case: Case, action: str, before: str | None, facts: dict[str, object]) -> Draft:
    """The ticket's event of this action."""
    return Draft(
        subject_type="ticket",
        subject_id=case.ticket.id,
        ticket_id=case.ticket.id,
        action=action,
        from_status=before,
        to_status=case.ticket.status,
        facts=facts,
        text=case.facts.text,
        territory_id=case.ticket.territory_id,
    )
