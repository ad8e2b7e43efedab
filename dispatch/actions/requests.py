"""Engineers ask for overtime, leave, a discount, a part; a dispatcher approves or refuses, and it takes effect."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.matching_setup import set_part_wanted
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotFound
from dispatch.domain.requests import check_request
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.queries.requests import leads_ticket
from dispatch.store.tables.money import Part, Request
from dispatch.store.tables.people import Absence, Engineer

_EXTRA = """
  insert into engineer_days as d (tenant_id, engineer_id, day, extra_min)
  values (%(tenant)s, %(engineer)s, %(day)s, %(minutes)s)
  on conflict (tenant_id, engineer_id, day) do update set extra_min = d.extra_min + %(minutes)s
  returning extra_min
"""


def ask(step: Step, kind: str, ticket_id: UUID | None, facts: dict[str, Any]) -> dict[str, Any]:
    """A request by the engineer who acts. Returns {request_id, status}.

    Raises NotReady of `check_request`; NotFound `ticket_unknown` where the ticket is not theirs, `part_unknown`.
    """
    kept = check_request(kind, ticket_id, facts, step.now, step.rules.local_day(step.now))
    engineer_id = step.principal.id
    if ticket_id is not None and not leads_ticket(step.db, step.tenant_id, engineer_id, ticket_id):
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    if kind == "part" and step.db.get(Part, {"tenant_id": step.tenant_id, "code": kept["part"]}) is None:
        raise NotFound("part_unknown", part=kept["part"])
    request = Request(
        tenant_id=step.tenant_id,
        id=new_id(),
        kind=kind,
        engineer_id=engineer_id,
        ticket_id=ticket_id,
        status="open",
        facts=kept,
        asked_at=step.now,
    )
    step.db.add(request)
    step.db.flush()
    _draft(step, request, "ask_request")
    return {"request_id": str(request.id), "status": request.status}


def withdraw(step: Step, request_id: UUID) -> dict[str, Any]:
    """Not wanted any more. Raises NotFound `request_unknown`, Conflict `request_answered`."""
    request = _open(step, request_id)
    if request.engineer_id != step.principal.id:
        raise NotFound("request_unknown", request_id=str(request_id))
    return _answer(step, request, "withdrawn", "withdraw_request")


def refuse(step: Step, request_id: UUID) -> dict[str, Any]:
    """Raises NotFound `request_unknown`, Conflict `request_answered`."""
    return _answer(step, _open(step, request_id), "refused", "refuse_request")


def approve(step: Step, request_id: UUID) -> dict[str, Any]:
    """It takes effect at once: overtime lengthens the day's limit, leave is an absence, a part must be in the van
    of who comes, a discount stands on the ticket for the quote. Raises as `refuse`."""
    request = _open(step, request_id)
    facts = request.facts
    if request.kind == "overtime":
        day = date.fromisoformat(facts["day"])
        values = {"tenant": step.tenant_id, "engineer": request.engineer_id, "day": day}
        fetch(step.db, _EXTRA, {**values, "minutes": facts["minutes"]})
    elif request.kind == "leave":
        step.db.add(
            Absence(
                tenant_id=step.tenant_id,
                id=new_id(),
                engineer_id=request.engineer_id,
                reason="leave",
                starts_at=datetime.fromisoformat(facts["starts_at"]),
                ends_at=datetime.fromisoformat(facts["ends_at"]),
            )
        )
    elif request.kind == "part":
        assert request.ticket_id is not None
        set_part_wanted(step, request.ticket_id, facts["part"], Decimal(facts["quantity"]))
    return _answer(step, request, "approved", "approve_request")


def _open(step: Step, request_id: UUID) -> Request:
    found = (
        select(Request)
        .where(Request.tenant_id == step.tenant_id, Request.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    request = step.db.scalars(found).one_or_none()
    if request is None or not _is_theirs(step, request):
        raise NotFound("request_unknown", request_id=str(request_id))
    if request.status != "open":
        raise Conflict("request_answered", request_id=str(request_id), status=request.status)
    return request


def _is_theirs(step: Step, request: Request) -> bool:
    """A dispatcher bound to territories answers the engineers of these, and those of none."""
    if not step.principal.territories:
        return True
    engineer = step.db.get_one(Engineer, {"tenant_id": step.tenant_id, "id": request.engineer_id})
    return step.principal.directs(engineer.territory_id)


def _answer(step: Step, request: Request, status: str, action: str) -> dict[str, Any]:
    request.status = status
    request.answered_at = step.now
    if status != "withdrawn":
        request.answered_by = step.principal.id
    step.db.flush()
    _draft(step, request, action)
    return {"request_id": str(request.id), "status": status}


def _draft(step: Step, request: Request, action: str) -> None:
    step.drafts.append(
        Draft(
            subject_type="request",
            subject_id=request.id,
            ticket_id=request.ticket_id,
            action=action,
            facts={"kind": request.kind, "engineer": str(request.engineer_id)},
        )
    )
