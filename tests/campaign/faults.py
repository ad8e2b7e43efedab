"""Thousands of commands while processes are killed at random moments; afterwards the ledger is held
against the database: nothing acknowledged may be lost, nothing may be applied twice.

Each client keeps sending one command until it is answered, now and then twice at once, as phones do.
The ledger lives outside the product, in a file that is written before the next command is sent.
"""

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from api.command_line.cluster import Cluster
from dispatch.actions.audit import verify
from dispatch.store.ids import new_id
from tests.builders import Company, company, new_ticket
from tests.databases import Database
from tests.running import Running
from tests.wire import Wire, WireReply

CLIENTS = 12
TRIES = 400
RETRY_S = 0.1
TWIN_SHARE = 0.1
SETTLE_S = 120.0
TARGETS = ("api-1", "worker", "relay", "postgres", "api-2")


@dataclass(slots=True)
class Outcome:
    """What the campaign found. `green` when nothing acknowledged was lost and nothing applied twice."""

    operations: int = 0
    acknowledged: int = 0
    refused: int = 0
    unanswered: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    lost: int = 0
    doubled: int = 0
    not_relayed: int = 0
    messages_missing: int = 0
    audit_breaks: int = 0
    seconds: float = 0.0

    @property
    def green(self) -> bool:
        return not (
            self.lost
            or self.doubled
            or self.unanswered
            or self.not_relayed
            or self.messages_missing
            or self.audit_breaks
        )

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "kills": dict(self.kills), "green": self.green}


class Campaign:
    """One run over a cluster of its own, so that PostgreSQL may be killed too."""

    def __init__(
        self, cluster: Cluster, database: Database, running: Running, ledger: Path, seed: int = 1
    ) -> None:
        self.cluster = cluster
        self.database = database
        self.running = running
        self.ledger = ledger
        self.random = random.Random(seed)
        self.outcome = Outcome()
        self.made: Company = company(running.house)
        self._tickets: list[str] = []
        self._left = 0
        self._done = 0

    def run(self, operations: int, kills: int, targets: tuple[str, ...] = TARGETS) -> Outcome:
        """`operations` commands with `kills` SIGKILLs spread over them, each of `targets` in its turn."""
        began = time.monotonic()
        self._left = operations
        self.outcome.operations = operations
        with self.ledger.open("a") as ledger:
            asyncio.run(self._run(operations, [targets[n % len(targets)] for n in range(kills)], ledger))
        self._mend()
        self._settle()
        self._judge()
        self.outcome.seconds = round(time.monotonic() - began, 1)
        return self.outcome

    async def _run(self, operations: int, kills: list[str], ledger: Any) -> None:
        killer = asyncio.create_task(self._kill(operations, kills))
        await asyncio.gather(*(self._client(n, ledger) for n in range(CLIENTS)))
        await killer

    # the clients

    async def _client(self, number: int, ledger: Any) -> None:
        chance = random.Random(f"{self.random.random()}-{number}")
        wires = [Wire("127.0.0.1", self.running.port, self.made.key, timeout_s=15) for _ in range(2)]
        while self._left > 0:
            self._left -= 1
            path, body = self._next(chance)
            reply = await self._until_answered(wires, path, body, chance)
            self._done += 1
            if reply is None:
                self.outcome.unanswered += 1
                continue
            if reply.status >= 400:
                self.outcome.refused += 1
                continue
            answer = reply.json()
            self.outcome.acknowledged += 1
            result = answer.get("result", answer)
            line = {"command_id": body["command_id"], "seq": result["seq"], "ticket_id": result["ticket_id"]}
            ledger.write(json.dumps(line | {"create": path.endswith("/tickets")}) + "\n")
            ledger.flush()
            if path.endswith("/tickets"):
                self._tickets.append(result["ticket_id"])

    def _next(self, chance: random.Random) -> tuple[str, dict[str, Any]]:
        if not self._tickets or chance.random() < 0.35:
            return "/api/v1/tickets", new_ticket("survey", site=None)
        ticket_id = chance.choice(self._tickets)
        action, facts = chance.choice(
            [
                ("note", {"text": "a note"}),
                ("amend", {"description": f"amended {chance.random()}"}),
                ("hold", {"reason": "weather"}),
                ("resume", {}),
                ("assign", {"engineer_id": str(chance.choice(list(self.made.engineers.values())))}),
            ]
        )
        if action == "assign":
            facts |= {"confirm_broken_rules": True, "reason": "emergency"}
        body = {"command_id": str(new_id()), "action": action, "facts": facts}
        return f"/api/v1/tickets/{ticket_id}/actions", body

    async def _until_answered(
        self, wires: list[Wire], path: str, body: dict[str, Any], chance: random.Random
    ) -> WireReply | None:
        """Send until an answer below 500 comes; a twin goes at the same moment now and then."""
        for attempt in range(TRIES):
            senders = wires if chance.random() < TWIN_SHARE else wires[:1]
            replies = await asyncio.gather(
                *(wire.request("POST", path, body) for wire in senders), return_exceptions=True
            )
            answers = [r for r in replies if isinstance(r, WireReply) and r.status < 500]
            if answers:
                self.outcome.retries += attempt
                return answers[0]
            await asyncio.sleep(RETRY_S)
        return None

    # the killer

    async def _kill(self, operations: int, targets: list[str]) -> None:
        self.random.shuffle(targets)
        moments = sorted(self.random.uniform(0.02, 0.95) * operations for _ in targets)
        for target, moment in zip(targets, moments, strict=True):
            while self._done < moment and self._left > 0:
                await asyncio.sleep(0.01)
            await asyncio.sleep(self.random.uniform(0, 0.05))
            await asyncio.to_thread(self._kill_one, target)
        while self._left > 0:
            await asyncio.sleep(0.2)
            await asyncio.to_thread(self._mend)

    def _kill_one(self, target: str) -> None:
        if target == "postgres":
            self.cluster.kill()
            self.cluster.start()
        else:
            self.running.kill(target)
        self.outcome.kills[target] += 1
        killed, operations = self.outcome.kills.total(), self.outcome.operations
        print(f"{self._done} of {operations} commands answered, {killed} killed: {target}", flush=True)
        self._mend()

    def _mend(self) -> None:
        self.running.mend()

    # the judgement

    def _settle(self) -> None:
        """Relay and worker get their time to finish what the commands began: as long as less is left of it."""
        deadline, least = time.monotonic() + SETTLE_S, float("inf")
        while time.monotonic() < deadline:
            self.running.mend()
            with psycopg.connect(self.database.superuser_url) as db:
                (left,) = db.execute(
                    "select (select count(*) from outbox) + (select count(*) from procrastinate_jobs "
                    "where status in ('todo', 'doing') and (scheduled_at is null or scheduled_at < now()))"
                ).fetchone() or (1,)
            if left == 0:
                return
            if left < least:
                deadline, least = time.monotonic() + SETTLE_S, left
            time.sleep(0.5)

    def _judge(self) -> None:
        lines = [json.loads(line) for line in self.ledger.read_text().splitlines()]
        tenant_id = self.made.tenant_id
        with psycopg.connect(self.database.superuser_url, row_factory=dict_row) as db:
            rows = db.execute(
                "select command_id, count(*) filter (where subject_type = 'ticket') as tickets, "
                "array_agg(seq) as seqs from ticket_events where tenant_id = %s and command_id is not null "
                "group by command_id",
                [tenant_id],
            ).fetchall()
            left = db.execute("select count(*) as n from outbox").fetchone()
            told = db.execute(
                "select ticket_id from messages_sent where tenant_id = %s and template = 'received'",
                [tenant_id],
            ).fetchall()
        by_command = {str(row["command_id"]): row for row in rows}
        for line in lines:
            row = by_command.get(line["command_id"])
            if row is None or line["seq"] not in row["seqs"]:
                self.outcome.lost += 1
        self.outcome.doubled = sum(1 for row in rows if row["tickets"] > 1)
        self.outcome.not_relayed = int(left["n"]) if left else 0
        received = {str(row["ticket_id"]) for row in told}
        created = {line["ticket_id"] for line in lines if line["create"]}
        self.outcome.messages_missing = len(created - received)
        self.running.house.database.close()  # its connections died with PostgreSQL
        self.outcome.audit_breaks = verify(self.running.house.database, UUID(str(tenant_id))).broken
