"""The tenant's checklists, parts, prices and rates; machines and their histories; settlement to export."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from api.certificates import certificate_reply
from api.declared import problems
from api.dispatcher import proof_views as views
from api.house import Asking, Here, once, reply, request_hash
from api.shapes import TicketCreated
from dispatch.actions import evidence_follow_up, evidence_machines, money_rates, money_settlement
from dispatch.actions.acceptance_many import make_manager_link
from dispatch.actions.cases import load_case
from dispatch.actions.step import Step, run_step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import NotReady
from mobile_contract.v1 import Instant

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])

ListCode = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]
WorkTypeCode = ListCode
_LONGEST = timedelta(days=400)


@endpoints.put(
    "/work_types/{work_type}/checklist",
    operation_id="dispatcher_put_checklist",
    response_model=views.Kept,
    responses=problems(401, 403, 404, 409, 422),
)
def put_checklist(
    work_type: WorkTypeCode, body: views.ChecklistWanted, asking: Asking, here: Here
) -> Response:
    """The checklist of a work type, whole; the next completion is judged by it."""

    def put(step: Step) -> None:
        money_settlement.put_checklist(step, work_type, body.items, body.completion_photos)

    run_step(here.house, asking, put)
    return reply({"lines": len(body.items)})


@endpoints.put(
    "/prices/{code}",
    operation_id="dispatcher_put_price",
    status_code=204,
    responses=problems(401, 403, 409, 422),
)
def put_price(code: ListCode, body: views.PriceWanted, asking: Asking, here: Here) -> Response:
    """One line of the price list, added or changed."""
    run_step(here.house, asking, lambda step: money_settlement.put_price(step, code, body.model_dump()))
    return Response(status_code=204)


@endpoints.delete(
    "/prices/{code}",
    operation_id="dispatcher_drop_price",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def drop_price(code: ListCode, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: money_settlement.drop_price(step, code))
    return Response(status_code=204)


@endpoints.put(
    "/rates/{work_type}/{payee_kind}",
    operation_id="dispatcher_put_rate",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def put_rate(
    work_type: WorkTypeCode, payee_kind: views.Payee, body: views.RateWanted, asking: Asking, here: Here
) -> Response:
    """What engineers, contractors or helpers earn by one work type on days without a dated rate."""

    def put(step: Step) -> None:
        money_rates.put_rate(step, work_type, payee_kind, body.fixed_minor, body.share_bp)

    run_step(here.house, asking, put)
    return Response(status_code=204)


@endpoints.delete(
    "/rates/{work_type}/{payee_kind}",
    operation_id="dispatcher_drop_rate",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def drop_rate(work_type: WorkTypeCode, payee_kind: views.Payee, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: money_rates.drop_rate(step, work_type, payee_kind))
    return Response(status_code=204)


@endpoints.put(
    "/dated_rates/{rate_id}",
    operation_id="dispatcher_put_dated_rate",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def put_dated_rate(rate_id: UUID, body: views.DatedRateWanted, asking: Asking, here: Here) -> Response:
    """What they earn by one work type on certain days; it shares none with another of them."""
    run_step(here.house, asking, lambda step: money_rates.put_dated_rate(step, rate_id, body.model_dump()))
    return Response(status_code=204)


@endpoints.delete(
    "/dated_rates/{rate_id}",
    operation_id="dispatcher_drop_dated_rate",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def drop_dated_rate(rate_id: UUID, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: money_rates.drop_dated_rate(step, rate_id))
    return Response(status_code=204)


@endpoints.get(
    "/settlement.csv",
    operation_id="dispatcher_settlement",
    response_class=StreamingResponse,
    responses={
        **problems(401, 403, 409, 422),
        200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
    },
)
def settlement(asking: Asking, here: Here, since: Instant, before: Instant) -> Response:
    """What closed tickets earned, at most 400 days; amounts in minor units, no cell runs as a formula."""
    _check_span(since, before)
    rows = run_step(here.house, asking, lambda step: money_settlement.export_settlement(step, since, before))
    headers = {"Content-Disposition": 'attachment; filename="settlement.csv"'}
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)


@endpoints.post(
    "/assets",
    operation_id="dispatcher_add_asset",
    response_model=views.AssetKept,
    status_code=201,
    responses=problems(401, 403, 404, 409, 422),
)
def add_asset(body: views.AssetWanted, asking: Asking, here: Here) -> Response:
    """A machine; the same kind and serial number again is the same machine."""
    wanted = body.model_dump()
    asset_id = run_step(here.house, asking, lambda step: evidence_machines.add_asset(step, wanted))
    return reply({"asset_id": asset_id}, 201)


@endpoints.get(
    "/assets/{asset_id}",
    operation_id="dispatcher_asset",
    response_model=views.AssetHistory,
    responses=problems(401, 403, 404, 422),
)
def asset(asset_id: UUID, asking: Asking, here: Here) -> Response:
    """A machine's history."""
    return reply(run_step(here.house, asking, lambda step: evidence_machines.asset_history(step, asset_id)))


@endpoints.put(
    "/tickets/{ticket_id}/machines",
    operation_id="dispatcher_put_machines",
    response_model=views.Kept,
    responses=problems(401, 403, 404, 409, 422),
)
def put_machines(ticket_id: UUID, body: views.MachinesWanted, asking: Asking, here: Here) -> Response:
    """The machines a ticket is about, whole."""

    def put(step: Step) -> None:
        evidence_machines.put_machines(step, load_case(step, ticket_id, Facts()), body.asset_ids)

    run_step(here.house, asking, put)
    return reply({"lines": len(set(body.asset_ids))})


@endpoints.post(
    "/tickets/{ticket_id}/manager_link",
    operation_id="dispatcher_manager_link",
    response_model=views.ManagerLinkMade,
    status_code=201,
    responses=problems(401, 403, 404, 409, 422),
)
def manager_link(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """A link for the ticket's customer, by which all of that customer's finished tickets are accepted at once."""

    def make(step: Step) -> tuple[str, datetime]:
        return make_manager_link(step, load_case(step, ticket_id, Facts()))

    token, expires_at = run_step(here.house, asking, make)
    return reply({"url": f"{here.settings.public_url}/m/{token}", "expires_at": expires_at}, 201)


@endpoints.get(
    "/tickets/{ticket_id}/certificate.pdf",
    operation_id="dispatcher_certificate",
    response_class=Response,
    responses={**problems(401, 403, 404, 409, 422), 200: {"content": {"application/pdf": {}}}},
)
def certificate(
    ticket_id: UUID, asking: Asking, here: Here, lang: Literal["zh", "en"] | None = None
) -> Response:
    """The certificate of an accepted ticket as PDF, in the language asked for or the customer's."""
    return certificate_reply(here, asking, ticket_id, lang)


@endpoints.post(
    "/tickets/{ticket_id}/follow_up",
    operation_id="dispatcher_follow_up",
    response_model=TicketCreated,
    status_code=201,
    responses=problems(401, 403, 404, 409, 422),
)
def follow_up(
    ticket_id: UUID, body: views.FollowUpWanted, asking: Asking, here: Here, request: Request
) -> Response:
    """A follow-up or a warranty callback of a closed ticket, once for the command id."""

    def work(step: Step) -> dict[str, Any]:
        case = load_case(step, ticket_id, Facts())
        made = evidence_follow_up.follow_up(step, case, body.kind, body.description)
        return {**made, "customer_link": f"{here.settings.public_url}/c/{made['customer_link']}"}

    return once(here, asking, request, body.command_id, request_hash(ticket_id, body), work, 201)


@endpoints.get(
    "/first_time_fix",
    operation_id="dispatcher_first_time_fix",
    response_model=views.FirstTimeFix,
    responses=problems(401, 403, 422),
)
def first_time_fix(asking: Asking, here: Here, since: Instant, before: Instant) -> Response:
    """How many closed tickets one visit fixed for good, at most 400 days."""
    _check_span(since, before)
    return reply(
        run_step(here.house, asking, lambda step: evidence_follow_up.first_time_fix(step, since, before))
    )


def _check_span(since: datetime, before: datetime) -> None:
    """Raises NotReady `span_out_of_range`."""
    if not timedelta() < before - since <= _LONGEST:
        raise NotReady("span_out_of_range", most_days=_LONGEST.days)
