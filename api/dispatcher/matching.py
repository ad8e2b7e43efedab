"""The match over HTTP: why not this one, and what an admin and a dispatcher set."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.declared import problems
from api.dispatcher import matching_views as views
from api.house import Asking, Here, reply
from dispatch.actions import matching_setup
from dispatch.actions.cases import load_case
from dispatch.actions.matching import why_not
from dispatch.actions.matching_modes import under_policy
from dispatch.actions.step import Step, run_step
from dispatch.domain.commands import Facts
from dispatch.domain.matching_policy import Policy
from dispatch.store.queries.policies import read_policies

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])

#: A policy's work type and territory, `~` for any.
PolicyKey = Annotated[str | None, Query(pattern=r"^[a-z0-9_~]{1,40}\.[0-9a-f~-]{1,36}$")]
PartCode = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]


@endpoints.get(
    "/tickets/{ticket_id}/candidates/{engineer_id}",
    operation_id="dispatcher_why_not",
    response_model=views.WhyNot,
    responses=problems(401, 403, 404, 422),
)
def why_not_this_one(ticket_id: UUID, engineer_id: UUID, asking: Asking, here: Here) -> Response:
    """Any engineer judged now by every rule, also one who was not among the candidates."""

    def look(step: Step) -> dict[str, Any]:
        case = load_case(step, ticket_id, Facts())
        under_policy(step, case)
        return {"candidate": why_not(step, case, engineer_id)}

    return reply(run_step(here.house, asking, look))


@endpoints.get(
    "/match_policies",
    operation_id="dispatcher_match_policies",
    response_model=views.PolicyPage,
    responses=problems(401, 403, 422),
)
def policies(asking: Asking, here: Here, page: PolicyKey = None) -> Response:
    """How tickets find engineers, by work type and territory."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(read_policies(db, asking.tenant_id, page))


@endpoints.put(
    "/match_policies/{policy_id}",
    operation_id="dispatcher_put_match_policy",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def put_policy(policy_id: UUID, body: views.PolicyWanted, asking: Asking, here: Here) -> Response:
    wanted = Policy(**body.model_dump(exclude={"settings"}), settings=body.settings)
    run_step(here.house, asking, lambda step: matching_setup.put_policy(step, policy_id, wanted))
    return Response(status_code=204)


@endpoints.delete(
    "/match_policies/{policy_id}",
    operation_id="dispatcher_drop_match_policy",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def drop_policy(policy_id: UUID, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: matching_setup.drop_policy(step, policy_id))
    return Response(status_code=204)


@endpoints.put(
    "/tickets/{ticket_id}/wishes/{engineer_id}",
    operation_id="dispatcher_put_wish",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def put_wish(
    ticket_id: UUID, engineer_id: UUID, body: views.WishWanted, asking: Asking, here: Here
) -> Response:
    """Whether the ticket's customer would like this engineer back."""
    run_step(
        here.house, asking, lambda step: matching_setup.set_wish(step, ticket_id, engineer_id, body.wish)
    )
    return Response(status_code=204)


@endpoints.put(
    "/tickets/{ticket_id}/parts_wanted/{part}",
    operation_id="dispatcher_put_part_wanted",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def put_part_wanted(
    ticket_id: UUID, part: PartCode, body: views.PartQuantity, asking: Asking, here: Here
) -> Response:
    """Who comes must have so much of the part in the van; 0 is no longer wanted."""
    run_step(
        here.house,
        asking,
        lambda step: matching_setup.set_part_wanted(step, ticket_id, part, body.quantity),
    )
    return Response(status_code=204)
