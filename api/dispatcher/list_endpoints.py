"""The admin's lists of skills and work types, changed and shortened."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlalchemy.orm import Session

from api.declared import problems
from api.dispatcher.admin_views import BothTexts
from api.house import Asking, Here
from dispatch.actions import tenant_lists
from mobile_contract.v1 import Wire

#: Part of the dispatcher's door: `api.dispatcher.endpoints` takes these in.
endpoints = APIRouter(prefix="/admin")

ListCode = Annotated[str, Path(pattern=r"^[a-z0-9_]{1,40}$")]
_CHANGE = problems(401, 403, 404, 422)
_REMOVE = problems(401, 403, 404, 409, 422)


class SkillChanged(Wire):
    name: BothTexts


class WorkTypeChanged(Wire):
    name: BothTexts
    duration_min: int = Field(ge=1, le=1440)


def _done(here: Here, asking: Asking, work: Callable[[Session], None]) -> Response:
    here.house.database.run(asking.tenant_id, work)
    return Response(status_code=204)


@endpoints.put("/skills/{code}", operation_id="dispatcher_rename_skill", status_code=204, responses=_CHANGE)
def rename_skill(code: ListCode, body: SkillChanged, asking: Asking, here: Here) -> Response:
    name = body.name.model_dump()
    return _done(here, asking, lambda db: tenant_lists.rename_skill(db, asking.tenant_id, code, name))


@endpoints.delete(
    "/skills/{code}", operation_id="dispatcher_remove_skill", status_code=204, responses=_REMOVE
)
def remove_skill(code: ListCode, asking: Asking, here: Here) -> Response:
    """Refused while an engineer or a work type has it."""
    return _done(here, asking, lambda db: tenant_lists.remove_skill(db, asking.tenant_id, code))


@endpoints.put(
    "/work_types/{code}", operation_id="dispatcher_change_work_type", status_code=204, responses=_CHANGE
)
def change_work_type(code: ListCode, body: WorkTypeChanged, asking: Asking, here: Here) -> Response:
    """The minutes count for visits to come."""

    def change(db: Session) -> None:
        name = body.name.model_dump()
        tenant_lists.change_work_type(db, asking.tenant_id, code, name, body.duration_min)

    return _done(here, asking, change)


@endpoints.delete(
    "/work_types/{code}", operation_id="dispatcher_remove_work_type", status_code=204, responses=_REMOVE
)
def remove_work_type(code: ListCode, asking: Asking, here: Here) -> Response:
    """Refused once a ticket is of it or an SLA policy names it."""
    return _done(here, asking, lambda db: tenant_lists.remove_work_type(db, asking.tenant_id, code))
