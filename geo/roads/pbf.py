"""Read the roads out of OpenStreetMap pbf files: ways that carry traffic, tagged nodes, turn restrictions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.roads.errors import RoadsFileError

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of all work is done, 0 to 1."""

_WAY_KEYS = frozenset(
    "highway route junction oneway oneway:bicycle oneway:foot access vehicle motor_vehicle motorcar bicycle "
    "foot maxspeed "
    "surface tracktype service lanes duration name name:zh name:en ref motorroad cycleway cycleway:left "
    "cycleway:right impassable "
    "access:forward access:backward vehicle:forward vehicle:backward motor_vehicle:forward "
    "motor_vehicle:backward "
    "motorcar:forward motorcar:backward bicycle:forward bicycle:backward foot:forward foot:backward "
    "area "
    "access:conditional vehicle:conditional motor_vehicle:conditional motorcar:conditional bicycle:conditional "
    "foot:conditional".split()
)


@dataclass(frozen=True, slots=True)
class Restriction:
    """A turn restriction as mapped; ways by OSM id, the via node as an index into RawRoads.lon."""

    tags: dict[str, str]
    from_ways: tuple[int, ...]
    via_node: int | None
    via_ways: tuple[int, ...]
    to_ways: tuple[int, ...]


@dataclass(slots=True)
class RawRoads:
    """Ways with positions of all their nodes. way w has nodes way_node[way_start[w]:way_start[w + 1]]
    (indices)."""

    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    way_id: NDArray[np.int64]
    way_start: NDArray[np.int64]
    way_node: NDArray[np.int64]
    way_tags: list[dict[str, str]]
    node_tags: dict[int, dict[str, str]]
    restrictions: list[Restriction]


@dataclass(slots=True)
class _Collected:
    way_ids: dict[int, None] = field(default_factory=dict)
    way_len: list[int] = field(default_factory=list)
    way_tags: list[dict[str, str]] = field(default_factory=list)
    refs: list[int] = field(default_factory=list)
    lons: list[float] = field(default_factory=list)
    lats: list[float] = field(default_factory=list)
    node_tags: dict[int, dict[str, str]] = field(default_factory=dict)
    relations: dict[int, tuple[dict[str, str], list[tuple[str, str, int]]]] = field(default_factory=dict)


def read_pbf(paths: Sequence[Path], progress: Progress = lambda _what, _share: None) -> RawRoads:
    """The roads of one or more files; a way that lies in several is taken once.

    Header bounds are not needed. Raises RoadsFileError: pbf_missing, pbf_unreadable (empty, truncated or not
    a pbf), pbf_without_roads.
    """
    found = _Collected()
    for i, path in enumerate(paths):
        progress(f"reading {path.name}", i / len(paths))
        if not path.is_file():
            raise RoadsFileError("pbf_missing", {"file": str(path)})
        if path.stat().st_size == 0:
            raise RoadsFileError("pbf_unreadable", {"file": str(path), "reason": "the file is empty"})
        try:
            _read_one(path, found)
        except (RuntimeError, ValueError, UnicodeDecodeError) as error:
            raise RoadsFileError("pbf_unreadable", {"file": str(path), "reason": str(error)}) from error
    if not found.way_ids:
        raise RoadsFileError("pbf_without_roads", {"files": [str(path) for path in paths]})
    return _assemble(found)


def _read_one(path: Path, found: _Collected) -> None:
    import osmium  # heavy and needed by the import only

    # read_file inside osmium checks block checksums only as far as zlib does: a cut file raises RuntimeError.
    processor = osmium.FileProcessor(str(path)).with_locations()
    processor = processor.with_filter(osmium.filter.KeyFilter("highway", "barrier", "route", "type"))
    item: Any
    for item in processor:
        if item.is_node():
            if "barrier" in item.tags or "highway" in item.tags:
                found.node_tags[item.id] = {tag.k: tag.v for tag in item.tags}
        elif item.is_way():
            _take_way(item, found)
        elif item.is_relation() and item.tags.get("type") == "restriction":
            members = [(m.role, m.type, m.ref) for m in item.members]
            found.relations[item.id] = ({tag.k: tag.v for tag in item.tags}, members)


def _take_way(way: Any, found: _Collected) -> None:
    tags = {tag.k: tag.v for tag in way.tags if tag.k in _WAY_KEYS}
    if "highway" not in tags and tags.get("route") != "ferry":
        return
    if way.id in found.way_ids:
        return
    count = 0
    for node in way.nodes:
        location = node.location
        if location.valid():
            found.refs.append(node.ref)
            found.lons.append(location.lon)
            found.lats.append(location.lat)
            count += 1
    if count < 2:
        del found.refs[len(found.refs) - count :], found.lons[len(found.lons) - count :]
        del found.lats[len(found.lats) - count :]
        return
    found.way_ids[way.id] = None
    found.way_len.append(count)
    found.way_tags.append(tags)


def _assemble(found: _Collected) -> RawRoads:
    refs = np.array(found.refs, np.int64)
    node_id, first, way_node = np.unique(refs, return_index=True, return_inverse=True)
    index = {int(osm): i for i, osm in enumerate(node_id)} if found.relations or found.node_tags else {}
    restrictions = [
        r for tags, members in found.relations.values() if (r := _restriction(tags, members, index))
    ]
    return RawRoads(
        node_id,
        np.array(found.lons)[first],
        np.array(found.lats)[first],
        np.array(list(found.way_ids), np.int64),
        np.concatenate(([0], np.cumsum(found.way_len))),
        way_node.reshape(-1).astype(np.int64),
        found.way_tags,
        {index[osm]: tags for osm, tags in found.node_tags.items() if osm in index},
        restrictions,
    )


def _restriction(
    tags: dict[str, str], members: list[tuple[str, str, int]], index: dict[int, int]
) -> Restriction | None:
    """None for a relation that says nothing that can be followed (a member is missing or of another kind)."""

    def ways(role: str) -> tuple[int, ...]:
        return tuple(ref for r, kind, ref in members if r == role and kind == "w")

    via_nodes = [ref for role, kind, ref in members if role == "via" and kind == "n"]
    from_ways, to_ways, via_ways = ways("from"), ways("to"), ways("via")
    if not from_ways or not to_ways or (not via_ways and (len(via_nodes) != 1 or via_nodes[0] not in index)):
        return None
    via_node = index[via_nodes[0]] if not via_ways else None
    return Restriction(tags, from_ways, via_node, via_ways, to_ways)
