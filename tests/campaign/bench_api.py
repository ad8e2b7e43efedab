"""`./paidan bench api`: the hot requests beside pgbench with the same SQL, in the same run.

Two api processes as in service (no worker, no relay), a cluster of its own that waits for the disk,
60 engineers, 500 live tickets. Requests come from a bare asyncio client on kept connections; the SQL
of each request is taken from PostgreSQL's log and given to pgbench as prepared statements, under
the same role, in the same transactions. CPU is read from /proc for both sides of the socket.
"""

import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop

from api.command_line.cluster import Cluster
from dispatch.store.ids import new_id
from tests.campaign.api_city import CLIENTS, ENGINEERS, Ask, City, Load, Offered
from tests.campaign.cpu import Cpu
from tests.campaign.sql_twin import Script, Statement, Twin, logged, pgbench, to_script
from tests.databases import Database, migrate
from tests.running import Running
from tests.wire import Wire, WireReply

CLUSTER = {"fsync": "on", "synchronous_commit": "on", "max_connections": "100"}
SECONDS = 10.0
WARM_S = 3.0
ACCEPT_PER_S = 150
TARGETS = {"today_per_s": 1000, "accept_of_pgbench": 0.2, "accept_p99_ms_at_150": 60}


class Bench:
    """The four requests, each measured beside its twin."""

    def __init__(self, city: City, folder: Path, seconds: float) -> None:
        self.city, self.folder, self.seconds = city, folder, seconds
        apis = [child.pid for name, child in city.running.children.items() if name.startswith("api")]
        postmaster = city.cluster.server_pid()
        assert postmaster is not None
        self.cpu = Cpu(apis, postmaster)

    def read(self, ask: Ask, script: Callable[[list[Statement]], Script]) -> dict[str, Any]:
        """A request that leaves the morning as it is: `seconds` of it, every connection of both processes warm,
        then as long of its twin."""
        statements = self.captured(lambda wire: ask(0, wire))
        uvloop.run(self.city.closed(ask, WARM_S))
        before, load = self.cpu.read(), uvloop.run(self.city.closed(ask, self.seconds))
        between = self.cpu.read()
        twin = self.twin(script(statements), seconds=self.seconds)
        return self._beside(load, [twin], statements, [(before, between)], [(between, self.cpu.read())])

    def accept(self) -> dict[str, Any]:
        """Rounds of every offer accepted once, pgbench's in turn with the product's, then at a steady pace; each
        for `seconds` in all, after a round that is not counted."""
        city = self.city
        city.morning()
        offer, command_id = city.offers[0], str(new_id())
        others = city.offers[1:]

        async def ask(wire: Wire) -> WireReply:
            if others and len(others) > len(city.offers) - 20:
                return await city.accept(others.pop(), wire)
            return await city.accept(offer, wire, command_id)

        uvloop.run(self._times(ask, 19))
        found: list[Statement] = []
        with logged(city.cluster, found):
            replies = uvloop.run(self._times(ask, 1))
        if not found:
            raise RuntimeError("PostgreSQL's log holds no statement of the accept")
        script = self.each_offer(found, offer, command_id, replies[-1].json()["result"]["seq"])
        load, twins, mine, others_cpu = Load(), [], [], []
        city.morning()
        uvloop.run(city.accepts(Load(), city.offers))
        while load.seconds < self.seconds:
            city.morning()
            before = self.cpu.read()
            uvloop.run(city.accepts(load, city.offers))
            mine.append((before, self.cpu.read()))
            city.morning()
            before = self.cpu.read()
            twins.append(self.twin(script, each=len(city.offers) // CLIENTS))
            others_cpu.append((before, self.cpu.read()))
        steady = Load()
        while steady.seconds < self.seconds:
            city.morning()
            uvloop.run(city.accepts_at(steady, ACCEPT_PER_S))
        figures = self._beside(load, twins, found, mine, others_cpu)
        return {**figures, f"at_{ACCEPT_PER_S}_per_s": steady.figures()}

    def _beside(
        self,
        load: Load,
        twins: list[Twin],
        statements: list[Statement],
        mine: list[tuple[dict[str, float], dict[str, float]]],
        others: list[tuple[dict[str, float], dict[str, float]]],
    ) -> dict[str, Any]:
        figures = load.figures()
        spent = {side: sum(b[side] - a[side] for a, b in mine) for side in ("api", "postgres")}
        twin_ms = sum(b["postgres"] - a["postgres"] for a, b in others)
        done = sum(twin.done for twin in twins)
        per_s = done / sum(twin.done / twin.per_s for twin in twins)
        each = {side: round(ms / max(1, len(load.took_ms)), 3) for side, ms in spent.items()}
        return {
            **figures,
            "cpu_ms": {**each, "client": round(load.client_ms / max(1, len(load.took_ms)), 3)},
            "statements": len(statements),
            "pgbench": {
                "per_s": round(per_s, 1),
                "p50_ms": round(max(twin.p50_ms for twin in twins), 2),
                "p99_ms": round(max(twin.p99_ms for twin in twins), 2),
                "cpu_ms": round(twin_ms / max(1, done), 3),
                "failed": sum(twin.failed for twin in twins),
            },
            "of_pgbench": round(figures["per_s"] / per_s, 3),
        }

    # pgbench's turn

    def captured(self, ask: Callable[[Wire], Awaitable[WireReply]]) -> list[Statement]:
        """The statements of one request, every connection warm. Raises RuntimeError where none was logged."""
        found: list[Statement] = []
        uvloop.run(self._times(ask, 20))
        with logged(self.city.cluster, found):
            uvloop.run(self._times(ask, 1))
        if not found:
            raise RuntimeError("PostgreSQL's log holds no statement of the request")
        return found

    async def _times(self, ask: Callable[[Wire], Awaitable[WireReply]], count: int) -> list[WireReply]:
        wire, replies = self.city.wire(""), []
        for _ in range(count):
            replies.append(await ask(wire))
            assert replies[-1].status == 200, replies[-1].body
        wire.close()
        return replies

    def engineers_sql(self, index: str) -> str:
        ids = ",".join(str(self.city.made.engineers[name]) for name in self.city.names)
        return f"(cast('{{{ids}}}' as uuid[]))[{index}]"

    def any_engineer(self, statements: list[Statement]) -> Script:
        """Who asks is drawn first and sent as a value, as the product does: an expression in its place would be
        planned anew each time."""
        ids = {str(self.city.made.engineers[name]) for name in self.city.names}
        head = f"\\set e random(1, {ENGINEERS})\nselect {self.engineers_sql(':e')} as me \\gset"
        return to_script(statements, lambda v: ":me" if v in ids else None, head)

    def fresh_positions(self, statements: list[Statement]) -> Script:
        """Later readings in every transaction, each client its own engineer."""
        me = str(self.city.made.engineers[self.city.names[0]])
        times = next(v for s in statements for v in s.values.values() if v and v.startswith('{"20'))
        newest = times.strip("{}").split(",")[-1].strip('"')
        e = self.engineers_sql(":client_id + 1")
        swap = {
            me: e,
            times: "array[to_timestamp(:t), to_timestamp(:t + 0.001), to_timestamp(:t + 0.002)]",
            newest: "to_timestamp(:t + 0.002)",
        }
        base = (self.city.began - timedelta(hours=2)).timestamp()
        return to_script(statements, swap.get, f"\\set i :i + 1\n\\set t {base:.3f} + :i * 0.005")

    def each_offer(self, statements: list[Statement], offer: Offered, command_id: str, seq: int) -> Script:
        """Transaction after transaction another offer; the chain moves on as in the product."""

        def column(name: str) -> str:
            values = [getattr(o, name) for o in self.city.offers]
            if name == "engineer":
                values = [str(self.city.made.engineers[v]) for v in values]
            return f"(cast('{{{','.join(values)}}}' as uuid[]))[:k]"

        swap = {
            offer.ticket_id: column("ticket_id"),
            offer.offer_id: column("offer_id"),
            offer.visit_id: column("visit_id"),
            str(self.city.made.engineers[offer.engineer]): column("engineer"),
            command_id: "cast('00000000-0000-4000-8000-' || lpad(to_hex(cast(:c as bigint)), 12, '0') as uuid)",
            str(seq): ":seq + 1",
        }
        head = f"\\set k :i * {CLIENTS} + :client_id + 1\n\\set i :i + 1\n\\set c random(1, 100000000000000)"
        return to_script(statements, swap.get, head, reads="select seq, hash from chain_heads")

    def twin(self, script: Script, **length: float) -> Twin:
        return pgbench(self.city.database.app_url, script, self.folder, CLIENTS, **length)  # type: ignore[arg-type]


def run(source: Path | None, seconds: float | None, results: Path) -> dict[str, Any]:
    """Every request for `seconds` (10 where none are given) after a warm-up; `source` does not apply. A value
    is the share of pgbench's rate that is not reached, so that lower is better."""
    with tempfile.TemporaryDirectory(prefix="paidan-api-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Cluster(folder / "cluster", CLUSTER).in_use() as cluster:
            cluster.ensure_database("paidan_api")
            database = Database.of(cluster, "paidan_api")
            migrate(database)
            (folder / "product").mkdir()
            with Running(database, folder / "product", apis=2, background=False) as running:
                city = City(cluster, database, running)
                uvloop.run(city.seed())
                figures = measure(Bench(city, folder, seconds or SECONDS))
    print(json.dumps(figures, indent=1))
    instances = [
        {"name": name, "value": round(1 - one["of_pgbench"], 3), "best": 0, "gap": None, "seconds": seconds}
        for name, one in figures.items()
        if isinstance(one, dict) and "of_pgbench" in one
    ]
    return {"instances": instances, "figures": figures}


def measure(bench: Bench) -> dict[str, Any]:
    """The morning with half of the offers accepted, read; then the accepts."""
    city = bench.city
    load = Load()
    uvloop.run(city.accepts(load, city.offers[::2]))
    figures: dict[str, Any] = {
        "today": bench.read(city.today, bench.any_engineer),
        "positions": bench.read(city.positions, bench.fresh_positions),
        "board": bench.read(city.board, lambda statements: to_script(statements, lambda value: None)),
        "accept": bench.accept(),
    }
    steady = figures["accept"][f"at_{ACCEPT_PER_S}_per_s"]
    figures["targets"] = {
        "today_per_s": [figures["today"]["per_s"], TARGETS["today_per_s"]],
        "accept_of_pgbench": [figures["accept"]["of_pgbench"], TARGETS["accept_of_pgbench"]],
        "accept_p99_ms_at_150": [steady["p99_ms"], TARGETS["accept_p99_ms_at_150"]],
    }
    figures["machine"] = {"cores": os.cpu_count(), "load": [round(x, 1) for x in os.getloadavg()]}
    return figures
