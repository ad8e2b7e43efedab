"""Compiled loops of map matching: short searches between candidates, and the most likely sequence of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def _search(
    first: int, rest_m: float, limit_m: float, length: Array, turn_start: Array, turn_to: Array,
    around: Array,
    around_m: float, reached: Array, before: Array, touched: Array,
) -> int:  # fmt: skip
    """Metres from a place on state `first` (rest_m before its end) to the start of every state within
    limit_m.

    Fills reached (infinite before) and before (the state one came from, `first` marked by -1) for
    touched[:count].
    """
    heap_m = [0.0 for _ in range(0)]
    heap_s = [0 for _ in range(0)]
    count = 0
    for t in range(turn_start[first], turn_start[first + 1]):
        state = turn_to[t]
        metres = rest_m + (around_m if around[t] else 0.0)
        if metres <= limit_m and metres < reached[state]:
            if np.isinf(reached[state]):
                touched[count] = state
                count += 1
            reached[state], before[state] = metres, -1
            _push(heap_m, heap_s, metres, state)
    while len(heap_m) > 0:
        here, state = _pop(heap_m, heap_s)
        if here > reached[state]:
            continue
        for t in range(turn_start[state], turn_start[state + 1]):
            metres = here + length[state] + (around_m if around[t] else 0.0)
            nxt = turn_to[t]
            if metres <= limit_m and metres < reached[nxt]:
                if np.isinf(reached[nxt]):
                    touched[count] = nxt
                    count += 1
                reached[nxt], before[nxt] = metres, state
                _push(heap_m, heap_s, metres, nxt)
    return count


@njit(cache=True, nogil=True)
def _push(keys: list[float], items: list[int], key: float, item: int) -> None:
    keys.append(key)
    items.append(item)
    at = len(keys) - 1
    while at > 0:
        up = (at - 1) // 2
        if keys[up] <= keys[at]:
            break
        keys[up], keys[at] = keys[at], keys[up]
        items[up], items[at] = items[at], items[up]
        at = up


@njit(cache=True, nogil=True)
def _pop(keys: list[float], items: list[int]) -> tuple[float, int]:
    key, item = keys[0], items[0]
    last_key, last_item = keys.pop(), items.pop()
    if len(keys) > 0:
        keys[0], items[0] = last_key, last_item
        at = 0
        while True:
            small = 2 * at + 1
            if small >= len(keys):
                break
            if small + 1 < len(keys) and keys[small + 1] < keys[small]:
                small += 1
            if keys[at] <= keys[small]:
                break
            keys[small], keys[at] = keys[at], keys[small]
            items[small], items[at] = items[at], items[small]
            at = small
    return key, item


@njit(cache=True, nogil=True)
def most_likely(
    start: Array, arc: Array, place_m: Array, off_m: Array, straight_m: Array, sigma_m: float, beta_m: float,
    base: Array, by_arc_start: Array, by_arc: Array, length: Array,
    turn_start: Array, turn_to: Array, around: Array, around_m: float,
) -> tuple[Array, Array]:  # fmt: skip
    """Viterbi over candidates start[t]:start[t + 1] of each position t: (chosen candidate, whether it joins
    the last).

    Emission: normal in the distance from the road. Transition: exponential in the difference between the way
    along the roads and the straight line (Newson and Krumm, "Hidden Markov map matching", SIGSPATIAL 2009).
    """
    positions = len(start) - 1
    cost = np.empty(len(arc))
    previous = np.full(len(arc), -1, np.int64)
    reached = np.full(len(length), np.inf)
    before = np.empty(len(length), np.int64)
    touched = np.empty(len(length), np.int64)
    joined = np.zeros(positions, np.bool_)
    for c in range(start[0], start[1]):
        cost[c] = 0.5 * (off_m[c] / sigma_m) ** 2
    for t in range(1, positions):
        cost[start[t] : start[t + 1]] = np.inf
        limit_m = 2.0 * straight_m[t - 1] + 12.0 * sigma_m + 150.0
        for p in range(start[t - 1], start[t]):
            if np.isinf(cost[p]):
                continue
            state = base[arc[p]]
            rest_m = length[state] - place_m[p]
            count = _search(
                state,
                rest_m,
                limit_m,
                length,
                turn_start,
                turn_to,
                around,
                around_m,
                reached,
                before,
                touched,
            )
            for c in range(start[t], start[t + 1]):
                way_m = np.inf
                if arc[c] == arc[p] and place_m[c] >= place_m[p] - 4.0 * sigma_m:
                    way_m = abs(place_m[c] - place_m[p])
                for k in range(by_arc_start[arc[c]], by_arc_start[arc[c] + 1]):
                    way_m = min(way_m, reached[by_arc[k]] + place_m[c])
                if np.isinf(way_m) or way_m > limit_m:
                    continue
                total = cost[p] + abs(way_m - straight_m[t - 1]) / beta_m + 0.5 * (off_m[c] / sigma_m) ** 2
                if total < cost[c]:
                    cost[c], previous[c] = total, p
            for k in range(count):
                reached[touched[k]] = np.inf
        joined[t] = np.isfinite(cost[start[t] : start[t + 1]]).any()
        if not joined[t]:
            for c in range(start[t], start[t + 1]):
                cost[c] = 0.5 * (off_m[c] / sigma_m) ** 2
    chosen = np.empty(positions, np.int64)
    for t in range(positions - 1, -1, -1):
        if t == positions - 1 or not joined[t + 1]:
            chosen[t] = start[t] + np.argmin(cost[start[t] : start[t + 1]])
        else:
            chosen[t] = previous[chosen[t + 1]]
    return chosen, joined


@njit(cache=True, nogil=True)
def arcs_between(
    chosen: Array, joined: Array, arc: Array, place_m: Array, straight_m: Array, sigma_m: float,
    state_arc: Array,
    base: Array, by_arc_start: Array, by_arc: Array, length: Array,
    turn_start: Array, turn_to: Array, around: Array, around_m: float,
) -> tuple[Array, Array]:  # fmt: skip
    """All arcs driven, in order, and for each the position at (or just before) which it was entered."""
    reached = np.full(len(length), np.inf)
    before = np.empty(len(length), np.int64)
    touched = np.empty(len(length), np.int64)
    arcs, at = [arc[chosen[0]]], [0]
    for t in range(1, len(chosen)):
        p, c = chosen[t - 1], chosen[t]
        if not joined[t]:
            arcs.append(arc[c])
            at.append(t)
            continue
        state = base[arc[p]]
        limit_m = 2.0 * straight_m[t - 1] + 12.0 * sigma_m + 150.0
        count = _search(
            state, length[state] - place_m[p], limit_m, length, turn_start, turn_to, around, around_m,
            reached, before, touched,
        )  # fmt: skip
        way_m, last = np.inf, -1
        if arc[c] == arc[p] and place_m[c] >= place_m[p] - 4.0 * sigma_m:
            way_m = abs(place_m[c] - place_m[p])
        for k in range(by_arc_start[arc[c]], by_arc_start[arc[c] + 1]):
            if reached[by_arc[k]] + place_m[c] < way_m:
                way_m, last = reached[by_arc[k]] + place_m[c], by_arc[k]
        begin = len(arcs)
        while last >= 0:
            arcs.append(state_arc[last])
            at.append(t)
            last = before[last]
        for i in range((len(arcs) - begin) // 2):
            j = len(arcs) - 1 - i
            arcs[begin + i], arcs[j] = arcs[j], arcs[begin + i]
        for k in range(count):
            reached[touched[k]] = np.inf
    return np.array(arcs), np.array(at)
