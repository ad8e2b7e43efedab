"""What an engineer asks the dispatchers for: overtime, leave, a discount, a part; and the own hours."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.declared import ERRORS, problems
from api.house import Asking, Here, once, reply, request_hash
from dispatch.actions import requests
from dispatch.actions.step import Step
from dispatch.store.queries.requests import read_requests
from dispatch.store.queries.shifts import read_shifts
from mobile_contract import v1

#: Part of the engineer's door: `api.engineer.endpoints` takes these in.
endpoints = APIRouter()

SHIFTS = 100
AHEAD = timedelta(days=28)


@endpoints.get(
    "/requests",
    operation_id="engineer_requests",
    response_model=v1.RequestPage,
    responses=problems(401, 403, 422),
)
def list_own(asking: Asking, here: Here, page: UUID | None = None) -> Response:
    """What I asked for; `page` is the last page's `next_page`."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(read_requests(db, asking.tenant_id, asking.id, after=page))


@endpoints.get("/shifts", operation_id="engineer_shifts", response_model=v1.Shifts, responses=ERRORS)
def own_shifts(asking: Asking, here: Here) -> Response:
    """When I work and when I am on call."""
    now = here.house.now()
    with here.house.database.transaction(asking.tenant_id) as db:
        found = read_shifts(db, asking.tenant_id, (now, now + AHEAD), SHIFTS, asking.id)
    return reply({"shifts": [{k: one[k] for k in ("kind", "starts_at", "ends_at")} for one in found]})


@endpoints.post(
    "/requests",
    operation_id="engineer_ask",
    response_model=v1.RequestStatus,
    responses=problems(401, 403, 404, 409, 422),
)
def ask(body: v1.RequestWanted, asking: Asking, here: Here, request: Request) -> Response:
    facts = body.model_dump(exclude={"command_id", "kind", "ticket_id"})

    def work(step: Step) -> dict[str, Any]:
        return requests.ask(step, body.kind, body.ticket_id, facts)

    return once(here, asking, request, body.command_id, request_hash(body), work)


@endpoints.post(
    "/requests/{request_id}/withdraw",
    operation_id="engineer_withdraw_request",
    response_model=v1.RequestStatus,
    responses=problems(401, 403, 404, 409, 422),
)
def withdraw(
    request_id: UUID, body: v1.RequestWithdrawal, asking: Asking, here: Here, request: Request
) -> Response:
    asked = request_hash(request_id, body)
    return once(
        here, asking, request, body.command_id, asked, lambda step: requests.withdraw(step, request_id)
    )
