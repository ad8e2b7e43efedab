"""Which visits of a loaded plan cannot stand: they leave until nothing is broken, the least missed first.

A plan of another day, or one made by hand, may hold a crew that never meets, an order the wrong way round, a lost
skill or too many visits. Pinned visits stay whatever they break.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.kernel_crew import settle, walk_again
from dispatch.planning.kernel_edit import refresh_route, take_out
from dispatch.planning.kernel_types import Draft
from dispatch.planning.rows import row_of

HALF: Final = col.BROKEN / 2


def make_it_stand(day: Day, draft: Draft) -> None:
    """Opens tickets until every route keeps the rules, but for what pinned visits break by themselves."""
    if day.facts.tied.shape[0]:
        untie(day, draft)
    stuck = set[int]()
    while True:
        wrong = [int(m) for m in np.nonzero(draft.cost >= HALF)[0] if int(m) not in stuck]
        if not wrong:
            return
        for m in wrong:
            x = _least_missed(day, draft, m)
            if x is None:
                stuck.add(m)
            else:
                take_out(int(day.facts.node[x, col.LEAD]), day.facts, draft)
        if day.facts.tied.shape[0]:
            untie(day, draft)


def untie(day: Day, draft: Draft) -> None:
    """Agrees crew times upwards from nothing; takes out what never meets, never comes to rest or breaks an order."""
    facts = day.facts
    _take_all(day, draft, incomplete(day, draft))
    while waiting := never_meeting(day, draft):
        _take_all(day, draft, [min(waiting, key=lambda t: float(facts.price[t, col.UNSERVED]))])
        _take_all(day, draft, incomplete(day, draft))
    while not settle(True, facts, draft):
        worst = max((x for x in facts.tied if draft.owner[x] >= 0), key=lambda x: draft.node[x, col.EARLIEST])
        _take_all(day, draft, [int(facts.node[worst, col.LEAD])])
        _take_all(day, draft, incomplete(day, draft))
    settle(False, facts, draft)


def _take_all(day: Day, draft: Draft, tickets: list[int]) -> None:
    for t in tickets:
        take_out(t, day.facts, draft)


def incomplete(day: Day, draft: Draft) -> list[int]:
    """Tickets in a route without their whole crew or without those they wait for, dependants included."""
    facts, wrong = day.facts, set[int]()
    tied = sorted({int(facts.node[x, col.LEAD]) for x in facts.tied})
    while True:
        before = len(wrong)
        for t in tied:
            members = members_of(day, t)
            inside = [x for x in members if draft.owner[x] >= 0]
            waits = [int(e) for e in facts.before[t] if e >= 0]
            lost = any(draft.owner[e] < 0 or e in wrong for e in waits)
            if inside and t not in wrong and (len(inside) < len(members) or lost):
                wrong.add(t)
        if len(wrong) == before:
            return sorted(wrong)


def members_of(day: Day, t: int) -> list[int]:
    """The nodes of ticket `t`: its own, then its helpers'."""
    return [t, *(int(h) for h in day.facts.helpers[t] if h >= 0)]


def never_meeting(day: Day, draft: Draft) -> list[int]:
    """Tickets whose crews stand waiting for one another in different routes for ever; [] where all meet."""
    facts = day.facts
    crews = [
        [
            int(facts.node[x, col.LEAD])
            for x in draft.stop[m, 1 : n + 1, col.NODE]
            if facts.node[x, col.CREWED] == 1 and facts.node[x, col.KIND] <= col.HELP
        ]
        for m, n in enumerate(draft.length)
    ]
    moving = True
    while moving:
        moving = False
        fronts = [row[0] for row in crews if row]
        for t in set(fronts):
            if fronts.count(t) == facts.crew[t]:
                crews = [row[1:] if row and row[0] == t else row for row in crews]
                moving = True
    return sorted({row[0] for row in crews if row})


def _least_missed(day: Day, draft: Draft, m: int) -> int | None:
    """The visit without which the broken route `m` is least broken, then cheapest; None where none may go or helps."""
    facts = day.facts
    row = row_of(draft, m)
    free = [
        x
        for x in row
        if facts.node[x, col.KIND] <= col.HELP and facts.price[_lead(day, x), col.UNSERVED] < HALF
    ]
    broken = float(draft.cost[m])
    bare = _cost_of(day, draft, m, [x for x in row if x not in free])
    best, chosen = np.inf, None
    for x in free:
        cost = _cost_of(day, draft, m, [y for y in row if y != x]) + float(
            facts.price[_lead(day, x), col.UNSERVED]
        )
        if cost < best:
            best, chosen = cost, x
    _cost_of(day, draft, m, row)
    helps = min(bare, best) < broken - HALF
    return chosen if helps else None


def _lead(day: Day, x: int) -> int:
    return int(day.facts.node[x, col.LEAD])


def _cost_of(day: Day, draft: Draft, m: int, row: list[int]) -> float:
    """The cost of route `m` made of these stops; the route is left so."""
    draft.stop[m, 1 : len(row) + 1, col.NODE] = row
    draft.length[m] = len(row)
    if day.facts.rich:
        walk_again(m, day.facts, draft)
    else:
        refresh_route(m, day.facts, draft)
    return float(draft.cost[m])
