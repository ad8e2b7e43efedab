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
from geo.roads.pbf import RawRoads, Restriction

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
    part: Ints
    """(states): the strongly connected part of each state, 0 the largest."""
    forbidden: int
    """How many turns restrictions took away."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """`arcs` in order, at least two. only: once the last but one is left, it must be for the last."""

    arcs: tuple[int, ...]
    only: bool


def build_turns(graph: Graph, raw: RawRoads, network: str, left_hand: bool) -> TurnGraph:
    """All allowed turns with their milliseconds, restrictions applied, islands removed."""
    arcs = np.flatnonzero(graph.arc_open())
    tail, head = _arc_ends(graph)
    source, target = _adjacent(arcs, tail, head)
    keep = _may_turn(source, target, graph, head)
    source, target = source[keep], target[keep]
    cost = turn_ms(graph, source, target, network, left_hand)
    rules = restriction_rules(raw, graph, network)
    state_arc, source, target, cost, forbidden = _with_memory(arcs, source, target, cost, rules)
    return _without_islands(graph, state_arc, source, target, cost, forbidden)


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
    rank_in, rank_out = _importance(graph)[source >> 1], _importance(graph)[target >> 1]
    cost = cost + np.where(rank_out > rank_in, join, 0)
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


def _importance(graph: Graph) -> Ints:
    """Per edge 3 for fast roads, 2 arterial, 1 street, 0 slow: by speed, which stands for class here."""
    kmh = graph.seg_kmh[graph.seg_start[:-1]].max(axis=1)
    return np.asarray(np.searchsorted([18.0, 42.0, 60.0], kmh, side="right"), np.int64)


def restriction_rules(raw: RawRoads, graph: Graph, network: str) -> list[_Rule]:
    """Restrictions that bind this network, as sequences of arcs; those whose ways are not in it say
    nothing."""
    bound = [(r, kind) for r in raw.restrictions if (kind := profiles.restriction_kind(r.tags, network))]
    if not bound:
        return []
    arcs_of_way = _arcs_of_ways(
        raw, graph, {w for r, _ in bound for w in (*r.from_ways, *r.via_ways, *r.to_ways)}
    )
    tail, head = _arc_ends(graph)
    rules = []
    for restriction, kind in bound:
        for arcs in _sequences(restriction, arcs_of_way, graph, tail, head):
            rules.append(_Rule(arcs, kind == "only"))
    return rules


def _arcs_of_ways(raw: RawRoads, graph: Graph, osm_ids: set[int]) -> dict[int, list[int]]:
    """Open arcs whose segments belong (at one end at least) to the way; a way of several edges has
    several."""
    row_of = {int(osm): i for i, osm in enumerate(raw.way_id)}
    wanted = {row_of[osm]: osm for osm in osm_ids if osm in row_of}
    open_ = graph.arc_open()
    found: dict[int, list[int]] = {osm: [] for osm in osm_ids}
    edge_of_segment = np.repeat(np.arange(graph.edges), np.diff(graph.seg_start))
    hit = np.flatnonzero(np.isin(graph.seg_way, list(wanted)))
    pairs = {(int(edge_of_segment[s]), int(graph.seg_way[s])) for s in hit}
    for edge, way in sorted(pairs):
        found[wanted[way]] += [arc for arc in (2 * edge, 2 * edge + 1) if open_[arc]]
    return found


def _sequences(
    restriction: Restriction, arcs_of_way: dict[int, list[int]], graph: Graph, tail: Ints, head: Ints
) -> list[tuple[int, ...]]:
    sources = [a for way in restriction.from_ways for a in arcs_of_way[way]]
    targets = [a for way in restriction.to_ways for a in arcs_of_way[way]]
    if restriction.via_node is not None:
        vertex = graph.vertex_of_node.get(restriction.via_node)
        return [(a, b) for a in sources if head[a] == vertex for b in targets if tail[b] == vertex]
    via = {a for way in restriction.via_ways for a in arcs_of_way[way]}
    found: list[tuple[int, ...]] = []
    open_paths: list[tuple[int, ...]] = [(a,) for a in sources]
    for _ in range(len(via) + 1):
        longer: list[tuple[int, ...]] = []
        for path in open_paths:
            end = head[path[-1]]
            if len(path) > 1:
                found += [(*path, b) for b in targets if tail[b] == end]
            longer += [(*path, b) for b in via if tail[b] == end and b not in path and b ^ 1 not in path]
        open_paths = longer
    through_all = [p for p in found if _covers(p, restriction, arcs_of_way)]
    return through_all


def _covers(path: tuple[int, ...], restriction: Restriction, arcs_of_way: dict[int, list[int]]) -> bool:
    return all(any(arc in arcs_of_way[way] for arc in path[1:-1]) for way in restriction.via_ways)


def _with_memory(
    arcs: Ints, source: Ints, target: Ints, cost: Ints, rules: list[_Rule]
) -> tuple[Ints, Ints, Ints, Ints, int]:
    """States and turns between them: (arc of each state, source, target, milliseconds, turns taken away).

    A memory is a set of (rule, how many of its arcs are driven); a state without memory is a rule's start at
    most.
    """
    number = np.full(int(arcs.max()) + 2 if len(arcs) else 1, -1, np.int64)
    number[arcs] = np.arange(len(arcs))
    starts: dict[int, list[int]] = {}
    for i, rule in enumerate(rules):
        starts.setdefault(rule.arcs[0], []).append(i)
    touched = np.isin(source, list(starts))
    plain = ~touched
    out_of: dict[int, list[tuple[int, int]]] = {}
    involved = {arc for rule in rules for arc in rule.arcs[:-1]}
    for a, b, ms in zip(
        *(x[np.isin(source, list(involved))].tolist() for x in (source, target, cost)), strict=True
    ):
        out_of.setdefault(a, []).append((b, ms))
    state_of: dict[tuple[int, frozenset[tuple[int, int]]], int] = {}
    state_arc = arcs.tolist()
    extra: list[tuple[int, int, int]] = []
    todo: list[tuple[int, frozenset[tuple[int, int]], int]] = []
    forbidden = 0
    for arc in sorted(starts):
        memory = frozenset((i, 1) for i in starts[arc])
        state_of[arc, memory] = int(number[arc])
        todo.append((arc, memory, int(number[arc])))
    while todo:
        arc, memory, state = todo.pop()
        for nxt, ms in out_of.get(arc, []):
            after = _advance(memory, nxt, rules)
            if after is None:
                forbidden += 1
                continue
            after = after | {(i, 1) for i in starts.get(nxt, [])}
            key = (nxt, after)
            if not after:
                state_of[key] = int(number[nxt])
            elif key not in state_of:
                state_of[key] = len(state_arc)
                state_arc.append(nxt)
                todo.append((nxt, after, state_of[key]))
            extra.append((state, state_of[key], ms))
    more = np.array(extra, np.int64).reshape(-1, 3)
    return (
        np.array(state_arc, np.int64),
        np.concatenate((number[source[plain]], more[:, 0])),
        np.concatenate((number[target[plain]], more[:, 1])),
        np.concatenate((cost[plain], more[:, 2])),
        forbidden,
    )


def _advance(
    memory: frozenset[tuple[int, int]], nxt: int, rules: list[_Rule]
) -> frozenset[tuple[int, int]] | None:
    """The memory after driving on to arc `nxt`, without rules that start there; None where a rule forbids
    it."""
    after = set()
    prescribed = False
    allowed = False
    for i, driven in memory:
        rule = rules[i]
        fits = rule.arcs[driven] == nxt
        if driven == len(rule.arcs) - 1:
            if rule.only:
                prescribed, allowed = True, allowed or fits
            elif fits:
                return None
        elif fits:
            after.add((i, driven + 1))
    return None if prescribed and not allowed else frozenset(after)


def _without_islands(
    graph: Graph, state_arc: Ints, source: Ints, target: Ints, cost: Ints, forbidden: int
) -> TurnGraph:
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
        part=ranked[label[keep]].astype(np.int64),
        forbidden=forbidden,
    )
