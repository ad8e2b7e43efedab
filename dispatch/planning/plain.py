"""A plain vehicle routing day with hard windows only goes to PyVRP, whose ground that is."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch.planning.scenario import Matrices, Scenario, Ticket
from dispatch.planning.search import Found

COST_SCALE = 1000  # PyVRP counts prices in whole numbers


def is_plain(scenario: Scenario) -> bool:
    """Whether the day is classic routing: one depot, equal engineers, one table, hard windows, nothing soft or tied.

    Parts in equal vans with no depot to refill at are loads.
    """
    first, weights = scenario.engineers[0], scenario.weights
    alike = all(
        (e.start, e.end, e.shift_s, e.cost_factor, e.mode, e.van_stock)
        == (first.start, first.start, first.shift_s, first.cost_factor, first.mode, first.van_stock)
        and not e.breaks
        and e.max_visits is None
        for e in scenario.engineers
    )
    soft = weights.workload_spread_s or weights.working_s or scenario.overtime_limit_s or scenario.depots
    tables = isinstance(scenario.travel, Matrices) and all(
        t.shape[0] == 1 for t in scenario.travel.by_mode.values()
    )
    simple = alike and tables and not soft and scenario.tickets and all(map(_is_plain, scenario.tickets))
    return bool(simple) and _reachable(scenario)


def _is_plain(ticket: Ticket) -> bool:
    tied = ticket.after or ticket.not_with or ticket.prefer or ticket.pinned or ticket.previous
    return ticket.crew == 1 and ticket.due_s is None and not (ticket.skills or ticket.tools or tied)


def _reachable(scenario: Scenario) -> bool:
    """Whether every window ends after the shift begins and the way there: no window is excused."""
    assert isinstance(scenario.travel, Matrices)
    first, table = scenario.engineers[0], next(iter(scenario.travel.by_mode.values()))[0]
    return all(
        t.window_s is None or first.shift_s[0] + int(table[first.start, t.site]) <= t.window_s[1]
        for t in scenario.tickets
    )


def solve_plain(scenario: Scenario, seconds: float, iterations: int | None, seed: int) -> Found | None:
    """PyVRP's best plan within the seconds, or iterations where given; None where it found none without faults."""
    import pyvrp
    from pyvrp.stop import MaxIterations, MaxRuntime

    stop = MaxRuntime(max(0.05, seconds)) if iterations is None else MaxIterations(max(1, iterations))
    result = pyvrp.solve(_problem(pyvrp, scenario), stop, seed=seed, collect_stats=False)
    if not result.best.is_feasible():
        return None
    routes: list[list[int]] = [[] for _ in scenario.engineers]
    for m, route in enumerate(result.best.routes()):
        routes[m] = [int(activity.idx) for activity in route if activity.is_client()]
    return Found(routes, float("nan"), int(result.num_iterations), 0)


def _problem(pyvrp: Any, scenario: Scenario) -> Any:
    assert isinstance(scenario.travel, Matrices)
    table = next(iter(scenario.travel.by_mode.values()))[0].astype(np.int64)
    first, weights = scenario.engineers[0], scenario.weights
    per_s = max(0.0, weights.travel_s * first.cost_factor)
    sites = np.array([first.start, *(t.site for t in scenario.tickets)])
    drive = table[np.ix_(sites, sites)]
    np.fill_diagonal(drive, 0)
    parts = sorted({p for t in scenario.tickets for p in t.parts})
    begin, end = first.shift_s
    clients = [
        pyvrp.Client(
            location=index,
            delivery=[t.parts.get(p, 0) for p in parts] or [0],
            service_duration=t.duration_s,
            tw_early=begin if t.window_s is None else max(begin, t.window_s[0]),
            tw_late=end if t.window_s is None else max(begin, min(end, t.window_s[1])),
            prize=round(weights.unserved[t.priority] * COST_SCALE),
            required=False,
        )
        for index, t in enumerate(scenario.tickets, 1)
    ]
    vehicle = pyvrp.VehicleType(
        num_available=len(scenario.engineers),
        capacity=[first.van_stock.get(p, 0) for p in parts] or [0],
        start_depot=0,
        end_depot=0,
        tw_early=begin,
        tw_late=end,
        unit_distance_cost=round(per_s * COST_SCALE),
    )
    locations = [pyvrp.Location(0, 0) for _ in range(len(sites))]
    return pyvrp.ProblemData(locations, clients, [pyvrp.Depot(0)], [vehicle], [drive], [drive])
