"""`bench repair`: a planned day of 500 x 50, then 5 % tickets more and 4 % engineers less.

The engine repairs its plan in 0.3 s; the peers, who keep no plan, plan the new day cold in 8 s. Besides the
score it counts the visits that were planned and now have another engineer or none.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.cities import CITIES
from tests.bench.engine import PEERS, plan_with, served_by, wanted

TICKETS, ENGINEERS = 500, 50
MORE_TICKETS, FEWER_ENGINEERS = 25, 2
SEEDS = (7201, 7202, 7203)  # on each city
FIRST_S = 10.0
REPAIR_S = 0.3
COLD_S = 8.0


def run(
    source: Path | None, seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`seconds`: for the repair. Made-up days alone: SystemExit for a `source`."""
    if source is not None:
        raise SystemExit("bench repair makes its own days")
    named = {f"{city}_{TICKETS}x{ENGINEERS}_s{seed}": (city, seed) for seed in SEEDS for city in CITIES}
    instances = []
    with tempfile.TemporaryDirectory() as folder:
        for city, seed in wanted(named, only):
            whole = CITIES[city](Path(folder), TICKETS + MORE_TICKETS, ENGINEERS, seed)
            instances.append(_repair(Path(folder), whole, seconds or REPAIR_S))
    ratios = [instance["value"] / instance["best"] for instance in instances]
    shares = [instance["moved"] / max(1, instance["moved_by_best_peer"]) for instance in instances]
    print(
        f"summary repair: ratio to the best peer, mean {np.mean(ratios):.3f}, worst {max(ratios):.3f}; "
        f"share of its moved visits, mean {np.mean(shares):.2f}, worst {max(shares):.2f}",
        flush=True,
    )
    return {"instances": instances}


def _repair(folder: Path, whole: Path, seconds: float) -> dict[str, Any]:
    document = json.loads(whole.read_text())
    before = folder / f"{whole.stem}.before.json"
    before.write_text(json.dumps({**document, "tickets": document["tickets"][:TICKETS]}))
    first = plan_with("paidan", before, FIRST_S)
    print(first.line(), flush=True)
    if first.plan is None:
        raise SystemExit(f"no plan to repair: {first.line()}")
    gone = {engineer["id"] for engineer in document["engineers"][:FEWER_ENGINEERS]}
    after = folder / f"{whole.stem}.after.json"
    staying = [engineer for engineer in document["engineers"] if engineer["id"] not in gone]
    after.write_text(json.dumps({**document, "engineers": staying}))
    routes = [route for route in first.plan["routes"] if route["engineer"] not in gone]
    warm = folder / f"{whole.stem}.warm.json"
    warm.write_text(json.dumps({**first.plan, "routes": routes, "unassigned": []}))
    repaired = plan_with("paidan", after, seconds, warm=warm)
    cold = [plan_with(peer, after, COLD_S) for peer in PEERS]
    for result in (repaired, *cold):
        print(result.line(), flush=True)
    best = min(cold, key=lambda result: result.total)
    moved = {r.solver: _moved(first.plan, r.plan) for r in (repaired, *cold) if r.plan is not None}
    print(f"{whole.stem} ratio {repaired.total / best.total:.3f}, moved {moved}", flush=True)
    return {
        "name": whole.stem,
        "value": repaired.total,
        "best": best.total,
        "gap": repaired.total / best.total - 1,
        "seconds": seconds,
        "wall_s": round(repaired.ran.wall_s, 2),
        "cpu_s": round(repaired.ran.cpu_s, 2),
        "moved": moved.get("paidan", TICKETS),
        "moved_by_best_peer": moved.get(best.solver, TICKETS),
    }


def _moved(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Visits that were planned and now have another engineer or none."""
    old, new = served_by(before), served_by(after)
    return sum(new.get(ticket) != engineer for ticket, engineer in old.items())
