"""Who is asking: bearer tokens, the board's cookie, customers' links, API keys. One function tells."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.problems import SignInRequired, TooOften
from api.signin_tokens import ACCESS, REFRESH, TokenKeys, ends, refresh_body
from dispatch.actions import identity
from dispatch.actions.identity import Person
from dispatch.adapters.common_passwords import is_common
from dispatch.domain import identity as rules
from dispatch.domain.commands import Principal, Role
from dispatch.domain.errors import Forbidden, NotFound, NotReady
from dispatch.domain.policy import SCOPES, STEP_UP, check_policy
from dispatch.settings import Clock
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import ApiKey, DirectoryEntry, Signin
from dispatch.store.tables.tickets import CustomerLink, Ticket
from dispatch.store.transactions import SCOPE, Database

#: A revoked link works at most this long; so does a sign-in or a key where its end was not heard.
CACHE_S = 30.0
CACHE_SIZE = 20_000

_hasher = PasswordHasher()
#: Compared against when there is nobody of that name, so that both take the same time.
NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives: the token, its end, and who it is; a phone gets a refresh token too."""

    token: str
    expires_at: datetime
    principal: Principal
    name: str
    language: str
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who came with a token: who, what a key may do, and when its own time is up."""

    principal: Principal
    scopes: frozenset[str] = frozenset()
    ends_s: float | None = None

    @property
    def ends_with(self) -> tuple[UUID | None, UUID]:
        """The sign-in, or what is itself the way in."""
        return self.principal.signin_id, self.principal.id


class Doorkeeper:
    """Signs people in and knows them again. One per process; its memory is short on purpose."""

    def __init__(
        self,
        database: Database,
        secret_key: bytes,
        secure: bool,
        now: Callable[[], datetime] = Clock.wall,
        previous_keys: tuple[bytes, ...] = (),
        wall: Callable[[], datetime] = Clock.wall,
    ) -> None:
        """`now` is business time, by which a customer's link ends; sign-ins end by the wall's clock, `wall`."""
        self._database = database
        self._now = now
        self.wall = wall
        self.keys = TokenKeys(secret_key, *previous_keys)
        self._known: dict[str, tuple[float, Known]] = {}
        self._forgotten = 0
        self.cookie = "__Host-paidan" if secure else "paidan_signin"
        self.secure = secure

    # signing in

    def sign_in(
        self, kind: str, signin_id: str, password: str, device: str, device_id: str | None = None
    ) -> SignedIn:
        """Raises SignInRequired `signin_refused`, the same for every reason, and TooOften."""
        person = identity.find_person(self._database, kind, signin_id)
        with self.attempt(kind, signin_id, person, device_id):
            if not matches(person.password_hash if person else NOBODY, password) or person is None:
                raise SignInRequired("signin_refused")
        return self.begin(person, device, device_id)

    @contextmanager
    def attempt(
        self, kind: str, signin_id: str, person: Person | None, device_id: str | None
    ) -> Iterator[None]:
        """One try under this name: too soon raises TooOften, a refusal within is counted, a success forgets."""
        seen = identity.hash_device(device_id)
        lookup = identity.attempts_of(self._database, kind, signin_id, person, seen)
        wait = identity.attempt_wait(self._database, lookup, self.wall())
        if wait:
            raise TooOften(wait)
        try:
            yield
        except SignInRequired:
            identity.attempt_failed(self._database, lookup, self.wall())
            raise
        identity.attempt_succeeded(self._database, lookup)

    def begin(
        self,
        person: Person,
        device: str,
        device_id: str | None = None,
        proven_at: datetime | None = None,
        by_provider: bool = False,
    ) -> SignedIn:
        """A sign-in for someone who has proven who they are: just now, or at `proven_at` somewhere else."""
        with self._database.transaction(person.tenant_id) as db:
            row = identity.open_signin(db, person, device, identity.hash_device(device_id), self.wall())
            row.proven_at, row.by_provider = proven_at or row.proven_at, by_provider
            db.flush()
        return self._signed_in(row, person)

    def refresh(self, refresh_token: str, device_id: str) -> SignedIn:
        """The next tokens of a phone. Raises SignInRequired `signin_ended`, and ends the whole family when an
        old token comes again or another device brings it."""
        body = self.keys.unpack(REFRESH, refresh_token)
        tenant_id, signin_id, device_hash = UUID(body["t"]), UUID(body["s"]), identity.hash_device(device_id)
        with self._database.transaction(tenant_id) as db:
            done = identity.refresh_signin(db, tenant_id, signin_id, int(body["n"]), device_hash, self.wall())
        if done.row is None or done.person is None:
            self.forget(signin_id)
            raise SignInRequired("signin_ended")
        return self._signed_in(done.row, done.person)

    def _signed_in(self, row: Signin, person: Person) -> SignedIn:
        role = Role(row.role)
        by_refresh = row.device_hash is not None
        short = role is Role.ENGINEER
        expires_at = min(self.wall() + rules.ACCESS, row.expires_at) if short else row.expires_at
        body = {
            "t": row.tenant_id.hex,
            "r": str(role),
            "p": person.id.hex,
            "c": person.contractor_id.hex if person.contractor_id else None,
            "s": row.id.hex,
            "e": int(expires_at.timestamp()),
        }
        refresh = self.keys.pack(REFRESH, refresh_body(row.tenant_id, row.id, row.refresh_no))
        return SignedIn(
            self.keys.pack(ACCESS, body),
            expires_at,
            Principal(row.tenant_id, role, person.id, contractor_id=person.contractor_id, signin_id=row.id),
            person.name,
            person.language,
            refresh if by_refresh else None,
            row.expires_at if by_refresh else None,
        )

    def sign_out(self, principal: Principal) -> None:
        if principal.signin_id is None:
            return
        self.end_device(principal, principal.id, principal.signin_id)

    def end_device(self, asking: Principal, person_id: UUID, signin_id: UUID) -> None:
        """Raises NotFound `device_unknown` where it is not that person's."""
        with self._database.transaction(asking.tenant_id) as db:
            identity.revoke_device(db, asking.tenant_id, person_id, signin_id, self.wall())
        self.forget(signin_id)

    def forget(self, ended: UUID | None) -> None:
        """A sign-in or key that ended, here or in another process, is looked up anew; None: everybody is."""
        self._forgotten += 1
        self._known = {k: v for k, v in self._known.items() if ended and ended not in v[1].ends_with}

    def csrf_token(self, principal: Principal) -> str:
        assert principal.signin_id is not None
        return self.keys.signature(_csrf(principal))

    # being known again

    async def principal_of(self, request: Request) -> Principal:
        """The one who asks, allowed by the policy table. Raises SignInRequired, Forbidden."""
        header = request.headers.get("authorization", "")
        cookie = request.cookies.get(self.cookie, "")
        token = header[7:].strip() if header[:7].lower() == "bearer " else ""
        by_cookie = not token and bool(cookie)
        known = await self._recognise(token or cookie)
        principal = known.principal
        operation = operation_of(request)
        check_policy(operation, principal.role)
        if operation in SCOPES and SCOPES[operation] not in known.scopes:
            raise Forbidden("scope_missing", scope=SCOPES[operation])
        if operation in STEP_UP:
            await run_in_threadpool(self._must_be_proven, principal)
        if by_cookie and request.method not in ("GET", "HEAD"):
            given = request.headers.get("x-csrf-token", "")
            if not self.keys.signed(_csrf(principal), given):
                raise Forbidden("csrf_token_wrong")
        return principal

    def must_see(self, asking: Principal, ticket_id: object, engineer_id: object) -> None:
        """Raises NotFound `ticket_unknown`, `engineer_unknown` where they are not the asker's to see: whatever hangs
        on a ticket or an engineer is behind this, however it is read."""
        with self._database.transaction(asking.tenant_id) as db:
            if (key := _key(asking, ticket_id)) and db.get(Ticket, key) is None:
                raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
            if key := _key(asking, engineer_id):
                engineer = db.get(Engineer, key)
                if engineer is None or not asking.directs(engineer.territory_id):
                    raise NotFound("engineer_unknown", engineer_id=str(engineer_id))

    def _must_be_proven(self, principal: Principal) -> None:
        """Raises Forbidden `proof_required`: a browser left open is not its dispatcher."""
        with self._database.transaction(principal.tenant_id) as db:
            if principal.signin_id is None or not identity.proven_lately(
                db, principal.tenant_id, principal.signin_id, self.wall()
            ):
                raise Forbidden("proof_required")

    async def _recognise(self, token: str) -> Known:
        if not token or len(token) > 1000 or not token.isascii():
            raise SignInRequired
        key = hashlib.sha256(token.encode()).hexdigest()
        remembered = self._known.get(key)
        if remembered is not None and remembered[0] > time.monotonic():
            known = remembered[1]
            if known.ends_s is None or known.ends_s > self.wall().timestamp():
                return known
        forgotten = self._forgotten
        known = await run_in_threadpool(self._look_up, token, key)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        if forgotten == self._forgotten:  # else it may have ended since it was read
            self._known[key] = (time.monotonic() + CACHE_S, known)
        return known

    def _look_up(self, token: str, digest: str) -> Known:
        if token.startswith(f"{ACCESS}."):
            return self._by_signature(token)
        kind = "api_key" if token.startswith("pdk_") else "link"
        with self._database.transaction(None) as db:
            entry = db.get(DirectoryEntry, f"{kind}:{digest}")
        if entry is None:
            raise SignInRequired
        with self._database.transaction(entry.tenant_id) as db:
            if kind == "api_key":
                return _by_key(db, entry, self.wall())
            return _by_link(db, entry, self._now())

    def _by_signature(self, token: str) -> Known:
        body = self.keys.unpack(ACCESS, token)
        tenant_id, signin_id = UUID(body["t"]), UUID(body["s"])
        now = self.wall()
        if ends(body, now):
            raise SignInRequired("token_expired")
        role, person_id = Role(body["r"]), UUID(body["p"])
        territories: frozenset[UUID] = frozenset()
        with self._database.transaction(tenant_id) as db:
            row = db.get(Signin, {"tenant_id": tenant_id, "id": signin_id})
            if role is Role.DISPATCHER:
                territories = identity.territories_of(db, tenant_id, person_id)
        if row is None or row.revoked_at is not None or row.expires_at <= now:
            raise SignInRequired("signin_ended")
        contractor = UUID(body["c"]) if body["c"] else None
        principal = Principal(
            tenant_id,
            role,
            person_id,
            contractor_id=contractor,
            signin_id=signin_id,
            territories=territories,
        )
        return Known(principal, ends_s=float(body["e"]))


def _key(asking: Principal, given: object) -> dict[str, UUID] | None:
    """The row's key; None for what is no id, which the endpoint refuses by itself."""
    try:
        return {"tenant_id": asking.tenant_id, "id": UUID(str(given))}
    except ValueError:
        return None


def _csrf(principal: Principal) -> bytes:
    assert principal.signin_id is not None
    return b"csrf" + principal.signin_id.bytes


def _by_link(db: Session, entry: DirectoryEntry, now: datetime) -> Known:
    link = db.get(CustomerLink, {"tenant_id": entry.tenant_id, "id": entry.subject_id})
    if link is None or link.revoked_at is not None or link.expires_at <= now:
        raise SignInRequired("link_ended")
    return Known(Principal(entry.tenant_id, Role.CUSTOMER, link.id, ticket_id=link.ticket_id))


def _by_key(db: Session, entry: DirectoryEntry, now: datetime) -> Known:
    row = db.scalars(
        select(ApiKey).where(ApiKey.tenant_id == entry.tenant_id, ApiKey.id == entry.subject_id)
    ).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise SignInRequired("key_ended")
    return Known(Principal(entry.tenant_id, Role.API_KEY, row.id), frozenset(row.scopes))


def matches(password_hash: str, password: str) -> bool:
    """argon2 says so."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def new_password(password: str, *names: str) -> str:
    """The hash of what somebody chose just now. Raises NotReady `password_common`."""
    if is_common(password, *names):
        raise NotReady("password_common")
    return hash_password(password)


def hash_password(password: str) -> str:
    """argon2id with the library's current parameters."""
    return _hasher.hash(password)


def operation_of(request: Request) -> str:
    """The operation id of the route that matched."""
    route = request.scope.get("route")
    return str(getattr(route, "operation_id", "") or "")


async def principal(request: Request) -> Principal:
    """The dependency of every endpoint that is not public; what follows sees what is the asker's to see only."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    asking = await doorkeeper.principal_of(request)
    scope = scope_of(asking, request.method)
    SCOPE.set(scope)
    request.state.tenant_id = asking.tenant_id  # the log's
    if scope:
        given = {**request.query_params, **request.path_params}
        ticket, engineer = given.get("ticket_id"), given.get("engineer_id")
        if ticket or engineer:
            await run_in_threadpool(doorkeeper.must_see, asking, ticket, engineer)
    return asking


def scope_of(asking: Principal, method: str) -> str:
    """What row-level security is told of the asker; see `dispatch.store.row_security.SCOPE`.

    A contractor's own actions are judged by the ticket's offers and visits: declining one makes it disappear in the
    middle of its transaction.
    """
    if asking.role is Role.CONTRACTOR:
        return f"@{asking.contractor_id}" if method in ("GET", "HEAD") else ""
    return ",".join(str(each) for each in asking.territories)
