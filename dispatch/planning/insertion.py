"""Who could take one ticket, where in his route and at what cost: exact on the objective, for every able engineer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.kernel_edit import close_ticket, insert_visit
from dispatch.planning.kernel_insert import price_all
from dispatch.planning.kernel_types import Draft
from dispatch.planning.rows import row_of


@dataclass(frozen=True, slots=True)
class Offer:
    """Engineer index, row in his route (from 1), added cost, start of service in seconds."""

    engineer: int
    row: int
    cost: float
    start_s: int


def price_insertions(day: Day, draft: Draft, ticket: int, most: int | None = None) -> list[Offer]:
    """Every engineer who can take the open `ticket` alone, cheapest first; crews are priced by their lead.

    The draft is not changed. The added cost leaves out the price of the ticket staying open.
    """
    cost, place, start = prices(day, draft, ticket)
    found = [
        Offer(int(m), int(place[m]) & 1023, float(cost[m]), int(start[m]))
        for m in np.argsort(cost, kind="stable")[: most or len(cost)]
        if place[m] >= 0
    ]
    return found


def prices(day: Day, draft: Draft, ticket: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(M,) added cost, packed place or -1, and start, of the cheapest insertion into each route."""
    team = day.facts.engineer.shape[0]
    cost, place = np.full(team, np.inf), np.full(team, -1, np.int64)
    start = np.zeros(team, np.int64)
    price_all(ticket, col.BROKEN / 2, cost, place, start, day.facts, draft)
    return cost, place, start


def row_with(day: Day, draft: Draft, ticket: int, engineer: int, place: int) -> list[int]:
    """The nodes of the engineer's route with `ticket` at a packed place from `prices`, the draft left as it is."""
    row = row_of(draft, engineer)
    at, depot_at, depot = place & 1023, (place >> 10) & 1023, place >> 20
    if not depot:
        return [*row[: at - 1], ticket, *row[at - 1 :]]
    kept = [[] if day.facts.node[x, col.KIND] == col.DEPOT else [x] for x in row]
    kept.insert(at - 1, [ticket])
    kept.insert(depot_at - 1, [int(day.facts.depots[depot - 1])])
    return [x for part in kept for x in part]


def put(day: Day, draft: Draft, ticket: int, engineer: int, place: int) -> None:
    """Puts the open ticket at a packed place from `prices`; crews cannot be placed this way."""
    insert_visit(ticket, engineer, place, day.facts, draft)
    close_ticket(ticket, draft)
    draft.mark[draft.touched[: draft.counters[col.TOUCHED]]] = 0
    draft.counters[col.TOUCHED] = 0
