"""Where a visit fits best under every rule, compiled: each row tried by a walk, with a call at a depot where needed."""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel, kernel_flat, kernel_inline
from dispatch.planning.kernel_walk import carries, first_depot, rewalk, stocked, walk_line
from dispatch.planning.layout import (
    BROKEN,
    DEPOT,
    FIXED,
    KIND,
    LATEST,
    LEAD,
    LEAVE,
    MAX_VISITS,
    NODE,
    ON_SHIFT,
    REST,
)

# In place of the mean work: the price of the spread is figured out anew.
EXACT_SPREAD = -1.0


@kernel_inline
def pull(m, work, facts, draft, mean):
    """What changing engineer `m`'s work to `work` seconds adds to the workload spread, the mean taken as fixed.

    With `mean` EXACT_SPREAD it moves along.
    """
    if facts.spread == 0.0 or facts.engineer[m, ON_SHIFT] == 0:
        return 0.0
    if mean == EXACT_SPREAD:
        return facts.spread * (
            spread_with(m, work, facts, draft) - spread_with(m, draft.work[m], facts, draft)
        )
    return facts.spread * (abs(work - mean) - abs(draft.work[m] - mean))


@kernel
def spread_with(m, work, facts, draft):
    """Seconds by which the engineers with a shift differ from their mean, if `m` worked `work` seconds."""
    total, count, apart = float(work), 1, 0.0
    for other in range(draft.work.shape[0]):
        if other != m and facts.engineer[other, ON_SHIFT] == 1:
            total += draft.work[other]
            count += 1
    mean = total / count
    for other in range(draft.work.shape[0]):
        if other != m and facts.engineer[other, ON_SHIFT] == 1:
            apart += abs(draft.work[other] - mean)
    return apart + abs(work - mean)


@kernel_flat
def lowest_row(x, m, facts, draft):
    """The first row of route `m` that visit `x` may take: after pinned stops and after all that it waits for."""
    low = facts.engineer[m, FIXED] + 1
    if facts.before.shape[1] == 0:
        return low
    t = facts.node[x, LEAD]
    for q in range(facts.before.shape[1]):
        y = facts.before[t, q]
        if y < 0:
            break
        for k in range(low, draft.length[m] + 1):
            if facts.node[draft.stop[m, k, NODE], LEAD] == y:
                low = k + 1
    return low


@kernel
def place_rich(x, m, bound, mean, facts, draft):
    """(added cost, packed place) of the cheapest insertion of `x` into route `m` below `bound`, or (bound, -1).

    The place packs the row, and the row and number of a depot to call first: see `put_in`.
    """
    if draft.visits[m] >= facts.engineer[m, MAX_VISITS]:
        return bound, -1
    n, row, line = np.int64(draft.length[m]), draft.stop[m], draft.line
    low = lowest_row(x, m, facts, draft)
    depot_row = first_depot(m, facts, draft)
    in_van = carries(x, m, depot_row, facts, draft)
    best, place = bound, -1
    now = draft.cost[m]
    for k in range(1, n + 1):
        line[k + 1] = row[k, NODE]
    for k in range(n + 1, low - 1, -1):
        line[k] = x
        if in_van or k > depot_row:
            if row[k - 1, LEAVE] <= draft.node[x, LATEST]:
                cost, work = walk_line(m, n + 1, k, now + best, facts, draft)
                cost += pull(m, work, facts, draft, mean) - now
                if cost < best:
                    best, place = cost, k
        if k > 1:
            line[k] = row[k - 1, NODE]
            line[k - 1] = x
    if not in_van:
        best, place = place_with_depot(x, m, best, place, depot_row, low, mean, facts, draft)
    return best, place


@kernel
def place_with_depot(x, m, best, place, depot_row, low, mean, facts, draft):
    """The same with a call at a depot on the way: every pair of rows, the depot first; a later call is dropped."""
    n, row, line = np.int64(draft.length[m]), draft.stop[m], draft.line
    fixed = facts.engineer[m, FIXED]
    now = draft.cost[m]
    for d in range(facts.depots.shape[0]):
        for j in range(min(depot_row, n + 1), fixed, -1):
            for k in range(max(j, low), n + 2):
                w = j
                line[w] = facts.depots[d]
                w += 1
                for q in range(j, n + 2):
                    if q == k:
                        line[w] = x
                        w += 1
                    if q <= n and facts.node[row[q, NODE], KIND] != DEPOT:
                        line[w] = row[q, NODE]
                        w += 1
                cost, work = walk_line(m, w - 1, j, now + best, facts, draft)
                cost += pull(m, work, facts, draft, mean) - now
                if cost < best:
                    best, place = cost, k | (j << 10) | ((d + 1) << 20)
    return best, place


@kernel_flat
def put_in(x, m, place, facts, draft):
    """Inserts visit `x` into route `m` at a packed place; times are stale until the next walk."""
    row = draft.stop[m]
    k, j, d = place & 1023, (place >> 10) & 1023, place >> 20
    n = np.int64(draft.length[m])
    if d == 0:
        for q in range(n + 1, k, -1):
            row[q, NODE] = row[q - 1, NODE]
        row[k, NODE] = x
        draft.length[m] = n + 1
        return
    line, w = draft.line, 1
    for q in range(1, n + 2):
        if q == j:
            line[w] = facts.depots[d - 1]
            w += 1
        if q == k:
            line[w] = x
            w += 1
        if q <= n and facts.node[row[q, NODE], KIND] != DEPOT:
            line[w] = row[q, NODE]
            w += 1
    for q in range(1, w):
        row[q, NODE] = line[q]
    draft.length[m] = w - 1


@kernel
def tidy(m, facts, draft):
    """Moves each break and depot of route `m` to its best row, drops a depot nobody needs, and walks the route anew."""
    row, line = draft.stop[m], draft.line
    draft.cost[m], draft.work[m] = rewalk(m, facts, draft)
    fixed = facts.engineer[m, FIXED]
    k = fixed + 1
    while k <= draft.length[m]:
        n, x = np.int64(draft.length[m]), np.int64(row[k, NODE])
        kind = facts.node[x, KIND]
        if kind != REST and kind != DEPOT:
            k += 1
            continue
        for q in range(k, n):
            row[q, NODE] = row[q + 1, NODE]
        draft.length[m] = n - 1
        if kind == DEPOT and (stocked(m, row, n - 1, facts)):
            draft.cost[m], draft.work[m] = rewalk(m, facts, draft)
            continue
        rewalk(m, facts, draft)
        last = n
        if kind == DEPOT:
            last = first_short(m, facts, draft)
        best, best_q = BROKEN, min(k, last)
        for q in range(1, n):
            line[q + 1] = row[q, NODE]
        for q in range(n, fixed, -1):
            line[q] = x
            if q <= last:
                cost, _ = walk_line(m, n, q, BROKEN, facts, draft)
                if cost < best or (cost == best and q == k):
                    best, best_q = cost, q
            if q > 1:
                line[q] = row[q - 1, NODE]
        for q in range(n, best_q, -1):
            row[q, NODE] = row[q - 1, NODE]
        row[best_q, NODE] = x
        draft.length[m] = n
        draft.cost[m], draft.work[m] = rewalk(m, facts, draft)
        k += 1


@kernel
def first_short(m, facts, draft):
    """The last row a depot may take in route `m`, given without one: before the first visit the van cannot serve."""
    row, n = draft.stop[m], draft.length[m]
    limit = n + 1
    for k in range(1, n + 1):
        if facts.lack.shape[0] > 0 and facts.lack[m, row[k, NODE]]:
            limit = k
            break
    for p in range(facts.stock.shape[1]):
        left = facts.stock[m, p]
        for k in range(1, limit):
            left -= facts.need[row[k, NODE], p]
            if left < 0:
                limit = k
                break
    return limit
