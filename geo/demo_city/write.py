"""The demo city as files: an OSM pbf for the road engine, and small GeoJSON and JSON files for the
interface."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from osmium.osm.mutable import Node, Relation
from osmium.osm.mutable import Way as OsmWay
from shapely.geometry.base import BaseGeometry

from geo.demo_city import names
from geo.demo_city.addresses import Building, Place
from geo.demo_city.blocks import Block
from geo.demo_city.names import Name
from geo.demo_city.network import Network, Way
from geo.demo_city.plan import FRAME, Land, Line, to_lon_lat
from geo.demo_city.rules import Restriction

ATTRIBUTION: Final = "示例城市 Demo City: synthetic, not a real place"


@dataclass(frozen=True, slots=True)
class Content:
    """All that the city consists of, in metres."""

    land: Land
    network: Network
    restrictions: list[Restriction]
    blocks: list[Block]
    buildings: list[Building]
    places: list[Place]
    districts: list[tuple[Name, BaseGeometry]]


def areas_of(content: Content) -> list[tuple[str, str, str, Name | None, BaseGeometry]]:
    """Coloured ground: (short kind for the map, OSM key, OSM value, name, shape)."""
    land = content.land
    found: list[tuple[str, str, str, Name | None, BaseGeometry]] = []
    for hill in land.hills:
        found.append(("wood", "natural", "wood", None, hill))
    kinds = {
        "park": ("park", "leisure", "park"), "green": ("park", "landuse", "grass"),
        "school": ("school", "landuse", "education"),
        "industry": ("industry", "landuse", "industrial"), "shops": ("shops", "landuse", "commercial"),
        "farm": ("farm", "landuse", "farmland"), "village": ("farm", "landuse", "farmland"),
        "homes": ("homes", "landuse", "residential"),
    }  # fmt: skip
    for block in content.blocks:
        name = Name(block.name.zh + "公园", block.name.en + " Park") if block.use == "park" else None
        found.append((*kinds[block.use], name, block.ground))
    found.append(("beach", "natural", "beach", None, land.beach))
    lake = shapely.intersection(land.water, land.lake)
    found.append(("water", "natural", "water", names.LAKE, lake))
    found.append(("water", "natural", "water", names.RIVER, shapely.difference(land.water, land.lake)))
    return found


def bounds() -> tuple[float, float, float, float]:
    """West, south, east, north of the city in degrees; only the coastline runs a little beyond."""
    (west, south), (east, north) = to_lon_lat(np.array(FRAME.bounds).reshape(2, 2)).tolist()
    return west, south, east, north


class _Osm:
    """Gathers nodes, ways and relations, then writes them in the order that readers expect."""

    def __init__(self, network: Network) -> None:
        self.pieces: list[Line] = [network.positions]
        self.count = len(network.positions)
        self.node_tags = dict(network.node_tags)
        self.ways: list[tuple[list[int], dict[str, str]]] = []
        self.relations: list[tuple[list[tuple[str, int, str]], dict[str, str]]] = []

    def nodes(self, line: Line) -> list[int]:
        first = self.count
        self.pieces.append(line)
        self.count += len(line)
        return list(range(first, self.count))

    def way(self, nodes: list[int], tags: dict[str, str]) -> int:
        self.ways.append((nodes, tags))
        return len(self.ways) - 1

    def area(self, shape: BaseGeometry, tags: dict[str, str]) -> None:
        """Closed ways; a multipolygon relation where the shape has holes."""
        for part in shapely.get_parts(shape):
            if part.geom_type != "Polygon" or part.area < 1:
                continue
            rings = [part.exterior, *part.interiors]
            ids = [self._ring(ring, tags if len(rings) == 1 else {}) for ring in rings]
            if len(rings) > 1:
                members = [("w", way, "inner" if k else "outer") for k, way in enumerate(ids)]
                self.relations.append((members, {"type": "multipolygon", **tags}))

    def _ring(self, ring: shapely.LinearRing, tags: dict[str, str]) -> int:
        nodes = self.nodes(np.asarray(ring.coords)[:-1])
        return self.way([*nodes, nodes[0]], tags)

    def write(self, path: Path) -> None:
        """Ids count from 1 in each kind. The header holds the box, without which a map stays blank."""
        header = osmium.io.Header()
        header.set("generator", "paidan demo city")
        header.add_box(osmium.osm.Box(*bounds()))
        with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
            for index, place in enumerate(to_lon_lat(np.vstack(self.pieces)).tolist()):
                writer.add_node(
                    Node(id=index + 1, version=1, location=place, tags=self.node_tags.get(index, {}))
                )
            for index, (nodes, tags) in enumerate(self.ways):
                writer.add_way(OsmWay(id=index + 1, version=1, nodes=[n + 1 for n in nodes], tags=tags))
            for index, (members, tags) in enumerate(self.relations):
                numbered = [(kind, member + 1, role) for kind, member, role in members]
                writer.add_relation(Relation(id=index + 1, version=1, members=numbered, tags=tags))


def named(name: Name | None) -> dict[str, str]:
    return {} if name is None else {"name": name.zh, "name:zh": name.zh, "name:en": name.en}


def write_pbf(content: Content, path: Path) -> None:
    osm = _Osm(content.network)
    for way in content.network.ways:
        osm.way(list(way.nodes), {**_way_kind(way), **named(way.name), **way.tags})
    for rule in content.restrictions:
        via = ("w", rule.via_way) if rule.via_way is not None else ("n", rule.via_node or 0)
        members = [("w", rule.from_way, "from"), (*via, "via"), ("w", rule.to_way, "to")]
        tags = {"type": "restriction", **dict(rule.tags)}
        if "restriction:conditional" not in tags:
            tags["restriction"] = rule.kind
        osm.relations.append((members, tags))
    for _, key, value, name, shape in areas_of(content):
        osm.area(shape, {key: value, **named(name)})
    coast = shapely.intersection(content.land.coast, FRAME.buffer(400))
    for part in shapely.get_parts(coast):
        osm.way(osm.nodes(np.asarray(part.coords)), {"natural": "coastline"})
    osm.area(shapely.orient_polygons(content.land.island), {"natural": "coastline", **named(names.ISLAND)})
    osm.way(osm.nodes(np.asarray(content.land.river.coords)), {"waterway": "river", **named(names.RIVER)})
    for building in content.buildings:
        nodes = osm.nodes(building.corners)
        osm.way([*nodes, nodes[0]], {"building": "yes", **named(building.house), **_address(building)})
    for place in content.places:
        node = osm.nodes(np.array([place.spot]))[0]
        district = {"addr:city": names.CITY_ZH, "addr:district": place.district.zh}
        osm.node_tags[node] = {place.key: place.value, **named(place.name), **district}
    centre = osm.nodes(np.array([[150.0, 300.0]]))[0]
    osm.node_tags[centre] = {"place": "city", **named(Name(names.CITY_ZH, names.CITY_EN))}
    for name, shape in content.districts:
        spot = shape.point_on_surface()
        node = osm.nodes(np.array([[spot.x, spot.y]]))[0]
        osm.node_tags[node] = {"place": "suburb", **named(name)}
    osm.write(path)


def _way_kind(way: Way) -> dict[str, str]:
    if way.kind == "ferry":
        return {"route": "ferry"}
    return {"railway": "rail"} if way.kind == "rail" else {"highway": way.kind}


def _address(building: Building) -> dict[str, str]:
    return {
        "addr:city": names.CITY_ZH,
        "addr:city:en": names.CITY_EN,
        "addr:district": building.district.zh,
        "addr:district:en": building.district.en,
        "addr:street": building.street.zh,
        "addr:street:en": building.street.en,
        "addr:housenumber": f"{building.number}号",
    }


def write_roads(content: Content, path: Path) -> None:
    """Lines by class (`c`) with names (`n`, `e`), bridges (`b`: 1) and one-ways (`o`: 1 along, -1
    against)."""
    features = []
    for way in content.network.ways:
        line = shapely.simplify(shapely.LineString(content.network.positions[way.nodes]), 2.0)
        properties: dict[str, Any] = {"c": way.kind}
        if way.name is not None:
            properties |= {"n": way.name.zh, "e": way.name.en}
        if "bridge" in way.tags:
            properties["b"] = 1
        if "oneway" in way.tags:
            properties["o"] = -1 if way.tags["oneway"] == "-1" else 1
        features.append(_feature("LineString", _degrees(line.coords), properties))
    _write_features(path, features)


def write_areas(content: Content, path: Path) -> None:
    """Sea, water, parks, woods and built-up ground for the base map; `k` is the kind, `n` and `e` the
    names."""
    features = [_area("sea", names.BAY, content.land.sea)]
    features += [_area(kind, name, shape) for kind, _, _, name, shape in areas_of(content)]
    _write_features(path, [feature for feature in features if feature["geometry"]["coordinates"]])


def write_buildings(content: Content, path: Path) -> None:
    features = []
    corners = _degrees(np.vstack([building.corners for building in content.buildings]))
    for index, building in enumerate(content.buildings):
        ring = corners[4 * index : 4 * index + 4]
        features.append(_feature("Polygon", [[*ring, ring[0]]], {"h": f"{building.number}"}))
    _write_features(path, features)


def write_addresses(content: Content, path: Path) -> None:
    """A list of {id, zh, en, district_zh, district_en, lon, lat}: every building's door, then the named
    places."""
    rows = []
    spots = _degrees([one.door for one in content.buildings] + [one.spot for one in content.places])
    for number, building in enumerate(content.buildings):
        rows.append(_address_row(f"b{number + 1}", building.text(), building.district, spots[number]))
    for number, place in enumerate(content.places):
        zh = f"{names.CITY_ZH}{place.district.zh}{place.name.zh}"
        text = Name(zh, f"{place.name.en}, {place.district.en} District, {names.CITY_EN}")
        rows.append(
            _address_row(f"p{number + 1}", text, place.district, spots[len(content.buildings) + number])
        )
    path.write_text(_lines("[", (_compact(row) for row in rows), "]"), encoding="utf-8")


def _address_row(key: str, text: Name, district: Name, spot: list[float]) -> dict[str, Any]:
    lon, lat = spot
    return {
        "id": key, "zh": text.zh, "en": text.en, "district_zh": district.zh, "district_en": district.en,
        "lon": lon, "lat": lat,
    }  # fmt: skip


def write_territories(content: Content, path: Path) -> None:
    """Service areas: the districts, as polygons named in both languages, coded T1 to T6."""
    features = []
    for number, (name, shape) in enumerate(content.districts):
        properties = {"code": f"T{number + 1}", "n": name.zh, "e": name.en}
        features.append(_feature("MultiPolygon", _polygons(shape, 5.0), properties))
    _write_features(path, features)


def _area(kind: str, name: Name | None, shape: BaseGeometry) -> dict[str, Any]:
    properties: dict[str, Any] = {"k": kind}
    if name is not None:
        properties |= {"n": name.zh, "e": name.en}
    return _feature("MultiPolygon", _polygons(shape, 4.0), properties)


def _polygons(shape: BaseGeometry, tolerance_m: float) -> list[Any]:
    parts = [p for p in shapely.get_parts(shapely.simplify(shape, tolerance_m)) if p.geom_type == "Polygon"]
    return [[_degrees(ring.coords) for ring in (p.exterior, *p.interiors)] for p in parts if p.area > 50]


def _degrees(line: object) -> list[list[float]]:
    """To 1e-5 degrees, one metre: enough to draw."""
    rounded: list[list[float]] = np.round(to_lon_lat(np.asarray(line)), 5).tolist()
    return rounded


def _feature(kind: str, coordinates: list[Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": kind, "coordinates": coordinates},
    }


def _write_features(path: Path, features: list[dict[str, Any]]) -> None:
    opening = f'{{"type":"FeatureCollection","attribution":{_compact(ATTRIBUTION)},"features":['
    path.write_text(_lines(opening, (_compact(f) for f in features), "]}"), encoding="utf-8")


def _lines(opening: str, items: Iterable[str], closing: str) -> str:
    return opening + "\n" + ",\n".join(items) + "\n" + closing + "\n"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
