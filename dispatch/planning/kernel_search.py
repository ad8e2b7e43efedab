"""Ruin and recreate on the true objective, compiled: slack induction by string removals with remembered insertions.

Method: Christiaens and Vanden Berghe, "Slack Induction by String Removals for Vehicle Routing Problems", Transportation
Science 54 (2020), doi:10.1287/trsc.2019.0914; here with optional visits priced by priority, and with a memo: the cheapest
place of a visit in a route stays known until that route changes.
"""

from __future__ import annotations

import math

import numpy as np

from dispatch.planning.kernel import kernel, kernel_inline
from dispatch.planning.kernel_crew import settle
from dispatch.planning.kernel_edit import close_up, open_up, put_back, recognise, refresh
from dispatch.planning.kernel_random import below, uniform
from dispatch.planning.kernel_recreate import bring_back, sort_key
from dispatch.planning.kernel_ruin import ruin
from dispatch.planning.layout import (
    CENTRE,
    CHANGED,
    EARLIEST,
    FLOOR,
    GONE,
    LATEST,
    NODE,
    ON_SHIFT,
    OPEN,
    PLACED,
    STAY,
    STAYS,
    TOUCHED,
    UNSERVED,
)

STRING_MAX = 10
NEAR_OPEN = 6
FAR_OPEN = 3


@kernel_inline
def mean_work(facts, draft):
    """Mean of the work seconds of the engineers with a shift; 0 where the spread has no price."""
    if facts.spread == 0.0:
        return 0.0
    total, count = 0.0, 0
    for m in range(draft.length.shape[0]):
        if facts.engineer[m, ON_SHIFT] == 1:
            total += draft.work[m]
            count += 1
    return total / max(1, count)


@kernel
def score(facts, draft):
    """The whole objective: routes, open tickets, workload spread."""
    total = 0.0
    for m in range(draft.length.shape[0]):
        total += draft.cost[m]
    for k in range(draft.counters[OPEN]):
        total += facts.price[draft.open_list[k], UNSERVED]
    if facts.spread > 0.0:
        mean = mean_work(facts, draft)
        for m in range(draft.length.shape[0]):
            if facts.engineer[m, ON_SHIFT] == 1:
                total += facts.spread * abs(draft.work[m] - mean)
    return total


@kernel_inline
def changed_score(current, spread, facts, draft):
    """`current` after this round's changes, from the routes and tickets it touched; (score, spread part)."""
    new = current - spread
    for k in range(draft.counters[TOUCHED]):
        m = draft.touched[k]
        new += draft.cost[m] - draft.saved_cost[m]
    for k in range(draft.counters[GONE]):
        if draft.gone[k] < facts.crew.shape[0]:
            new += facts.price[draft.gone[k], UNSERVED]
    for k in range(draft.counters[PLACED]):
        new -= facts.price[draft.placed[k], UNSERVED]
    now = spread_price(facts, draft)
    return new + now, now


@kernel
def spread_price(facts, draft):
    if facts.spread == 0.0:
        return 0.0
    mean, total = mean_work(facts, draft), 0.0
    for m in range(draft.length.shape[0]):
        if facts.engineer[m, ON_SHIFT] == 1:
            total += abs(draft.work[m] - mean)
    return facts.spread * total


@kernel_inline
def gather(seed, facts, draft):
    """Fills the pool with the tickets just removed, some open ones nearby and a few from anywhere; returns how many."""
    count, tickets = 0, facts.crew.shape[0]
    for k in range(draft.counters[GONE]):
        x = draft.gone[k]
        if x < tickets:
            open_up(x, draft)
            draft.pool[count] = x
            draft.in_pool[x] = 1
            count += 1
    if draft.counters[OPEN] > count:
        limit = count + NEAR_OPEN
        for q in range(facts.near.shape[1]):
            c = facts.near[seed, q]
            if count >= limit:
                break
            if draft.owner[c] < 0 and draft.in_pool[c] == 0 and uniform(draft.rng) < 0.5:
                draft.pool[count] = c
                draft.in_pool[c] = 1
                count += 1
        for _ in range(FAR_OPEN):
            c = draft.open_list[below(draft.rng, draft.counters[OPEN])]
            if draft.in_pool[c] == 0:
                draft.pool[count] = c
                draft.in_pool[c] = 1
                count += 1
    return count


@kernel_inline
def sort_pool(count, pool, key):
    """Sorts the first `count` tickets of the pool by their keys, in place; few at a time, so by insertion."""
    for k in range(1, count):
        x, value, j = pool[k], key[k], k - 1
        while j >= 0 and key[j] > value:
            pool[j + 1], key[j + 1] = pool[j], key[j]
            j -= 1
        pool[j + 1], key[j + 1] = x, value


@kernel_inline
def put_in_order(count, facts, draft):
    """Sorts the pool's `count` tickets by a rule drawn for this round."""
    rule = uniform(draft.rng)
    for k in range(count):
        draft.key[k] = sort_key(rule, draft.pool[k], facts, draft)
        draft.in_pool[draft.pool[k]] = 0
    sort_pool(count, draft.pool, draft.key)


@kernel_inline
def least_score(count, current, facts, draft):
    """What the plan would cost if the pool's `count` tickets, all out of their routes, returned for nothing."""
    least = current
    for k in range(draft.counters[TOUCHED]):
        m = draft.touched[k]
        least += draft.cost[m] - draft.saved_cost[m]
    for k in range(draft.counters[GONE]):
        if draft.gone[k] < facts.crew.shape[0]:
            least += facts.price[draft.gone[k], UNSERVED]
    for k in range(count):
        least -= facts.price[draft.pool[k], UNSERVED]
    return least


@kernel_inline
def recreate(count, blink, current, limit, facts, draft):
    """Returns the pool's tickets one by one to the routes; those that must wait for others get a second turn.

    Where no ticket can lower the score by returning, it ends as soon as that is sure to reach `limit`: False then.
    """
    mean = mean_work(facts, draft)
    watched = facts.bias.shape[0] == 0 and facts.spread == 0.0 and facts.tied.shape[0] == 0
    least = least_score(count, current, facts, draft)
    turns = 2 if facts.before.shape[1] > 0 else 1
    for turn in range(turns):
        for z in range(count):
            x = draft.pool[z]
            if draft.owner[x] < 0 and (turn == 0 or facts.before[x, 0] >= 0):
                least += bring_back(x, blink, mean, facts, draft)
                if watched and least >= limit:
                    return False
    return True


@kernel_inline
def undo(facts, draft):
    """Puts every route, owner and agreed time back to where this round found it."""
    counters, tickets = draft.counters, facts.crew.shape[0]
    for k in range(counters[PLACED] - 1, -1, -1):
        x = draft.placed[k]
        draft.owner[x] = -1
        open_up(x, draft)
        for q in range(facts.crew[x] - 1):
            draft.owner[facts.helpers[x, q]] = -1
    for k in range(counters[GONE]):
        x = draft.gone[k]
        draft.owner[x] = draft.gone_from[k]
        if x < tickets:
            close_up(x, draft)
    if facts.tied.shape[0] > 0:
        restore_ties(facts, draft)
    for k in range(counters[TOUCHED]):
        put_back(draft.touched[k], facts, draft)


@kernel
def save_ties(facts, draft):
    for k in range(facts.tied.shape[0]):
        x = facts.tied[k]
        draft.saved_node[k, 0] = draft.node[x, EARLIEST]
        draft.saved_node[k, 1] = draft.node[x, LATEST]
        draft.saved_node[k, 2] = draft.node[x, FLOOR]


@kernel
def restore_ties(facts, draft):
    for k in range(facts.tied.shape[0]):
        x = facts.tied[k]
        draft.node[x, EARLIEST] = draft.saved_node[k, 0]
        draft.node[x, LATEST] = draft.saved_node[k, 1]
        draft.node[x, FLOOR] = draft.saved_node[k, 2]


@kernel_inline
def begin_round(facts, draft):
    for k in range(draft.counters[TOUCHED]):
        draft.mark[draft.touched[k]] = 0
    draft.counters[TOUCHED] = 0
    draft.counters[GONE] = 0
    draft.counters[PLACED] = 0
    if facts.tied.shape[0] > 0:
        save_ties(facts, draft)


@kernel
def keep_best(draft):
    """Copies the routes that are not yet those of the best plan."""
    for m in range(draft.length.shape[0]):
        if draft.best_version[m] != draft.version[m]:
            draft.best_version[m] = draft.version[m]
            draft.best_length[m] = draft.length[m]
            for k in range(1, draft.length[m] + 1):
                draft.best_stop[m, k] = draft.stop[m, k, NODE]


@kernel_inline
def draw_seed(facts, draft):
    """A ticket near a centre that stays for a while: the routes around are then still in the caches, and of those
    farther off everything asked is still known.
    """
    counters = draft.counters
    if counters[STAYS] == 0:
        counters[STAYS] = max(1, counters[STAY])
        counters[CENTRE] = below(draft.rng, facts.crew.shape[0])
    counters[STAYS] -= 1
    q = below(draft.rng, facts.near.shape[1] + 1)
    if q == 0:
        return counters[CENTRE]
    return np.int64(facts.near[counters[CENTRE], q - 1])


@kernel_inline
def shake(ruined, facts, draft):
    """Ruins around a ticket and fills the pool with what is to return, in its order; returns how many."""
    team, tickets = draft.length.shape[0], facts.crew.shape[0]
    mean_length = (tickets - draft.counters[OPEN]) / team
    string_max = int(min(float(STRING_MAX), max(1.0, mean_length)))
    target = int(1.0 + uniform(draft.rng) * max(0.0, 4.0 * ruined / (1.0 + string_max) - 1.0))
    seed = draw_seed(facts, draft)
    ruin(seed, target, string_max, facts, draft)
    for k in range(draft.counters[TOUCHED]):
        refresh(draft.touched[k], facts, draft)
    count = gather(seed, facts, draft)
    put_in_order(count, facts, draft)
    return count


@kernel
def search(given, iterations, done, total, hot, cold, ruined, blink, best, facts, draft):
    """Runs `iterations` rounds of ruin and recreate; returns (current, best) scores.

    Round i of `total` accepts with temperature hot × (cold / hot) ** (i / total), counting from `done`; `ruined` is the
    mean number of visits removed a round. With `given` above 0 there is one round that ruins nothing, inserts the first
    `given` tickets of the pool in their order and stands, crews meeting as they do.
    """
    current = score(facts, draft)
    spread = spread_price(facts, draft)
    for i in range(iterations):
        heat = hot * (cold / hot) ** min(1.0, (done + i) / total)
        begin_round(facts, draft)
        count = given
        if given == 0:
            count = shake(ruined, facts, draft)
        limit = math.inf
        if given == 0:
            limit = current - heat * math.log(uniform(draft.rng) + 1e-300)
        hopeful = recreate(count, blink, current, limit, facts, draft)
        if given > 0:
            begin_round(facts, draft)
            if facts.tied.shape[0] > 0:
                settle(False, facts, draft)
            current = score(facts, draft)
            return current, current
        new, new_spread = changed_score(current, spread, facts, draft)
        if not hopeful or new >= limit:
            undo(facts, draft)
            continue
        recognise(facts, draft)
        if abs(new - current) > 1e-9:
            draft.counters[CHANGED] += 1
        current, spread = new, new_spread
        if current < best - 1e-6:
            if facts.tied.shape[0] > 0:
                settle(False, facts, draft)
                current = score(facts, draft)
                spread = spread_price(facts, draft)
                if current >= best - 1e-6:
                    continue
            best = current
            keep_best(draft)
    return current, best
