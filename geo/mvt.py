"""Mapbox vector tiles: layers of features as protocol-buffer bytes (specification 2.1, extent 4096)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

EXTENT: Final = 4096

_MOVE, _LINE, _CLOSE = 1, 2, 7
_POINT, _LINESTRING, _POLYGON = 1, 2, 3

Properties = Mapping[str, str | int]
Places = list[list[int]]


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
    cursor = (0, 0)
    commands: list[int] = []
    if any(part.geom_type == "Polygon" for part in parts):
        for part in parts:
            if part.geom_type == "Polygon":
                cursor = _polygon(part, cursor, commands)
        return _POLYGON, commands
    if any(part.geom_type == "LineString" for part in parts):
        for part in parts:
            if part.geom_type == "LineString":
                cursor = _path(_whole(part), cursor, commands, closed=False)
        return _LINESTRING, commands
    for part in parts[:1]:
        commands += [_MOVE | 1 << 3, *(_zigzag(v) for v in _whole(part)[0])]
    return _POINT, commands


def _whole(shape: BaseGeometry) -> Places:
    rounded: Places = np.rint(shapely.get_coordinates(shape)).astype(np.int64).tolist()
    return rounded


def _polygon(polygon: BaseGeometry, cursor: tuple[int, int], commands: list[int]) -> tuple[int, int]:
    """Outer rings have a positive area in tile coordinates (y down), inner ones a negative."""
    for index, ring in enumerate(shapely.get_rings(polygon)):
        points = _whole(ring)
        twice_area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(points))
        if twice_area == 0:
            if index == 0:
                return cursor
            continue
        if (twice_area > 0) != (index == 0):
            points = points[::-1]
        cursor = _path(points[:-1], cursor, commands, closed=True)
    return cursor


def _path(points: Places, cursor: tuple[int, int], commands: list[int], *, closed: bool) -> tuple[int, int]:
    """Move to the first point, lines to the others; repeated points are dropped. The cursor after it."""
    x, y = cursor
    codes: list[int] = []
    for to_x, to_y in points:
        if to_x != x or to_y != y or not codes:
            codes += (_zigzag(to_x - x), _zigzag(to_y - y))
            x, y = to_x, to_y
    if len(codes) < (6 if closed else 4):
        return cursor
    commands += [_MOVE | 1 << 3, *codes[:2], _LINE | (len(codes) // 2 - 1) << 3, *codes[2:]]
    if closed:
        commands.append(_CLOSE | 1 << 3)
    return x, y


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
