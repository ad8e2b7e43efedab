"""Mapbox vector tiles: layers of features as protocol-buffer bytes (specification 2.1, extent 4096)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

EXTENT: Final = 4096

_MOVE, _LINE, _CLOSE = 1, 2, 7
_POINT, _LINESTRING, _POLYGON = 1, 2, 3

Properties = Mapping[str, str | int]


def encode_tile(layers: Mapping[str, Iterable[tuple[BaseGeometry, Properties]]]) -> bytes:
    """The tile's bytes, not compressed; b"" when nothing is left of any geometry.

    Geometries are in tile units, y down, and are rounded here; what collapses to nothing is left out.
    """
    tile = bytearray()
    for name, features in layers.items():
        layer = _Layer(name)
        for geometry, properties in features:
            layer.add(geometry, properties)
        if layer.features:
            tile += _bytes_field(3, layer.encode())
    return bytes(tile)


class _Layer:
    """Property keys and values are stored once and referred to by number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.features = bytearray()
        self.keys: dict[str, int] = {}
        self.values: dict[str | int, int] = {}

    def add(self, geometry: BaseGeometry, properties: Properties) -> None:
        kind, commands = _commands(geometry)
        if not commands:
            return
        tags: list[int] = []
        for key, value in properties.items():
            tags.append(self.keys.setdefault(key, len(self.keys)))
            tags.append(self.values.setdefault(value, len(self.values)))
        feature = (
            _bytes_field(2, _varints(tags)) + b"\x18" + _varints([kind]) + _bytes_field(4, _varints(commands))
        )
        self.features += _bytes_field(2, feature)

    def encode(self) -> bytes:
        out = bytearray(_bytes_field(1, self.name.encode()))
        out += self.features
        for key in self.keys:
            out += _bytes_field(3, key.encode())
        for value in self.values:
            if isinstance(value, str):
                out += _bytes_field(4, _bytes_field(1, value.encode()))
            else:
                out += _bytes_field(4, b"\x30" + _varints([_zigzag(value)]))
        out += b"\x28" + _varints([EXTENT]) + b"\x78" + _varints([2])
        return bytes(out)


def _commands(geometry: BaseGeometry) -> tuple[int, list[int]]:
    """(geometry type, command integers); of a mixture the parts of the highest dimension count."""
    parts = [part for part in shapely.get_parts(geometry) if not part.is_empty]
    cursor = np.zeros(2, np.int64)
    commands: list[int] = []
    if any(part.geom_type == "Polygon" for part in parts):
        for part in parts:
            if part.geom_type == "Polygon":
                cursor = _polygon(part, cursor, commands)
        return _POLYGON, commands
    if any(part.geom_type == "LineString" for part in parts):
        for part in parts:
            if part.geom_type == "LineString":
                cursor = _path(shapely.get_coordinates(part), cursor, commands, closed=False)
        return _LINESTRING, commands
    for part in parts[:1]:
        spot = np.rint(shapely.get_coordinates(part)[0]).astype(np.int64)
        commands += [_MOVE | 1 << 3, *(_zigzag(int(v)) for v in spot)]
    return _POINT, commands


def _polygon(polygon: BaseGeometry, cursor: np.ndarray, commands: list[int]) -> np.ndarray:
    """Outer rings have a positive area in tile coordinates (y down), inner ones a negative."""
    rings = shapely.get_rings(polygon)
    for index, ring in enumerate(rings):
        points = np.rint(shapely.get_coordinates(ring)).astype(np.int64)
        x, y = points[:-1].T
        twice_area = int((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
        if twice_area == 0:
            if index == 0:
                return cursor
            continue
        if (twice_area > 0) != (index == 0):
            points = points[::-1]
        cursor = _path(points[:-1], cursor, commands, closed=True)
    return cursor


def _path(points: np.ndarray, cursor: np.ndarray, commands: list[int], *, closed: bool) -> np.ndarray:
    """Move to the first point, lines to the others; repeated points are dropped. The cursor after it."""
    whole = np.rint(points).astype(np.int64)
    steps = np.diff(whole, axis=0)
    moved = np.concatenate([[True], (steps != 0).any(axis=1)])
    whole = whole[moved]
    if len(whole) < (3 if closed else 2):
        return cursor
    steps = np.diff(np.vstack([cursor, whole]), axis=0)
    codes: list[int] = ((steps << 1) ^ (steps >> 63)).ravel().tolist()
    commands += [_MOVE | 1 << 3, *codes[:2], _LINE | (len(whole) - 1) << 3, *codes[2:]]
    if closed:
        commands.append(_CLOSE | 1 << 3)
    last: np.ndarray = whole[-1]
    return last


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varints(values: Iterable[int]) -> bytes:
    out = bytearray()
    for value in values:
        rest = value
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def _bytes_field(number: int, content: bytes | bytearray) -> bytes:
    return _varints([number << 3 | 2, len(content)]) + bytes(content)
