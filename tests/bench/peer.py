"""One peer on one scenario, as a child process: `python -m tests.bench.peer NAME SCENARIO …`.

A peer is told everything its interface can express; its routes become a plan of ticket ids, which the
referee scores. The seconds run from the moment the scenario is read, and include building the model. The
best plan so far is kept in the file, so that a kill loses nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY_END_S = 86_400
EARTH_M = 6_371_008.8
Routes = dict[str, list[Any]]


@dataclass(frozen=True)
class Instance:
    """A scenario as peers take it: arrays by ticket, seconds, and `able[e, t]` where the skills suffice."""

    document: dict[str, Any]
    folder: Path
    drive_s: NDArray[np.int64]
    able: NDArray[np.bool_]
    earliest_s: NDArray[np.int64]
    latest_s: NDArray[np.int64]
    due_s: NDArray[np.int64]
    late_per_s: NDArray[np.float64]
    unserved: NDArray[np.float64]

    @property
    def tickets(self) -> list[dict[str, Any]]:
        return list(self.document["tickets"])

    @property
    def engineers(self) -> list[dict[str, Any]]:
        return list(self.document["engineers"])

    @property
    def overtime_limit_s(self) -> int:
        return int(self.document["limits"]["overtime_s"])


class Best:
    """Keeps the plan with the lowest referee total in a file, written whole or not at all."""

    def __init__(self, instance: Instance, out: Path, seconds: float) -> None:
        self.instance, self.out = instance, out
        self.total = float("inf")
        self.ends_at = time.perf_counter() + seconds

    def left_s(self) -> float:
        return self.ends_at - time.perf_counter()

    def offer(self, routes: Routes) -> float:
        """The total of these routes, infinite where a hard rule is broken."""
        from dispatch.planning.referee import judge

        plan = as_plan(routes)
        verdict = judge(self.instance.document, plan, self.instance.folder)
        total = verdict.total if verdict.valid else float("inf")
        if total < self.total or not self.out.exists():
            self.total = min(self.total, total)
            self.keep(routes)
        return total

    def keep(self, routes: Routes) -> None:
        temporary = self.out.with_suffix(".part")
        temporary.write_text(json.dumps(as_plan(routes)))
        os.replace(temporary, self.out)


def as_plan(routes: Routes) -> dict[str, Any]:
    listed = [{"engineer": name, "stops": stops} for name, stops in routes.items()]
    return {"format": "paidan-plan/1", "routes": listed}


def read_instance(path: Path) -> Instance:
    document = json.loads(path.read_text())
    tickets, engineers = document["tickets"], document["engineers"]
    weights = document["weights"]
    able = [
        [
            all(engineer["skills"].get(name, 0) >= level for name, level in ticket.get("skills", {}).items())
            for ticket in tickets
        ]
        for engineer in engineers
    ]
    windows = np.array([ticket.get("window_s", [0, DAY_END_S]) for ticket in tickets], np.int64)
    return Instance(
        document=document,
        folder=path.parent,
        drive_s=_drive_s(document["travel"], path.parent),
        able=np.array(able, bool),
        earliest_s=windows[:, 0],
        latest_s=windows[:, 1],
        due_s=np.array([ticket.get("due_s", DAY_END_S) for ticket in tickets], np.int64),
        late_per_s=np.array([weights["late_s"][ticket["priority"]] for ticket in tickets]),
        unserved=np.array([weights["unserved"][ticket["priority"]] for ticket in tickets]),
    )


def _drive_s(travel: dict[str, Any], folder: Path) -> NDArray[np.int64]:
    """One table for everybody all day, as all three peers take it; positions become one by great circle."""
    if isinstance(travel.get("matrix_s"), str):
        return np.load(folder / travel["matrix_s"]).astype(np.int64)
    if "positions" not in travel:
        raise SystemExit("peers take one travel table, no modes and no hours")
    lon, lat = np.radians(np.array(travel["positions"], float)).T
    h = np.sin((lat[:, None] - lat) / 2) ** 2
    h += np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    metres = 2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(h, 1)))
    seconds = travel.get("fixed_s", 120) + travel.get("detour", 1.3) * metres * 3.6 / travel.get(
        "speed_kmh", 32
    )
    seconds[h == 0] = 0
    return np.rint(seconds).astype(np.int64)


def _solver(name: str) -> Callable[[Instance, Best, int], None]:
    """Imported only here: the libraries of two peers need not get along in one process."""
    if name == "ortools":
        from tests.bench import peer_ortools

        return peer_ortools.solve
    if name == "pyvrp":
        from tests.bench import peer_pyvrp

        return peer_pyvrp.solve
    from tests.bench import peer_vroom

    return peer_vroom.solve


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=["ortools", "pyvrp", "pyvroom"])
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    solve = _solver(given.name)
    instance = read_instance(given.scenario)
    solve(instance, Best(instance, given.out, given.seconds), given.seed)


if __name__ == "__main__":
    main()
