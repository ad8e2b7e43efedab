"""Messages over HTTP: what was told, who is reached where, a company's own channels."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from api.declared import ERRORS, problems
from api.dispatcher import telling_views as views
from api.house import Asking, Here, reply
from dispatch.actions import automations, telling_book, telling_people
from dispatch.actions.step import run_step
from dispatch.store.queries.board import page_offset
from dispatch.store.queries.telling import read_messages, read_tell_settings

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])

TargetPageKey = Annotated[str | None, Query(pattern=r"^[0-9a-f-]{36}\.[0-9]{2}\.[0-9a-f-]{36}$")]


@endpoints.get(
    "/messages",
    operation_id="dispatcher_messages",
    response_model=views.MessagePage,
    responses=problems(401, 403, 422),
)
def messages(
    asking: Asking,
    here: Here,
    ticket_id: UUID | None = None,
    status: Literal["waiting", "sending", "sent", "refused", "gone", "expired", "merged"] | None = None,
    page: Annotated[str | None, Query(max_length=20)] = None,
) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        return reply(
            read_messages(db, asking.tenant_id, ticket_id, status, page_offset(page), asking.narrowed)
        )


@endpoints.get(
    "/tell_settings",
    operation_id="dispatcher_tell_settings",
    response_model=views.TellSettings,
    responses=problems(401, 403, 422),
)
def settings(asking: Asking, here: Here, page: TargetPageKey = None) -> Response:
    """When people are told, by which channels, and where each is reached: the latter page by page."""
    with here.house.database.transaction(asking.tenant_id) as db:
        found = read_tell_settings(db, asking.tenant_id, page)
    callback = f"{here.settings.public_url}/hooks/wecom/{asking.tenant_id}"
    needs = {name: list(fields) for name, fields in telling_book.TENANT_CHANNELS.items()}
    return reply({**found, "needs": needs, "wecom_callback": callback})


@endpoints.put(
    "/tell_rules",
    operation_id="dispatcher_put_tell_rules",
    status_code=204,
    responses=problems(401, 403, 422),
)
def put_rules(body: views.RulesWanted, asking: Asking, here: Here) -> Response:
    quiet = None
    if body.quiet_from_min is not None and body.quiet_to_min is not None:
        quiet = (body.quiet_from_min, body.quiet_to_min)
    run_step(
        here.house,
        asking,
        lambda step: telling_book.put_rules(step, quiet, body.debounce_s, body.ladder_backup),
    )
    return Response(status_code=204)


@endpoints.put(
    "/channels/{channel}",
    operation_id="dispatcher_put_channel",
    status_code=204,
    responses=problems(401, 403, 422),
)
def put_channel(
    channel: Literal["wecom", "dingtalk", "feishu"], body: views.ChannelWanted, asking: Asking, here: Here
) -> Response:
    run_step(
        here.house,
        asking,
        lambda step: telling_book.put_channel(step, channel, body.active, body.values),
    )
    return Response(status_code=204)


@endpoints.put(
    "/people/{kind}/{person_id}/targets",
    operation_id="dispatcher_put_targets",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def put_targets(
    kind: Literal["engineer", "dispatcher"],
    person_id: UUID,
    body: views.TargetsWanted,
    asking: Asking,
    here: Here,
) -> Response:
    wanted = [(target.channel, target.address) for target in body.targets]
    person = telling_people.Person(kind, person_id)
    run_step(here.house, asking, lambda step: telling_people.put_targets(step, person, wanted))
    return Response(status_code=204)


@endpoints.get(
    "/automations",
    operation_id="dispatcher_automations",
    response_model=views.AutomationPage,
    responses=ERRORS,
)
def automations_of(asking: Asking, here: Here) -> Response:
    return reply({"automations": run_step(here.house, asking, automations.read_settings)})


@endpoints.put(
    "/automations/{kind}",
    operation_id="dispatcher_put_automation",
    status_code=204,
    responses=problems(401, 403, 422),
)
def put_automation(
    kind: Annotated[str, Path(pattern="^[a-z_]{1,40}$")],
    body: views.AutomationWanted,
    asking: Asking,
    here: Here,
) -> Response:
    run_step(
        here.house, asking, lambda step: automations.put_setting(step, kind, body.active, body.parameters)
    )
    return Response(status_code=204)
