"""The ticket a command is about, locked, with its open visit and crew: gathered in one place."""

from dataclasses import dataclass, field
from uuid import UUID

from geoalchemy2.elements import WKTElement
from geoalchemy2.shape import to_shape
from sqlalchemy import func, select

from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import Command, Facts, Principal, Role
from dispatch.domain.errors import Conflict, Forbidden, NotFound
from dispatch.domain.lifecycle import Actor
from dispatch.store.exchange import Question
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch, fetch_all
from dispatch.store.rows import Shape
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
    #: Read ahead for `engineer_of`: the session forgets what nobody holds.
    held: list[Engineer] = field(default_factory=list)

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


_TICKET, _VISIT, _WORK_TYPE = Shape(Ticket, "t"), Shape(Visit, "v"), Shape(WorkType, "w")
_CREW, _OFFER, _ENGINEER = Shape(VisitEngineer, "c"), Shape(Offer, "o"), Shape(Engineer, "e")

#: First the lock, then the reading: what hangs on the ticket and is read with the lock may be from before a wait
#: for it. The locked row itself is as it is after the wait.
_LOCK = f"""
  select {_TICKET.sql} from tickets t where t.tenant_id = %(tenant)s and t.id = %(ticket)s for update
"""
_CASE = f"""
  select {_VISIT.sql}, {_WORK_TYPE.sql}, {_CREW.sql}
  from visits v
  join tickets t on t.tenant_id = v.tenant_id and t.id = v.ticket_id
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  left join visit_engineers c on c.tenant_id = v.tenant_id and c.visit_id = v.id
  where v.tenant_id = %(tenant)s and v.id = (
    select x.id from visits x where x.tenant_id = %(tenant)s and x.ticket_id = %(ticket)s
    order by x.closed_at is not null, x.number desc limit 1)
"""
_OFFERS = f"""
  select {_OFFER.sql} from offers o where o.tenant_id = %(tenant)s and o.ticket_id = %(ticket)s order by o.id
"""
_ASKED = f"select {_ENGINEER.sql} from engineers e where e.tenant_id = %(tenant)s and e.id = %(engineer)s"
#: The actions of an engineer that look at the ticket's offers and at the engineer.
_ANSWERS = frozenset({"accept_offer", "decline_offer", "grab", "accept_hand_over"})


def case_questions(principal: Principal, command: Command) -> tuple[Question, ...]:
    """What `load_case` asks for this command, to be sent ahead with the transaction's beginning; see
    `Step.ahead`."""
    named = {"tenant": principal.tenant_id, "ticket": command.ticket_id}
    asked: tuple[Question, ...] = ((_LOCK, named), (_CASE, named))
    if principal.role is Role.ENGINEER and command.action in _ANSWERS:
        asked += ((_OFFERS, named), (_ASKED, {**named, "engineer": principal.id}))
    return asked


def load_case(
    step: Step, ticket_id: UUID, facts: Facts, witnessed_by: UUID | None = None, grabs: bool = False
) -> Case:
    """Lock the ticket and read what hangs on it. Who grabs may see a pool's ticket that is gone already.

    Raises NotFound `ticket_unknown` when there is none, or it is not the principal's to see.
    """
    named = {"tenant": step.tenant_id, "ticket": ticket_id}
    asked = (_LOCK, named), (_CASE, named)
    locked, rows, *more = step.ahead.pop(ticket_id, None) or fetch_all(step.db, *asked)
    if not locked:
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    db, ticket = step.db, _TICKET.adopt(step.db, locked[0])
    visit, work_type = _VISIT.adopt(db, rows[0]), _WORK_TYPE.adopt(db, rows[0])
    crew = [_CREW.adopt(db, row) for row in rows if row["c_engineer_id"] is not None]
    case = Case(ticket, visit, crew, work_type, step.principal.actor, facts, witnessed_by=witnessed_by)
    if more:
        offers, engineers = more
        case.offers = [_OFFER.adopt(db, row) for row in offers]
        case.held = [_ENGINEER.adopt(db, row) for row in engineers]
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
        visible = is_carried_by(step, case) or _was_asked(step, case)
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


def is_carried_by(step: Step, case: Case) -> bool:
    """The visit is in the acting contractor's hands, or in those of one of its engineers, whoever gave it to them."""
    if case.visit.contractor_id == case.contractor_id:
        return True
    if case.visit.engineer_id is None:
        return False
    engineer = step.db.get(Engineer, {"tenant_id": step.tenant_id, "id": case.visit.engineer_id})
    return engineer is not None and engineer.contractor_id == case.contractor_id


def offers_of(step: Step, case: Case) -> list[Offer]:
    """Every offer of the ticket, of all its visits, oldest first; read once a step."""
    if case.offers is None:
        values = {"tenant": step.tenant_id, "ticket": case.ticket.id}
        case.offers = [_OFFER.adopt(step.db, row) for row in fetch(step.db, _OFFERS, values)]
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


def check_lead(case: Case) -> None:
    """An engineer acts as the visit's lead or not at all. Raises Conflict `not_the_lead`."""
    if case.actor is Actor.ENGINEER and case.visit.engineer_id != case.engineer_id:
        raise Conflict("not_the_lead", ticket_id=str(case.ticket.id))


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
