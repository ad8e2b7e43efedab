"""Compiled loops of map matching: short searches between candidates, and the most likely sequence of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def _search(
    first: int, rest_m: float, rest_w: float, limit_m: float, length: Array, weight: Array,
    turn_start: Array, turn_to: Array, turn_w: Array,
    reached: Array, metres: Array, before: Array, touched: Array,
) -> int:  # fmt: skip
    """The least weight from a place on state `first` (rest_m, rest_w before its end) to the start of every
    state within limit_m.

    Fills reached (infinite before), metres of that way and before (the state one came from, `first` marked by
    -1) for touched[:count].
    """
    heap_w = [0.0 for _ in range(0)]
    heap_s = [0 for _ in range(0)]
    count = 0
    for t in range(turn_start[first], turn_start[first + 1]):
        state = turn_to[t]
        way_w = rest_w + turn_w[t]
        if rest_m <= limit_m and way_w < reached[state]:
            if np.isinf(reached[state]):
                touched[count] = state
                count += 1
            reached[state], metres[state], before[state] = way_w, rest_m, -1
            _push(heap_w, heap_s, way_w, state)
    while len(heap_w) > 0:
        here_w, state = _pop(heap_w, heap_s)
        if here_w > reached[state]:
            continue
        way_m = metres[state] + length[state]
        if way_m > limit_m:
            continue
        for t in range(turn_start[state], turn_start[state + 1]):
            way_w = here_w + weight[state] + turn_w[t]
            nxt = turn_to[t]
            if way_w < reached[nxt]:
                if np.isinf(reached[nxt]):
                    touched[count] = nxt
                    count += 1
                reached[nxt], metres[nxt], before[nxt] = way_w, way_m, state
                _push(heap_w, heap_s, way_w, nxt)
    return count


@njit(cache=True, nogil=True)
def _way_to(
    c: int, p: int, arc: Array, place_m: Array, back: tuple[float, float], by_arc_start: Array, by_arc: Array,
    arc_w: Array, reached: Array, metres: Array,
) -> tuple[float, float, int]:  # fmt: skip
    """(weight, metres, state entered last, -1 on the same arc) of the way from candidate p to c after
    _search; infinite for none. Up to back[0] metres backwards on one arc are noise, back[1] a square metre."""
    way_w, way_m, last = np.inf, np.inf, -1
    if arc[c] == arc[p] and place_m[c] >= place_m[p] - back[0]:
        way_m = abs(place_m[c] - place_m[p])
        way_w = way_m * arc_w[arc[c]]
        if place_m[c] < place_m[p]:
            way_w += back[1] * way_m * way_m
    for k in range(by_arc_start[arc[c]], by_arc_start[arc[c] + 1]):
        state = by_arc[k]
        told_w = reached[state] + place_m[c] * arc_w[arc[c]]
        if told_w < way_w:
            way_w, way_m, last = told_w, metres[state] + place_m[c], state
    return way_w, way_m, last


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
    base: Array, by_arc_start: Array, by_arc: Array, length: Array, weight: Array, arc_w: Array,
    turn_start: Array, turn_to: Array, turn_w: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """Viterbi over candidates start[t]:start[t + 1] of each position t: (chosen candidate, whether it joins
    the last).

    Emission: normal in the distance from the road. Transition: exponential in the difference between the way
    along the roads and the straight line (Newson and Krumm, "Hidden Markov map matching", SIGSPATIAL 2009),
    and in the seconds the way takes (the weight above its metres): who drives prefers the quicker way.
    """
    positions = len(start) - 1
    cost = np.empty(len(arc))
    previous = np.full(len(arc), -1, np.int64)
    reached, metres = np.full(len(length), np.inf), np.empty(len(length))
    before = np.empty(len(length), np.int64)
    touched = np.empty(len(length), np.int64)
    joined = np.zeros(positions, np.bool_)
    back = (8.0 * sigma_m, 0.25 * beta_m / sigma_m**2)
    for c in range(start[0], start[1]):
        cost[c] = 0.5 * (off_m[c] / sigma_m) ** 2
    for t in range(1, positions):
        cost[start[t] : start[t + 1]] = np.inf
        limit_m = _limit_m(straight_m[t - 1], sigma_m)
        for p in range(start[t - 1], start[t]):
            if np.isinf(cost[p]):
                continue
            rest_m = length[base[arc[p]]] - place_m[p]
            count = _search(
                base[arc[p]], rest_m, rest_m * arc_w[arc[p]], limit_m, length, weight,
                turn_start, turn_to, turn_w, reached, metres, before, touched,
            )  # fmt: skip
            for c in range(start[t], start[t + 1]):
                way_w, way_m, _ = _way_to(
                    c, p, arc, place_m, back, by_arc_start, by_arc, arc_w, reached, metres
                )
                if np.isinf(way_w) or way_m > limit_m:
                    continue
                unlike_m = abs(way_m - straight_m[t - 1]) + way_w - way_m
                total = cost[p] + unlike_m / beta_m + 0.5 * (off_m[c] / sigma_m) ** 2
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
def _limit_m(straight_m: float, sigma_m: float) -> float:
    """How far a way between two positions is looked for."""
    return 2.0 * straight_m + 12.0 * sigma_m + 150.0


@njit(cache=True, nogil=True)
def arcs_between(
    chosen: Array, joined: Array, arc: Array, place_m: Array, straight_m: Array, sigma_m: float,
    beta_m: float, state_arc: Array,
    base: Array, by_arc_start: Array, by_arc: Array, length: Array, weight: Array, arc_w: Array,
    turn_start: Array, turn_to: Array, turn_w: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """All arcs driven, in order, and for each the position at (or just before) which it was entered."""
    reached, metres = np.full(len(length), np.inf), np.empty(len(length))
    before = np.empty(len(length), np.int64)
    touched = np.empty(len(length), np.int64)
    back = (8.0 * sigma_m, 0.25 * beta_m / sigma_m**2)
    arcs, at = [arc[chosen[0]]], [0]
    for t in range(1, len(chosen)):
        p, c = chosen[t - 1], chosen[t]
        if not joined[t]:
            arcs.append(arc[c])
            at.append(t)
            continue
        rest_m = length[base[arc[p]]] - place_m[p]
        count = _search(
            base[arc[p]], rest_m, rest_m * arc_w[arc[p]], _limit_m(straight_m[t - 1], sigma_m), length,
            weight, turn_start, turn_to, turn_w, reached, metres, before, touched,
        )  # fmt: skip
        _, _, last = _way_to(c, p, arc, place_m, back, by_arc_start, by_arc, arc_w, reached, metres)
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
