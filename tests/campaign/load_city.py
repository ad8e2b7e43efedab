"""A busy day compressed: 500 phones, 20 boards, and tickets that live their lives, on a running product.

Open loop: what is to happen happens at its moment, however slowly earlier things are answered; a time counts from the
moment it was due. Every phone asks for its day and sends positions; every ticket is created, grabbed, driven to,
photographed, finished, by one of them.
"""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from dispatch.settings import Clock
from dispatch.store.ids import new_id
from tests.builders import SITE, add_engineer, company, new_ticket, picture
from tests.campaign.sign_ins import SignIns
from tests.campaign.sql_twin import percentile
from tests.running import Running
from tests.wire import Wire, WireReply

PHONES, BOARDS, TICKETS_A_DAY, DAY_S = 500, 20, 4000, 8 * 3600
COMPRESSED = 16
REFRESH_S, POSITIONS_S, BOARD_S = 30.0, 30.0, 10.0
DRIVE_S, WORK_S = 4.0, 6.0
CONNECTIONS = 700
#: A connection unused so long may just be closed by the server: a fresh one is taken, as any client would.
IDLE_S = 20.0
#: A phone comes back with the same command when it was told to, so often.
TRIES = 6


@dataclass
class Seen:
    """What one phase gave: milliseconds by operation, answers by operation and status, what broke."""

    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    #: Problems by operation, status and code.
    refusals: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    #: (moment of the answer, seconds from the due moment, status), monotonic.
    answers: list[tuple[float, float, int]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        return {
            operation: {
                "requests": len(took),
                "p50_ms": round(percentile(sorted(took), 50), 1),
                "p99_ms": round(percentile(sorted(took), 99), 1),
                "statuses": {
                    key.split()[1]: count
                    for key, count in sorted(self.statuses.items())
                    if key.split()[0] == operation
                },
            }
            for operation, took in sorted(self.took_ms.items())
        }

    def errors(self) -> int:
        """Answers that are no answer: 5xx but for 503, and connections that broke."""
        bad = sum(
            n for key, n in self.statuses.items() if key.split()[1] >= "500" and key.split()[1] != "503"
        )
        return bad + sum(self.broken.values())


Ask = Callable[[Wire], Awaitable[WireReply]]


class LoadCity:
    """One company of PHONES engineers on a running product, and the load put on it."""

    def __init__(self, running: Running) -> None:
        self.running, self.chance = running, random.Random(7)
        self.made = company(running.house, {"offer_s": 3600})
        self.names = [f"E{n:03}" for n in range(PHONES)]
        self.token = SignIns(running, self.made).token
        self.idle: list[str] = []
        self.wires: list[tuple[Wire, float]] = []
        self.open = 0
        self.pictures = [picture(seed) for seed in range(40)]
        self.seen = Seen()
        self.finished = 0
        self.heard = 0

    def seed(self) -> None:
        """Engineers and their sign-ins."""
        house = self.running.house
        with house.database.transaction(self.made.tenant_id) as db:
            for n, name in enumerate(self.names):
                ids = self.made.engineers
                ids[name] = add_engineer(self.made, db, name, {"plumbing": 1}, 10 * n, house.now())
        for name in [*self.names, "Dora"]:
            self.token(name)
        self.idle = self.names[:]
        self.chance.shuffle(self.idle)

    # one request

    async def ask(self, operation: str, due: float, token: str, ask: Ask) -> WireReply | None:
        """The answer, its time counted from `due`; None where the connection broke."""
        if not self.wires and self.open >= CONNECTIONS:
            self.seen.broken["client has no connection left"] += 1
            return None
        if self.wires:
            wire, idle_since = self.wires.pop()
            if time.perf_counter() - idle_since > IDLE_S:
                wire.close()
        else:
            self.open += 1
            wire, idle_since = Wire("127.0.0.1", self.running.port, timeout_s=60), time.perf_counter()
        wire.token = token
        kept, began = wire.connected, time.perf_counter()
        try:
            reply = await ask(wire)
        except (OSError, EOFError, TimeoutError) as error:
            how = f"kept {began - idle_since:.0f} s" if kept else "fresh"
            after_s = time.perf_counter() - began
            self.seen.broken[f"{operation} {type(error).__name__} {how}, after {after_s:.1f} s"] += 1
            return None
        finally:
            self.wires.append((wire, time.perf_counter()))
        took_s = time.perf_counter() - due
        self.seen.took_ms[operation].append(took_s * 1000)
        self.seen.statuses[f"{operation} {reply.status}"] += 1
        self.seen.answers.append((time.perf_counter(), took_s, reply.status))
        if reply.status >= 400:
            self.seen.refusals[f"{operation} {reply.status} {reply.json()['code']}"] += 1
        if reply.status in (429, 503) and reply.retry_after_s is None:
            self.seen.broken[f"{operation} {reply.status} without Retry-After"] += 1
        return reply

    async def insist(self, operation: str, due: float, token: str, ask: Ask) -> WireReply | None:
        """The answer to a step that must not be lost: who is told to come back, or is cut off, does, with the same."""
        for _ in range(TRIES):
            reply = await self.ask(operation, due, token, ask)
            if reply is not None and reply.status not in (429, 503):
                return reply
            await asyncio.sleep((reply and reply.retry_after_s) or 1.0)
            due = time.perf_counter()
        self.seen.refusals[f"{operation} given up after {TRIES} tries"] += 1
        return None

    async def today(self, due: float, name: str) -> None:
        await self.ask("today", due, self.token(name), lambda w: w.request("GET", "/engineer/v1/today"))

    async def board(self, due: float) -> None:
        await self.ask("board", due, self.token("Dora"), lambda w: w.request("GET", "/dispatcher/v1/board"))

    async def positions(self, due: float, name: str) -> None:
        now = Clock.wall()
        readings = [
            {
                "lon": SITE.lon + self.chance.random() / 50, "lat": SITE.lat, "accuracy_m": 8.0,
                "at": (now - timedelta(milliseconds=900 - 300 * k)).isoformat(), "speed_mps": 7.5,
            }
            for k in range(3)
        ]  # fmt: skip
        body = {"positions": readings}
        await self.ask(
            "positions", due, self.token(name), lambda w: w.request("POST", "/engineer/v1/positions", body)
        )

    async def create(self, due: float) -> str | None:
        reply = await self.ask(
            "create", due, self.made.key, lambda w: w.request("POST", "/api/v1/tickets", new_ticket("leak"))
        )
        return str(reply.json()["ticket_id"]) if reply is not None and reply.status == 201 else None

    async def act(self, name: str, ticket_id: str, action: str, **facts: Any) -> bool:
        at = Clock.wall().isoformat()
        body = {
            "command_id": str(new_id()),
            "ticket_id": ticket_id,
            "action": action,
            "at": at,
            "facts": facts,
        }
        reply = await self.insist(
            action,
            time.perf_counter(),
            self.token(name),
            lambda w: w.request("POST", "/engineer/v1/actions", body),
        )
        return reply is not None and reply.status == 200

    async def photo(self, name: str, ticket_id: str, kind: str) -> str | None:
        photo_id, content = str(new_id()), self.chance.choice(self.pictures)
        path = f"/engineer/v1/photos/{photo_id}?ticket_id={ticket_id}&kind={kind}"
        reply = await self.insist(
            "photo", time.perf_counter(), self.token(name), lambda w: w.request("PUT", path, raw=content)
        )
        return photo_id if reply is not None and reply.status == 201 else None

    async def life(self, due: float) -> None:
        """A ticket from the call to the finished work; whoever is free takes it."""
        ticket_id = await self.create(due)
        if ticket_id is None or not self.idle:
            return
        name = self.idle.pop(0)  # the one idle longest, so that nobody works more than a day
        try:
            site = {"lon": SITE.lon, "lat": SITE.lat, "accuracy_m": 10}
            if not await self.act(name, ticket_id, "grab"):
                return
            await asyncio.sleep(self.chance.uniform(0.5, 2))
            if not await self.act(name, ticket_id, "set_off"):
                return
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * DRIVE_S)
            photo = await self.photo(name, ticket_id, "check_in")
            position = site | {"at": Clock.wall().isoformat()}
            arrived = {"photo_ids": [photo], "position": position}
            if photo is None or not await self.act(name, ticket_id, "check_in", **arrived):
                return
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * WORK_S)
            photo = await self.photo(name, ticket_id, "completion")
            done = {"photo_ids": [photo], "outcome": "fixed", "text": "done"}
            if photo is not None and await self.act(name, ticket_id, "complete", **done):
                self.finished += 1
        finally:
            self.idle.append(name)

    # phases

    async def day(self, seconds: float) -> None:
        """So long of a compressed day, with boards that listen."""
        listening = [asyncio.create_task(self.listen()) for _ in range(BOARDS)]
        start, lives = time.perf_counter() + 0.2, []
        every = {
            "life": DAY_S / TICKETS_A_DAY / COMPRESSED,
            "today": REFRESH_S / PHONES,
            "positions": POSITIONS_S / PHONES,
            "board": BOARD_S / BOARDS,
        }
        due = {name: start + pause for name, pause in every.items()}
        count = 0
        while (name := min(due, key=lambda n: due[n])) and due[name] < start + seconds:
            at = due[name]
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            due[name], count = at + every[name], count + 1
            who = self.names[count * 7 % PHONES]
            work = {
                "life": lambda: self.life(at),  # noqa: B023  # called in this round
                "today": lambda: self.today(at, who),  # noqa: B023
                "positions": lambda: self.positions(at, who),  # noqa: B023
                "board": lambda: self.board(at),  # noqa: B023
            }[name]()
            lives.append(asyncio.create_task(work))
        await asyncio.wait(lives, timeout=60)
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)

    async def listen(self) -> None:
        """A board's event stream, read to the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.running.port)
        head = f"GET /dispatcher/v1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.token('Dora')}\r\n\r\n"
        writer.write(head.encode())
        try:
            while line := await reader.readline():
                self.heard += line.startswith(b"event:")
        finally:
            writer.close()

    def mixed(self, n: int) -> Callable[[float], Awaitable[Any]]:
        """The n-th request of a mix: mostly phones, some boards, some new tickets."""
        name = self.names[n * 7 % PHONES]
        if n % 10 < 5:
            return lambda due: self.today(due, name)
        if n % 10 < 7:
            return lambda due: self.positions(due, name)
        return self.board if n % 10 < 9 else self.create

    async def capacity(self, seconds: float, clients: int = 24) -> float:
        """Requests a second of the mix when every one waits for the one before."""
        end, count = time.perf_counter() + seconds, 0

        async def client() -> None:
            nonlocal count
            while time.perf_counter() < end:
                count += 1
                await self.mixed(count)(time.perf_counter())

        await asyncio.gather(*(client() for _ in range(clients)))
        return count / seconds

    async def at_rate(self, per_s: float, seconds: float) -> float:
        """The mix at a steady rate; how late the client itself was at worst, seconds."""
        start, tasks, late_s = time.perf_counter() + 0.05, [], 0.0
        for n in range(int(per_s * seconds)):
            due = start + n / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late_s = max(late_s, time.perf_counter() - due)
            tasks.append(asyncio.create_task(self.mixed(n)(due)))  # type: ignore[arg-type]  # coroutines all
        self.ended = time.perf_counter()
        await asyncio.wait(tasks, timeout=90)
        return late_s
