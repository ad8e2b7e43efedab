"""The engineer's phone: mobile_contract.v1 over HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.declared import ERRORS, IMAGE, problems
from api.engineer import proof, requests, signin_endpoints
from api.house import Asking, Here, Rooms, refusal_reply, refused, reply, to_command, to_readings
from api.live import event_stream
from api.photos import PhotoBrought, keep_photo, read_body, show_photo
from api.problems import trace_of
from dispatch.actions import telling_devices as push
from dispatch.actions.engineers import acknowledge_offer, colleagues
from dispatch.actions.positions import agree_to_positions, read_position_use, take_positions
from dispatch.actions.step import Answer, run_step
from dispatch.actions.take_action import take_action
from dispatch.adapters.webpush import public_key
from dispatch.domain.commands import Principal, Role
from dispatch.domain.errors import NotFound
from dispatch.store.exchange import Question
from dispatch.store.queries.receipts import read_own_receipt
from dispatch.store.queries.today import (
    read_changes,
    read_history,
    read_pool,
    read_ticket,
    read_today,
    show_today,
    today_questions,
)
from geo.datum import point_to_wgs84
from mobile_contract import v1

endpoints = APIRouter(prefix="/engineer/v1", tags=["engineer"])

POOL_PAGE = 50
SYNC_PAGE = 500


@endpoints.get("/today", operation_id="engineer_today", response_model=v1.Today, responses=ERRORS)
async def today(asking: Asking, here: Here) -> Response:
    now = here.house.now()
    questions = today_questions(asking.tenant_id, asking.id, now)
    answers = await here.house.database.trip(asking.tenant_id, *questions)
    return reply(show_today(answers, here.house.personal, asking.tenant_id, asking.id, now))


def _today(here: Rooms, asking: Principal) -> dict[str, Any]:
    house = here.house
    return read_today(house.database, house.personal, asking.tenant_id, asking.id, house.now())


@endpoints.get(
    "/pool", operation_id="engineer_pool", response_model=v1.Pool, responses=problems(401, 403, 422)
)
def pool(asking: Asking, here: Here, page: UUID | None = None) -> Response:
    tickets = read_pool(here.house.database, asking.tenant_id, asking.id, here.house.now(), page, POOL_PAGE)
    next_page = str(tickets[-1]["ticket_id"]) if len(tickets) == POOL_PAGE else None
    return reply({"tickets": tickets, "next_page": next_page})


@endpoints.get(
    "/tickets/{ticket_id}",
    operation_id="engineer_ticket",
    response_model=v1.TicketDetail,
    responses=problems(401, 403, 404, 422),
)
def ticket(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    now = here.house.now()
    with here.house.database.transaction(asking.tenant_id) as db:
        card = read_ticket(db, here.house.personal, asking.tenant_id, asking.id, ticket_id, now)
        if card is None:
            raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
        return reply({"ticket": card, "history": read_history(db, asking.tenant_id, ticket_id)})


@endpoints.get(
    "/tickets/{ticket_id}/receipt",
    operation_id="engineer_receipt",
    response_model=v1.Receipt,
    responses=problems(401, 403, 404, 422),
)
def receipt(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        found = read_own_receipt(db, asking.tenant_id, ticket_id, asking.id)
    if found is None:
        raise NotFound("receipt_unknown", ticket_id=str(ticket_id))
    return reply(found)


@endpoints.get(
    "/colleagues", operation_id="engineer_colleagues", response_model=v1.Colleagues, responses=ERRORS
)
def list_colleagues(asking: Asking, here: Here) -> Response:
    return reply({"engineers": run_step(here.house, asking, lambda step: colleagues(step, asking.id))})


@endpoints.post(
    "/actions",
    operation_id="engineer_action",
    response_model=v1.ActionReply,
    responses=problems(401, 403, 404, 409, 422),
)
def action(body: v1.ActionCommand, asking: Asking, here: Here, request: Request) -> Response:
    now = here.house.now()
    answer = _act(here, asking, body, today_questions(asking.tenant_id, asking.id, now))
    refusal = refusal_reply(answer, trace_of(request))
    if refusal is not None:
        return refusal
    if answer.after is None:
        return reply({"result": answer.body, "today": _today(here, asking)})
    fresh = show_today(answer.after, here.house.personal, asking.tenant_id, asking.id, now)
    return reply({"result": answer.body, "today": fresh})


@endpoints.post(
    "/actions/batch",
    operation_id="engineer_actions",
    response_model=v1.BatchReply,
    responses=problems(401, 403, 422),
)
def actions(body: v1.ActionBatch, asking: Asking, here: Here, request: Request) -> Response:
    """The offline queue, in order: each command has its own transaction, status and problem."""
    items = []
    for command in body.commands:
        answer = _act(here, asking, command)
        problem = refused(answer, trace_of(request))
        result = None if problem else answer.body
        items.append(
            {
                "command_id": command.command_id,
                "status": answer.status,
                "result": result,
                "problem": problem,
            }
        )
    return reply({"items": items, "today": _today(here, asking)})


#: On the engineer's phone these are the customer's, witnessed by the engineer.
_CUSTOMERS = frozenset({"sign_off", "reject", "approve_quote", "refuse_quote"})


def _act(here: Rooms, asking: Principal, body: v1.ActionCommand, after: Sequence[Question] = ()) -> Answer:
    command = to_command(body.command_id, body.ticket_id, body.action, body.facts, body.at)
    if body.action not in _CUSTOMERS:
        return take_action(here.house, asking, command, after=after)
    customer = Principal(asking.tenant_id, Role.CUSTOMER, asking.id, ticket_id=body.ticket_id)
    return take_action(here.house, customer, command, witnessed_by=asking.id, after=after)


@endpoints.post(
    "/positions",
    operation_id="engineer_positions",
    response_model=v1.PositionsTaken,
    responses=problems(401, 403, 422),
)
async def positions(body: v1.PositionBatch, asking: Asking, here: Here) -> Response:
    readings = to_readings(body.positions)
    taken = await take_positions(here.house, asking, readings)
    return reply({"taken": taken, "refused": len(readings) - taken})


@endpoints.get(
    "/position_use", operation_id="engineer_position_use", response_model=v1.PositionUse, responses=ERRORS
)
def position_use(asking: Asking, here: Here) -> Response:
    """Have I agreed to sharing positions, and who was shown mine."""
    return reply(run_step(here.house, asking, lambda step: read_position_use(step, asking.id)))


@endpoints.put(
    "/position_consent",
    operation_id="engineer_position_consent",
    status_code=204,
    responses=problems(401, 403, 422),
)
def position_consent(body: v1.PositionConsent, asking: Asking, here: Here) -> Response:
    """Without it nothing is stored, and the newest position goes at once."""
    run_step(here.house, asking, lambda step: agree_to_positions(step, asking.id, body.agreed))
    return Response(status_code=204)


@endpoints.put(
    "/photos/{photo_id}",
    operation_id="engineer_put_photo",
    response_model=v1.PhotoTaken,
    status_code=201,
    responses=problems(401, 403, 404, 409, 413, 422, 503, 507),
    openapi_extra=IMAGE,
)
async def put_photo(
    photo_id: UUID,
    ticket_id: UUID,
    kind: Literal["check_in", "completion", "signature", "reject"],
    asking: Asking,
    here: Here,
    request: Request,
    taken_at: Annotated[datetime | None, Query()] = None,
    original_sha256: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
    lon: Annotated[float | None, Query(ge=-180, le=180)] = None,
    lat: Annotated[float | None, Query(ge=-90, le=90)] = None,
    datum: v1.Datum = v1.Datum.WGS84,
    accuracy_m: Annotated[float | None, Query(ge=0, le=100_000)] = None,
    position_at: Annotated[datetime | None, Query()] = None,
) -> Response:
    """The canvas drops what the camera wrote: it comes beside the picture."""
    raw = await read_body(request, here.photo_bytes)
    claimed: dict[str, Any] | None = None
    if lon is not None and lat is not None:
        point = point_to_wgs84(lon, lat, datum.value)
        claimed = {
            "lon": point.lon,
            "lat": point.lat,
            "accuracy_m": accuracy_m,
            "at": position_at.isoformat() if position_at else None,
            "raw": [lon, lat, datum.value],
        }
    brought = PhotoBrought(photo_id, ticket_id, kind, raw, _aware(taken_at), original_sha256, claimed)
    return reply(await run_in_threadpool(keep_photo, here, asking, brought), 201)


def _aware(at: datetime | None) -> datetime | None:
    return at if at is not None and at.tzinfo is not None else None


@endpoints.get(
    "/photos/{photo_id}",
    operation_id="engineer_get_photo",
    responses=problems(401, 403, 404, 422),
    response_class=Response,
)
def get_photo(
    photo_id: UUID, asking: Asking, here: Here, size: Literal["large", "thumb"] = "thumb"
) -> Response:
    return show_photo(here, asking, photo_id, size)


@endpoints.get(
    "/sync", operation_id="engineer_sync", response_model=v1.Changes, responses=problems(401, 403, 422)
)
def sync(asking: Asking, here: Here, cursor: Annotated[int, Query(ge=0, le=2**62)] = 0) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        rows = read_changes(db, asking.tenant_id, asking.id, cursor, SYNC_PAGE + 1)
    page = rows[:SYNC_PAGE]
    tickets = list(dict.fromkeys(row["ticket_id"] for row in page))
    return reply(
        {
            "cursor": page[-1]["seq"] if page else cursor,
            "more": len(rows) > SYNC_PAGE,
            "ticket_ids": tickets,
        }
    )


@endpoints.get("/live", operation_id="engineer_live", responses=ERRORS, response_class=Response)
async def live(asking: Asking, here: Here, request: Request) -> Response:
    return event_stream(request, asking)


@endpoints.put(
    "/push_target", operation_id="engineer_push_target", status_code=204, responses=problems(401, 403, 422)
)
def push_target(body: v1.PushTarget, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: push.keep_target(step, asking.id, body.platform, body.target))
    return Response(status_code=204)


@endpoints.post(
    "/push_target/gone",
    operation_id="engineer_drop_push_target",
    status_code=204,
    responses=problems(401, 403, 422),
)
def drop_push_target(body: v1.PushTargetGone, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: push.drop_target(step, asking.id, body.platform, body.target))
    return Response(status_code=204)


@endpoints.get("/push_key", operation_id="engineer_push_key", response_model=v1.PushKey, responses=ERRORS)
def push_key(asking: Asking, here: Here) -> Response:
    return reply({"public_key": public_key(here.settings.vapid_key) if here.settings.vapid_key else None})


@endpoints.post(
    "/push_acks", operation_id="engineer_push_ack", status_code=204, responses=problems(401, 403, 404, 422)
)
def push_ack(body: v1.PushAck, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: acknowledge_offer(step, asking.id, body.offer_id))
    return Response(status_code=204)


# Last, so that the hot routes above are found first.
endpoints.include_router(signin_endpoints.endpoints)
endpoints.include_router(proof.endpoints)
endpoints.include_router(requests.endpoints)
