"""A morning with 60 engineers and 500 live tickets on a running product, and the load put on it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from api.command_line.cluster import Cluster
from api.signin import Doorkeeper
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import Dispatcher
from tests.builders import SITE, Company, add_engineer, company, new_ticket
from tests.campaign.sql_twin import percentile
from tests.databases import Database
from tests.running import Running
from tests.wire import Wire, WireReply

ENGINEERS, OFFERS_EACH, POOL, OPEN = 60, 6, 80, 60
CLIENTS = 12

#: Every accept of the tenant undone, so that the next round finds the same morning.
_MORNING = """
  delete from visit_engineers where tenant_id = %(t)s;
  update engineer_days set planned_min = 0 where tenant_id = %(t)s;
  update visits set engineer_id = null, booked_day = null, assigned_at = null, acknowledged_at = null
    where tenant_id = %(t)s and engineer_id is not null;
  update tickets set status = 'offered' where tenant_id = %(t)s and status = 'assigned';
  update offers set status = 'pending', answered_at = null where tenant_id = %(t)s and status <> 'pending';
  update offers set expires_at = now() + interval '1 hour' where tenant_id = %(t)s;
  delete from commands; delete from outbox;
"""


@dataclass
class Load:
    """What one run of requests gave: milliseconds of each, status codes, and how long it all took."""

    took_ms: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    client_ms: float = 0.0

    def add(self, reply: WireReply, began: float) -> None:
        self.took_ms.append((time.perf_counter() - began) * 1000)
        self.statuses[reply.status] = self.statuses.get(reply.status, 0) + 1

    def figures(self) -> dict[str, Any]:
        took = sorted(self.took_ms)
        return {
            "per_s": round(len(took) / self.seconds, 1),
            "p50_ms": round(percentile(took, 50), 2),
            "p99_ms": round(percentile(took, 99), 2),
            "requests": len(took),
            "statuses": {str(k): v for k, v in sorted(self.statuses.items())},
        }


@dataclass(frozen=True)
class Offered:
    """One offer an engineer can accept."""

    engineer: str
    ticket_id: str
    offer_id: str
    visit_id: str


Ask = Callable[[int, Wire], Awaitable[WireReply]]


class City:
    """One city's morning on a running product."""

    def __init__(self, cluster: Cluster, database: Database, running: Running) -> None:
        self.cluster, self.database, self.running = cluster, database, running
        self.made: Company = company(running.house, {"offer_s": 3600})
        self.names: list[str] = []
        self.tokens: dict[str, str] = {}
        self.offers: list[Offered] = []
        self.chance = random.Random(1)
        self.began = datetime.now(UTC) - timedelta(hours=6)
        self.sent = 0

    # the city

    async def seed(self) -> None:
        """Engineers, tickets, offers and sign-ins, through the product's own doors."""
        now = self.running.house.now()
        with self.running.house.database.transaction(self.made.tenant_id) as db:
            for n in range(ENGINEERS):
                name = f"E{n:02}"
                skills = {"hvac": 2, "plumbing": 1}
                self.made.engineers[name] = add_engineer(self.made, db, name, skills, 50 * n, now)
                self.names.append(name)
        self._sign_in()
        wires = [self.wire(self.made.key) for _ in range(CLIENTS)]
        kinds = ["survey"] * (ENGINEERS * OFFERS_EACH + OPEN) + ["leak"] * POOL
        left = list(enumerate(kinds))

        async def create(wire: Wire) -> None:
            while left:
                n, kind = left.pop(0)
                reply = await wire.request("POST", "/api/v1/tickets", new_ticket(kind))
                assert reply.status == 201, reply.body
                if n < ENGINEERS * OFFERS_EACH:
                    await self._offer(wire, reply.json()["ticket_id"], self.names[n % ENGINEERS])

        await asyncio.gather(*(create(wire) for wire in wires))
        with self.cluster.connect(self.database.name) as db:
            rows = db.execute(
                "select o.engineer_id, o.ticket_id, o.id, o.visit_id from offers o "
                "where o.tenant_id = %s order by o.id",
                [self.made.tenant_id],
            ).fetchall()
            db.execute("vacuum analyze")
        name_of = {str(v): k for k, v in self.made.engineers.items()}
        self.offers = [Offered(name_of[str(e)], str(t), str(o), str(v)) for e, t, o, v in rows]

    def _sign_in(self) -> None:
        """Without passwords, which cost 50 ms each by design."""
        house = self.running.house
        doorkeeper = Doorkeeper(house.database, self.running.settings.secret_key, secure=False)
        with house.database.transaction(self.made.tenant_id) as db:
            for name in [*self.names, "Dora"]:
                kind, ids = (
                    (Dispatcher, self.made.dispatchers) if name == "Dora" else (Engineer, self.made.engineers)
                )
                person = db.get(kind, {"tenant_id": self.made.tenant_id, "id": ids[name]})
                assert person is not None
                self.tokens[name] = doorkeeper.begin(person, "bench").token

    async def _offer(self, wire: Wire, ticket_id: str, name: str) -> None:
        facts = {"engineer_id": str(self.made.engineers[name])}
        body = {"command_id": str(new_id()), "action": "offer", "facts": facts}
        reply = await wire.request("POST", f"/api/v1/tickets/{ticket_id}/actions", body)
        assert reply.status == 200, reply.body

    def wire(self, token: str) -> Wire:
        return Wire("127.0.0.1", self.running.port, token)

    def morning(self) -> None:
        with self.cluster.connect(self.database.name) as db:
            db.execute(_MORNING.replace("%(t)s", f"'{self.made.tenant_id}'"))
            db.execute("checkpoint")

    # the requests

    async def today(self, n: int, wire: Wire) -> WireReply:
        wire.token = self.tokens[self.chance.choice(self.names)]
        return await wire.request("GET", "/engineer/v1/today")

    async def board(self, n: int, wire: Wire) -> WireReply:
        wire.token = self.tokens["Dora"]
        return await wire.request("GET", "/dispatcher/v1/board")

    async def positions(self, n: int, wire: Wire) -> WireReply:
        wire.token = self.tokens[self.names[n % ENGINEERS]]
        self.sent += 1
        first = self.began + timedelta(seconds=self.sent * 0.005)
        readings = [
            {
                "lon": SITE.lon + self.chance.random() / 50, "lat": SITE.lat, "accuracy_m": 8.0,
                "at": (first + timedelta(milliseconds=k)).isoformat(), "speed_mps": 7.5,
            }
            for k in range(3)
        ]  # fmt: skip
        return await wire.request("POST", "/engineer/v1/positions", {"positions": readings})

    async def accept(self, offer: Offered, wire: Wire, command_id: str = "") -> WireReply:
        wire.token = self.tokens[offer.engineer]
        body = {
            "command_id": command_id or str(new_id()),
            "ticket_id": offer.ticket_id,
            "action": "accept_offer",
            "at": datetime.now(UTC).isoformat(),
            "facts": {"offer_id": offer.offer_id},
        }
        return await wire.request("POST", "/engineer/v1/actions", body)

    # load

    async def closed(self, ask: Ask, seconds: float) -> Load:
        """Each connection asks again as soon as it is answered."""
        load, wires = Load(), [self.wire("") for _ in range(CLIENTS)]
        await asyncio.gather(*(ask(n, wire) for n, wire in enumerate(wires)))
        end = time.perf_counter() + seconds

        async def client(n: int, wire: Wire) -> None:
            while time.perf_counter() < end:
                began = time.perf_counter()
                load.add(await ask(n, wire), began)
            wire.close()

        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(client(n, wire) for n, wire in enumerate(wires)))
        load.seconds = time.perf_counter() - began
        load.client_ms = (time.process_time() - cpu) * 1000
        return load

    async def accepts(self, load: Load, offers: Sequence[Offered]) -> None:
        """Every one of `offers` accepted once, as fast as answers come."""
        left = list(offers)
        wires = [self.wire("") for _ in range(CLIENTS)]

        async def client(wire: Wire) -> None:
            while left:
                began = time.perf_counter()
                load.add(await self.accept(left.pop(), wire), began)
            wire.close()

        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(client(wire) for wire in wires))
        load.seconds += time.perf_counter() - began
        load.client_ms += (time.process_time() - cpu) * 1000

    async def accepts_at(self, load: Load, per_s: float) -> None:
        """Every offer accepted at its moment, `per_s` of them; a late answer delays nobody, and counts in full."""
        idle = [self.wire("") for _ in range(CLIENTS * 4)]
        start = time.perf_counter() + 0.05

        async def one(n: int, offer: Offered) -> None:
            due = start + n / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            wire = idle.pop() if idle else self.wire("")
            load.add(await self.accept(offer, wire), due)
            idle.append(wire)

        await asyncio.gather(*(one(n, offer) for n, offer in enumerate(self.offers)))
        load.seconds += time.perf_counter() - start
        for wire in idle:
            wire.close()
