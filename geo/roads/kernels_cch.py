"""Compiled loops that build and customise the contraction hierarchy (CCH; Dibbelt, Strasser, Wagner, JEA 2016).

Nodes are numbered by rank. Every cost is one integer, milliseconds times 2**28 plus decimetres, so that the
least cost is the fastest way and among equally fast ones the shortest, and one search gives both.
The hierarchy: up_start[x]:up_start[x + 1] are the arcs of x to higher nodes up_head, ascending; the first is
the parent of x in the elimination tree. low_* list for each node the lower ends and the same arcs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

INFINITE = 1 << 60
"""Two of them add up without overflow."""
SHIFT = 28

Array = NDArray[Any]


@njit(cache=True)
def fill_in(count: int, start: Array, above: Array) -> tuple[Array, Array]:
    """The chordal graph: (up_start, up_head) from each node's higher neighbours above[start[x]:start[x +
    1]]."""
    mark = np.full(count, -1, np.int32)
    first_child = np.full(count, -1, np.int32)
    next_child = np.full(count, -1, np.int32)
    up_start = np.zeros(count + 1, np.int64)
    heads = np.empty(max(16, 4 * len(above)), np.int32)
    total = 0
    for x in range(count):
        up_start[x] = total
        mark[x] = x
        needed = start[x + 1] - start[x]
        child = first_child[x]
        while child >= 0:
            needed += up_start[child + 1] - up_start[child]
            child = next_child[child]
        if total + needed > len(heads):
            bigger = np.empty(2 * (total + needed), np.int32)
            bigger[:total] = heads[:total]
            heads = bigger
        begin = total
        for at in range(start[x], start[x + 1]):
            if mark[above[at]] != x:
                mark[above[at]] = x
                heads[total] = above[at]
                total += 1
        child = first_child[x]
        while child >= 0:
            for at in range(up_start[child], up_start[child + 1]):
                if mark[heads[at]] != x:
                    mark[heads[at]] = x
                    heads[total] = heads[at]
                    total += 1
            child = next_child[child]
        heads[begin:total].sort()
        up_start[x + 1] = total
        if total > begin:
            parent = heads[begin]
            next_child[x] = first_child[parent]
            first_child[parent] = x
    return up_start, heads[:total].copy()


@njit(cache=True)
def lower_ends(count: int, up_start: Array, up_head: Array) -> tuple[Array, Array, Array]:
    """(low_start, low_node, low_arc): for each node its lower neighbours, ascending, and the arcs that join
    them."""
    low_start = np.zeros(count + 1, np.int64)
    for head in up_head:
        low_start[head + 1] += 1
    for x in range(count):
        low_start[x + 1] += low_start[x]
    at = low_start[:-1].copy()
    low_node = np.empty(len(up_head), np.int32)
    low_arc = np.empty(len(up_head), np.int32)
    for x in range(count):
        for arc in range(up_start[x], up_start[x + 1]):
            y = up_head[arc]
            low_node[at[y]] = x
            low_arc[at[y]] = arc
            at[y] += 1
    return low_start, low_node, low_arc


@njit(cache=True)
def depths(up_start: Array, up_head: Array) -> Array:
    """For each node the count of nodes from it to its root, both included."""
    depth = np.ones(len(up_start) - 1, np.int32)
    for x in range(len(up_start) - 2, -1, -1):
        if up_start[x] < up_start[x + 1]:
            depth[x] = depth[up_head[up_start[x]]] + 1
    return depth


@njit(cache=True, nogil=True)
def customize(
    up_start: Array, up_head: Array, low_start: Array, low_node: Array, low_arc: Array, up: Array, down: Array
) -> None:
    """Lower up[arc] (from the lower to the higher end) and down[arc] by every detour over a node below both
    ends."""
    count = len(up_start) - 1
    to_y = np.empty(count, np.int64)
    from_y = np.empty(count, np.int64)
    for y in range(count):
        for arc in range(up_start[y], up_start[y + 1]):
            to_y[up_head[arc]] = down[arc]
            from_y[up_head[arc]] = up[arc]
        for at in range(low_start[y], low_start[y + 1]):
            x, first = low_node[at], low_arc[at]
            y_to_x, x_to_y = down[first], up[first]
            if y_to_x >= INFINITE and x_to_y >= INFINITE:
                continue
            for arc in range(first + 1, up_start[x + 1]):
                z = up_head[arc]
                from_y[z] = min(from_y[z], y_to_x + up[arc])
                to_y[z] = min(to_y[z], down[arc] + x_to_y)
        for arc in range(up_start[y], up_start[y + 1]):
            down[arc] = to_y[up_head[arc]]
            up[arc] = from_y[up_head[arc]]
