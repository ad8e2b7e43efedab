"""Shedding load: a process that is asked more than it can answer refuses at once what could not be answered in
time, the least urgent first, and so stays quick for the rest.

As many requests are worked on at a time as there are threads and database connections (`slots`). Others wait here,
not in a thread's queue, each kind only so long; who would wait longer than that, by what waits ahead and how long a
request takes, is answered 503 with Retry-After without waiting at all. What waits is taken by kind, then by arrival.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from api.problems import problem

#: What is refused first stands last, with the share of `wait_s` it may wait for its turn.
KINDS: tuple[tuple[str, float], ...] = (
    ("work", 1.0),  # what engineers and customers did: it must not be lost, and they stand at a door
    ("write", 0.5),  # dispatchers, other systems, positions, sign-ins
    ("phone", 0.3),  # what phones read
    ("read", 0.15),  # boards, pages, lists
)
WORK, WRITE, PHONE, READ = range(4)

#: Answered whatever the load: they ask whether the process lives, and cost next to nothing.
ALWAYS = frozenset({"/healthz", "/readyz", "/metrics"})
_WORK = ("/engineer/v1/actions", "/customer/v1/actions", "/c/")
#: A longer body is not waited for in a slot: a phone on a slow line would hold it for minutes.
BODY_BYTES = 64 * 1024
UPLOADS = 24
MOST_WAITING = 4000
RETRY_AFTER_S = (1, 4)
#: Weight of the newest request in the mean of how long one takes.
NEWEST = 0.05

App = Callable[..., Awaitable[None]]
Turn = asyncio.Future[bool]


class Shedding:
    """ASGI middleware, one per process. `wait_s` 0 lets nobody wait; infinite never refuses."""

    def __init__(self, app: App, slots: int, wait_s: float) -> None:
        self.app = app
        self.limits_s = [wait_s * share for _, share in KINDS]
        self._free = slots
        self._slots = slots
        self._uploads = 0
        self._waiting: list[deque[Turn]] = [deque() for _ in KINDS]
        self._takes_s = 0.02

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (kind := kind_of(scope["method"], scope["path"])) is None:
            await self.app(scope, receive, send)
            return
        length = _length(scope)
        if length > BODY_BYTES:
            await self._upload(scope, receive, send)
            return
        if length:
            receive = await _read_ahead(receive)
        if not (self._take() or await self._turn(kind)):
            await self._refuse(kind, scope, receive, send)
            return
        clock = asyncio.get_running_loop().time
        began, held = clock(), True

        def give_back() -> None:
            nonlocal held
            if held:
                held = False
                self._takes_s += NEWEST * (clock() - began - self._takes_s)
                self._give_back()

        async def answered(message: Any) -> None:
            give_back()  # the work is done; whoever reads the answer slowly holds nothing
            await send(message)

        try:
            await self.app(scope, receive, answered)
        finally:
            give_back()

    def _take(self) -> bool:
        """A slot where one is free: while anybody waits, none is."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    async def _turn(self, kind: int) -> bool:
        """Whether a slot came free in time; False at once where that is not to be expected."""
        ahead = sum(len(queue) for queue in self._waiting[: kind + 1])
        limit_s = self.limits_s[kind]
        if ahead >= MOST_WAITING or (ahead + 1) * self._takes_s / self._slots > limit_s:
            return False
        loop, mine = asyncio.get_running_loop(), self._waiting[kind]
        turn: Turn = loop.create_future()
        mine.append(turn)
        end = loop.call_later(min(limit_s, 3600.0), _end, turn, mine)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self._give_back()
            elif turn in mine:
                mine.remove(turn)
            raise
        finally:
            end.cancel()

    def _give_back(self) -> None:
        for queue in self._waiting:
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(True)
                    return
        self._free += 1

    async def _upload(self, scope: Any, receive: Any, send: Any) -> None:
        """Photos have limits of their own further in; here only their number counts."""
        if self._uploads >= UPLOADS:
            await self._refuse(WRITE, scope, receive, send)
            return
        self._uploads += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._uploads -= 1

    async def _refuse(self, kind: int, scope: Any, receive: Any, send: Any) -> None:
        scope["shed"] = f"shed_{KINDS[kind][0]}"
        headers = {"Retry-After": str(random.randint(*RETRY_AFTER_S))}
        trace_id = scope.get("state", {}).get("trace_id", "")
        await problem(503, "unavailable", {"reason": "overload"}, trace_id, headers)(scope, receive, send)


def kind_of(method: str, path: str) -> int | None:
    """The place in KINDS, or None for what is never refused: health, and streams, which work in no thread."""
    if method in ("GET", "HEAD"):
        if path in ALWAYS or path.endswith("/live"):
            return None
        return PHONE if path.startswith("/engineer/") else READ
    return WORK if path.startswith(_WORK) else WRITE


def _length(scope: Any) -> int:
    """Bytes of the body as announced; one in pieces of unknown length counts as long."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
        if name == b"transfer-encoding":
            return BODY_BYTES + 1
    return 0


async def _read_ahead(receive: Any) -> Any:
    """The whole body before a slot is asked for; given on as it came."""
    came: deque[Any] = deque()
    more = True
    while more:
        message = await receive()
        came.append(message)
        more = message["type"] == "http.request" and message.get("more_body", False)

    async def again() -> Any:
        return came.popleft() if came else await receive()

    return again


def _end(turn: Turn, queue: deque[Turn]) -> None:
    if not turn.done():
        turn.set_result(False)
        queue.remove(turn)
