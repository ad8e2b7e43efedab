"""Compiled loops of questions to a customised hierarchy: labels, joins, sweeps and paths. See kernels_cch for the
arrays and the costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.roads.kernels_cch import INFINITE

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def label(
    seeds: Array,
    costs: Array,
    up_start: Array,
    up_head: Array,
    weight: Array,
    scratch: Array,
    nodes: Array,
    values: Array,
) -> int:
    """Climb from the seeds (node, cost so far) along `weight`; the count of nodes reached.

    nodes[:count] and values[:count] are all ancestors of the seeds in ascending rank. `scratch` holds
    INFINITE everywhere before and after.
    """
    count = 0
    for i in range(len(seeds)):
        scratch[seeds[i]] = min(scratch[seeds[i]], costs[i])
    # Paths to the root merge: keep one cursor per seed and always advance the lowest.
    cursor = np.unique(seeds)
    alive = len(cursor)
    while alive > 0:
        x = cursor[0]
        nodes[count] = x
        values[count] = scratch[x]
        count += 1
        here = scratch[x]
        if here < INFINITE:
            for arc in range(up_start[x], up_start[x + 1]):
                y = up_head[arc]
                scratch[y] = min(scratch[y], here + weight[arc])
        scratch[x] = INFINITE
        if up_start[x] == up_start[x + 1]:
            cursor[: alive - 1] = cursor[1:alive].copy()
            alive -= 1
            continue
        parent = up_head[up_start[x]]
        place = 0
        while place + 1 < alive and cursor[place + 1] < parent:
            cursor[place] = cursor[place + 1]
            place += 1
        if place + 1 < alive and cursor[place + 1] == parent:
            for i in range(place, alive - 1):
                cursor[i] = cursor[i + 1]
            alive -= 1
        else:
            cursor[place] = parent
    return count


@njit(cache=True, nogil=True)
def labels(
    seed_start: Array,
    seed_node: Array,
    seed_cost: Array,
    up_start: Array,
    up_head: Array,
    weight: Array,
    depth: Array,
) -> tuple[Array, Array, Array, Array]:
    """Labels of many points: (start, node, cost, trunk); each from the highest ancestor (the root) down to
    the seeds.

    trunk[p] nodes of label p form one line of descent that all the rest hangs under.
    """
    points = len(seed_start) - 1
    start = np.zeros(points + 1, np.int64)
    for p in range(points):
        room = 0
        for s in range(seed_start[p], seed_start[p + 1]):
            room += depth[seed_node[s]]
        start[p + 1] = start[p] + room
    node = np.empty(start[points], np.int32)
    cost = np.empty(start[points], np.int64)
    trunk = np.empty(points, np.int64)
    scratch = np.full(len(up_start) - 1, INFINITE, np.int64)
    nodes = np.empty(len(up_start), np.int64)
    values = np.empty(len(up_start), np.int64)
    filled = 0
    for p in range(points):
        begin, end = seed_start[p], seed_start[p + 1]
        count = label(
            seed_node[begin:end], seed_cost[begin:end], up_start, up_head, weight, scratch, nodes, values
        )
        start[p] = filled
        for i in range(count):
            node[filled + i] = nodes[count - 1 - i]
            cost[filled + i] = values[count - 1 - i]
        trunk[p] = _trunk(node[filled : filled + count], up_start, up_head)
        filled += count
    start[points] = filled
    return start, node[:filled].copy(), cost[:filled].copy(), trunk


@njit(cache=True, nogil=True)
def _trunk(node: Array, up_start: Array, up_head: Array) -> int:
    length = len(node)
    for k in range(1, len(node)):
        if up_start[node[k]] == up_start[node[k] + 1]:
            return 0  # a second root: nothing is above all
        parent = up_head[up_start[node[k]]]
        if parent == node[k - 1]:
            continue
        place = k - 1
        while node[place] != parent:
            place -= 1
        length = min(length, place + 1)
    return length


@njit(cache=True, nogil=True)
def join(
    out_start: Array, out_node: Array, out_cost: Array, out_trunk: Array,
    in_start: Array, in_node: Array, in_cost: Array, in_trunk: Array, result: Array,
) -> None:  # fmt: skip
    """result[i, j]: least cost over all nodes that the label out i and the label in j share."""
    rows, columns = len(out_start) - 1, len(in_start) - 1
    tile = 24
    for top in range(0, rows, tile):
        for left in range(0, columns, tile):
            for i in range(top, min(top + tile, rows)):
                a, a_end = out_start[i], out_start[i + 1]
                for j in range(left, min(left + tile, columns)):
                    b, b_end = in_start[j], in_start[j + 1]
                    # Trunks agree from the root down to where they part, and nothing is shared past that.
                    low, high = 0, min(out_trunk[i], in_trunk[j])
                    end = high
                    while low < high:
                        middle = (low + high) // 2
                        if out_node[a + middle] == in_node[b + middle]:
                            low = middle + 1
                        else:
                            high = middle
                    best = np.int64(INFINITE)
                    for k in range(low):
                        best = min(best, out_cost[a + k] + in_cost[b + k])
                    if low < end:
                        result[i, j] = best
                        continue
                    # One trunk ends inside the other: the branches below it can meet.
                    m, n = a + low, b + low
                    while m < a_end and n < b_end:
                        if out_node[m] == in_node[n]:
                            best = min(best, out_cost[m] + in_cost[n])
                            m += 1
                            n += 1
                        elif out_node[m] > in_node[n]:
                            m += 1
                        else:
                            n += 1
                    result[i, j] = best


@njit(cache=True, nogil=True)
def sweep_down(values: Array, up_start: Array, up_head: Array, weight: Array) -> None:
    """From the labels of one source in values (INFINITE elsewhere), the least cost to every node."""
    for x in range(len(up_start) - 2, -1, -1):
        best = values[x]
        for arc in range(up_start[x], up_start[x + 1]):
            best = min(best, values[up_head[arc]] + weight[arc])
        values[x] = best


@njit(cache=True)
def find_arc(x: int, y: int, up_start: Array, up_head: Array) -> int:
    """The arc from the lower node x to the higher y; -1 when there is none."""
    at = up_start[x] + np.searchsorted(up_head[up_start[x] : up_start[x + 1]], y)
    return int(at) if at < up_start[x + 1] and up_head[at] == y else -1


@njit(cache=True, nogil=True)
def climb_path(
    nodes: Array,
    values: Array,
    target_place: int,
    up_start: Array,
    up_head: Array,
    weight: Array,
    seeds: Array,
    costs: Array,
) -> tuple[Array, int]:
    """The nodes of the climb from a seed to nodes[target_place] (a label, root first), seed first; and which
    seed."""
    back = [int(nodes[target_place])]
    place = target_place
    while True:
        y, value = nodes[place], values[place]
        for s in range(len(seeds)):
            if seeds[s] == y and costs[s] == value:
                path = np.empty(len(back), np.int64)
                for i in range(len(back)):
                    path[i] = back[len(back) - 1 - i]
                return path, s
        found = False
        for lower in range(place + 1, len(nodes)):
            x = nodes[lower]
            arc = find_arc(x, y, up_start, up_head)
            if arc >= 0 and values[lower] < INFINITE and values[lower] + weight[arc] == value:
                place = lower
                back.append(int(x))
                found = True
                break
        if not found:
            return np.empty(0, np.int64), -1


@njit(cache=True, nogil=True)
def unpack(
    path: Array, up_start: Array, up_head: Array, low_start: Array, low_node: Array, low_arc: Array,
    up: Array, down: Array, turn_up: Array, turn_down: Array, turn_cost: Array,
) -> Array:  # fmt: skip
    """The path with every shortcut replaced by what it stands for; turn_* name the real turn of an arc, or
    -1."""
    out = [int(path[0])]
    stack = [(0, 0) for _ in range(0)]
    for i in range(len(path) - 1, 0, -1):
        stack.append((int(path[i - 1]), int(path[i])))
    while len(stack) > 0:
        a, b = stack.pop()
        low, high = min(a, b), max(a, b)
        arc = find_arc(low, high, up_start, up_head)
        weight = up[arc] if a < b else down[arc]
        turn = turn_up[arc] if a < b else turn_down[arc]
        if turn >= 0 and turn_cost[turn] == weight:
            out.append(b)
            continue
        for at in range(low_start[low], low_start[low + 1]):
            x, first = low_node[at], low_arc[at]
            leg_low = down[first] if a < b else up[first]
            if leg_low > weight:
                continue
            second = find_arc(x, high, up_start, up_head)
            if second < 0:
                continue
            leg_high = up[second] if a < b else down[second]
            if leg_low + leg_high == weight:
                stack.append((int(x), b))
                stack.append((a, int(x)))
                break
        else:
            return np.empty(0, np.int64)
    result = np.empty(len(out), np.int64)
    for i in range(len(out)):
        result[i] = out[i]
    return result
