"""The area that can be reached within some time, or from which a place can be reached, as polygons."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from shapely import box, union_all
from shapely.geometry import mapping

from geo.roads import profiles
from geo.roads.cch import INFINITE, SHIFT
from geo.roads.errors import RoadsError
from geo.roads.matrix import Ends
from geo.roads.network import Network

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MAX_SECONDS = 6 * 3600
CELLS = 140
"""Cells across the longer side of the area; a cell is never smaller than MIN_CELL_M."""
MIN_CELL_M = 25.0
REACH_CELLS = 1
"""A road is taken to open the cells this far beside it."""
HOLE_CELLS = 60
"""Smaller holes in the area are filled."""


def reached_lines(ends: Ends, seconds: int, towards: bool) -> Floats:
    """(lines, 4) lon, lat, lon, lat of the pieces of road within reach. towards: to the point instead of
    from it."""
    network, timetable = ends.network, ends.timetable
    label = ends.into if towards else ends.out
    if label is None:
        raise ValueError("an isochrone needs the label of its point")
    costs = timetable.costs
    states = timetable.metric.sweep(label, towards)
    at_start = np.full(len(network.base_state), INFINITE, np.int64)
    np.minimum.at(at_start, network.state_arc, states)
    at_start = _without_charge(ends, at_start.reshape(-1, 2) >> SHIFT, towards)
    limit = seconds * 1000
    pieces = [_own_edge(ends, limit, towards)]
    total, before, seg = costs.total >> SHIFT, costs.before >> SHIFT, costs.seg >> SHIFT
    for column in (0, 1):
        # `into` labels count from the start of an arc to the point, so a piece is reached from its far end.
        entry = at_start[:, column]
        live = np.flatnonzero(
            (entry <= limit + total[:, column] if towards else entry <= limit)[network.seg_edge]
        )
        edge = network.seg_edge[live]
        gone = before[live, 0] if column == 0 else total[edge, 1] - before[live, 1] - seg[live, 1]
        left = limit - (entry[edge] - gone - seg[live, column]) if towards else limit - entry[edge] - gone
        share = np.clip(left / np.maximum(seg[live, column], 1), 0.0, 1.0)
        open_ = network.base_state.reshape(-1, 2)[edge, column] >= 0
        past_it = (
            edge == ends.snaps.edge[0]
        ) & towards  # its label there is of the way that ends at the point
        keep = (share > 0) & open_ & ~past_it
        from_end = (column == 1) != towards
        pieces.append(_cut(network, live[keep], share[keep], from_end))
    return np.concatenate(pieces)


def _without_charge(ends: Ends, ms: Ints, towards: bool) -> Ints:
    """Take off the charge for entering private roads where the trip ends on them."""
    network, charge = ends.network, profiles.ENTRY_S[ends.network.name] * 1000
    own = int(network.edge_region[ends.snaps.edge[0]])
    other = network.edge_region != own
    charged = other & (own > 0) if towards else other & (network.edge_region > 0)
    return np.asarray(np.where(charged[:, None] & (ms >= charge), ms - charge, ms))


def _cut(network: Network, segment: Ints, share: Floats, from_end: bool) -> Floats:
    """The given share of each segment, measured from its first point or from its last."""
    lon, lat = network.seg_lon[segment], network.seg_lat[segment]
    a, b = (1, 0) if from_end else (0, 1)
    stop_lon, stop_lat = (
        lon[:, a] + (lon[:, b] - lon[:, a]) * share,
        lat[:, a] + (lat[:, b] - lat[:, a]) * share,
    )
    return np.column_stack((lon[:, a], lat[:, a], stop_lon, stop_lat))


def _own_edge(ends: Ends, limit_ms: int, towards: bool) -> Floats:
    """The part of the point's own edge that lies ahead of it (behind it when driving towards it)."""
    network, snaps = ends.network, ends.snaps
    edge, segment = int(snaps.edge[0]), int(snaps.segment[0])
    found = []
    for column in (0, 1):
        if not ends.columns[0, column]:
            continue
        ahead = (column == 0) != towards
        stop = network.seg_start[edge + 1] if ahead else network.seg_start[edge] - 1
        step, left, share = (1 if ahead else -1), float(limit_ms), float(snaps.share[0])
        for s in range(segment, int(stop), step):
            part = (1 - share if ahead else share) if s == segment else 1.0
            cost = (int(ends.timetable.costs.seg[s, column]) >> SHIFT) * part
            driven = part * (min(1.0, left / cost) if cost else 1.0)
            start = share if s == segment else (0.0 if ahead else 1.0)
            found.append(_between(network, s, start, start + driven * step))
            left -= cost
            if left <= 0:
                break
    return np.array(found or [_between(network, segment, float(snaps.share[0]), float(snaps.share[0]))])


def _between(network: Network, segment: int, start: float, stop: float) -> tuple[float, float, float, float]:
    (lon0, lon1), (lat0, lat1) = network.seg_lon[segment], network.seg_lat[segment]
    d_lon, d_lat = lon1 - lon0, lat1 - lat0
    return lon0 + d_lon * start, lat0 + d_lat * start, lon0 + d_lon * stop, lat0 + d_lat * stop


def area_of(lines: Floats) -> dict[str, Any]:
    """A GeoJSON MultiPolygon around the lines, its corners on a grid of CELLS cells across."""
    middle = float(lines[:, 1].mean())
    m_lat, m_lon = 111_195.0, 111_195.0 * float(np.cos(np.radians(middle)))
    x, y = lines[:, 0::2] * m_lon, lines[:, 1::2] * m_lat
    west, south = float(x.min()), float(y.min())
    extent = max(float(x.max()) - west, float(y.max()) - south)
    cell = max(MIN_CELL_M, extent / CELLS)
    margin = REACH_CELLS + 1
    columns, rows = (int((float(v.max()) - float(v.min())) / cell) + 1 + 2 * margin for v in (x, y))
    steps = (
        np.maximum(1, np.ceil(np.hypot(x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]) / (cell / 2)).astype(np.int64))
        + 1
    )
    line = np.repeat(np.arange(len(lines)), steps)
    share = (np.arange(len(line)) - np.repeat(np.cumsum(steps) - steps, steps)) / np.repeat(steps - 1, steps)
    px = x[line, 0] + (x[line, 1] - x[line, 0]) * share
    py = y[line, 0] + (y[line, 1] - y[line, 0]) * share
    mask = np.zeros((rows, columns), np.bool_)
    mask[((py - south) / cell).astype(np.int64) + margin, ((px - west) / cell).astype(np.int64) + margin] = (
        True
    )
    mask = ndimage.binary_dilation(mask, np.ones((3, 3), np.bool_), iterations=REACH_CELLS)
    mask |= _small_holes(mask)
    corner = np.array([west - margin * cell, south - margin * cell])
    return _polygons(mask, corner, cell, (m_lon, m_lat))


def _small_holes(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    label, _ = ndimage.label(~mask)
    size = np.bincount(label.reshape(-1))
    size[0] = np.iinfo(np.int64).max
    return np.asarray((size <= HOLE_CELLS)[label])


def _polygons(
    mask: NDArray[np.bool_], corner: Floats, cell: float, scale: tuple[float, float]
) -> dict[str, Any]:
    """Runs of set cells become boxes, boxes one area."""
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(edges == 1)
    stop = np.nonzero(edges == -1)[1]
    west, east = ((corner[0] + c * cell) / scale[0] for c in (start, stop))
    south, north = ((corner[1] + r * cell) / scale[1] for r in (row, row + 1))
    area = union_all(box(west, south, east, north)).simplify(cell / 2 / scale[1])
    shape: dict[str, Any] = mapping(area)
    parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
    return {"type": "MultiPolygon", "coordinates": parts}


def check_seconds(seconds: int) -> int:
    """1 to MAX_SECONDS; raises RoadsError seconds_out_of_range."""
    if not 1 <= seconds <= MAX_SECONDS:
        raise RoadsError("seconds_out_of_range", {"seconds": seconds, "most": MAX_SECONDS})
    return int(seconds)
