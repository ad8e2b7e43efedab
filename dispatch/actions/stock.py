"""Parts come into a depot, go out in vans, come back, and are counted; old ones come in and go. Every step is lines of
the ledger."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import as_geography
from dispatch.actions.shifts import check_directs
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotFound
from dispatch.domain.reasons import check_reason
from dispatch.domain.stock import SUPPLIER, Place, StockLine, check_lines, correction
from dispatch.store.queries.stock import held, is_received, last_place, lock_van, owes
from dispatch.store.tables.money import Depot, Part, PartMovement
from geo.points import Point


def put_depot(
    step: Step, depot_id: UUID, code: str, name: dict[str, str], position: Point | None, active: bool
) -> None:
    """A depot made or changed. Raises Conflict `code_taken`."""
    taken = select(Depot.id).where(
        Depot.tenant_id == step.tenant_id, Depot.code == code, Depot.id != depot_id
    )
    if step.db.scalars(taken).first() is not None:
        raise Conflict("code_taken", depot=code)
    where = as_geography(position) if position is not None else None
    values = {"code": code, "name": name, "position": where, "active": active}
    row = insert(Depot).values(tenant_id=step.tenant_id, id=depot_id, **values)
    step.db.execute(row.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values))
    _draft(step, depot_id, "put_depot", {"code": code, "active": active})


def receive(step: Step, depot_id: UUID, reference: str, lines: Sequence[StockLine]) -> None:
    """From a supplier into the depot; `reference` is the delivery note, taken in once for each depot.

    Raises NotFound `depot_unknown`; Conflict `delivery_known`, `serial_known` (that piece lies somewhere already);
    NotReady of `check_lines`.
    """
    _lock(step, depot_id)
    serialised = _check(step, lines)
    if is_received(step.db, step.tenant_id, depot_id, reference):
        raise Conflict("delivery_known", reference=reference)
    for line in lines:
        if serialised[line.part]:
            lies = last_place(step.db, step.tenant_id, line.part, line.serial or "")
            if lies is not None and lies[0] in ("depot", "van"):
                raise Conflict("serial_known", part=line.part, serial=line.serial)
    depot = Place("depot", depot_id)
    for line in lines:
        _book(step, line, SUPPLIER, depot, reference=reference)
    _draft(step, depot_id, "receive_parts", {"reference": reference, "lines": len(lines)})


def load_van(step: Step, depot_id: UUID, engineer_id: UUID, lines: Sequence[StockLine]) -> None:
    """From the depot into an engineer's van.

    Raises NotFound `depot_unknown`, `engineer_unknown`; Conflict `stock_short`, `serial_elsewhere`; NotReady of
    `check_lines`.
    """
    _move(step, depot_id, engineer_id, lines, into_van=True)
    _draft(step, depot_id, "load_van", {"engineer": str(engineer_id), "lines": len(lines)})


def unload_van(step: Step, depot_id: UUID, engineer_id: UUID, lines: Sequence[StockLine]) -> None:
    """From an engineer's van back into the depot. Raises as `load_van`."""
    _move(step, depot_id, engineer_id, lines, into_van=False)
    _draft(step, depot_id, "unload_van", {"engineer": str(engineer_id), "lines": len(lines)})


def take_stock(step: Step, place: Place, reason: str, lines: Sequence[StockLine]) -> dict[str, Any]:
    """What was counted in a depot or a van is what it holds from now on; {lines} says how many were corrected.

    Raises NotFound `depot_unknown`, `engineer_unknown`; NotReady of `check_lines`, `reason_unknown`.
    """
    assert place.id is not None
    check_reason("stock_take", reason)
    if place.kind == "depot":
        _lock(step, place.id)
    else:
        check_directs(step, place.id)
        lock_van(step.db, step.tenant_id, place.id)
    serialised = _check(step, lines, counted=True)
    corrected = 0
    for line in lines:
        serial = line.serial if serialised[line.part] else None
        change = correction(
            place, held(step.db, step.tenant_id, place, line.part, serial), line.quantity, reason
        )
        if change is not None:
            source, target, quantity = change
            _book(step, StockLine(line.part, quantity, serial), source, target, reason=reason)
            corrected += 1
    _draft(step, place.id, "take_stock", {"place": place.kind, "reason": reason, "corrected": corrected})
    return {"lines": corrected}


def take_old(step: Step, depot_id: UUID, engineer_id: UUID, lines: Sequence[StockLine]) -> None:
    """Old parts that an engineer took from customers, into the depot; their serial numbers are nobody's knowledge.

    Raises NotFound `depot_unknown`, `engineer_unknown`; Conflict `stock_short`; NotReady of `check_lines`.
    """
    _lock(step, depot_id)
    check_directs(step, engineer_id)
    lock_van(step.db, step.tenant_id, engineer_id)
    _move_old(step, Place("returned", engineer_id), Place("returned", depot_id), lines)
    _draft(step, depot_id, "take_old_parts", {"engineer": str(engineer_id), "lines": len(lines)})


def bring_old(step: Step, ticket_id: UUID, engineer_id: UUID, lines: Sequence[StockLine]) -> None:
    """Old parts of a ticket that the engineer has only now, whatever became of the ticket since.

    Raises NotFound `engineer_unknown`; Conflict `old_part_not_owed`; NotReady of `check_lines`.
    """
    check_directs(step, engineer_id)
    lock_van(step.db, step.tenant_id, engineer_id)
    check_lines(lines, dict.fromkeys(_serialised(step, lines), False))
    for line in lines:
        owed = owes(step.db, step.tenant_id, ticket_id, engineer_id, line.part)
        if owed < line.quantity:
            raise Conflict("old_part_not_owed", part=line.part, owed=str(owed), wanted=str(line.quantity))
        _book(step, line, Place("ticket", ticket_id), Place("returned", engineer_id), ticket_id=ticket_id)
    facts: dict[str, object] = {"engineer": str(engineer_id), "lines": len(lines)}
    step.drafts.append(Draft("stock", engineer_id, ticket_id, "bring_old_parts", facts=facts))


def book_out_old(
    step: Step,
    depot_id: UUID,
    to: Literal["scrapped", "supplier"],
    reference: str | None,
    lines: Sequence[StockLine],
) -> None:
    """Old parts out of the depot: thrown away, or to the supplier under a paper's `reference`.

    Raises NotFound `depot_unknown`; Conflict `stock_short`; NotReady of `check_lines`.
    """
    _lock(step, depot_id)
    _move_old(step, Place("returned", depot_id), Place(to), lines, reference)
    _draft(step, depot_id, "book_out_old_parts", {"to": to, "lines": len(lines)})


def _move_old(
    step: Step, source: Place, target: Place, lines: Sequence[StockLine], reference: str | None = None
) -> None:
    check_lines(lines, dict.fromkeys(_serialised(step, lines), False))
    for line in lines:
        _check_holds(step, source, line)
        _book(step, line, source, target, reference=reference)


def _move(
    step: Step, depot_id: UUID, engineer_id: UUID, lines: Sequence[StockLine], *, into_van: bool
) -> None:
    _lock(step, depot_id)
    check_directs(step, engineer_id)
    lock_van(step.db, step.tenant_id, engineer_id)
    serialised = _check(step, lines)
    depot, van = Place("depot", depot_id), Place("van", engineer_id)
    source, target = (depot, van) if into_van else (van, depot)
    for line in lines:
        _check_holds(step, source, line)
        if serialised[line.part]:
            where = last_place(step.db, step.tenant_id, line.part, line.serial or "")
            if where != (source.kind, source.id):
                raise Conflict("serial_elsewhere", part=line.part, serial=line.serial)
    for line in lines:
        _book(step, line, source, target)


def _check_holds(step: Step, place: Place, line: StockLine) -> None:
    """Raises Conflict `stock_short` where the books hold less there than the line wants."""
    lies = held(step.db, step.tenant_id, place, line.part)
    if lies < line.quantity:
        raise Conflict(
            "stock_short", part=line.part, held=str(lies), wanted=str(line.quantity), **place.facts()
        )


def _lock(step: Step, depot_id: UUID) -> Depot:
    """The depot's row, held until the end: what it holds is counted by one at a time."""
    wanted = select(Depot).where(Depot.tenant_id == step.tenant_id, Depot.id == depot_id, Depot.active)
    depot = step.db.scalars(wanted.with_for_update()).one_or_none()
    if depot is None:
        raise NotFound("depot_unknown", depot_id=str(depot_id))
    return depot


def _check(step: Step, lines: Sequence[StockLine], counted: bool = False) -> dict[str, bool]:
    """Which of the lines' parts have serial numbers. Raises NotReady of `check_lines`."""
    serialised = _serialised(step, lines)
    check_lines(lines, serialised, counted)
    return serialised


def _serialised(step: Step, lines: Sequence[StockLine]) -> dict[str, bool]:
    """Whether each has serial numbers, of those of the lines' parts that are on the list."""
    wanted = select(Part.code, Part.serialised).where(
        Part.tenant_id == step.tenant_id, Part.code.in_({line.part for line in lines})
    )
    return {part.code: part.serialised for part in step.db.execute(wanted)}


def _book(
    step: Step,
    line: StockLine,
    source: Place,
    target: Place,
    *,
    reference: str | None = None,
    reason: str | None = None,
    ticket_id: UUID | None = None,
) -> None:
    step.db.add(
        PartMovement(
            tenant_id=step.tenant_id,
            part=line.part,
            quantity=Decimal(line.quantity),
            from_kind=source.kind,
            from_id=source.id,
            to_kind=target.kind,
            to_id=target.id,
            serial=line.serial,
            at=step.now,
            reference=reference,
            reason=reason,
            ticket_id=ticket_id,
            booked_by=step.principal.id,
        )
    )
    step.db.flush()


def _draft(step: Step, subject_id: UUID, action: str, facts: dict[str, object]) -> None:
    step.drafts.append(Draft("stock", subject_id, None, action, facts=facts))
