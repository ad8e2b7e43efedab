"""`bench trsp DIR`: Pillac's technician instances, working time against the best published values.

Format: one line for the central depot, one for each technician, one for each request, with skills, tools
and spare parts in brackets. Distances and times are Euclidean and real. A technician may leave home late,
so a route's working time is its finish less its latest departure that keeps that finish; a technician who
has no request works nothing. A call at the depot, at most one a route, brings every tool and any parts for
what follows. Source: Pillac, Guéret, Medaglia, Optimization Letters 7 (2013),
doi:10.1007/s11590-012-0567-4.
"""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.engine import plan_with, wanted

SECONDS = 60.0
UNITS = 1000  # whole seconds of the scenario in one time unit of the instance
UNSERVED = 9_000_000
SAME = 1e-6
DEPOT = 0
THESIS = Path(__file__).with_name("trsp_best.txt")


@dataclass(frozen=True)
class Place:
    """A row of the file: the depot (id 0), a technician's home or a request."""

    id: int
    x: float
    y: float
    opens: float
    closes: float
    service: float
    skills: frozenset[int]
    tools: frozenset[int]
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Instance:
    """Rows by id: the depot, then technicians 1..crew, then requests."""

    name: str
    crew: int
    places: tuple[Place, ...]

    def drive(self, a: int, b: int) -> float:
        return math.hypot(self.places[a].x - self.places[b].x, self.places[a].y - self.places[b].y)

    @property
    def requests(self) -> range:
        return range(self.crew + 1, len(self.places))


def read_instance(path: Path) -> Instance:
    """Raises ValueError for a file that is not of this form."""
    lines = path.read_text().splitlines()
    counts = next((i for i, line in enumerate(lines) if line.startswith("CREW COUNT")), None)
    if counts is None:
        raise ValueError(f"no crew in {path}")
    crew = int(lines[counts + 1].split()[0])
    rows = [line.split() for line in lines if line[:1].isdigit() and "[" in line]
    places = tuple(_place(row) for row in rows)
    if [place.id for place in places] != list(range(len(places))) or len(places) <= crew + 1:
        raise ValueError(f"rows out of order in {path}")
    return Instance(path.stem, crew, places)


def _place(row: list[str]) -> Place:
    numbers = [float(value) for value in row[1:6]]
    skills, tools, parts = (_list(value) for value in row[6:9])
    x, y, opens, closes, service = numbers
    return Place(int(row[0]), x, y, opens, closes, service, frozenset(skills), frozenset(tools), tuple(parts))


def _list(text: str) -> list[int]:
    return [int(value) for value in text.strip("[]").split(",") if value]


def working_time(instance: Instance, routes: dict[int, list[int]]) -> tuple[float, list[str]]:
    """The total and what is wrong; routes by technician, the depot's call as 0. Not the referee's work."""
    faults: list[str] = []
    total = 0.0
    visited = [stop for stops in routes.values() for stop in stops if stop != DEPOT]
    if sorted(visited) != list(instance.requests):
        faults.append(f"served {len(set(visited))} of {len(instance.requests)}, {len(visited)} visits")
    for technician, stops in routes.items():
        if not stops:
            continue
        faults += [f"technician {technician}: {fault}" for fault in _lacking(instance, technician, stops)]
        duration, late = _duration(instance, [technician, *stops, technician])
        faults += [f"technician {technician}: late at {stop}" for stop in late]
        total += duration
    return total, faults


def _lacking(instance: Instance, technician: int, stops: list[int]) -> list[str]:
    held = instance.places[technician]
    parts = list(held.parts)
    faults = ["two depot calls"] if stops.count(DEPOT) > 1 else []
    called = False
    for stop in stops:
        called = called or stop == DEPOT
        needed = instance.places[stop]
        if not needed.skills <= held.skills:
            faults.append(f"skill for {stop}")
        if called:
            continue
        if not needed.tools <= held.tools:
            faults.append(f"tool for {stop}")
        parts = [left - used for left, used in zip(parts, needed.parts, strict=False)]
        if any(left < 0 for left in parts):
            faults.append(f"part for {stop}")
    return faults


def _duration(instance: Instance, way: list[int]) -> tuple[float, list[int]]:
    """Earliest finish less the latest departure that still meets it, and the stops reached too late."""
    places = [instance.places[stop] for stop in way]
    service = [0.0, *(place.service for place in places[1:-1]), 0.0]
    clock, late = places[0].opens, []
    for k in range(1, len(way)):
        clock = max(clock + service[k - 1] + instance.drive(way[k - 1], way[k]), places[k].opens)
        if clock > places[k].closes + SAME:
            late.append(way[k])
    latest = clock
    for k in range(len(way) - 2, -1, -1):
        onward = latest - instance.drive(way[k], way[k + 1]) - service[k]
        latest = min(onward, max(places[k].closes, onward) if late else places[k].closes)
    return clock - latest, late


def scenario_of(instance: Instance) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The instance as `paidan-scenario/1`, a time unit being UNITS seconds, and its travel table."""
    count = len(instance.places)
    drive = [[round(instance.drive(a, b) * UNITS, 3) for b in range(count)] for a in range(count)]
    kinds = len(instance.places[1].parts)
    depot = instance.places[DEPOT]
    document = {
        "format": "paidan-scenario/1",
        "name": instance.name,
        "travel": {"matrix_s": f"{instance.name}.npy"},
        "weights": {"travel_s": 0, "working_s": 1, "overtime_s": 0, "unserved": {"normal": UNSERVED}},
        "limits": {"overtime_s": 0},
        "depots": [{"id": "centre", "site": DEPOT, "duration_s": 0, "open_s": _window(depot)}],
        "engineers": [
            {
                "id": str(place.id),
                "start": place.id,
                "end": place.id,
                "shift_s": _window(place),
                "skills": {f"skill{skill}": 1 for skill in sorted(place.skills)},
                "tools": [f"tool{tool}" for tool in sorted(place.tools)],
                "van_stock": {f"part{kind}": place.parts[kind] for kind in range(kinds) if place.parts},
            }
            for place in instance.places[1 : instance.crew + 1]
        ],
        "tickets": [
            {
                "id": str(place.id),
                "site": place.id,
                "duration_s": round(place.service * UNITS),
                "priority": "normal",
                "skills": {f"skill{skill}": 1 for skill in sorted(place.skills)},
                "window_s": _window(place),
                "tools": [f"tool{tool}" for tool in sorted(place.tools)],
                "parts": {f"part{kind}": used for kind, used in enumerate(place.parts) if used},
            }
            for place in instance.places[instance.crew + 1 :]
        ],
    }
    return document, np.ceil(np.array(drive)).astype(np.int32)


def _window(place: Place) -> list[int]:
    return [round(place.opens * UNITS), round(place.closes * UNITS)]


def routes_of(plan: dict[str, Any]) -> dict[int, list[int]]:
    return {
        int(route["engineer"]): [int(stop) if isinstance(stop, str) else DEPOT for stop in route["stops"]]
        for route in plan["routes"]
    }


def read_best(folder: Path) -> dict[str, float]:
    """The lowest value of each instance over the folder's `best_known*.txt` and the thesis, lines of name=value."""
    best: dict[str, float] = {}
    for path in [*sorted(folder.glob("best_known*.txt")), THESIS]:
        for line in path.read_text().splitlines():
            name, found, value = line.partition("=")
            if found:
                best[name.strip()] = min(float(value), best.get(name.strip(), math.inf))
    return best


def run(
    source: Path | None, seconds: float | None, results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Solve every instance of the folder, or one file; solutions better than known go to `results`."""
    if source is None:
        raise SystemExit("bench trsp needs a folder of Pillac's instances, or one of them")
    folder = source if source.is_dir() else source.parent
    files = sorted(folder.glob("*_*-*-*-*.txt")) if source.is_dir() else [source]
    files = wanted({path.stem: path for path in files}, only)
    best = read_best(folder)
    instances = [_solve(read_instance(path), best, seconds or SECONDS, results) for path in files]
    known = [instance["gap"] for instance in instances if instance["gap"] is not None]
    mean = float(np.mean(known)) if known else None
    print(
        f"summary trsp: mean gap {mean if mean is None else f'{mean:.2%}'} over {len(known)} instances",
        flush=True,
    )
    return {"instances": instances, "mean_gap": mean}


def _solve(instance: Instance, best: dict[str, float], seconds: float, results: Path) -> dict[str, Any]:
    document, drive = scenario_of(instance)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{instance.name}.json"
        path.write_text(json.dumps(document))
        np.save(path.with_suffix(".npy"), drive)
        result = plan_with("paidan", path, seconds)
    entry = {
        "name": instance.name,
        "value": None,
        "best": best.get(instance.name),
        "gap": None,
        "seconds": seconds,
    }
    if result.plan is None:
        print(result.line(), flush=True)
        return entry
    routes = routes_of(result.plan)
    value, faults = working_time(instance, routes)
    shown = f"{instance.name:22} {value:10.3f} best {entry['best']} faults {faults}"
    took = f"wall {result.ran.wall_s:.1f} cpu {result.ran.cpu_s:.1f}"
    if faults:
        print(f"{shown} {took}", flush=True)
        return {**entry, "faults": faults}
    gap = None if entry["best"] is None else value / entry["best"] - 1
    print(f"{shown} gap {gap if gap is None else f'{gap:.2%}'} {took}", flush=True)
    if gap is not None and gap < -SAME:
        _write_solution(results / f"{instance.name}.solution.json", routes, value)
    return {**entry, "value": value, "gap": gap}


def _write_solution(path: Path, routes: dict[int, list[int]], value: float) -> None:
    """Routes by technician, 0 being the depot's call, and the working time the checker finds for them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = {str(technician): stops for technician, stops in routes.items() if stops}
    path.write_text(json.dumps({"working_time": value, "routes": listed}, indent=1))
