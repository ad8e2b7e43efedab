import math

import osmium
import pytest
from osmium.osm.mutable import Node, Relation, Way
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from geo import mvt, pmtiles
from geo.mvt import encode_tile
from geo.pmtiles import read_tile, tile_id, write_pmtiles
from geo.points import GeoError
from geo.tiles import MAX_ZOOM, make_tiles


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of each field of a protocol-buffer message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 2:
            length, at = varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length
        else:
            value, at = varint(data, at)
            yield key >> 3, value


def integers(data):
    at, found = 0, []
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found


def value_of(message):
    ((number, value),) = fields(message)
    return value.decode() if number == 1 else (value >> 1) ^ -(value & 1)


def rings_of(commands):
    """Lists of points, one per path, with their closing flag."""
    x = y = at = 0
    found = []
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if command == 7:
            found[-1] = (found[-1][0], True)
            continue
        for _ in range(count):
            dx, dy = ((v >> 1) ^ -(v & 1) for v in commands[at : at + 2])
            x, y, at = x + dx, y + dy, at + 2
            if command == 1:
                found.append(([], False))
            found[-1][0].append((x, y))
    return found


def decoded(tile):
    """Layers by name: lists of (type, paths,
    properties). Written from the specification, apart from the encoder."""
    layers = {}
    for number, layer in fields(tile):
        assert number == 3
        name, features, keys, values, numbers = "", [], [], [], {}
        for part, content in fields(layer):
            if part == 1:
                name = content.decode()
            elif part == 2:
                features.append(dict(fields(content)))
            elif part == 3:
                keys.append(content.decode())
            elif part == 4:
                values.append(value_of(content))
            else:
                numbers[part] = content
        assert numbers == {5: 4096, 15: 2}
        layers[name] = []
        for feature in features:
            tags = integers(feature.get(2, b""))
            properties = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
            layers[name].append((feature[3], rings_of(integers(feature[4])), properties))
    return layers


def area(ring):
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2


def test_geometry_and_properties_come_back_as_they_went_in():
    hole = [(20, 20), (20, 40), (40, 40), (40, 20)]
    square = Polygon([(0, 0), (100, 0), (100, 100), (0, 100)], [hole])
    tile = encode_tile(
        {
            "roads": [
                (LineString([(0, 0), (10.2, 0), (10.4, 0), (4000, -60)]), {"name": "人民路", "oneway": -1})
            ],
            "land": [(MultiPolygon([square, Polygon([(200, 0), (210, 0), (210, 10)])]), {"kind": "park"})],
            "places": [(Point(7, 8), {"name": "示例城市"})],
            "water": [],
        }
    )
    layers = decoded(tile)
    assert list(layers) == ["roads", "land", "places"]
    assert layers["roads"] == [
        (2, [([(0, 0), (10, 0), (4000, -60)], False)], {"name": "人民路", "oneway": -1})
    ]
    assert layers["places"] == [(1, [([(7, 8)], False)], {"name": "示例城市"})]
    kind, rings, _ = layers["land"][0]
    assert kind == 3
    assert [area(ring) for ring, _ in rings] == [10_000, -400, 50]
    assert all(closed for _, closed in rings)


def test_the_geometry_test_sees_rings_wound_the_wrong_way(monkeypatch):
    right_way = mvt._path
    monkeypatch.setattr(mvt, "_path", lambda points, *rest, **more: right_way(points[::-1], *rest, **more))
    layers = decoded(encode_tile({"land": [(Polygon([(0, 0), (9, 0), (9, 9)]), {})]}))
    assert area(layers["land"][0][1][0][0]) < 0


def test_what_rounds_to_nothing_is_left_out():
    dot = Polygon([(5, 5), (5.2, 5), (5.2, 5.2)])
    assert encode_tile({"land": [(dot, {})], "roads": [(LineString([(1, 1), (1.2, 1.2)]), {})]}) == b""


@pytest.mark.parametrize(
    ("place", "number"),
    [((0, 0, 0), 0), ((1, 0, 0), 1), ((1, 0, 1), 2), ((1, 1, 1), 3), ((1, 1, 0), 4),
    ((2, 0, 0), 5), ((12, 3423, 1763), 19_078_479)],
)  # fmt: skip
def test_tile_numbers_are_the_specifications(place, number):
    assert tile_id(*place) == number


@pytest.mark.parametrize("limit", [16_257, 60])
def test_every_tile_can_be_read_back_also_through_leaf_directories(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(pmtiles, "_ROOT_LIMIT_BYTES", limit)
    monkeypatch.setattr(pmtiles, "_LEAF_ENTRIES", 7)
    tiles = {
        (7, x, y): f"{x * y % 5} of {x}".encode() for x in range(9) for y in range(9) if (x, y) != (4, 4)
    }
    path = tmp_path / "map.pmtiles"
    write_pmtiles(path, tiles, (0, 0, 1, 1), {})
    assert all(read_tile(path, *key) == content for key, content in tiles.items())
    assert read_tile(path, 7, 4, 4) is None
    assert read_tile(path, 3, 0, 0) is None
    assert read_tile(path, 9, 500, 500) is None


def test_a_damaged_map_is_named(tmp_path):
    path = tmp_path / "map.pmtiles"
    for content in (b"", b"PMTiles", bytes(400)):
        path.write_bytes(content)
        with pytest.raises(GeoError, match="tiles_unreadable"):
            read_tile(path, 7, 1, 1)
    with pytest.raises(GeoError, match="tiles_empty"):
        write_pmtiles(path, {}, (0, 0, 1, 1), {})


def coastal_town(path, *, with_bounds=True, coast_stops_short=False):
    """A road, a lake with an island, and a coast that runs east with the sea on its right, in the south."""
    header = osmium.io.Header()
    if with_bounds:
        header.add_box(osmium.osm.Box(118.60, 24.80, 118.64, 24.84))
    short = 0.0004 if coast_stops_short else -0.001
    places = [
        (118.60 + short, 24.81), (118.64 - short, 24.81), (118.605, 24.835), (118.635, 24.835),
        (118.61, 24.82), (118.63, 24.82), (118.63, 24.83), (118.61, 24.83),
        (118.618, 24.824), (118.622, 24.824), (118.622, 24.826), (118.618, 24.826),
    ]  # fmt: skip
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for index, place in enumerate(places):
            writer.add_node(Node(id=index + 1, version=1, location=place))
        writer.add_node(
            Node(id=13, version=1, location=(118.62, 24.833), tags={"place": "city", "name": "示例城市"})
        )
        road = {
            "highway": "primary",
            "name": "人民路",
            "name:en": "Renmin Road",
            "bridge": "yes",
            "oneway": "yes",
        }
        writer.add_way(Way(id=1, version=1, nodes=[1, 2], tags={"natural": "coastline"}))
        writer.add_way(Way(id=2, version=1, nodes=[3, 4], tags=road))
        writer.add_way(Way(id=3, version=1, nodes=[5, 6, 7, 8, 5], tags={}))
        writer.add_way(Way(id=4, version=1, nodes=[9, 10, 11, 12, 9], tags={}))
        members = [("w", 3, "outer"), ("w", 4, "inner")]
        lake = {"type": "multipolygon", "natural": "water", "name": "示例湖"}
        writer.add_relation(Relation(id=1, version=1, members=members, tags=lake))
    return path


def tile_at(lon, lat, zoom):
    across = 2**zoom
    y = 0.5 - math.asinh(math.tan(math.radians(lat))) / (2 * math.pi)
    x = lon / 360 + 0.5
    inside = tuple(int((v * across - int(v * across)) * 4096) for v in (x, y))
    return int(x * across), int(y * across), inside


def kinds_at(path, lon, lat, zoom):
    """Which polygons of the tile cover the place."""
    x, y, inside = tile_at(lon, lat, zoom)
    found = set()
    for features in decoded(read_tile(path, zoom, x, y) or b"").values():
        for kind, rings, properties in features:
            if kind == 3:
                covers = sum(Polygon(ring).covers(Point(inside)) for ring, _ in rings)
                found |= {properties.get("k")} if covers % 2 else set()
    return found


@pytest.mark.parametrize("coast_stops_short", [False, True])
@pytest.mark.parametrize("zoom", [10, MAX_ZOOM])
def test_sea_lake_and_its_island_lie_where_they_should(tmp_path, zoom, coast_stops_short):
    pbf = coastal_town(tmp_path / "town.osm.pbf", coast_stops_short=coast_stops_short)
    made = make_tiles([pbf], tmp_path / "town.pmtiles")
    assert made.bounds == pytest.approx((118.60, 24.80, 118.64, 24.84))
    assert made.tiles >= 9
    assert kinds_at(made.path, 118.615, 24.803, zoom) == {"sea"}
    assert kinds_at(made.path, 118.612, 24.8275, zoom) == {"water"}
    assert kinds_at(made.path, 118.6201, 24.8249, zoom) == set()
    assert kinds_at(made.path, 118.603, 24.828, zoom) == set()


def test_roads_carry_their_names_in_both_languages(tmp_path):
    made = make_tiles([coastal_town(tmp_path / "town.osm.pbf", with_bounds=False)], tmp_path / "town.pmtiles")
    x, y, _ = tile_at(118.62, 24.835, 12)
    layers = decoded(read_tile(made.path, 12, x, y))
    expected = {"c": "primary", "n": "人民路", "e": "Renmin Road", "bridge": 1, "oneway": 1}
    assert layers["roads"][0][2] == expected
    assert layers["places"][0][2] == {"k": "city", "n": "示例城市"}


def test_a_file_with_nothing_to_draw_or_no_file_is_named(tmp_path):
    empty = tmp_path / "empty.osm.pbf"
    with osmium.SimpleWriter(str(empty)) as writer:
        writer.add_node(Node(id=1, version=1, location=(1.0, 1.0)))
    with pytest.raises(GeoError, match="tiles_empty"):
        make_tiles([empty], tmp_path / "map.pmtiles")
    with pytest.raises(GeoError, match="pbf_unreadable"):
        make_tiles([tmp_path / "missing.osm.pbf"], tmp_path / "map.pmtiles")
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(coastal_town(tmp_path / "town.osm.pbf").read_bytes()[:200])
    with pytest.raises(GeoError, match="pbf_unreadable"):
        make_tiles([cut], tmp_path / "map.pmtiles")


def test_a_continent_is_refused(tmp_path):
    path = tmp_path / "wide.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        writer.add_node(Node(id=1, version=1, location=(100.0, 20.0)))
        writer.add_node(Node(id=2, version=1, location=(120.0, 40.0)))
        writer.add_way(Way(id=1, version=1, nodes=[1, 2], tags={"highway": "motorway"}))
    with pytest.raises(GeoError, match="tiles_too_many"):
        make_tiles([path], tmp_path / "map.pmtiles")
