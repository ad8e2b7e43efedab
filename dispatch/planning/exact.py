"""The proven best order of one engineer's stops, breaks included, by CP-SAT: for small routes and for doubts.

OR-Tools: call from a process that can be killed. One worker and a fixed seed make it repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.compile_travel import between_s
from dispatch.planning.draft import rows_of
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import settled_draft
from dispatch.planning.scenario import SECONDS_LIMIT

STOPS_MOST: Final = 14
SCALE: Final = 100  # prices in whole hundredths


@dataclass(frozen=True, slots=True)
class Proof:
    """The best order found, its route's cost, and whether nothing better exists."""

    row: list[int]
    cost: float
    proven: bool


def best_order(day: Day, draft: Draft, m: int, seconds: float = 2.0, seed: int = 1) -> Proof | None:
    """None where the route is too long, empty, or holds what this model cannot say (crews, depots, pins, hours …)."""
    row = rows_of(draft)[m]
    if not _sayable(day, row, m):
        return None
    order, proven = _solve(day, row, m, seconds, seed)
    rows = rows_of(draft)
    rows[m] = order
    trial = settled_draft(day, rows)
    if rows_of(trial) != rows or float(trial.cost[m]) >= float(draft.cost[m]) - 1e-6:
        return Proof(row, float(draft.cost[m]), proven)
    return Proof(order, float(trial.cost[m]), proven)


def _sayable(day: Day, row: list[int], m: int) -> bool:
    facts = day.facts
    if (
        not 1 < len(row) <= STOPS_MOST
        or facts.drive.shape[1] > 1
        or facts.working > 0
        or facts.engineer[m, col.FIXED]
    ):
        return False
    tied = set(facts.tied.tolist())
    return all(
        facts.node[x, col.KIND] in (col.VISIT, col.REST)
        and x not in tied
        and facts.node[x, col.EXCUSED] == col.FAR
        and facts.price[x, col.MOVED] == 0
        and not facts.node[x, col.PIN]
        for x in row
    )


def _solve(day: Day, row: list[int], m: int, seconds: float, seed: int) -> tuple[list[int], bool]:
    """The best order within the seconds, and whether it is proven."""
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    visits = [x for x in row if day.facts.node[x, col.KIND] == col.VISIT]
    rests = sorted((x for x in row if x not in visits), key=lambda x: int(day.facts.node[x, col.EARLIEST]))
    begin, last = int(day.facts.engineer[m, col.SHIFT_FROM]), int(day.facts.engineer[m, col.LAST_END])
    start = {x: _start_variable(model, day, x, begin, last) for x in row}
    leave, taken = _breaks(model, day, visits, rests, start, begin, last)
    finish = model.new_int_var(begin, last, "finish")
    arcs = _ways(model, day, m, visits, start, leave, finish)
    _minimise(model, day, m, visits, start, finish, arcs)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = 1, seed
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return row, False
    follows = {i: j for i, j, used, _ in arcs if solver.value(used)}
    order: list[int] = []
    here = len(visits)
    while True:
        order += [r for r in rests if solver.value(taken[r, here])]
        here = follows[here]
        if here == len(visits):
            return order, status == cp_model.OPTIMAL
        order.append(visits[here])


def _start_variable(model: Any, day: Day, x: int, begin: int, last: int) -> Any:
    low = max(begin, int(day.facts.node[x, col.EARLIEST]))
    return model.new_int_var(low, max(low, min(last, int(day.facts.node[x, col.LATEST]))), f"start{x}")


def _breaks(
    model: Any, day: Day, visits: list[int], rests: list[int], start: dict[int, Any], begin: int, last: int
) -> tuple[list[Any], dict[tuple[int, int], Any]]:
    """When the engineer leaves each visit, and home (the last index), after the breaks taken there."""
    duration = {x: int(day.facts.node[x, col.DURATION]) for x in (*visits, *rests)}
    ends = [*(start[x] + duration[x] for x in visits), begin]
    leave = [model.new_int_var(begin, last, f"leave{i}") for i in range(len(ends))]
    taken = {(r, i): model.new_bool_var(f"rest{r}at{i}") for r in rests for i in range(len(ends))}
    for i, end in enumerate(ends):
        model.add(leave[i] >= end)
        for r in rests:
            model.add(start[r] >= end).only_enforce_if(taken[r, i])
            model.add(leave[i] >= start[r] + duration[r]).only_enforce_if(taken[r, i])
    for r in rests:
        model.add_exactly_one(taken[r, i] for i in range(len(ends)))
    for earlier, later in pairwise(rests):
        model.add(start[later] >= start[earlier] + duration[earlier])
    return leave, taken


def _ways(
    model: Any, day: Day, m: int, visits: list[int], start: dict[int, Any], leave: list[Any], finish: Any
) -> list[tuple[int, int, Any, int]]:
    """One round trip over all visits: (from, to, used, seconds driven); the last index is home."""
    facts, n = day.facts, len(visits)
    homes = facts.engineer[m, [col.START_NODE, col.END_NODE]]
    out_of = [int(facts.node[x, col.SITE]) for x in (*visits, homes[0])]
    into = [int(facts.node[x, col.SITE]) for x in (*visits, homes[1])]
    mode, arcs = int(facts.engineer[m, col.MODE]), []
    for i in range(n + 1):
        for j in range(n + 1):
            if i == j:
                continue
            leg = between_s(mode, 0, out_of[i], into[j], facts.drive, facts.ball)
            used = model.new_bool_var(f"{i}to{j}")
            arrival = finish if j == n else start[visits[j]]
            model.add(arrival >= leave[i] + leg).only_enforce_if(used)
            arcs.append((i, j, used, leg))
    model.add_circuit([(i, j, used) for i, j, used, _ in arcs])
    return arcs


def _minimise(
    model: Any, day: Day, m: int, visits: list[int], start: dict[int, Any], finish: Any, arcs: list[Any]
) -> None:
    facts = day.facts
    per_s, over_s = (round(float(rate) * SCALE) for rate in facts.rate[m])
    terms = [used * (leg * per_s) for _, _, used, leg in arcs]
    over = model.new_int_var(0, SECONDS_LIMIT, "over")
    model.add(over >= finish - int(facts.engineer[m, col.SHIFT_TO]))
    terms.append(over * over_s)
    for x in visits:
        if facts.node[x, col.DUE] < col.FAR:
            late = model.new_int_var(0, SECONDS_LIMIT, f"late{x}")
            model.add(late >= start[x] - int(facts.node[x, col.DUE]))
            terms.append(late * round(float(facts.price[x, col.LATE]) * SCALE))
    model.minimize(sum(terms))
