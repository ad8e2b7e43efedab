"""What all simulated people share: the clock, the wire, the stories told, and the board as last seen."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from api.command_line.simulation_stories import Story
from dispatch.settings import Clock
from mobile_contract.simulated_phone import OutOfReach, Refused, persist, problem_of, uuid7

MOST_CONNECTIONS = 200
REQUESTS_AT_ONCE = 10
PATIENCE_S = 60.0
SUMMARY_EVERY_S = 60.0
ZONE = ZoneInfo("Asia/Shanghai")
GO_ON_S = 2.0  # real seconds until somebody whose step failed looks again


@dataclass
class World:
    """One simulation. Business time comes from `clock`: a business second is shorter on the wall."""

    cast: dict[str, Any]
    clock: Clock
    push_url: str
    seed: int
    places: list[dict[str, Any]]
    stories: dict[str, Story] = field(default_factory=dict)
    board: dict[str, dict[str, Any]] = field(default_factory=dict)
    engineers: dict[str, dict[str, Any]] = field(default_factory=dict)
    acted: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        limits = httpx.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS)
        self.http = httpx.AsyncClient(limits=limits, timeout=20, trust_env=False)
        self.turn = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._tasks: set[asyncio.Task[bool]] = set()

    @property
    def url(self) -> str:
        return str(self.cast["url"])

    def now(self) -> datetime:
        return self.clock.now()

    def ago(self, text: str) -> timedelta:
        """How long an instant of the server's lies back."""
        return self.now() - datetime.fromisoformat(text)

    def random_for(self, name: str) -> random.Random:
        """Every person's own dice: the same seed gives the same person."""
        return random.Random(f"{self.seed} {name}")

    async def sleep(self, business_s: float) -> None:
        await asyncio.sleep(max(0.02, self.clock.real_s(business_s)))

    def story_of(self, ticket_no: str) -> Story | None:
        """None for a ticket made by a person, or told before this process began."""
        return self.stories.get(ticket_no)

    def tells(self, ticket_no: str, turn: str) -> bool:
        """Whether a ticket's story takes this turn now."""
        story = self.stories.get(ticket_no)
        return story is not None and story.turns(turn)

    # the wire

    async def service_code(self, link: str | None) -> str | None:
        """What the customer reads out to the engineer."""
        door = {"Authorization": f"Bearer {(link or '').rpartition('/')[2]}"}
        seen = await self.ask("GET", "/customer/v1/ticket", door)
        code: str | None = seen["service_code"]
        return code

    async def ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> Any:
        """A reply's JSON (None for 204). Raises Refused, OutOfReach."""
        reply = await self.send(method, path, headers, body, content)
        return reply.json() if reply.content else None

    async def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The 2xx reply, the request being sent again while none comes. Raises Refused, OutOfReach."""
        kept = dict(headers or {})
        if content is not None:
            kept["Content-Type"] = "image/jpeg"

        async def once() -> httpx.Response:
            async with self.turn:
                return await self.http.request(
                    method, f"{self.url}{path}", headers=kept, json=body, content=content
                )

        reply = await persist(once, PATIENCE_S, self.trouble, (method, path))
        if reply.status_code >= 400:
            refusal = Refused(problem_of(reply))
            refusal.add_note(f"{method} {path.partition('?')[0].rpartition('/')[2]}")
            if refusal.code == "request_invalid":
                self.say(f"{method} {path}: {refusal}")
            raise refusal
        return reply

    def trouble(self, status: int, method: str, path: str, code: str) -> None:
        """A line for each reply from 500 on (status 0: none came), which the report counts."""
        self.say(f"reply {status} {method} {path} {code}")

    @contextmanager
    def doing(self, action: str) -> Iterator[None]:
        """Counts an action when it is done, and says which one when it is refused."""
        try:
            yield
        except Refused as refusal:
            refusal.add_note(action)
            raise
        self.acted[action] += 1

    # being many

    def spawn(self, work: Coroutine[Any, Any, None], who: str) -> None:
        """Lets somebody act beside the others; what is refused to them is counted, not raised."""
        task = asyncio.create_task(self.attempt(work, who))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def attempt(self, work: Coroutine[Any, Any, Any], who: str) -> bool:
        """`work`; False where the server refused it or could not be reached, which is part of a day."""
        try:
            await work
        except Refused as refusal:
            what = getattr(refusal, "__notes__", [who])[-1]
            self.refusals[f"{what} {refusal.problem.status} {refusal.code}"] += 1
            return False
        except OutOfReach as lost:
            self.say(f"{who}: out of reach: {lost}")
            return False
        return True

    async def keep_going(self, who: str, turn: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`turn` again and again; after a refusal, after a pause."""
        while True:
            if not await self.attempt(turn(), who):
                await asyncio.sleep(GO_ON_S)

    async def summarise(self) -> None:
        """A line now and then: what was done, what was refused."""
        while True:
            await asyncio.sleep(SUMMARY_EVERY_S)
            local = self.now().astimezone(ZONE)
            done = " ".join(f"{name} {number}" for name, number in sorted(self.acted.items()))
            refused = " ".join(f"({number}× {name})" for name, number in self.refusals.most_common(8))
            self.say(f"{local:%a %H:%M} on the board {len(self.board)}; done {done}; refused {refused or 0}")

    @staticmethod
    def say(text: str) -> None:
        print(text, flush=True)


def command_id() -> str:
    return str(uuid7())


def read_cast(file: Path, wait_s: float = 30.0) -> dict[str, Any]:
    """Who plays, as `demo_city.seed` wrote it down. Raises FileNotFoundError after `wait_s`."""
    end = time.monotonic() + wait_s
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.2)
    cast: dict[str, Any] = json.loads(file.read_text())
    return cast
