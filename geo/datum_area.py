"""Where Chinese map services shift positions: an outline (datum_area.json), and a grid over it for speed."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_CELL_DEG: Final = 0.1
_OUTSIDE, _INSIDE, _EDGE = 0, 1, 2


def is_shifted(lon: Floats, lat: Floats) -> Bools:
    """True for WGS-84 places in mainland China and its coastal waters; NaN is False. Equal 1-d arrays."""
    area = _area()
    column = np.floor((lon - area.west) / _CELL_DEG)
    row = np.floor((lat - area.south) / _CELL_DEG)
    rows, columns = area.cells.shape
    known = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    cell = np.zeros(lon.shape, np.int8)
    cell[known] = area.cells[row[known].astype(np.intp), column[known].astype(np.intp)]
    inside: Bools = cell == _INSIDE
    edge = np.flatnonzero(cell == _EDGE)
    if edge.size:
        inside[edge] = _in_outline(area, lon[edge], lat[edge])
    return inside


@dataclass(frozen=True, slots=True)
class _Area:
    """Edges are (n, 4): lon, lat of both ends, of all rings together. Cells are rows from the south."""

    west: float
    south: float
    edges: Floats
    excluded: tuple[Floats, ...]
    cells: NDArray[np.int8]


@functools.cache
def _area() -> _Area:
    outline = json.loads(Path(__file__).with_name("datum_area.json").read_text(encoding="utf-8"))
    edges = np.concatenate([_edges(ring) for ring in outline["shifted"]])
    excluded = tuple(_edges(ring) for ring in outline["not_shifted"].values())
    west, south = edges[:, 0].min() - 0.5, edges[:, 1].min() - 0.5
    columns = int((edges[:, 0].max() + 0.5 - west) / _CELL_DEG)
    rows = int((edges[:, 1].max() + 0.5 - south) / _CELL_DEG)
    area = _Area(float(west), float(south), edges, excluded, np.zeros((rows, columns), np.int8))
    _fill(area)
    return area


def _edges(ring: list[list[float]]) -> Floats:
    start = np.array(ring, np.float64)
    return np.hstack([start, np.roll(start, -1, axis=0)])


def _fill(area: _Area) -> None:
    """Mark each cell by its centre, then as an edge where an outline passes through it or beside it."""
    rows, columns = area.cells.shape
    row_of_cell, column_of_cell = np.divmod(np.arange(rows * columns), columns)
    lon, lat = area.west + (column_of_cell + 0.5) * _CELL_DEG, area.south + (row_of_cell + 0.5) * _CELL_DEG
    area.cells[:] = _in_outline(area, lon, lat).reshape(rows, columns)
    for edges in (area.edges, *area.excluded):
        for lon1, lat1, lon2, lat2 in edges:
            steps = int(max(abs(lon2 - lon1), abs(lat2 - lat1)) / (_CELL_DEG / 4)) + 2
            column = ((np.linspace(lon1, lon2, steps) - area.west) / _CELL_DEG).astype(np.intp)
            row_of = ((np.linspace(lat1, lat2, steps) - area.south) / _CELL_DEG).astype(np.intp)
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    area.cells[row_of + down, column + right] = _EDGE


def _in_outline(area: _Area, lon: Floats, lat: Floats) -> Bools:
    inside = _crossings_odd(area.edges, lon, lat)
    for edges in area.excluded:
        inside &= ~_crossings_odd(edges, lon, lat)
    return inside


def _crossings_odd(edges: Floats, lon: Floats, lat: Floats) -> Bools:
    """Even-odd rule: a ray to the east crosses the ring an odd number of times.

    The places are sorted by latitude, so that each edge looks only at those it spans.
    """
    order = np.argsort(lat)
    by_lat_lon, by_lat = lon[order], lat[order]
    first = np.searchsorted(by_lat, np.minimum(edges[:, 1], edges[:, 3]), "left")
    last = np.searchsorted(by_lat, np.maximum(edges[:, 1], edges[:, 3]), "left")
    odd = np.zeros(lon.shape, np.bool_)
    for k in np.flatnonzero(last > first):
        lon1, lat1, lon2, lat2 = edges[k]
        span = slice(first[k], last[k])
        odd[span] ^= by_lat_lon[span] < lon1 + (by_lat[span] - lat1) * ((lon2 - lon1) / (lat2 - lat1))
    result = np.empty_like(odd)
    result[order] = odd
    return result
