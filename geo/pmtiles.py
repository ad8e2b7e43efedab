"""PMTiles: all tiles of a map in one file that a browser reads piece by piece with HTTP Range
(specification 3)."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from geo.points import GeoError

BASE_MAP: Final = "base.pmtiles"
"""The name of the base map's file in the folder of maps."""
_HEADER: Final = struct.Struct("<7sB11Q6BiiiiBii")
_HEADER_BYTES: Final = 127
_ROOT_LIMIT_BYTES: Final = 16_384 - _HEADER_BYTES
_LEAF_ENTRIES: Final = 4_096
_GZIP, _MVT = 2, 1


@dataclass(frozen=True, slots=True)
class _Entry:
    """A tile (run 1) or, in a root directory, a leaf directory (run 0)."""

    tile_id: int
    offset: int
    length: int
    run: int


def tile_id(z: int, x: int, y: int) -> int:
    """The place of a tile on the Hilbert curves of all zooms, one after the other."""
    position, side = ((1 << 2 * z) - 1) // 3, 1 << z
    half = side >> 1
    while half:
        right, down = int(bool(x & half)), int(bool(y & half))
        position += half * half * ((3 * right) ^ down)
        if not down:
            if right:
                x, y = half - 1 - (x & (half - 1)), half - 1 - (y & (half - 1))
            x, y = y, x
        half >>= 1
    return position


def write_pmtiles(
    path: Path,
    tiles: Mapping[tuple[int, int, int], bytes],
    bounds: tuple[float, float, float, float],
    metadata: Mapping[str, Any],
) -> None:
    """Write vector tiles, keyed (z, x, y) and not yet compressed, and put them in place at once; equal input gives
    equal bytes.

    bounds are west, south, east, north in degrees. Raises GeoError tiles_empty.
    """
    if not tiles:
        raise GeoError("tiles_empty", {"file": path.name})
    zooms = [z for z, _, _ in tiles]
    content, entries, known = bytearray(), [], {}
    for number, key in sorted((tile_id(*key), key) for key in tiles):
        packed = gzip.compress(tiles[key], 9, mtime=0)
        if packed not in known:
            known[packed] = len(content)
            content += packed
        entries.append(_Entry(number, known[packed], len(packed), 1))
    root, leaves = _directories(entries)
    described = gzip.compress(json.dumps(metadata, ensure_ascii=False).encode(), 9, mtime=0)
    at_metadata = _HEADER_BYTES + len(root)
    at_leaves = at_metadata + len(described)
    at_tiles = at_leaves + len(leaves)
    west, south, east, north = (round(degrees * 1e7) for degrees in bounds)
    header = _HEADER.pack(
        b"PMTiles", 3, _HEADER_BYTES, len(root), at_metadata, len(described),
        at_leaves, len(leaves), at_tiles,
        len(content), len(entries), len(entries), len(known), 1, _GZIP, _GZIP, _MVT, min(zooms), max(zooms),
        west, south, east, north, min(max(zooms), 11), (west + east) // 2, (south + north) // 2,
    )  # fmt: skip
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(header + root + described + leaves + content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


class Archive:
    """An open PMTiles file; a file put in its place later is another archive. Safe to use from several threads.

    bounds are west, south, east, north in degrees. Raises GeoError tiles_unreadable, here and in `packed`.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._leaves: dict[int, list[_Entry]] = {}
        with self._readable():
            self._file = path.open("rb")
            header = _HEADER.unpack(self._at(0, _HEADER_BYTES))
            if header[:2] != (b"PMTiles", 3):
                raise ValueError("not PMTiles 3")
            self._root = _parse(gzip.decompress(self._at(header[2], header[3])))
        self._leaves_at, self._tiles_at = header[6], header[8]
        self.min_zoom, self.max_zoom = header[17], header[18]
        west, south, east, north = (degrees / 1e7 for degrees in header[19:23])
        self.bounds = (west, south, east, north)

    def packed(self, z: int, x: int, y: int) -> bytes | None:
        """One tile, as gzip; None when the map has none there."""
        wanted, entries = tile_id(z, x, y), self._root
        with self._readable():
            for _ in range(4):
                entry = _find(entries, wanted)
                if entry is None:
                    return None
                if entry.run:
                    return self._at(self._tiles_at + entry.offset, entry.length)
                entries = self._leaf(entry)
            raise ValueError("directories too deep")

    def _leaf(self, entry: _Entry) -> list[_Entry]:
        if entry.offset not in self._leaves:
            packed = self._at(self._leaves_at + entry.offset, entry.length)
            self._leaves[entry.offset] = _parse(gzip.decompress(packed))
        return self._leaves[entry.offset]

    def _at(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, ValueError, IndexError, struct.error, zlib.error) as error:
            raise GeoError("tiles_unreadable", {"file": self._name, "reason": str(error)[:200]}) from error


def read_tile(path: Path, z: int, x: int, y: int) -> bytes | None:
    """One tile, decompressed, None when the map has none there. Raises GeoError tiles_unreadable."""
    packed = Archive(path).packed(z, x, y)
    return None if packed is None else gzip.decompress(packed)


def _directories(entries: Sequence[_Entry]) -> tuple[bytes, bytes]:
    root = _serialise(entries)
    if len(root) <= _ROOT_LIMIT_BYTES:
        return root, b""
    leaves, pointers = bytearray(), []
    for first in range(0, len(entries), _LEAF_ENTRIES):
        leaf = _serialise(entries[first : first + _LEAF_ENTRIES])
        pointers.append(_Entry(entries[first].tile_id, len(leaves), len(leaf), 0))
        leaves += leaf
    return _serialise(pointers), bytes(leaves)


def _serialise(entries: Sequence[_Entry]) -> bytes:
    """Columns one after the other: ids as steps, runs, lengths, offsets (0: right after the one before)."""
    numbers, before = [len(entries)], 0
    for entry in entries:
        numbers.append(entry.tile_id - before)
        before = entry.tile_id
    numbers += [entry.run for entry in entries]
    numbers += [entry.length for entry in entries]
    for index, entry in enumerate(entries):
        last = entries[index - 1]
        follows = index > 0 and entry.offset == last.offset + last.length
        numbers.append(0 if follows else entry.offset + 1)
    out = bytearray()
    for number in numbers:
        rest = number
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return gzip.compress(bytes(out), 9, mtime=0)


def _parse(directory: bytes) -> list[_Entry]:
    numbers, value, shift = [], 0, 0
    for byte in directory:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            numbers.append(value)
            value, shift = 0, 0
    count = numbers[0]
    steps, runs = numbers[1 : count + 1], numbers[count + 1 : 2 * count + 1]
    lengths, offsets = numbers[2 * count + 1 : 3 * count + 1], numbers[3 * count + 1 : 4 * count + 1]
    entries, number, end = [], 0, 0
    for step, run, length, offset in zip(steps, runs, lengths, offsets, strict=True):
        number += step
        start = end if offset == 0 else offset - 1
        entries.append(_Entry(number, start, length, run))
        end = start + length
    return entries


def _find(entries: Sequence[_Entry], wanted: int) -> _Entry | None:
    """The last entry at or before the tile, if it is the tile, runs on over it, or is a leaf directory."""
    place = bisect_right(entries, wanted, key=lambda entry: entry.tile_id)
    if place == 0:
        return None
    entry = entries[place - 1]
    return entry if entry.run == 0 or wanted < entry.tile_id + entry.run else None
