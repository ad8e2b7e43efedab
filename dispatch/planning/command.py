"""`paidan plan`: a dispatch day in, a plan out; with --check, the referee alone."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dispatch.planning.plan_file import plan_document, write_plan
from dispatch.planning.processes import Order, solve
from dispatch.planning.scenario import PlanningError

BROKEN = 1
BAD_INPUT = 2
FRESH_S = 5.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0 for a plan without faults, 1 for a plan the referee refuses, 2 for input that cannot be planned."""
    given = _parser().parse_args(arguments)
    try:
        if given.check is not None:
            return _check(given.check, given.scenario)
        return _plan(given)
    except PlanningError as error:
        sys.stderr.write(
            json.dumps({"code": error.code, "facts": error.facts}, ensure_ascii=False, default=str) + "\n"
        )
        return BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="paidan plan", description=__doc__)
    parser.add_argument("scenario", type=Path, help="a paidan-scenario/1 file")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--iterations", type=int, help="rounds instead of seconds: the same plan every time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--warm", type=Path, help="a paidan-plan/1 file to start from")
    parser.add_argument(
        "--prove",
        type=float,
        default=0.0,
        metavar="S",
        help="of the seconds, so many for proofs of small parts",
    )
    parser.add_argument("--out", type=Path, help="where the plan goes; standard output where absent")
    parser.add_argument("--check", type=Path, metavar="PLAN", help="judge this plan instead of making one")
    return parser


def _plan(given: argparse.Namespace) -> int:
    if given.warm is not None and not given.warm.is_file():
        raise PlanningError("plan_not_found", {"path": str(given.warm)})
    seconds = given.seconds if given.iterations is None else max(given.seconds, 3600.0)
    order = Order(
        given.scenario.resolve(),
        seconds,
        given.iterations,
        given.seed,
        given.threads,
        None if given.warm is None else given.warm.resolve(),
        prove_s=given.prove,
        began=_born(),
    )
    plan = solve(order)
    if given.out is None:
        sys.stdout.write(json.dumps(plan_document(plan), ensure_ascii=False) + "\n")
    else:
        write_plan(plan, given.out)
        served = sum(len([s for s in r.stops if s.ticket]) for r in plan.routes)
        broken = f" · pinned visits break the rules of {', '.join(plan.broken)}" if plan.broken else ""
        sys.stdout.write(
            f"score {plan.score['total']:,.0f} · {served} visits · {len(plan.unassigned)} unassigned{broken}"
            f" · {given.out}\n"
        )
    return 0


def _born() -> float:
    """The monotonic second this process began, so that Python's own start counts; now, where it did long ago."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - (age_s if 0 <= age_s < FRESH_S else 0.0)


def _check(plan: Path, scenario: Path) -> int:
    from dispatch.planning.referee import judge

    for path, code in ((scenario, "scenario_not_found"), (plan, "plan_not_found")):
        if not path.is_file():
            raise PlanningError(code, {"path": str(path)})
    try:
        verdict = judge(json.loads(scenario.read_bytes()), json.loads(plan.read_bytes()), scenario.parent)
    except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise PlanningError("cannot_be_judged", {"detail": repr(error)}) from error
    answer = {
        "valid": verdict.valid,
        "total": verdict.total,
        "parts": dict(verdict.parts),
        "violations": [{"code": v.code, "facts": dict(v.facts)} for v in verdict.violations],
    }
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 0 if verdict.valid else BROKEN
