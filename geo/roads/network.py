"""One network as opened from a road file: costs by mode and hour, metrics kept and reused, points made into
seeds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.roads import profiles
from geo.roads.cch import INFINITE, SHIFT, Hierarchy, Metric, Seeds, pack
from geo.roads.conditions import DAYS, Day, check_day
from geo.roads.errors import RoadsError
from geo.roads.files import RoadFile
from geo.roads.graph import FERRY, KERB_ONLY
from geo.roads.snap import Grid, Points, Snapper, Snaps, stretches

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

METRIC_BYTES = 1 << 29
"""Customised metrics kept per network; past this the one used longest ago is customised anew in place."""
MIN_METRICS = 2
FREE_HOUR = 3
"""The hour that stands for free roads."""
Key = tuple[str, tuple[float, ...], int]
"""Mode, factors, and the first slot (24 * kind of day + hour) with the same closures."""


@dataclass(slots=True)
class Costs:
    """Packed costs (see kernels_cch) of one mode and hour; columns are along and against the edge."""

    seg: Ints
    before: Ints
    """(segments, 2): of all that precedes the segment on its edge, in the edge's direction."""
    total: Ints
    """(edges, 2)"""


@dataclass(slots=True)
class Timetable:
    """What a question at one mode and hour needs."""

    costs: Costs
    metric: Metric
    closed: NDArray[np.bool_]
    """(turns): not to be taken at this hour."""


class Network:
    """The arrays of "car", "bike" or "foot" and everything derived from them."""

    def __init__(self, file: RoadFile, name: str) -> None:
        def array(key: str) -> NDArray[Any]:
            return file.arrays[f"{name}.{key}"]

        self.name = name
        self.left_hand = bool(file.facts["left_hand"])
        self.edge_from, self.edge_to = array("edge_from"), array("edge_to")
        self.edge_flags, self.edge_region = array("edge_flags"), array("edge_region")
        self.seg_start, self.seg_lon, self.seg_lat = array("seg_start"), array("seg_lon"), array("seg_lat")
        self.seg_m, self.seg_kmh, self.seg_way = array("seg_m"), array("seg_kmh"), array("seg_way")
        self.seg_delay_ms = array("seg_delay_ms")
        self.state_arc, self.base_state = array("state_arc"), array("base_state")
        self.turn_start, self.turn_to, self.turn_ms = array("turn_start"), array("turn_to"), array("turn_ms")
        self.turn_closed = array("turn_closed")
        self.closed_together = _slots_alike(self.turn_closed)
        self.part = array("part")
        self.hierarchy = Hierarchy(*(array(f.name) for f in fields(Hierarchy)))
        self.state_of_rank = np.empty(len(self.hierarchy.rank), np.int64)
        self.state_of_rank[self.hierarchy.rank] = np.arange(len(self.hierarchy.rank))
        self.seg_edge = np.repeat(np.arange(len(self.edge_from)), np.diff(self.seg_start))
        self.seg_class = file.arrays["way.class"][self.seg_way]
        self.states_by_arc = np.argsort(self.state_arc, kind="stable")
        self.first_by_arc = np.searchsorted(
            self.state_arc[self.states_by_arc], np.arange(2 * len(self.edge_from) + 1)
        )
        self.edge_m = np.add.reduceat(self.seg_m, self.seg_start[:-1])
        self.before_m = np.cumsum(self.seg_m) - self.seg_m
        self.before_m -= self.before_m[self.seg_start[:-1]][self.seg_edge]
        size = array("grid.size")
        grid = Grid(
            array("grid.box"), int(size[0]), int(size[1]), array("grid.cell_start"), array("grid.cell_seg")
        )
        self.snapper = Snapper(self.seg_lon, self.seg_lat, self.seg_edge, grid)
        winding = stretches(self.seg_lon, self.seg_lat, self.seg_edge)
        self.stretches = Snapper(self.seg_lon, self.seg_lat, winding, grid)
        usable = self.base_state.reshape(-1, 2).max(axis=1) >= 0
        no_stop = [profiles.CLASS_INDEX[c] for c in ("motorway", "motorway_link", "ferry")]
        self.may_drive = usable[self.seg_edge]
        self.may_stop = self.may_drive & ~np.isin(self.seg_class, no_stop)
        self._factors: dict[tuple[str, int], tuple[float, ...]] = {}
        self._kept: OrderedDict[Key, Timetable] = OrderedDict()
        self._lock = threading.Lock()

    def timetable(self, mode: str, hour: int | None, day: Day = "weekday") -> Timetable:
        """Costs and metric; customised when not kept. hour None: a free road."""
        key = self._key(mode, hour, day)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            return self._make([key])[0]

    def prepare(self, mode: str, hours: Sequence[int], day: Day = "weekday") -> None:
        """Customise the metrics of several hours at once, on two threads; hours with the same factors share
        one."""
        with self._lock:
            keys = list(dict.fromkeys(self._key(mode, hour, day) for hour in hours))
            self._make([key for key in keys if key not in self._kept])

    def set_factors(self, mode: str, hour: int, factors: Sequence[float]) -> None:
        """From now on, factors on free speed for profiles.GROUPS at this hour, each above 0 and at most 4."""
        if len(factors) != len(profiles.GROUPS) or not all(0 < f <= 4 for f in factors):
            raise RoadsError("factors_malformed", {"factors": [float(f) for f in factors]})
        self._factors[mode, check_hour(hour)] = tuple(float(f) for f in factors)

    def _factor(self, mode: str, hour: int | None) -> tuple[float, ...]:
        if hour is None:
            return profiles.HOUR_FACTORS[FREE_HOUR] if mode == "car" else (1.0,) * len(profiles.GROUPS)
        known = self._factors.get((mode, check_hour(hour)))
        if known:
            return known
        return profiles.HOUR_FACTORS[hour] if mode == "car" else (1.0,) * len(profiles.GROUPS)

    def _key(self, mode: str, hour: int | None, day: Day) -> Key:
        slot = FREE_HOUR if hour is None else 24 * DAYS.index(check_day(day)) + check_hour(hour)
        return mode, self._factor(mode, hour), self.closed_together[slot]

    def _make(self, keys: list[Key]) -> list[Timetable]:
        room = max(
            MIN_METRICS, METRIC_BYTES // (16 * len(self.hierarchy.up_head) + 8 * len(self.turn_to) + 1)
        )
        spare = [
            self._kept.popitem(last=False)[1] for _ in range(len(self._kept) + len(keys) - room) if self._kept
        ]

        def make(key: Key, metric: Metric) -> Timetable:
            mode, factors, slot = key
            costs = self._costs(mode, factors)
            closed = _closed_at(self.turn_closed, slot)
            metric.customize(np.where(closed, INFINITE, self._turn_costs(costs)))
            return Timetable(costs, metric, closed)

        metrics = [spare.pop().metric if spare else Metric(self.hierarchy) for _ in keys]
        if len(keys) > 1:
            with ThreadPoolExecutor(2) as pool:
                made = list(pool.map(make, keys, metrics))
        else:
            made = [make(key, metric) for key, metric in zip(keys, metrics, strict=True)]
        self._kept.update(zip(keys[-room:], made[-room:], strict=True))
        return made

    def _costs(self, mode: str, factors: tuple[float, ...]) -> Costs:
        group = np.array(profiles.GROUP_OF_CLASS)[self.seg_class]
        kmh = self.seg_kmh * np.array(factors)[group][:, None]
        if profiles.MODE_SPEED_FACTOR[mode] != 1.0:
            ridden = (self.seg_kmh > 6) & ((self.edge_flags[self.seg_edge] & FERRY) == 0)[:, None]
            kmh = np.where(ridden, kmh * profiles.MODE_SPEED_FACTOR[mode], kmh)
        with np.errstate(divide="ignore"):
            ms = np.where(kmh > 0, self.seg_m[:, None] * 3600.0 / kmh, 0.0)
        seg = pack(ms, np.broadcast_to(self.seg_m[:, None] * 10.0, ms.shape))
        running = np.cumsum(seg + (self.seg_delay_ms << SHIFT)[:, None], axis=0)
        first, last = self.seg_start[:-1], self.seg_start[1:] - 1
        exclusive = running - seg - (self.seg_delay_ms << SHIFT)[:, None]
        before = exclusive - exclusive[first][self.seg_edge]
        return Costs(seg, before, running[last] - exclusive[first])

    def _turn_costs(self, costs: Costs) -> Ints:
        driven = costs.total.reshape(-1)[self.state_arc]
        return np.asarray(np.repeat(driven, np.diff(self.turn_start)) + (self.turn_ms << SHIFT))

    def snap(self, points: Points, limit_m: float, mode: str) -> Snaps:
        return self.snapper.snap(points, self.may_stop, limit_m, mode)

    def open_columns(self, snaps: Snaps) -> NDArray[np.bool_]:
        """(points, 2): whether a stop there is made driving along, against the edge.

        On a wide road only on the side where the point lies, unless only the other direction may be driven.
        """
        usable = self.base_state.reshape(-1, 2)[snaps.edge] >= 0
        near = np.column_stack((snaps.side < 0, snaps.side > 0))
        if self.left_hand:
            near = near[:, ::-1]
        bound = (
            ((self.edge_flags[snaps.edge] & KERB_ONLY) > 0) & (snaps.side != 0) & (usable & near).any(axis=1)
        )
        return np.asarray(np.where(bound[:, None], usable & near, usable))

    def places(self, snaps: Snaps, costs: Costs) -> Ints:
        """(points, 2) packed cost from the start of the arc along and against the edge to the point."""
        seg = costs.seg[snaps.segment]
        ms, dm = seg >> SHIFT, seg & ((1 << SHIFT) - 1)
        part = pack(ms * snaps.share[:, None], dm * snaps.share[:, None])
        along = costs.before[snaps.segment] + part
        against = costs.total[snaps.edge] - along
        return np.column_stack((along[:, 0], against[:, 1]))

    def seeds_out(self, snaps: Snaps, timetable: Timetable) -> tuple[Seeds, Ints]:
        """Seeds at the states that follow the point, and the arc each comes from."""
        point, column = np.nonzero(self.open_columns(snaps))
        arc = 2 * snaps.edge[point] + column
        state = self.base_state[arc]
        costs = timetable.costs
        rest = costs.total.reshape(-1)[arc] - self.places(snaps, costs)[point, column]
        count = self.turn_start[state + 1] - self.turn_start[state]
        turn = _ranges(self.turn_start[state], count)
        open_ = ~timetable.closed[turn]
        cost = (np.repeat(rest, count) + (self.turn_ms[turn] << SHIFT))[open_]
        seeds = self._seeds(np.repeat(point, count)[open_], self.turn_to[turn][open_], cost, snaps.points)
        return seeds, np.repeat(arc, count)[open_]

    def seeds_in(self, snaps: Snaps, costs: Costs) -> Seeds:
        """Seeds at every state (with and without memory) of the arcs that reach the point."""
        point, column = np.nonzero(self.open_columns(snaps))
        arc = 2 * snaps.edge[point] + column
        cost = self.places(snaps, costs)[point, column]
        count = self.first_by_arc[arc + 1] - self.first_by_arc[arc]
        state = self.states_by_arc[_ranges(self.first_by_arc[arc], count)]
        return self._seeds(np.repeat(point, count), state, np.repeat(cost, count), snaps.points)

    def arc_line(self, arc: int) -> list[tuple[float, float]]:
        """(lon, lat) along the arc, in its direction."""
        part = slice(int(self.seg_start[arc >> 1]), int(self.seg_start[(arc >> 1) + 1]))
        lon, lat = self.seg_lon[part], self.seg_lat[part]
        line = list(
            zip(
                [*lon[:, 0].tolist(), float(lon[-1, 1])],
                [*lat[:, 0].tolist(), float(lat[-1, 1])],
                strict=True,
            )
        )
        return line[::-1] if arc & 1 else line

    def _seeds(self, point: Ints, state: Ints, cost: Ints, points: int) -> Seeds:
        start = np.searchsorted(point, np.arange(points + 1)).astype(np.int64)
        return Seeds(start, self.hierarchy.rank[state], cost)


def _closed_at(closed: NDArray[np.int32], slot: int) -> NDArray[np.bool_]:
    return np.asarray((closed[:, slot // 24] >> slot % 24) & 1 > 0)


def _slots_alike(closed: NDArray[np.int32]) -> tuple[int, ...]:
    """Per slot the first one at which the same turns are closed."""
    slots = 24 * len(DAYS)
    if not closed.any():
        return (0,) * slots
    patterns: dict[bytes, int] = {}
    return tuple(
        patterns.setdefault(np.packbits(_closed_at(closed, slot)).tobytes(), slot) for slot in range(slots)
    )


def check_hour(hour: int) -> int:
    """The hour, 0 to 23; raises RoadsError hour_out_of_range."""
    if isinstance(hour, bool) or not isinstance(hour, (int, np.integer)) or not 0 <= hour <= 23:
        raise RoadsError("hour_out_of_range", {"hour": repr(hour)})
    return int(hour)


def _ranges(start: Ints, count: Ints) -> Ints:
    """start[0], start[0] + 1, … count[0] of them, then the same for the next."""
    total = int(count.sum())
    return np.asarray(np.arange(total) - np.repeat(np.cumsum(count) - count, count) + np.repeat(start, count))
