"""The dispatcher's board over HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api import shapes
from api.declared import ERRORS, IMAGE, problems
from api.dispatcher import admin_endpoints, list_endpoints, oidc_endpoints, signin_endpoints, views
from api.dispatcher.desk import lines_for, view_for
from api.house import Asking, Here, Rooms, refusal_reply, reply, to_command
from api.intake import create_by
from api.live import event_stream
from api.photos import PhotoBrought, keep_photo, read_body, show_photo
from api.problems import trace_of
from dispatch.actions.cases import load_case
from dispatch.actions.dead_letters import DeadLetters
from dispatch.actions.matching import find_candidates, preview
from dispatch.actions.matching_modes import run_match, under_policy
from dispatch.actions.step import Step, read_rules, run_step
from dispatch.actions.take_action import take_action
from dispatch.domain.commands import Facts, Principal
from dispatch.domain.errors import NotFound
from dispatch.domain.lifecycle import TicketStatus
from dispatch.domain.reasons import REASONS
from dispatch.store.queries.board import page_offset, read_board, read_ticket_view, read_tickets
from dispatch.store.queries.catalogue import read_catalogue
from dispatch.store.queries.receipts import read_receipts
from mobile_contract.v1 import PhotoTaken

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])
endpoints.include_router(signin_endpoints.endpoints)
endpoints.include_router(oidc_endpoints.endpoints)
endpoints.include_router(admin_endpoints.endpoints)
endpoints.include_router(list_endpoints.endpoints)

JobId = Annotated[int, Path(ge=1, le=2**62)]
Page = Annotated[str | None, Query(max_length=20)]


@endpoints.get(
    "/board", operation_id="dispatcher_board", response_model=views.Board, responses=problems(401, 403, 422)
)
def board(asking: Asking, here: Here, page: Page = None) -> Response:
    now = here.house.now()
    with here.house.database.transaction(asking.tenant_id) as db:
        day = read_rules(db, asking.tenant_id).local_day(now)
        found = read_board(db, asking.tenant_id, now, day, page)
    found["engineers"] = [e for e in found["engineers"] if asking.directs(_id(e["territory_id"]))]
    found["tickets"] = lines_for(asking, found["tickets"])
    here.position_log.note(asking, [e["engineer_id"] for e in found["engineers"] if e["position"]], now)
    return reply(found)


def _id(value: UUID | str | None) -> UUID | None:
    return None if value is None else UUID(str(value))


@endpoints.get(
    "/tickets",
    operation_id="dispatcher_tickets",
    response_model=views.TicketPage,
    responses=problems(401, 403, 422),
)
def tickets(
    asking: Asking,
    here: Here,
    status: TicketStatus | None = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    attention: bool = False,
    page: Page = None,
) -> Response:
    asked = {"status": str(status) if status else None, "q": q, "attention": attention}
    with here.house.database.transaction(asking.tenant_id) as db:
        lines, next_page = read_tickets(db, asking.tenant_id, asked, page, here.house.personal)
    return reply({"tickets": lines_for(asking, lines), "next_page": next_page})


@endpoints.post(
    "/tickets",
    operation_id="dispatcher_create_ticket",
    response_model=shapes.TicketCreated,
    status_code=201,
    responses=problems(401, 403, 409, 422),
)
def create(body: shapes.NewTicket, asking: Asking, here: Here, request: Request) -> Response:
    return create_by(here, asking, body, "dispatcher", request)


@endpoints.get(
    "/tickets/{ticket_id}",
    operation_id="dispatcher_ticket",
    response_model=views.TicketView,
    responses=problems(401, 403, 404, 422),
)
def ticket(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    return reply(_view(here, asking, ticket_id))


def _view(here: Rooms, asking: Principal, ticket_id: UUID) -> dict[str, Any]:
    with here.house.database.transaction(asking.tenant_id) as db:
        view = read_ticket_view(
            db, here.house.personal, asking.tenant_id, ticket_id, here.settings.public_url
        )
    if view is None:
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    return view_for(asking, view)


@endpoints.post(
    "/tickets/{ticket_id}/actions",
    operation_id="dispatcher_action",
    response_model=views.ActionDone,
    responses=problems(401, 403, 404, 409, 422),
)
def action(
    ticket_id: UUID, body: shapes.DispatcherCommand, asking: Asking, here: Here, request: Request
) -> Response:
    command = to_command(body.command_id, ticket_id, body.action, body.facts, None)
    answer = take_action(here.house, asking, command)
    refusal = refusal_reply(answer, trace_of(request))
    if refusal is not None:
        return refusal
    return reply({"result": answer.body, "ticket": _view(here, asking, ticket_id)["ticket"]})


@endpoints.get(
    "/tickets/{ticket_id}/candidates",
    operation_id="dispatcher_candidates",
    response_model=views.ReceiptView,
    responses=problems(401, 403, 404, 422),
)
def candidates(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """A fresh match for the eye: nothing is stored, nothing happens."""

    def look(step: Step) -> dict[str, Any]:
        case = load_case(step, ticket_id, Facts())
        mode = under_policy(step, case).mode
        return preview(step, case, *find_candidates(step, case), mode)

    return reply(run_step(here.house, asking, look))


@endpoints.get(
    "/tickets/{ticket_id}/receipts",
    operation_id="dispatcher_receipts",
    response_model=views.ReceiptPage,
    responses=problems(401, 403, 404, 422),
)
def receipts(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply({"receipts": read_receipts(db, asking.tenant_id, ticket_id, 20)})


@endpoints.post(
    "/tickets/{ticket_id}/match",
    operation_id="dispatcher_match",
    response_model=views.ReceiptView,
    responses=problems(401, 403, 404, 409, 422),
)
def match(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """Let the engine act now, by the work type's mode; everyone who fits may be asked anew."""
    return reply(run_step(here.house, asking, lambda step: run_match(step, ticket_id, anew=True)))


@endpoints.get(
    "/catalogue", operation_id="dispatcher_catalogue", response_model=views.Catalogue, responses=ERRORS
)
def catalogue(asking: Asking, here: Here) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        found = read_catalogue(db, asking.tenant_id, asking.id)
    return reply({**{k: v for k, v in found.items() if k != "me"}, "reasons": REASONS})


@endpoints.get(
    "/places",
    operation_id="dispatcher_places",
    response_model=views.Places,
    responses=problems(401, 403, 422),
)
def places(
    asking: Asking, here: Here, request: Request, q: Annotated[str, Query(min_length=1, max_length=200)]
) -> Response:
    return reply({"places": request.app.state.places.find(q)})


@endpoints.put(
    "/photos/{photo_id}",
    operation_id="dispatcher_put_photo",
    response_model=PhotoTaken,
    status_code=201,
    responses=problems(401, 403, 404, 409, 413, 422, 503, 507),
    openapi_extra=IMAGE,
)
async def put_photo(
    photo_id: UUID,
    ticket_id: UUID,
    kind: Literal["intake", "check_in", "completion", "signature", "reject"],
    asking: Asking,
    here: Here,
    request: Request,
    taken_at: datetime | None = None,
) -> Response:
    raw = await read_body(request, here.photo_bytes)
    at = taken_at if taken_at is not None and taken_at.tzinfo is not None else None
    brought = PhotoBrought(photo_id, ticket_id, kind, raw, at)
    return reply(await run_in_threadpool(keep_photo, here, asking, brought), 201)


@endpoints.get(
    "/photos/{photo_id}",
    operation_id="dispatcher_get_photo",
    responses=problems(401, 403, 404, 422),
    response_class=Response,
)
def get_photo(
    photo_id: UUID, asking: Asking, here: Here, size: Literal["large", "thumb"] = "thumb"
) -> Response:
    return show_photo(here, asking, photo_id, size)


@endpoints.get("/live", operation_id="dispatcher_live", responses=ERRORS, response_class=Response)
async def live(asking: Asking, request: Request) -> Response:
    return event_stream(request, asking)


@endpoints.get(
    "/dead_letters",
    operation_id="dispatcher_dead_letters",
    response_model=views.DeadLetterPage,
    responses=problems(401, 403, 422),
)
def dead_letters(asking: Asking, here: Here, page: Page = None) -> Response:
    letters = DeadLetters(here.house.database).of(asking.tenant_id, page_offset(page))
    return reply(letters)


@endpoints.post(
    "/dead_letters/{job_id}/retry",
    operation_id="dispatcher_retry",
    response_model=views.Retried,
    responses=problems(401, 403, 404, 422),
)
def retry(job_id: JobId, asking: Asking, here: Here) -> Response:
    DeadLetters(here.house.database).retry(asking.tenant_id, job_id)
    return reply({"job_id": job_id})
