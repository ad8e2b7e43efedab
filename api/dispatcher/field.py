"""Contractors' desks and the roster over HTTP."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.declared import problems
from api.dispatcher import admin_views
from api.dispatcher import field_views as views
from api.house import Asking, Here, reply
from dispatch.actions import shifts
from dispatch.actions.step import run_step
from dispatch.store.queries.contractors import read_contractor_work
from dispatch.store.queries.reading import page_of
from dispatch.store.queries.shifts import read_shifts
from mobile_contract.v1 import Instant

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])

DeskPageKey = Annotated[str | None, Query(pattern=r"^[01]\.[01]\.[0-9]{20}\.[0-9a-f.-]{36,73}$")]
PAGE = 500
AHEAD = timedelta(days=28)


@endpoints.get(
    "/contractor",
    operation_id="contractor_work",
    response_model=views.ContractorWork,
    responses=problems(401, 403, 422),
)
def contractor_work(asking: Asking, here: Here, page: DeskPageKey = None) -> Response:
    """What the asker's company is asked for and has taken. Its dispatcher acts by `dispatcher_action`:
    accept_offer with or without `engineer_id`, decline_offer, name_engineer."""
    assert asking.contractor_id is not None
    with here.house.database.transaction(asking.tenant_id) as db:
        now = here.house.now()
        return reply(read_contractor_work(db, asking.tenant_id, asking.contractor_id, now, page))


@endpoints.get(
    "/shifts",
    operation_id="dispatcher_shifts",
    response_model=views.ShiftPage,
    responses=problems(401, 403, 422),
)
def list_shifts(
    asking: Asking,
    here: Here,
    since: Instant | None = None,
    before: Instant | None = None,
    engineer_id: UUID | None = None,
    kind: Literal["work", "on_call"] | None = None,
    page: UUID | None = None,
) -> Response:
    """The roster from `since` (now) to `before` (28 days on)."""
    begins = since or here.house.now()
    shifts.check_near(begins, here.house.now())
    span = (begins, before or begins + AHEAD)
    with here.house.database.transaction(asking.tenant_id) as db:
        wanted = (engineer_id, kind, page, asking.territories)
        found = read_shifts(db, asking.tenant_id, span, PAGE + 1, *wanted)
    return reply(page_of("shifts", found, PAGE, "shift_id"))


@endpoints.post(
    "/engineers/{engineer_id}/shifts",
    operation_id="dispatcher_add_shifts",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def add_shifts(engineer_id: UUID, body: admin_views.ShiftsAdded, asking: Asking, here: Here) -> Response:
    """Hours of work and on call; those that begin when one does already stay as they are."""
    spans = [(span.kind, span.starts_at, span.ends_at) for span in body.spans]
    run_step(here.house, asking, lambda step: shifts.add(step, engineer_id, spans))
    return Response(status_code=204)


@endpoints.delete(
    "/shifts/{shift_id}",
    operation_id="dispatcher_drop_shift",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def drop_shift(shift_id: UUID, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: shifts.drop(step, shift_id))
    return Response(status_code=204)
