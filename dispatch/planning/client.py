"""How the rest of the product asks for a plan. Loads no solver: the search runs in processes that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dispatch.planning.plan_file import write_plan
from dispatch.planning.processes import Order, solve
from dispatch.planning.scenario import Plan, PlanningError

__all__ = ["Order", "Plan", "PlanningError", "plan_document_of_day", "share", "solve"]

SHARE_S = 30.0


def share(
    costs: Sequence[Mapping[int, float]], left_open: Sequence[float], room: Sequence[int]
) -> dict[int, int]:
    """`dispatch.planning.batch.share` in a process of its own, killed after SHARE_S seconds.

    Raises PlanningError: as there, or `planner_failed`.
    """
    problem = {"costs": [dict(line) for line in costs], "left_open": list(left_open), "room": list(room)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dispatch.planning.batch"],
            input=json.dumps(problem),
            capture_output=True,
            text=True,
            timeout=SHARE_S,
            check=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        answer = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise PlanningError("planner_failed", {"detail": str(error)[-500:]}) from error
    if "error" in answer:
        raise PlanningError(answer["error"]["code"], answer["error"]["facts"])
    return {int(i): int(taker) for i, taker in answer["given"].items()}


def plan_document_of_day(
    day: Mapping[str, Any],
    *,
    seconds: float,
    seed: int = 1,
    threads: int = 1,
    warm: Plan | None = None,
    memory_mb: int = 4096,
    stop: Callable[[], bool] = lambda: False,
) -> Plan:
    """The plan of a `paidan-scenario/1` document whose matrices, if any, stand inside it as rows or absolute files.

    `seconds` are wall seconds of search; the answer comes within 10 % and one second more, plus the start of the
    process. `stop` ends it early with the best plan so far. Raises PlanningError(code, facts).
    """
    with tempfile.TemporaryDirectory(prefix="paidan-day-") as name:
        folder = Path(name)
        scenario, before = folder / "day.json", folder / "warm.json"
        scenario.write_text(json.dumps(day))
        if warm is not None:
            write_plan(warm, before)
        order = Order(
            scenario=scenario,
            seconds=seconds,
            seed=seed,
            threads=threads,
            warm=before if warm is not None else None,
            memory_mb=memory_mb,
        )
        return solve(order, stop)
