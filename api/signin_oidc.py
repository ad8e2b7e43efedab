"""The way to a company's own sign-in provider and back, bound to the browser that began it.

The state is signed, ends after ten minutes and comes back once. What binds it to the browser is a random secret in a
cookie; nonce and PKCE's verifier are derived from it, so a state without the cookie is worth nothing.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from threading import BoundedSemaphore
from uuid import UUID

from api.house import Rooms
from api.problems import SignInRequired, TooOften
from api.signin import SignedIn
from dispatch.actions import identity_oidc as oidc
from dispatch.actions.identity import prove_again
from dispatch.adapters.oidc import Provider, ProviderRefused, Vouched
from dispatch.domain.commands import Principal
from dispatch.domain.errors import Forbidden, NotFound
from dispatch.domain.identity import JOURNEY
from dispatch.store.ids import new_id

STATE = "pdo1"
CALLBACK = "/dispatcher/v1/oidc/callback"
#: A provider that hangs holds this many threads of a process and no more.
_asking = BoundedSemaphore(3)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and the secret it takes along in a cookie."""

    url: str
    browser: str


def leave(here: Rooms, company: str | None, asking: Principal | None = None) -> Leaving:
    """Begin a sign-in, or with `asking` the proof of somebody who is signed in.

    Raises NotFound `oidc_absent`, Forbidden with the provider's fault, TooOften.
    """
    if asking is None:
        found = oidc.company_of(here.house.database, company)
        if found is None:
            raise NotFound("oidc_absent")
        tenant_id = found[1]
    else:
        tenant_id = asking.tenant_id
    provider = _provider(here, tenant_id)
    browser = secrets.token_urlsafe(32)
    body = {
        "t": tenant_id.hex,
        "i": new_id().hex,
        "e": int((here.doorkeeper.wall() + JOURNEY).timestamp()),
        "b": _derived("browser", browser),
        "s": asking.signin_id.hex if asking is not None and asking.signin_id is not None else None,
        "p": asking.id.hex if asking is not None else None,
    }
    state = here.doorkeeper.keys.pack(STATE, body)
    nonce, verifier = _derived("nonce", browser), _derived("verifier", browser)
    with _conversation():
        url = here.oidc.leave_for(provider, _redirect(here), state, nonce, verifier, asking is not None)
    return Leaving(url, browser)


def come_back(here: Rooms, state: str, code: str, browser: str, issuer: str | None) -> SignedIn | None:
    """The sign-in; None where it was the proof of one that is there.

    Raises SignInRequired `oidc_state_refused`, Forbidden with what could not be believed, TooOften.
    """
    doors = here.doorkeeper
    try:
        body = doors.keys.unpack(STATE, state)
    except SignInRequired as error:
        raise SignInRequired("oidc_state_refused") from error
    wall, tenant_id = doors.wall(), UUID(body["t"])
    fresh = int(body["e"]) > wall.timestamp()
    if not fresh or not secrets.compare_digest(body["b"], _derived("browser", browser)):
        raise SignInRequired("oidc_state_refused")
    with here.house.database.transaction(tenant_id) as db:
        if not oidc.use_state(db, tenant_id, UUID(body["i"]), wall):
            raise SignInRequired("oidc_state_refused")
    provider = _provider(here, tenant_id)
    if issuer is not None and issuer != provider.issuer:
        raise Forbidden("oidc_issuer_differs")
    nonce, verifier = _derived("nonce", browser), _derived("verifier", browser)
    with _conversation():
        vouched = here.oidc.come_back(provider, _redirect(here), code, verifier, nonce, wall)
    if body["p"] is not None:
        _prove(here, tenant_id, UUID(body["p"]), UUID(body["s"]), vouched)
        return None
    with here.house.database.transaction(tenant_id) as db:
        person = oidc.find_vouched(db, tenant_id, vouched, wall)
    proven_at = oidc.proven_then(person, vouched, wall)
    return doors.begin(person, "board", proven_at=proven_at, by_provider=True)


def _prove(here: Rooms, tenant_id: UUID, person_id: UUID, signin_id: UUID, vouched: Vouched) -> None:
    """The same person, signed in at the provider just now and not some time ago."""
    wall = here.doorkeeper.wall()
    with here.house.database.transaction(tenant_id) as db:
        person = oidc.find_vouched(db, tenant_id, vouched, wall)
        just_now = vouched.proven_at is not None and wall - vouched.proven_at <= JOURNEY
        if person.id != person_id or person.totp_at is not None or not just_now:
            raise Forbidden("proof_refused")
        prove_again(db, tenant_id, signin_id, wall)


def _provider(here: Rooms, tenant_id: UUID) -> Provider:
    with here.house.database.transaction(tenant_id) as db:
        provider = oidc.read_provider(db, here.house.personal, tenant_id)
    if provider is None:
        raise NotFound("oidc_absent")
    return provider


@contextmanager
def _conversation() -> Iterator[None]:
    """One talk with a provider. Raises TooOften while too many are held up, Forbidden with what went wrong."""
    if not _asking.acquire(blocking=False):
        raise TooOften(timedelta(seconds=2))
    try:
        yield
    except ProviderRefused as error:
        raise Forbidden(error.code) from error
    finally:
        _asking.release()


def _redirect(here: Rooms) -> str:
    return here.settings.public_url + CALLBACK


def _derived(purpose: str, browser: str) -> str:
    return sha256(f"paidan/oidc/{purpose}/{browser}".encode()).hexdigest()
