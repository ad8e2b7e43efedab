"""Plans a day in child processes: memory capped, killed when they overstay, several seeds or territories side by side.

Imports no solver, so that whoever waits for a plan stays light.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from dispatch.planning.compiled import ensure_compiled
from dispatch.planning.plan_file import plan_from_document
from dispatch.planning.scenario import Plan, PlanningError

START_S: Final = 20.0  # for starting Python, loading kernels and reading the day
LATE_SHARE: Final = 1.10
LATE_S: Final = 1.0
AIM_S: Final = (
    1.25  # beyond the seconds, for libraries, kernels and reading; the rest of LATE is for a busy machine
)
AIM_SHARE: Final = 0.125  # of the seconds off that: a long plan starts within them, as any other planner does
LEAVE_S: Final = 0.15  # for a child to end and be read
LARGE_DAY: Final = 1500
FIRST_SHARE: Final = 0.6
THREADS_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Order:
    """What to plan and how hard. `iterations` makes the plan repeatable and then `seconds` only bounds it."""

    scenario: Path
    seconds: float = 10.0
    iterations: int | None = None
    seed: int = 1
    threads: int = 1
    warm: Path | None = None
    memory_mb: int = 4096
    explain: bool = True
    began: float | None = None  # the monotonic second to count from; now where absent


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    out: Path
    log: Path


def solve(order: Order, stop: Callable[[], bool] = lambda: False) -> Plan:
    """The best plan of all children. `stop` is asked ten times a second; true ends the search with the best so far.

    The first plan after new code compiles the kernels before its seconds begin.
    Raises PlanningError: what is wrong with the day, or `planner_failed` where no child left a plan.
    """
    _check(order)
    compiling = time.monotonic()
    ensure_compiled()
    if order.began is not None:
        order = replace(order, began=order.began + time.monotonic() - compiling)
    with tempfile.TemporaryDirectory(prefix="paidan-plan-") as folder:
        crew = _Crew(order, Path(folder), stop)
        try:
            return crew.run()
        finally:
            crew.kill_all()


def _check(order: Order) -> None:
    if not (math.isfinite(order.seconds) and 0 < order.seconds <= 86_400):
        raise PlanningError("value_out_of_range", {"key": "seconds", "from": 0, "to": 86_400})
    if order.iterations is not None and not 0 < order.iterations <= 10**9:
        raise PlanningError("value_out_of_range", {"key": "iterations", "from": 1, "to": 10**9})
    if not 1 <= order.threads <= THREADS_MOST:
        raise PlanningError("value_out_of_range", {"key": "threads", "from": 1, "to": THREADS_MOST})
    if not 0 <= order.seed < 2**31:
        raise PlanningError("value_out_of_range", {"key": "seed", "from": 0, "to": 2**31 - 1})
    if not order.scenario.is_file():
        raise PlanningError("scenario_not_found", {"path": str(order.scenario)})


class _Crew:
    """The children of one order, phase by phase."""

    def __init__(self, order: Order, folder: Path, stop: Callable[[], bool]) -> None:
        self.order, self.folder, self.stop = order, folder, stop
        self.children: list[_Child] = []
        self.count = 0
        self.began = time.monotonic() if order.began is None else order.began
        beyond_s = max(0.0, AIM_S - AIM_SHARE * order.seconds)
        self.latest = self.began + order.seconds + beyond_s - LEAVE_S

    def run(self) -> Plan:
        order = self.order
        if order.threads == 1 or order.warm is not None or order.iterations is not None:
            seeds = range(order.seed, order.seed + order.threads)
            return _best(self.phase([self._arguments(order.seconds, seed, order.warm) for seed in seeds]))
        first_s = order.seconds * FIRST_SHARE
        if self._is_large():
            parts = order.threads
            plans = self.phase(
                [
                    [*self._arguments(first_s, order.seed, None, first=True), "--part", f"{i}/{parts}"]
                    for i in range(parts)
                ]
            )
            merged = {**plans[0], "routes": [route for plan in plans for route in plan["routes"]]}
        else:
            seeds = range(order.seed, order.seed + order.threads)
            merged = min(
                self.phase([self._arguments(first_s, seed, None, first=True) for seed in seeds]),
                key=lambda plan: float(plan["score"]["total"]),
            )
        warm = self.folder / "first.json"
        warm.write_text(json.dumps(merged))
        left = max(0.5, order.seconds - (time.monotonic() - self.began))
        seeds = range(order.seed, order.seed + (1 if self._is_large() else order.threads))
        return _best(self.phase([self._arguments(left, seed + order.threads, warm) for seed in seeds]))

    def _is_large(self) -> bool:
        try:
            document = json.loads(self.order.scenario.read_bytes())
            return (
                len(document["tickets"]) >= LARGE_DAY and len(document["engineers"]) >= 2 * self.order.threads
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            return False

    def _arguments(self, seconds: float, seed: int, warm: Path | None, first: bool = False) -> list[str]:
        order = self.order
        words = [str(order.scenario), "--seconds", f"{seconds:.3f}", "--seed", str(seed)]
        words += ["--memory-mb", str(order.memory_mb), "--parent", str(os.getpid())]
        if order.iterations is not None:
            words += ["--iterations", str(order.iterations)]
        else:
            share = FIRST_SHARE if first else 1.0
            words += ["--until", f"{self.began + share * (self.latest - self.began):.3f}"]
        words += ["--warm", str(warm)] if warm is not None else []
        words += ["--repair"] if order.warm is not None else []
        return words + (["--explain"] if order.explain and not first else [])

    def phase(self, each: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
        """Runs one child for each list of arguments and returns the plans of those that left one, as documents."""
        children = [self._start(arguments) for arguments in each]
        seconds = float(each[0][2])
        ends = time.monotonic() + START_S + seconds * LATE_SHARE + LATE_S
        if self.order.iterations is not None:
            ends = time.monotonic() + START_S + self.order.seconds * LATE_SHARE + LATE_S
        while any(child.process.poll() is None for child in children):
            if time.monotonic() > ends or self.stop():
                break
            time.sleep(0.01 if seconds < 2 else 0.05)
        self.kill_all()
        return _plans(children)

    def _start(self, arguments: Sequence[str]) -> _Child:
        self.count += 1
        out, log = self.folder / f"plan{self.count}.json", self.folder / f"log{self.count}.txt"
        quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "dispatch.planning.worker", *arguments, "--out", str(out)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[2],
                env={**os.environ, **quiet},
                start_new_session=True,
            )
        child = _Child(process, out, log)
        self.children.append(child)
        return child

    def kill_all(self) -> None:
        for child in self.children:
            if child.process.poll() is None:
                try:
                    os.killpg(child.process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                child.process.wait(timeout=10)


def _plans(children: Sequence[_Child]) -> list[dict[str, Any]]:
    plans: list[dict[str, Any]] = []
    error: PlanningError | None = None
    for child in children:
        try:
            document = json.loads(child.out.read_bytes())
        except (OSError, ValueError):
            tail = child.log.read_text(errors="replace")[-500:]
            facts = {"exit": child.process.returncode, "detail": tail}
            error = error or PlanningError("planner_failed", facts)
            continue
        if "error" in document:
            raise PlanningError(document["error"]["code"], document["error"]["facts"])
        plans.append(document)
    if error is not None and (not plans or len(plans) < len(children)):
        if not plans:
            raise error
    return plans


def _best(plans: Sequence[dict[str, Any]]) -> Plan:
    return plan_from_document(min(plans, key=lambda plan: float(plan["score"]["total"])))
