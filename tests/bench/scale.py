"""`bench scale`: 500 x 50 to 10,000 x 1,000 on two cores, larger days with positions instead of a table.

Longer and longer runs until no urgent and no high ticket is left unserved, or the seconds are used up.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.cities import CITIES
from tests.bench.engine import Result, plan_with, served_by, wanted

SIZES = ((500, 50), (1000, 100), (2000, 200), (5000, 500), (10_000, 1000))
STEPS_S = (5.0, 15.0, 30.0, 45.0, 58.0)  # the last leaves the start of the processes within a minute
SEED = 7401
THREADS = 2


def run(
    source: Path | None, seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`source`: one scenario file instead of the made-up days; `seconds`: one run of that length for each."""
    steps = STEPS_S if seconds is None else (seconds,)
    instances = []
    named = {f"{tickets}x{engineers}": (tickets, engineers) for tickets, engineers in SIZES}
    sizes = wanted(named, only) if source is None else [(0, 0)]
    with tempfile.TemporaryDirectory() as folder:
        for tickets, engineers in sizes:
            path = source or CITIES["even"](Path(folder), tickets, engineers, SEED)
            instances.append(_climb(path, Path(folder), steps))
    for entry in instances:
        print(
            f"summary scale {entry['name']}: {entry['seconds']:.0f} s ordered, {entry['wall_s']} s wall, "
            f"{entry['dear_unserved']} urgent and high unserved, {entry['peak_mb']} MB, score {entry['value']:,.0f}",
            flush=True,
        )
    return {"instances": instances}


def _climb(path: Path, work: Path, steps: tuple[float, ...]) -> dict[str, Any]:
    document = json.loads(path.read_text())
    dear = {ticket["id"] for ticket in document["tickets"] if ticket["priority"] in {"urgent", "high"}}
    entry: dict[str, Any] = {}
    for limit_s in steps:
        result = plan_with("paidan", path, limit_s, threads=THREADS, work=work)
        left = len(dear - set(served_by(result.plan))) if result.plan else len(dear)
        print(f"{result.line()}  urgent and high unserved {left}", flush=True)
        entry = _entry(result, limit_s, left)
        if left == 0:
            break
    return entry


def _entry(result: Result, limit_s: float, left: int) -> dict[str, Any]:
    return {
        "name": result.scenario,
        "value": result.total,
        "best": None,
        "gap": None,
        "seconds": limit_s,
        "dear_unserved": left,
        "wall_s": round(result.ran.wall_s, 2),
        "peak_mb": round(result.ran.peak_mb),
    }
