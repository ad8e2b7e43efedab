"""When each stop of a plan happens, for the referee: travel read plainly and one clock per engineer.

Times are whole seconds from second 0 of the planned day. Shares no code with the engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

WEIGHTS: Final[Mapping[str, Any]] = {
    "travel_s": 1,
    "overtime_s": 2,
    "late_s": {"urgent": 4, "high": 2, "normal": 1, "low": 0.5},
    "unserved": {"urgent": 40000, "high": 20000, "normal": 10000, "low": 5000},
    "missed_window": 5000,
    "workload_spread_s": 0,
    "moved": {"planned": 0, "seen": 0, "promised": 0},
    "working_s": 0,
}
LIMITS: Final[Mapping[str, int]] = {"overtime_s": 3600}
FAR_S: Final = 10**9
EARTH_M: Final = 6_371_008.8  # mean radius, IUGG R1


@dataclass(frozen=True, slots=True)
class Stop:
    kind: Literal["ticket", "break", "depot"]
    name: str


@dataclass(frozen=True, slots=True)
class Route:
    engineer: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Timed:
    """A stop with its start; None where a crew never meets, so that it and all after it never happen."""

    stop: Stop
    start_s: int | None


@dataclass(slots=True)
class Day:
    """The scenario's entries by id, its weights filled up with the format's own, and its travel."""

    engineers: dict[str, Mapping[str, Any]]
    tickets: dict[str, Mapping[str, Any]]
    depots: dict[str, Mapping[str, Any]]
    weights: dict[str, Any]
    limits: dict[str, int]
    travel: Mapping[str, Any]
    tables: dict[str, list[Any]]

    def drive_s(self, engineer: str, origin: int, destination: int, depart_s: int) -> int:
        """Seconds from site to site for this engineer's mode, leaving at depart_s."""
        if "positions" in self.travel:
            return _great_circle_s(self.travel, origin, destination)
        only = next(iter(self.tables)) if len(self.tables) == 1 else "car"
        mode = self.engineers[engineer].get("mode", only) if "modes" in self.travel else only
        hours = self.tables[mode]
        return int(hours[depart_s // 3600 % len(hours)][origin, destination])

    def reach_s(self, engineer: str, site: int) -> int:
        """The earliest second this engineer could stand at the site, driving straight from his start."""
        facts = self.engineers[engineer]
        leave_s = max(0, int(facts["shift_s"][0]))
        return leave_s + self.drive_s(engineer, facts["start"], site, leave_s)

    def has_skills(self, engineer: str, ticket: Mapping[str, Any]) -> bool:
        held = self.engineers[engineer].get("skills", {})
        return all(held.get(skill, 0) >= level for skill, level in ticket.get("skills", {}).items())

    def cost_factor(self, engineer: str) -> float:
        return float(self.engineers[engineer].get("cost_factor", 1.0))

    def rest(self, engineer: str, name: str) -> Mapping[str, Any]:
        return next(rest for rest in self.engineers[engineer]["breaks"] if rest["id"] == name)


@dataclass(slots=True)
class Timetable:
    """What happened: by engineer starts, seconds driven and served, finish; by ticket who and when."""

    routes: list[Route]
    starts: dict[str, list[int | None]] = field(default_factory=dict)
    driven_s: dict[str, int] = field(default_factory=dict)
    served_s: dict[str, int] = field(default_factory=dict)
    finish_s: dict[str, int] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    ticket_start_s: dict[str, int] = field(default_factory=dict)

    def driven(self) -> list[Route]:
        """The routes with a ticket: only for these does the engineer leave home."""
        return [route for route in self.routes if any(stop.kind == "ticket" for stop in route.stops)]

    def timed(self, route: Route) -> list[Timed]:
        return [
            Timed(stop, start) for stop, start in zip(route.stops, self.starts[route.engineer], strict=True)
        ]

    def route_of(self, engineer: str) -> Route | None:
        return next((route for route in self.routes if route.engineer == engineer), None)

    def after_depot(self, route: Route, index: int) -> bool:
        return any(stop.kind == "depot" for stop in route.stops[:index])

    def has_tools(self, day: Day, engineer: str, ticket_id: str) -> bool:
        """Every tool in the van, or a depot called on the way to this ticket."""
        route = self.route_of(engineer)
        if route is None:
            return False
        missing = set(day.tickets[ticket_id].get("tools", [])) - set(day.engineers[engineer].get("tools", []))
        return not missing or self.after_depot(route, route.stops.index(Stop("ticket", ticket_id)))


@dataclass(slots=True)
class _Clock:
    """One engineer on the way: where, since when, and the next stop."""

    route: Route
    site: int
    now_s: int
    next_stop: int = 0
    arrived_s: int | None = None


def read_day(scenario: Mapping[str, Any], base_dir: Path) -> Day:
    """Raises ValueError for another format or an unknown weight, KeyError for a key that must be there."""
    scenario = _without_nothing(scenario)
    if scenario.get("format") != "paidan-scenario/1":
        raise ValueError(f"not a paidan-scenario/1: {scenario.get('format')!r}")
    given = scenario.get("weights", {})
    if set(given) - set(WEIGHTS):
        raise ValueError(f"weights unknown: {sorted(set(given) - set(WEIGHTS))}")
    weights: dict[str, Any] = {**WEIGHTS, **given}
    for name in ("late_s", "unserved", "moved"):
        weights[name] = {**WEIGHTS[name], **weights[name]}
    travel = scenario["travel"]
    modes = travel.get("modes") or ({} if "positions" in travel else {"": travel})
    return Day(
        engineers=_by_id(scenario["engineers"]),
        tickets={name: _filled_up(ticket) for name, ticket in _by_id(scenario["tickets"]).items()},
        depots=_by_id(scenario.get("depots", [])),
        weights=weights,
        limits={**LIMITS, **scenario.get("limits", {})},
        travel=travel,
        tables={mode: _tables(table["matrix_s"], base_dir) for mode, table in modes.items()},
    )


def _without_nothing(value: Any) -> Any:
    """The same value where a key that is null is absent and a whole number is an int."""
    if isinstance(value, Mapping):
        return {key: _without_nothing(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_without_nothing(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _filled_up(ticket: Mapping[str, Any]) -> Mapping[str, Any]:
    previous = {"previous": {"known": "planned", **ticket["previous"]}} if "previous" in ticket else {}
    return {"priority": "normal", **ticket, **previous}


def _tables(given: Any, base_dir: Path) -> list[Any]:
    """One table of seconds, or one for each hour of departure; each the name of a file or rows of numbers."""
    hourly = not isinstance(given, str) and (isinstance(given[0], str) or np.ndim(given) == 3)
    return [
        np.load(base_dir / one, mmap_mode="r", allow_pickle=False) if isinstance(one, str) else np.array(one)
        for one in (given if hourly else [given])
    ]


def run_clock(day: Day, routes: list[Route]) -> Timetable:
    """Let every engineer drive his stops in order; where a crew meets, all of them go on together."""
    table = Timetable(routes)
    for route in routes:
        table.starts[route.engineer] = [None] * len(route.stops)
        table.driven_s[route.engineer] = table.served_s[route.engineer] = 0
        for stop in route.stops:
            if stop.kind == "ticket":
                table.members.setdefault(stop.name, []).append(route.engineer)
    clocks = {
        route.engineer: _Clock(
            route, day.engineers[route.engineer]["start"], int(day.engineers[route.engineer]["shift_s"][0])
        )
        for route in table.driven()
    }
    while sum(_advance(day, table, clocks, clock) for clock in clocks.values()) > 0:
        continue
    for engineer, clock in clocks.items():
        drive_s = day.drive_s(engineer, clock.site, day.engineers[engineer]["end"], clock.now_s)
        table.driven_s[engineer] += drive_s
        table.finish_s[engineer] = clock.now_s + drive_s
    return table


def _advance(day: Day, table: Timetable, clocks: Mapping[str, _Clock], clock: _Clock) -> bool:
    """Do this engineer's next stop if it can happen now; False when done, or waiting for a crew."""
    if clock.next_stop == len(clock.route.stops):
        return False
    stop = clock.route.stops[clock.next_stop]
    together = [clock]
    if stop.kind == "ticket" and day.tickets[stop.name].get("crew", 1) > 1:
        together = [clocks[name] for name in table.members[stop.name]]
        arriving = [c.next_stop < len(c.route.stops) and c.route.stops[c.next_stop] == stop for c in together]
        if not all(arriving) or len(set(table.members[stop.name])) < len(together):
            return False
    start_s = max(_arrive(day, table, one, stop) for one in together)
    earliest_s, duration_s = _earliest_and_duration(day, clock.route.engineer, stop)
    start_s = start_s if earliest_s is None else max(start_s, earliest_s)
    for one in together:
        name = one.route.engineer
        table.starts[name][one.next_stop] = start_s
        table.served_s[name] += duration_s if stop.kind == "ticket" else 0
        one.now_s = start_s + duration_s
        one.next_stop += 1
    if stop.kind == "ticket":
        table.ticket_start_s.setdefault(stop.name, start_s)
    return True


def _arrive(day: Day, table: Timetable, clock: _Clock, stop: Stop) -> int:
    """Drive to the stop and say when; a break is taken where the engineer stands."""
    if stop.kind == "break":
        return clock.now_s
    site = day.tickets[stop.name]["site"] if stop.kind == "ticket" else day.depots[stop.name]["site"]
    drive_s = day.drive_s(clock.route.engineer, clock.site, site, clock.now_s)
    table.driven_s[clock.route.engineer] += drive_s
    clock.site = site
    return clock.now_s + drive_s


def _earliest_and_duration(day: Day, engineer: str, stop: Stop) -> tuple[int | None, int]:
    if stop.kind == "break":
        rest = day.rest(engineer, stop.name)
        return int(rest["earliest_s"]), int(rest["duration_s"])
    if stop.kind == "depot":
        depot = day.depots[stop.name]
        return (depot["open_s"][0] if "open_s" in depot else None), depot.get("duration_s", 0)
    ticket = day.tickets[stop.name]
    return (ticket["window_s"][0] if "window_s" in ticket else None), int(ticket["duration_s"])


def _great_circle_s(travel: Mapping[str, Any], origin: int, destination: int) -> int:
    """round(fixed_s + detour × great-circle metres × 3.6 / speed_kmh), 0 between equal positions."""
    here, there = travel["positions"][origin], travel["positions"][destination]
    if origin == destination or list(here) == list(there):
        return 0
    lon1, lat1, lon2, lat2 = (math.radians(angle) for angle in (*here, *there))
    h = math.sin((lat2 - lat1) / 2) ** 2
    h += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    metres = 2 * EARTH_M * math.asin(math.sqrt(min(1.0, h)))
    drive_s: float = travel.get("detour", 1.3) * metres * 3.6 / travel.get("speed_kmh", 32)
    return round(float(travel.get("fixed_s", 120)) + drive_s)


def _by_id(entries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {str(entry["id"]): entry for entry in entries}


def stop_sites(day: Day, route: Route) -> list[int]:
    """Where the engineer stands at each stop of the route; a break is where he was before."""
    site = int(day.engineers[route.engineer]["start"])
    sites = []
    for stop in route.stops:
        if stop.kind != "break":
            site = int((day.tickets if stop.kind == "ticket" else day.depots)[stop.name]["site"])
        sites.append(site)
    return sites


def latest_and_duration(day: Day, engineer: str, stop: Stop, start_s: int) -> tuple[int, int]:
    """The latest start of a stop that breaks no rule and costs no more than start_s; its duration."""
    if stop.kind == "break":
        rest = day.rest(engineer, stop.name)
        return int(rest["latest_s"]), int(rest["duration_s"])
    if stop.kind == "depot":
        depot = day.depots[stop.name]
        return int(depot.get("open_s", [0, FAR_S])[1]), int(depot.get("duration_s", 0))
    ticket = day.tickets[stop.name]
    latest_s = start_s if ticket.get("crew", 1) > 1 else int(ticket.get("window_s", [0, FAR_S])[1])
    due_s = max(start_s, int(ticket.get("due_s", FAR_S)))
    return max(start_s, min(latest_s, due_s)), int(ticket["duration_s"])


def overtime_s(day: Day, table: Timetable, route: Route) -> int:
    return max(0, table.finish_s[route.engineer] - int(day.engineers[route.engineer]["shift_s"][1]))


def may_miss_window(day: Day, ticket: Mapping[str, Any]) -> bool:
    """Pinned, or nobody who may do it could have reached it in time from second 0."""
    if ticket.get("pinned") is not None:
        return True
    able = [
        name
        for name in day.engineers
        if day.has_skills(name, ticket) and name not in ticket.get("not_with", [])
    ]
    return bool(able) and ticket["window_s"][1] < min(day.reach_s(name, ticket["site"]) for name in able)
