"""What a finished visit leaves behind besides photos: the checklist's answers, and parts in the ledger."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.domain.commands import PartUsed
from dispatch.domain.errors import NotReady
from dispatch.domain.evidence_checklist import Problem, judge_answers
from dispatch.domain.lifecycle import Outcome
from dispatch.store.queries.reading import fetch
from dispatch.store.queries.stock import lock_van
from dispatch.store.tables.evidence import Evidence
from dispatch.store.tables.money import Part, PartMovement


def checklist_problems(step: Step, case: Case) -> list[Problem]:
    """What the checklist of this work type still asks for with this outcome; answered per machine, it is
    not asked again for the ticket."""
    answers = answers_of(case)
    items = case.work_type.checklist
    if (not items and not answers) or (case.facts.machines and not answers):
        return []
    return judge_answers(items, case.facts.outcome or Outcome.FIXED, answers, photos_at_hand(step, case))


def answers_of(case: Case) -> dict[str, object]:
    return {str(answer["item"]): answer["value"] for answer in case.facts.checklist}


def photos_at_hand(step: Step, case: Case) -> set[str]:
    """Ids and hashes of the ticket's photos, and the hashes promised in this command."""
    rows = step.db.execute(
        select(Evidence.id, Evidence.sha256).where(
            Evidence.tenant_id == step.tenant_id, Evidence.ticket_id == case.ticket.id
        )
    )
    known = set(case.facts.photo_pending)
    for photo_id, sha256 in rows:
        known |= {str(photo_id), bytes(sha256).hex()}
    return known


def check_parts(step: Step, case: Case) -> None:
    """Every part used is in the tenant's list and fully told.

    Raises NotReady `part_unknown`, `serial_missing`, `quantity_not_one` (a part with a serial number is one).
    """
    for used in case.facts.parts_used:
        part = _part(step, used.part)
        if part is None:
            raise NotReady("part_unknown", part=used.part)
        if part.serialised and not used.serial:
            raise NotReady("serial_missing", part=used.part)
        if part.serialised and used.quantity != 1:
            raise NotReady("quantity_not_one", part=used.part)


def keep_parts(step: Step, case: Case, engineer_id: UUID) -> dict[str, object]:
    """Book the parts from the van into the ticket, old ones out of it; the event's facts.

    Stock never refuses work that is done: what the van's books lack is named in `parts_short`, an old part
    that should come back and did not in `old_parts_owed`.
    """
    if not case.facts.parts_used:
        return {}
    lock_van(step.db, step.tenant_id, engineer_id)
    short, owed = [], []
    for used in case.facts.parts_used:
        part = _part(step, used.part)
        assert part is not None
        if _in_van(step, engineer_id, used.part) < used.quantity:
            short.append(used.part)
        _book(step, case, used, ("van", engineer_id), ("ticket", case.ticket.id))
        if used.old_returned:
            _book(step, case, used, ("ticket", case.ticket.id), ("returned", engineer_id))
        elif part.returned:
            owed.append(used.part)
    facts: dict[str, object] = {
        "parts": [{"part": used.part, "quantity": str(used.quantity)} for used in case.facts.parts_used]
    }
    if short:
        facts["parts_short"] = short
    if owed:
        facts["old_parts_owed"] = owed
    return facts


def _part(step: Step, code: str) -> Part | None:
    return step.db.get(Part, {"tenant_id": step.tenant_id, "code": code})


def _book(step: Step, case: Case, used: PartUsed, source: tuple[str, UUID], target: tuple[str, UUID]) -> None:
    """One line of the ledger. An old part's serial number is nobody's knowledge."""
    step.db.add(
        PartMovement(
            tenant_id=step.tenant_id,
            part=used.part,
            quantity=used.quantity,
            from_kind=source[0],
            from_id=source[1],
            to_kind=target[0],
            to_id=target[1],
            serial=None if target[0] == "returned" else used.serial,
            ticket_id=case.ticket.id,
            visit_id=case.visit.id,
            at=step.now,
        )
    )
    step.db.flush()


_IN_VAN = """
  select coalesce(sum(case when to_kind = 'van' and to_id = %(engineer)s then quantity else -quantity end), 0)
    as quantity
  from part_movements where tenant_id = %(tenant)s and part = %(part)s
    and ((to_kind = 'van' and to_id = %(engineer)s) or (from_kind = 'van' and from_id = %(engineer)s))
"""
_PARTS = """
  select p.code as part, p.name, p.unit, p.serialised, p.returned, p.price_minor,
    coalesce((select sum(case when m.to_kind = 'van' and m.to_id = %(engineer)s then m.quantity
        else -m.quantity end) from part_movements m
      where m.tenant_id = p.tenant_id and m.part = p.code
        and ((m.to_kind = 'van' and m.to_id = %(engineer)s)
          or (m.from_kind = 'van' and m.from_id = %(engineer)s))), 0)::float8 as in_van
  from parts p where p.tenant_id = %(tenant)s order by in_van desc, p.code limit 500
"""
_PRICES = """
  select code, name, kind, unit_price_minor, part from prices
  where tenant_id = %(tenant)s and active and (valid_from is null or valid_from <= %(now)s)
    and (valid_until is null or valid_until > %(now)s) order by kind, code limit 500
"""


def _in_van(step: Step, engineer_id: UUID, part: str) -> Decimal:
    values = {"tenant": step.tenant_id, "engineer": engineer_id, "part": part}
    return Decimal(fetch(step.db, _IN_VAN, values)[0]["quantity"])


def read_stock(step: Step, engineer_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """The tenant's parts with what this engineer's van holds of each, and the prices of now."""
    values = {"tenant": step.tenant_id, "engineer": engineer_id, "now": step.now}
    return {
        "parts": list(fetch(step.db, _PARTS, values)),
        "prices": list(fetch(step.db, _PRICES, values)),
    }
