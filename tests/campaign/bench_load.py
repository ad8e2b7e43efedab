"""`./paidan bench load`: a compressed day on the running product, then twice the load it can take, and after.

500 phones, 20 boards that listen, 4,000 tickets a day sixteen times as fast (one every 0.45 s), open loop, for `--seconds`
(120): p50 and p99 of each operation, errors, memory of each process and its slope. Then the mix's capacity is measured,
twice that is asked for a while, and a third of it afterwards: what was refused, how quickly, and how long until answers
are as before.
"""

import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from api.command_line.cluster import Cluster
from tests.campaign.load_city import LoadCity, Seen
from tests.campaign.sql_twin import percentile
from tests.databases import Database, migrate
from tests.running import Running

CLUSTER = {"fsync": "on", "synchronous_commit": "on", "max_connections": "120"}
SECONDS = 120.0
CAPACITY_S, OVERLOAD_S, AFTER_S = 8.0, 15.0, 40.0
SAMPLE_S = 2.0
RECOVERY_TARGET_S = 30.0
WINDOW_S = 1.0
PAGE = os.sysconf("SC_PAGE_SIZE")


def run(source: Path | None, seconds: float | None, results: Path) -> dict[str, Any]:
    """`source` does not apply. Values: p99 milliseconds of each operation, and seconds until all was as before."""
    with tempfile.TemporaryDirectory(prefix="paidan-load-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Cluster(folder / "cluster", CLUSTER).in_use() as cluster:
            cluster.ensure_database("paidan_load")
            database = Database.of(cluster, "paidan_load")
            migrate(database)
            (folder / "product").mkdir()
            with Running(database, folder / "product", apis=2) as running:
                city = LoadCity(running)
                city.seed()
                figures = uvloop.run(measure(city, cluster, database, seconds or SECONDS))
                figures["bugs"] = [line for n in (1, 2) for line in _bugs(running.log(f"api-{n}"))]
    print(json.dumps(figures, indent=1))
    instances = [
        {"name": operation, "value": one["p99_ms"], "best": None, "gap": None, "seconds": seconds}
        for operation, one in figures["day"]["operations"].items()
    ]
    recovery = figures["overload"]["recovered_after_s"]
    instances.append(
        {"name": "recovery_s", "value": recovery, "best": RECOVERY_TARGET_S, "gap": None, "seconds": seconds}
    )
    return {"instances": instances, "figures": figures}


async def measure(city: LoadCity, cluster: Cluster, database: Database, seconds: float) -> dict[str, Any]:
    samples: list[tuple[float, dict[str, float]]] = []
    watching = asyncio.create_task(_watch(city, cluster, samples))
    load_before = os.getloadavg()[0]
    await city.day(seconds)
    watching.cancel()
    day = {
        "seconds": seconds,
        "operations": city.seen.figures(),
        "errors": city.seen.errors(),
        "refusals": dict(city.seen.refusals),
        "broken": dict(city.seen.broken),
        "tickets_finished": city.finished,
        "board_events": city.heard,
        "waiting_after": _waiting(database),
        "memory_mb": _memory(samples),
    }
    overload = await _overload(city)
    machine = {"cores": os.cpu_count(), "load_before": round(load_before, 1)}
    return {"day": day, "overload": overload, "machine": machine}


async def _overload(city: LoadCity) -> dict[str, Any]:
    city.seen = Seen()
    per_s = await city.capacity(CAPACITY_S)
    usual = city.seen
    city.seen = Seen()
    late_s = await city.at_rate(2 * per_s, OVERLOAD_S)
    busy, ended = city.seen, city.ended
    city.seen = Seen()
    await city.at_rate(per_s / 3, AFTER_S)
    usual_p99_s = percentile(sorted(took for _, took, _ in usual.answers), 99)
    refused = sorted(took for _, took, status in busy.answers if status == 503)
    served = sorted(took for _, took, status in busy.answers if status < 500)
    return {
        "capacity_per_s": round(per_s, 1),
        "usual_p99_ms": round(usual_p99_s * 1000, 1),
        "asked_per_s": round(2 * per_s, 1),
        "served": len(served),
        "refused": len(refused),
        "served_p50_ms": round(percentile(served, 50) * 1000, 1),
        "served_p99_ms": round(percentile(served, 99) * 1000, 1),
        "refused_p50_ms": round(percentile(refused, 50) * 1000, 1) if refused else None,
        "refused_p99_ms": round(percentile(refused, 99) * 1000, 1) if refused else None,
        "client_late_ms": round(late_s * 1000, 1),
        "errors": usual.errors() + busy.errors() + city.seen.errors(),
        "broken": {
            "capacity": dict(usual.broken),
            "overload": dict(busy.broken),
            "after": dict(city.seen.broken),
        },
        "refusals": dict(busy.refusals),
        "operations": busy.figures(),
        "recovered_after_s": recovered_after(city.seen, ended, usual_p99_s),
    }


def recovered_after(after: Seen, ended: float, usual_p99_s: float) -> float | None:
    """Seconds from the end of the overload until nothing is refused any more and no answer takes longer than the usual
    p99 under full load; None where that does not come."""
    bad = [at for at, took_s, status in after.answers if status == 503 or took_s > max(usual_p99_s, 0.25)]
    last = max((at for at in bad), default=ended)
    if after.answers and last > max(at for at, _, _ in after.answers) - WINDOW_S:
        return None
    return round(last - ended, 1)


async def _watch(city: LoadCity, cluster: Cluster, samples: list[tuple[float, dict[str, float]]]) -> None:
    postmaster = cluster.server_pid()
    while True:
        sizes = {name: _own_mb(child.pid) for name, child in city.running.children.items()}
        sizes["postmaster"] = _own_mb(postmaster or 0)
        samples.append((time.monotonic(), sizes))
        await asyncio.sleep(SAMPLE_S)


def _own_mb(pid: int) -> float:
    """Resident memory that is shared with nobody, the children's included (photo and paper processes, backends)."""
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
        own = (resident - shared) * PAGE / 1e6
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return own + (sum(_own_mb(int(child)) for child in children) if children else 0.0)


def _memory(samples: list[tuple[float, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """First, last and the slope of the second half, MB and MB a minute, by least squares."""
    half = samples[len(samples) // 2 :]
    found = {}
    for name in samples[0][1]:
        times = [at / 60 for at, _ in half]
        sizes = [of[name] for _, of in half]
        middle, mean = sum(times) / len(times), sum(sizes) / len(sizes)
        spread = sum((t - middle) ** 2 for t in times)
        slope = (
            sum((t - middle) * (s - mean) for t, s in zip(times, sizes, strict=True)) / spread
            if spread
            else 0.0
        )
        found[name] = {
            "first": round(samples[0][1][name], 1),
            "last": round(samples[-1][1][name], 1),
            "slope_per_min": round(slope, 2),
        }
    return found


def _bugs(log: str) -> list[str]:
    """The kinds of error an api process met, with their innermost place."""
    found = [json.loads(line) for line in log.splitlines() if '"event":"unexpected"' in line]
    return sorted({f"{one['error']} at {one['where'][-1]}" for one in found})


def _waiting(database: Database) -> dict[str, float]:
    """Rows that wait after the day: outbox and jobs, and dead letters."""
    with psycopg.connect(database.superuser_url) as db:
        row = db.execute(
            "select (select count(*) from outbox), (select count(*) from procrastinate_jobs where status = 'todo' and "
            "(scheduled_at is null or scheduled_at <= now())), "
            "(select count(*) from procrastinate_jobs where status = 'failed')"
        ).fetchone()
    assert row is not None
    return {"outbox": row[0], "jobs": row[1], "dead_letters": row[2]}
