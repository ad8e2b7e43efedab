"""What the board reads of a ticket's proof and money, and of the lists an admin writes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.declared import problems
from api.dispatcher import proof_read_views as views
from api.house import Asking, Here, reply
from dispatch.domain.errors import NotFound
from dispatch.store.queries import price_lists, proof

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])

Code = Annotated[str | None, Query(pattern=r"^[a-z0-9_]{1,40}$")]
#: A line's own key: codes, and days where it has some, with points between.
LineKey = Annotated[str | None, Query(pattern=r"^[a-z0-9_.-]{1,200}$")]
_READ = problems(401, 403, 422)


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
    responses=_READ,
)
def checklists(asking: Asking, here: Here, page: Code = None) -> Response:
    """What each work type asks for at completion."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(price_lists.read_checklists(db, asking.tenant_id, page))


@endpoints.get("/prices", operation_id="dispatcher_prices", response_model=views.PricePage, responses=_READ)
def prices(asking: Asking, here: Here, page: LineKey = None) -> Response:
    """The price list."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(price_lists.read_prices(db, asking.tenant_id, page))


@endpoints.get("/rates", operation_id="dispatcher_rates", response_model=views.RatePage, responses=_READ)
def rates(asking: Asking, here: Here, page: LineKey = None) -> Response:
    """What engineers, helpers and contractors earn, the standing rates and those of certain days."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(price_lists.read_rates(db, asking.tenant_id, page))
