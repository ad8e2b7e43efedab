"""`./paidan bench ladder`: thousands of offers while the push service hangs, throttles, breaks and forgets phones.

Two api processes, two workers and a relay as in service, the local push service beside them. Some offers to warm up,
then `--seconds` × 4 offers (1,250 s: 5,000) of which 30% go to phones whose push hangs, is answered 429 or 500, or is
UNREGISTERED, in five parts; before each part some with a push service in good health, so that checkpoints, growth and
the machine's moods meet both alike, and how far the healthy parts lie apart is the noise. A quarter is seen or declined,
the others are not. Every one must end acked, declined, expired or escalated, and `GET today` beside it may take a tenth
longer at p99 than beside the healthy ones. While offers are made CPU and transactions are counted per offer, process by
process; what follows once none is made any more is said apart.
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
from dispatch.store.ids import new_id
from tests.builders import Company, add_engineer, company, new_ticket
from tests.campaign.cpu import of_processes
from tests.campaign.sign_ins import SignIns
from tests.campaign.sql_twin import percentile
from tests.databases import Database, migrate
from tests.fakes.push_service import running_push_service
from tests.running import Running
from tests.wire import Wire, WireReply

CLUSTER = {"fsync": "on", "synchronous_commit": "on", "max_connections": "100"}
ENGINEERS, WORKERS, READS_S = 500, 2, 20
#: Offers a second: two processors that also carry the bench are half busy with it. At 8 they are full, well or not.
RATE_S = 4
SECONDS = 1250.0
#: Offers to warm up; in how many parts the others are made; at most so many in a healthy part.
WARMING, PARTS, HEALTHY_MOST = 80, 5, 300
OFFER_S = 30
#: Of ten phones three are in trouble, each kind in turn.
TROUBLES = ("slow:", "quota:", "e500:", "gone:")
OUTCOMES = ("acked", "declined", "expired", "escalated")
ENDED_WITHIN_S = 900.0
P99_MOST = 1.10
SAID_EVERY_S = 15
WELL, IN_TROUBLE = "well", "in trouble"
_TRANSACTIONS = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"

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
    name: str = ""
    took_ms: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    offered_s: float = 0.0
    asked: int = 0
    shed: int = 0
    sent_again: int = 0
    transactions: int = 0
    cpu_ms: dict[str, float] = field(default_factory=dict)
    cpu_after_ms: dict[str, float] = field(default_factory=dict)

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
            "offered_in_s": round(self.offered_s, 1),
            "seconds": round(self.seconds, 1),
            "requests_per_offer": round(self.asked / self.offers, 2),
            "shed": self.shed,
            "sent_again": self.sent_again,
            "transactions_per_offer": round(self.transactions / self.offers, 1),
            "cpu_ms_per_offer": {name: round(ms / self.offers, 1) for name, ms in self.cpu_ms.items()},
            "api_cpu_ms_per_request": round(
                sum(ms for name, ms in self.cpu_ms.items() if name.startswith("api")) / max(1, self.asked), 2
            ),
            "cpu_ms_per_s_afterwards": {
                name: round(ms / max(1.0, self.seconds - self.offered_s), 1)
                for name, ms in self.cpu_after_ms.items()
            },
        }


class Shift:
    """A company whose engineers' phones are reached by push, on a running product."""

    def __init__(self, database: Database, running: Running, postmaster: int) -> None:
        self.database, self.running, self.postmaster = database, running, postmaster
        self.made: Company = company(running.house, {"offer_s": OFFER_S, "offer_rounds": 1})
        self.names = [f"E{n:03}" for n in range(ENGINEERS)]
        self.idle: list[Wire] = []
        self.phase = Phase(0)
        self.look = psycopg.connect(database.superuser_url, autocommit=True)
        now = running.house.now()
        self.signed = SignIns(running, self.made)
        with running.house.database.transaction(self.made.tenant_id) as db:
            for n, name in enumerate(self.names):
                skills = {"hvac": 2, "plumbing": 1}
                self.made.engineers[name] = add_engineer(self.made, db, name, skills, 20 * n, now)

    def phones(self, run: str) -> None:
        """Every engineer's phone, new and signed in for each part; three of ten are in trouble where that is its name."""
        self.signed.forget()
        troubled = run.startswith(IN_TROUBLE)
        with psycopg.connect(self.database.superuser_url, autocommit=True) as db:
            db.execute("delete from push_targets where tenant_id = %s", [self.made.tenant_id])
            for n, name in enumerate(self.names):
                self.signed.token(name)
                prefix = TROUBLES[n // 10 % len(TROUBLES)] if troubled and n % 10 < 3 else ""
                db.execute(
                    "insert into push_targets (tenant_id, id, engineer_id, platform, target, created_at) "
                    "values (%s, gen_random_uuid(), %s, 'fcm', %s, now())",
                    [self.made.tenant_id, self.made.engineers[name], f"{prefix}{name}-{run}"],
                )

    async def ask(self, token: str, method: str, path: str, body: Any = None) -> WireReply:
        """On a connection nobody else uses meanwhile. What is shed is asked again, as a phone would, and so is what goes
        out just as the server closes a connection that was idle: a command's id makes that safe."""
        wire = self.idle.pop() if self.idle else Wire("127.0.0.1", self.running.port)
        wire.token = token
        try:
            while True:
                self.phase.asked += 1
                kept = wire.connected
                try:
                    reply = await wire.request(method, path, body)
                except (OSError, asyncio.IncompleteReadError):
                    if not kept:
                        raise
                    self.phase.sent_again += 1
                    continue
                if reply.status != 503:
                    return reply
                self.phase.shed += 1
                await asyncio.sleep(reply.retry_after_s or 1.0)
        finally:
            self.idle.append(wire)

    def cpu(self) -> dict[str, float]:
        children = {name: child.pid for name, child in self.running.children.items()}
        return of_processes(children, self.postmaster)

    def transactions(self) -> int:
        row = self.look.execute(_TRANSACTIONS).fetchone()
        assert row is not None
        return int(row[0])

    async def run(self, name: str, offers: int) -> Phase:
        """`offers` tickets offered at RATE_S while today is read at READS_S, then as long as ladders stand."""
        self.phase = phase = Phase(offers, name)
        began, before, transactions = time.monotonic(), self.cpu(), self.transactions()
        self.idle.clear()
        tickets: list[str] = []
        done = asyncio.Event()
        reading = asyncio.create_task(self._read(phase, done))
        offering: list[asyncio.Task[None]] = []
        for n in range(offers):
            await asyncio.sleep(max(0.0, began + n / RATE_S - time.monotonic()))
            offering.append(asyncio.create_task(self._offer(n, tickets)))
            if n % (RATE_S * SAID_EVERY_S) == 0:
                print(f"{name}: {n} of {offers} offered, {phase.shed} times shed", file=sys.stderr)
        await asyncio.gather(*offering)
        done.set()
        await reading
        phase.offered_s = time.monotonic() - began
        between = self.cpu()
        phase.cpu_ms = {name: ms - before[name] for name, ms in between.items()}
        phase.transactions = self.transactions() - transactions
        deadline = time.monotonic() + ENDED_WITHIN_S
        while phase.without_outcome and time.monotonic() < deadline:
            await asyncio.sleep(5)
            phase.outcomes = self._outcomes(tickets)
            print(f"{name}: {time.monotonic() - began:.0f} s {phase.outcomes}", file=sys.stderr)
        phase.seconds = time.monotonic() - began
        phase.cpu_after_ms = {name: ms - between[name] for name, ms in self.cpu().items()}
        return phase

    async def _offer(self, n: int, tickets: list[str]) -> None:
        """A ticket for one engineer, and what their phone says: of twenty four show it and one declines."""
        name = self.names[n % ENGINEERS]
        made = await self.ask(self.made.key, "POST", "/api/v1/tickets", new_ticket("survey"))
        assert made.status == 201, made.body
        ticket_id = str(made.json()["ticket_id"])
        facts = {"engineer_id": str(self.made.engineers[name])}
        body = {"command_id": str(new_id()), "action": "offer", "facts": facts}
        reply = await self.ask(self.made.key, "POST", f"/api/v1/tickets/{ticket_id}/actions", body)
        assert reply.status == 200, reply.body
        tickets.append(ticket_id)
        if n // 10 % 2 == 0 and n % 10 > 4:
            await self._answer(self.signed.token(name), ticket_id, declines=n % 10 == 9)

    async def _answer(self, token: str, ticket_id: str, declines: bool) -> None:
        await asyncio.sleep(2)
        if declines:
            body = {"command_id": str(new_id()), "ticket_id": ticket_id, "action": "decline_offer"}
            body |= {"at": self.running.house.now().isoformat(), "facts": {"reason": "busy"}}
            await self.ask(token, "POST", "/engineer/v1/actions", body)
            return
        row = self.look.execute("select id from offers where ticket_id = %s", [ticket_id]).fetchone()
        assert row is not None
        await self.ask(token, "POST", "/engineer/v1/push_acks", {"offer_id": str(row[0])})

    async def _read(self, phase: Phase, done: asyncio.Event) -> None:
        began = time.monotonic()

        async def one(name: str) -> None:
            asked = time.perf_counter()
            assert (await self.ask(self.signed.token(name), "GET", "/engineer/v1/today")).status == 200
            phase.took_ms.append((time.perf_counter() - asked) * 1000)

        reading: list[asyncio.Task[None]] = []
        while not done.is_set():
            await asyncio.sleep(max(0.0, began + len(reading) / READS_S - time.monotonic()))
            reading.append(asyncio.create_task(one(self.names[len(reading) % ENGINEERS])))
        await asyncio.gather(*reading)

    def _outcomes(self, tickets: list[str]) -> dict[str, int]:
        return dict(self.look.execute(_OUTCOMES, [self.made.tenant_id, tickets]).fetchall())


def run(source: Path | None, seconds: float | None, results: Path) -> dict[str, Any]:
    """All runs; `source` does not apply. The values: offers without an outcome, and p99 beside p99."""
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
                running = Running(database, state, workers=WORKERS)
                running.environment |= {
                    "PAIDAN_FCM_SERVICE_ACCOUNT": str(push.account_path),
                    "PAIDAN_FCM_URL": push.url,
                }
                with running:
                    shift = Shift(database, running, cluster.server_pid() or 0)
                    phases = [_phase(shift, name, most) for name, most in _plan(offers)]
    return _report(phases)


def _plan(offers: int) -> list[tuple[str, int]]:
    """Each part's name and how many offers it makes."""
    part = max(1, offers // PARTS)
    parts = [(f"{name} {n}", most) for n in range(1, PARTS + 1)
             for name, most in ((WELL, min(part, HEALTHY_MOST)), (IN_TROUBLE, part))]  # fmt: skip
    return [("warm-up", min(offers, WARMING)), *parts]


def _phase(shift: Shift, name: str, offers: int) -> Phase:
    shift.phones(name)
    return uvloop.run(shift.run(name, offers))


def _together(name: str, phases: list[Phase]) -> Phase:
    """All parts of that name as one."""
    parts = [phase for phase in phases if phase.name.startswith(name)]
    whole = Phase(0, name)
    for part in parts:
        whole.took_ms += part.took_ms
        for each in ("offers", "seconds", "offered_s", "asked", "shed", "sent_again", "transactions"):
            setattr(whole, each, getattr(whole, each) + getattr(part, each))
        for each in ("outcomes", "cpu_ms", "cpu_after_ms"):
            for key, value in getattr(part, each).items():
                getattr(whole, each)[key] = getattr(whole, each).get(key, 0) + value
    return whole


def _report(phases: list[Phase]) -> dict[str, Any]:
    well, ill = (_together(name, phases) for name in (WELL, IN_TROUBLE))
    ratio = ill.p99_ms / well.p99_ms
    lost = sum(phase.without_outcome for phase in phases)
    figures: dict[str, Any] = {phase.name: phase.figures() for phase in (phases[0], well, ill)} | {
        "offers_a_second": RATE_S,
        "p99_ratio": round(ratio, 3),
        "p99_of_each_part_ms": {phase.name: round(phase.p99_ms, 2) for phase in phases},
    }
    print(json.dumps(figures, indent=1))
    lines = [("without_outcome", lost, 0, lost), ("today_p99_ratio", ratio, P99_MOST, ratio / P99_MOST - 1)]
    instances = [
        {"name": name, "value": value, "best": best, "gap": gap, "seconds": ill.seconds}
        for name, value, best, gap in lines
    ]
    return {"instances": instances, "figures": figures}
