"""Plans a day in child processes: memory capped, killed when they overstay, several seeds side by side.

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
    1.1  # beyond the seconds, for libraries, kernels and reading; the rest of LATE is for a busy machine
)
AIM_SHARE: Final = 0.125  # of the seconds off that: a long plan starts within them, as any other planner does
LEAVE_S: Final = 0.15  # for a child to end and be read
THREADS_MOST: Final = 64
PROVE_MOST: Final = 0.5  # of the seconds


@dataclass(frozen=True, slots=True)
class Order:
    """What to plan and how hard. `iterations` makes the plan repeatable and then `seconds` only bounds it.

    Of the seconds, `prove_s` go to proofs that single routes and pairs of them cannot be better, or to making them so.
    """

    scenario: Path
    seconds: float = 10.0
    iterations: int | None = None
    seed: int = 1
    threads: int = 1
    warm: Path | None = None
    memory_mb: int = 4096
    explain: bool = True
    prove_s: float = 0.0
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
        children = _Children(order, Path(folder), stop)
        try:
            return children.best()
        finally:
            children.kill_all()


def _check(order: Order) -> None:
    if not (math.isfinite(order.seconds) and 0 < order.seconds <= 86_400):
        raise PlanningError("value_out_of_range", {"key": "seconds", "from": 0, "to": 86_400})
    prove_most_s = order.seconds * PROVE_MOST if order.iterations is None else 0.0  # proofs go by the clock
    if not 0 <= order.prove_s <= prove_most_s:
        raise PlanningError("value_out_of_range", {"key": "prove", "from": 0, "to": prove_most_s})
    if order.iterations is not None and not 0 < order.iterations <= 10**9:
        raise PlanningError("value_out_of_range", {"key": "iterations", "from": 1, "to": 10**9})
    if not 1 <= order.threads <= THREADS_MOST:
        raise PlanningError("value_out_of_range", {"key": "threads", "from": 1, "to": THREADS_MOST})
    if not 0 <= order.seed < 2**31:
        raise PlanningError("value_out_of_range", {"key": "seed", "from": 0, "to": 2**31 - 1})
    if not order.scenario.is_file():
        raise PlanningError("scenario_not_found", {"path": str(order.scenario)})


class _Children:
    """The children of one order, one for each thread with a seed of its own.

    Two processes that shared the day out by territories, before or after planning the whole, made worse plans than one
    process over the whole: 2% to 18% at 2,000 x 200 and 10,000 x 1,000. The best of several seeds is never worse.
    """

    def __init__(self, order: Order, folder: Path, stop: Callable[[], bool]) -> None:
        self.order, self.folder, self.stop = order, folder, stop
        self.started: list[_Child] = []
        self.began = time.monotonic() if order.began is None else order.began
        beyond_s = max(0.0, AIM_S - AIM_SHARE * order.seconds)
        self.latest = self.began + order.seconds + beyond_s - LEAVE_S

    def best(self) -> Plan:
        order = self.order
        for number in range(order.threads):
            self.started.append(self._start(number))
        ends = time.monotonic() + START_S + order.seconds * LATE_SHARE + LATE_S
        while any(child.process.poll() is None for child in self.started):
            if time.monotonic() > ends or self.stop():
                break
            time.sleep(0.01 if order.seconds < 2 else 0.05)
        self.kill_all()
        return _best(_plans(self.started))

    def _arguments(self, seed: int) -> list[str]:
        order = self.order
        words = [str(order.scenario), "--seconds", f"{order.seconds:.3f}", "--seed", str(seed)]
        words += ["--memory-mb", str(order.memory_mb), "--parent", str(os.getpid())]
        if order.iterations is not None:
            words += ["--iterations", str(order.iterations)]
        else:
            words += ["--until", f"{self.latest:.3f}"]
        words += ["--warm", str(order.warm), "--repair"] if order.warm is not None else []
        return [*words, "--prove", f"{order.prove_s:.3f}", *(["--explain"] if order.explain else [])]

    def _start(self, number: int) -> _Child:
        out, log = self.folder / f"plan{number}.json", self.folder / f"log{number}.txt"
        words = self._arguments(self.order.seed + number)
        quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "dispatch.planning.worker", *words, "--out", str(out)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).resolve().parents[2],
                env={**os.environ, **quiet},
                start_new_session=True,
            )
        return _Child(process, out, log)

    def kill_all(self) -> None:
        for child in self.started:
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
    if error is not None and not plans:
        raise error
    return plans


def _best(plans: Sequence[dict[str, Any]]) -> Plan:
    return plan_from_document(min(plans, key=lambda plan: float(plan["score"]["total"])))
