"""Compiled loops over the raw graph: joining segments into edges, and finding the nearest edges of a
point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Array = NDArray[Any]


def chain_segments(
    seg_a: Ints, seg_b: Ints, kmh: Floats, flags: NDArray[np.uint8], forced: Bools
) -> tuple[Ints, Bools, Ints]:
    """Segments in the order of edges: (segment of each place, whether it is turned round, start of each
    edge).

    A node is passed through when exactly two segments meet there, they allow the same directions and carry
    the same flags, and it is not in `forced`. A closed ring keeps one node, its first.
    """
    nodes = int(forced.shape[0])
    ends = np.concatenate((seg_a, seg_b))
    by_node = np.argsort(ends, kind="stable").astype(np.int64)
    first = np.searchsorted(ends[by_node], np.arange(nodes + 1)).astype(np.int64)
    open_ = np.ascontiguousarray(kmh > 0)
    inner = _inner_nodes(seg_a, seg_b, open_, flags, forced, by_node, first)
    order, flip, start = _walk(seg_a, seg_b, inner, by_node, first)
    return order, flip, start


@njit(cache=True)
def _inner_nodes(
    seg_a: Array, seg_b: Array, open_: Array, flags: Array, forced: Array, by_node: Array, first: Array
) -> Array:
    segments = len(seg_a)
    inner = np.zeros(len(forced), np.bool_)
    for node in range(len(forced)):
        if forced[node] or first[node + 1] - first[node] != 2:
            continue
        p, q = by_node[first[node]], by_node[first[node] + 1]
        i, j = p % segments, q % segments
        if i == j or flags[i] != flags[j]:
            continue
        far_i = seg_b[i] if seg_a[i] == node else seg_a[i]
        far_j = seg_b[j] if seg_a[j] == node else seg_a[j]
        if far_i == far_j:
            continue
        # Column 0 is along the segment: it leads into the node where the node is its end (place ≥ segments).
        into_i, from_i = (open_[i, 0], open_[i, 1]) if p >= segments else (open_[i, 1], open_[i, 0])
        into_j, from_j = (open_[j, 0], open_[j, 1]) if q >= segments else (open_[j, 1], open_[j, 0])
        inner[node] = into_i == from_j and from_i == into_j
    return inner


@njit(cache=True)
def _walk(
    seg_a: Array, seg_b: Array, inner: Array, by_node: Array, first: Array
) -> tuple[Array, Array, Array]:
    segments = len(seg_a)
    order = np.empty(segments, np.int64)
    flip = np.zeros(segments, np.bool_)
    start = np.empty(segments + 1, np.int64)
    done = np.zeros(segments, np.bool_)
    placed, edges = 0, 0
    for rings in range(2):  # first from real vertices, then whatever closed rings are left
        for s in range(segments):
            if done[s]:
                continue
            a_is_end, b_is_end = not inner[seg_a[s]], not inner[seg_b[s]]
            if rings == 0 and not (a_is_end or b_is_end):
                continue
            start[edges] = placed
            edges += 1
            turned = not a_is_end and b_is_end
            current = s
            origin = seg_b[s] if turned else seg_a[s]
            while True:
                order[placed] = current
                flip[placed] = turned
                placed += 1
                done[current] = True
                node = seg_a[current] if turned else seg_b[current]
                if not inner[node] or node == origin:
                    break
                p, q = by_node[first[node]], by_node[first[node] + 1]
                other = q if p % segments == current else p
                current = other % segments
                turned = other >= segments
                if done[current]:
                    break
    start[edges] = placed
    return order, flip, start[: edges + 1].copy()


@njit(cache=True)
def nearest_segments(
    lon: Array, lat: Array, seg_lon: Array, seg_lat: Array, seg_edge: Array, cell_start: Array,
    cell_seg: Array,
    grid: Array, columns: int, rows: int, fit: Array, limit_m: float, keep: int,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """For each point the nearest segments of its `keep` nearest edges within limit_m: (segment or -1, share,
    metres).

    grid = (west, south, cell width, cell height in degrees). Only segments with fit[segment] count.
    """
    count = len(lon)
    best_seg = np.full((count, keep), -1, np.int64)
    best_share = np.zeros((count, keep))
    best_m = np.full((count, keep), np.inf)
    m_lat = 111194.92664455873
    for i in range(count):
        m_lon = m_lat * np.cos(np.radians(lat[i]))
        column = int(np.floor((lon[i] - grid[0]) / grid[2]))
        row = int(np.floor((lat[i] - grid[1]) / grid[3]))
        cell_m = min(grid[2] * m_lon, grid[3] * m_lat)
        ring = 0
        while True:
            reach_m = (ring - 1) * cell_m  # everything closer than this has been seen in earlier rings
            if reach_m > limit_m or (best_m[i, keep - 1] <= reach_m):
                break
            if column - ring < -1 and column + ring > columns and row - ring < -1 and row + ring > rows:
                break
            for r in range(row - ring, row + ring + 1):
                if r < 0 or r >= rows:
                    continue
                step = 1 if r in (row - ring, row + ring) else max(1, 2 * ring)
                for c in range(column - ring, column + ring + 1, step):
                    if c < 0 or c >= columns:
                        continue
                    cell = r * columns + c
                    for at in range(cell_start[cell], cell_start[cell + 1]):
                        s = cell_seg[at]
                        if not fit[s]:
                            continue
                        ax, ay = (seg_lon[s, 0] - lon[i]) * m_lon, (seg_lat[s, 0] - lat[i]) * m_lat
                        bx, by = (seg_lon[s, 1] - lon[i]) * m_lon, (seg_lat[s, 1] - lat[i]) * m_lat
                        dx, dy = bx - ax, by - ay
                        square = dx * dx + dy * dy
                        share = 0.0
                        if square > 0:
                            share = min(1.0, max(0.0, -(ax * dx + ay * dy) / square))
                        metres = np.hypot(ax + share * dx, ay + share * dy)
                        if metres > limit_m or metres >= best_m[i, keep - 1]:
                            continue
                        k = keep - 1
                        for known in range(keep):
                            if best_seg[i, known] >= 0 and seg_edge[best_seg[i, known]] == seg_edge[s]:
                                k = known
                        if metres >= best_m[i, k]:
                            continue
                        while k > 0 and best_m[i, k - 1] > metres:
                            best_m[i, k] = best_m[i, k - 1]
                            best_seg[i, k] = best_seg[i, k - 1]
                            best_share[i, k] = best_share[i, k - 1]
                            k -= 1
                        best_m[i, k], best_seg[i, k], best_share[i, k] = metres, s, share
            ring += 1
    return best_seg, best_share, best_m
