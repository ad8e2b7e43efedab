"""What the board reads of a ticket's proof and money, and of the lists an admin writes."""

from uuid import UUID

from fastapi import APIRouter, Response

from api.declared import ERRORS, problems
from api.dispatcher import proof_read_views as views
from api.house import Asking, Here, reply
from dispatch.domain.errors import NotFound
from dispatch.store.queries import proof

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])


@endpoints.get(
    "/tickets/{ticket_id}/proof",
    operation_id="dispatcher_ticket_proof",
    response_model=views.TicketProof,
    responses=problems(401, 403, 404, 422),
)
def ticket_proof(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """Visits with answers, machines, parts, quotes, payments, what was earned, and linked tickets."""
    with here.house.database.transaction(asking.tenant_id) as db:
        found = proof.read_ticket_proof(db, asking.tenant_id, ticket_id)
    if found is None:
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    return reply(found)


@endpoints.get(
    "/checklists",
    operation_id="dispatcher_checklists",
    response_model=views.ChecklistPage,
    responses=ERRORS,
)
def checklists(asking: Asking, here: Here) -> Response:
    """What each work type asks for at completion."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply({"checklists": proof.read_checklists(db, asking.tenant_id)})


@endpoints.get("/prices", operation_id="dispatcher_prices", response_model=views.MoneyLists, responses=ERRORS)
def prices(asking: Asking, here: Here) -> Response:
    """The price list, and what engineers and contractors earn."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(proof.read_money_lists(db, asking.tenant_id))
