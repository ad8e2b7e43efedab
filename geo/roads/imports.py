"""From pbf files to a road file: read, build the graph of each network, contract, write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from geo.roads import profiles
from geo.roads.cch import build_hierarchy
from geo.roads.conditions import ALL_SLOTS, closures, restriction_slots
from geo.roads.errors import RoadsFileError
from geo.roads.files import write_roads
from geo.roads.graph import RESTRICTED, Graph, build_graph
from geo.roads.order import contraction_rank
from geo.roads.pbf import Progress, RawRoads, read_pbf
from geo.roads.snap import build_grid
from geo.roads.turns import TurnGraph, build_turns

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made."""

    path: Path
    country: str
    ways: int
    edges: dict[str, int]
    """By network; a network without ways is absent."""
    restrictions: dict[str, int]
    """Turns taken away, by network."""
    conditions: int
    """Conditional restrictions and accesses that are followed hour by hour."""
    unfollowed: dict[str, int]
    """Those that are not, as written, and how often; of them the most frequent MOST_NAMED."""


def import_roads(
    sources: Sequence[Path],
    folder: Path,
    country: str | None = None,
    progress: Progress = lambda _what, _share: None,
) -> Imported:
    """Read pbf files of one or more regions into `folder`, replacing what was there at the end, at once.

    country: two letters; None takes it from where the roads are. Raises RoadsFileError (see read_pbf).
    """
    raw = read_pbf(sources, lambda what, share: progress(what, 0.3 * share))
    country = country or profiles.country_of(float(np.median(raw.lon)), float(np.median(raw.lat)))
    arrays: dict[str, NDArray[Any]] = _way_arrays(raw)
    edges, restrictions = {}, {}
    for i, network in enumerate(profiles.NETWORKS):
        progress(f"building {network}", 0.3 + 0.2 * i)
        graph = build_graph(raw, network, country)
        if graph is None:
            continue
        turns = build_turns(graph, raw, network, country in profiles.LEFT_HAND)
        progress(f"contracting {network}", 0.4 + 0.2 * i)
        arrays |= {f"{network}.{k}": v for k, v in _network_arrays(graph, turns).items()}
        edges[network], restrictions[network] = graph.edges, turns.forbidden
    if not edges:
        raise RoadsFileError("pbf_without_roads", {"files": [str(path) for path in sources]})
    progress("writing", 0.95)
    conditions, unfollowed = count_conditions(raw)
    facts = {
        "conditions": conditions,
        "unfollowed": unfollowed,
        "country": country,
        "left_hand": country in profiles.LEFT_HAND,
        "networks": list(edges),
        "sources": [path.name for path in sources],
        "bounds": [float(v) for v in (raw.lon.min(), raw.lat.min(), raw.lon.max(), raw.lat.max())],
    }
    path = write_roads(folder, facts, arrays)
    progress("done", 1.0)
    return Imported(path, country, len(raw.way_id), edges, restrictions, conditions, unfollowed)


def count_conditions(raw: RawRoads) -> tuple[int, dict[str, int]]:
    """How many conditional tags are followed, and what of the others is written how often."""
    followed, texts = 0, Counter[str]()
    for network in profiles.NETWORKS:
        for tags in raw.way_tags:
            shut = closures(tags, network)
            followed += shut.closed > 0
            texts.update(shut.unfollowed)
        for restriction in raw.restrictions:
            kind, slots, unfollowed = restriction_slots(restriction.tags, network)
            followed += kind is not None and 0 < slots < ALL_SLOTS
            texts.update(unfollowed)
    return followed, dict(texts.most_common(MOST_NAMED))


def _way_arrays(raw: RawRoads) -> dict[str, NDArray[Any]]:
    names: dict[str, int] = {"": 0}
    row = []
    for tags in raw.way_tags:
        name = tags.get("name") or tags.get("name:zh") or tags.get("name:en") or tags.get("ref") or ""
        row.append(names.setdefault(name, len(names)))
    class_of = profiles.CLASS_INDEX
    classes = ["ferry" if t.get("route") == "ferry" else t.get("highway", "") for t in raw.way_tags]
    text = [name.encode() for name in names]
    return {
        "way.osm_id": raw.way_id,
        "way.class": np.array([class_of.get(name, class_of["road"]) for name in classes], np.uint8),
        "way.name": np.array(row, np.int32),
        "names.start": np.concatenate(([0], np.cumsum([len(t) for t in text]))).astype(np.int64),
        "names.text": np.frombuffer(b"".join(text) or b"\0", np.uint8),
    }


def _network_arrays(graph: Graph, turns: TurnGraph) -> dict[str, NDArray[Any]]:
    hierarchy = build_hierarchy(turns, contraction_rank(graph, turns))
    grid = build_grid(graph.seg_lon, graph.seg_lat)
    graph_arrays = {f.name: getattr(graph, f.name) for f in fields(graph) if f.name != "vertex_of_node"}
    turn_arrays = {f.name: getattr(turns, f.name) for f in fields(turns) if f.name != "forbidden"}
    return {
        **graph_arrays,
        **turn_arrays,
        **{f.name: getattr(hierarchy, f.name) for f in fields(hierarchy)},
        "edge_region": _restricted_regions(graph),
        "grid.box": grid.box,
        "grid.size": np.array([grid.columns, grid.rows], np.int64),
        "grid.cell_start": grid.cell_start,
        "grid.cell_seg": grid.cell_seg,
    }


def _restricted_regions(graph: Graph) -> NDArray[np.int32]:
    """Per edge 0 where anyone may pass, else the number of the connected private or destination-only area."""
    inside = np.flatnonzero(graph.edge_flags & RESTRICTED)
    vertices = len(graph.vertex_lon)
    links = coo_matrix(
        (np.ones(len(inside), np.int8), (graph.edge_from[inside], graph.edge_to[inside])),
        shape=(vertices,) * 2,
    )
    _, label = connected_components(links, directed=False)
    region = np.zeros(graph.edges, np.int32)
    region[inside] = label[graph.edge_from[inside]] + 1
    return region
