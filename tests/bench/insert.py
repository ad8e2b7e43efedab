"""`bench insert`: who takes one more ticket, where and at what cost, on planned days of three sizes.

A day is planned for a while without CALLS of its tickets; then each of these is priced over every able
engineer, one call after the other, nothing kept. The first calls are not counted: they fetch the kernels.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.planning.compile import compile_day
from dispatch.planning.insertion import price_insertions
from dispatch.planning.outcome import settled_draft
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from tests.bench.cities import CITIES
from tests.bench.engine import wanted

SIZES = ((500, 50), (2000, 200), (10_000, 1000))
SEED = 7501
CALLS = 1000
UNCOUNTED = 20
PLANNED_FOR_S = 10.0


def run(
    source: Path | None, seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`source`: one scenario file, its last tenth being priced; `seconds`: how long it is planned before."""
    instances = []
    named = {f"{tickets}x{engineers}": (tickets, engineers) for tickets, engineers in SIZES}
    sizes = wanted(named, only) if source is None else [(0, 0)]
    with tempfile.TemporaryDirectory() as folder:
        for tickets, engineers in sizes:
            path = source or CITIES["even"](Path(folder), tickets + CALLS, engineers, SEED)
            document = json.loads(path.read_text())
            planned = tickets or len(document["tickets"]) * 9 // 10
            instances.append(_measure(document, path.parent, planned, seconds or PLANNED_FOR_S))
    shown = ", ".join(f"{entry['name']} {entry['p99_ms']:.3f} ms" for entry in instances)
    print(f"summary insert: p99 {shown}", flush=True)
    return {"instances": instances}


def _measure(document: dict[str, Any], folder: Path, planned: int, seconds: float) -> dict[str, Any]:
    """`value` is the 99th percentile in milliseconds."""
    before = {**document, "tickets": document["tickets"][:planned]}
    routes = search_day(compile_day(scenario_from_document(before, folder)), Effort(seconds=seconds)).routes
    day = compile_day(scenario_from_document(document, folder))
    draft = settled_draft(day, routes)
    took_ms, possible = [], 0
    for ticket in range(planned, len(document["tickets"])):
        began = time.perf_counter_ns()
        offers = price_insertions(day, draft, ticket, 1)
        took_ms.append((time.perf_counter_ns() - began) / 1e6)
        possible += bool(offers)
    counted = np.array(took_ms[UNCOUNTED:] or took_ms)
    p50, p99, most = (float(value) for value in np.percentile(counted, [50, 99, 100]))
    name = f"{planned}x{len(document['engineers'])}"
    print(
        f"{name:12} p50 {p50:.3f} ms  p99 {p99:.3f} ms  max {most:.3f} ms  {possible} of {len(took_ms)} fit",
        flush=True,
    )
    entry = {"name": name, "value": p99, "best": None, "gap": None, "seconds": float(counted.sum() / 1000)}
    return {**entry, "p50_ms": p50, "p99_ms": p99, "max_ms": most, "calls": len(counted)}
