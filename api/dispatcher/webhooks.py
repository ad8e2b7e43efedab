"""Webhooks over HTTP: endpoints, their secrets, the log of deliveries and sending again."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.declared import ERRORS, problems
from api.dispatcher import telling_views as views
from api.house import Asking, Here, reply
from dispatch.actions import webhooks
from dispatch.actions.step import run_step
from dispatch.adapters.outside import OutsideClient
from dispatch.store.queries.board import page_offset
from dispatch.store.queries.webhooks import read_deliveries, read_endpoints

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])


@endpoints.get(
    "/webhooks", operation_id="dispatcher_webhooks", response_model=views.WebhookPage, responses=ERRORS
)
def webhooks_of(asking: Asking, here: Here) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        lines = read_endpoints(db, asking.tenant_id)
    return reply({"webhooks": lines, "actions": list(webhooks.EVENTS)})


@endpoints.put(
    "/webhooks/{endpoint_id}",
    operation_id="dispatcher_put_webhook",
    response_model=views.WebhookSecret,
    responses=problems(401, 403, 409, 422),
)
def put_webhook(endpoint_id: UUID, body: views.WebhookWanted, asking: Asking, here: Here) -> Response:
    """The secret of a new endpoint is in this answer and never shown again."""
    client = OutsideClient(here.settings.webhook_test_hosts)
    secret = run_step(
        here.house,
        asking,
        lambda step: webhooks.put_endpoint(step, client, endpoint_id, body.url, body.actions, body.active),
    )
    return reply({"endpoint_id": endpoint_id, "secret": secret})


@endpoints.post(
    "/webhooks/{endpoint_id}/rotate",
    operation_id="dispatcher_rotate_webhook",
    response_model=views.WebhookSecret,
    responses=problems(401, 403, 404, 422),
)
def rotate(endpoint_id: UUID, asking: Asking, here: Here) -> Response:
    """A new secret; for a day the old one signs as well."""
    secret = run_step(here.house, asking, lambda step: webhooks.rotate_secret(step, endpoint_id))
    return reply({"endpoint_id": endpoint_id, "secret": secret})


@endpoints.get(
    "/webhook_deliveries",
    operation_id="dispatcher_webhook_deliveries",
    response_model=views.DeliveryPage,
    responses=problems(401, 403, 422),
)
def deliveries(
    asking: Asking,
    here: Here,
    endpoint_id: UUID | None = None,
    status: Literal["pending", "delivered", "failed"] | None = None,
    page: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(read_deliveries(db, asking.tenant_id, endpoint_id, status, page_offset(page)))


@endpoints.post(
    "/webhook_deliveries/{delivery_id}/replay",
    operation_id="dispatcher_replay_webhook",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def replay(delivery_id: UUID, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: webhooks.replay(step, delivery_id))
    return Response(status_code=204)
