"""The lie of the land and the main roads of the demo city, in metres east and north of its old town.

The coast runs from south-west to north-east with the sea to the south-east; a river comes from the
north-western hills, passes the walled old town and widens into a bay. Around the old town lie a second
ring, an outer ring expressway that becomes the coast's, eight radial roads, and a motorway behind the
city.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from geo.demo_city import names
from geo.demo_city.names import Name

Line = NDArray[np.float64]

CENTRE_LON: Final = 118.68
CENTRE_LAT: Final = 24.86
HALF_WIDTH_M: Final = 11_000.0
HALF_HEIGHT_M: Final = 9_200.0
FRAME: Final = shapely.box(-HALF_WIDTH_M, -HALF_HEIGHT_M, HALF_WIDTH_M, HALF_HEIGHT_M)
OLD_TOWN: Final = (150.0, 300.0)
OLD_TOWN_RADIUS_M: Final = 1_150.0

_METRES_PER_LAT: Final = 110_770.0
_METRES_PER_LON: Final = 111_320.0 * math.cos(math.radians(CENTRE_LAT))

_COAST: Final = (
    (-13_500, -7_900), (-11_000, -8_300), (-9_200, -7_700), (-7_800, -6_700), (-6_300, -7_300),
    (-5_200, -8_300),
    (-4_000, -8_000), (-2_900, -6_900), (-1_300, -6_600), (400, -6_900), (1_700, -6_300), (2_600, -6_400),
    (3_900, -6_000), (4_600, -5_100), (5_900, -5_500), (7_000, -4_600), (7_400, -3_100), (8_600, -2_700),
    (9_900, -3_400), (10_900, -2_300), (11_600, -600), (13_500, 900),
)  # fmt: skip
_RIVER: Final = (
    (-13_000, 7_300), (-10_600, 6_500), (-8_600, 4_700), (-6_700, 4_500), (-5_200, 3_100), (-3_500, 2_600),
    (-2_300, 1_200), (-2_000, -200), (-1_000, -1_300), (400, -1_900), (1_300, -2_900), (1_700, -4_200),
    (2_300, -5_400), (3_000, -7_200), (3_400, -8_200),
)  # fmt: skip
_RIVER_HALF_WIDTH_M: Final = (70.0, 75, 80, 85, 90, 95, 105, 110, 120, 130, 145, 165, 260, 480, 700)
_STREAM: Final = ((2_700, 9_900), (2_300, 7_900), (3_000, 6_000), (2_500, 4_300),
    (3_300, 2_700), (3_000, 900),
                  (2_300, -700), (1_900, -2_100), (1_200, -2_900))  # fmt: skip


@dataclass(slots=True)
class Road:
    """A way before it has nodes. `kind` is the OSM highway value.

    An elevated road crosses others without meeting them; a slip road meets others, elevated ones too,
    at its ends.
    """

    line: Line
    kind: str
    name: Name | None = None
    tags: dict[str, str] = field(default_factory=dict)
    elevated: bool = False
    slip: bool = False


@dataclass(frozen=True, slots=True)
class Land:
    """Where things are: `ground` is what may be built on; all polygons in metres."""

    sea: BaseGeometry
    water: BaseGeometry
    lake: Polygon
    hills: tuple[BaseGeometry, ...]
    island: Polygon
    beach: BaseGeometry
    ground: BaseGeometry
    coast: LineString
    river: LineString


def to_lon_lat(line: Line) -> Line:
    """Metres east and north of the centre as WGS-84 degrees, rounded to 1e-7 as OSM stores them."""
    degrees = np.asarray(line, np.float64) / (_METRES_PER_LON, _METRES_PER_LAT) + (CENTRE_LON, CENTRE_LAT)
    return np.asarray(np.round(degrees, 7))


def smooth(points: object, spacing_m: float = 60.0) -> Line:
    """A Catmull-Rom curve through the points, one vertex about every spacing_m."""
    p = np.asarray(points, np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    pieces = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        t = np.linspace(0, 1, max(2, math.ceil(float(np.hypot(*(c - b))) / spacing_m)) + 1)[:-1, None]
        curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
        pieces.append(0.5 * curve)
    return np.vstack([*pieces, p[-2:-1]])


def beside(line: Line, distance_m: float) -> Line:
    """The line moved to its left (negative: right), without loops where it bends sharply."""
    moved = shapely.offset_curve(LineString(line), distance_m, join_style="round")
    return np.asarray(_longest(moved).simplify(1.0).coords)


def _longest(line: BaseGeometry) -> LineString:
    parts = shapely.get_parts(line)
    longest: LineString = parts[int(np.argmax(shapely.length(parts)))]
    return longest


def make_land() -> Land:
    coast = smooth(_COAST, 90)
    wave = np.arange(len(coast))
    coast = coast + np.column_stack(
        [35 * np.sin(wave * 0.9) + 50 * np.sin(wave * 0.31), 45 * np.sin(wave * 0.57)]
    )
    outer_sea = Polygon([*coast, (13_500, -12_000), (-13_500, -12_000)]).buffer(0)
    river = smooth(_RIVER, 60)
    place = np.linspace(0, 1, len(_RIVER_HALF_WIDTH_M))
    widths = np.interp(np.linspace(0, 1, len(river)), place, _RIVER_HALF_WIDTH_M)
    discs = shapely.buffer(shapely.points(river), widths)
    hulls = shapely.convex_hull(shapely.union(discs[:-1], discs[1:]))
    stream = LineString(smooth(_STREAM, 60)).buffer(16)
    lake = Polygon(_blob((-4_700, 600), 620, 420, 0.7))
    hills = (
        Polygon(_blob((-8_500, 2_050), 1_050, 1_000, 1.9)),
        Polygon(_blob((-1_900, 6_700), 1_200, 950, 0.4)),
        Polygon(_blob((5_000, 2_150), 620, 820, 2.6)),
        Polygon(_blob((-5_200, -5_700), 780, 520, 1.1)),
        Polygon(_blob((-10_200, 8_700), 2_300, 1_900, 5.0)),
        Polygon(_blob((10_300, 7_900), 1_900, 2_100, 3.3)),
    )
    island = Polygon(_blob((7_200, -7_300), 1_250, 800, 4.2))
    water = shapely.union_all([*hulls, stream, lake]).simplify(3)
    sea = shapely.intersection(outer_sea, FRAME).difference(island)
    beach = shapely.intersection(
        LineString(coast).buffer(70),
        shapely.union_all(
            [shapely.box(3_400, -6_500, 7_200, -3_900), shapely.box(7_900, -3_600, 9_900, -2_400)]
        ),
    ).difference(sea)
    ground = FRAME.difference(sea).difference(water).difference(shapely.union_all(hills)).difference(island)
    return Land(
        sea=sea,
        water=shapely.intersection(water, FRAME).difference(sea),
        lake=lake,
        hills=tuple(shapely.intersection(h, FRAME).difference(water) for h in hills),
        island=island,
        beach=beach,
        ground=ground.difference(beach),
        coast=LineString(coast),
        river=LineString(river),
    )


def _blob(centre: tuple[float, float], rx: float, ry: float, phase: float) -> Line:
    """A lumpy closed outline."""
    a = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    r = 1 + 0.13 * np.sin(2 * a + phase) + 0.10 * np.sin(3 * a + 2 * phase) + 0.05 * np.sin(5 * a + 3 * phase)
    return np.column_stack([centre[0] + rx * r * np.cos(a), centre[1] + ry * r * np.sin(a)])


def main_roads(land: Land) -> list[Road]:
    """Motorway, rings, radials, the coast's and the river's roads; all through lines, not yet cut at
    junctions."""
    roads = [Road(_wall_line(), "secondary", names.WALL_ROAD, {"maxspeed": "40", "lanes": "4"})]
    roads.append(Road(_second_ring_line(), "primary", names.SECOND_RING, {"maxspeed": "60", "lanes": "6"}))
    roads.append(Road(smooth(_RAILWAY, 150), "rail", names.RAILWAY, {}, elevated=True))
    shore = beside(np.asarray(land.coast.coords), 190)
    inland = (
        Polygon([*shore, (13_500, 12_000), (-13_500, 12_000)]).buffer(0).difference(Polygon(_wall_line()))
    )
    for name, points in zip(names.RADIALS, _RADIALS, strict=True):
        line = shapely.intersection(LineString(smooth(points, 110)), inland)
        roads.append(
            Road(np.asarray(_longest(line).coords), "primary", name, {"maxspeed": "60", "lanes": "6"})
        )
    roads += _expressway(_outer_ring_line(shore), _OUTER_RING, roads)
    roads += _expressway(smooth(_MOTORWAY, 120), _THROUGH, roads)
    coast_road = np.asarray(_longest(shapely.intersection(LineString(shore), FRAME)).coords)
    roads.append(Road(coast_road, "secondary", names.COAST_ROAD, {"maxspeed": "50", "lanes": "4"}))
    for bank, side, name in ((land.river, 1, names.NORTH_BANK), (land.river, -1, names.SOUTH_BANK)):
        along = np.asarray(bank.coords)
        along = along[(along[:, 0] > -5_900) & (along[:, 1] > -4_600)]
        roads.append(Road(beside(along, side * 205), "secondary", name, {"maxspeed": "50", "lanes": "4"}))
    return roads


_RADIALS: Final = (
    ((900, 400), (3_000, 500), (5_200, 250), (7_600, 350), (9_400, 900), (11_000, 1_500)),
    ((700, 800), (2_400, 2_300), (4_000, 3_300), (4_700, 4_600), (6_500, 6_600), (7_700, 9_200)),
    ((250, 1_200), (150, 3_000), (-150, 4_600), (100, 6_400), (300, 8_000), (0, 9_200)),
    ((-500, 800), (-1_900, 2_900), (-3_200, 4_300), (-4_200, 6_000), (-5_100, 7_700), (-5_600, 9_200)),
    ((-700, 300), (-2_600, 250), (-3_700, -150), (-5_300, -350), (-7_600, -600), (-9_600, 300),
    (-11_000, 200)),
    ((-400, -100), (-1_700, -1_900), (-3_300, -3_000), (-4_700, -3_900), (-7_000, -4_700), (-9_300, -5_700),
     (-11_000, -6_200)),
    ((250, -500), (-150, -2_300), (-450, -3_900), (-700, -5_400), (-900, -7_200)),
    ((700, -200), (2_400, -1_500), (3_700, -2_700), (4_500, -3_600), (5_300, -6_000)),
)  # fmt: skip


_MOTORWAY: Final = (
    (-11_000, 900), (-9_900, 3_900), (-7_300, 6_700), (-3_900, 8_250), (0, 8_000),
    (3_700, 7_650), (7_000, 6_300),
    (9_100, 3_900), (11_000, 2_900),
)  # fmt: skip


_RAILWAY: Final = (
    (-11_000, 3_000), (-9_400, 4_300), (-7_300, 5_900), (-4_300, 5_800), (-1_000, 5_000), (2_500, 5_150),
    (5_400, 4_400), (7_600, 2_600), (11_000, 2_100),
)  # fmt: skip


def _wall_line() -> Line:
    a = np.linspace(0, 2 * np.pi, 72)
    r = OLD_TOWN_RADIUS_M * (1 + 0.07 * np.cos(4 * a + 0.5) + 0.03 * np.sin(3 * a))
    return np.column_stack([OLD_TOWN[0] + r * np.cos(a), OLD_TOWN[1] + r * np.sin(a)])


def _second_ring_line() -> Line:
    a = np.linspace(0, 2 * np.pi, 150)
    r = 3_650 * (1 + 0.05 * np.cos(4 * a + 0.4) + 0.05 * np.sin(a * 2 + 0.8) + 0.02 * np.sin(5 * a))
    return np.column_stack([100 + r * np.cos(a), -150 + r * 0.98 * np.sin(a)])


def _outer_ring_line(shore: Line) -> Line:
    """From the port in the south-west round the north to the eastern bay; it begins and ends in the
    coast road."""
    a = np.linspace(np.radians(250), np.radians(-38), 28)
    r = 6_950 * (1 + 0.06 * np.cos(2 * a + 0.3) + 0.03 * np.sin(3 * a + 1))
    ring = LineString(smooth(np.column_stack([100 + r * np.cos(a), -250 + 0.88 * r * np.sin(a)]), 100))
    return np.asarray(_longest(shapely.difference(ring, LineString(shore).buffer(0.5))).coords)


@dataclass(frozen=True, slots=True)
class _Expressway:
    kind: str
    name: Name
    tags: dict[str, str]
    frontage_kind: str
    frontage_name: Name | None
    frontage_m: float


_OUTER_RING: Final = _Expressway(
    "trunk", names.OUTER_RING, {"maxspeed": "80", "lanes": "3"}, "tertiary", names.FRONTAGE, 50
)
_THROUGH: Final = _Expressway(
    "motorway", names.MOTORWAY, {"maxspeed": "110", "lanes": "3", "ref": "G99"}, "unclassified", None, 62
)


def _expressway(line: Line, plan: _Expressway, crossed: list[Road]) -> list[Road]:
    """Two one-way carriageways 24 m apart, frontage roads outside them, and slip roads between near
    each crossing.

    Traffic keeps to the right. Where a primary road passes below there are an exit before it and an
    entry after it, on both carriageways. The motorway's ends at the frame are joined, so that nobody is
    lost beyond the map.
    """
    tags = {**plan.tags, "oneway": "yes"}
    roads: list[Road] = []
    crossings = [
        shapely.intersection(LineString(line), LineString(road.line))
        for road in crossed
        if road.kind == "primary"
    ]
    for side in (-1, 1):
        lane, frontage = beside(line, 12 * side), beside(line, plan.frontage_m * side)
        if side > 0:
            lane, frontage = lane[::-1], frontage[::-1]
        roads.append(Road(lane, plan.kind, plan.name, dict(tags), elevated=True))
        roads.append(Road(frontage, plan.frontage_kind, plan.frontage_name, {"maxspeed": "40"}))
        lane_line, frontage_line = LineString(lane), LineString(frontage)
        for crossing in shapely.get_parts(np.array(crossings, dtype=object)):
            at_lane, at_frontage = lane_line.project(crossing), frontage_line.project(crossing)
            if not 500 < at_lane < lane_line.length - 500:
                continue
            leave, settle = lane_line.interpolate(at_lane - 430), frontage_line.interpolate(at_frontage - 260)
            rise, join = frontage_line.interpolate(at_frontage + 260), lane_line.interpolate(at_lane + 430)
            roads += [_slip_road(leave, settle, plan.kind), _slip_road(rise, join, plan.kind)]
    if plan.kind == "motorway":
        ends = [
            np.array([roads[0].line[-1], _other_lane(roads).line[0]]),
            np.array([_other_lane(roads).line[-1], roads[0].line[0]]),
        ]
        roads += [
            Road(end, "motorway_link", None, {"oneway": "yes", "maxspeed": "30"}, slip=True) for end in ends
        ]
    return roads


def _other_lane(roads: list[Road]) -> Road:
    return next(road for road in roads[1:] if road.elevated)


def _slip_road(start: shapely.Point, end: shapely.Point, kind: str) -> Road:
    line = np.array([start.coords[0], end.coords[0]])
    return Road(line, f"{kind}_link", None, {"oneway": "yes", "maxspeed": "40"}, slip=True)
