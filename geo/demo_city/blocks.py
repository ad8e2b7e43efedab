"""The streets between the main roads: superblocks cut again and again, then lanes inside each superblock."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geo.demo_city import names
from geo.demo_city.names import Name
from geo.demo_city.plan import OLD_TOWN, Land, Line, Road

Zone = Literal["old", "inner", "outer", "industry", "country", "island"]
Use = Literal["homes", "shops", "park", "school", "industry", "farm", "village", "green"]

_SUPERBLOCK_M2: Final[dict[Zone, float]] = {
    "old": 400_000, "inner": 210_000, "outer": 330_000, "industry": 420_000,
    "country": 1_500_000, "island": 600_000,
}  # fmt: skip
_LANES_APART_M: Final[dict[Zone, tuple[float, float]]] = {
    "old": (88, 116), "inner": (112, 160), "outer": (135, 210), "industry": (240, 330), "country": (90, 120),
    "island": (150, 190),
}  # fmt: skip


@dataclass(slots=True)
class Block:
    """Ground between streets, with what stands on it. Its lanes are named after it."""

    ground: Polygon
    zone: Zone
    use: Use
    name: Name


def zone_of(x: float, y: float) -> Zone:
    """What kind of district lies here, by the distance from the old town and the side of the city."""
    if math.hypot(x - OLD_TOWN[0], y - OLD_TOWN[1]) < 1_000:
        return "old"
    if math.hypot(x - 100, y + 150) < 3_500:
        return "inner"
    if (y < -4_300 and -6_500 < x < 800) or (x > 6_900 and y < 1_200) or (x < -6_000 and -5_600 < y < -900):
        return "industry"
    if math.hypot((x - 100) / 6_900, (y + 250) / 6_000) < 1:
        return "outer"
    return "country"


def cut_into_blocks(land: Land, main: list[Road], rnd: random.Random) -> tuple[list[Road], list[Block]]:
    """Secondary and tertiary streets between the main roads, and the superblocks that they bound."""
    bounds = [LineString(road.line) for road in main if not road.elevated and not road.slip]
    expressways = shapely.union_all([LineString(road.line).buffer(14) for road in main if road.elevated])
    ground = land.ground.difference(expressways)
    faces = shapely.get_parts(
        shapely.polygonize(shapely.get_parts(shapely.union_all([*bounds, ground.boundary])))
    )
    cutter = _Cutter(rnd, names.place_names(rnd), land.river)
    inside = shapely.contains_properly(ground, shapely.point_on_surface(faces))
    for face in sorted(faces[inside], key=lambda f: (round(f.centroid.x), round(f.centroid.y))):
        cutter.cut(face, 0)
    return cutter.roads, cutter.blocks


class _Cutter:
    """Halves faces across their long side, bending each cut a little and meeting cuts of the other side."""

    def __init__(self, rnd: random.Random, free_names: Iterator[Name], river: LineString) -> None:
        self.rnd = rnd
        self.river = river
        self.free_names = free_names
        self.roads: list[Road] = []
        self.blocks: list[Block] = []
        self.ends: list[tuple[float, float]] = []

    def cut(self, face: Polygon, depth: int) -> None:
        zone = zone_of(face.centroid.x, face.centroid.y)
        width_m = 2 * face.area / face.length
        if face.area < 9_000 or width_m < 48 or (width_m < 150 and face.distance(self.river) < 175):
            if face.area > 6_000:
                self.blocks.append(Block(face, zone, "green", next(self.free_names)))
            return
        if face.area < _SUPERBLOCK_M2[zone] * self.rnd.uniform(0.75, 1.5) or depth > 12:
            self.blocks.append(Block(face, zone, self._use(zone, face), next(self.free_names)))
            return
        line = self._cut_line(face)
        cut = shapely.get_parts(shapely.union(face.boundary, line))
        parts = [
            p
            for p in shapely.get_parts(shapely.polygonize(cut))
            if p.area > 1 and face.covers(p.point_on_surface())
        ]
        road = self._road(line, face.area, zone)
        for piece in shapely.get_parts(shapely.intersection(line, face.buffer(4))):
            if piece.length > 60:
                self.roads.append(Road(np.asarray(piece.coords), road.kind, road.name, road.tags))
        for part in parts:
            self.cut(part, depth + 1)

    def _cut_line(self, face: Polygon) -> LineString:
        corners = _rectangle_around(face)
        a, b = corners[1] - corners[0], corners[2] - corners[1]
        along, across = (a, b) if np.hypot(*a) >= np.hypot(*b) else (b, a)
        middle = corners[:4].mean(axis=0) + along * self.rnd.uniform(-0.1, 0.1)
        turned = self.rnd.uniform(-0.09, 0.09)
        reach = across * 0.75 + np.array([-across[1], across[0]]) * turned
        shell = Polygon(face.exterior)
        cut = shapely.intersection(LineString([middle - reach, middle + reach]), shell)
        pieces = [p for p in shapely.get_parts(cut) if p.geom_type == "LineString"]
        longest = max(pieces, key=lambda p: p.length)
        start, end = (self._meet(np.asarray(longest.coords[k]), face) for k in (0, -1))
        straight = end - start
        normal = np.array([-straight[1], straight[0]]) * self.rnd.uniform(-0.045, 0.045)
        t = np.linspace(0, 1, max(3, int(np.hypot(*straight) / 90)))[:, None]
        bend = start + straight * t + normal * np.sin(np.pi * t)
        unit = straight / max(1.0, float(np.hypot(*straight)))
        return LineString([start - unit * 3, *bend, end + unit * 3])

    def _meet(self, end: Line, face: Polygon) -> Line:
        """Move the end of a cut onto the end of an earlier one on the same boundary, so that they form
        a crossing."""
        for x, y in self.ends:
            if math.hypot(x - end[0], y - end[1]) < 130 and face.exterior.distance(Point(x, y)) < 5:
                return np.array([x, y])
        self.ends.append((float(end[0]), float(end[1])))
        return end

    def _road(self, line: LineString, area_m2: float, zone: Zone) -> Road:
        points = np.asarray(line.coords)
        if area_m2 > 2_400_000 and zone != "country":
            base = Name(*self.rnd.choice(names.MAIN_STREETS))
            suffix = self.rnd.choice(
                (
                    Name("路", "Road"),
                    Name("东路", "East Road"),
                    Name("西路", "West Road"),
                    Name("大道", "Avenue"),
                )
            )
            name = Name(base.zh + suffix.zh, f"{base.en} {suffix.en}")
            return Road(points, "secondary", name, {"maxspeed": "50", "lanes": "4"})
        kind = "unclassified" if zone in ("country", "industry") else "tertiary"
        return Road(points, kind, names.street(next(self.free_names)), {"maxspeed": "40", "lanes": "2"})

    def _use(self, zone: Zone, face: Polygon) -> Use:
        throw = self.rnd.random()
        if zone == "industry":
            return "industry" if throw < 0.86 else "homes"
        if zone == "country":
            return "village" if throw < 0.55 else "farm"
        if zone == "old":
            return "homes"
        if throw < 0.07 and face.area < 500_000:
            return "park"
        if throw < 0.14:
            return "school"
        return "shops" if throw < (0.32 if zone == "inner" else 0.2) else "homes"


def lanes(block: Block, rnd: random.Random) -> list[Road]:
    """The small streets of one block, along its longest side and across it; old-town ones wind and are
    one-way."""
    if block.use in ("green", "farm", "park", "school"):
        return []
    ground = block.ground
    if block.use == "village":
        centre = ground.point_on_surface()
        around = shapely.intersection(ground.buffer(-60), centre.buffer(rnd.uniform(230, 420)))
        if not isinstance(around, Polygon) or around.is_empty:
            return []
        ground = around
    beyond = (
        ground if block.use == "village" else ground.buffer(4)
    )  # so that lanes meet the street around them
    core = ground.buffer(-32)
    roads: list[Road] = []
    angle = _longest_side_angle(block.ground)
    centre_x, centre_y = ground.centroid.x, ground.centroid.y
    reach = math.hypot(ground.bounds[2] - ground.bounds[0], ground.bounds[3] - ground.bounds[1]) / 2 + 40
    for direction, apart in enumerate(_LANES_APART_M[block.zone]):
        turn = angle + direction * math.pi / 2
        u, v = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
        position = -reach + apart * rnd.uniform(0.4, 1.0)
        while position < reach:
            if rnd.random() < (0.93 if direction == 0 else 0.82):
                first, last = _extent(direction, reach, rnd)
                t = np.arange(first, last + 20, 40.0)[:, None]
                line = np.array([centre_x, centre_y]) + v * position + u * t
                roads += _clipped(_wind(line, block, ground), (beyond, core), block, len(roads), rnd)
            position += apart * rnd.uniform(0.82, 1.2)
    if block.use == "village":
        roads.append(_connector(ground, block))
    return roads


def _extent(direction: int, reach: float, rnd: random.Random) -> tuple[float, float]:
    """Most lanes run through; three in ten of the cross lanes begin or end inside the block."""
    if direction == 0 or rnd.random() < 0.7:
        return -reach, reach
    return (-reach, rnd.uniform(0, reach / 3)) if rnd.random() < 0.5 else (rnd.uniform(-reach / 3, 0), reach)


def _wind(line: Line, block: Block, ground: Polygon) -> Line:
    strength = {"old": 15.0, "country": 18.0, "island": 20.0}.get(block.zone, 4.0)
    x, y = line[:, 0], line[:, 1]
    shift_x = np.sin(y / 95 + ground.centroid.x) + 0.6 * np.sin(x / 61 + y / 140)
    shift_y = np.sin(x / 105 + ground.centroid.y) + 0.6 * np.sin(y / 67 - x / 150)
    return line + strength * np.column_stack([shift_x, shift_y])


def _clipped(
    line: Line, inside: tuple[BaseGeometry, BaseGeometry], block: Block, number: int, rnd: random.Random
) -> list[Road]:
    """The pieces of a lane in the outer of the two areas, without those that mostly miss the inner one:
    they would run right beside the street around the block."""
    beyond, core = inside
    roads: list[Road] = []
    for piece in shapely.get_parts(shapely.intersection(LineString(line), beyond)):
        if piece.geom_type != "LineString" or piece.length < 55:
            continue
        if shapely.intersection(piece, core).length < piece.length * 0.4:
            continue
        tags: dict[str, str] = {"maxspeed": "30"}
        kind = "residential"
        if block.use == "industry":
            kind, tags = "unclassified", {"maxspeed": "30", "hgv": "designated"}
        elif block.zone == "old":
            if rnd.random() < 0.55:
                tags["oneway"] = "yes" if number % 2 else "-1"
            elif rnd.random() < 0.12:
                kind, tags = "pedestrian", {}
        elif rnd.random() < 0.12:
            kind, tags = "living_street", {"maxspeed": "20"}
        elif rnd.random() < 0.07:
            tags["oneway"] = "yes"
        elif block.zone == "country" and rnd.random() < 0.3:
            tags["surface"] = "gravel"
        roads.append(
            Road(
                np.asarray(piece.simplify(1.5).coords),
                kind,
                names.lane(block.name, number + len(roads) + 1),
                tags,
            )
        )
    return roads


def _connector(village: Polygon, block: Block) -> Road:
    """From the middle of a village to the nearest street around its block."""
    centre = village.centroid
    rim = block.ground.exterior.interpolate(block.ground.exterior.project(centre))
    start, end = np.array([centre.x, centre.y]), np.array([rim.x, rim.y])
    end = end + (end - start) / max(1.0, float(np.hypot(*(end - start)))) * 4
    bend = (start + end) / 2 + np.array([start[1] - end[1], end[0] - start[0]]) * 0.08
    return Road(np.array([start, bend, end]), "unclassified", names.street(block.name), {"maxspeed": "40"})


def _rectangle_around(ground: Polygon) -> Line:
    return np.asarray(shapely.get_coordinates(shapely.minimum_rotated_rectangle(ground)))


def _longest_side_angle(ground: Polygon) -> float:
    sides = np.diff(_rectangle_around(ground)[:3], axis=0)
    longest = sides[int(np.argmax(np.hypot(sides[:, 0], sides[:, 1])))]
    return math.atan2(float(longest[1]), float(longest[0]))
