"""The engineer's way in: password or one-time code, refresh, and the devices that are signed in."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Response

from api.declared import ERRORS, problems
from api.house import Asking, Here, Rooms, reply
from api.signin import SignedIn
from api.signin_codes import send_code, sign_in_by_code
from dispatch.actions.identity import list_devices
from dispatch.domain.errors import NotReady
from mobile_contract import v1

#: Part of the engineer's door: `api.engineer.endpoints` takes these in.
endpoints = APIRouter()

_SIGNIN_PROBLEMS = problems(401, 422, 429)


@endpoints.post(
    "/signin", operation_id="engineer_signin", response_model=v1.SignedIn, responses=_SIGNIN_PROBLEMS
)
def signin(body: v1.SignIn, here: Here) -> Any:
    doors = here.doorkeeper
    return _card(doors.sign_in("engineer", body.signin_id, body.password, body.device, body.device_id))


@endpoints.post("/signin/code", operation_id="engineer_signin_code", status_code=204, responses=problems(422))
def signin_code(body: v1.CodeWanted, here: Here, later: BackgroundTasks) -> Response:
    """The same answer whoever is asked for, at the same speed: nobody learns here who exists."""
    if here.sms is None:
        raise NotReady("codes_not_offered")
    later.add_task(send_code, here, here.sms, body.signin_id)
    return Response(status_code=204, background=later)


@endpoints.post(
    "/signin/by_code",
    operation_id="engineer_signin_by_code",
    response_model=v1.SignedIn,
    responses=_SIGNIN_PROBLEMS,
)
def signin_by_code(body: v1.SignInByCode, here: Here) -> Any:
    return _card(sign_in_by_code(here, body.signin_id, body.code, body.device, body.device_id))


@endpoints.post(
    "/refresh", operation_id="engineer_refresh", response_model=v1.SignedIn, responses=problems(401, 422)
)
def refresh(body: v1.Refresh, here: Here) -> Any:
    return _card(here.doorkeeper.refresh(body.refresh_token, body.device_id))


def _card(signed: SignedIn) -> dict[str, Any]:
    return {
        "access_token": signed.token,
        "expires_at": signed.expires_at,
        "engineer_id": signed.principal.id,
        "name": signed.name,
        "language": signed.language,
        "refresh_token": signed.refresh_token,
        "refresh_expires_at": signed.refresh_expires_at,
    }


@endpoints.post("/signout", operation_id="engineer_signout", status_code=204, responses=ERRORS)
def signout(asking: Asking, here: Here) -> Response:
    here.doorkeeper.sign_out(asking)
    return Response(status_code=204)


@endpoints.get("/devices", operation_id="engineer_devices", response_model=v1.Devices, responses=ERRORS)
def devices(asking: Asking, here: Here) -> Response:
    return reply({"devices": devices_of(here, asking.tenant_id, asking.id, asking.signin_id)})


def devices_of(here: Rooms, tenant_id: UUID, engineer_id: UUID, current: UUID | None) -> list[dict[str, Any]]:
    with here.house.database.transaction(tenant_id) as db:
        found = list_devices(db, tenant_id, engineer_id, here.doorkeeper.wall())
    return [{**device, "current": device["device_id"] == current} for device in found]


@endpoints.post(
    "/devices/{device_id}/revoke",
    operation_id="engineer_revoke_device",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def revoke_device(device_id: UUID, asking: Asking, here: Here) -> Response:
    """A lost phone: everything it holds stops working within a minute."""
    here.doorkeeper.end_device(asking, asking.id, device_id)
    return Response(status_code=204)
