"""The order in which states are contracted: nested dissection of the junctions by least cuts.

A cut through the roads severs edges; the states of the severed edges separate the search graph. Removing
them last keeps every search small. Cuts follow inertial flow (Schild and Sommer, "On balanced separators in
road networks", SEA 2015): the junctions are sorted along four directions, the outer quarters are fused, a
least cut between them is taken. Small cells are cut by the best straight line. On city grids the order of
edges by cuts beats an order of states by position: half the arcs, a third of the search space.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, maximum_flow

from geo.roads.graph import Graph
from geo.roads.kernels_order import dissect_by_lines
from geo.roads.turns import TurnGraph

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FLOW_ABOVE = 400
"""Cells of more junctions than this are cut by flow, smaller ones by straight lines."""
FUSED_SHARE = 0.25


def contraction_rank(graph: Graph, turns: TurnGraph) -> Ints:
    """(states): 0 is contracted first. States of one edge, and all memories of an arc, stand side by side."""
    weight = np.bincount(turns.state_arc >> 1, minlength=graph.edges)
    used = np.flatnonzero(weight)
    middle = np.cos(np.radians(graph.vertex_lat.mean()))
    place = _dissect(
        graph.vertex_lon * middle, graph.vertex_lat, graph.edge_from[used], graph.edge_to[used], weight[used]
    )
    edge_rank = np.zeros(graph.edges, np.int64)
    edge_rank[used[place]] = np.arange(len(used))
    order = np.lexsort((turns.state_arc, edge_rank[turns.state_arc >> 1]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _dissect(x: Floats, y: Floats, u: Ints, v: Ints, weight: Ints) -> Ints:
    """Edges in order of contraction, first to last."""
    local = np.empty(len(x), np.int64)
    stack = [(np.unique(np.concatenate((u, v))), np.arange(len(u)))]
    backwards = []
    while stack:
        vertices, edges = stack.pop()
        if len(edges) == 0:
            continue
        local[vertices] = np.arange(len(vertices))
        lu, lv = local[u[edges]], local[v[edges]]
        if len(vertices) <= FLOW_ABOVE:
            order = dissect_by_lines(x[vertices], y[vertices], lu, lv, weight[edges])
            backwards.append(edges[order][::-1])
            continue
        side = _cut(x[vertices], y[vertices], lu, lv, weight[edges])
        crossing = side[lu] != side[lv]
        backwards.append(edges[crossing])
        inside, right = edges[~crossing], side[lu[~crossing]]
        stack.append((vertices[~side], inside[~right]))
        stack.append((vertices[side], inside[right]))
    return np.concatenate(backwards)[::-1] if backwards else np.empty(0, np.int64)


def _cut(x: Floats, y: Floats, u: Ints, v: Ints, weight: Ints) -> NDArray[np.bool_]:
    """Which side each vertex is on; both sides are non-empty."""
    count = len(x)
    parts, label = connected_components(
        coo_matrix((np.ones(len(u), np.int8), (u, v)), shape=(count, count)), directed=False
    )
    if parts > 1:
        largest = np.bincount(label).argmax()
        return np.asarray(label == largest)
    best, best_cost = np.zeros(count, np.bool_), np.inf
    for key in (x, y, x + y, x - y):
        rank = np.empty(count, np.int64)
        rank[np.argsort(key, kind="stable")] = np.arange(count)
        for side, cut in _least_cuts(rank, u, v, weight):
            share = min(int(side.sum()), count - int(side.sum()))
            if share and cut / share < best_cost:
                best, best_cost = side, cut / share
    return best


def _least_cuts(rank: Ints, u: Ints, v: Ints, weight: Ints) -> list[tuple[NDArray[np.bool_], int]]:
    """The least cuts nearest to either end between the first and the last quarter, each with its weight."""
    count = len(rank)
    fused = int(count * FUSED_SHARE)
    node = np.clip(rank - fused + 1, 0, count - 2 * fused + 1)
    last = count - 2 * fused + 1
    a, b = node[u], node[v]
    inner = a != b
    a, b, capacity = a[inner], b[inner], weight[inner].astype(np.int32)
    both = coo_matrix(
        (np.concatenate((capacity, capacity)), (np.concatenate((a, b)), np.concatenate((b, a)))),
        shape=(last + 1, last + 1),
    ).tocsr()
    flow = maximum_flow(both, 0, last)
    rest = both - flow.flow
    rest.data = (rest.data > 0).astype(np.int32)
    rest.eliminate_zeros()
    from_first = np.zeros(last + 1, np.bool_)
    from_first[breadth_first_order(rest, 0, return_predecessors=False)] = True
    from_last = np.zeros(last + 1, np.bool_)
    from_last[breadth_first_order(rest.T.tocsr(), last, return_predecessors=False)] = True
    return [(from_first[node], int(flow.flow_value)), (~from_last[node], int(flow.flow_value))]
