"""The least costs by other means: a turn-expanded graph of single segments, built here from the pbf,
and scipy.

Nothing is shared with the product but the tables of profiles: no chains of segments, no junction graph, no
hierarchy, no memory states made beforehand. A place is (segment, share along it),
taken from the product's snapping.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osmium
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from geo.points import distances_m
from geo.roads import profiles

SHIFT = 20  # decimetres up to 104 km below, so that a sum stays exact in a double


class Reference:
    """Costs of one mode and hour on the roads of pbf files."""

    def __init__(
        self, paths: list[Path], mode: str, hour: int | None, country: str, weekday: str = "We"
    ) -> None:
        self.mode, self.network = mode, profiles.NETWORK_OF[mode]
        self.when = (weekday, 3 if hour is None else hour)
        self.left_hand = country in profiles.LEFT_HAND
        self.factors = profiles.HOUR_FACTORS[3 if hour is None else hour] if mode == "car" else (1.0,) * 4
        self._read(paths, country)
        self._expand()

    def _read(self, paths: list[Path], country: str) -> None:
        network = self.network
        self.where: dict[Any, tuple[float, float]] = {}
        node_tags: dict[int, dict[str, str]] = {}
        ways: dict[int, tuple[list[Any], dict[str, str]]] = {}
        self.relations: list[tuple[str, list[tuple[str, str, int]]]] = []
        for path in paths:
            for item in osmium.FileProcessor(str(path)).with_locations():
                tags = {t.k: t.v for t in item.tags}
                if item.is_node() and tags:
                    node_tags[item.id] = tags
                elif item.is_way() and ("highway" in tags or tags.get("route") == "ferry"):
                    refs = [n.ref for n in item.nodes if n.location.valid()]
                    self.where |= {n.ref: (n.lon, n.lat) for n in item.nodes if n.location.valid()}
                    if len(refs) > 1:
                        ways[item.id] = (refs, tags)
                elif item.is_relation() and tags.get("type") == "restriction":
                    kind = profiles.restriction_kind(tags, network) or self._bound_now(tags)
                    if kind:
                        self.relations.append((kind, [(m.role, m.type, m.ref) for m in item.members]))
        self.delay = {}
        self.waits: dict[int, float] = {}
        blocked = set()
        for node, tags in node_tags.items():
            stop, lost = profiles.node_rule(tags, network)
            if stop:
                blocked.add(node)
            elif profiles.signal_s(tags, network):
                self.waits[node] = profiles.signal_s(tags, network)
            self.delay[node] = round(lost * 1000)
        self.arcs: list[tuple[Any, Any, int, int, int, float, Any, bool]] = []
        self.legs: dict[Any, int] = defaultdict(int)
        self.at: dict[tuple[Any, Any], list[int]] = defaultdict(list)
        for way, (refs, tags) in ways.items():
            rule = profiles.way_rule(tags, network, country)
            if rule:
                self._add_way(way, refs, rule, blocked)
        self._share_waits()

    def _share_waits(self) -> None:
        """Signals reached from one another in steps of at most SIGNALS_TOGETHER_M wait once on √n of them."""
        left = {node for node in self.waits if node in self.legs}
        while left:
            crossing, todo = [], [left.pop()]
            while todo:
                here = todo.pop()
                crossing.append(here)
                others = list(left)
                if others:
                    lon, lat = np.array([self.where[n] for n in others]).T
                    apart = distances_m(*self.where[here], lon, lat)
                    near = [n for n, m in zip(others, apart, strict=True) if m <= profiles.SIGNALS_TOGETHER_M]
                    todo += near
                    left -= set(near)
            shared = max(self.waits[n] for n in crossing) / math.sqrt(len(crossing))
            for node in crossing:
                self.delay[node] += int(np.rint(1000 * shared))

    def _bound_now(self, tags: dict[str, str]) -> str | None:
        """The kind of a restriction:conditional of one rule that binds in some minute of the hour asked for."""
        told = re.fullmatch(
            r"(\w+) @ \(([A-Z]\w-[A-Z]\w)? ?([\d:,-]+)\)", tags.get("restriction:conditional", "")
        )
        if told is None:
            return None
        week, (weekday, hour) = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"], self.when
        first, last = (told[2] or "Mo-Su").split("-")
        days = week[week.index(first) : week.index(last) + 1]
        spans = [[int(t[:2]) * 60 + int(t[3:]) for t in span.split("-")] for span in told[3].split(",")]
        minutes = range(hour * 60, hour * 60 + 60)
        binds = weekday in days and any(a <= m < b for m in minutes for a, b in spans)
        return profiles.restriction_kind({**tags, "restriction": told[1]}, self.network) if binds else None

    def _add_way(self, way: int, refs: list[Any], rule: profiles.WayRule, blocked: set[int]) -> None:
        lon, lat = np.array([self.where[r] for r in refs]).T
        metres = distances_m(lon[:-1], lat[:-1], lon[1:], lat[1:])
        for i, (p, q) in enumerate(pairwise(refs)):
            if p == q:
                continue
            a = (p, way, i, 0) if p in blocked else p
            b = (q, way, i, 1) if q in blocked else q
            self.where[a], self.where[b] = self.where[p], self.where[q]
            self.legs[a] += 1
            self.legs[b] += 1
            ferry = rule.class_index == profiles.CLASS_INDEX["ferry"]
            for column, (s, e, told) in enumerate(((a, b, rule.forward_kmh), (b, a, rule.backward_kmh))):
                if not told:
                    continue
                free = max(float(metres.sum()) / rule.duration_s * 3.6, 0.5) if rule.duration_s else told
                kmh = free * self.factors[profiles.GROUP_OF_CLASS[rule.class_index]]
                kmh *= profiles.MODE_SPEED_FACTOR[self.mode] if free > 6 and not ferry else 1.0
                ms = int(np.rint(metres[i] * 3600.0 / kmh))
                key = self._key(a, b)
                self.at[key].append(len(self.arcs))
                self.arcs.append((s, e, ms, int(np.rint(metres[i] * 10)), way, free, rule, bool(column)))

    def _key(self, a: Any, b: Any) -> tuple[tuple[float, float], tuple[float, float]]:
        p, q = self.where[a], self.where[b]
        return (p, q) if p <= q else (q, p)

    def _turn_ms(self, x: int, y: int, only_way_back: bool) -> int | None:
        """Milliseconds from arc x to arc y that starts where x ends; None where it may not be taken."""
        _, node, *_, free_x, rule_x, _ = self.arcs[x]
        *_, free_y, rule_y, _ = self.arcs[y]
        kerb, across, sharp, around, dead_end, join = profiles.turn_costs_ms(self.network)
        ferry = profiles.CLASS_INDEX["ferry"]
        cost = self.delay.get(node, 0)
        if y in self.twin.get(x, ()):
            if (
                rule_x.class_index == ferry
                or rule_x.roundabout
                or not (only_way_back or self.legs[node] >= 3)
            ):
                return None
            if not only_way_back and not self.through[node]:
                return None
            return cost + (dead_end if only_way_back else around)
        if rule_y.class_index == ferry and rule_x.class_index != ferry:
            cost += round(profiles.FERRY_BOARDING_S[self.network] * 1000)
        if rule_y.restricted and not rule_x.restricted:
            cost += profiles.ENTRY_S[self.network] * 1000
        if self.legs[node] < 3 or rule_x.roundabout or rule_y.roundabout:
            return cost
        angle = (self._heading(y) - self._heading(x) + 180) % 360 - 180
        angle = -angle if self.left_hand else angle
        cost += across if angle > 40 else kerb if angle < -40 else 0
        cost += sharp if abs(angle) > 120 else 0
        level = [int(np.searchsorted([18.0, 42.0, 60.0], kmh, side="right")) for kmh in (free_x, free_y)]
        return cost + (join if level[1] > level[0] else 0)

    def _heading(self, x: int) -> float:
        (lon0, lat0), (lon1, lat1) = self.where[self.arcs[x][0]], self.where[self.arcs[x][1]]
        north = lat0 if not self.arcs[x][7] else lat1
        return math.degrees(math.atan2(lat1 - lat0, (lon1 - lon0) * math.cos(math.radians(north))))

    def _expand(self) -> None:
        """Turns between arcs, then states (arc, progress of rules) found by walking on from every arc."""
        self.out: dict[Any, list[int]] = defaultdict(list)
        into: dict[Any, list[int]] = defaultdict(list)
        self.twin: dict[int, set[int]] = defaultdict(set)
        by_pair: dict[tuple[Any, Any, int], list[int]] = defaultdict(list)
        for x, (a, b, *_rest) in enumerate(self.arcs):
            self.out[a].append(x)
            into[b].append(x)
            by_pair[a, b, self.arcs[x][4]].append(x)
        for x, (a, b, *_rest) in enumerate(self.arcs):
            self.twin[x] = {
                y for y in by_pair.get((b, a, self.arcs[x][4]), ()) if self.arcs[y][7] != self.arcs[x][7]
            }
        self.through = {n: any(y not in self.twin[x] for x in into[n] for y in self.out[n]) for n in self.out}
        rules = self._rules()
        starts: dict[int, list[int]] = defaultdict(list)
        for r, (_, path) in enumerate(rules):
            starts[path[0]].append(r)
        index: dict[tuple[int, frozenset[tuple[int, int]]], int] = {}
        self.states: list[int] = []
        self.of_arc: dict[int, list[int]] = defaultdict(list)

        def state(x: int, progress: frozenset[tuple[int, int]]) -> int:
            if (x, progress) not in index:
                index[x, progress] = len(self.states)
                self.of_arc[x].append(len(self.states))
                self.states.append(x)
                todo.append((x, progress))
            return index[x, progress]

        todo: list[tuple[int, frozenset[tuple[int, int]]]] = []
        for x in range(len(self.arcs)):
            state(x, frozenset((r, 1) for r in starts[x]))
        rows, columns, costs = [], [], []
        while todo:
            x, progress = todo.pop()
            choices = self.out[self.arcs[x][1]]
            only_back = not any(y not in self.twin[x] for y in choices)
            for y in choices:
                ms = self._turn_ms(x, y, only_back)
                if ms is None or self._forbidden(rules, progress, y):
                    continue
                following = {
                    (r, k + 1) for r, k in progress if k < len(rules[r][1]) - 1 and rules[r][1][k] == y
                }
                target = state(y, frozenset(following | {(r, 1) for r in starts[y]}))
                rows.append(index[x, progress])
                columns.append(target)
                costs.append(((self.arcs[x][2] + ms) << SHIFT) + self.arcs[x][3])
        size = len(self.states)
        self.graph = csr_matrix((np.array(costs, np.float64), (rows, columns)), shape=(size, size))

    @staticmethod
    def _forbidden(rules: list[tuple[str, list[int]]], progress: frozenset[tuple[int, int]], y: int) -> bool:
        last = [rules[r] for r, k in progress if k == len(rules[r][1]) - 1]
        if any(kind == "no" and path[-1] == y for kind, path in last):
            return True
        prescribed = [path[-1] for kind, path in last if kind == "only"]
        return bool(prescribed) and y not in prescribed

    def _rules(self) -> list[tuple[str, list[int]]]:
        of_way: dict[int, list[int]] = defaultdict(list)
        for x, arc in enumerate(self.arcs):
            of_way[arc[4]].append(x)
        found: list[tuple[str, list[int]]] = []
        for kind, members in self.relations:
            via_ways = [ref for role, t, ref in members if role == "via" and t == "w"]
            via_nodes = [ref for role, t, ref in members if role == "via" and t == "n"]
            sources = [x for role, t, ref in members if role == "from" and t == "w" for x in of_way[ref]]
            targets = [x for role, t, ref in members if role == "to" and t == "w" for x in of_way[ref]]
            if not via_ways and len(via_nodes) == 1:
                node = via_nodes[0]
                found += [
                    (kind, [x, y])
                    for x in sources
                    if self.arcs[x][1] == node
                    for y in targets
                    if self.arcs[y][0] == node
                ]
            elif via_ways:
                found += [(kind, p) for p in self._via_paths(sources, via_ways, targets, of_way)]
        return found

    def _via_paths(
        self, sources: list[int], via_ways: list[int], targets: list[int], of_way: dict[int, list[int]]
    ) -> list[list[int]]:
        via = {x for way in via_ways for x in of_way[way]}
        found: list[list[int]] = []

        def walk(path: list[int], nodes: list[Any]) -> None:
            here = self.arcs[path[-1]][1]
            if len(path) > 1:
                ways = {self.arcs[x][4] for x in path[1:]}
                if set(via_ways) <= ways:
                    found.extend(
                        [*path, y]
                        for y in targets
                        if self.arcs[y][0] == here and y not in self.twin[path[-1]]
                    )
            for y in self.out[here]:
                if y in via and self.arcs[y][1] not in nodes:
                    walk([*path, y], [*nodes, self.arcs[y][1]])

        for x in sources:
            walk([x], [self.arcs[x][1]])
        return found

    def costs(self, roads: Any, from_snaps: Any, to_snaps: Any) -> tuple[np.ndarray, np.ndarray]:
        """(seconds, metres) as the product rounds them,
        -1 where there is no way; regions refund entry charges."""
        network = roads._network(self.mode)
        osm_id = roads._file.arrays["way.osm_id"]
        starts, ends = self._places(network, osm_id, from_snaps), self._places(network, osm_id, to_snaps)
        best = np.full((len(starts), len(ends)), np.inf)
        for i, (begins, region_from) in enumerate(starts):
            for x, place, rest in begins:
                base = self.of_arc[x][0]
                row = dijkstra(self.graph, indices=base)
                after = self.graph.indices[self.graph.indptr[base] : self.graph.indptr[base + 1]]
                own = self.graph.data[self.graph.indptr[base] : self.graph.indptr[base + 1]]
                full = (self.arcs[x][2] << SHIFT) + self.arcs[x][3]
                again = None
                for j, (stops, region_to) in enumerate(ends):
                    for y, end_place, _ in stops:
                        if y == x:
                            if end_place >= place:
                                best[i, j] = min(best[i, j], end_place - place)
                            if again is None:
                                loops = dijkstra(self.graph, indices=after)[:, self.of_arc[x]].min(axis=1)
                                again = float((own + loops).min()) if len(after) else np.inf
                            cost = again - full + rest + end_place
                        else:
                            cost = row[self.of_arc[y]].min() - full + rest + end_place
                        refund = (profiles.ENTRY_S[self.network] * 1000) << SHIFT
                        cost -= refund if region_to and region_to != region_from else 0
                        best[i, j] = min(best[i, j], cost)
        reached = np.isfinite(best)
        exact = np.where(reached, best, 0).astype(np.int64)
        ms, dm = exact >> SHIFT, exact & ((1 << SHIFT) - 1)
        return np.where(reached, (ms + 500) // 1000, -1), np.where(reached, (dm + 5) // 10, -1)

    def _places(
        self, network: Any, osm_id: np.ndarray, snaps: Any
    ) -> list[tuple[list[tuple[int, int, int]], int]]:
        """Per point ((arc, cost to the place, cost left) for each direction it is reached in,
        private region)."""
        found = []
        sides = network.open_columns(snaps)
        for i in range(snaps.points):
            s, share = snaps.segment[i], snaps.share[i]
            first, last = ((network.seg_lon[s, k], network.seg_lat[s, k]) for k in (0, 1))
            key = (first, last) if first <= last else (last, first)
            begins = []
            for column in (0, 1):
                start = first if column == 0 else last
                for x in self.at[key] if sides[i, column] else ():
                    if self.where[self.arcs[x][0]] != start or self.arcs[x][4] != osm_id[network.seg_way[s]]:
                        continue  # another way may lie over the same two nodes
                    ms, dm = self.arcs[x][2], self.arcs[x][3]
                    along = (int(np.rint(ms * share)) << SHIFT) + int(np.rint(dm * share))
                    whole = (ms << SHIFT) + dm
                    place = along if column == 0 else whole - along
                    begins.append((x, place, whole - place))
            found.append((begins, int(network.edge_region[snaps.edge[i]])))
        return found
