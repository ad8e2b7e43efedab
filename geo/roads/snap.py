"""Points put on the roads: checked, then moved to the nearest place on an edge, with the side it lies on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.points import Point, PointError, check_lon_lat
from geo.roads import kernels_graph as kernels
from geo.roads.errors import RoadsError, TooFarFromRoad

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

Points = Sequence[Point] | Sequence[tuple[float, float]] | NDArray[np.float64]
"""Points of geo.points, (lon, lat) pairs, or an array (n, 2). WGS-84, degrees."""

MAX_SNAP_M = 1000.0
CELL_DEG = 0.0025
MAX_CELLS = 4_000_000
"""Over a larger area, such as two far cities, cells grow until there are no more than this."""
KERB_FROM_M = 3.0
"""Nearer to the middle of the road than this, the side is not known."""


@dataclass(slots=True)
class Snaps:
    """Per point: where on the roads it was put."""

    lon: Floats
    """As asked."""
    lat: Floats
    segment: Ints
    share: Floats
    """How far along the segment, 0 to 1."""
    metres: Floats
    """From the point to the road."""
    edge: Ints
    side: NDArray[np.int8]
    """1 left of the edge's direction, -1 right, 0 on it."""

    @property
    def points(self) -> int:
        return len(self.edge)

    def __getitem__(self, rows: slice | Ints) -> Snaps:
        return Snaps(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(slots=True)
class Grid:
    """Segments by the cells of a regular grid in degrees they touch."""

    box: Floats
    """west, south, cell width, cell height."""
    columns: int
    rows: int
    cell_start: Ints
    cell_seg: NDArray[np.int32]


def as_lon_lat(points: Points) -> tuple[Floats, Floats]:
    """Checked arrays. Raises RoadsError points_malformed, or PointError naming the point by
    facts["index"]."""
    if isinstance(points, np.ndarray):
        table = points
    else:
        table = _table([(p.lon, p.lat) if isinstance(p, Point) else p for p in points])
    if table.ndim != 2 or (table.size and table.shape[1] != 2):
        raise RoadsError("points_malformed", {"shape": list(table.shape)})
    lon, lat = (
        (np.ascontiguousarray(table[:, i], np.float64) for i in (0, 1)) if table.size else (np.empty(0),) * 2
    )
    wrong = np.flatnonzero(
        ~(np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    )
    if len(wrong):
        i = int(wrong[0])
        try:
            check_lon_lat(float(lon[i]), float(lat[i]))
        except PointError as error:
            raise PointError(error.code, {**error.facts, "index": i}) from None
    return lon, lat


def _table(pairs: Sequence[ArrayLike]) -> Floats:
    try:
        return np.array(pairs, np.float64).reshape(len(pairs), -1)
    except (TypeError, ValueError) as error:
        raise RoadsError("points_malformed", {"reason": str(error)}) from error


def build_grid(seg_lon: Floats, seg_lat: Floats) -> Grid:
    """A segment is listed in every cell that the box around it touches."""
    west, south = float(seg_lon.min()), float(seg_lat.min())
    area = (float(seg_lon.max()) - west) * (float(seg_lat.max()) - south)
    cell_deg = max(CELL_DEG, (area / MAX_CELLS) ** 0.5)
    columns = int((seg_lon.max() - west) / cell_deg) + 1
    rows = int((seg_lat.max() - south) / cell_deg) + 1
    c0, c1 = (((x - west) / cell_deg).astype(np.int64) for x in (seg_lon.min(axis=1), seg_lon.max(axis=1)))
    r0, r1 = (((y - south) / cell_deg).astype(np.int64) for y in (seg_lat.min(axis=1), seg_lat.max(axis=1)))
    wide = c1 - c0 + 1
    count = wide * (r1 - r0 + 1)
    segment = np.repeat(np.arange(len(seg_lon)), count)
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    cell = (r0[segment] + within // wide[segment]) * columns + c0[segment] + within % wide[segment]
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(columns * rows + 1)).astype(np.int64)
    return Grid(
        np.array([west, south, cell_deg, cell_deg]), columns, rows, start, segment[order].astype(np.int32)
    )


def stretches(seg_lon: Floats, seg_lat: Floats, seg_edge: Ints) -> Ints:
    """Per segment the number of its stretch: an edge that winds is another stretch after each quarter turn, so that
    two of its places may lie near one point."""
    narrow = np.cos(np.radians(seg_lat[:, 0]))
    heading = np.degrees(np.arctan2(np.diff(seg_lat)[:, 0], np.diff(seg_lon)[:, 0] * narrow))
    turned = np.zeros(len(seg_edge))
    turned[1:] = np.where(np.diff(seg_edge) == 0, (np.diff(heading) + 180.0) % 360.0 - 180.0, 0.0)
    first = np.searchsorted(seg_edge, seg_edge)
    so_far = np.cumsum(turned)
    quarter = np.floor((so_far - so_far[first] + 45.0) / 90.0)
    new = (np.diff(seg_edge) != 0) | (np.diff(quarter) != 0)
    return np.concatenate(([0], np.cumsum(new)))


class Snapper:
    """Finds nearest edges on the arrays of one network."""

    def __init__(self, seg_lon: Floats, seg_lat: Floats, seg_edge: Ints, grid: Grid) -> None:
        self._seg_lon, self._seg_lat, self._seg_edge, self._grid = seg_lon, seg_lat, seg_edge, grid

    def nearest(
        self, lon: Floats, lat: Floats, fit: NDArray[np.bool_], limit_m: float, keep: int = 1
    ) -> tuple[Ints, Floats, Floats]:
        """(points, keep) each: segment or -1, share along it, metres; one segment per edge, nearest first."""
        grid = self._grid
        cells = (self._seg_edge, grid.cell_start, grid.cell_seg, grid.box, grid.columns, grid.rows)
        return kernels.nearest_segments(lon, lat, self._seg_lon, self._seg_lat, *cells, fit, limit_m, keep)

    def snap(self, points: Points, fit: NDArray[np.bool_], limit_m: float, mode: str) -> Snaps:
        """The nearest place for every point. Raises TooFarFromRoad for the first that is beyond limit_m."""
        lon, lat = as_lon_lat(points)
        near_segment, near_share, near_m = self.nearest(lon, lat, fit, limit_m)
        segment, share, metres = near_segment[:, 0], near_share[:, 0], near_m[:, 0]
        lost = np.flatnonzero(segment < 0)
        if len(lost):
            raise self._too_far(int(lost[0]), lon, lat, fit, limit_m, mode)
        return Snaps(
            lon, lat, segment, share, metres, self._seg_edge[segment], self._side(lon, lat, segment, metres)
        )

    def _side(self, lon: Floats, lat: Floats, segment: Ints, metres: Floats) -> NDArray[np.int8]:
        x, y = self._seg_lon[segment], self._seg_lat[segment]
        cross = (x[:, 1] - x[:, 0]) * (lat - y[:, 0]) - (y[:, 1] - y[:, 0]) * (lon - x[:, 0])
        return np.asarray(np.where(metres < KERB_FROM_M, 0, np.sign(cross)), np.int8)

    def _too_far(
        self, index: int, lon: Floats, lat: Floats, fit: NDArray[np.bool_], limit_m: float, mode: str
    ) -> TooFarFromRoad:
        at = slice(index, index + 1)
        _, _, metres = self.nearest(lon[at], lat[at], fit, 10 * limit_m)
        swapped = False
        if abs(lon[index]) <= 90:
            swapped = bool(self.nearest(lat[at], lon[at], fit, limit_m)[0][0, 0] >= 0)
        nearest_m = round(float(metres[0, 0]), 1) if np.isfinite(metres[0, 0]) else None
        place = {"index": index, "lon": float(lon[index]), "lat": float(lat[index])}
        return TooFarFromRoad(
            "too_far_from_road",
            {**place, "mode": mode, "limit_m": limit_m, "nearest_m": nearest_m, "swapped": swapped},
        )
