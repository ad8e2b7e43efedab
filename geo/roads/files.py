"""The road file: one versioned, checksummed file of arrays, mapped into memory and shared by all processes.

Layout: magic (8 bytes), version (uint32), checksum (uint32, CRC-32 of all that follows), length of the
header (uint64), header (JSON: facts, and for each array its dtype, shape and offset), then the arrays, each
at a multiple of 64 bytes. A new import replaces the file in one rename; processes that have the old one open
keep it until they open again.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.roads.errors import RoadsFileError

FILE_NAME = "graph.roads"
MAGIC = b"PAIDANRD"
VERSION = 4
_HEAD = struct.Struct("<8sIIQ")
_ALIGN = 64


@dataclass(frozen=True, slots=True)
class RoadFile:
    """Facts (country, networks, bounds, sources …) and read-only arrays by name, such as "car.up_head"."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write_roads(folder: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write and put in place at once; returns the path. The folder is made when missing."""
    folder.mkdir(parents=True, exist_ok=True)
    table, at = {}, 0
    for name, array in arrays.items():
        table[name] = {"dtype": array.dtype.str, "shape": list(array.shape), "offset": at}
        at += -(-array.nbytes // _ALIGN) * _ALIGN
    header = json.dumps({"facts": dict(facts), "arrays": table}, ensure_ascii=False).encode()
    header += b" " * (-(len(header) + _HEAD.size) % _ALIGN)
    path, fresh = folder / FILE_NAME, folder / f".{FILE_NAME}.{os.getpid()}"
    checksum = zlib.crc32(struct.pack("<Q", len(header)) + header)
    try:
        with fresh.open("wb") as out:
            out.write(_HEAD.pack(MAGIC, VERSION, 0, len(header)) + header)
            for array in arrays.values():
                body = np.ascontiguousarray(array).tobytes()
                body += b"\0" * (-len(body) % _ALIGN)
                checksum = zlib.crc32(body, checksum)
                out.write(body)
            out.seek(0)
            out.write(_HEAD.pack(MAGIC, VERSION, checksum, len(header)))
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def read_roads(folder: Path) -> RoadFile:
    """Map the road file of a folder. Raises RoadsFileError: roads_missing, roads_version_unknown,
    roads_damaged."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise RoadsFileError("roads_missing", {"folder": str(folder)})
    if path.stat().st_size < _HEAD.size:
        raise RoadsFileError("roads_damaged", {"file": str(path), "reason": "shorter than its head"})
    with path.open("rb") as source:
        memory = mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ)
    magic, version, checksum, length = _HEAD.unpack_from(memory)
    if magic != MAGIC:
        raise RoadsFileError("roads_damaged", {"file": str(path), "reason": "not a road file"})
    if version != VERSION:
        raise RoadsFileError(
            "roads_version_unknown", {"file": str(path), "version": version, "known": VERSION}
        )
    if zlib.crc32(memoryview(memory)[_HEAD.size - 8 :]) != checksum:
        raise RoadsFileError("roads_damaged", {"file": str(path), "reason": "the checksum does not fit"})
    header = json.loads(memory[_HEAD.size : _HEAD.size + length])
    base = _HEAD.size + length
    arrays = {}
    for name, entry in header["arrays"].items():
        dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        count = int(np.prod(shape))
        array = np.frombuffer(memory, dtype, count, base + entry["offset"]) if count else np.empty(0, dtype)
        arrays[name] = array.reshape(shape)
    return RoadFile(header["facts"], arrays)
