"""The admin's page: engineers, their devices and shifts, dispatchers, keys, skills and kinds of work."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from api.declared import problems
from api.dispatcher import admin_views as views
from api.house import Asking, Here, Rooms, reply
from api.signin import new_password
from dispatch.actions import identity_admin as admin
from dispatch.actions import identity_erasure as erasure
from dispatch.actions import tenants
from dispatch.actions.identity import list_devices
from dispatch.actions.step import run_step
from dispatch.domain.commands import Principal
from dispatch.domain.errors import NotReady
from dispatch.store.queries.catalogue import read_catalogue

#: Part of the dispatcher's door: `api.dispatcher.endpoints` takes these in.
endpoints = APIRouter(prefix="/admin")

#: Ends of keys lie within so many days of now.
FURTHEST = timedelta(days=3660)
Kind = Literal["engineer", "dispatcher"]
_READ = problems(401, 403)
_LIST = problems(401, 403, 422)
_CHANGE = problems(401, 403, 404, 422)
_ADD = problems(401, 403, 409, 422)


def _within(here: Rooms, asking: Principal, work: Callable[[Session], Any]) -> Any:
    return here.house.database.run(asking.tenant_id, work)


@endpoints.get("", operation_id="dispatcher_admin", response_model=views.Admin, responses=_READ)
def everything(asking: Asking, here: Here) -> Response:
    def look(db: Session) -> dict[str, Any]:
        lists = read_catalogue(db, asking.tenant_id, asking.id)
        contractors = admin.read_contractors(db, asking.tenant_id)
        return {
            "contractors": contractors,
            **{name: lists[name] for name in ("skills", "work_types", "territories")},
        }

    return reply(_within(here, asking, look))


@endpoints.get(
    "/engineers",
    operation_id="dispatcher_admin_engineers",
    response_model=views.EngineerPage,
    responses=_LIST,
)
def engineers(
    asking: Asking,
    here: Here,
    q: Annotated[str, Query(max_length=80)] = "",
    page: UUID | None = None,
) -> Response:
    """Engineers by name, those who left last; `q` is part of a name or sign-in."""
    wall = here.doorkeeper.wall()
    return reply(_within(here, asking, lambda db: admin.read_engineers(db, asking.tenant_id, wall, q, page)))


@endpoints.get(
    "/dispatchers",
    operation_id="dispatcher_admin_dispatchers",
    response_model=views.DispatcherPage,
    responses=_LIST,
)
def dispatchers(asking: Asking, here: Here, page: UUID | None = None) -> Response:
    return reply(_within(here, asking, lambda db: admin.read_dispatchers(db, asking.tenant_id, page)))


@endpoints.get("/keys", operation_id="dispatcher_admin_keys", response_model=views.KeyPage, responses=_LIST)
def keys(asking: Asking, here: Here, page: UUID | None = None) -> Response:
    return reply(_within(here, asking, lambda db: admin.read_keys(db, asking.tenant_id, page)))


@endpoints.post(
    "/engineers",
    operation_id="dispatcher_add_engineer",
    response_model=views.Made,
    status_code=201,
    responses=_ADD,
)
def add_engineer(body: views.EngineerAdded, asking: Asking, here: Here) -> Response:
    wanted = tenants.EngineerWanted(
        body.name,
        body.signin_id,
        new_password(body.password, body.signin_id, body.name),
        body.skills,
        body.language,
        body.phone,
        body.territory_id,
        body.contractor_id,
        daily_limit_min=body.daily_limit_min,
        trainee=body.trainee,
        consented=False,
    )

    def add(db: Session) -> UUID:
        territories = [body.territory_id] if body.territory_id else []
        admin.must_know(db, asking.tenant_id, list(body.skills), territories, body.contractor_id)
        return tenants.add_engineer(db, here.house.personal, asking.tenant_id, wanted, here.house.now())

    return reply({"id": _within(here, asking, add)}, 201)


@endpoints.get(
    "/engineers/{engineer_id}/devices",
    operation_id="dispatcher_devices",
    response_model=views.DeviceLines,
    responses=problems(401, 403, 422),
)
def devices(engineer_id: UUID, asking: Asking, here: Here) -> Response:
    wall = here.doorkeeper.wall()
    found = _within(here, asking, lambda db: list_devices(db, asking.tenant_id, engineer_id, wall))
    return reply({"devices": [{**device, "current": False} for device in found]})


@endpoints.post(
    "/engineers/{engineer_id}/devices/{device_id}/revoke",
    operation_id="dispatcher_revoke_device",
    status_code=204,
    responses=_CHANGE,
)
def revoke_device(engineer_id: UUID, device_id: UUID, asking: Asking, here: Here) -> Response:
    """A phone that was lost: it stops working within a minute."""
    here.doorkeeper.end_device(asking, engineer_id, device_id)
    return Response(status_code=204)


@endpoints.post(
    "/engineers/{engineer_id}/erase",
    operation_id="dispatcher_erase_engineer",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def erase_engineer(engineer_id: UUID, asking: Asking, here: Here) -> Response:
    """What is personal of somebody who left: the work stays, under no name."""
    wall = here.doorkeeper.wall()
    run_step(here.house, asking, lambda step: erasure.erase_engineer(step, engineer_id, wall))
    return Response(status_code=204)


@endpoints.post(
    "/tickets/{ticket_id}/erase_customer",
    operation_id="dispatcher_erase_customer",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def erase_customer(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """The customer of this ticket is forgotten in all of theirs, their photos too, once none is under way."""
    erased = run_step(here.house, asking, lambda step: erasure.erase_customer(step, ticket_id))
    erasure.collect_photos(here.house, here.blobs, asking.tenant_id, erased)
    return Response(status_code=204)


@endpoints.get(
    "/tickets/{ticket_id}/customer",
    operation_id="dispatcher_customer_export",
    response_model=views.CustomerData,
    responses=problems(401, 403, 404, 422),
)
def export_customer(ticket_id: UUID, asking: Asking, here: Here) -> Response:
    """Everything kept about the customer of this ticket, for handing to them."""
    return reply(run_step(here.house, asking, lambda step: erasure.export_customer(step, ticket_id)))


@endpoints.post(
    "/dispatchers",
    operation_id="dispatcher_add_dispatcher",
    response_model=views.Made,
    status_code=201,
    responses=_ADD,
)
def add_dispatcher(body: views.DispatcherAdded, asking: Asking, here: Here) -> Response:
    if (body.role == "contractor") != (body.contractor_id is not None):
        raise NotReady("contractor_unknown")
    password_hash = new_password(body.password, body.signin_id, body.name)

    def add(db: Session) -> UUID:
        admin.must_know(db, asking.tenant_id, contractor_id=body.contractor_id)
        made = tenants.add_dispatcher(
            db,
            asking.tenant_id,
            body.name,
            body.signin_id,
            password_hash,
            body.role,
            body.language,
            body.contractor_id,
        )
        admin.set_territories(db, asking.tenant_id, made, body.territory_ids)
        return made

    return reply({"id": _within(here, asking, add)}, 201)


@endpoints.put(
    "/dispatchers/{dispatcher_id}/territories",
    operation_id="dispatcher_set_territories",
    status_code=204,
    responses=_CHANGE,
)
def set_territories(dispatcher_id: UUID, body: views.TerritoriesSet, asking: Asking, here: Here) -> Response:
    _within(
        here,
        asking,
        lambda db: admin.set_territories(db, asking.tenant_id, dispatcher_id, body.territory_ids),
    )
    return Response(status_code=204)


@endpoints.put(
    "/{kind}s/{person_id}/password",
    operation_id="dispatcher_set_password",
    status_code=204,
    responses=_CHANGE,
)
def set_password(
    kind: Kind, person_id: UUID, body: views.PasswordSet, asking: Asking, here: Here
) -> Response:
    """Somebody forgot it: a new one, and every device is signed out."""
    fresh, wall = new_password(body.password), here.doorkeeper.wall()
    _within(here, asking, lambda db: admin.set_password(db, asking.tenant_id, kind, person_id, fresh, wall))
    return Response(status_code=204)


@endpoints.put(
    "/{kind}s/{person_id}/active",
    operation_id="dispatcher_set_active",
    status_code=204,
    responses=_CHANGE,
)
def set_active(kind: Kind, person_id: UUID, body: views.ActiveSet, asking: Asking, here: Here) -> Response:
    wall = here.doorkeeper.wall()
    _within(
        here,
        asking,
        lambda db: admin.set_active(db, asking.tenant_id, kind, person_id, body.active, asking.id, wall),
    )
    return Response(status_code=204)


@endpoints.post(
    "/keys",
    operation_id="dispatcher_add_key",
    response_model=views.KeyMade,
    status_code=201,
    responses=_ADD,
)
def add_key(body: views.KeyAdded, asking: Asking, here: Here) -> Response:
    wall = here.doorkeeper.wall()
    if body.expires_at is not None and not wall < body.expires_at <= wall + FURTHEST:
        raise NotReady("key_already_ended")
    scopes = sorted(set(body.scopes))
    key = _within(
        here,
        asking,
        lambda db: tenants.add_api_key(
            db, asking.tenant_id, body.name, scopes, wall, expires_at=body.expires_at
        ),
    )
    return reply({"key": key}, 201)


@endpoints.post(
    "/keys/{key_id}/revoke", operation_id="dispatcher_revoke_key", status_code=204, responses=_CHANGE
)
def revoke_key(key_id: UUID, asking: Asking, here: Here) -> Response:
    """The key ends within a minute."""
    wall = here.doorkeeper.wall()
    _within(here, asking, lambda db: admin.revoke_key(db, asking.tenant_id, key_id, wall))
    return Response(status_code=204)
