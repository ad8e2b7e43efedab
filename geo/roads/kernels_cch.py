"""Compiled loops of the customizable contraction hierarchy (Dibbelt, Strasser, Wagner, JEA 2016).

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
