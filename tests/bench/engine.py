"""The engine and its peers as the benches call them: a scenario file in, a scored plan out."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from dispatch.planning.referee import Verdict, judge
from tests.bench.child import Ran, run_child
from tests.bench.cities import CITIES

PEERS = ("ortools", "pyvrp", "pyvroom")
Instance = TypeVar("Instance")


@dataclass(frozen=True)
class Result:
    """One solver on one scenario; total is infinite where there is no plan or a hard rule is broken."""

    solver: str
    scenario: str
    total: float
    plan: dict[str, Any] | None
    verdict: Verdict | None
    ran: Ran

    def line(self) -> str:
        parts = {} if self.verdict is None else self.verdict.parts
        shown = " ".join(f"{name} {value:,.0f}" for name, value in parts.items() if value)
        broken = [] if self.verdict is None else sorted({v.code for v in self.verdict.violations})
        fate = "" if self.ran.code == 0 else f" exit {self.ran.code} {self.ran.tail[-300:]}"
        took = f"wall {self.ran.wall_s:.1f} s cpu {self.ran.cpu_s:.1f} s {self.ran.peak_mb:.0f} MB"
        faults = f" BROKEN {broken}" if broken else ""
        return f"{self.scenario:22} {self.solver:8} {self.total:>12,.0f}  {took}  {shown}{faults}{fate}"


def plan_with(
    solver: str,
    scenario: Path,
    seconds: float,
    *,
    threads: int = 1,
    warm: Path | None = None,
    work: Path | None = None,
) -> Result:
    """Run the engine ("paidan") or a peer in a child of its own, then let the referee score what it left.

    Plan and log are written to `work`, by default the scenario's folder.
    """
    folder = work or scenario.parent
    out = folder / f"{scenario.stem}.{solver}.plan.json"
    out.unlink(missing_ok=True)
    module = ["-m", "dispatch.planning", "plan"] if solver == "paidan" else ["-m", "tests.bench.peer", solver]
    arguments = [*module, str(scenario), "--seconds", str(seconds), "--seed", "1", "--out", str(out)]
    if solver == "paidan":
        arguments += ["--threads", str(threads), *(["--warm", str(warm)] if warm else [])]
    ran = run_child(arguments, seconds, folder / f"{scenario.stem}.{solver}.log")
    return score(solver, scenario, out, ran)


def wanted(named: Mapping[str, Instance], words: tuple[str, ...]) -> list[Instance]:
    """The instances whose names hold every word, as whole parts of them: `even_500x50_s7101`, `R101.100_25-5-5-5`.

    Raises SystemExit, with the names there are, where none does.
    """
    chosen = [one for name, one in named.items() if set(words) <= set(re.split(r"[_.+ ]", name))]
    if words and not chosen:
        raise SystemExit(
            f"no instance's name holds {' and '.join(words)}; there are {', '.join(named) or 'none'}"
        )
    return chosen


def warm_up() -> None:
    """Plan one small day, so that nothing is compiled within anybody's measured seconds."""
    with tempfile.TemporaryDirectory() as folder:
        plan_with("paidan", CITIES["even"](Path(folder), 20, 3, 1), 1.0)


def score(solver: str, scenario: Path, out: Path, ran: Ran) -> Result:
    if not out.exists():
        return Result(solver, scenario.stem, float("inf"), None, None, ran)
    plan = json.loads(out.read_text())
    verdict = judge(json.loads(scenario.read_text()), plan, scenario.parent)
    total = verdict.total if verdict.valid else float("inf")
    return Result(solver, scenario.stem, total, plan, verdict, ran)


def served_by(plan: dict[str, Any]) -> dict[str, str]:
    """The engineer of each ticket in a route."""
    return {
        stop: route["engineer"]
        for route in plan["routes"]
        for stop in route["stops"]
        if isinstance(stop, str)
    }
