"""The dispatcher's way in and out: password, second factor, the provider's sign-in, proof again."""

from typing import Any
from urllib.parse import quote

import segno
from fastapi import APIRouter, Response

from api.declared import ERRORS, problems
from api.dispatcher import views
from api.house import Asking, Here, Rooms, reply
from api.signin import SignedIn
from api.signin_board import change_password, prove, sign_in_board
from dispatch.actions.identity_totp import confirm_totp, remove_totp, start_totp
from dispatch.domain.commands import Principal
from dispatch.store.queries.catalogue import read_catalogue
from dispatch.store.tables.tenants import Dispatcher

#: Part of the dispatcher's door: `api.dispatcher.endpoints` takes these in.
endpoints = APIRouter()


@endpoints.post(
    "/signin", operation_id="dispatcher_signin", response_model=views.Me, responses=problems(401, 422, 429)
)
def signin(body: views.DispatcherSignIn, here: Here) -> Response:
    return let_in(here, sign_in_board(here, body.signin_id, body.password, body.code))


def let_in(here: Rooms, signed: SignedIn) -> Response:
    """Who it is, with the cookie that says so from now on."""
    answer = reply(_me(here, signed.principal))
    set_cookie(here, answer, signed)
    return answer


def set_cookie(here: Rooms, answer: Response, signed: SignedIn) -> None:
    doors = here.doorkeeper
    answer.set_cookie(
        doors.cookie, signed.token, httponly=True, secure=doors.secure, samesite="strict", path="/"
    )


@endpoints.post("/signout", operation_id="dispatcher_signout", status_code=204, responses=ERRORS)
def signout(asking: Asking, here: Here) -> Response:
    here.doorkeeper.sign_out(asking)
    answer = Response(status_code=204)
    answer.delete_cookie(here.doorkeeper.cookie, path="/", secure=here.doorkeeper.secure)
    return answer


@endpoints.get("/me", operation_id="dispatcher_me", response_model=views.Me, responses=ERRORS)
def me(asking: Asking, here: Here) -> Response:
    return reply(_me(here, asking))


def _me(here: Rooms, asking: Principal) -> dict[str, Any]:
    with here.house.database.transaction(asking.tenant_id) as db:
        catalogue = read_catalogue(db, asking.tenant_id, asking.id)
    return {
        "dispatcher_id": asking.id,
        **catalogue["me"],
        "csrf_token": here.doorkeeper.csrf_token(asking),
    }


@endpoints.post(
    "/proof",
    operation_id="dispatcher_prove",
    status_code=204,
    responses=problems(401, 403, 422, 429),
)
def proof(body: views.Proof, asking: Asking, here: Here) -> Response:
    """Before exports, bulk changes and keys: good for fifteen minutes."""
    prove(here, asking, body.password, body.code)
    return Response(status_code=204)


@endpoints.post(
    "/password",
    operation_id="dispatcher_change_password",
    status_code=204,
    responses=problems(401, 403, 422, 429),
)
def password(body: views.NewPassword, asking: Asking, here: Here) -> Response:
    """All other sign-ins of this person end."""
    change_password(here, asking, body.old_password, body.new_password)
    return Response(status_code=204)


@endpoints.post(
    "/totp/start",
    operation_id="dispatcher_totp_start",
    response_model=views.TotpStarted,
    responses=problems(401, 403, 409),
)
def totp_start(asking: Asking, here: Here) -> Response:
    """A secret for an authenticator app, as a picture to scan and as text to type."""
    with here.house.database.transaction(asking.tenant_id) as db:
        person = _row(db, asking)
        secret = start_totp(db, here.house.personal, person)
        name = person.signin_id
    uri = f"otpauth://totp/Paidan:{_quoted(name)}?secret={secret}&issuer=Paidan"
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=2, dark="#111", light="#fff")
    return reply({"secret": secret, "uri": uri, "qr": picture})


@endpoints.post(
    "/totp/confirm",
    operation_id="dispatcher_totp_confirm",
    response_model=views.RecoveryCodes,
    responses=problems(401, 403, 409, 422),
)
def totp_confirm(body: views.TotpCode, asking: Asking, here: Here) -> Response:
    """The second factor is on; the recovery codes are shown this once."""
    with here.house.database.transaction(asking.tenant_id) as db:
        person = _row(db, asking)
        codes = confirm_totp(db, here.house.personal, person, body.code, here.doorkeeper.wall())
    return reply({"recovery_codes": codes})


@endpoints.post(
    "/totp/remove", operation_id="dispatcher_totp_remove", status_code=204, responses=problems(401, 403)
)
def totp_remove(asking: Asking, here: Here) -> Response:
    with here.house.database.transaction(asking.tenant_id) as db:
        remove_totp(db, _row(db, asking))
    return Response(status_code=204)


def _quoted(name: str) -> str:
    return quote(name, safe="")


def _row(db: Any, asking: Principal) -> Dispatcher:
    row = db.get(Dispatcher, {"tenant_id": asking.tenant_id, "id": asking.id}, with_for_update=True)
    assert isinstance(row, Dispatcher)
    return row
