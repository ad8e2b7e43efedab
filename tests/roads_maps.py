"""Small road maps for tests, written as pbf: by hand in metres, or a random town from a seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Relation, Way

LON0, LAT0 = 113.0, 28.0
M_LAT = 1 / 111195.0
M_LON = M_LAT / math.cos(math.radians(LAT0))


def place(x_m: float, y_m: float) -> tuple[float, float]:
    """(lon, lat) of metres east and north of the map's corner."""
    return LON0 + x_m * M_LON, LAT0 + y_m * M_LAT


@dataclass
class Map:
    """Nodes by name at metres, ways over names, restrictions over way names."""

    nodes: dict[str, tuple[float, float]] = field(default_factory=dict)
    node_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    ways: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    restrictions: list[tuple[dict[str, str], list[str], list[str], list[str]]] = field(default_factory=list)

    def node(self, name: str, x_m: float, y_m: float, **tags: str) -> None:
        self.nodes[name] = (x_m, y_m)
        if tags:
            self.node_tags[name] = tags

    def way(self, name: str, nodes: str | list[str], **tags: str) -> None:
        """Nodes as "a b c"; highway=residential when no tag says else."""
        over = nodes.split() if isinstance(nodes, str) else nodes
        self.ways[name] = (
            over,
            {k.replace("__", ":"): v for k, v in (tags or {"highway": "residential"}).items()},
        )

    def restrict(self, kind: str, start: str, via: str, end: str, **tags: str) -> None:
        """via: a node, or ways as "b c"; start and end: ways."""
        self.restrictions.append(({"restriction": kind, **tags}, start.split(), via.split(), end.split()))

    def write(self, path: Path) -> Path:
        node_id = {name: i + 1 for i, name in enumerate(self.nodes)}
        way_id = {name: i + 1 for i, name in enumerate(self.ways)}
        writer = osmium.SimpleWriter(str(path), overwrite=True)
        try:
            for name, (x, y) in self.nodes.items():
                tags = self.node_tags.get(name, {})
                writer.add_node(Node(id=node_id[name], version=1, location=place(x, y), tags=tags))
            for name, (over, tags) in self.ways.items():
                refs = [node_id[n] for n in over]
                writer.add_way(Way(id=way_id[name], version=1, nodes=refs, tags={**tags, "name": name}))
            for i, (tags, start, via, end) in enumerate(self.restrictions):
                members = [("w", way_id[w], "from") for w in start] + [("w", way_id[w], "to") for w in end]
                members += [("w", way_id[v], "via") if v in way_id else ("n", node_id[v], "via") for v in via]
                told = {**tags, "type": "restriction"}
                writer.add_relation(Relation(id=i + 1, version=1, members=members, tags=told))
        finally:
            writer.close()
        return path


def random_town(seed: int, blocks: int = 14) -> Map:
    """A bent grid with every trait the reader knows: one-ways, signals, barriers, private yards, a ferry, a
    roundabout, bends, loops, dead ends and restrictions over nodes and over ways."""
    rnd, town = random.Random(seed), Map()
    for i in range(blocks):
        for j in range(blocks):
            x, y = i * 180 + rnd.uniform(-50, 50), j * 180 + rnd.uniform(-50, 50)
            tags = {"highway": "traffic_signals"} if rnd.random() < 0.1 else {}
            town.node(f"{i}.{j}", x, y, **tags)
    kinds = ["residential"] * 6 + ["tertiary", "secondary", "primary", "service", "unclassified", "footway"]
    at: dict[str, list[str]] = {}
    for i in range(blocks):
        for j in range(blocks):
            for di, dj in ((1, 0), (0, 1)):
                a, b = f"{i}.{j}", f"{i + di}.{j + dj}"
                if b not in town.nodes or rnd.random() < 0.1:
                    continue
                name = f"{a}-{b}"
                _street(town, rnd, name, a, b, {"highway": rnd.choice(kinds)})
                at.setdefault(a, []).append(name)
                at.setdefault(b, []).append(name)
    for k in range(blocks):
        a = f"{rnd.randrange(blocks)}.{rnd.randrange(blocks)}"
        x, y = town.nodes[a]
        town.node(f"yard{k}", x + 70, y + 75)
        tags = {"highway": "service", "access": rnd.choice(["private", "destination", "no", "yes"])}
        town.way(f"yard way {k}", [a, f"yard{k}"], **tags)
    town.way("ferry", [f"0.{blocks - 1}", f"{blocks - 1}.0"], route="ferry", duration="00:06")
    _ring(town, blocks)
    for k in range(3 * blocks):
        node = rnd.choice([n for n, ways in at.items() if len(ways) >= 3])
        start, end = rnd.sample(at[node], 2)
        kind = rnd.choice(
            ["no_left_turn", "no_right_turn", "no_straight_on", "only_right_turn", "only_straight_on"]
        )
        if k % 3:
            town.restrict(kind, start, node, end, **({"except": "bicycle"} if k % 5 == 0 else {}))
        else:
            via = rnd.choice(at[node])
            other = next(n for n in (town.ways[via][0][0], town.ways[via][0][-1]) if n != node)
            ends = [w for w in at[other] if w != via]
            if start != via and ends:
                town.restrict("only_straight_on" if k % 2 else "no_u_turn", start, via, rnd.choice(ends))
    return town


def _street(town: Map, rnd: random.Random, name: str, a: str, b: str, tags: dict[str, str]) -> None:
    (xa, ya), (xb, yb) = town.nodes[a], town.nodes[b]
    over = [a]
    if town.node_tags.get(a):  # a signal: those on foot cross the street at one of their own
        town.node(f"{name}/walk", xa + (xb - xa) * 0.08, ya + (yb - ya) * 0.08, highway="crossing",
                  crossing="traffic_signals")  # fmt: skip
        over.append(f"{name}/walk")
    for bend in range(rnd.randrange(3)):
        share = (bend + 1) / 4
        middle = f"{name}/{bend}"
        more = {"barrier": rnd.choice(["bollard", "gate", "lift_gate"])} if rnd.random() < 0.04 else {}
        town.node(middle, xa + (xb - xa) * share + rnd.uniform(-9, 9), ya + (yb - ya) * share, **more)
        over.append(middle)
    tags |= {"oneway": rnd.choice(["yes", "-1"])} if rnd.random() < 0.25 else {}
    tags |= {"maxspeed": rnd.choice(["30", "50", "20 mph"])} if rnd.random() < 0.3 else {}
    tags |= {"surface": rnd.choice(["asphalt", "gravel", "sett"])} if rnd.random() < 0.3 else {}
    tags |= {"lanes": "4"} if rnd.random() < 0.1 else {}
    town.way(name, [*over, b] if rnd.random() < 0.5 else [b, *over[::-1]], **tags)


def _ring(town: Map, blocks: int) -> None:
    """A roundabout beyond the north-east corner, and a loop street that comes back to where it began."""
    x, y = town.nodes[f"{blocks - 1}.{blocks - 1}"]
    names = []
    for k in range(8):
        names.append(f"ring{k}")
        town.node(
            names[-1], x + 140 + 20 * math.cos(k * math.pi / 4), y + 140 + 20 * math.sin(k * math.pi / 4)
        )
    town.way("ring", [*names, names[0]], highway="tertiary", junction="roundabout")
    town.way("to ring", [f"{blocks - 1}.{blocks - 1}", "ring5"], highway="tertiary")
    town.node("east", x + 400, y + 140)
    town.way("from ring", ["ring0", "east"], highway="tertiary")
    town.node("loop1", x + 480, y + 200)
    town.node("loop2", x + 480, y + 80)
    town.way("loop", ["east", "loop1", "loop2", "east"], highway="residential")
