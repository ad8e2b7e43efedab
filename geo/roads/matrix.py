"""Travel times and lengths between many points, exact, whole or the nearest few, growing with a live day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.roads import profiles
from geo.roads.cch import INFINITE, METRES_MASK, SHIFT, Labels, join
from geo.roads.errors import RoadsError
from geo.roads.network import Network, Timetable
from geo.roads.snap import Points, Snaps

Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]

UNREACHABLE = 1_000_000_000
"""Stands for seconds and metres where there is no way; two of them add up within int32."""
MAX_POINTS = 10_000
ROW_BLOCK = 256
"""Rows computed at a time, so that the packed costs of a large matrix are never all in memory."""


class Matrix(NamedTuple):
    """int32 (from, to): seconds and metres of the fastest way; UNREACHABLE where there is none."""

    seconds: Ints32
    metres: Ints32


@dataclass(frozen=True, slots=True)
class Nearest:
    """int32 (points, k): for each point the others it reaches soonest, soonest first, itself left out; index
    -1 and UNREACHABLE where there are fewer."""

    index: Ints32
    seconds: Ints32
    metres: Ints32


class Ends:
    """Points as both ends of trips: their snaps and labels under one timetable."""

    def __init__(self, network: Network, timetable: Timetable, snaps: Snaps, ways: str = "both") -> None:
        self.network, self.timetable, self.snaps = network, timetable, snaps
        self.places = network.places(snaps, timetable.costs)
        self.columns = network.open_columns(snaps)
        costs, metric = timetable.costs, timetable.metric
        self.out: Labels | None = None
        self.into: Labels | None = None
        if ways in ("both", "out"):
            self.out = metric.labels_out(network.seeds_out(snaps, timetable)[0])
        if ways in ("both", "in"):
            self.into = metric.labels_in(network.seeds_in(snaps, costs))


def packed_costs(origins: Ends, targets: Ends) -> Ints:
    """(origins, targets) packed costs, INFINITE where there is no way; 0 from a place to itself."""
    if origins.out is None or targets.into is None:
        raise ValueError("origins need labels out, targets labels in")
    network = origins.network
    cost = join(origins.out, targets.into)
    region_from, region_to = network.edge_region[origins.snaps.edge], network.edge_region[targets.snaps.edge]
    if region_to.any():
        refund = (profiles.ENTRY_S[network.name] * 1000) << SHIFT
        entered = (region_to > 0)[None, :] & (region_from[:, None] != region_to[None, :]) & (cost < INFINITE)
        cost[entered] -= refund
    rows, columns = np.nonzero(origins.snaps.edge[:, None] == targets.snaps.edge[None, :])
    if len(rows):
        cost[rows, columns] = np.minimum(
            cost[rows, columns], _along_one_edge(origins, targets, rows, columns)
        )
    return cost


def _along_one_edge(origins: Ends, targets: Ends, rows: Ints, columns: Ints) -> Ints:
    """Packed cost of going on along the arc the origin is on; INFINITE where the target lies behind."""
    ahead = targets.places[columns] - origins.places[rows]
    fit = origins.columns[rows] & targets.columns[columns] & (ahead >= 0)
    same = (origins.snaps.segment[rows] == targets.snaps.segment[columns]) & (
        origins.snaps.share[rows] == targets.snaps.share[columns]
    )
    best = np.where(fit, ahead, INFINITE).min(axis=1)
    return np.asarray(np.where(same, 0, best))


def unpacked(cost: Ints) -> Matrix:
    """Whole seconds and metres, rounded half up."""
    reached = cost < INFINITE // 2
    seconds = np.where(reached, ((cost >> SHIFT) + 500) // 1000, UNREACHABLE)
    metres = np.where(reached, ((cost & METRES_MASK) + 5) // 10, UNREACHABLE)
    return Matrix(seconds.astype(np.int32), metres.astype(np.int32))


def matrix_of(origins: Ends, targets: Ends) -> Matrix:
    """The whole table, a block of rows at a time."""
    shape = (origins.snaps.points, targets.snaps.points)
    whole = Matrix(np.empty(shape, np.int32), np.empty(shape, np.int32))
    for top in range(0, shape[0], ROW_BLOCK):
        rows = np.arange(top, min(top + ROW_BLOCK, shape[0]))
        part = unpacked(packed_costs(_rows(origins, rows), targets))
        whole.seconds[rows], whole.metres[rows] = part
    return whole


def check_size(points: int, most: int = MAX_POINTS) -> None:
    """Raises RoadsError matrix_empty or matrix_too_large."""
    if points == 0:
        raise RoadsError("matrix_empty", {})
    if points > most:
        raise RoadsError("matrix_too_large", {"points": points, "most": most})


def nearest_of(ends: Ends, k: int) -> Nearest:
    """Exact: whole rows are computed in blocks and all but the k least thrown away."""
    points = ends.snaps.points
    k = min(k, points - 1)
    index = np.full((points, k), -1, np.int32)
    cost = np.full((points, k), INFINITE, np.int64)
    for top in range(0, points, ROW_BLOCK):
        rows = np.arange(top, min(top + ROW_BLOCK, points))
        block = packed_costs(_rows(ends, rows), ends)
        block[np.arange(len(rows)), rows] = np.iinfo(np.int64).max
        chosen = (
            np.argpartition(block, min(k, points - 1) - 1, axis=1)[:, :k]
            if k
            else block[:, :0].astype(np.intp)
        )
        values = np.take_along_axis(block, chosen, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        index[rows], cost[rows] = (np.take_along_axis(a, order, axis=1) for a in (chosen, values))
    seconds, metres = unpacked(cost)
    index[seconds == UNREACHABLE] = -1
    return Nearest(index, seconds, metres)


def _rows(ends: Ends, rows: Ints) -> Ends:
    part = object.__new__(Ends)
    part.network, part.timetable, part.snaps = ends.network, ends.timetable, ends.snaps[rows]
    part.places, part.columns, part.into = ends.places[rows], ends.columns[rows], None
    out = ends.out
    if out is None:
        raise ValueError("rows need labels out")
    begin, end = int(out.start[rows[0]]), int(out.start[rows[-1] + 1])
    start = out.start[rows[0] : rows[-1] + 2] - begin
    part.out = Labels(start, out.node[begin:end], out.cost[begin:end], out.trunk[rows])
    return part


class LiveMatrix:
    """A matrix that follows the day: a new point is one more row and column, a moved one the same row and
    column."""

    def __init__(
        self, network: Network, timetable: Timetable, points: Points, mode: str, limit_m: float
    ) -> None:
        self._network, self._timetable, self._mode, self._limit_m = network, timetable, mode, limit_m
        self._ends = [Ends(network, timetable, network.snap(points, limit_m, mode))]
        check_size(self._ends[0].snaps.points)
        self._place = [(0, row) for row in range(self._ends[0].snaps.points)]
        self._matrix = matrix_of(self._ends[0], self._ends[0])

    @property
    def matrix(self) -> Matrix:
        """The matrix now; the arrays are the live ones, copy what must not change."""
        return self._matrix

    def append(self, point: tuple[float, float]) -> int:
        """The index of a new last point. Raises TooFarFromRoad, RoadsError matrix_too_large."""
        size = len(self._place)
        check_size(size + 1)
        row, column = self._both_ways(point)
        grown = []
        for old, across, down in zip(self._matrix, row, column, strict=True):
            new = np.empty((size + 1, size + 1), np.int32)
            new[:size, :size] = old
            new[size, :size], new[:size, size], new[size, size] = across, down, 0
            grown.append(new)
        self._matrix = Matrix(*grown)
        self._place.append((len(self._ends) - 1, 0))
        return size

    def move(self, index: int, point: tuple[float, float]) -> None:
        """Put point `index` elsewhere."""
        row, column = self._both_ways(point)
        for table, across, down in zip(self._matrix, row, column, strict=True):
            table[index, :], table[:, index], table[index, index] = across, down, 0
        self._place[index] = (len(self._ends) - 1, 0)
        if len(self._ends) > 2 * len(self._place) + 8:
            self._forget()

    def _both_ways(self, point: tuple[float, float]) -> tuple[Matrix, Matrix]:
        fresh = Ends(self._network, self._timetable, self._network.snap([point], self._limit_m, self._mode))
        out = [unpacked(packed_costs(fresh, ends)) for ends in self._ends]
        into = [unpacked(packed_costs(ends, fresh)) for ends in self._ends]
        self._ends.append(fresh)
        return (
            Matrix(*(self._in_order([m[i][0] for m in out]) for i in range(2))),
            Matrix(*(self._in_order([m[i][:, 0] for m in into]) for i in range(2))),
        )

    def _in_order(self, by_group: list[Ints32]) -> Ints32:
        return np.array([by_group[group][row] for group, row in self._place], np.int32)

    def _forget(self) -> None:
        """Drop the labels of places that points have left."""
        used = sorted({group for group, _ in self._place})
        self._ends = [self._ends[group] for group in used]
        number = {group: i for i, group in enumerate(used)}
        self._place = [(number[group], row) for group, row in self._place]
