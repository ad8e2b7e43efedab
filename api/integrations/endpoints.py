"""Other systems, by API key: create, read and act on tickets."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from api.declared import problems
from api.house import Asking, Here, refusal_reply, reply, to_command
from api.intake import create_by
from api.integrations import views
from api.problems import trace_of
from dispatch.actions.take_action import take_action
from dispatch.domain.errors import NotFound
from dispatch.store.queries.board import read_tickets

endpoints = APIRouter(prefix="/api/v1", tags=["integrations"])


@endpoints.post(
    "/tickets",
    operation_id="integration_create_ticket",
    response_model=views.Created,
    status_code=201,
    responses=problems(401, 403, 409, 422),
)
def create(body: views.IncomingTicket, asking: Asking, here: Here, request: Request) -> Response:
    return create_by(here, asking, body, "api", request)


@endpoints.get(
    "/tickets/{ticket_id}",
    operation_id="integration_ticket",
    response_model=views.TicketLine,
    responses=problems(401, 403, 404, 422),
)
def ticket(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        lines, _ = read_tickets(db, asking.tenant_id, {"ticket": ticket_id}, None)
    if not lines:
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    return reply(lines[0])


@endpoints.post(
    "/tickets/{ticket_id}/actions",
    operation_id="integration_action",
    response_model=views.Done,
    responses=problems(401, 403, 404, 409, 422),
)
def action(
    ticket_id: UUID, body: views.IncomingCommand, asking: Asking, here: Here, request: Request
) -> Response:
    command = to_command(body.command_id, ticket_id, body.action, body.facts, None)
    answer = take_action(here.house, asking, command)
    return refusal_reply(answer, trace_of(request)) or reply({"result": answer.body})
