"""`bench planner`: made-up cities against OR-Tools routing, PyVRP and VROOM, and the repair of a day.

Same wall seconds and one thread each, one process at a time, the solvers in turn on each day. The days'
seeds are not used anywhere else in the product.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.cities import CITIES
from tests.bench.engine import PEERS, Result, plan_with, served_by

SIZES = ((100, 10, 10.0), (500, 50, 10.0), (2000, 200, 30.0))
SEEDS = (7101, 7102, 7103)  # on each city
REPAIR_SEEDS = (7201, 7202, 7203)
REPAIR_S = 0.3
COLD_S = 8.0


def run(source: Path | None, seconds: float | None, _results: Path) -> dict[str, Any]:
    """`source`: a scenario file, or a folder of them, in place of the made-up days and without the repair."""
    with tempfile.TemporaryDirectory() as folder:
        days = _given(source, seconds) if source else _made_up(Path(folder), seconds)
        instances = [_compare(scenario, limit_s, Path(folder)) for scenario, limit_s in days]
        answer: dict[str, Any] = {"instances": instances, "ratios": _ratios(instances)}
        if source is None:
            answer["repair"] = [_repair(Path(folder), seed) for seed in REPAIR_SEEDS]
    return answer


def _made_up(folder: Path, seconds: float | None) -> Iterator[tuple[Path, float]]:
    for tickets, engineers, limit_s in SIZES:
        for seed in SEEDS:
            for write in CITIES.values():
                yield write(folder, tickets, engineers, seed), seconds or limit_s


def _given(source: Path, seconds: float | None) -> Iterator[tuple[Path, float]]:
    for path in [source] if source.is_file() else sorted(source.glob("*.json")):
        document = json.loads(path.read_text())
        if document.get("format") == "paidan-scenario/1":
            yield path, seconds or _limit_s(len(document["tickets"]))


def _limit_s(tickets: int) -> float:
    return next((limit_s for size, _, limit_s in SIZES if tickets <= size), SIZES[-1][2])


def _compare(scenario: Path, limit_s: float, work: Path) -> dict[str, Any]:
    results: dict[str, Result] = {}
    for solver in ("paidan", *PEERS):
        results[solver] = plan_with(solver, scenario, limit_s, work=work)
        print(results[solver].line(), flush=True)
    value = results["paidan"].total
    best = min(results[peer].total for peer in PEERS)
    return {
        "name": scenario.stem,
        "value": value,
        "best": best,
        "gap": value / best - 1,
        "seconds": limit_s,
        "totals": {solver: result.total for solver, result in results.items()},
        "wall_s": {solver: round(result.ran.wall_s, 2) for solver, result in results.items()},
        "cpu_s": {solver: round(result.ran.cpu_s, 2) for solver, result in results.items()},
    }


def _ratios(instances: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """By size: the mean and worst of value over the best peer's."""
    by_size: dict[str, list[float]] = {}
    for instance in instances:
        size = next((part for part in instance["name"].split("_") if "x" in part), instance["name"])
        by_size.setdefault(size, []).append(instance["value"] / instance["best"])
    ratios = {size: {"mean": float(np.mean(all_)), "worst": max(all_)} for size, all_ in by_size.items()}
    for size, ratio in ratios.items():
        print(
            f"{size:10} ratio to the best peer: mean {ratio['mean']:.3f}, worst {ratio['worst']:.3f}",
            flush=True,
        )
    return ratios


def _repair(folder: Path, seed: int) -> dict[str, Any]:
    """A planned day of 500 x 50, then 25 tickets more and 2 engineers less: repair against cold peers."""
    whole = CITIES["even"](folder, 525, 50, seed)
    document = json.loads(whole.read_text())
    before = folder / f"before_s{seed}.json"
    before.write_text(json.dumps({**document, "tickets": document["tickets"][:500]}))
    first = plan_with("paidan", before, 10.0)
    if first.plan is None:
        return {"name": whole.stem, "error": first.line()}
    gone = {engineer["id"] for engineer in document["engineers"][:2]}
    after = folder / f"after_s{seed}.json"
    staying = [engineer for engineer in document["engineers"] if engineer["id"] not in gone]
    after.write_text(json.dumps({**document, "engineers": staying}))
    routes = [route for route in first.plan["routes"] if route["engineer"] not in gone]
    warm = folder / f"warm_s{seed}.json"
    warm.write_text(json.dumps({**first.plan, "routes": routes, "unassigned": []}))
    repaired = plan_with("paidan", after, REPAIR_S, warm=warm)
    cold = [plan_with(peer, after, COLD_S) for peer in PEERS]
    for result in (first, repaired, *cold):
        print(result.line(), flush=True)
    best = min(cold, key=lambda result: result.total)
    moved = {r.solver: _moved(first.plan, r.plan) for r in (repaired, *cold) if r.plan is not None}
    print(f"repair ratio {repaired.total / best.total:.3f}, moved {moved}", flush=True)
    return {
        "name": whole.stem,
        "value": repaired.total,
        "best": best.total,
        "gap": repaired.total / best.total - 1,
        "seconds": REPAIR_S,
        "moved": moved.get("paidan"),
        "moved_by_best_peer": moved.get(best.solver),
    }


def _moved(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Visits that were planned and now have another engineer or none."""
    old, new = served_by(before), served_by(after)
    return sum(new.get(ticket) != engineer for ticket, engineer in old.items())
