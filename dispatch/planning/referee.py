"""The slow, plain judge of a plan: what it costs and which hard rules it breaks, from its stops alone.

It shares no code with the engine, so that each can show the other wrong. Formats: `paidan-scenario/1` and
`paidan-plan/1`. What the format leaves open is read here as follows.

- A route without tickets is not driven and needs no break; any other needs all of its engineer's breaks.
- Work is seconds driven plus ticket durations.
- A crew's lead is the first member, in the scenario's order, with every skill and tool; the parts are his.
- An earlier ticket (`after`) that nobody serves breaks the rule.
- A window had passed before it could be reached when nobody with the skills, leaving at second 0 or, if
  that is later, at the start of his shift and driving straight there, arrives in time.
- `weights.working_s` (0 if absent) prices the working time of each driven route: its finish less the latest
  departure that still meets it, so that only waiting which leaving later could not have spared is paid for.
- `pinned.position` counts every stop of the route, from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatch.planning.referee_clock import Day, Route, Stop, read_day, run_clock
from dispatch.planning.referee_parts import PARTS
from dispatch.planning.referee_rules import RULES, Violation


@dataclass(frozen=True, slots=True)
class Verdict:
    """Score parts and their sum, the hard rules broken, and when each stop starts, by engineer, in seconds.

    A plan with any violation is worth nothing, whatever its total.
    """

    parts: Mapping[str, float]
    total: float
    violations: tuple[Violation, ...]
    starts: Mapping[str, list[int | None]] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not self.violations


def judge(scenario: Mapping[str, Any], plan: Mapping[str, Any], base_dir: str | Path) -> Verdict:
    """Score the plan. `base_dir` is the folder the scenario's matrix files are relative to.

    Raises OSError, KeyError or ValueError for a scenario that is not one; a plan's faults are violations.
    """
    day = read_day(scenario, Path(base_dir))
    faults: list[Violation] = []
    routes = _read_routes(day, plan, faults)
    table = run_clock(day, routes)
    for rule in RULES:
        faults.extend(rule(day, table))
    parts = {name: float(part(day, table)) for name, part in PARTS.items()}
    starts = {route.engineer: [timed.start_s for timed in table.timed(route)] for route in routes}
    return Verdict(parts, sum(parts.values()), tuple(faults), starts)


def _read_routes(day: Day, plan: Mapping[str, Any], faults: list[Violation]) -> list[Route]:
    """The routes with known engineers and stops; the unknown or double become faults and are left out."""
    routes: list[Route] = []
    if plan.get("format") != "paidan-plan/1":
        faults.append(Violation("format_unknown", {"format": plan.get("format")}))
    for entry in plan.get("routes", []):
        engineer = entry.get("engineer")
        if engineer not in day.engineers:
            faults.append(Violation("engineer_unknown", {"engineer": engineer}))
            continue
        if any(route.engineer == engineer for route in routes):
            faults.append(Violation("engineer_twice", {"engineer": engineer}))
            continue
        stops = [_read_stop(day, engineer, stop) for stop in entry.get("stops", [])]
        for raw, read in zip(entry.get("stops", []), stops, strict=True):
            if read is None:
                faults.append(Violation("stop_unknown", {"engineer": engineer, "stop": raw}))
        routes.append(Route(engineer, tuple(stop for stop in stops if stop is not None)))
    return routes


def _read_stop(day: Day, engineer: str, raw: object) -> Stop | None:
    if isinstance(raw, str):
        return Stop("ticket", raw) if raw in day.tickets else None
    if isinstance(raw, dict) and len(raw) == 1:
        kind, name = next(iter(raw.items()))
        if kind == "depot" and name in day.depots:
            return Stop("depot", name)
        if kind == "break" and any(rest["id"] == name for rest in day.engineers[engineer].get("breaks", [])):
            return Stop("break", name)
    return None
