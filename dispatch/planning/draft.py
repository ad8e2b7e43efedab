"""The plan in work as arrays: made empty, or loaded with routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.kernel_crew import CREW_TIMES, walk_again
from dispatch.planning.kernel_edit import close_ticket, refresh_route
from dispatch.planning.kernel_types import Draft
from dispatch.planning.pinned import pinned_tickets, pinned_to, put_pinned
from dispatch.planning.rows import Routes
from dispatch.planning.standing import make_it_stand

MIXER: Final = 0x9E3779B97F4A7C15


def empty_draft(day: Day, seed: int, routes: Sequence[Sequence[int]] | None = None) -> Draft:
    """A draft with every ticket open, pinned tickets in their routes and each engineer's breaks in his; or with `routes`."""
    facts = day.facts
    tickets, team, nodes = facts.crew.shape[0], facts.engineer.shape[0], facts.node.shape[0]
    wide = day.longest + 4
    counters = np.zeros(col.COUNTERS, np.int64)
    counters[col.OPEN], counters[col.LAST_VERSION] = tickets, team + 1
    draft = Draft(
        node=facts.node.copy(),
        stop=np.zeros((team, wide, col.STOP_WIDTH), np.int32),
        extra=np.zeros((team, wide)),
        length=np.zeros(team, np.int32),
        visits=np.zeros(team, np.int32),
        cost=np.zeros(team),
        work=np.zeros(team, np.int64),
        owner=np.full(nodes, -1, np.int64),
        open_list=np.arange(tickets, dtype=np.int64),
        open_at=np.arange(tickets, dtype=np.int64),
        counters=counters,
        rng=np.array([((seed + 1) * MIXER) % 2**64 | 1], np.uint64),
        best_stop=np.zeros((team, wide), np.int32),
        best_length=np.zeros(team, np.int32),
        version=np.arange(1, team + 1, dtype=np.int64),
        best_version=np.zeros(team, np.int64),
        memo=np.zeros((tickets, team, col.MEMO_WIDTH)),
        mark=np.zeros(team, np.uint8),
        touched=np.zeros(team, np.int64),
        saved=np.zeros((team, wide, col.STOP_WIDTH), np.int32),
        saved_extra=np.zeros((team, wide)),
        saved_length=np.zeros(team, np.int32),
        saved_cost=np.zeros(team),
        saved_work=np.zeros(team, np.int64),
        saved_version=np.zeros(team, np.int64),
        saved_node=np.zeros((facts.tied.shape[0], 3), np.int32),
        gone=np.zeros(2 * nodes + 4, np.int64),
        gone_from=np.zeros(2 * nodes + 4, np.int64),
        placed=np.zeros(tickets + 4, np.int64),
        pool=np.zeros(tickets + 16, np.int64),
        in_pool=np.zeros(nodes, np.uint8),
        key=np.zeros(tickets + 16),
        line=np.zeros(wide + 4, np.int64),
        legs=np.zeros((2, wide + 4), np.int32),
        asked=np.zeros(team, np.int64),
        later=np.zeros(team, np.int64),
        crew_time=np.zeros((2, CREW_TIMES), np.int64),
        crew_price=np.zeros((2, CREW_TIMES)),
        help_price=np.zeros(team),
        help_place=np.zeros(team, np.int64),
        member=np.zeros((3, facts.helpers.shape[1] + 1), np.int64),
        member_place=np.zeros((3, facts.helpers.shape[1] + 1), np.int64),
    )
    load(day, draft, [[] for _ in range(team)] if routes is None else routes)
    return draft


def load(day: Day, draft: Draft, routes: Sequence[Sequence[int]]) -> None:
    """Replaces the draft's routes by these nodes; breaks and pinned tickets they forget are added.

    Visits that cannot stand (a crew that never meets, a lost skill, too many for one engineer) are left open.
    """
    facts = day.facts
    draft.node[:] = facts.node
    draft.owner[:] = -1
    draft.length[:] = 0
    tickets = facts.crew.shape[0]
    draft.counters[col.OPEN] = tickets
    draft.open_list[:] = np.arange(tickets)
    draft.open_at[:] = np.arange(tickets)
    for m, full in enumerate(_completed(day, routes)):
        for k, x in enumerate(full[: day.longest], 1):
            draft.stop[m, k, col.NODE] = x
            draft.length[m] = k
            if facts.node[x, col.KIND] <= col.HELP:
                draft.owner[x] = m
            if x < tickets:
                close_ticket(x, draft)
    for m, row in enumerate(routes):
        forgotten = len(row) > 0 and not set(day.names.rests[m]) <= set(row)
        if facts.rich and not forgotten:
            walk_again(m, facts, draft)
        else:
            refresh_route(m, facts, draft)
    make_it_stand(day, draft)
    put_pinned(day, draft)


def _completed(day: Day, routes: Sequence[Sequence[int]]) -> Routes:
    """The routes with their engineer's breaks, and every ticket pinned to a row there."""
    facts, names = day.facts, day.names
    done: Routes = []
    for m, row in enumerate(routes):
        rows = [x for x in row if _may_stay(day, x, m)]
        rows += [x for x in names.rests[m] if x not in rows]
        done.append(rows)
    fixed = [t for t in pinned_tickets(day) if facts.node[t, col.PIN] > 0 and facts.crew[t] == 1]
    for t in sorted(fixed, key=lambda t: (facts.node[t, col.PIN], t)):
        done[pinned_to(day, t)].insert(int(facts.node[t, col.PIN]) - 1, t)
    return done


def _may_stay(day: Day, x: int, m: int) -> bool:
    """Whether node `x` may stand in engineer `m`'s route where it is; pinned rows are given out afterwards."""
    if day.facts.node[x, col.KIND] == col.REST:
        return x in day.names.rests[m]
    if day.facts.node[x, col.KIND] == col.HELP:
        return bool(day.facts.may_help[m, day.facts.node[x, col.LEAD]])
    if x >= len(day.scenario.tickets):
        return True
    return bool(day.able[m, x]) and not day.facts.node[x, col.PIN]
