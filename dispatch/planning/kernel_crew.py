"""Visits tied to other routes, compiled: crews meet at an agreed time, and order is kept by agreed moments.

While the search runs, a crew's visits are held at one agreed start and a ticket waiting for another has a floor; `settle`
brings the agreed times to what really happens, which is never later.
"""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel
from dispatch.planning.kernel_edit import insert, start_of, touch
from dispatch.planning.kernel_place_rich import place_rich
from dispatch.planning.kernel_random import uniform
from dispatch.planning.kernel_route import drive_s
from dispatch.planning.kernel_walk import hour_of, rewalk
from dispatch.planning.layout import (
    ARRIVE,
    AT,
    BROKEN,
    DURATION,
    EARLIEST,
    FLOOR,
    LAST_VERSION,
    LATEST,
    LEAVE,
    MODE,
    NODE,
    SITE,
    UNSERVED,
)

CREW_TIMES = 4
SETTLE_ROUNDS = 50


@kernel
def agree(x, facts, draft):
    """Fixes a moment between the last end before ticket `x` and its start, so that neither moves past it."""
    if facts.before.shape[1] == 0 or facts.before[x, 0] < 0:
        return
    floor = draft.node[x, FLOOR]
    for q in range(facts.before.shape[1]):
        y = facts.before[x, q]
        if y >= 0:
            floor = max(floor, start_of(y, draft) + facts.node[y, DURATION])
    draft.node[x, FLOOR] = floor
    start = start_of(x, draft)
    if start > floor:
        floor += int(uniform(draft.rng) * (start - floor + 1))
        draft.node[x, FLOOR] = floor
    for q in range(facts.before.shape[1]):
        y = facts.before[x, q]
        if y >= 0 and facts.crew[y] == 1:
            latest = floor - facts.node[y, DURATION]
            if latest < draft.node[y, LATEST]:
                m = draft.owner[y]
                touch(m, facts, draft)
                draft.node[y, LATEST] = latest
                draft.counters[LAST_VERSION] += 1
                draft.version[m] = draft.counters[LAST_VERSION]


@kernel
def release(x, facts, draft):
    """The latest start of `x` that still suits the tickets waiting for it, after one of them left."""
    if draft.owner[x] < 0 or facts.crew[x] > 1:
        return
    latest = facts.node[x, LATEST]
    for q in range(facts.behind.shape[1]):
        y = facts.behind[x, q]
        if y >= 0 and draft.owner[y] >= 0:
            latest = min(latest, draft.node[y, FLOOR] - facts.node[x, DURATION])
    if latest != draft.node[x, LATEST]:
        m = draft.owner[x]
        touch(m, facts, draft)
        draft.node[x, LATEST] = latest
        draft.counters[LAST_VERSION] += 1
        draft.version[m] = draft.counters[LAST_VERSION]


@kernel
def hold(x, first, last, facts, draft):
    """Sets the earliest and latest start of every member of ticket `x`'s crew, and the floor of its helpers."""
    draft.node[x, EARLIEST], draft.node[x, LATEST] = first, last
    for q in range(facts.crew[x] - 1):
        h = facts.helpers[x, q]
        draft.node[h, EARLIEST], draft.node[h, LATEST], draft.node[h, FLOOR] = (
            first,
            last,
            draft.node[x, FLOOR],
        )


@kernel
def natural_start(x, m, place, facts, draft):
    """When `x` would start at a packed place of route `m`; -1 where a depot call makes that unclear."""
    if place >> 10 > 0:
        return -1
    row = draft.stop[m, place - 1]
    hour = hour_of(facts, np.int64(row[LEAVE]))
    leg = drive_s(facts.drive, facts.ball, facts.engineer[m, MODE], hour, row[AT], draft.node[x, SITE])
    return np.int64(max(row[LEAVE] + leg, draft.node[x, EARLIEST]))


@kernel
def note_time(which, start, price, draft):
    """Keeps the cheapest few different starts of a kind: 0 found for a lead, 1 for a helper."""
    if start < 0:
        return
    worst = 0
    for q in range(CREW_TIMES):
        if draft.crew_time[which, q] == start:
            draft.crew_price[which, q] = min(draft.crew_price[which, q], price)
            return
        if draft.crew_price[which, q] > draft.crew_price[which, worst]:
            worst = q
    if price < draft.crew_price[which, worst]:
        draft.crew_time[which, worst], draft.crew_price[which, worst] = start, price


@kernel
def bring_crew(x, blink, mean, facts, draft):
    """Inserts every member of ticket `x`'s crew at the agreed start that costs least; returns whether that pays."""
    if not likely_times(x, mean, facts, draft):
        return False
    best, best_start = facts.price[x, UNSERVED], -1
    for which in range(2):
        for q in range(CREW_TIMES):
            start = draft.crew_time[which, q]
            if start < 0 or start < draft.node[x, FLOOR]:
                continue
            hold(x, start, start, facts, draft)
            cost = meet(x, best, blink, mean, facts, draft)
            if cost < best:
                best, best_start = cost, start
                for z in range(facts.crew[x]):
                    draft.member[1, z], draft.member_place[1, z] = (
                        draft.member[0, z],
                        draft.member_place[0, z],
                    )
    if best_start < 0:
        hold(x, np.int64(facts.node[x, EARLIEST]), np.int64(facts.node[x, LATEST]), facts, draft)
        return False
    hold(x, best_start, best_start, facts, draft)
    for z in range(facts.crew[x]):
        y = x if z == 0 else facts.helpers[x, z - 1]
        insert(y, draft.member[1, z], draft.member_place[1, z], facts, draft)
    return True


@kernel
def likely_times(x, mean, facts, draft):
    """Notes the starts that suit single members best; returns whether anyone can lead."""
    bound, h = facts.price[x, UNSERVED], facts.helpers[x, 0]
    hold(x, np.int64(facts.node[x, EARLIEST]), np.int64(facts.node[x, LATEST]), facts, draft)
    for which in range(2):
        for q in range(CREW_TIMES):
            draft.crew_time[which, q], draft.crew_price[which, q] = -1, BROKEN
    found = False
    for q in range(facts.choices[x]):
        m = facts.option[x, q]
        cost, place = place_rich(x, m, bound, mean, facts, draft)
        if place >= 0:
            found = True
            note_time(0, natural_start(x, m, place, facts, draft), cost, draft)
    if not found:
        return False
    for m in range(draft.length.shape[0]):
        if facts.may_help[m, x]:
            cost, place = place_rich(h, m, bound, mean, facts, draft)
            if place >= 0:
                note_time(1, natural_start(h, m, place, facts, draft), cost, draft)
    return True


@kernel
def meet(x, bound, blink, mean, facts, draft):
    """The cost of the cheapest crew for ticket `x` at its held start; row 0 of member gets who, lead first."""
    team = draft.length.shape[0]
    for m in range(team):
        draft.help_price[m] = BROKEN
        if facts.may_help[m, x] and uniform(draft.rng) >= blink:
            cost, place = place_rich(facts.helpers[x, 0], m, bound, mean, facts, draft)
            if place >= 0:
                draft.help_price[m], draft.help_place[m] = cost, place
    best = bound
    for q in range(facts.choices[x]):
        m = facts.option[x, q]
        if uniform(draft.rng) < blink:
            continue
        cost, place = place_rich(x, m, best, mean, facts, draft)
        if place >= 0:
            cost = add_helpers(x, m, cost, best, facts, draft)
            if cost < best:
                best = cost
                draft.member[0, 0], draft.member_place[0, 0] = m, place
                for z in range(1, facts.crew[x]):
                    draft.member[0, z], draft.member_place[0, z] = (
                        draft.member[2, z],
                        draft.member_place[2, z],
                    )
    return best


@kernel
def add_helpers(x, lead, cost, bound, facts, draft):
    """`cost` plus that of the cheapest helpers beside `lead`; row 2 of member gets who. Stops once above `bound`."""
    for z in range(1, facts.crew[x]):
        chosen = -1
        for m in range(draft.length.shape[0]):
            if draft.help_price[m] >= BROKEN or m == lead or (m < lead and takes_lead(m, x, facts)):
                continue
            taken = False
            for y in range(1, z):
                taken = taken or draft.member[2, y] == m
            if not taken and (chosen < 0 or draft.help_price[m] < draft.help_price[chosen]):
                chosen = m
        if chosen < 0 or cost >= bound:
            return bound
        cost += draft.help_price[chosen]
        draft.member[2, z], draft.member_place[2, z] = chosen, draft.help_place[chosen]
    return cost


@kernel
def takes_lead(m, x, facts):
    """Whether engineer `m`, standing earlier in the list, would be the one whose tools and parts count for `x`."""
    if facts.lack.shape[0] == 0 and facts.stock.shape[1] == 0:
        return False
    return facts.skilled[m, x]


@kernel
def settle(upwards, facts, draft):
    """Brings every crew's agreed start to what its members' arrivals make it; returns whether that came to rest.

    `upwards` starts from nothing agreed, for routes given from outside. Routes are walked anew, costs refreshed.
    """
    for x in range(facts.crew.shape[0]):
        if facts.crew[x] > 1 and draft.owner[x] >= 0 and upwards:
            hold(x, np.int64(facts.node[x, EARLIEST]), np.int64(facts.node[x, LATEST]), facts, draft)
    if upwards:
        for m in range(draft.length.shape[0]):
            draft.cost[m], draft.work[m] = rewalk(m, facts, draft)
    for _ in range(SETTLE_ROUNDS):
        calm = True
        for x in range(facts.crew.shape[0]):
            if facts.crew[x] == 1 or draft.owner[x] < 0:
                continue
            start = np.int64(max(facts.node[x, EARLIEST], arrival_of(x, draft)))
            for q in range(facts.crew[x] - 1):
                start = max(start, arrival_of(facts.helpers[x, q], draft))
            if start != draft.node[x, EARLIEST] and (start < draft.node[x, EARLIEST] or upwards):
                calm = False
                hold(x, start, np.int64(facts.node[x, LATEST]) if upwards else start, facts, draft)
                walk_again(draft.owner[x], facts, draft)
                for q in range(facts.crew[x] - 1):
                    walk_again(draft.owner[facts.helpers[x, q]], facts, draft)
        if calm:
            for x in range(facts.crew.shape[0]):
                if facts.crew[x] > 1 and draft.owner[x] >= 0 and not upwards:
                    start = np.int64(draft.node[x, EARLIEST])
                    hold(x, start, min(start, np.int64(facts.node[x, LATEST])), facts, draft)
            agree_again(facts, draft)
            return True
    return False


@kernel
def agree_again(facts, draft):
    """Moves each agreed moment between a ticket and those it waits for to the middle of what is really free."""
    if facts.before.shape[1] == 0:
        return
    for x in range(facts.before.shape[0]):
        if draft.owner[x] < 0 or facts.before[x, 0] < 0:
            continue
        floor = facts.node[x, FLOOR]
        for q in range(facts.before.shape[1]):
            y = facts.before[x, q]
            if y >= 0:
                floor = max(floor, start_of(y, draft) + facts.node[y, DURATION])
        draft.node[x, FLOOR] = floor + max(0, start_of(x, draft) - floor) // 2
        for q in range(facts.crew[x] - 1):
            draft.node[facts.helpers[x, q], FLOOR] = draft.node[x, FLOOR]
    for x in range(facts.before.shape[0]):
        if draft.owner[x] < 0:
            continue
        if facts.crew[x] == 1 and facts.behind[x, 0] >= 0:
            latest = facts.node[x, LATEST]
            for q in range(facts.behind.shape[1]):
                y = facts.behind[x, q]
                if y >= 0 and draft.owner[y] >= 0:
                    latest = min(latest, draft.node[y, FLOOR] - facts.node[x, DURATION])
            draft.node[x, LATEST] = latest
            walk_again(draft.owner[x], facts, draft)
        if facts.before[x, 0] >= 0:
            walk_again(draft.owner[x], facts, draft)


@kernel
def walk_again(m, facts, draft):
    draft.cost[m], draft.work[m] = rewalk(m, facts, draft)
    draft.counters[LAST_VERSION] += 1
    draft.version[m] = draft.counters[LAST_VERSION]


@kernel
def arrival_of(x, draft):
    m, k = draft.owner[x], 1
    while draft.stop[m, k, NODE] != x:
        k += 1
    return draft.stop[m, k, ARRIVE]
