"""A batch of open tickets shared out at once: one min-cost flow over the prices of inserting each ticket alone.

OR-Tools: call from a process that can be killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.insertion import prices
from dispatch.planning.kernel_types import Draft
from dispatch.planning.scenario import PlanningError

CENTS: Final = 100  # the flow counts in whole numbers
BATCH_MOST: Final = 5_000


def share_out(day: Day, draft: Draft, tickets: Sequence[int], most_each: int = 1) -> dict[int, int]:
    """Engineer of each of the open `tickets` that is better served than left open, at the least total price.

    Each engineer gets at most `most_each`; the prices are those of today's routes, so insert round by round where it is
    above 1. Raises PlanningError `batch_too_large`, or `solver_failed` with the solver's status.
    """
    from ortools.graph.python import min_cost_flow

    if len(tickets) > BATCH_MOST:
        raise PlanningError("batch_too_large", {"tickets": len(tickets), "limit": BATCH_MOST})
    if not tickets:
        return {}
    team, count = len(day.names.engineers), len(tickets)
    flow = min_cost_flow.SimpleMinCostFlow()
    source, sink, nobody = count + team, count + team + 1, count + team + 2
    chosen: dict[int, tuple[int, int]] = {}
    for i, t in enumerate(tickets):
        flow.add_arc_with_capacity_and_unit_cost(source, i, 1, 0)
        open_price = float(day.facts.price[t, col.UNSERVED])
        flow.add_arc_with_capacity_and_unit_cost(
            i, nobody, 1, round(min(open_price, col.BROKEN / CENTS) * CENTS)
        )
        cost, place, _ = prices(day, draft, t)
        for m in np.nonzero((place >= 0) & (cost < open_price))[0].tolist():
            arc = flow.add_arc_with_capacity_and_unit_cost(i, count + m, 1, round(float(cost[m]) * CENTS))
            chosen[arc] = (t, m)
    for m in range(team):
        room = int(min(most_each, max(0, day.facts.engineer[m, col.MAX_VISITS] - draft.visits[m])))
        flow.add_arc_with_capacity_and_unit_cost(count + m, sink, room, 0)
    flow.add_arc_with_capacity_and_unit_cost(nobody, sink, count, 0)
    flow.set_node_supply(source, count)
    flow.set_node_supply(sink, -count)
    status = flow.solve()
    if status != flow.OPTIMAL:
        raise PlanningError("solver_failed", {"status": int(status)})
    return {t: m for arc, (t, m) in chosen.items() if flow.flow(arc)}
