"""The general walk: breaks, depots, parts, tools, hours, pinned rows and agreed times, compiled.

Slower than `kernel_route.retime_plain` and equal to it where both apply; used when a day needs any of these.
"""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel, kernel_flat, kernel_inline
from dispatch.planning.kernel_route import drive_s, stop_price
from dispatch.planning.layout import (
    ARRIVE,
    AT,
    BROKEN,
    CREWED,
    DEPOT,
    DRIVE,
    DUE,
    DURATION,
    EARLIEST,
    END_NODE,
    EXCUSED,
    FAR,
    FLOOR,
    HELP,
    KIND,
    LAST_END,
    LATEST,
    LEAVE,
    LEG,
    MAX_VISITS,
    MODE,
    NEVER,
    NODE,
    OVERTIME,
    PIN,
    REST,
    SAVED,
    SHIFT_FROM,
    SHIFT_TO,
    SITE,
    SLACK,
    START,
    START_NODE,
    VISIT,
)


@kernel_flat
def hour_of(facts, clock):
    if facts.drive.shape[1] == 1:
        return 0
    return (clock // 3600) % 24


@kernel_inline
def leave_later(node, x, arrival, start, slack, saved):
    """(slack, saved) after the stop: waiting is spared by leaving home later, as far as earlier stops allow.

    A crew's visit cannot start later than it does.
    """
    spared = min(start - arrival, slack)
    latest = min(node[x, LATEST], max(start, min(node[x, DUE], node[x, EXCUSED])))
    if node[x, CREWED] == 1:
        latest = start
    return min(slack - spared, latest - start), saved + spared


@kernel
def rewalk(m, facts, draft):
    """Walks route `m` from its start, refreshes its times, and returns (cost, work seconds).

    A route without visits is not driven and costs nothing. extra[m, k] becomes the price up to and with row k.
    """
    row, n, node = draft.stop[m], np.int64(draft.length[m]), draft.node
    mode, per_s = facts.engineer[m, MODE], facts.rate[m, DRIVE]
    first, home = facts.engineer[m, START_NODE], facts.engineer[m, END_NODE]
    here, clock = node[first, SITE], np.int64(facts.engineer[m, SHIFT_FROM])
    row[0, NODE], row[0, AT], row[0, LEAVE] = first, here, clock
    row[0, SLACK], row[0, SAVED] = FAR, 0
    draft.extra[m, 0] = 0.0
    cost, driven, served, visits = 0.0, 0, 0, 0
    for k in range(1, n + 1):
        x = row[k, NODE]
        kind = node[x, KIND]
        leg = 0
        if kind != REST:
            there = node[x, SITE]
            leg = drive_s(facts.drive, facts.ball, mode, hour_of(facts, clock), here, there)
            here = there
        clock += leg
        driven += leg
        row[k, AT], row[k, LEG], row[k, ARRIVE] = here, leg, clock
        start = max(clock, node[x, EARLIEST])
        row[k, START] = start
        row[k, SLACK], row[k, SAVED] = leave_later(
            facts.node, x, clock, start, row[k - 1, SLACK], row[k - 1, SAVED]
        )
        if start > node[x, LATEST] or start < node[x, FLOOR] or (node[x, PIN] > 0 and node[x, PIN] != k):
            cost += BROKEN
        if kind == VISIT or kind == HELP:
            visits += 1
            served += node[x, DURATION]
            cost += stop_price(node, facts.price, x, m, start)
            if facts.bias.shape[0] > 0:
                cost += facts.bias[m, x]
        cost += per_s * leg
        clock = start + node[x, DURATION]
        row[k, LEAVE] = clock
        draft.extra[m, k] = cost
    draft.visits[m] = visits
    there = node[home, SITE]
    row[n + 1, NODE], row[n + 1, AT] = home, there
    if visits == 0:
        row[n + 1, LEG], row[n + 1, ARRIVE] = 0, clock
        return 0.0, 0
    leg = drive_s(facts.drive, facts.ball, mode, hour_of(facts, clock), here, there)
    clock += leg
    row[n + 1, LEG], row[n + 1, ARRIVE] = leg, clock
    cost += per_s * leg + facts.rate[m, OVERTIME] * max(0, clock - facts.engineer[m, SHIFT_TO])
    cost += facts.working * (clock - facts.engineer[m, SHIFT_FROM] - row[n, SAVED])
    if clock > facts.engineer[m, LAST_END]:
        cost += BROKEN
    if visits > facts.engineer[m, MAX_VISITS] or not stocked(m, row, n, facts):
        cost += BROKEN
    return cost, driven + leg + served


@kernel
def stocked(m, row, n, facts):
    """Whether every tool and part is in the van until the first depot is called."""
    parts = facts.stock.shape[1]
    if parts == 0 and facts.lack.shape[0] == 0:
        return True
    for k in range(1, n + 1):
        x = row[k, NODE]
        if facts.node[x, KIND] == DEPOT:
            n = k
            break
        if facts.lack.shape[0] > 0 and facts.lack[m, x]:
            return False
    for p in range(parts):
        left = facts.stock[m, p]
        for k in range(1, n + 1):
            left -= facts.need[row[k, NODE], p]
        if left < 0:
            return False
    return True


@kernel_inline
def walk_line(m, n, first, bound, facts, draft):
    """The cost of route `m` with the stops draft.line[first..n], rows before `first` unchanged; NEVER when not allowed.

    Gives up, returning `bound`, as soon as the cost cannot stay below it. Parts and tools are the caller's concern.
    Also returns work seconds.
    """
    row, node, line = draft.stop[m], draft.node, draft.line
    mode, per_s = facts.engineer[m, MODE], facts.rate[m, DRIVE]
    here, clock, cost = row[first - 1, AT], np.int64(row[first - 1, LEAVE]), draft.extra[m, first - 1]
    slack, saved = row[first - 1, SLACK], row[first - 1, SAVED]
    work = 0
    may_fall = facts.bias.shape[0] > 0 or facts.spread > 0.0
    if facts.spread > 0.0:
        for k in range(1, first):
            x = row[k, NODE]
            work += row[k, LEG]
            if node[x, KIND] <= HELP:
                work += node[x, DURATION]
    for k in range(first, n + 1):
        x = line[k]
        kind = node[x, KIND]
        leg = 0
        if kind != REST:
            there = node[x, SITE]
            leg = drive_s(facts.drive, facts.ball, mode, hour_of(facts, clock), here, there)
            here = there
        start = max(clock + leg, node[x, EARLIEST])
        if start > node[x, LATEST] or start < node[x, FLOOR] or (node[x, PIN] > 0 and node[x, PIN] != k):
            return NEVER, 0
        slack, saved = leave_later(facts.node, x, clock + leg, start, slack, saved)
        work += leg
        cost += per_s * leg
        if kind <= HELP:
            work += node[x, DURATION]
            cost += stop_price(node, facts.price, x, m, start)
            if facts.bias.shape[0] > 0:
                cost += facts.bias[m, x]
        if cost >= bound and not may_fall:
            return bound, 0
        clock = start + node[x, DURATION]
    leg = drive_s(
        facts.drive, facts.ball, mode, hour_of(facts, clock), here, node[facts.engineer[m, END_NODE], SITE]
    )
    clock += leg
    if clock > facts.engineer[m, LAST_END]:
        return NEVER, 0
    cost += per_s * leg + facts.rate[m, OVERTIME] * max(0, clock - facts.engineer[m, SHIFT_TO])
    cost += facts.working * (clock - facts.engineer[m, SHIFT_FROM] - saved)
    return cost, work + leg


@kernel_flat
def first_depot(m, facts, draft):
    """The row of the first depot in route `m`, or length + 1."""
    if facts.depots.shape[0] > 0:
        for k in range(1, draft.length[m] + 1):
            if facts.node[draft.stop[m, k, NODE], KIND] == DEPOT:
                return k
    return draft.length[m] + 1


@kernel_flat
def carries(x, m, depot_row, facts, draft):
    """Whether the van alone, before its first depot, still has what visit `x` needs."""
    if facts.lack.shape[0] > 0 and facts.lack[m, x]:
        return False
    for p in range(facts.stock.shape[1]):
        if facts.need[x, p] > 0:
            left = facts.stock[m, p] - facts.need[x, p]
            for k in range(1, depot_row):
                left -= facts.need[draft.stop[m, k, NODE], p]
            if left < 0:
                return False
    return True
