"""Small changes to the plan in work, compiled: each keeps routes, owners, open tickets and undo in step."""

from __future__ import annotations

from dispatch.planning.kernel import kernel, kernel_flat, kernel_inline
from dispatch.planning.kernel_place_rich import put_in, tidy
from dispatch.planning.kernel_route import retime
from dispatch.planning.kernel_walk import rewalk
from dispatch.planning.layout import GONE, LAST_VERSION, NODE, OPEN, START, STOP_WIDTH, TOUCHED


@kernel_flat
def touch(m, facts, draft):
    """Saves route `m` as it stood before this round, once."""
    if draft.mark[m] == 1:
        return
    draft.mark[m] = 1
    draft.touched[draft.counters[TOUCHED]] = m
    draft.counters[TOUCHED] += 1
    n = draft.length[m]
    draft.saved_length[m] = n
    draft.saved_cost[m] = draft.cost[m]
    draft.saved_work[m] = draft.work[m]
    draft.saved_version[m] = draft.version[m]
    if facts.rich:
        for k in range(1, n + 1):
            draft.saved[m, k, NODE] = draft.stop[m, k, NODE]
        return
    for k in range(n + 2):
        draft.saved_extra[m, k] = draft.extra[m, k]
        for column in range(STOP_WIDTH):
            draft.saved[m, k, column] = draft.stop[m, k, column]


@kernel_inline
def put_back(m, facts, draft):
    """Route `m` as `touch` saved it."""
    n = draft.saved_length[m]
    draft.length[m] = n
    if facts.rich:
        for k in range(1, n + 1):
            draft.stop[m, k, NODE] = draft.saved[m, k, NODE]
        rewalk(m, facts, draft)
    else:
        draft.visits[m] = n
        for k in range(n + 2):
            draft.extra[m, k] = draft.saved_extra[m, k]
            for column in range(STOP_WIDTH):
                draft.stop[m, k, column] = draft.saved[m, k, column]
    draft.version[m] = draft.saved_version[m]
    draft.cost[m] = draft.saved_cost[m]
    draft.work[m] = draft.saved_work[m]


@kernel_inline
def refresh(m, facts, draft):
    """Walks a changed route `m` anew and gives it a new version."""
    if facts.rich:
        tidy(m, facts, draft)
    else:
        retime(m, facts, draft)
    draft.counters[LAST_VERSION] += 1
    draft.version[m] = draft.counters[LAST_VERSION]


@kernel_inline
def recognise(facts, draft):
    """Gives routes that stand as they did before this round their version back: what is known of them holds still."""
    if facts.rich:
        return
    for k in range(draft.counters[TOUCHED]):
        m = draft.touched[k]
        j, n = 1, draft.length[m]
        if n == draft.saved_length[m]:
            while j <= n and draft.stop[m, j, NODE] == draft.saved[m, j, NODE]:
                j += 1
            if j > n:
                draft.version[m] = draft.saved_version[m]


@kernel_inline
def open_up(x, draft):
    """Ticket `x` joins the tickets in no route."""
    draft.open_at[x] = draft.counters[OPEN]
    draft.open_list[draft.counters[OPEN]] = x
    draft.counters[OPEN] += 1


@kernel_inline
def close_up(x, draft):
    """Ticket `x` leaves the tickets in no route."""
    draft.counters[OPEN] -= 1
    other = draft.open_list[draft.counters[OPEN]]
    draft.open_list[draft.open_at[x]] = other
    draft.open_at[other] = draft.open_at[x]


@kernel_inline
def leave_route(x, m, draft):
    """Notes that visit `x` left route `m`; the caller has taken it out of the row."""
    draft.gone[draft.counters[GONE]] = x
    draft.gone_from[draft.counters[GONE]] = m
    draft.counters[GONE] += 1
    draft.owner[x] = -1


@kernel
def pull_out(x, facts, draft):
    """Takes one visit out of whatever route it is in."""
    m = draft.owner[x]
    if m < 0:
        return
    touch(m, facts, draft)
    n, write = draft.length[m], 1
    for k in range(1, n + 1):
        y = draft.stop[m, k, NODE]
        if y != x:
            draft.stop[m, write, NODE] = y
            write += 1
    draft.length[m] = n - 1
    leave_route(x, m, draft)


@kernel_inline
def insert(x, m, place, facts, draft):
    """Puts visit `x` into route `m` and walks it anew."""
    touch(m, facts, draft)
    put_in(x, m, place, facts, draft)
    draft.owner[x] = m
    refresh(m, facts, draft)


@kernel
def start_of(x, draft):
    """When visit `x` starts in its route."""
    m, k = draft.owner[x], 1
    while draft.stop[m, k, NODE] != x:
        k += 1
    return draft.stop[m, k, START]


@kernel
def take_out(x, facts, draft):
    """Takes ticket `x` with all its crew out of the plan, outside any round, and opens it; nothing agreed remains."""
    was_in = draft.owner[x] >= 0
    pull_out(x, facts, draft)
    for q in range(facts.crew[x] - 1):
        pull_out(facts.helpers[x, q], facts, draft)
    for k in range(draft.counters[GONE]):
        for column in range(facts.node.shape[1]):
            draft.node[draft.gone[k], column] = facts.node[draft.gone[k], column]
    if was_in:
        open_up(x, draft)
    for k in range(draft.counters[TOUCHED]):
        draft.mark[draft.touched[k]] = 0
        refresh(draft.touched[k], facts, draft)
    draft.counters[TOUCHED] = 0
    draft.counters[GONE] = 0


@kernel
def insert_visit(x, m, place, facts, draft):
    """`insert` for callers outside the kernels."""
    insert(x, m, place, facts, draft)


@kernel
def refresh_route(m, facts, draft):
    """`refresh` for callers outside the kernels."""
    refresh(m, facts, draft)


@kernel
def close_ticket(x, draft):
    """`close_up` for callers outside the kernels."""
    close_up(x, draft)
