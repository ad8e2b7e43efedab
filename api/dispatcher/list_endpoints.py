"""The admin's lists of skills and work types: longer, changed, retired, shorter. Each change is an event."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.declared import problems
from api.dispatcher.admin_views import BothTexts, SkillAdded, WorkTypeAdded
from api.house import Asking, Here
from dispatch.actions import identity_admin, tenant_lists
from dispatch.actions.step import Step, run_step
from dispatch.actions.tenants import WorkTypeWanted
from mobile_contract.v1 import Wire

#: Part of the dispatcher's door: `api.dispatcher.endpoints` takes these in.
endpoints = APIRouter(prefix="/admin")

ListCode = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]
_ADD = problems(401, 403, 409, 422)
_CHANGE = problems(401, 403, 404, 409, 422)


class SkillChanged(Wire):
    name: BothTexts


class WorkTypeChanged(Wire):
    name: BothTexts
    duration_min: int = Field(ge=1, le=1440)


class Retired(Wire):
    retired: bool


def _done(here: Here, asking: Asking, work: Callable[[Step], None]) -> Response:
    run_step(here.house, asking, work)
    return Response(status_code=204)


@endpoints.post("/skills", operation_id="dispatcher_add_skill", status_code=204, responses=_ADD)
def add_skill(body: SkillAdded, asking: Asking, here: Here) -> Response:
    return _done(here, asking, lambda step: tenant_lists.make_skill(step, body.code, body.name.model_dump()))


@endpoints.post("/work_types", operation_id="dispatcher_add_work_type", status_code=204, responses=_ADD)
def add_work_type(body: WorkTypeAdded, asking: Asking, here: Here) -> Response:
    wanted = WorkTypeWanted(
        body.code,
        body.name.model_dump(),
        body.duration_min,
        body.mode,
        body.skills,
        body.completion_photos,
        body.check_in_radius_m,
    )

    def add(step: Step) -> None:
        identity_admin.must_know(step.db, step.tenant_id, list(body.skills))
        tenant_lists.make_work_type(step, wanted)

    return _done(here, asking, add)


@endpoints.put("/skills/{code}", operation_id="dispatcher_rename_skill", status_code=204, responses=_CHANGE)
def rename_skill(code: ListCode, body: SkillChanged, asking: Asking, here: Here) -> Response:
    return _done(here, asking, lambda step: tenant_lists.rename_skill(step, code, body.name.model_dump()))


@endpoints.put(
    "/skills/{code}/retired", operation_id="dispatcher_retire_skill", status_code=204, responses=_CHANGE
)
def retire_skill(code: ListCode, body: Retired, asking: Asking, here: Here) -> Response:
    """Not given to engineers and work types any more, or brought back; who has it keeps it."""
    return _done(here, asking, lambda step: tenant_lists.retire_skill(step, code, body.retired))


@endpoints.delete(
    "/skills/{code}", operation_id="dispatcher_remove_skill", status_code=204, responses=_CHANGE
)
def remove_skill(code: ListCode, asking: Asking, here: Here) -> Response:
    """Refused while an engineer or a work type has it."""
    return _done(here, asking, lambda step: tenant_lists.remove_skill(step, code))


@endpoints.put(
    "/work_types/{code}", operation_id="dispatcher_change_work_type", status_code=204, responses=_CHANGE
)
def change_work_type(code: ListCode, body: WorkTypeChanged, asking: Asking, here: Here) -> Response:
    """The minutes count for visits to come."""

    def change(step: Step) -> None:
        tenant_lists.change_work_type(step, code, body.name.model_dump(), body.duration_min)

    return _done(here, asking, change)


@endpoints.put(
    "/work_types/{code}/retired",
    operation_id="dispatcher_retire_work_type",
    status_code=204,
    responses=_CHANGE,
)
def retire_work_type(code: ListCode, body: Retired, asking: Asking, here: Here) -> Response:
    """No new ticket is of it, or brought back; tickets of it go on, and so do their follow-ups."""
    return _done(here, asking, lambda step: tenant_lists.retire_work_type(step, code, body.retired))


@endpoints.delete(
    "/work_types/{code}", operation_id="dispatcher_remove_work_type", status_code=204, responses=_CHANGE
)
def remove_work_type(code: ListCode, asking: Asking, here: Here) -> Response:
    """Refused once a ticket is of it or an SLA policy names it."""
    return _done(here, asking, lambda step: tenant_lists.remove_work_type(step, code))
