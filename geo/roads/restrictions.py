"""Turn restrictions as forbidden or prescribed sequences of arcs, and the memory they need.

A restriction over a node is a sequence of two arcs, one over ways a longer one; both take the same path here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.roads.conditions import ALL_SLOTS, restriction_slots, slots_table
from geo.roads.graph import Graph
from geo.roads.pbf import RawRoads, Restriction

Ints = NDArray[np.int64]
Slots = NDArray[np.int32]
Arcs = list[int]

MAX_SEQUENCES = 10_000
"""Of one restriction; via ways that fork more than this are a mapping error and only partly followed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`arcs` in order, at least two. only: once the last but one is left, it must be for the last. slots: a bit for
    each slot it binds."""

    arcs: tuple[int, ...]
    only: bool
    slots: int = ALL_SLOTS


@dataclass(frozen=True, slots=True)
class _WayArcs:
    """Open arcs of one way: those that end on it, begin on it, run on it at all."""

    arriving: Arcs
    leaving: Arcs
    inside: Arcs


def restriction_rules(raw: RawRoads, graph: Graph, network: str) -> list[Rule]:
    """The rules that bind this network; a restriction whose ways are not in it gives none."""
    told = [(r, *restriction_slots(r.tags, network)) for r in raw.restrictions]
    bound = [(r, kind, slots) for r, kind, slots, _ in told if kind and slots]
    if not bound:
        return []
    named = {w for r, _, _ in bound for w in (*r.from_ways, *r.via_ways, *r.to_ways)}
    arcs = _arcs_of_ways(raw, graph, named)
    tail = np.column_stack((graph.edge_from, graph.edge_to)).reshape(-1)
    head = np.column_stack((graph.edge_to, graph.edge_from)).reshape(-1)
    return [
        Rule(path, kind == "only", slots)
        for r, kind, slots in bound
        for path in _sequences(r, arcs, graph, tail, head)
    ]


def _arcs_of_ways(raw: RawRoads, graph: Graph, osm_ids: set[int]) -> dict[int, _WayArcs]:
    row_of = {int(osm): i for i, osm in enumerate(raw.way_id)}
    wanted = {row_of[osm]: osm for osm in osm_ids if osm in row_of}
    found = {osm: _WayArcs([], [], []) for osm in osm_ids}
    open_ = graph.arc_open()
    edge_of_segment = np.repeat(np.arange(graph.edges), np.diff(graph.seg_start))
    hit = np.flatnonzero(np.isin(graph.seg_way, list(wanted)))
    for edge, way in sorted({(int(edge_of_segment[s]), int(graph.seg_way[s])) for s in hit}):
        first = int(graph.seg_way[graph.seg_start[edge]])
        last = int(graph.seg_way[graph.seg_start[edge + 1] - 1])
        arcs = found[wanted[way]]
        for arc, begins, ends in ((2 * edge, first, last), (2 * edge + 1, last, first)):
            if open_[arc]:
                arcs.inside.append(arc)
                arcs.leaving.extend([arc] if begins == way else [])
                arcs.arriving.extend([arc] if ends == way else [])
    return found


def _sequences(
    restriction: Restriction, arcs: dict[int, _WayArcs], graph: Graph, tail: Ints, head: Ints
) -> list[tuple[int, ...]]:
    sources = [a for way in restriction.from_ways for a in arcs[way].arriving]
    targets = [a for way in restriction.to_ways for a in arcs[way].leaving]
    if restriction.via_node is not None:
        vertex = graph.vertex_of_node.get(restriction.via_node)
        return [(a, b) for a in sources if head[a] == vertex for b in targets if tail[b] == vertex]
    via = [a for way in restriction.via_ways for a in arcs[way].inside]
    found: list[tuple[int, ...]] = []
    paths: list[tuple[int, ...]] = [(a,) for a in sources]
    while paths and len(found) < MAX_SEQUENCES:
        longer: list[tuple[int, ...]] = []
        for path in paths:
            end = head[path[-1]]
            if len(path) > 1:
                found += [(*path, b) for b in targets if tail[b] == end and b != path[-1] ^ 1]
            longer += [(*path, b) for b in via if tail[b] == end and b not in path and b ^ 1 not in path]
        paths = longer[:MAX_SEQUENCES]
    driven = [set(arcs[way].inside) for way in restriction.via_ways]
    return [path for path in found if all(way & set(path[1:-1]) for way in driven)]


def with_memory(
    arcs: Ints, source: Ints, target: Ints, cost: Ints, rules: list[Rule]
) -> tuple[Ints, Ints, Ints, Ints, Slots, int]:
    """States and turns between them: (arc of each state, source, target, milliseconds, slots_table of when a
    restriction closes it, turns taken away).

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
    closed_at: list[int] = []
    todo: list[tuple[int, frozenset[tuple[int, int]], int]] = []
    forbidden = 0
    for arc in sorted(starts):
        memory = frozenset((i, 1) for i in starts[arc])
        state_of[arc, memory] = int(number[arc])
        todo.append((arc, memory, int(number[arc])))
    while todo:
        arc, memory, state = todo.pop()
        for nxt, ms in out_of.get(arc, []):
            closed = _closed_slots(memory, nxt, rules)
            if closed == ALL_SLOTS:
                forbidden += 1
                continue
            after = _advance(memory, nxt, rules) | {(i, 1) for i in starts.get(nxt, [])}
            key = (nxt, after)
            if not after:
                state_of[key] = int(number[nxt])
            elif key not in state_of:
                state_of[key] = len(state_arc)
                state_arc.append(nxt)
                todo.append((nxt, after, state_of[key]))
            extra.append((state, state_of[key], ms))
            closed_at.append(closed)
    more = np.array(extra, np.int64).reshape(-1, 3)
    return (
        np.array(state_arc, np.int64),
        np.concatenate((number[source[plain]], more[:, 0])),
        np.concatenate((number[target[plain]], more[:, 1])),
        np.concatenate((cost[plain], more[:, 2])),
        np.concatenate((slots_table([0] * int(plain.sum())), slots_table(closed_at))),
        forbidden,
    )


def _advance(memory: frozenset[tuple[int, int]], nxt: int, rules: list[Rule]) -> frozenset[tuple[int, int]]:
    """The memory after driving on to arc `nxt`, without rules that start there."""
    return frozenset(
        (i, driven + 1)
        for i, driven in memory
        if driven < len(rules[i].arcs) - 1 and rules[i].arcs[driven] == nxt
    )


def _closed_slots(memory: frozenset[tuple[int, int]], nxt: int, rules: list[Rule]) -> int:
    """The slots at which a rule forbids going on to arc `nxt`: a "no" that ends there, or an "only" that ends
    elsewhere while none ends there."""
    ending = [rules[i] for i, driven in memory if driven == len(rules[i].arcs) - 1]
    closed = prescribed = allowed = 0
    for rule in ending:
        fits = rule.arcs[-1] == nxt
        if rule.only:
            prescribed |= rule.slots
            allowed |= rule.slots if fits else 0
        elif fits:
            closed |= rule.slots
    return closed | (prescribed & ~allowed)
