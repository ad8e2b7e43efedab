"""Compiled loops of the order of contraction: small cells cut by straight lines, again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True)
def dissect_by_lines(x: Array, y: Array, u: Array, v: Array, weight: Array) -> Array:
    """Edges of one small cell in order of contraction: cut by the best of four straight lines, again and
    again."""
    edges, count = len(u), len(x)
    out = np.empty(edges, np.int64)
    filled = edges
    edge_list = np.arange(edges)
    vertex_list = np.arange(count)
    stack = [(0, count, 0, edges)]
    rank = np.zeros(count, np.int64)
    side = np.zeros(count, np.bool_)
    while len(stack) > 0:
        v0, v1, e0, e1 = stack.pop()
        if e1 - e0 == 0:
            continue
        members = vertex_list[v0:v1].copy()
        size = v1 - v0
        if size <= 2 or e1 - e0 == 1:
            for at in range(e0, e1):
                filled -= 1
                out[filled] = edge_list[at]
            continue
        best_cost, best_axis, best_at = np.inf, 0, 0
        for axis in range(4):
            key = _along(x, y, members, axis)
            for place, m in enumerate(np.argsort(key, kind="mergesort")):
                rank[members[m]] = place
            change = np.zeros(size, np.int64)
            for at in range(e0, e1):
                a, b = rank[u[edge_list[at]]], rank[v[edge_list[at]]]
                change[min(a, b)] += weight[edge_list[at]]
                change[max(a, b)] -= weight[edge_list[at]]
            cut = 0
            low, high = int(size * 0.3), max(int(size * 0.3), min(size - 2, int(size * 0.7)))
            for place in range(high + 1):
                cut += change[place]
                cost = cut / min(place + 1, size - 1 - place)
                if place >= low and cost < best_cost:
                    best_cost, best_axis, best_at = cost, axis, place
        key = _along(x, y, members, best_axis)
        for place, m in enumerate(np.argsort(key, kind="mergesort")):
            vertex_list[v0 + place] = members[m]
            side[members[m]] = place > best_at
        left, right, mine = [0 for _ in range(0)], [0 for _ in range(0)], edge_list[e0:e1].copy()
        for e in mine:
            if side[u[e]] != side[v[e]]:
                filled -= 1
                out[filled] = e
            elif side[u[e]]:
                right.append(e)
            else:
                left.append(e)
        for i in range(len(left)):
            edge_list[e0 + i] = left[i]
        for i in range(len(right)):
            edge_list[e0 + len(left) + i] = right[i]
        middle = e0 + len(left)
        stack.append((v0, v0 + best_at + 1, e0, middle))
        stack.append((v0 + best_at + 1, v1, middle, middle + len(right)))
    return out


@njit(cache=True)
def _along(x: Array, y: Array, members: Array, axis: int) -> Array:
    if axis == 0:
        return x[members]
    if axis == 1:
        return y[members]
    return x[members] + y[members] if axis == 2 else x[members] - y[members]
