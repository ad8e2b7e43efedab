"""Compiles the loops of the roads into their cache, so that no first start waits: `python -m geo.roads.warm_up`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Relation, Way

from geo.roads import forget_stale_kernels, open_roads
from geo.roads.imports import import_roads

ACROSS = 6
STEP_DEG = 0.002


def small_town(path: Path) -> None:
    """A grid of streets with one turn forbidden: every loop has something to do."""
    writer = osmium.SimpleWriter(str(path), overwrite=True)
    try:
        for n in range(ACROSS * ACROSS):
            place = (113.0 + n % ACROSS * STEP_DEG, 28.0 + n // ACROSS * STEP_DEG)
            writer.add_node(Node(id=n + 1, version=1, location=place))
        for k in range(ACROSS):
            for first, step in ((k * ACROSS + 1, 1), (k + 1, ACROSS)):
                nodes = [first + i * step for i in range(ACROSS)]
                tags = {"highway": "residential"}
                writer.add_way(Way(id=2 * k + 1 + (step > 1), version=1, nodes=nodes, tags=tags))
        members = [("w", 1, "from"), ("n", 2, "via"), ("w", 4, "to")]
        tags = {"type": "restriction", "restriction": "no_left_turn"}
        writer.add_relation(Relation(id=1, version=1, members=members, tags=tags))
    finally:
        writer.close()


def warm_up() -> float:
    """Compiles or loads every loop; returns the seconds it took."""
    began = time.monotonic()
    forget_stale_kernels()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small_town(folder / "town.osm.pbf")
        import_roads([folder / "town.osm.pbf"], folder)
        roads = open_roads(folder)
        for mode in roads.modes:
            roads.warm_up(mode)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.stdout.write(f"road loops ready in {warm_up():.1f} s\n")
