"""The demo city as its files tell it."""

import json
import random
from collections import Counter

import networkx
import numpy as np
import osmium
import pytest
from shapely import LineString, STRtree, distance, points
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import shape

from geo.datum import DATUMS, datum_warning, from_wgs84
from geo.datum_area import is_shifted
from geo.demo_city import make_city
from geo.demo_city.__main__ import main
from geo.demo_city.names import numeral
from geo.gazetteer import Gazetteer
from geo.pmtiles import read_tile
from geo.points import Point, distance_m
from geo.tiles import make_tiles
from tests.demo_city_files import shared_city

RESTRICTIONS = {
    "no_left_turn", "no_right_turn", "no_straight_on", "no_u_turn",
    "only_left_turn", "only_right_turn", "only_straight_on",
}  # fmt: skip
CLASSES = {
    "motorway", "motorway_link", "trunk", "trunk_link", "primary", "secondary", "tertiary", "unclassified",
    "residential", "living_street", "service", "pedestrian", "footway", "cycleway", "track", "steps",
}  # fmt: skip
NOT_FOR_CARS = {"pedestrian", "footway", "cycleway", "track", "steps"}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return shared_city(tmp_path_factory)


@pytest.fixture(scope="module")
def osm(city):
    """Nodes with tags, ways and relations of the pbf as plain values."""
    found = {"nodes": {}, "ways": {}, "relations": [], "places": {}}
    for thing in osmium.FileProcessor(str(city.pbf)):
        tags = {tag.k: tag.v for tag in thing.tags}
        if thing.is_node():
            found["places"][thing.id] = (thing.lon, thing.lat)
            if tags:
                found["nodes"][thing.id] = tags
        elif thing.is_way():
            found["ways"][thing.id] = ([node.ref for node in thing.nodes], tags)
        else:
            members = [(member.type, member.ref, member.role) for member in thing.members]
            found["relations"].append((members, tags))
    return found


def test_the_same_seed_gives_the_same_bytes(city, tmp_path):
    again = make_city(tmp_path / "again")
    for file in ("pbf", "roads", "areas", "buildings", "addresses", "territories"):
        assert getattr(city, file).read_bytes() == getattr(again, file).read_bytes()


def test_the_header_has_the_bounds_of_the_city(city, osm):
    box = osmium.io.Reader(str(city.pbf)).header().box()
    corners = (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)
    assert box.valid()
    assert corners == pytest.approx(city.bounds, abs=1e-6)
    roads = {node for nodes, tags in osm["ways"].values() if "highway" in tags for node in nodes}
    lon, lat = np.array([osm["places"][node] for node in roads]).T
    assert (lon.min(), lat.max()) == pytest.approx((corners[0], corners[3]), abs=1e-3)
    assert lon.min() >= corners[0] - 1e-3
    assert lon.max() <= corners[2] + 1e-3
    assert lat.max() <= corners[3] + 1e-3


def test_all_road_classes_occur_and_those_one_drives_on_have_names(osm):
    roads = [tags for _, tags in osm["ways"].values() if "highway" in tags]
    assert {tags["highway"] for tags in roads} == CLASSES
    for road_class in ("motorway", "trunk", "primary", "secondary", "tertiary", "residential"):
        named = [("name:en" in tags and "name" in tags) for tags in roads if tags["highway"] == road_class]
        assert sum(named) > 0.9 * len(named)
    assert any(tags.get("junction") == "roundabout" for tags in roads)
    assert sum("bridge" in tags for tags in roads) > 30
    assert sum("oneway" in tags for tags in roads) > 100
    assert any(tags.get("route") == "ferry" for _, tags in osm["ways"].values())


def test_every_kind_of_turn_restriction_is_there_and_its_members_meet(osm):
    kinds = Counter()
    for members, tags in osm["relations"]:
        if tags["type"] != "restriction":
            continue
        kinds[tags.get("restriction", "conditional")] += 1
        by_role = {role: (kind, ref) for kind, ref, role in members}
        ends = [{osm["ways"][by_role[role][1]][0][k] for k in (0, -1)} for role in ("from", "to")]
        via_kind, via = by_role["via"]
        via_ends = {via} if via_kind == "n" else {osm["ways"][via][0][k] for k in (0, -1)}
        assert ends[0] & via_ends
        assert ends[1] & via_ends
    assert set(kinds) >= RESTRICTIONS | {"conditional"}
    assert sum(kinds.values()) > 60


def test_a_car_gets_from_everywhere_to_everywhere(osm):
    graph = networkx.DiGraph()
    for nodes, tags in osm["ways"].values():
        drivable = "highway" in tags and tags["highway"] not in NOT_FOR_CARS
        if not drivable and tags.get("route") != "ferry":
            continue
        if tags.get("oneway") != "-1":
            networkx.add_path(graph, nodes)
        if tags.get("oneway") != "yes":
            networkx.add_path(graph, nodes[::-1])
    largest = max(networkx.strongly_connected_components(graph), key=len)
    assert len(largest) == graph.number_of_nodes()


def test_signals_barriers_and_the_citys_own_name_are_marked(osm):
    kinds = Counter(
        tags.get("highway") or tags.get("barrier") or tags.get("place") for tags in osm["nodes"].values()
    )
    assert kinds["traffic_signals"] > 100
    assert kinds["gate"] > 10
    assert kinds["bollard"] > 5
    assert kinds["city"] == 1
    city_names = {tags["addr:city"] for _, tags in osm["ways"].values() if "building" in tags}
    assert city_names == {"示例城市"}


def test_addresses_are_unique_in_both_languages_and_lie_in_their_territory(city):
    rows = json.loads(city.addresses.read_text(encoding="utf-8"))
    territories = json.loads(city.territories.read_text(encoding="utf-8"))["features"]
    shapes = {feature["properties"]["n"]: shape(feature["geometry"]) for feature in territories}
    assert len(rows) > 5_000
    assert 4 <= len(shapes) <= 6
    assert len({row["zh"] for row in rows}) == len(rows) == len({row["id"] for row in rows})
    assert all(row["zh"].startswith("示例城市") and row["en"].endswith("Demo City") for row in rows)
    outside = sum(
        not shapes[row["district_zh"]].contains(ShapelyPoint(row["lon"], row["lat"])) for row in rows
    )
    assert outside < 0.01 * len(rows)
    west, south, east, north = city.bounds
    assert all(west < row["lon"] < east and south < row["lat"] < north for row in rows)


def test_the_map_files_are_small_valid_and_marked(city):
    for path, limit_mb in ((city.roads, 3), (city.areas, 1), (city.territories, 0.1), (city.pbf, 3)):
        assert path.stat().st_size < limit_mb * 1e6
    for path in (city.roads, city.areas, city.buildings, city.territories):
        collection = json.loads(path.read_text(encoding="utf-8"))
        assert "示例城市" in collection["attribution"]
        assert collection["features"]
    kinds = {f["properties"]["k"] for f in json.loads(city.areas.read_text(encoding="utf-8"))["features"]}
    assert kinds >= {"sea", "water", "park", "wood", "industry", "homes", "beach", "farm"}


def test_the_gazetteer_finds_the_citys_addresses_in_both_languages(city):
    gazetteer = Gazetteer.from_pbf(city.pbf)
    rows = json.loads(city.addresses.read_text(encoding="utf-8"))
    picked = random.Random(1).sample(rows, 300)
    for language, least in (("zh", 297), ("en", 291)):
        found = [(row, gazetteer.find(row[language], 1)) for row in picked]
        near = [c and distance_m(c[0].entry.position, Point(row["lon"], row["lat"])) < 60 for row, c in found]
        assert sum(near) >= least


def test_its_base_map_is_small_and_names_its_streets_in_chinese(city, tmp_path):
    made = make_tiles([city.pbf], tmp_path / "map.pmtiles")
    assert made.size_bytes < 2_000_000
    assert made.tiles > 100
    x, y = int((city.centre.lon / 360 + 0.5) * 2**14), 7023
    tile = read_tile(made.path, 14, x, y)
    assert "环城路".encode() in tile
    assert b"Huancheng Road" in tile


def test_phones_in_the_wrong_datum_are_noticed_on_its_streets(city):
    """GPS noise of 15 m and lanes often 100 m apart, so a shifted position still has some road nearby."""
    metres = np.array([101_000.0, 111_000.0])
    roads = json.loads(city.roads.read_text(encoding="utf-8"))["features"]
    driven = [f for f in roads if f["properties"]["c"] not in NOT_FOR_CARS | {"rail", "ferry"}]
    lines = np.array([LineString(np.array(f["geometry"]["coordinates"]) * metres) for f in driven])
    tree = STRtree(lines)

    def nearest_road_m(lon, lat):
        spots = points(np.column_stack([lon, lat]) * metres)
        return distance(spots, lines[tree.nearest(spots)])

    random = np.random.default_rng(5)
    picked = random.choice(len(lines), 200)
    spots = np.array([lines[k].interpolate(random.random(), normalized=True).coords[0] for k in picked])
    lon, lat = ((spots + random.normal(0, 15, spots.shape)) / metres).T
    for truth in DATUMS:
        raw = from_wgs84(lon, lat, truth)
        for declared in DATUMS:
            warning = datum_warning(*raw, declared, nearest_road_m)
            assert (warning and warning.fits) == (None if declared == truth else truth)


def test_the_city_lies_where_chinese_datums_apply(city):
    corners = [(city.bounds[0], city.bounds[1]), (city.bounds[2], city.bounds[3])]
    lon, lat = np.array(corners).T
    assert is_shifted(lon, lat).all()


def test_the_command_says_how_it_is_used(capsys):
    assert main([]) == 2
    assert main(["somewhere", "seven"]) == 2
    assert "usage" in capsys.readouterr().err


def test_chinese_numerals():
    assert [numeral(n) for n in (1, 10, 11, 20, 35)] == ["一", "十", "十一", "二十", "三十五"]
