"""The search graph: its nodes are states (an arc being driven), its links are turns from one arc to the next.

A turn restriction is a forbidden or a prescribed sequence of arcs. While such a sequence is under way the
arc has a second state that remembers it; the state of an arc driven without memory has the smaller number. A
restriction over a node is a sequence of two arcs, one over ways a longer one: both take the same path
through this file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geo.roads import profiles
from geo.roads.graph import FERRY, RESTRICTED, ROUNDABOUT, Graph
from geo.roads.pbf import RawRoads
from geo.roads.restrictions import restriction_rules, with_memory

Ints = NDArray[np.int64]

ISLAND_M = 10_000.0
"""A network part smaller than this, in metres of arcs, is an island nobody is sent to, unless it is all
there is."""


@dataclass(slots=True)
class TurnGraph:
    """States 0..n-1. Turns of state s are turn_start[s]:turn_start[s + 1], sorted by target."""

    state_arc: Ints
    base_state: Ints
    """(2 * edges): the state of an arc driven without memory, -1 for an arc nobody is sent to."""
    turn_start: Ints
    turn_to: Ints
    turn_ms: Ints
    turn_closed: NDArray[np.int32]
    """(turns, 3): hours at which a turn may not be taken, as Graph.edge_closed."""
    part: Ints
    """(states): the strongly connected part of each state, 0 the largest."""
    forbidden: int
    """How many turns restrictions took away."""


def build_turns(graph: Graph, raw: RawRoads, network: str, left_hand: bool) -> TurnGraph:
    """All allowed turns with their milliseconds, restrictions applied, islands removed."""
    arcs = np.flatnonzero(graph.arc_open())
    tail, head = _arc_ends(graph)
    source, target = _adjacent(arcs, tail, head)
    keep = _may_turn(source, target, graph, head)
    source, target = source[keep], target[keep]
    cost = turn_ms(graph, source, target, network, left_hand)
    rules = restriction_rules(raw, graph, network)
    state_arc, source, target, cost, closed, forbidden = with_memory(arcs, source, target, cost, rules)
    closed |= graph.edge_closed[state_arc[target] >> 1]
    return _without_islands(graph, state_arc, (source, target, cost, closed), forbidden)


def _arc_ends(graph: Graph) -> tuple[Ints, Ints]:
    tail = np.column_stack((graph.edge_from, graph.edge_to)).reshape(-1)
    head = np.column_stack((graph.edge_to, graph.edge_from)).reshape(-1)
    return tail, head


def _adjacent(arcs: Ints, tail: Ints, head: Ints) -> tuple[Ints, Ints]:
    """Every pair of arcs where the second begins where the first ends."""
    by_tail = arcs[np.argsort(tail[arcs], kind="stable")]
    low = np.searchsorted(tail[by_tail], head[arcs], side="left")
    count = np.searchsorted(tail[by_tail], head[arcs], side="right") - low
    source = np.repeat(arcs, count)
    at = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    return source, by_tail[at]


def _may_turn(source: Ints, target: Ints, graph: Graph, head: Ints) -> NDArray[np.bool_]:
    """Turning round is left out where the road merely goes on (one other way out) and on ferries and
    roundabouts."""
    round_ = target == source ^ 1
    exits = np.bincount(head[source[~round_]], minlength=len(graph.vertex_lon))
    legs = np.bincount(np.concatenate((graph.edge_from, graph.edge_to)), minlength=len(graph.vertex_lon))
    others = np.zeros(2 * graph.edges, np.int64)
    np.add.at(others, source[~round_], 1)
    dead_end = others[source] == 0
    junction = (legs[head[source]] >= 3) & (exits[head[source]] > 0)
    fit = (graph.edge_flags[source >> 1] & (FERRY | ROUNDABOUT)) == 0
    return np.asarray(~round_ | (fit & (dead_end | junction)))


def turn_ms(graph: Graph, source: Ints, target: Ints, network: str, left_hand: bool) -> Ints:
    """Milliseconds lost between the end of arc `source` and the start of arc `target`: by angle, kind of
    road, signal."""
    kerb, across, sharp, around, dead_end, join = profiles.turn_costs_ms(network)
    heading_in, heading_out = _headings(graph)
    angle = (heading_out[target] - heading_in[source] + 180.0) % 360.0 - 180.0  # above 0: to the left
    if left_hand:
        angle = -angle
    head = np.column_stack((graph.edge_to, graph.edge_from)).reshape(-1)[source]
    legs = np.bincount(np.concatenate((graph.edge_from, graph.edge_to)), minlength=len(graph.vertex_lon))
    cost = np.where(angle > 40, across, np.where(angle < -40, kerb, 0)) + np.where(
        np.abs(angle) > 120, sharp, 0
    )
    rank_in, rank_out = _importance(graph)
    cost = cost + np.where(rank_out[target] > rank_in[source], join, 0)
    roundabout = ((graph.edge_flags[source >> 1] | graph.edge_flags[target >> 1]) & ROUNDABOUT) > 0
    cost = np.where((legs[head] < 3) | roundabout, 0, cost)
    outs = np.bincount(source, minlength=2 * graph.edges)
    cost = np.where(target == source ^ 1, np.where(outs[source] == 1, dead_end, around), cost)
    cost = cost + graph.vertex_delay_ms[head]
    flags_in, flags_out = graph.edge_flags[source >> 1], graph.edge_flags[target >> 1]
    boarding = ((flags_out & FERRY) > 0) & ((flags_in & FERRY) == 0)
    entry = ((flags_out & RESTRICTED) > 0) & ((flags_in & RESTRICTED) == 0)
    cost = cost + np.where(boarding, round(profiles.FERRY_BOARDING_S[network] * 1000), 0)
    return np.asarray(cost + np.where(entry, profiles.ENTRY_S[network] * 1000, 0), np.int64)


def _headings(graph: Graph) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Per arc, degrees anticlockwise from east: on arriving at its end, on leaving its start."""
    first, last = graph.seg_start[:-1], graph.seg_start[1:] - 1
    narrow = np.cos(np.radians(graph.seg_lat[:, 0]))
    run = np.degrees(
        np.arctan2(
            graph.seg_lat[:, 1] - graph.seg_lat[:, 0], (graph.seg_lon[:, 1] - graph.seg_lon[:, 0]) * narrow
        )
    )
    arriving = np.column_stack((run[last], run[first] + 180.0)).reshape(-1)
    leaving = np.column_stack((run[first], run[last] + 180.0)).reshape(-1)
    return arriving, leaving


def _importance(graph: Graph) -> tuple[Ints, Ints]:
    """Per arc, of the road it arrives by and of the one it leaves by: 0 to 3 by free speed, which stands for
    class."""
    rank = np.searchsorted([18.0, 42.0, 60.0], graph.seg_kmh.max(axis=1), side="right")
    first, last = graph.seg_start[:-1], graph.seg_start[1:] - 1
    arriving = np.column_stack((rank[last], rank[first])).reshape(-1)
    leaving = np.column_stack((rank[first], rank[last])).reshape(-1)
    return arriving, leaving


def _without_islands(
    graph: Graph, state_arc: Ints, turns: tuple[Ints, Ints, Ints, NDArray[np.int32]], forbidden: int
) -> TurnGraph:
    source, target, cost, closed = turns
    count = len(state_arc)
    links = coo_matrix((np.ones(len(source), np.int8), (source, target)), shape=(count, count))
    parts, label = connected_components(links, directed=True, connection="strong")
    edge_m = np.add.reduceat(graph.seg_m, graph.seg_start[:-1])
    metres = np.bincount(label, edge_m[state_arc >> 1], parts)
    large = metres >= min(ISLAND_M, float(metres.max()) if parts else 0.0)
    good_arc = np.zeros(2 * graph.edges, np.bool_)
    good_arc[state_arc[large[label]]] = True
    keep = good_arc[state_arc]
    renumber = np.cumsum(keep) - 1
    inside = keep[source] & keep[target]
    source, target, cost = renumber[source[inside]], renumber[target[inside]], cost[inside]
    closed = closed[inside]
    order = np.lexsort((target, source))
    state_arc = state_arc[keep]
    base = np.full(2 * graph.edges, -1, np.int64)
    base[state_arc[::-1]] = np.arange(len(state_arc))[::-1]
    ranked = np.argsort(np.argsort(-metres, kind="stable"), kind="stable")
    return TurnGraph(
        state_arc=state_arc,
        base_state=base,
        turn_start=np.searchsorted(source[order], np.arange(len(state_arc) + 1)).astype(np.int64),
        turn_to=target[order],
        turn_ms=cost[order],
        turn_closed=closed[order],
        part=ranked[label[keep]].astype(np.int64),
        forbidden=forbidden,
    )
