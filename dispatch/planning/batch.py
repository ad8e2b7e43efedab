"""A batch of open tickets shared out at once: one min-cost flow over the price of each pair.

OR-Tools: call from a process that can be killed. `python -m dispatch.planning.batch` is that process: a problem of
`client.share` on standard input, who gets what on standard output.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.insertion import prices, put
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import score_parts, settled_draft
from dispatch.planning.rows import Routes, rows_of
from dispatch.planning.scenario import PlanningError

CENTS: Final = 100  # the flow counts in whole numbers
BATCH_MOST: Final = 5_000
MEMORY_MB: Final = 2048
SLACKS: Final = (float("inf"), 600.0, 60.0)  # in the objective's seconds


def share(
    costs: Sequence[Mapping[int, float]], left_open: Sequence[float], room: Sequence[int]
) -> dict[int, int]:
    """Taker of each item that is better given than left open, at the least total price.

    `costs[i]` maps a taker to the price of giving it item i, `left_open[i]` is the price of nobody, and `room` how
    many items each taker has room for. Raises PlanningError `batch_too_large`, or `solver_failed` with the status.
    """
    from ortools.graph.python import min_cost_flow

    if len(costs) > BATCH_MOST:
        raise PlanningError("batch_too_large", {"tickets": len(costs), "limit": BATCH_MOST})
    if not costs:
        return {}
    count, team = len(costs), len(room)
    flow = min_cost_flow.SimpleMinCostFlow()
    source, sink, nobody = count + team, count + team + 1, count + team + 2
    chosen: dict[int, tuple[int, int]] = {}
    for i, prices_of in enumerate(costs):
        flow.add_arc_with_capacity_and_unit_cost(source, i, 1, 0)
        flow.add_arc_with_capacity_and_unit_cost(i, nobody, 1, round(left_open[i] * CENTS))
        for taker, cost in prices_of.items():
            if cost < left_open[i]:
                arc = flow.add_arc_with_capacity_and_unit_cost(i, count + taker, 1, round(cost * CENTS))
                chosen[arc] = (i, taker)
    for taker, places in enumerate(room):
        flow.add_arc_with_capacity_and_unit_cost(count + taker, sink, places, 0)
    flow.add_arc_with_capacity_and_unit_cost(nobody, sink, count, 0)
    flow.set_node_supply(source, count)
    flow.set_node_supply(sink, -count)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise PlanningError("solver_failed", {"status": int(status)})
    return {i: taker for arc, (i, taker) in chosen.items() if flow.flow(arc)}


def share_out(day: Day, draft: Draft, tickets: Sequence[int], slack: float = float("inf")) -> dict[int, int]:
    """Engineer of each of the open `tickets` that is better served than left open, at the least total price.

    Each engineer gets one at most; the prices are those of the routes as they are, so insert round by round. Without those
    who would get somebody dearer than their cheapest by more than `slack`. Raises PlanningError as `share`.
    """
    if len(tickets) > BATCH_MOST:
        raise PlanningError("batch_too_large", {"tickets": len(tickets), "limit": BATCH_MOST})
    costs = []
    for t in tickets:
        cost, place, _ = prices(day, draft, t)
        costs.append({int(m): float(cost[m]) for m in np.nonzero(place >= 0)[0]})
    left_open = [min(float(day.facts.price[t, col.UNSERVED]), col.BROKEN / CENTS) for t in tickets]
    room = [
        int(draft.visits[m] < day.facts.engineer[m, col.MAX_VISITS]) for m in range(len(day.names.engineers))
    ]
    given = share(costs, left_open, room)
    return {tickets[i]: m for i, m in given.items() if costs[i][m] <= min(costs[i].values()) + slack}


def share_day(day: Day, routes: Routes, tickets: Sequence[int]) -> Routes:
    """The routes with as many of the open `tickets` as pay, by rounds of the flow, each engineer one more a round.

    Sharing widely serves most when there is too much work, waiting for the cheapest drives least when there is not:
    each of SLACKS is tried and the best total kept. Crews are left open: they need a plan.
    """
    tried = [_by_rounds(day, routes, tickets, slack) for slack in SLACKS]
    return min(tried, key=lambda one: one[0])[1]


def _by_rounds(day: Day, routes: Routes, tickets: Sequence[int], slack: float) -> tuple[float, Routes]:
    draft = settled_draft(day, routes)
    waiting = [t for t in tickets if day.facts.crew[t] == 1]
    while given := share_out(day, draft, waiting, slack):
        for t, m in given.items():
            _, place, _ = prices(day, draft, t)
            if place[m] >= 0:
                put(day, draft, t, m, int(place[m]))
        waiting = [t for t in waiting if t not in given]
    return sum(score_parts(day, draft).values()), rows_of(draft)


def main() -> int:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MB * 2**20, MEMORY_MB * 2**20))
    problem = json.load(sys.stdin)
    try:
        costs = [{int(taker): cost for taker, cost in line.items()} for line in problem["costs"]]
        json.dump({"given": share(costs, problem["left_open"], problem["room"])}, sys.stdout)
    except PlanningError as error:
        json.dump({"error": {"code": error.code, "facts": error.facts}}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
