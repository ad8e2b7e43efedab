"""`./paidan bench ladder`: thousands of offers while the push service hangs, throttles, breaks and forgets phones.

Two api processes, a worker and a relay as in service, the local push service beside them. First offers with a push
service in good health, then `--seconds` × 10 offers (5,000) of which 30% go to phones whose push hangs, is answered
429 or 500, or is UNREGISTERED. Some are seen or declined, most are not. Every one must end acked, declined, expired or
escalated, and `GET today` beside it may take a tenth longer at p99.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from api.command_line.cluster import Cluster
from api.signin import Doorkeeper
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Engineer
from tests.builders import Company, add_engineer, company, new_ticket
from tests.campaign.sql_twin import percentile
from tests.databases import Database, migrate
from tests.fakes.push_service import running_push_service
from tests.running import Running
from tests.wire import Wire

CLUSTER = {"fsync": "on", "synchronous_commit": "on", "max_connections": "100"}
ENGINEERS, RATE_S, READS_S = 200, 10, 20
SECONDS, HEALTHY_OF = 500.0, 5
OFFER_S = 30
#: Of ten phones three are in trouble, each kind in turn.
TROUBLES = ("slow:", "quota:", "e500:", "gone:")
OUTCOMES = ("acked", "declined", "expired", "escalated")
ENDED_WITHIN_S = 900.0
P99_MOST = 1.10

#: An offer answered before anybody could be told has its outcome too; one that ran out without a ladder has none.
_OUTCOMES = """
  select coalesce(l.outcome, case when l.id is not null then 'still open'
      when o.seen_at is not null or o.status = 'accepted' then 'acked'
      when o.status = 'declined' then 'declined' else 'no ladder' end) as outcome, count(*)
  from offers o left join ladders l on l.tenant_id = o.tenant_id and l.offer_id = o.id
  where o.tenant_id = %s and o.ticket_id = any(%s) group by 1
"""


@dataclass
class Phase:
    """One run of offers: what became of them, and what reading cost beside it."""

    offers: int
    took_ms: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def p99_ms(self) -> float:
        return percentile(sorted(self.took_ms), 99)

    @property
    def without_outcome(self) -> int:
        return self.offers - sum(self.outcomes.get(name, 0) for name in OUTCOMES)

    def figures(self) -> dict[str, Any]:
        return {
            "offers": self.offers,
            "outcomes": self.outcomes,
            "without_outcome": self.without_outcome,
            "today_p50_ms": round(percentile(sorted(self.took_ms), 50), 2),
            "today_p99_ms": round(self.p99_ms, 2),
            "reads": len(self.took_ms),
            "seconds": round(self.seconds, 1),
        }


class Shift:
    """A company whose engineers' phones are reached by push, on a running product."""

    def __init__(self, database: Database, running: Running) -> None:
        self.database, self.running = database, running
        self.made: Company = company(running.house, {"offer_s": OFFER_S, "offer_rounds": 1})
        self.names = [f"E{n:03}" for n in range(ENGINEERS)]
        self.tokens: dict[str, str] = {}
        now = running.house.now()
        doors = Doorkeeper(running.house.database, running.settings.secret_key, secure=False)
        with running.house.database.transaction(self.made.tenant_id) as db:
            for n, name in enumerate(self.names):
                skills = {"hvac": 2, "plumbing": 1}
                self.made.engineers[name] = add_engineer(self.made, db, name, skills, 20 * n, now)
                engineer = db.get(
                    Engineer, {"tenant_id": self.made.tenant_id, "id": self.made.engineers[name]}
                )
                assert engineer is not None
                self.tokens[name] = doors.begin(engineer, "bench").token

    def phones(self, troubled: bool) -> None:
        """Every engineer's phone, three of ten in trouble where `troubled`."""
        with psycopg.connect(self.database.superuser_url, autocommit=True) as db:
            db.execute("delete from push_targets where tenant_id = %s", [self.made.tenant_id])
            for n, name in enumerate(self.names):
                prefix = TROUBLES[n // 10 % len(TROUBLES)] if troubled and n % 10 < 3 else ""
                db.execute(
                    "insert into push_targets (tenant_id, id, engineer_id, platform, target, created_at) "
                    "values (%s, gen_random_uuid(), %s, 'fcm', %s, now())",
                    [self.made.tenant_id, self.made.engineers[name], f"{prefix}{name}-{troubled}"],
                )

    def wire(self, token: str) -> Wire:
        return Wire("127.0.0.1", self.running.port, token)

    async def run(self, offers: int) -> Phase:
        """`offers` tickets offered at RATE_S while today is read at READS_S, then as long as ladders stand."""
        phase, began = Phase(offers), time.monotonic()
        tickets: list[str] = []
        done = asyncio.Event()
        reading = asyncio.create_task(self._read(phase, done))
        pending: set[asyncio.Task[None]] = set()
        for n in range(offers):
            await asyncio.sleep(max(0.0, began + n / RATE_S - time.monotonic()))
            task = asyncio.create_task(self._offer(n, tickets))
            pending.add(task)
            task.add_done_callback(pending.discard)
        await asyncio.gather(*pending)
        done.set()
        await reading
        deadline = time.monotonic() + ENDED_WITHIN_S
        while phase.without_outcome and time.monotonic() < deadline:
            await asyncio.sleep(5)
            phase.outcomes = self._outcomes(tickets)
            print(f"{time.monotonic() - began:.0f} s {phase.outcomes}", file=sys.stderr)
        phase.seconds = time.monotonic() - began
        return phase

    async def _offer(self, n: int, tickets: list[str]) -> None:
        """A ticket for one engineer, and what their phone says: four of ten show it, one of ten declines."""
        name = self.names[n % ENGINEERS]
        desk, phone = self.wire(self.made.key), self.wire(self.tokens[name])
        made = await desk.request("POST", "/api/v1/tickets", new_ticket("survey"))
        assert made.status == 201, made.body
        ticket_id = str(made.json()["ticket_id"])
        facts = {"engineer_id": str(self.made.engineers[name])}
        body = {"command_id": str(new_id()), "action": "offer", "facts": facts}
        reply = await desk.request("POST", f"/api/v1/tickets/{ticket_id}/actions", body)
        assert reply.status == 200, reply.body
        tickets.append(ticket_id)
        desk.close()
        if n // ENGINEERS % 2 == 0 and n % 10 > 4:
            await self._answer(phone, ticket_id, declines=n % 10 == 9)
        phone.close()

    async def _answer(self, phone: Wire, ticket_id: str, declines: bool) -> None:
        await asyncio.sleep(2)
        if declines:
            body = {"command_id": str(new_id()), "ticket_id": ticket_id, "action": "decline_offer"}
            body |= {"at": self.running.house.now().isoformat(), "facts": {"reason": "busy"}}
            await phone.request("POST", "/engineer/v1/actions", body)
            return
        with psycopg.connect(self.database.superuser_url) as db:
            row = db.execute("select id from offers where ticket_id = %s", [ticket_id]).fetchone()
        assert row is not None
        await phone.request("POST", "/engineer/v1/push_acks", {"offer_id": str(row[0])})

    async def _read(self, phase: Phase, done: asyncio.Event) -> None:
        began = time.monotonic()

        async def one(name: str) -> None:
            """On a connection of its own, so that a slow one holds up no other."""
            wire, asked = self.wire(self.tokens[name]), time.perf_counter()
            assert (await wire.request("GET", "/engineer/v1/today")).status == 200
            phase.took_ms.append((time.perf_counter() - asked) * 1000)
            wire.close()

        n, running = 0, set()
        while not done.is_set():
            await asyncio.sleep(max(0.0, began + n / READS_S - time.monotonic()))
            task = asyncio.create_task(one(self.names[n % ENGINEERS]))
            running.add(task)
            task.add_done_callback(running.discard)
            n += 1
        await asyncio.gather(*running)

    def _outcomes(self, tickets: list[str]) -> dict[str, int]:
        with psycopg.connect(self.database.superuser_url) as db:
            return dict(db.execute(_OUTCOMES, [self.made.tenant_id, tickets]).fetchall())


def run(source: Path | None, seconds: float | None, results: Path) -> dict[str, Any]:
    """Both phases; `source` does not apply. The values: offers without an outcome, and p99 beside p99."""
    offers = int((seconds or SECONDS) * RATE_S)
    with tempfile.TemporaryDirectory(prefix="paidan-ladder-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        with Cluster(Path(folder) / "cluster", CLUSTER).in_use() as cluster:
            cluster.ensure_database("paidan_ladder")
            database = Database.of(cluster, "paidan_ladder")
            migrate(database)
            state = Path(folder) / "product"
            state.mkdir()
            with running_push_service(state) as push:
                running = Running(database, state)
                running.environment |= {
                    "PAIDAN_FCM_SERVICE_ACCOUNT": str(push.account_path),
                    "PAIDAN_FCM_URL": push.url,
                }
                with running:
                    shift = Shift(database, running)
                    shift.phones(troubled=False)
                    well = uvloop.run(shift.run(max(1, offers // HEALTHY_OF)))
                    shift.phones(troubled=True)
                    ill = uvloop.run(shift.run(offers))
    figures = {
        "well": well.figures(),
        "in_trouble": ill.figures(),
        "p99_ratio": round(ill.p99_ms / well.p99_ms, 3),
    }
    print(json.dumps(figures, indent=1))
    lost = well.without_outcome + ill.without_outcome
    ratio = ill.p99_ms / well.p99_ms
    return {
        "instances": [
            {"name": "without_outcome", "value": lost, "best": 0, "gap": lost, "seconds": ill.seconds},
            {
                "name": "today_p99_ratio",
                "value": ratio,
                "best": P99_MOST,
                "gap": ratio / P99_MOST - 1,
                "seconds": ill.seconds,
            },
        ],
        "figures": figures,
    }
