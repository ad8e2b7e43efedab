"""From raw ways to a graph of junctions: edges are whole stretches between junctions, with all their bends.

One graph per network (car, bike, foot). An edge is a chain of segments; arc 2e runs along edge e, arc 2e + 1
against it. Nodes where nothing can be chosen are not vertices, so that the search graph stays small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.points import distances_m
from geo.roads import profiles
from geo.roads.conditions import closures, slots_table
from geo.roads.kernels_graph import chain_segments
from geo.roads.pbf import RawRoads
from geo.roads.signals import signal_ms

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

RESTRICTED, ROUNDABOUT, KERB_ONLY, FERRY = 1, 2, 4, 8


@dataclass(slots=True)
class Graph:
    """Junction graph of one network. Segments seg_start[e]:seg_start[e + 1] make edge e, in its own
    direction."""

    edge_from: Ints
    edge_to: Ints
    edge_flags: NDArray[np.uint8]
    seg_start: Ints
    seg_lon: Floats
    """(segments, 2): first and last point."""
    seg_lat: Floats
    seg_m: Floats
    seg_kmh: Floats
    """(segments, 2): along and against the edge; 0 where not allowed, the same over a whole edge."""
    seg_way: NDArray[np.int32]
    """Index into the way tables."""
    seg_delay_ms: Ints
    """Lost at the inner node that follows the segment (a signal, a gate); 0 at the end of an edge."""
    edge_closed: NDArray[np.int32]
    """(edges, 3): hours at which an edge is closed, bit h from h:00 to h + 1:00, by conditions.DAYS."""
    vertex_lon: Floats
    vertex_lat: Floats
    vertex_delay_ms: Ints
    vertex_of_node: Mapping[int, int]
    """Raw node index to vertex, for the via nodes of restrictions."""

    @property
    def edges(self) -> int:
        return len(self.edge_from)

    def arc_open(self) -> NDArray[np.bool_]:
        """(2 * edges): whether the arc may be driven."""
        along = self.seg_kmh[self.seg_start[:-1]] > 0
        return along.reshape(-1)


def build_graph(raw: RawRoads, network: str, country: str) -> Graph | None:
    """The graph of "car", "bike" or "foot"; None when no way serves it."""
    shut = [closures(tags, network) for tags in raw.way_tags]
    rules = _rules([each.tags for each in shut], network, country)
    usable = [w for w, rule in enumerate(rules) if rule is not None]
    if not usable:
        return None
    seg_a, seg_b, seg_way = _segments(raw, np.array(usable, np.int64))
    kmh, flags = _per_segment(rules, raw, seg_a, seg_b, seg_way, network)
    blocked, delay_ms = _node_rules(raw, network, np.unique(np.concatenate((seg_a, seg_b))))
    lon, lat = raw.lon, raw.lat
    seg_a, seg_b, lon, lat = _cut_at_barriers(seg_a, seg_b, lon, lat, blocked)
    delay = np.zeros(len(lon), np.int64)
    delay[list(delay_ms)] = list(delay_ms.values())
    forced = np.zeros(len(lon), np.bool_)
    forced[_restriction_nodes(raw)] = True
    closed = slots_table([each.closed for each in shut])
    forced[_ends_of(raw, np.flatnonzero(closed.any(axis=1)))] = True
    order, flip, start = chain_segments(seg_a, seg_b, kmh, flags, forced)
    return _assemble(
        raw, (seg_a, seg_b, seg_way, kmh, flags), (order, flip, start), (lon, lat, delay), closed
    )


def _rules(
    way_tags: Sequence[Mapping[str, str]], network: str, country: str
) -> list[profiles.WayRule | None]:
    known: dict[tuple[tuple[str, str], ...], profiles.WayRule | None] = {}
    rules = []
    for tags in way_tags:
        key = tuple((k, v) for k, v in tags.items() if not k.startswith("name"))
        if key not in known:
            known[key] = profiles.way_rule(tags, network, country)
        rules.append(known[key])
    return rules


def _segments(raw: RawRoads, ways: Ints) -> tuple[Ints, Ints, Ints]:
    """Neighbouring nodes along each way: (from, to, way); a node repeated in a row makes no segment."""
    count = raw.way_start[ways + 1] - raw.way_start[ways] - 1
    offset = np.repeat(raw.way_start[ways] - np.concatenate(([0], np.cumsum(count)[:-1])), count)
    at = np.arange(int(count.sum())) + offset
    a, b, way = raw.way_node[at], raw.way_node[at + 1], np.repeat(ways, count)
    keep = a != b
    return a[keep], b[keep], way[keep]


def _per_segment(
    rules: list[profiles.WayRule | None], raw: RawRoads, a: Ints, b: Ints, way: Ints, network: str
) -> tuple[Floats, NDArray[np.uint8]]:
    kmh = np.zeros((len(rules), 2))
    flags = np.zeros(len(rules), np.uint8)
    ferry = profiles.CLASS_INDEX["ferry"]
    for w, rule in enumerate(rules):
        if rule is None:
            continue
        kmh[w] = rule.forward_kmh, rule.backward_kmh
        flags[w] = (
            RESTRICTED * rule.restricted
            | ROUNDABOUT * rule.roundabout
            | KERB_ONLY * rule.kerb_only
            | FERRY * (rule.class_index == ferry)
        )
        if rule.duration_s:
            nodes = raw.way_node[raw.way_start[w] : raw.way_start[w + 1]]
            lon, lat = raw.lon[nodes], raw.lat[nodes]
            length_m = float(distances_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())
            kmh[w] = np.where(kmh[w] > 0, max(length_m / rule.duration_s * 3.6, 0.5), 0)
    return kmh[way], flags[way]


def _node_rules(raw: RawRoads, network: str, used: Ints) -> tuple[Ints, dict[int, int]]:
    """Nodes nobody passes, and milliseconds lost at others; used: nodes on the network's ways, ascending."""
    blocked, delay_ms, signals = [], {}, {}
    on_ways = set(used.tolist())
    for node, tags in raw.node_tags.items():
        stop, lost_s = profiles.node_rule(tags, network)
        if stop:
            blocked.append(node)
            continue
        if lost_s:
            delay_ms[node] = round(lost_s * 1000)
        if node in on_ways and (waited_s := profiles.signal_s(tags, network)):
            signals[node] = waited_s
    for node, waited_ms in signal_ms(raw.lon, raw.lat, signals).items():
        delay_ms[node] = delay_ms.get(node, 0) + waited_ms
    return np.array(blocked, np.int64), delay_ms


def _cut_at_barriers(
    a: Ints, b: Ints, lon: Floats, lat: Floats, blocked: Ints
) -> tuple[Ints, Ints, Floats, Floats]:
    """Give each segment its own copy of a blocked node, so that both sides end there."""
    a, b = a.copy(), b.copy()
    for ends in (a, b):
        hit = np.flatnonzero(np.isin(ends, blocked))
        old = ends[hit]
        ends[hit] = len(lon) + np.arange(len(hit))
        lon, lat = np.concatenate((lon, lon[old])), np.concatenate((lat, lat[old]))
    return a, b, lon, lat


def _ends_of(raw: RawRoads, ways: Ints) -> Ints:
    """First and last node of each way: one way's hours must not run on into the next."""
    return np.concatenate((raw.way_node[raw.way_start[ways]], raw.way_node[raw.way_start[ways + 1] - 1]))


def _restriction_nodes(raw: RawRoads) -> Ints:
    """Nodes that must stay vertices: via nodes and the ends of ways that restrictions name."""
    row = {int(osm): i for i, osm in enumerate(raw.way_id)}
    nodes = [r.via_node for r in raw.restrictions if r.via_node is not None]
    for restriction in raw.restrictions:
        if restriction.via_ways:
            for osm in (*restriction.from_ways, *restriction.via_ways, *restriction.to_ways):
                if osm in row:
                    w = row[osm]
                    nodes += [
                        int(raw.way_node[raw.way_start[w]]),
                        int(raw.way_node[raw.way_start[w + 1] - 1]),
                    ]
    return np.array(nodes, np.int64)


def _assemble(
    raw: RawRoads,
    segments: tuple[Any, ...],
    chains: tuple[Ints, NDArray[np.bool_], Ints],
    nodes: tuple[Floats, Floats, Ints],
    closed: NDArray[np.int32],
) -> Graph:
    a, b, way, kmh, flags = segments
    order, flip, start = chains
    lon, lat, delay = nodes
    first = np.where(flip, b[order], a[order])
    last = np.where(flip, a[order], b[order])
    end_node = last[start[1:] - 1]
    used, ends = np.unique(np.concatenate((first[start[:-1]], end_node)), return_inverse=True)
    ends = ends.reshape(-1)
    inner = delay[last].copy()
    inner[start[1:] - 1] = 0
    edges = len(start) - 1
    return Graph(
        edge_from=ends[:edges].astype(np.int64),
        edge_to=ends[edges:].astype(np.int64),
        edge_flags=np.bitwise_or.reduceat(flags[order], start[:-1]).astype(np.uint8),
        seg_start=start,
        seg_lon=np.column_stack((lon[first], lon[last])),
        seg_lat=np.column_stack((lat[first], lat[last])),
        seg_m=distances_m(lon[first], lat[first], lon[last], lat[last]),
        seg_kmh=np.where(flip[:, None], kmh[order][:, ::-1], kmh[order]),
        seg_way=way[order].astype(np.int32),
        seg_delay_ms=inner,
        edge_closed=closed[way[order][start[:-1]]],
        vertex_lon=lon[used],
        vertex_lat=lat[used],
        vertex_delay_ms=delay[used],
        vertex_of_node={int(n): v for v, n in enumerate(used) if n < len(raw.lon)},
    )
