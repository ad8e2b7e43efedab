"""Ruin, compiled: strings of neighbouring visits leave their routes; whatever depends on them leaves too."""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel, kernel_inline
from dispatch.planning.kernel_crew import release
from dispatch.planning.kernel_edit import leave_route, pull_out, touch
from dispatch.planning.kernel_random import below, uniform
from dispatch.planning.layout import FIXED, GONE, HELP, KIND, LEAD, NODE, PIN

SPLIT_DEPTH = 0.01


@kernel
def ruin(seed, target, string_max, facts, draft):
    """Takes strings of visits near ticket `seed` out of about `target` routes; their times are stale afterwards."""
    strings = 0
    for q in range(-1, facts.near.shape[1]):
        c = seed if q < 0 else facts.near[seed, q]
        m = draft.owner[c]
        if m < 0 or draft.mark[m] == 1:
            continue
        if strings >= target:
            break
        strings += take_string(c, m, string_max, facts, draft)
    if facts.tied.shape[0] > 0:
        cascade(facts, draft)


@kernel_inline
def take_string(c, m, string_max, facts, draft):
    """Removes a string of up to `string_max` stops of route `m` holding visit `c`, perhaps keeping some inside it.

    Breaks and depots stay. Returns 1, or 0 where nothing may leave.
    """
    n, fixed = draft.length[m], facts.engineer[m, FIXED]
    at = 1
    while draft.stop[m, at, NODE] != c:
        at += 1
    if at <= fixed or draft.node[c, PIN] > 0:
        return 0
    touch(m, facts, draft)
    free = n - fixed
    take = min(free, 1 + below(draft.rng, min(free, string_max)))
    kept = 0
    if free > take and uniform(draft.rng) < 0.5:
        kept = 1
        while take + kept < free and uniform(draft.rng) > SPLIT_DEPTH:
            kept += 1
            if uniform(draft.rng) < 0.5:
                break
    span = take + kept
    low = max(fixed + 1, at - span + 1)
    high = min(at, n - span + 1)
    first = low + below(draft.rng, high - low + 1)
    hole = first + below(draft.rng, take + 1)
    write = first
    for k in range(first, n + 1):
        x = np.int64(draft.stop[m, k, NODE])
        leaves = k < first + span and not (kept > 0 and hole <= k < hole + kept)
        if leaves and draft.node[x, KIND] <= HELP and draft.node[x, PIN] == 0:
            leave_route(x, m, draft)
        else:
            draft.stop[m, write, NODE] = x
            write += 1
    draft.length[m] = write - 1
    return 1


@kernel
def cascade(facts, draft):
    """Whoever shares a crew with a removed visit, or waits for it, is removed too; then agreed times are undone."""
    k = 0
    while k < draft.counters[GONE]:
        x = np.int64(draft.node[draft.gone[k], LEAD])
        pull_out(x, facts, draft)
        for q in range(facts.helpers.shape[1]):
            if facts.helpers[x, q] >= 0:
                pull_out(facts.helpers[x, q], facts, draft)
        for q in range(facts.behind.shape[1]):
            if facts.behind[x, q] >= 0:
                pull_out(facts.behind[x, q], facts, draft)
        k += 1
    for k in range(draft.counters[GONE]):
        x = draft.gone[k]
        for column in range(facts.node.shape[1]):
            draft.node[x, column] = facts.node[x, column]
        lead = np.int64(facts.node[x, LEAD])
        for q in range(facts.before.shape[1]):
            if facts.before[lead, q] >= 0:
                release(facts.before[lead, q], facts, draft)
