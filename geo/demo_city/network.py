"""Road lines become ways that share a node wherever they meet, as in OpenStreetMap."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely import LineString
from shapely.geometry.base import BaseGeometry

from geo.demo_city.names import Name
from geo.demo_city.plan import Line, Road

MERGE_M: Final = 9.0
"""Junctions closer together than this are one."""
REACH_M: Final = 28.0
"""A loose end this close to another road is joined to it."""
STUB_M: Final = 45.0
"""What hangs over the last junction and is shorter than this is cut off."""

RANK: Final = {
    "motorway": 9, "trunk": 8, "primary": 7, "secondary": 6, "tertiary": 5,
    "unclassified": 4, "residential": 3,
    "living_street": 2, "service": 1, "pedestrian": 1,
}  # fmt: skip
DRIVABLE: Final = frozenset(RANK) - {"pedestrian"} | {"motorway_link", "trunk_link", "ferry"}


@dataclass(slots=True)
class Way:
    """Indices into Network.positions, first to last."""

    nodes: list[int]
    kind: str
    name: Name | None
    tags: dict[str, str]


@dataclass(slots=True)
class Network:
    """positions in metres, one row a node."""

    positions: Line
    ways: list[Way]
    node_tags: dict[int, dict[str, str]] = field(default_factory=dict)

    def arms(self) -> dict[int, list[tuple[int, int]]]:
        """Per node: (way index, position in it) of every way through or at it."""
        found: dict[int, list[tuple[int, int]]] = {}
        for index, way in enumerate(self.ways):
            for place, node in enumerate(way.nodes):
                found.setdefault(node, []).append((index, place))
        return found


@dataclass(slots=True)
class _Meetings:
    """Where roads meet: parallel lists of road index, metres along it, and the place."""

    road: list[int] = field(default_factory=list)
    along_m: list[float] = field(default_factory=list)
    x: list[float] = field(default_factory=list)
    y: list[float] = field(default_factory=list)

    def add(self, road: int, line: LineString, x: float, y: float) -> None:
        self.road.append(road)
        self.along_m.append(float(line.project(shapely.Point(x, y))))
        self.x.append(x)
        self.y.append(y)


def join(roads: list[Road], water: BaseGeometry) -> Network:
    """The network of all roads. Bridges over water and over other roads become ways of their own."""
    lines = np.array([LineString(road.line) for road in roads], dtype=object)
    meetings = _Meetings()
    _crossings(roads, lines, meetings)
    _slip_ends(roads, lines, meetings)
    _loose_ends(roads, lines, meetings)
    node_of, places = _merge(meetings)
    by_road: dict[int, list[tuple[float, int]]] = {}
    for met, along_m, node in zip(meetings.road, meetings.along_m, node_of, strict=True):
        by_road.setdefault(met, []).append((along_m, int(node)))
    positions = [tuple(p) for p in places]
    ways: list[Way] = []
    over = _over_roads(roads, lines)
    for index, road in enumerate(roads):
        stops = sorted(by_road.get(index, []))
        if road.kind != "rail" and (not stops or (len(stops) < 2 and lines[index].length < 120)):
            continue
        bridges = [] if road.kind == "ferry" else _bridges(lines[index], water, over.get(index, []))
        ways += _ways(road, lines[index], stops, bridges, positions)
    return Network(np.array(positions), ways)


def _meets_others(road: Road) -> bool:
    return not (road.elevated or road.slip or road.kind == "rail")


def _crossings(roads: list[Road], lines: NDArray[np.object_], meetings: _Meetings) -> None:
    ground = np.array([k for k, road in enumerate(roads) if _meets_others(road)])
    left, right = shapely.STRtree(lines[ground]).query(lines[ground], predicate="intersects")
    once = left < right
    left, right = ground[left[once]], ground[right[once]]
    shared = shapely.intersection(lines[left], lines[right])
    for a, b, places in zip(left, right, shared, strict=True):
        for part in shapely.get_parts(places):
            x, y = part.coords[0]
            meetings.add(int(a), lines[a], x, y)
            meetings.add(int(b), lines[b], x, y)


def _slip_ends(roads: list[Road], lines: NDArray[np.object_], meetings: _Meetings) -> None:
    """Both ends of a slip road or ferry lie on other roads already."""
    tree = shapely.STRtree(lines)
    for road in roads:
        if not road.slip:
            continue
        for x, y in (road.line[0], road.line[-1]):
            for other in sorted(tree.query(shapely.Point(x, y), predicate="dwithin", distance=2.0)):
                if roads[other].kind != "rail":
                    meetings.add(int(other), lines[other], x, y)


def _loose_ends(roads: list[Road], lines: NDArray[np.object_], meetings: _Meetings) -> None:
    ground = np.array([k for k, road in enumerate(roads) if _meets_others(road)])
    tree = shapely.STRtree(lines[ground])
    met = cKDTree(np.column_stack([meetings.x, meetings.y]))
    for index, road in enumerate(roads):
        if road.slip or road.kind == "rail":
            continue
        for end in (road.line[0], road.line[-1]):
            if met.query(end)[0] < MERGE_M:
                continue
            here = shapely.Point(end)
            near = [int(ground[k]) for k in tree.query(here, predicate="dwithin", distance=REACH_M)]
            near = [k for k in near if k != index]
            if near:
                _, other = min((float(shapely.distance(lines[k], here)), k) for k in near)
                place = lines[other].interpolate(lines[other].project(here))
                meetings.add(other, lines[other], place.x, place.y)
                meetings.add(index, lines[index], place.x, place.y)


def _merge(meetings: _Meetings) -> tuple[NDArray[np.int_], Line]:
    """Node of each meeting, and the nodes' places: the mean of what was merged."""
    xy = np.column_stack([meetings.x, meetings.y])
    pairs = cKDTree(xy).query_pairs(MERGE_M, output_type="ndarray")
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(xy), len(xy)))
    count, node_of = connected_components(graph, directed=False)
    sizes = np.bincount(node_of, minlength=count)[:, None]
    sums = np.column_stack([np.bincount(node_of, weights=xy[:, k], minlength=count) for k in (0, 1)])
    return node_of, sums / sizes


def _over_roads(roads: list[Road], lines: NDArray[np.object_]) -> dict[int, list[float]]:
    """For each elevated road, metres along it where a road on the ground passes below."""
    found: dict[int, list[float]] = {}
    ground = np.array(
        [k for k, road in enumerate(roads) if _meets_others(road) and RANK.get(road.kind, 0) > 1]
    )
    high = np.array([k for k, road in enumerate(roads) if road.elevated])
    above, below = shapely.STRtree(lines[ground]).query(lines[high], predicate="intersects")
    for a, b in zip(high[above], ground[below], strict=True):
        for part in shapely.get_parts(shapely.intersection(lines[a], lines[b])):
            found.setdefault(int(a), []).append(float(lines[a].project(part)))
    return found


def _bridges(line: LineString, water: BaseGeometry, over_m: list[float]) -> list[tuple[float, float]]:
    """Stretches on bridges, metres along the line, merged where they touch."""
    spans = [(at - 32, at + 32) for at in over_m]
    if line.intersects(water):
        for part in shapely.get_parts(shapely.intersection(line, water)):
            if part.geom_type == "LineString":
                ends = sorted(line.project(shapely.Point(part.coords[k])) for k in (0, -1))
                spans.append((ends[0] - 14, ends[1] + 14))
    merged: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if merged and first < merged[-1][1] + 30:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((max(first, 0.0), last))
    return merged


def _ways(
    road: Road,
    line: LineString,
    stops: list[tuple[float, int]],
    bridges: list[tuple[float, float]],
    positions: list[tuple[float, ...]],
) -> list[Way]:
    """The road's ways: without its stubs, cut where a bridge begins or ends. New nodes are added to
    positions."""
    first, last = 0.0, float(line.length)
    closed = bool((road.line[0] == road.line[-1]).all())
    if stops and _meets_others(road) and not closed:
        first = stops[0][0] if stops[0][0] < STUB_M else first
        last = stops[-1][0] if last - stops[-1][0] < STUB_M else last
    taken = np.array([along for along, _ in stops] or [-1e9])
    own = [
        float(m)
        for m in np.asarray(shapely.line_locate_point(line, shapely.points(road.line)))
        if first <= m <= last
    ]
    cuts = [m for span in bridges for m in span if first + 5 < m < last - 5]
    places = list(stops)
    for along in sorted({*own, *cuts, first, last}):
        if float(np.abs(taken - along).min()) > 6.0:
            spot = line.interpolate(along)
            positions.append((spot.x, spot.y))
            places.append((along, len(positions) - 1))
            taken = np.append(taken, along)
    if closed:
        places = [p for p in sorted(places) if p[0] < line.length - 3]
        places.append((float(line.length), places[0][1]))
    places = [p for p in sorted(places) if first - 1 <= p[0] <= last + 1]
    ways: list[Way] = []
    for (along, node), (next_along, next_node) in pairwise(places):
        if node == next_node:
            continue
        middle = (along + next_along) / 2
        on_bridge = any(a <= middle <= b for a, b in bridges)
        tags = {**road.tags, "bridge": "yes", "layer": "1"} if on_bridge else dict(road.tags)
        if ways and ways[-1].tags == tags and ways[-1].nodes[-1] == node and len(ways[-1].nodes) < 400:
            ways[-1].nodes.append(next_node)
        else:
            ways.append(Way([node, next_node], road.kind, road.name, tags))
    return ways


def keep_reachable(network: Network) -> Network:
    """Without ways that cannot be reached; one-way streets that would lock a driver in or out become
    two-way first."""
    count = len(network.positions)
    tail, head = _arcs(network.ways, count, both_ways=True)
    graph = coo_matrix((np.ones(len(tail)), (tail, head)), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    main = int(np.bincount(part[tail]).argmax())
    ways = [way for way in network.ways if way.kind == "rail" or part[way.nodes[0]] == main]
    for attempt in range(40):
        driven = [way for way in ways if way.kind in DRIVABLE]
        tail, head = _arcs(driven, count, both_ways=False)
        graph = coo_matrix((np.ones(len(tail)), (tail, head)), shape=(count, count))
        _, strong = connected_components(graph, directed=True, connection="strong")
        main = int(np.bincount(strong[tail]).argmax())
        lost = [way for way in driven if any(strong[node] != main for node in way.nodes)]
        if not lost:
            break
        for way in lost:
            if RANK.get(way.kind, 9) < 8:
                way.tags.pop("oneway", None)
        if attempt >= 2:
            gone = {id(way) for way in lost}
            ways = [way for way in ways if id(way) not in gone]
    return Network(network.positions, ways, network.node_tags)


def _arcs(ways: list[Way], count: int, *, both_ways: bool) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    tail: list[int] = []
    head: list[int] = []
    for way in ways:
        if way.kind == "rail":
            continue
        oneway = None if both_ways else way.tags.get("oneway")
        if oneway != "-1":
            tail += way.nodes[:-1]
            head += way.nodes[1:]
        if oneway != "yes":
            tail += way.nodes[1:]
            head += way.nodes[:-1]
    return np.array(tail, np.int_), np.array(head, np.int_)
