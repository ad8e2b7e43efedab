"""Refuses a day that contradicts itself, with the place and the numbers, before any solver sees it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dispatch.planning.scenario import (
    SECONDS_LIMIT,
    Engineer,
    Matrices,
    PlanningError,
    Positions,
    Scenario,
    Ticket,
    Weights,
)

CREW_LIMIT = 8
WEIGHTS = ("travel_s", "overtime_s", "missed_window", "workload_spread_s", "working_s")
TOOLS_LIMIT = 62
PARTS_LIMIT = 256
SITES_LIMIT = 50_000
MATRIX_SITES_LIMIT = 8_000


def check_scenario(scenario: Scenario) -> None:
    """Raises PlanningError(code, facts) at the first contradiction; returns None for a day that can be planned."""
    if not scenario.engineers:
        raise PlanningError("no_engineers")
    _check_travel(scenario)
    _check_weights(scenario.weights)
    _at_least_zero("limits", {"overtime_s": scenario.overtime_limit_s})
    _unique("engineers", (e.id for e in scenario.engineers))
    _unique("tickets", (t.id for t in scenario.tickets))
    _unique("depots", (d.id for d in scenario.depots))
    sites = scenario.travel.sites
    for depot in scenario.depots:
        where = f"depot {depot.id}"
        _site(where, depot.site, sites)
        _at_least_zero(where, {"duration_s": depot.duration_s})
        _ordered(where, "open_s", depot.open_s)
    for engineer in scenario.engineers:
        _check_engineer(engineer, scenario)
    engineers, tickets = {e.id for e in scenario.engineers}, {t.id for t in scenario.tickets}
    for ticket in scenario.tickets:
        _check_ticket(ticket, sites, engineers, tickets)
    _check_tools_and_parts(scenario)
    _check_pins(scenario)
    _check_no_cycle(scenario.tickets)


def _check_travel(scenario: Scenario) -> None:
    travel = scenario.travel
    if isinstance(travel, Positions):
        lon_lat = travel.lon_lat
        if not np.isfinite(lon_lat).all() or (np.abs(lon_lat) > np.array([180.0, 90.0])).any():
            raise PlanningError("positions_invalid", {"expected": "finite WGS-84 [lon, lat]"})
        if not (1 <= travel.speed_kmh <= 1000 and 1 <= travel.detour <= 10 and 0 <= travel.fixed_s <= 86_400):
            raise PlanningError("travel_invalid", {"speed_kmh": travel.speed_kmh, "detour": travel.detour})
        if not 0 < travel.sites <= SITES_LIMIT:
            raise PlanningError("too_many_sites", {"sites": travel.sites, "limit": SITES_LIMIT})
        return
    _check_matrices(travel)


def _check_matrices(travel: Matrices) -> None:
    if not travel.by_mode:
        raise PlanningError("travel_has_no_mode")
    if travel.sites > MATRIX_SITES_LIMIT:
        facts = {"sites": travel.sites, "limit": MATRIX_SITES_LIMIT, "use": "positions"}
        raise PlanningError("too_many_sites", facts)
    for mode, tables in travel.by_mode.items():
        if (
            tables.ndim != 3
            or tables.shape[0] not in (1, 24)
            or tables.shape[1:] != (travel.sites, travel.sites)
        ):
            raise PlanningError("matrix_size_mismatch", {"mode": mode, "shape": list(tables.shape)})
        if tables.dtype != np.int32:
            raise PlanningError("matrix_not_whole_seconds", {"mode": mode, "dtype": str(tables.dtype)})
        if int(tables.min()) < 0:
            raise PlanningError("matrix_negative", {"mode": mode})
        if int(tables.max()) > SECONDS_LIMIT:
            raise PlanningError("matrix_has_holes", {"mode": mode})


def _check_weights(weights: Weights) -> None:
    single = {name: getattr(weights, name) for name in WEIGHTS}
    for where, values in (("weights", single), ("late_s", weights.late_s), ("unserved", weights.unserved)):
        _at_least_zero(where, values)
    _at_least_zero("moved", weights.moved)


def _check_engineer(engineer: Engineer, scenario: Scenario) -> None:
    where, travel = f"engineer {engineer.id}", scenario.travel
    _site(where, engineer.start, travel.sites)
    _site(where, engineer.end, travel.sites)
    _ordered(where, "shift_s", engineer.shift_s)
    if engineer.max_visits is not None:
        _at_least_zero(where, {"max_visits": engineer.max_visits})
    _at_least_zero(where, {**engineer.van_stock, "cost_factor": engineer.cost_factor})
    _unique(f"{where} breaks", (b.id for b in engineer.breaks))
    for rest in engineer.breaks:
        _ordered(f"{where} break {rest.id}", "earliest_s, latest_s", (rest.earliest_s, rest.latest_s))
        _at_least_zero(f"{where} break {rest.id}", {"duration_s": rest.duration_s})
    if isinstance(travel, Matrices):
        known = set(travel.by_mode)
        if engineer.mode is not None and known != {""} and engineer.mode not in known:
            raise PlanningError(
                "mode_unknown", {"where": where, "mode": engineer.mode, "known": sorted(known)}
            )
        if engineer.mode is None and len(known) > 1 and "car" not in known:
            raise PlanningError("mode_missing", {"where": where, "known": sorted(known)})


def _check_ticket(ticket: Ticket, sites: int, engineers: set[str], tickets: set[str]) -> None:
    where = f"ticket {ticket.id}"
    _site(where, ticket.site, sites)
    _at_least_zero(where, {"duration_s": ticket.duration_s, **ticket.parts})
    if ticket.window_s is not None:
        _ordered(where, "window_s", ticket.window_s)
    if not 1 <= ticket.crew <= CREW_LIMIT:
        raise PlanningError(
            "value_out_of_range", {"where": where, "key": "crew", "from": 1, "to": CREW_LIMIT}
        )
    named = set(ticket.not_with) | set(ticket.prefer)
    if ticket.pinned is not None:
        named.add(ticket.pinned.engineer)
        if (ticket.pinned.position or 0) < 0:
            raise PlanningError("value_out_of_range", {"where": where, "key": "pinned.position"})
        if ticket.pinned.engineer in ticket.not_with:
            raise PlanningError(
                "pin_contradicts", {"where": where, "engineer": ticket.pinned.engineer, "by": "not_with"}
            )
    if named - engineers:
        raise PlanningError("engineer_unknown", {"where": where, "engineers": sorted(named - engineers)})
    if set(ticket.after) - tickets:
        raise PlanningError("ticket_unknown", {"where": where, "after": sorted(set(ticket.after) - tickets)})


def _check_tools_and_parts(scenario: Scenario) -> None:
    tools = {x for t in scenario.tickets for x in t.tools}
    parts = {x for t in scenario.tickets for x in t.parts}
    if len(tools) > TOOLS_LIMIT:
        raise PlanningError("too_many_tools", {"found": len(tools), "limit": TOOLS_LIMIT})
    if len(parts) > PARTS_LIMIT:
        raise PlanningError("too_many_parts", {"found": len(parts), "limit": PARTS_LIMIT})


def _check_pins(scenario: Scenario) -> None:
    taken: dict[tuple[str, int], str] = {}
    for ticket in scenario.tickets:
        pin = ticket.pinned
        if pin is None or pin.position is None:
            continue
        other = taken.setdefault((pin.engineer, pin.position), ticket.id)
        if other != ticket.id:
            facts = {"tickets": [other, ticket.id], "engineer": pin.engineer, "position": pin.position}
            raise PlanningError("pin_contradicts", facts)


def _check_no_cycle(tickets: Iterable[Ticket]) -> None:
    """Kahn's ordering: whatever never becomes free stands in a circle of `after`."""
    waiting = {t.id: set(t.after) for t in tickets if t.after}
    while waiting:
        free = [ticket for ticket, before in waiting.items() if not before & waiting.keys()]
        if not free:
            raise PlanningError("after_in_a_circle", {"tickets": sorted(waiting)})
        for ticket in free:
            del waiting[ticket]


def _unique(where: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise PlanningError("id_twice", {"where": where, "id": name})
        seen.add(name)


def _site(where: str, site: int, sites: int) -> None:
    if not 0 <= site < sites:
        raise PlanningError("site_unknown", {"where": where, "site": site, "sites": sites})


def _ordered(where: str, key: str, span: tuple[int, int]) -> None:
    if span[1] < span[0]:
        raise PlanningError(
            "ends_before_it_begins", {"where": where, "key": key, "from": span[0], "to": span[1]}
        )


def _at_least_zero(where: str, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if value < 0:
            raise PlanningError("value_negative", {"where": where, "key": key, "value": value})
