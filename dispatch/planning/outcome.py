"""From a finished draft to the plan others read: stops with times, score parts, what each assignment costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.draft import empty_draft
from dispatch.planning.kernel_search import spread_price
from dispatch.planning.kernel_types import Draft
from dispatch.planning.scenario import MOVED_TOLERANCE_S, Plan, Route, Stop, Unassigned
from dispatch.planning.standing import HALF

PARTS = (
    "travel",
    "overtime",
    "late",
    "unserved",
    "prefer",
    "workload_spread",
    "moved",
    "missed_window",
    "working",
)


def settled_draft(day: Day, routes: Sequence[Sequence[int]]) -> Draft:
    """A draft holding exactly these routes, with the times that really happen."""
    return empty_draft(day, 0, routes)


def plan_of(day: Day, draft: Draft, unassigned: Sequence[Unassigned] | None = None) -> Plan:
    """The plan in the draft. Engineers without visits have no route."""
    routes = []
    for m, name in enumerate(day.names.engineers):
        if draft.visits[m]:
            stops = tuple(stop_at(day, draft, m, k) for k in range(1, int(draft.length[m]) + 1))
            routes.append(Route(name, stops))
    if unassigned is None:
        unassigned = [Unassigned(day.names.tickets[t]) for t in open_tickets(draft)]
    parts = score_parts(day, draft)
    broken = tuple(day.names.engineers[m] for m in np.nonzero(draft.cost >= HALF)[0])
    return Plan(tuple(routes), tuple(unassigned), {**parts, "total": sum(parts.values())}, broken)


def open_tickets(draft: Draft) -> list[int]:
    return sorted(int(t) for t in draft.open_list[: draft.counters[col.OPEN]])


def stop_at(day: Day, draft: Draft, m: int, k: int) -> Stop:
    x, start = int(draft.stop[m, k, col.NODE]), int(draft.stop[m, k, col.START])
    if x in day.names.rest_of_node:
        return Stop(start, rest=day.names.rest_of_node[x])
    if x in day.names.depot_of_node:
        return Stop(start, depot=day.names.depot_of_node[x])
    return Stop(start, ticket=day.names.tickets[day.names.node_ticket[x]])


def score_parts(day: Day, draft: Draft) -> dict[str, float]:
    """The objective by part; the same names and sums as the referee's."""
    parts = dict.fromkeys(PARTS, 0.0)
    facts, scenario = day.facts, day.scenario
    for m in range(facts.engineer.shape[0]):
        if draft.visits[m]:
            for name, value in route_parts(day, draft, m).items():
                parts[name] += value
    for t in open_tickets(draft):
        ticket = scenario.tickets[t]
        parts["unserved"] += scenario.weights.unserved[ticket.priority]
        if ticket.previous is not None:
            parts["moved"] += scenario.weights.moved[ticket.previous.known]
    parts["workload_spread"] = float(spread_price(facts, draft))
    return parts


def route_parts(day: Day, draft: Draft, m: int) -> dict[str, float]:
    """What engineer `m`'s route adds to each part, but for the workload spread."""
    facts, n = day.facts, int(draft.length[m])
    driven = int(draft.stop[m, 1 : n + 2, col.LEG].sum())
    over = max(0, int(draft.stop[m, n + 1, col.ARRIVE] - facts.engineer[m, col.SHIFT_TO]))
    parts = {
        "travel": float(facts.rate[m, col.DRIVE] * driven),
        "overtime": float(facts.rate[m, col.OVERTIME] * over),
        "working": 0.0,
    }
    if facts.working > 0:
        left = facts.engineer[m, col.SHIFT_FROM] + draft.stop[m, n, col.SAVED]
        parts["working"] = float(facts.working * (draft.stop[m, n + 1, col.ARRIVE] - left))
    for k in range(1, n + 1):
        for name, value in visit_parts(day, draft, m, k).items():
            parts[name] = parts.get(name, 0.0) + value
    return parts


def visit_parts(day: Day, draft: Draft, m: int, k: int) -> dict[str, float]:
    """What the visit at row `k` adds beyond driving and overtime; crew helpers add only their preference."""
    x, start = int(draft.stop[m, k, col.NODE]), int(draft.stop[m, k, col.START])
    if x >= len(day.names.node_ticket):
        return {}
    weights, ticket = day.scenario.weights, day.scenario.tickets[day.names.node_ticket[x]]
    parts = {"prefer": -float(ticket.prefer.get(day.names.engineers[m], 0.0))}
    if x >= len(day.scenario.tickets):
        return parts
    per_s, before = weights.late_s[ticket.priority], ticket.previous
    if ticket.due_s is not None:
        parts["late"] = per_s * max(0, start - ticket.due_s)
    if ticket.window_s is not None and start > ticket.window_s[1]:
        parts["missed_window"] = weights.missed_window + per_s * (start - ticket.window_s[1])
    if before is not None:
        helpers = [int(h) for h in day.facts.helpers[x] if h >= 0]
        members = {day.names.engineers[draft.owner[y]] for y in (x, *helpers)}
        near = abs(start - before.start_s) <= MOVED_TOLERANCE_S
        parts["moved"] = 0.0 if near and before.engineer in members else float(weights.moved[before.known])
    return parts


def routes_from_plan(day: Day, routes: Sequence[Route]) -> list[list[int]]:
    """A plan's routes as nodes, for a warm start; unknown engineers, tickets and stops are left out."""
    tickets = {name: t for t, name in enumerate(day.names.tickets)}
    engineers = {name: m for m, name in enumerate(day.names.engineers)}
    depots = {name: x for x, name in day.names.depot_of_node.items()}
    nodes: list[list[int]] = [[] for _ in engineers]
    used: dict[int, list[int]] = {}
    known = [route for route in routes if route.engineer in engineers]
    for route in sorted(known, key=lambda known: engineers[known.engineer]):
        m = engineers[route.engineer]
        rests = {day.names.rest_of_node[x]: x for x in day.names.rests[m]}
        for stop in route.stops:
            x: Any = None
            if stop.ticket in tickets:
                x = _member_node(day, tickets[str(stop.ticket)], m, used)
            elif stop.rest is not None:
                x = rests.get(stop.rest)
            elif stop.depot is not None:
                x = depots.get(stop.depot)
            if x is not None and x not in nodes[m]:
                nodes[m].append(x)
    return nodes


def _member_node(day: Day, t: int, m: int, used: dict[int, list[int]]) -> int | None:
    """The visit node engineer `m` takes of ticket `t`: the lead for the first who is able, a helper otherwise."""
    taken = used.setdefault(t, [])
    helpers = [int(h) for h in day.facts.helpers[t] if h >= 0]
    choices = ([t] if day.able[m, t] else []) + [h for h in helpers if day.facts.may_help[m, t]]
    for x in choices:
        if x not in taken:
            taken.append(x)
            return x
    return None
