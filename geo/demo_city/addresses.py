"""Buildings along the streets with their house numbers, named compounds and places, and the districts
they lie in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Point
from shapely.geometry.base import BaseGeometry

from geo.demo_city import names
from geo.demo_city.blocks import Block
from geo.demo_city.names import Name
from geo.demo_city.network import Network
from geo.demo_city.plan import FRAME, Land, Line, Road

_SPACING_M: Final = {"secondary": 62.0, "tertiary": 55.0, "residential": 68.0,
    "living_street": 56.0, "pedestrian": 26.0,
                     "unclassified": 95.0}  # fmt: skip
_SETBACK_M: Final = {"secondary": 22.0, "tertiary": 16.0, "residential": 9.0,
    "living_street": 8.0, "pedestrian": 7.0,
                     "unclassified": 14.0}  # fmt: skip

DISTRICTS: Final = (
    Name("古城区", "Old Town"), Name("江南区", "Jiangnan"), Name("泉山区", "Quanshan"),
    Name("湖西区", "Huxi"),
    Name("港城区", "Port"), Name("东湾区", "East Bay"),
)  # fmt: skip

_PLACES: Final = (
    ("hospital", "amenity", "hospital", "医院", "Hospital"),
    ("mall", "shop", "mall", "购物广场", "Shopping Plaza"),
    ("hotel", "tourism", "hotel", "酒店", "Hotel"), ("office", "office", "company", "大厦", "Tower"),
    ("bank", "amenity", "bank", "银行", "Bank"), ("market", "amenity", "marketplace", "市场", "Market"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Building:
    """A rectangle with its address. `corners` (4, 2) and `door` in metres; `house` is a name of its
    own, or None."""

    corners: Line
    door: tuple[float, float]
    street: Name
    number: int
    district: Name
    house: Name | None

    def text(self) -> Name:
        """The whole address in both languages."""
        zh = f"{names.CITY_ZH}{self.district.zh}{self.street.zh}{self.number}号"
        en = f"{self.number} {self.street.en}, {self.district.en} District, {names.CITY_EN}"
        if self.house is None:
            return Name(zh, en)
        return Name(f"{zh} {self.house.zh}", f"{self.house.en}, {en}")


@dataclass(frozen=True, slots=True)
class Place:
    """A named point: a hospital, a school, a station. key and value are its OSM tag."""

    spot: tuple[float, float]
    name: Name
    key: str
    value: str
    district: Name


def districts(land: Land, main: list[Road]) -> list[tuple[Name, BaseGeometry]]:
    """Six areas that cover the land: inside the second ring on both banks, and four sectors around it."""
    ring = shapely.Polygon(next(road for road in main if road.name == names.SECOND_RING).line)
    radials = {name: next(road.line for road in main if road.name == name) for name in names.RADIALS}
    cuts = [ring.exterior, _to_the_frame(np.asarray(land.river.coords)), FRAME.exterior]
    cuts += [_to_the_frame(radials[names.RADIALS[k]]) for k in (0, 3, 5)]
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(cuts))))
    dry = shapely.intersection(shapely.union(FRAME.difference(land.sea), land.island), FRAME)
    sorted_out: dict[Name, list[BaseGeometry]] = {name: [] for name in DISTRICTS}
    for face in faces:
        spot = shapely.intersection(face, FRAME).point_on_surface()
        sorted_out[_district_of(spot, ring, land)].append(shapely.intersection(face, dry.buffer(40)))
    return [(name, shapely.union_all(parts).simplify(15)) for name, parts in sorted_out.items()]


def _to_the_frame(line: Line) -> LineString:
    return LineString([*line, line[-1] + (line[-1] - line[-2]) * 20])


def _district_of(spot: Point, ring: shapely.Polygon, land: Land) -> Name:
    along = land.river.project(spot)
    ahead, here = land.river.interpolate(along + 5), land.river.interpolate(along)
    side = (ahead.x - here.x) * (spot.y - here.y) - (ahead.y - here.y) * (spot.x - here.x)
    if ring.contains(spot):
        return DISTRICTS[0] if side > 0 else DISTRICTS[1]
    angle = float(np.degrees(np.arctan2(spot.y + 150, spot.x - 100))) % 360
    if side < 0 and angle > 120:
        return DISTRICTS[3] if angle < 208 else DISTRICTS[4]
    if 10 < angle < 120:
        return DISTRICTS[2]
    return DISTRICTS[3] if angle < 200 else DISTRICTS[5]


def buildings(
    network: Network,
    blocks: list[Block],
    areas: list[tuple[Name, BaseGeometry]],
    blocked: BaseGeometry,
    rnd: random.Random,
) -> list[Building]:
    """Rectangles on both sides of the streets: odd numbers on the left, rising along the street, none
    on a road."""
    spots = _spots(network, rnd)
    corners = np.array([_rectangle(spot) for spot in spots])
    shapes: NDArray[np.object_] = np.asarray(shapely.polygons(corners))
    roads = np.array([LineString(network.positions[way.nodes]) for way in network.ways], dtype=object)
    on_road, _ = shapely.STRtree(roads).query(shapes, predicate="dwithin", distance=3.0)
    free = np.ones(len(spots), np.bool_)
    free[on_road] = False
    shapely.prepare(blocked)
    free[shapely.intersects(blocked, shapes)] = False
    free[~shapely.contains(FRAME.buffer(-30), shapes)] = False
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    for a, b in zip(first, second, strict=True):
        if a < b and free[a] and free[b]:
            free[b] = False
    kept = [k for k in range(len(spots)) if free[k]]
    middles = shapely.points([spots[k].middle for k in kept])
    district = _containing(middles, [shape for _, shape in areas])
    compounds = [block for block in blocks if block.use == "homes" and block.zone in ("inner", "outer")]
    compounds = [block for block in compounds if rnd.random() < 0.3]
    titles = [names.compound(block.name, rnd) for block in compounds]
    home = _containing(middles, [block.ground for block in compounds])
    counted: dict[int, int] = {}
    result = []
    for index, k in enumerate(kept):
        house = None
        if home[index] >= 0:
            counted[home[index]] = counted.get(home[index], 0) + 1
            title, number = titles[home[index]], counted[home[index]]
            house = Name(f"{title.zh}{number}栋", f"Building {number} {title.en}")
        area = areas[max(0, district[index])][0]
        result.append(Building(corners[k], spots[k].door, spots[k].street, spots[k].number, area, house))
    return result


@dataclass(frozen=True, slots=True)
class _Spot:
    middle: tuple[float, float]
    door: tuple[float, float]
    direction: tuple[float, float]
    width_m: float
    depth_m: float
    street: Name
    number: int


def _spots(network: Network, rnd: random.Random) -> list[_Spot]:
    """Where a building might stand; house numbers go on over the ways of one street."""
    spots: list[_Spot] = []
    numbers: dict[Name, int] = {}
    for way in network.ways:
        if way.name is None or way.kind not in _SPACING_M or "bridge" in way.tags:
            continue
        line = LineString(network.positions[way.nodes])
        big = 2.1 if way.tags.get("hgv") else 1.0
        along = 18 * big
        while along < line.length - 15:
            number = numbers.get(way.name, 1)
            numbers[way.name] = number + 2
            a, b = line.interpolate(along), line.interpolate(along + 2)
            east, north = (b.x - a.x) / 2, (b.y - a.y) / 2
            for side in (1, -1):
                if rnd.random() > 0.5:
                    continue
                width, depth = rnd.uniform(16, 34) * big, rnd.uniform(11, 22) * big
                away = (_SETBACK_M[way.kind] + depth / 2) * side
                middle = (a.x - north * away, a.y + east * away)
                door = (a.x - north * (away - depth / 2 * side), a.y + east * (away - depth / 2 * side))
                spots.append(_Spot(middle, door, (east, north), width, depth, way.name, number + (side < 0)))
            along += _SPACING_M[way.kind] * big * rnd.uniform(0.8, 1.5)
    return spots


def _rectangle(spot: _Spot) -> Line:
    along = np.array(spot.direction) * spot.width_m / 2
    away = np.array([-spot.direction[1], spot.direction[0]]) * spot.depth_m / 2
    middle = np.array(spot.middle)
    return np.array(
        [middle - along - away, middle + along - away, middle + along + away, middle - along + away]
    )


def _containing(points: NDArray[np.object_], shapes: Sequence[BaseGeometry]) -> list[int]:
    """Index of the first shape around each point, -1 for none."""
    found = np.full(len(points), -1)
    if shapes:
        point, shape = shapely.STRtree(shapes).query(points, predicate="within")
        for p, s in sorted(zip(point.tolist(), shape.tolist(), strict=True), reverse=True):
            found[p] = s
    return [int(k) for k in found]


def places(blocks: list[Block], areas: list[tuple[Name, BaseGeometry]], rnd: random.Random) -> list[Place]:
    """Hospitals, malls, hotels and the like in the shopping blocks, schools, industrial parks, a
    railway station."""
    shapes = [shape for _, shape in areas]
    result: list[Place] = []
    for block in blocks:
        middle = block.ground.point_on_surface()
        area = areas[max(0, _containing(shapely.points([(middle.x, middle.y)]), shapes)[0])][0]
        spot = (middle.x + rnd.uniform(-20, 20), middle.y + rnd.uniform(-20, 20))
        if block.use == "shops":
            _, key, value, zh, en = rnd.choice(_PLACES)
            name = Name(f"示例{block.name.zh}{zh}", f"Demo {block.name.en} {en}")
            result.append(Place(spot, name, key, value, area))
        elif block.use == "school":
            kind = rnd.choice((("小学", "Primary School"), ("中学", "Middle School"), ("学院", "College")))
            name = Name(f"示例{block.name.zh}{kind[0]}", f"Demo {block.name.en} {kind[1]}")
            result.append(Place(spot, name, "amenity", "college" if kind[0] == "学院" else "school", area))
        elif block.use == "industry" and rnd.random() < 0.35:
            name = Name(f"示例{block.name.zh}工业园", f"Demo {block.name.en} Industrial Park")
            result.append(Place(spot, name, "office", "company", area))
    result.append(
        Place((1_200.0, 5_090.0), Name("示例城市北站", "Demo City North"), "railway", "station", areas[2][0])
    )
    return result
