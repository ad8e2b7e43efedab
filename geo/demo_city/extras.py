"""What makes the map a city's: paths through parks, an island with a ferry, roundabouts, a road over
the hill."""

from __future__ import annotations

import random

import numpy as np
import shapely
from shapely import LineString, Point

from geo.demo_city import names
from geo.demo_city.blocks import Block, lanes
from geo.demo_city.plan import Land, Line, Road, beside, smooth

ROUNDABOUT_M = 34.0


def island(land: Land, main: list[Road], rnd: random.Random) -> tuple[list[Road], Block]:
    """The island's loop road and lanes, and the ferry that brings cars to it from the coast road."""
    shore = land.island.buffer(-150)
    loop = np.asarray(shore.exterior.simplify(4).coords)
    block = Block(shore, "island", "homes", names.ISLAND)
    coast_road = next(road for road in main if road.name == names.COAST_ROAD)
    coast_line = LineString(coast_road.line)
    landing = loop[int(np.argmin(shapely.distance(coast_line, shapely.points(loop))))]
    pier = coast_line.interpolate(coast_line.project(Point(landing)))
    crossing = np.array([[pier.x, pier.y], (np.array([pier.x, pier.y]) + landing) / 2 + [60, 0], landing])
    ferry_tags = {"motor_vehicle": "yes", "bicycle": "yes", "foot": "yes", "duration": "00:20"}
    roads = [
        Road(loop, "tertiary", names.ISLAND_ROAD, {"maxspeed": "40", "lanes": "2"}),
        Road(crossing, "ferry", names.FERRY, ferry_tags, slip=True),
    ]
    return roads + lanes(block, rnd), block


def paths(land: Land, blocks: list[Block], rnd: random.Random) -> list[Road]:
    """Footways across parks and school grounds' service roads, tracks between fields, the riverside
    greenway."""
    roads: list[Road] = []
    for block in blocks:
        west, south, east, north = block.ground.bounds
        middle = block.ground.point_on_surface()
        if block.use == "park":
            for start, end in (((west, south), (east, north)), ((west, north), (east, south))):
                across = smooth([start, (middle.x + rnd.uniform(-40, 40), middle.y), end], 50)
                roads += _inside(across, block, "footway", {"surface": "paving_stones"})
        elif block.use == "school":
            rim = block.ground.exterior.interpolate(rnd.random() * block.ground.exterior.length)
            line = np.array([[rim.x, rim.y], [middle.x, middle.y]])
            roads.append(Road(line, "service", None, {"maxspeed": "15", "access": "destination"}))
        elif block.use == "farm" and block.ground.area > 250_000:
            field_road = smooth([(west, middle.y), (middle.x, middle.y + 60), (east, middle.y - 30)], 80)
            roads += _inside(field_road, block, "track", {"surface": "ground", "tracktype": "grade3"})
    for side in (-1, 1):
        river = np.asarray(land.river.coords)
        stretch = river[(river[:, 0] > -5_600) & (river[:, 1] > -3_900)]
        roads.append(Road(beside(stretch, side * 178), "cycleway", names.GREENWAY, {"foot": "designated"}))
    return roads


def _inside(line: Line, block: Block, kind: str, tags: dict[str, str]) -> list[Road]:
    pieces = shapely.get_parts(shapely.intersection(LineString(line), block.ground.buffer(4)))
    return [Road(np.asarray(p.coords), kind, None, dict(tags)) for p in pieces if p.length > 60]


def hill_road(land: Land) -> list[Road]:
    """A winding road over the western hill, and steps to its top."""
    hill = land.hills[0]
    x, y = hill.centroid.x, hill.centroid.y
    bends = [(x - 1_450, y - 500), (x - 700, y - 250), (x - 500, y + 200), (x - 150, y - 150),
    (x + 150, y + 250),
             (x + 500, y - 50), (x + 800, y + 250), (x + 1_450, y + 150)]  # fmt: skip
    tags = {"maxspeed": "30", "lanes": "2"}
    steps = np.array([[x + 150, y + 250], [x + 60, y + 330], [x + 20, y + 430]])
    return [
        Road(smooth(bends, 40), "unclassified", names.HILL_ROAD, tags),
        Road(steps, "steps", None, {}),
    ]


def with_roundabouts(roads: list[Road], main: list[Road]) -> list[Road]:
    """All roads, with a roundabout where the southern radials end in the coast road. Traffic turns
    anticlockwise."""
    coast = LineString(next(road for road in main if road.name == names.COAST_ROAD).line)
    ends = [LineString(road.line) for road in main if road.name in names.RADIALS[6:]]
    result = list(roads)
    for radial in ends:
        centre = coast.interpolate(
            coast.project(min((Point(radial.coords[k]) for k in (0, -1)), key=coast.distance))
        )
        disc = centre.buffer(ROUNDABOUT_M)
        outside: list[Road] = []
        for road in result:
            line = LineString(road.line)
            if road.elevated or road.slip or not line.intersects(disc):
                outside.append(road)
                continue
            rests = [p for p in shapely.get_parts(shapely.difference(line, disc)) if p.length > 25]
            outside += [Road(np.asarray(p.coords), road.kind, road.name, dict(road.tags)) for p in rests]
        turn = np.linspace(0, 2 * np.pi, 17)
        ring = np.column_stack(
            [centre.x + ROUNDABOUT_M * np.cos(turn), centre.y + ROUNDABOUT_M * np.sin(turn)]
        )
        ring[-1] = ring[0]
        tags = {"junction": "roundabout", "oneway": "yes", "maxspeed": "30"}
        result = [*outside, Road(ring, "secondary", None, tags)]
    return result
