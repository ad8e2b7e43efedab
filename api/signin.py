"""Who is asking: bearer tokens, the board's cookie, customers' links, API keys. One function tells."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from fastapi import Request
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from api.problems import SignInRequired
from dispatch.domain.commands import Principal, Role
from dispatch.domain.errors import Forbidden
from dispatch.domain.policy import SCOPES, check_policy
from dispatch.settings import Clock
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import ApiKey, DirectoryEntry, Dispatcher, Signin
from dispatch.store.tables.tickets import CustomerLink
from dispatch.store.transactions import Database

ENGINEER_HOURS = 24
BOARD_HOURS = 12
#: A revoked sign-in, link or key still works at most this long.
CACHE_S = 30.0
CACHE_SIZE = 20_000

_hasher = PasswordHasher()
#: Compared against when there is nobody of that name, so that both take the same time.
_NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a sign-in gives: the token, its end, and who it is."""

    token: str
    expires_at: object
    principal: Principal
    name: str
    language: str


class Doorkeeper:
    """Signs people in and knows them again. One per process; its memory is short on purpose."""

    def __init__(
        self,
        database: Database,
        secret_key: bytes,
        secure: bool,
        now: Callable[[], datetime] = Clock.wall,
    ) -> None:
        """`now` is business time, by which a customer's link ends; sign-ins end by the wall's clock."""
        self._database = database
        self._now = now
        self._key = hmac.digest(secret_key, b"paidan/signin/1", "sha256")
        self._known: dict[str, tuple[float, Principal, frozenset[str]]] = {}
        self.cookie = "__Host-paidan" if secure else "paidan_signin"
        self.secure = secure

    # signing in

    def sign_in(self, kind: str, signin_id: str, password: str, device: str) -> SignedIn:
        """Raises SignInRequired `signin_refused`, the same for every reason."""
        with self._database.transaction(None) as db:
            entry = db.get(DirectoryEntry, f"{kind}:{signin_id.lower()}")
        person: Engineer | Dispatcher | None = None
        if entry is not None:
            with self._database.transaction(entry.tenant_id) as db:
                key = {"tenant_id": entry.tenant_id, "id": entry.subject_id}
                person = db.get(Engineer, key) if kind == "engineer" else db.get(Dispatcher, key)
        if not _matches(person.password_hash if person and person.active else _NOBODY, password):
            raise SignInRequired("signin_refused")
        assert person is not None
        return self.begin(person, device)

    def begin(self, person: Engineer | Dispatcher, device: str) -> SignedIn:
        """A sign-in for someone who has proven who they are."""
        role = Role.ENGINEER if isinstance(person, Engineer) else Role(person.role)
        hours = ENGINEER_HOURS if role is Role.ENGINEER else BOARD_HOURS
        now = Clock.wall()
        expires_at = now + timedelta(hours=hours)
        signin_id = new_id()
        with self._database.transaction(person.tenant_id) as db:
            db.add(
                Signin(
                    tenant_id=person.tenant_id,
                    id=signin_id,
                    role=str(role),
                    principal_id=person.id,
                    device=device,
                    created_at=now,
                    expires_at=expires_at,
                )
            )
        principal = Principal(
            person.tenant_id, role, person.id, contractor_id=person.contractor_id, signin_id=signin_id
        )
        body = {
            "t": person.tenant_id.hex,
            "r": str(role),
            "p": person.id.hex,
            "c": person.contractor_id.hex if person.contractor_id else None,
            "s": signin_id.hex,
            "e": int(expires_at.timestamp()),
        }
        text = base64.urlsafe_b64encode(orjson.dumps(body)).rstrip(b"=")
        token = f"pd1.{text.decode()}.{self._sign(text)}"
        return SignedIn(token, expires_at, principal, person.name, person.language)

    def sign_out(self, principal: Principal) -> None:
        if principal.signin_id is None:
            return
        with self._database.transaction(principal.tenant_id) as db:
            row = db.get(Signin, {"tenant_id": principal.tenant_id, "id": principal.signin_id})
            if row is not None:
                row.revoked_at = Clock.wall()
        self._known = {k: v for k, v in self._known.items() if v[1].signin_id != principal.signin_id}

    def csrf_token(self, principal: Principal) -> str:
        assert principal.signin_id is not None
        return self._sign(b"csrf" + principal.signin_id.bytes)

    def _sign(self, text: bytes) -> str:
        digest = hmac.digest(self._key, text, "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    # being known again

    async def principal_of(self, request: Request) -> Principal:
        """The one who asks, allowed by the policy table. Raises SignInRequired, Forbidden."""
        header = request.headers.get("authorization", "")
        cookie = request.cookies.get(self.cookie, "")
        token = header[7:].strip() if header[:7].lower() == "bearer " else ""
        by_cookie = not token and bool(cookie)
        principal, scopes = await self._principal(token or cookie)
        operation = operation_of(request)
        check_policy(operation, principal.role)
        if operation in SCOPES and SCOPES[operation] not in scopes:
            raise Forbidden("scope_missing", scope=SCOPES[operation])
        if by_cookie and request.method not in ("GET", "HEAD"):
            given = request.headers.get("x-csrf-token", "")
            if not hmac.compare_digest(given.encode(), self.csrf_token(principal).encode()):
                raise Forbidden("csrf_token_wrong")
        return principal

    async def _principal(self, token: str) -> tuple[Principal, frozenset[str]]:
        if not token or len(token) > 1000 or not token.isascii():
            raise SignInRequired
        key = hashlib.sha256(token.encode()).hexdigest()
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1], known[2]
        principal, scopes = await run_in_threadpool(self._look_up, token, key)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[key] = (time.monotonic() + CACHE_S, principal, scopes)
        return principal, scopes

    def _look_up(self, token: str, digest: str) -> tuple[Principal, frozenset[str]]:
        if token.startswith("pd1."):
            return self._by_signature(token), frozenset()
        kind = "api_key" if token.startswith("pdk_") else "link"
        with self._database.transaction(None) as db:
            entry = db.get(DirectoryEntry, f"{kind}:{digest}")
        if entry is None:
            raise SignInRequired
        with self._database.transaction(entry.tenant_id) as db:
            if kind == "api_key":
                return _by_key(db, entry)
            return _by_link(db, entry, self._now()), frozenset()

    def _by_signature(self, token: str) -> Principal:
        try:
            _, text, signature = token.split(".")
            if not hmac.compare_digest(signature.encode(), self._sign(text.encode()).encode()):
                raise SignInRequired
            body = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError as error:
            raise SignInRequired from error
        tenant_id, signin_id = UUID(body["t"]), UUID(body["s"])
        with self._database.transaction(tenant_id) as db:
            row = db.get(Signin, {"tenant_id": tenant_id, "id": signin_id})
        if row is None or row.revoked_at is not None or row.expires_at <= Clock.wall():
            raise SignInRequired("signin_ended")
        contractor = UUID(body["c"]) if body["c"] else None
        return Principal(
            tenant_id, Role(body["r"]), UUID(body["p"]), contractor_id=contractor, signin_id=signin_id
        )


def _by_link(db: Session, entry: DirectoryEntry, now: datetime) -> Principal:
    link = db.get(CustomerLink, {"tenant_id": entry.tenant_id, "id": entry.subject_id})
    if link is None or link.revoked_at is not None or link.expires_at <= now:
        raise SignInRequired("link_ended")
    return Principal(entry.tenant_id, Role.CUSTOMER, link.id, ticket_id=link.ticket_id)


def _by_key(db: Session, entry: DirectoryEntry) -> tuple[Principal, frozenset[str]]:
    row = db.scalars(
        select(ApiKey).where(ApiKey.tenant_id == entry.tenant_id, ApiKey.id == entry.subject_id)
    ).one_or_none()
    now = Clock.wall()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
        raise SignInRequired("key_ended")
    return Principal(entry.tenant_id, Role.API_KEY, row.id), frozenset(row.scopes)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def hash_password(password: str) -> str:
    """argon2id with the library's current parameters."""
    return _hasher.hash(password)


def operation_of(request: Request) -> str:
    """The operation id of the route that matched."""
    route = request.scope.get("route")
    return str(getattr(route, "operation_id", "") or "")


async def principal(request: Request) -> Principal:
    """The dependency of every endpoint that is not public."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return await doorkeeper.principal_of(request)
