"""Signing in to the board through the company's own provider, and what an admin says about it."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from api import signin_oidc
from api.declared import problems
from api.dispatcher import oidc_views as views
from api.dispatcher.signin_endpoints import set_cookie
from api.house import Asking, Here, Rooms, reply
from api.problems import SignInRequired, TooOften
from dispatch.actions import identity_oidc as oidc
from dispatch.domain.errors import Forbidden, NotFound
from dispatch.domain.identity import JOURNEY

#: Part of the dispatcher's door: `api.dispatcher.endpoints` takes these in.
endpoints = APIRouter()

BOARD = "/board/"
Company = Annotated[str | None, Query(min_length=1, max_length=80, pattern=r"^[a-z0-9-]+$")]
_AWAY: dict[int | str, dict[str, Any]] = {303: {"description": "The browser goes on"}}


@endpoints.get(
    "/signin/ways", operation_id="dispatcher_signin_ways", response_model=views.Ways, responses=problems(422)
)
def ways(here: Here, company: Company = None) -> Response:
    """Whether the company has a provider of its own; without a name, of the only company here."""
    found = oidc.company_of(here.house.database, company)
    only = False
    if found is not None:
        with here.house.database.transaction(found[1]) as db:
            only = oidc.is_only(db, found[1])
    return reply({"provider": found is not None, "company": found[0] if found else None, "only": only})


@endpoints.get(
    "/oidc/start",
    operation_id="dispatcher_oidc_start",
    responses=_AWAY | problems(422),
    response_class=Response,
)
def start(here: Here, company: Company = None) -> Response:
    """To the provider. What goes wrong is told on the sign-in page."""
    try:
        return _leave(here, signin_oidc.leave(here, company))
    except (NotFound, Forbidden, TooOften) as error:
        return _back(getattr(error, "code", "too_many_requests"))


@endpoints.get(
    "/oidc/prove",
    operation_id="dispatcher_oidc_prove",
    responses=_AWAY | problems(401, 403),
    response_class=Response,
)
def prove(asking: Asking, here: Here) -> Response:
    """To the provider, to sign in there once more: instead of the password before exports, bulk changes and keys."""
    try:
        return _leave(here, signin_oidc.leave(here, None, asking))
    except (NotFound, Forbidden, TooOften) as error:
        return _back(getattr(error, "code", "too_many_requests"))


@endpoints.get(
    "/oidc/callback",
    operation_id="dispatcher_oidc_callback",
    responses=_AWAY | problems(422),
    response_class=Response,
)
def callback(
    request: Request,
    here: Here,
    state: Annotated[str, Query(max_length=1000)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Back from the provider: signed in, or on the sign-in page with what went wrong."""
    browser = request.cookies.get(_cookie(here), "")
    if error or not code:
        return _back("oidc_refused")
    try:
        signed = signin_oidc.come_back(here, state, code, browser, iss)
    except (NotFound, Forbidden, SignInRequired, TooOften) as refusal:
        return _back(getattr(refusal, "code", "too_many_requests"))
    answer = _go(BOARD)
    if signed is not None:
        set_cookie(here, answer, signed)
    return answer


@endpoints.get(
    "/admin/oidc",
    operation_id="dispatcher_oidc",
    response_model=views.OidcSettings,
    responses=problems(401, 403),
)
def settings(asking: Asking, here: Here) -> Response:
    """The provider without its secret, and whom it may vouch for."""
    with here.house.database.transaction(asking.tenant_id) as db:
        found = oidc.read_settings(db, asking.tenant_id)
    redirect = here.settings.public_url + signin_oidc.CALLBACK
    page = f"{here.settings.public_url}{BOARD}?{urlencode({'company': found['company']})}"
    return reply({**found, "redirect_uri": redirect, "signin_page": page})


@endpoints.put(
    "/admin/oidc",
    operation_id="dispatcher_put_oidc",
    status_code=204,
    responses=problems(401, 403, 422),
)
def put_settings(body: views.OidcProviderWanted, asking: Asking, here: Here) -> Response:
    wanted = oidc.ProviderWanted(
        body.issuer, body.client_id, body.client_secret, body.email_domains, body.active, body.only
    )
    wall, personal, tenant_id = here.doorkeeper.wall(), here.house.personal, asking.tenant_id
    here.house.database.run(
        tenant_id,
        lambda db: oidc.put_provider(db, personal, here.oidc, tenant_id, wanted, wall, asking.signin_id),
    )
    return Response(status_code=204)


@endpoints.put(
    "/admin/dispatchers/{dispatcher_id}/email",
    operation_id="dispatcher_put_email",
    status_code=204,
    responses=problems(401, 403, 404, 409, 422),
)
def put_email(dispatcher_id: UUID, body: views.EmailWanted, asking: Asking, here: Here) -> Response:
    """By this e-mail the provider may vouch for them; given again, they are bound anew at their next sign-in."""
    here.house.database.run(
        asking.tenant_id, lambda db: oidc.put_email(db, asking.tenant_id, dispatcher_id, body.email)
    )
    return Response(status_code=204)


def _leave(here: Rooms, leaving: signin_oidc.Leaving) -> Response:
    answer = _go(leaving.url)
    answer.set_cookie(
        _cookie(here),
        leaving.browser,
        max_age=int(JOURNEY.total_seconds()),
        httponly=True,
        secure=here.doorkeeper.secure,
        # Lax: the provider's page sends the browser back, and a strict cookie would stay away.
        samesite="lax",
        path="/",
    )
    return answer


def _back(code: str) -> Response:
    return _go(f"{BOARD}?{urlencode({'refused': code})}")


def _go(url: str) -> Response:
    return Response(status_code=303, headers={"Location": url, "Cache-Control": "no-store"})


def _cookie(here: Rooms) -> str:
    return "__Host-paidan-oidc" if here.doorkeeper.secure else "paidan_oidc"
