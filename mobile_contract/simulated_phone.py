"""A reference client of contract v1: what an engineer's phone must do, without the screens.

Every tap is made once, with its own command_id, and sent until it is answered: a lost reply, a restarting
server or a 503 only means sending the same tap again. The demo's engineers and the contract's tests use it.
"""

import asyncio
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from mobile_contract import v1
from mobile_contract.push import PushPayload

Shape = TypeVar("Shape", bound=BaseModel)

PATIENCE_S = 60.0
TIMEOUT_S = 20.0
LIVE_SILENCE_S = 45.0  # the server's comments come every 15 s; three missed mean a dead stream
#: Not an answer to what was asked: the same request again may well succeed.
PASSING = frozenset({429, 500, 502, 503, 504, 507})
BUG_TRIES = 3  # a 500 is tried again, but not for as long as PATIENCE_S


class Refused(Exception):
    """The server said no: `problem` tells why in a stable code. Sending it again would not help."""

    def __init__(self, problem: v1.Problem) -> None:
        self.problem = problem
        super().__init__(f"{problem.status} {problem.code} {problem.facts}")

    @property
    def code(self) -> str:
        return self.problem.code


class OutOfReach(Exception):
    """No usable answer within the phone's patience: keep the tap and send it later, unchanged."""


def uuid7() -> UUID:
    """A time-ordered id made on the phone (RFC 9562, version 7)."""
    ms = time.time_ns() // 1_000_000
    value = (ms & (1 << 48) - 1) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return UUID(int=value)


class SimulatedPhone:
    """One phone with one engineer's sign-in.

    `now` is the phone's clock. `http` may be shared by many phones and is then closed by its owner.
    `on_trouble(status, method, path, code)` hears of every reply from 500 on; status 0 is no reply at all.
    `turn`, shared by many phones, bounds how many of their requests are under way at once.
    """

    def __init__(
        self,
        base_url: str,
        signin_id: str,
        password: str,
        now: Callable[[], datetime],
        http: httpx.AsyncClient | None = None,
        patience_s: float = PATIENCE_S,
        on_trouble: Callable[[int, str, str, str], None] | None = None,
        turn: asyncio.Semaphore | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.signin_id = signin_id
        self._password = password
        self._now = now
        self._own_http = http is None
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT_S)
        self._patience_s = patience_s
        self._on_trouble = on_trouble or (lambda status, method, path, code: None)
        self._turn = turn or asyncio.Semaphore(8)
        self._token: str | None = None
        self._refresh_token: str | None = None
        self._device_id = secrets.token_urlsafe(16)
        self._renewing = asyncio.Lock()
        self._queue: list[v1.ActionCommand] = []
        self.signed_in: v1.SignedIn | None = None

    async def close(self) -> None:
        if self._own_http:
            await self._http.aclose()

    # signing in

    async def sign_in(self) -> v1.SignedIn:
        """Raises Refused `signin_refused`, OutOfReach."""
        body = v1.SignIn(
            signin_id=self.signin_id,
            password=self._password,
            device="simulated phone",
            device_id=self._device_id,
        )
        return self._take(await self._send("POST", "/signin", body, signed=False))

    def _take(self, reply: httpx.Response) -> v1.SignedIn:
        self.signed_in = v1.SignedIn.model_validate_json(reply.content)
        self._token = self.signed_in.access_token
        self._refresh_token = self.signed_in.refresh_token
        return self.signed_in

    async def _renew(self, spent: str | None) -> None:
        """A fresh access token in place of `spent`: by the refresh token, else by signing in again.

        One at a time: whoever waited finds the work done. Raises Refused, OutOfReach.
        """
        async with self._renewing:
            if self._token != spent:
                return
            if self._refresh_token is not None:
                body = v1.Refresh(refresh_token=self._refresh_token, device_id=self._device_id)
                try:
                    self._take(await self._send("POST", "/refresh", body, signed=False))
                    return
                except Refused:
                    self._refresh_token = None
            await self.sign_in()

    async def sign_out(self) -> None:
        await self._send("POST", "/signout")
        self._token = self._refresh_token = None

    # reading

    async def today(self) -> v1.Today:
        return await self._read(v1.Today, "/today")

    async def pool(self, page: str | None = None) -> v1.Pool:
        return await self._read(v1.Pool, "/pool", {"page": page} if page else {})

    async def ticket(self, ticket_id: UUID) -> v1.TicketDetail:
        return await self._read(v1.TicketDetail, f"/tickets/{ticket_id}")

    async def receipt(self, ticket_id: UUID) -> v1.Receipt:
        return await self._read(v1.Receipt, f"/tickets/{ticket_id}/receipt")

    async def colleagues(self) -> list[v1.Colleague]:
        return (await self._read(v1.Colleagues, "/colleagues")).engineers

    async def changes(self, cursor: int) -> v1.Changes:
        return await self._read(v1.Changes, "/sync", {"cursor": cursor})

    async def _read(self, shape: type[Shape], path: str, query: dict[str, Any] | None = None) -> Shape:
        reply = await self._send("GET", path, query=query)
        return shape.model_validate_json(reply.content)

    # acting

    def command(self, ticket_id: UUID, action: str, facts: v1.ActionFacts | None = None) -> v1.ActionCommand:
        """A tap, stamped with the phone's clock and an id that stays with it."""
        return v1.ActionCommand(
            command_id=uuid7(),
            ticket_id=ticket_id,
            action=action,
            at=self._now(),
            facts=facts or v1.ActionFacts(),
        )

    async def act(self, ticket_id: UUID, action: str, facts: v1.ActionFacts | None = None) -> v1.ActionReply:
        """One tap, sent until it is answered. Raises Refused, OutOfReach."""
        return await self.send(self.command(ticket_id, action, facts))

    async def send(self, command: v1.ActionCommand) -> v1.ActionReply:
        """A command as it is, new or sent before."""
        reply = await self._send("POST", "/actions", command)
        return v1.ActionReply.model_validate_json(reply.content)

    def keep(self, ticket_id: UUID, action: str, facts: v1.ActionFacts | None = None) -> v1.ActionCommand:
        """A tap made without reception: it waits for `drain`."""
        command = self.command(ticket_id, action, facts)
        self._queue.append(command)
        return command

    async def drain(self) -> list[v1.BatchItem]:
        """Everything kept, oldest first, in one batch; what the server answered is taken off the queue."""
        items: list[v1.BatchItem] = []
        while self._queue:
            batch = v1.ActionBatch(commands=self._queue[:100])
            reply = await self._send("POST", "/actions/batch", batch)
            answered = v1.BatchReply.model_validate_json(reply.content).items
            items += answered
            seen = {item.command_id for item in answered}
            left = [command for command in self._queue if command.command_id not in seen]
            if len(left) == len(self._queue):
                raise OutOfReach("the batch was answered without its items")
            self._queue = left
        return items

    async def put_photo(self, ticket_id: UUID, kind: str, jpeg: bytes, photo_id: UUID | None = None) -> UUID:
        """Uploads a picture; its id is made here, so that sending it again is harmless."""
        photo_id = photo_id or uuid7()
        query = {"ticket_id": str(ticket_id), "kind": kind, "taken_at": self._now().isoformat()}
        await self._send("PUT", f"/photos/{photo_id}", content=jpeg, query=query)
        return photo_id

    async def put_photo_in_pieces(self, ticket_id: UUID, kind: str, jpeg: bytes, piece_bytes: int) -> UUID:
        """The same over a poor line: piece by piece, going on where the server stands."""
        photo_id = uuid7()
        path = f"/uploads/{photo_id}"
        facts = v1.PhotoFacts(taken_at=self._now())
        wanted = v1.UploadWanted.model_validate(
            {"ticket_id": ticket_id, "kind": kind, "bytes_total": len(jpeg), "facts": facts}
        )
        status = v1.UploadStatus.model_validate_json((await self._send("POST", path, wanted)).content)
        while status.photo is None:
            piece = jpeg[status.offset : status.offset + piece_bytes]
            reply = await self._send("PATCH", path, content=piece, query={"offset": status.offset})
            status = v1.UploadStatus.model_validate_json(reply.content)
        return photo_id

    async def send_positions(self, readings: list[v1.PositionReading]) -> v1.PositionsTaken:
        reply = await self._send("POST", "/positions", v1.PositionBatch(positions=readings))
        return v1.PositionsTaken.model_validate_json(reply.content)

    async def ask(self, wanted: v1.RequestWanted) -> v1.RequestStatus:
        """Overtime, leave, a discount, a part: a dispatcher answers."""
        reply = await self._send("POST", "/requests", wanted)
        return v1.RequestStatus.model_validate_json(reply.content)

    async def requests(self) -> v1.RequestPage:
        """What was asked for, the open ones first; the first page."""
        return v1.RequestPage.model_validate_json((await self._send("GET", "/requests")).content)

    # being told

    async def register_push(self, target: str) -> None:
        await self._send("PUT", "/push_target", v1.PushTarget(platform="fcm", target=target))

    async def acknowledge_push(self, offer_id: UUID) -> None:
        await self._send("POST", "/push_acks", v1.PushAck(offer_id=offer_id))

    async def live(self) -> AsyncIterator[str]:
        """Names of the server's events while one stream lasts; each only says: pull again."""
        if self._token is None:
            await self._renew(None)
        token = self._token
        url = f"{self.base_url}/engineer/v1/live"
        timeout = httpx.Timeout(TIMEOUT_S, read=LIVE_SILENCE_S)
        try:
            async with self._http.stream("GET", url, headers=self._headers(), timeout=timeout) as reply:
                if reply.status_code == 401:
                    await self._renew(token)
                if reply.status_code != 200:
                    return
                async for line in reply.aiter_lines():
                    if line.startswith("event:"):
                        yield line.removeprefix("event:").strip()
        except httpx.TransportError:
            return

    async def pushes(self, service_url: str, target: str) -> AsyncIterator[PushPayload]:
        """What the local push service holds for this device, waiting for more until it cannot be reached."""
        after = 0
        while True:
            try:
                reply = await self._http.get(
                    f"{service_url}/messages/{target}", params={"after": after, "wait_s": 20}, timeout=30
                )
                reply.raise_for_status()
                body = reply.json()
            except (httpx.HTTPError, ValueError):
                return
            after = body["last"]
            for entry in body["messages"]:
                try:
                    yield PushPayload.from_data(entry["message"].get("data", {}))
                except ValidationError:
                    continue

    # the wire

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def _send(
        self,
        method: str,
        path: str,
        body: BaseModel | None = None,
        content: bytes | None = None,
        query: dict[str, Any] | None = None,
        signed: bool = True,
    ) -> httpx.Response:
        """The 2xx reply. A 401 renews the sign-in, once."""
        if body is not None:
            content = body.model_dump_json(exclude_defaults=True).encode()
        kind = "application/json" if body is not None else "image/jpeg"
        url = f"{self.base_url}/engineer/v1{path}"
        if signed and self._token is None:
            await self._renew(None)
        token = self._token

        async def once() -> httpx.Response:
            headers = self._headers() if signed else {}
            if content is not None:
                headers["Content-Type"] = kind
            async with self._turn:
                return await self._http.request(method, url, content=content, params=query, headers=headers)

        reply = await persist(once, self._patience_s, self._on_trouble, (method, path))
        if reply.status_code == 401 and signed:
            await self._renew(token)
            reply = await persist(once, self._patience_s, self._on_trouble, (method, path))
        if reply.status_code >= 400:
            raise Refused(problem_of(reply))
        return reply


async def persist(
    once: Callable[[], Awaitable[httpx.Response]],
    patience_s: float,
    on_trouble: Callable[[int, str, str, str], None],
    name: tuple[str, str],
) -> httpx.Response:
    """The first reply that is an answer, the request being sent again with growing waits.

    Raises OutOfReach after `patience_s` of real time, or when a 500 comes BUG_TRIES times.
    """
    end = time.monotonic() + patience_s
    wait_s, bugs, why = 0.2, 0, ""
    while True:
        try:
            reply = await once()
        except httpx.TransportError as error:
            status, why = 0, type(error).__name__
        else:
            if reply.status_code not in PASSING:
                return reply
            status, why = reply.status_code, problem_of(reply).code
            wait_s = max(wait_s, _retry_after_s(reply))
        on_trouble(status, *name, why)
        bugs += status == 500
        if bugs >= BUG_TRIES or time.monotonic() + wait_s > end:
            raise OutOfReach(f"{' '.join(name)}: {status} {why}")
        await asyncio.sleep(wait_s)
        wait_s = min(wait_s * 2, 5.0)


def _retry_after_s(reply: httpx.Response) -> float:
    text = reply.headers.get("retry-after", "")
    return min(float(text), 10.0) if text.isdecimal() else 0.0


def problem_of(reply: httpx.Response) -> v1.Problem:
    """The problem a refusal carries; `http_error` where the body is something else (a proxy's page)."""
    try:
        return v1.Problem.model_validate(json.loads(reply.content))
    except (ValueError, ValidationError):
        return v1.Problem(
            code="http_error", title="Not a problem document", status=reply.status_code, trace_id=""
        )


def sha256_of(picture: bytes) -> str:
    """How a photo that is still on the phone is named in `photo_pending`."""
    return hashlib.sha256(picture).hexdigest()
