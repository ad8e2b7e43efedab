"""Promises over HTTP: a ticket's ledger, and what an admin sets."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.declared import problems
from api.dispatcher import telling_views as views
from api.house import Asking, Here, reply
from dispatch.actions import promise_settings
from dispatch.actions.step import Step, run_step
from dispatch.adapters.china_days import china_days
from dispatch.domain.calendars import calendar_body, check_calendar
from dispatch.domain.errors import NotFound
from dispatch.store.queries.promise_settings import read_promise_settings
from dispatch.store.queries.promises import read_promises

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])


@endpoints.get(
    "/tickets/{ticket_id}/promises",
    operation_id="dispatcher_promises",
    response_model=views.PromisePage,
    responses=problems(401, 403, 404, 422),
)
def promises(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """The ticket's clocks with their ledgers, the newest cycle first; none for a ticket of nobody's."""
    with here.house.database.transaction(asking.tenant_id) as db:
        found = read_promises(db, asking.tenant_id, ticket_id)
    return reply({"now": here.house.now(), "promises": found})


@endpoints.get(
    "/promise_settings",
    operation_id="dispatcher_promise_settings",
    response_model=views.PromiseSettings,
    responses=problems(401, 403, 422),
)
def settings(asking: Asking, here: Here, page: UUID | None = None) -> Response:
    """What was promised to whom and who is on duty; contracts page by page."""
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(read_promise_settings(db, asking.tenant_id, here.house.now(), page))


@endpoints.put(
    "/promise_policies/{policy_id}",
    operation_id="dispatcher_put_policy",
    response_model=views.Saved,
    responses=problems(401, 403, 404, 409, 422),
)
def put_policy(policy_id: UUID, body: views.PolicyWanted, asking: Asking, here: Here) -> Response:
    wanted = promise_settings.PolicyWanted(**body.model_dump())
    run_step(here.house, asking, lambda step: promise_settings.put_policy(step, policy_id, wanted))
    return reply({"id": policy_id, "version": None})


@endpoints.put(
    "/calendars/{calendar_id}",
    operation_id="dispatcher_put_calendar",
    response_model=views.Saved,
    responses=problems(401, 403, 409, 422),
)
def put_calendar(calendar_id: UUID, body: views.CalendarWanted, asking: Asking, here: Here) -> Response:
    rules = body.rules.model_dump(mode="json")

    def put(step: Step) -> int:
        return promise_settings.put_calendar(step, calendar_id, body.name.model_dump(), rules)

    return reply({"id": calendar_id, "version": run_step(here.house, asking, put)})


@endpoints.post(
    "/calendars/{calendar_id}/china_days",
    operation_id="dispatcher_china_days",
    response_model=views.Saved,
    responses=problems(401, 403, 404, 409, 422),
)
def fill_china_days(calendar_id: UUID, body: views.ChinaDaysWanted, asking: Asking, here: Here) -> Response:
    """A year's holidays and make-up days as published; the days stay editable."""
    closed, opened = china_days(body.year)

    def fill(step: Step) -> int:
        found = read_promise_settings(step.db, asking.tenant_id, step.now)["calendars"]
        line: dict[str, Any] | None = next((c for c in found if c["calendar_id"] == calendar_id), None)
        if line is None:
            raise NotFound("calendar_unknown")
        calendar = check_calendar(line["rules"])
        filled = promise_settings.with_china_days(
            calendar, body.year, closed, opened, calendar.week[body.like]
        )
        return promise_settings.put_calendar(step, calendar_id, line["name"], calendar_body(filled))

    return reply({"id": calendar_id, "version": run_step(here.house, asking, fill)})


@endpoints.put(
    "/contracts/{contract_id}",
    operation_id="dispatcher_put_contract",
    response_model=views.Saved,
    responses=problems(401, 403, 404, 409, 422),
)
def put_contract(contract_id: UUID, body: views.ContractWanted, asking: Asking, here: Here) -> Response:
    wanted = promise_settings.ContractWanted(**body.model_dump())
    run_step(here.house, asking, lambda step: promise_settings.put_contract(step, contract_id, wanted))
    return reply({"id": contract_id, "version": None})


@endpoints.delete(
    "/contracts/{contract_id}",
    operation_id="dispatcher_drop_contract",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def drop_contract(contract_id: UUID, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: promise_settings.drop_contract(step, contract_id))
    return Response(status_code=204)


@endpoints.put(
    "/duties/{duty_id}",
    operation_id="dispatcher_put_duty",
    response_model=views.Saved,
    responses=problems(401, 403, 404, 409, 422),
)
def put_duty(duty_id: UUID, body: views.DutyWanted, asking: Asking, here: Here) -> Response:
    def put(step: Step) -> None:
        promise_settings.put_duty(step, duty_id, body.dispatcher_id, body.starts_at, body.ends_at)

    run_step(here.house, asking, put)
    return reply({"id": duty_id, "version": None})


@endpoints.delete(
    "/duties/{duty_id}",
    operation_id="dispatcher_drop_duty",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def drop_duty(duty_id: UUID, asking: Asking, here: Here) -> Response:
    run_step(here.house, asking, lambda step: promise_settings.drop_duty(step, duty_id))
    return Response(status_code=204)
