"""Where one visit fits best into one route, compiled: exact on the objective, most positions decided by two bounds."""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel_inline
from dispatch.planning.kernel_route import drive_s, stop_price
from dispatch.planning.layout import (
    ARRIVE,
    AT,
    DRIVE,
    DURATION,
    EARLIEST,
    FIXED,
    FREE,
    LAST,
    LATEST,
    LEAVE,
    LEG,
    MODE,
    NODE,
    OVERTIME,
    SHIFT_TO,
    SITE,
)


@kernel_inline
def place_plain(
    x,
    m,
    bound,
    stop,
    extra,
    length,
    node,
    price,
    engineer,
    rate,
    bias,
    drive,
    both,
    ball,
    legs,
):
    """(cost, row) of the cheapest insertion of `x` into route `m` below `bound`, or (bound, -1).

    The visit takes the row and pushes what stands there back. Where the detour is shorter than the way was, or a later
    start could spare a move, no row is passed over unwalked. All legs are looked up first: the memory then answers side
    by side.
    """
    n = length[m]
    row = stop[m]
    low = 1 + engineer[m, FIXED]
    soonest = node[x, EARLIEST] + node[x, DURATION]
    while low <= n + 1 and row[low, LAST] < soonest:
        low += 1
    high = low
    while high <= n + 1 and row[high - 1, LEAVE] <= node[x, LATEST]:
        high += 1
    if low == high:
        return bound, -1
    mode = engineer[m, MODE]
    site = node[x, SITE]
    per_s = rate[m, DRIVE]
    spared = extra[m, 0]
    best = bound
    best_k = -1
    own = 0.0
    if bias.shape[0] > 0:
        own = bias[m, x]
    if ball.shape[0] == 0:
        for k in range(low, high):
            legs[0, k] = both[mode, site, row[k - 1, AT], 0]
            legs[1, k] = both[mode, site, row[k, AT], 1]
    else:
        for k in range(low, high):
            legs[0, k] = drive_s(drive, ball, mode, 0, row[k - 1, AT], site)
            legs[1, k] = drive_s(drive, ball, mode, 0, site, row[k, AT])
    for k in range(low, high):
        into = legs[0, k]
        out = legs[1, k]
        added = into + out - row[k, LEG]
        cost = own + per_s * added
        if cost >= best + spared and added >= 0:
            continue
        start = row[k - 1, LEAVE] + into
        if start > node[x, LATEST]:
            continue
        start = max(start, node[x, EARLIEST])
        cost += stop_price(node, price, x, m, start)
        clock = start + node[x, DURATION] + out
        if clock > row[k, LAST] or (cost >= best + spared and added >= 0):
            continue
        if clock > row[k, FREE]:
            cost = push(m, k, clock, cost, best + spared, row, extra, n, node, price, engineer, rate)
        elif clock < row[k, ARRIVE]:
            cost = push(m, k, clock, cost, np.inf, row, extra, n, node, price, engineer, rate)
        if cost < best:
            best = cost
            best_k = k
    return best, best_k


@kernel_inline
def push(m, k, clock, cost, bound, row, extra, n, node, price, engineer, rate):
    """`cost` plus what another arrival `clock` at row `k` adds to the rest of the route; stops once above `bound`."""
    while k <= n:
        y = row[k, NODE]
        start = max(clock, node[y, EARLIEST])
        cost += stop_price(node, price, y, m, start) - extra[m, k]
        clock = start + node[y, DURATION] + row[k + 1, LEG]
        k += 1
        if clock == row[k, ARRIVE] or cost >= bound:
            return cost
    over = max(0, clock - engineer[m, SHIFT_TO])
    return cost + rate[m, OVERTIME] * over - extra[m, n + 1]
