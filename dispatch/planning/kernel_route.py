"""The objective of one route, compiled: the same sums as the referee's, kept beside the stops for fast insertion.

Formulas: design page "A dispatch day as a file". Prices are float64, seconds int32; see `layout` for the columns.
"""

from __future__ import annotations

import math

import numpy as np

from dispatch.planning.kernel import kernel_flat, kernel_inline
from dispatch.planning.layout import (
    ARRIVE,
    AT,
    BEFORE,
    BEFORE_ENGINEER,
    BROKEN,
    DRIVE,
    DUE,
    DURATION,
    EARLIEST,
    END_NODE,
    EXCUSED,
    FAR,
    FREE,
    LAST,
    LAST_END,
    LATE,
    LATEST,
    LEAVE,
    LEG,
    MAX_VISITS,
    MISSED,
    MODE,
    MOVED,
    NODE,
    OVERTIME,
    SHIFT_FROM,
    SHIFT_TO,
    SITE,
    START,
    START_NODE,
)

MOVED_TOLERANCE_S = 1_800


@kernel_inline
def drive_s(drive, ball, mode, hour, origin, target):
    """Seconds from one site to another, from the table, or from positions where `ball` has rows (no table then).

    `ball` (L, 4): unit vector of the position times the earth's diameter in driven seconds, then the fixed seconds.
    """
    if ball.shape[0] == 0:
        return drive[mode, hour, origin, target]
    x = ball[origin, 0] - ball[target, 0]
    y = ball[origin, 1] - ball[target, 1]
    z = ball[origin, 2] - ball[target, 2]
    chord = math.sqrt(x * x + y * y + z * z)
    if chord == 0.0:
        return np.int32(0)
    full = ball[origin, 3]
    return np.int32(np.rint(full * math.asin(min(1.0, chord / full)) + ball[target, 4]))


@kernel_inline
def stop_price(node, price, x, m, start):
    """What starting visit `x` at `start` with engineer `m` costs beyond driving: lateness, missed window, moved."""
    cost = 0.0
    if start > node[x, DUE]:
        cost += price[x, LATE] * (start - node[x, DUE])
    if start > node[x, EXCUSED]:
        cost += price[x, MISSED] + price[x, LATE] * (start - node[x, EXCUSED])
    if price[x, MOVED] > 0.0 and node[x, BEFORE_ENGINEER] == m:
        if abs(start - node[x, BEFORE]) > MOVED_TOLERANCE_S:
            cost += price[x, MOVED]
    return cost


@kernel_inline
def free_start(node, price, x, m, start):
    """The latest start of `x` up from which nothing changes: it costs the same as `start` does."""
    last = FAR
    if node[x, DUE] < FAR:
        last = max(start, node[x, DUE])
    if node[x, EXCUSED] < FAR:
        last = min(last, max(start, node[x, EXCUSED]))
    if price[x, MOVED] > 0.0 and node[x, BEFORE_ENGINEER] == m:
        edge = node[x, BEFORE] + MOVED_TOLERANCE_S
        if start < node[x, BEFORE] - MOVED_TOLERANCE_S:
            last = min(last, node[x, BEFORE] - MOVED_TOLERANCE_S - 1)
        elif start <= edge:
            last = min(last, edge)
    return last


@kernel_inline
def spared_later(node, price, x, m, start):
    """What starting `x` later than `start` could spare: the price of being moved to an earlier hour."""
    if price[x, MOVED] > 0.0 and node[x, BEFORE_ENGINEER] == m:
        if start < node[x, BEFORE] - MOVED_TOLERANCE_S:
            return price[x, MOVED]
    return 0.0


@kernel_flat
def retime_plain(m, stop, extra, length, node, price, engineer, rate, bias, drive, ball):
    """Walks route `m`, refreshes the times beside its stops and returns (cost, work seconds).

    extra[m, k] becomes the price at row k, at the end that of overtime, at row 0 what later starts could spare.
    A route without stops costs 0.
    """
    n = length[m]
    mode = engineer[m, MODE]
    here = node[engineer[m, START_NODE], SITE]
    row = stop[m]
    row[0, NODE] = engineer[m, START_NODE]
    row[0, AT] = here
    clock = engineer[m, SHIFT_FROM]
    row[0, LEAVE] = clock
    home = engineer[m, END_NODE]
    row[n + 1, NODE] = home
    row[n + 1, AT] = node[home, SITE]
    if n == 0:
        row[1, LEG] = 0
        row[1, ARRIVE] = clock
        row[1, LAST] = engineer[m, LAST_END]
        row[1, FREE] = engineer[m, SHIFT_TO]
        extra[m, 0] = extra[m, 1] = 0.0
        return 0.0, 0
    cost = 0.0
    spared = 0.0
    driven = 0
    served = 0
    for k in range(1, n + 1):
        x = row[k, NODE]
        there = node[x, SITE]
        leg = drive_s(drive, ball, mode, 0, here, there)
        driven += leg
        clock += leg
        row[k, AT] = there
        row[k, LEG] = leg
        row[k, ARRIVE] = clock
        start = max(clock, node[x, EARLIEST])
        row[k, START] = start
        if start > node[x, LATEST]:
            cost += BROKEN
        late = stop_price(node, price, x, m, start)
        if bias.shape[0] > 0:
            cost += bias[m, x]
        extra[m, k] = late
        cost += late
        spared += spared_later(node, price, x, m, start)
        clock = start + node[x, DURATION]
        served += node[x, DURATION]
        row[k, LEAVE] = clock
        here = there
    leg = drive_s(drive, ball, mode, 0, here, node[home, SITE])
    driven += leg
    clock += leg
    row[n + 1, LEG] = leg
    row[n + 1, ARRIVE] = clock
    over = max(0, clock - engineer[m, SHIFT_TO])
    extra[m, n + 1] = rate[m, OVERTIME] * over
    extra[m, 0] = spared
    cost += extra[m, n + 1] + rate[m, DRIVE] * driven
    if clock > engineer[m, LAST_END] or n > engineer[m, MAX_VISITS]:
        cost += BROKEN
    look_back(m, row, n, node, price, engineer)
    return cost, driven + served


@kernel_inline
def look_back(m, row, n, node, price, engineer):
    """Fills LAST and FREE from the end of the route to its front."""
    last = engineer[m, LAST_END]
    free = max(row[n + 1, ARRIVE], engineer[m, SHIFT_TO])
    row[n + 1, LAST] = last
    row[n + 1, FREE] = free
    for k in range(n, 0, -1):
        x = row[k, NODE]
        onward = node[x, DURATION] + row[k + 1, LEG]
        last = min(last - onward, node[x, LATEST])
        free = min(free - onward, free_start(node, price, x, m, row[k, START]), last)
        row[k, LAST] = last
        row[k, FREE] = free


@kernel_inline
def retime(m, facts, draft):
    """`retime_plain` on the packed facts; refreshes visits, cost and work of route `m`."""
    draft.visits[m] = draft.length[m]
    draft.cost[m], draft.work[m] = retime_plain(
        m,
        draft.stop,
        draft.extra,
        draft.length,
        draft.node,
        facts.price,
        facts.engineer,
        facts.rate,
        facts.bias,
        facts.drive,
        facts.ball,
    )
