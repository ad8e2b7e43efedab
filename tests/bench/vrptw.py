"""`bench vrptw DIR`: Solomon's instances as dispatch days, distance against the published optima.

Distances have one decimal, truncated; the fewest vehicles are not sought. A vehicle is an engineer at the
depot whose van carries its capacity in one part; every customer takes that part. Optima with distance as
the only objective: Kohl 1999, Cook and Rich 1999, Kallehauge 2001, Irnich and Villeneuve 2006, Desaulniers
2008, Baldacci 2011.
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

SECONDS = 10.0
TENTHS = 10
UNSERVED = 1_000_000
_ROWS = {
    "C1": "827.3 827.3 826.3 822.9 827.3 827.3 827.3 827.3 827.3",
    "C2": "589.1 589.1 588.7 588.1 586.4 586.0 585.8 585.8",
    "R1": "1637.7 1466.6 1208.7 971.5 1355.3 1234.6 1064.6 932.1 1146.9 1068.0 1048.7 948.6",
    "R2": "1143.2 1029.6 870.8 731.3 949.8 875.9 794.0 701.0 854.8 900.5 746.7",
    "RC1": "1619.8 1457.4 1258.0 1132.3 1513.7 1372.7 1207.8 1114.2",
    "RC2": "1261.8 1092.3 923.7 783.5 1154.0 1051.1 962.9 776.1",
}
OPTIMA = {
    f"{group}{number:02d}": float(value)
    for group, row in _ROWS.items()
    for number, value in enumerate(row.split(), start=1)
}


@dataclass(frozen=True)
class Instance:
    """Rows (x, y, demand, ready, due, service) with the depot first; distances in tenths, truncated."""

    name: str
    vehicles: int
    capacity: int
    rows: tuple[tuple[int, ...], ...]
    tenths: tuple[tuple[int, ...], ...]


def read_instance(path: Path) -> Instance:
    """Raises ValueError for a file that is not of Solomon's form."""
    rows = [line.split() for line in path.read_text().splitlines()]
    numbers = [[int(float(value)) for value in row] for row in rows if row and row[0].isdigit()]
    if len(numbers) < 3 or len(numbers[0]) != 2 or any(len(row) != 7 for row in numbers[1:]):
        raise ValueError(f"not a Solomon instance: {path}")
    places = tuple(tuple(row[1:]) for row in numbers[1:])
    tenths = tuple(tuple(_tenths(a, b) for b in places) for a in places)
    return Instance(path.stem, numbers[0][0], numbers[0][1], places, tenths)


def _tenths(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """Exact: the whole root of a hundred times the squared distance."""
    return math.isqrt(100 * ((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2))


def scenario_of(instance: Instance) -> dict[str, Any]:
    """The instance as `paidan-scenario/1`, a second being a tenth of a unit."""
    depot = instance.rows[0]
    shift = [depot[3] * TENTHS, depot[4] * TENTHS]
    return {
        "format": "paidan-scenario/1",
        "name": instance.name,
        "travel": {"matrix_s": f"{instance.name}.npy"},
        "weights": {"travel_s": 1, "overtime_s": 0, "unserved": {"normal": UNSERVED}},
        "limits": {"overtime_s": 0},
        "engineers": [
            {"id": f"V{k}", "start": 0, "end": 0, "shift_s": shift, "van_stock": {"load": instance.capacity}}
            for k in range(instance.vehicles)
        ],
        "tickets": [
            {
                "id": str(index),
                "site": index,
                "duration_s": service * TENTHS,
                "priority": "normal",
                "window_s": [ready * TENTHS, due * TENTHS],
                "parts": {"load": demand},
            }
            for index, (_x, _y, demand, ready, due, service) in enumerate(instance.rows)
            if index > 0
        ],
    }


def distance(instance: Instance, routes: list[list[int]]) -> tuple[float, list[str]]:
    """Units driven and what is wrong, worked out without the referee."""
    faults = []
    if sorted(stop for route in routes for stop in route) != list(range(1, len(instance.rows))):
        faults.append("customers")
    if sum(bool(route) for route in routes) > instance.vehicles:
        faults.append("vehicles")
    total = 0
    for route in filter(None, routes):
        if sum(instance.rows[stop][2] for stop in route) > instance.capacity:
            faults.append("capacity")
        clock, here = instance.rows[0][3] * TENTHS, 0
        for stop in [*route, 0]:
            total += instance.tenths[here][stop]
            ready, due, service = instance.rows[stop][3:]
            clock = max(clock + instance.tenths[here][stop], ready * TENTHS)
            if clock > due * TENTHS:
                faults.append(f"late at {stop}")
            clock, here = clock + service * TENTHS, stop
    return total / TENTHS, faults


def run(
    source: Path | None, seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Solve every instance of the folder, or the one file."""
    if source is None:
        raise SystemExit("bench vrptw needs a folder of Solomon's instances, or one of them")
    files = sorted(source.glob("*.txt")) if source.is_dir() else [source]
    files = wanted({path.stem: path for path in files}, only)
    instances = [_solve(read_instance(path), seconds or SECONDS) for path in files]
    known = [instance["gap"] for instance in instances if instance["gap"] is not None]
    mean = float(np.mean(known)) if known else None
    print(
        f"summary vrptw: mean gap {mean if mean is None else f'{mean:.2%}'} over {len(known)} instances",
        flush=True,
    )
    return {"instances": instances, "mean_gap": mean}


def _solve(instance: Instance, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{instance.name}.json"
        path.write_text(json.dumps(scenario_of(instance)))
        np.save(path.with_suffix(".npy"), np.array(instance.tenths, np.int32))
        result = plan_with("paidan", path, seconds)
    best = OPTIMA.get(instance.name)
    entry = {"name": instance.name, "value": None, "best": best, "gap": None, "seconds": seconds}
    if result.plan is None:
        print(result.line(), flush=True)
        return entry
    routes = [[int(stop) for stop in route["stops"]] for route in result.plan["routes"]]
    value, faults = distance(instance, routes)
    gap = None if best is None or faults else value / best - 1
    shown = "" if gap is None else f"{gap:.2%}"
    took = f"wall {result.ran.wall_s:.1f} cpu {result.ran.cpu_s:.1f}"
    print(f"{instance.name:8} {value:9.1f} optimum {best} gap {shown} faults {faults} {took}", flush=True)
    return {**entry, "faults": faults} if faults else {**entry, "value": value, "gap": gap}
