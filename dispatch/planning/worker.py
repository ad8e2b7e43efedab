"""One search in a process of its own: `python -m dispatch.planning.worker SCENARIO --out PLAN …`, started by `processes`.

It caps its own memory, dies with its parent, writes the best plan so far now and then, and the final one with its
reasons. What is wrong with the day goes to the out file as {"error": {code, facts}} with exit code 3.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dispatch.planning.compile import Day, compile_day
from dispatch.planning.exact import prove
from dispatch.planning.outcome import plan_of, routes_from_plan, settled_draft
from dispatch.planning.plain import is_plain, solve_plain
from dispatch.planning.plan_file import read_plan, write_plan
from dispatch.planning.reasons import explain_assignments, explain_unassigned
from dispatch.planning.rows import Routes
from dispatch.planning.scenario import Plan, PlanningError, Scenario
from dispatch.planning.scenario_file import read_scenario
from dispatch.planning.search import FROM_A_PLAN, Effort, Found, search_day, temperatures
from dispatch.planning.steady import steady
from dispatch.planning.warm_up import warm_up

KEEP_EVERY_S = 2.0
EXPLAIN_SHARE = 0.04
EXPLAIN_LEAST_S = 0.25
BAD_DAY = 3
FINISH_S = 0.1  # for settling, judging and writing the plan
FINISH_TICKET_S = 0.0001
LEAST_SEARCH_S = 0.3
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
WARM_HOT_PER_S = 0.005  # of the cold start's temperature, by seconds to search
WARM_HOT_MOST = 0.15


def main(arguments: Sequence[str] | None = None) -> int:
    given = _read(arguments)
    if given.parent is not None:
        _die_with(given.parent)
    limit = given.memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        with _absent("scipy.linalg"):
            warm_up()
        _work(given)
    except PlanningError as error:
        Path(given.out).write_text(
            json.dumps({"error": {"code": error.code, "facts": error.facts}}, default=str)
        )
        return BAD_DAY
    except MemoryError:
        facts = {"memory_mb": given.memory_mb}
        Path(given.out).write_text(json.dumps({"error": {"code": "memory_limit_reached", "facts": facts}}))
        return BAD_DAY
    return 0


@contextmanager
def _absent(module: str) -> Iterator[None]:
    """As if `module` were not installed: numba would load it, 0.15 s, for matrix products that no kernel has."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]


def _die_with(parent: int) -> None:
    """Whoever asked for this plan may be killed without a word: then nobody waits for it."""
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(BAD_DAY)


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dispatch.planning.worker")
    parser.add_argument("scenario", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--until", type=float, default=math.inf, help="monotonic second to have ended by")
    parser.add_argument("--parent", type=int, help="the process to die with")
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warm", type=Path)
    parser.add_argument(
        "--repair", action="store_true", help="the warm plan is known to people: keep close to it"
    )
    parser.add_argument("--prove", type=float, default=0.0, help="of the seconds, so many for proofs")
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--memory-mb", type=int, default=4096)
    return parser.parse_args(arguments)


def _work(given: argparse.Namespace) -> None:
    scenario = read_scenario(given.scenario)
    began = time.monotonic()
    day = compile_day(scenario)
    warm = routes_from_plan(day, read_plan(given.warm).routes) if given.warm else None
    finish_s = FINISH_S + FINISH_TICKET_S * len(scenario.tickets)
    explain_s = max(EXPLAIN_LEAST_S, EXPLAIN_SHARE * given.seconds) if given.explain else 0.0
    until = min(began + given.seconds, given.until - explain_s - finish_s)
    found = _search(day, scenario, given, warm, until - given.prove)
    notes: dict[str, Any] = {"rounds": found.rounds, "changed": found.changed, "seed": given.seed}
    routes = found.routes
    if given.prove:
        proofs = prove(day, routes, given.prove)
        routes, notes["proofs"] = proofs.routes, {"spared": round(proofs.spared, 1), "proven": proofs.proven}
    ends = math.inf if given.iterations is not None else min(until + explain_s, given.until - finish_s)
    write_plan(replace(_finished(day, routes, given, ends), notes=notes), given.out)


def _search(
    day: Day, scenario: Scenario, given: argparse.Namespace, warm: Routes | None, until: float
) -> Found:
    def left_s() -> float:
        return max(min(float(given.seconds), LEAST_SEARCH_S), until - time.monotonic())

    if warm is None and is_plain(scenario):
        plain = solve_plain(scenario, left_s(), given.iterations, given.seed)
        if plain is not None:
            return plain
    effort = Effort(seconds=left_s(), iterations=given.iterations, seed=given.seed)
    if warm is not None:
        hot, cold = temperatures(day, effort, FROM_A_PLAN)
        hot = max(cold, hot * min(WARM_HOT_MOST, WARM_HOT_PER_S * given.seconds))
        effort = replace(effort, hot=hot, cold=cold)
    last = 0.0

    def keep(best: Found) -> None:
        nonlocal last
        if time.monotonic() - last > max(KEEP_EVERY_S, len(scenario.tickets) / 1000):
            last = time.monotonic()
            write_plan(plan_of(day, settled_draft(day, best.routes)), given.out)

    if warm is not None and given.repair:
        return search_day(steady(day, warm), effort, warm, keep=keep)
    return search_day(day, effort, warm, keep=keep)


def _finished(day: Day, routes: Routes, given: argparse.Namespace, ends: float) -> Plan:
    draft = settled_draft(day, routes)

    def spent() -> bool:
        return time.monotonic() > ends

    if not given.explain:
        return plan_of(day, draft)
    assignments = explain_assignments(day, draft, spent)
    return replace(plan_of(day, draft, explain_unassigned(day, draft, spent)), assignments=assignments)


if __name__ == "__main__":
    sys.exit(main())
