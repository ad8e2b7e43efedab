"""`bench planner`: made-up cities against OR-Tools routing, PyVRP and VROOM.

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
from tests.bench.engine import PEERS, Result, plan_with, wanted

SIZES = ((100, 10, 10.0), (500, 50, 10.0), (2000, 200, 30.0))
SEEDS = (7101, 7102, 7103)  # on each city


def run(
    source: Path | None, seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`source`: a scenario file, or a folder of them, in place of the made-up days."""
    with tempfile.TemporaryDirectory() as folder:
        days = _given(source, seconds, only) if source else _made_up(Path(folder), seconds, only)
        instances = [_compare(day, limit_s, Path(folder)) for day, limit_s in days]
    return {"instances": instances, "ratios": _ratios(instances)}


def _made_up(folder: Path, seconds: float | None, only: tuple[str, ...]) -> Iterator[tuple[Path, float]]:
    named = {
        f"{city}_{tickets}x{engineers}_s{seed}": (city, tickets, engineers, seed, limit_s)
        for tickets, engineers, limit_s in SIZES
        for seed in SEEDS
        for city in CITIES
    }
    for city, tickets, engineers, seed, limit_s in wanted(named, only):
        yield CITIES[city](folder, tickets, engineers, seed), seconds or limit_s


def _given(source: Path, seconds: float | None, only: tuple[str, ...]) -> list[tuple[Path, float]]:
    named = {}
    for path in [source] if source.is_file() else sorted(source.glob("*.json")):
        document = json.loads(path.read_text())
        if document.get("format") == "paidan-scenario/1":
            named[path.stem] = path, seconds or _limit_s(len(document["tickets"]))
    return wanted(named, only)


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
            f"summary {size}: ratio to the best peer, mean {ratio['mean']:.3f}, worst {ratio['worst']:.3f}",
            flush=True,
        )
    return ratios
