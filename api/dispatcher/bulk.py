"""Many tickets at once, and what engineers ask for, over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.declared import problems
from api.dispatcher import bulk_views as views
from api.house import Asking, Here, once, reply, request_hash
from dispatch.actions import bulk, requests
from dispatch.actions.step import Step
from dispatch.store.queries.bulk import read_bulk_reports
from dispatch.store.queries.requests import read_requests
from mobile_contract import v1

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])


@endpoints.get(
    "/bulk",
    operation_id="dispatcher_bulk_reports",
    response_model=views.BulkPage,
    responses=problems(401, 403, 422),
)
def bulk_reports(asking: Asking, here: Here, page: UUID | None = None) -> Response:
    """The reports of bulk actions, newest first; `page` is the last page's `next_page`."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(read_bulk_reports(db, asking.tenant_id, page, asking.narrowed))


@endpoints.post(
    "/engineers/{engineer_id}/out",
    operation_id="dispatcher_engineer_out",
    response_model=views.BulkReport,
    responses=problems(401, 403, 404, 409, 422),
)
def engineer_out(
    engineer_id: UUID, body: views.EngineerOut, asking: Asking, here: Here, request: Request
) -> Response:
    """The engineer is away: each ticket of theirs in the span goes to somebody else or back to be matched."""

    def work(step: Step) -> dict[str, Any]:
        return bulk.engineer_out(step, engineer_id, body.starts_at, body.ends_at, body.reason)

    return once(here, asking, request, body.command_id, request_hash(engineer_id, body), work)


@endpoints.post(
    "/bulk/rebook",
    operation_id="dispatcher_bulk_rebook",
    response_model=views.BulkReport,
    responses=problems(401, 403, 404, 409, 422),
)
def rebook(body: views.BulkRebook, asking: Asking, here: Here, request: Request) -> Response:
    """Each of these tickets so much later; whose engineer no longer fits goes to another."""

    def work(step: Step) -> dict[str, Any]:
        return bulk.rebook_many(step, body.ticket_ids, body.later_min)

    return once(here, asking, request, body.command_id, request_hash(body), work)


@endpoints.get(
    "/requests",
    operation_id="dispatcher_requests",
    response_model=v1.RequestPage,
    responses=problems(401, 403, 404, 422),
)
def list_requests(
    asking: Asking, here: Here, ticket_id: UUID | None = None, page: UUID | None = None
) -> Response:
    """What engineers ask for, the open ones first; about one ticket where it is named."""
    with here.house.database.transaction(asking.tenant_id) as db:
        territories = asking.territories
        found = read_requests(db, asking.tenant_id, ticket_id=ticket_id, after=page, territories=territories)
        return reply(found)


@endpoints.post(
    "/requests/{request_id}/answer",
    operation_id="dispatcher_answer_request",
    response_model=v1.RequestStatus,
    responses=problems(401, 403, 404, 409, 422),
)
def answer_request(
    request_id: UUID, body: views.RequestAnswer, asking: Asking, here: Here, request: Request
) -> Response:
    """Approved, it takes effect at once."""
    settle = requests.approve if body.verdict == "approve" else requests.refuse
    asked = request_hash(request_id, body)
    return once(here, asking, request, body.command_id, asked, lambda step: settle(step, request_id))
