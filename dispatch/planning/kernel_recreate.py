"""Recreate, compiled: each open ticket returns where it costs least, or stays open where that is dearer."""

from __future__ import annotations

from dispatch.planning.kernel import kernel, kernel_inline
from dispatch.planning.kernel_crew import agree, bring_crew
from dispatch.planning.kernel_edit import close_up, insert, start_of
from dispatch.planning.kernel_place import place_plain
from dispatch.planning.kernel_place_rich import place_rich
from dispatch.planning.kernel_random import uniform
from dispatch.planning.layout import (
    ASKED,
    DUE,
    DURATION,
    EARLIEST,
    FLOOR,
    LATEST,
    MAX_VISITS,
    MEMO_COST,
    MEMO_PLACE,
    MEMO_VERSION,
    PLACED,
    UNSERVED,
)

ALL_ROUTES = 0.03
NEAREST_HOMES = 6


@kernel_inline
def sort_key(rule, x, facts, draft):
    """The order in which open tickets return, smallest first, by one of six rules."""
    node = facts.node
    if rule < 0.30:
        return uniform(draft.rng)
    if rule < 0.50:
        return -facts.price[x, UNSERVED] + uniform(draft.rng)
    if rule < 0.65:
        return float(min(node[x, LATEST], node[x, DUE]))
    if rule < 0.80:
        return float(node[x, LATEST] - node[x, EARLIEST])
    if rule < 0.90:
        return -float(node[x, DURATION])
    return float(facts.choices[x])


@kernel_inline
def listed(blink, facts, draft):
    """How many nearest tickets name the routes to try; now and then, and where nothing is overlooked, 0: all routes."""
    if facts.reach == 0 or blink == 0.0 or uniform(draft.rng) < ALL_ROUTES:
        return 0
    return min(facts.reach, facts.near.shape[1])


@kernel_inline
def candidates(x, reach, near, choices):
    """How many times to ask `candidate`."""
    if reach == 0:
        return choices[x]
    return reach + min(NEAREST_HOMES, choices[x])


@kernel_inline
def candidate(x, q, reach, near, owner, option, able, asked, question):
    """The q-th engineer to try for `x`, -1 for none or tried before: those serving near tickets, then near homes."""
    if reach == 0:
        return option[x, q]
    if q < reach:
        m = owner[near[x, q]]
        if m < 0 or not able[x, m]:
            return -1
    else:
        m = option[x, q - reach]
    if asked[m] == question:
        return -1
    asked[m] = question
    return m


@kernel_inline
def cheapest_plain(
    x,
    bound,
    blink,
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
    option,
    choices,
    version,
    memo,
    rng,
    near,
    owner,
    able,
    asked,
    question,
    reach,
    mark,
    later,
):
    """(added cost, engineer, row) of the cheapest insertion below `bound`; engineer -1 where there is none.

    Routes changed in this round come last, when little is left to beat: what is found there is not remembered, for most
    rounds are undone, and what was known of the route then still holds. Each route is overlooked with probability
    `blink`, so that the search does not repeat itself.
    """
    best_m, best_place = -1, -1
    most, count, waiting, q = bound, candidates(x, reach, near, choices), 0, 0
    while q < count + waiting:
        if q >= count:
            m = later[q - count]
        else:
            m = candidate(x, q, reach, near, owner, option, able, asked, question)
            if m >= 0 and mark[m] == 1:
                later[waiting] = m
                waiting += 1
                m = -1
        q += 1
        if m < 0:
            continue
        known = memo[x, m]
        if mark[m] == 0 and known[MEMO_VERSION] == version[m]:
            cost, place = known[MEMO_COST], int(known[MEMO_PLACE])
        elif length[m] >= engineer[m, MAX_VISITS]:
            continue
        else:
            cost, place = place_plain(
                x,
                m,
                bound if mark[m] == 1 else most,
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
            )
            if mark[m] == 0:
                known[MEMO_VERSION], known[MEMO_COST], known[MEMO_PLACE] = version[m], cost, place
        if place >= 0 and cost < bound and (blink == 0.0 or uniform(rng) >= blink):
            bound, best_m, best_place = cost, m, place
    return bound, best_m, best_place


@kernel
def cheapest_rich(x, bound, blink, mean, facts, draft):
    """The same under every rule, with packed places."""
    best_m, best_place = -1, -1
    draft.counters[ASKED] += 1
    reach = listed(blink, facts, draft)
    for q in range(candidates(x, reach, facts.near, facts.choices)):
        m = candidate(
            x, q, reach, facts.near, draft.owner, facts.option, facts.able, draft.asked, draft.counters[ASKED]
        )
        if m < 0:
            continue
        known = draft.memo[x, m]
        if known[MEMO_VERSION] == draft.version[m]:
            cost, place = known[MEMO_COST], int(known[MEMO_PLACE])
            if cost >= bound:
                continue
        else:
            place = -1
        if place < 0:
            cost, place = place_rich(x, m, bound, mean, facts, draft)
            known[MEMO_VERSION], known[MEMO_COST], known[MEMO_PLACE] = draft.version[m], cost, place
            if place < 0:
                continue
        if blink == 0.0 or uniform(draft.rng) >= blink:
            bound, best_m, best_place = cost, m, place
    return bound, best_m, best_place


@kernel_inline
def cheapest(x, bound, blink, mean, facts, draft):
    """(added cost, engineer, packed place) of the cheapest insertion of ticket `x` below `bound`."""
    if facts.rich:
        return cheapest_rich(x, bound, blink, mean, facts, draft)
    draft.counters[ASKED] += 1
    return cheapest_plain(
        x,
        bound,
        blink,
        draft.stop,
        draft.extra,
        draft.length,
        draft.node,
        facts.price,
        facts.engineer,
        facts.rate,
        facts.bias,
        facts.drive,
        facts.both,
        facts.ball,
        draft.legs,
        facts.option,
        facts.choices,
        draft.version,
        draft.memo,
        draft.rng,
        facts.near,
        draft.owner,
        facts.able,
        draft.asked,
        draft.counters[ASKED],
        listed(blink, facts, draft),
        draft.mark,
        draft.later,
    )


@kernel_inline
def bring_back(x, blink, mean, facts, draft):
    """Inserts ticket `x` where it costs least, if that is less than leaving it open.

    Returns what its route then costs more (of a crew: nothing), or the price of leaving it open.
    """
    added = 0.0
    if facts.tied.shape[0] > 0 and not ready(x, facts, draft):
        return facts.price[x, UNSERVED]
    if facts.tied.shape[0] > 0 and facts.crew[x] > 1:
        if not bring_crew(x, blink, mean, facts, draft):
            return facts.price[x, UNSERVED]
    else:
        _, m, place = cheapest(x, facts.price[x, UNSERVED], blink, mean, facts, draft)
        if m < 0 or draft.length[m] + 3 >= draft.stop.shape[1]:
            return facts.price[x, UNSERVED]
        added = -draft.cost[m]
        insert(x, m, place, facts, draft)
        added += draft.cost[m]
        if facts.tied.shape[0] > 0:
            agree(x, facts, draft)
    close_up(x, draft)
    draft.placed[draft.counters[PLACED]] = x
    draft.counters[PLACED] += 1
    return added


@kernel
def ready(x, facts, draft):
    """Whether all that must come before ticket `x` is in a route; sets the earliest start that leaves it.

    What was found under another start is forgotten: a round undone brings the start back, but not the memo.
    """
    floor = facts.node[x, FLOOR]
    for q in range(facts.before.shape[1]):
        y = facts.before[x, q]
        if y < 0:
            break
        if draft.owner[y] < 0:
            return False
        floor = max(floor, start_of(y, draft) + facts.node[y, DURATION])
    if facts.before.shape[1] > 0 and facts.before[x, 0] >= 0:
        draft.node[x, FLOOR] = floor
        for m in range(draft.memo.shape[1]):
            draft.memo[x, m, MEMO_VERSION] = 0.0
    return True
