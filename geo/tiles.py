"""A base map from an OSM extract: vector tiles with Chinese and English names in one PMTiles file, made
offline."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import osmium
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geo.mvt import EXTENT, Properties, encode_tile
from geo.pmtiles import write_pmtiles
from geo.points import GeoError

MIN_ZOOM: Final = 6
MAX_ZOOM: Final = 14
MAX_TILES: Final = 40_000
"""About 300 × 300 km at zoom 14. A larger extract is refused: this code is for cities and provinces'
parts."""
_BUFFER: Final = 64
_PIXEL: Final = EXTENT / 512

_ROADS: Final = {
    "motorway": 6, "trunk": 7, "primary": 8, "secondary": 10,
    "tertiary": 11, "unclassified": 12, "residential": 12,
    "living_street": 13, "pedestrian": 13, "service": 14, "footway": 14, "cycleway": 14,
    "path": 14, "steps": 14,
    "track": 13, "motorway_link": 11, "trunk_link": 11, "primary_link": 12,
    "secondary_link": 13, "tertiary_link": 13,
}  # fmt: skip
"""The zoom from which a class of road is drawn."""
_GROUND: Final = {
    ("natural", "water"): "water", ("waterway", "riverbank"): "water",
    ("natural", "wood"): "wood", ("landuse", "forest"): "wood",
    ("natural", "beach"): "beach",
    ("leisure", "park"): "park", ("leisure", "garden"): "park",
    ("landuse", "grass"): "park",
    ("landuse", "residential"): "homes", ("landuse", "industrial"): "industry",
    ("landuse", "commercial"): "shops", ("landuse", "retail"): "shops",
    ("landuse", "farmland"): "farm", ("landuse", "meadow"): "farm",
    ("landuse", "education"): "school", ("amenity", "school"): "school",
    ("amenity", "university"): "school",
}  # fmt: skip
_STREAMS: Final = {"river": 8, "canal": 10, "stream": 13}
_PLACES: Final = {"city": 6, "town": 8, "suburb": 10, "village": 11, "neighbourhood": 12}
_KEYS: Final = (
    "highway", "railway", "route", "natural", "waterway", "landuse", "leisure",
    "amenity", "building", "place",
)  # fmt: skip
LAYERS: Final = ("areas", "buildings", "roads", "places")


@dataclass(frozen=True, slots=True)
class TileSet:
    """What was made: bounds are west, south, east, north in degrees."""

    path: Path
    tiles: int
    size_bytes: int
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Feature:
    layer: str
    shape: BaseGeometry
    properties: Properties
    min_zoom: int


def make_tiles(sources: Sequence[Path], out: Path) -> TileSet:
    """Write the base map of one or more extracts, zooms MIN_ZOOM to MAX_ZOOM.

    Layers: areas (k, the kind), buildings, roads and streams (c, the class; bridge, oneway) and places (k), all with
    n, the name, and e, the English one, where known: the words of the demo city's GeoJSON layers, so that one style draws
    both. Raises GeoError pbf_unreadable, tiles_empty (nothing to draw), tiles_too_many.
    """
    names = ", ".join(path.name for path in sources)
    features, bounds = _read_all(sources)
    features.sort(key=_height)
    if not features:
        raise GeoError("tiles_empty", {"file": names})
    count = _tiles_across(bounds, MAX_ZOOM)
    if count > MAX_TILES:
        raise GeoError("tiles_too_many", {"file": names, "tiles": count, "limit": MAX_TILES})
    world = shapely.transform([feature.shape for feature in features], _mercator)
    tiles: dict[tuple[int, int, int], bytes] = {}
    for zoom in range(MIN_ZOOM, MAX_ZOOM + 1):
        for (x, y), content in _cut(features, world, zoom):
            if content:
                tiles[zoom, x, y] = content
    fields = {**dict.fromkeys(("n", "e", "k", "c"), "String"), "bridge": "Number", "oneway": "Number"}
    layers = [{"id": layer, "fields": fields, "minzoom": MIN_ZOOM, "maxzoom": MAX_ZOOM} for layer in LAYERS]
    write_pmtiles(out, tiles, bounds, {"name": names, "vector_layers": layers})
    return TileSet(out, len(tiles), out.stat().st_size, bounds)


def _height(feature: _Feature) -> int:
    """Towns and fields lie under parks and woods, those under water."""
    kind = feature.properties.get("k")
    return 2 if kind in ("water", "sea") else 1 if kind in ("park", "wood", "beach") else 0


def _read_all(sources: Sequence[Path]) -> tuple[list[_Feature], tuple[float, float, float, float]]:
    features: list[_Feature] = []
    boxes = []
    for pbf in sources:
        found, bounds = _read(pbf)
        features += found
        boxes += [bounds] if found else []
    if not boxes:
        return [], (0.0, 0.0, 0.0, 0.0)
    west, south, east, north = zip(*boxes, strict=True)
    return features, (min(west), min(south), max(east), max(north))


def _read(pbf: Path) -> tuple[list[_Feature], tuple[float, float, float, float]]:
    features: list[_Feature] = []
    coast: list[BaseGeometry] = []
    wkb = osmium.geom.WKBFactory()
    try:
        processor = osmium.FileProcessor(str(pbf)).with_areas(osmium.filter.KeyFilter(*_KEYS))
        for thing in processor.with_filter(osmium.filter.KeyFilter(*_KEYS)):
            tags = {tag.k: tag.v for tag in thing.tags}
            if isinstance(thing, osmium.osm.Node):
                if "place" in tags and "name" in tags:
                    features += _place(tags, shapely.Point(thing.lon, thing.lat))
            elif isinstance(thing, osmium.osm.Area):
                features += _ground(tags, shape) if (shape := _shape(wkb.create_multipolygon, thing)) else []
            elif isinstance(thing, osmium.osm.Way) and (shape := _shape(wkb.create_linestring, thing)):
                if tags.get("natural") == "coastline":
                    coast.append(shape)
                else:
                    features += _road(tags, shape)
    except (RuntimeError, OSError) as error:
        raise GeoError("pbf_unreadable", {"file": pbf.name, "reason": str(error)[:200]}) from error
    if not features:
        return [], (0.0, 0.0, 0.0, 0.0)
    bounds = _header_bounds(pbf) or tuple(
        shapely.total_bounds([feature.shape for feature in features]).tolist()
    )
    features += [_Feature("areas", sea, {"k": "sea"}, MIN_ZOOM) for sea in _sea(coast, shapely.box(*bounds))]
    return features, bounds


def _header_bounds(pbf: Path) -> tuple[float, float, float, float] | None:
    """The box that the extract was cut to; some extracts do not tell."""
    with osmium.io.Reader(str(pbf)) as reader:
        box = reader.header().box()
    if not box.valid() or box.size() <= 0:
        return None
    return box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat


def _shape(create: Callable[[Any], str], thing: object) -> BaseGeometry | None:
    """None for what is no shape, such as a ring that crosses itself: maps are full of them, and they
    are left out."""
    try:
        return shapely.from_wkb(create(thing))
    except (RuntimeError, osmium.InvalidLocationError):
        return None


def _named(tags: dict[str, str]) -> dict[str, str | int]:
    names = {"n": tags.get("name"), "e": tags.get("name:en")}
    return {key: name for key, name in names.items() if name}


def _place(tags: dict[str, str], spot: BaseGeometry) -> list[_Feature]:
    zoom = _PLACES.get(tags["place"])
    return [] if zoom is None else [_Feature("places", spot, {"k": tags["place"], **_named(tags)}, zoom)]


def _ground(tags: dict[str, str], shape: BaseGeometry) -> list[_Feature]:
    if "building" in tags:
        return [_Feature("buildings", shape, {}, 14)]
    for (key, value), kind in _GROUND.items():
        if tags.get(key) == value:
            return [_Feature("areas", shape, {"k": kind, **_named(tags)}, 7 if kind == "water" else 8)]
    return []


def _road(tags: dict[str, str], line: BaseGeometry) -> list[_Feature]:
    if tags.get("railway") in ("rail", "light_rail", "subway"):
        kind, zoom = "rail", 9
    elif tags.get("route") == "ferry":
        kind, zoom = "ferry", 9
    elif tags.get("highway") in _ROADS:
        kind, zoom = tags["highway"], _ROADS[tags["highway"]]
    elif tags.get("waterway") in _STREAMS and tags.get("tunnel", "no") == "no":
        kind, zoom = tags["waterway"], _STREAMS[tags["waterway"]]
    else:
        return []
    properties: dict[str, str | int] = {"c": kind, **_named(tags)}
    if tags.get("bridge", "no") != "no":
        properties["bridge"] = 1
    if tags.get("oneway") in ("yes", "-1"):
        properties["oneway"] = 1 if tags["oneway"] == "yes" else -1
    return [_Feature("roads", line, properties, zoom)]


def _sea(coast: list[BaseGeometry], frame: BaseGeometry) -> list[BaseGeometry]:
    """The faces of the frame that lie to the right of the coastline nearest to them, as OSM draws it."""
    if not coast:
        return []
    points = [shapely.get_coordinates(line) for line in coast]
    segments = np.vstack([np.hstack([p[:-1], p[1:]]) for p in points])
    tree = shapely.STRtree(np.asarray(shapely.linestrings(segments.reshape(-1, 2, 2))))
    edges = shapely.union_all([*coast, *_to_the_frame(coast, frame), shapely.boundary(frame)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    found: list[BaseGeometry] = []
    for face in faces:
        inner = face.point_on_surface()
        if not frame.covers(inner):
            continue
        x1, y1, x2, y2 = segments[int(tree.nearest(inner))]
        if (x2 - x1) * (inner.y - y1) - (y2 - y1) * (inner.x - x1) < 0:
            found.append(shapely.intersection(face, frame))
    return found


def _to_the_frame(coast: list[BaseGeometry], frame: BaseGeometry) -> list[BaseGeometry]:
    """Short lines from loose ends of the coast to the frame: an extract often ends at the last node
    inside it."""
    west, south, east, north = frame.bounds
    reach = 0.05 * max(east - west, north - south)
    edge = shapely.boundary(frame)
    added: list[BaseGeometry] = []
    for line in shapely.get_parts(shapely.line_merge(shapely.union_all(coast))):
        if not shapely.is_closed(line):
            ends = [shapely.get_point(line, k) for k in (0, -1)]
            added += [
                shapely.shortest_line(end, edge) for end in ends if 0 < shapely.distance(end, edge) < reach
            ]
    return added


def _mercator(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Web Mercator, the world from 0 to 1, y down."""
    lat = np.radians(np.clip(degrees[:, 1], -85.05, 85.05))
    return np.column_stack([degrees[:, 0] / 360 + 0.5, 0.5 - np.arcsinh(np.tan(lat)) / (2 * np.pi)])


def _tiles_across(bounds: tuple[float, float, float, float], zoom: int) -> int:
    corners = _mercator(np.array([[bounds[0], bounds[3]], [bounds[2], bounds[1]]])) * 2**zoom
    across = np.floor(corners[1]) - np.floor(corners[0]) + 1
    return math.prod(int(n) for n in across)


def _cut(
    features: list[_Feature], world: NDArray[np.object_], zoom: int
) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Each tile of one zoom with its bytes. Shapes are thinned to what a pixel can show."""
    shown = np.array([k for k, feature in enumerate(features) if feature.min_zoom <= zoom], np.intp)
    if not shown.size:
        return
    scale = 2.0**zoom * EXTENT
    shapes = shapely.transform(world[shown], lambda xy: xy * scale)
    shapes = shapely.simplify(shapes, _PIXEL / (4 if zoom == MAX_ZOOM else 2))
    small = (shapely.get_dimensions(shapes) == 2) & (shapely.area(shapes) < 2 * _PIXEL**2)
    shown, shapes = shown[~small], shapes[~small]
    boxes = shapely.bounds(shapes)
    first = np.floor((boxes[:, :2] - _BUFFER) / EXTENT).astype(int)
    last = np.floor((boxes[:, 2:] + _BUFFER) / EXTENT).astype(int)
    in_tile: dict[tuple[int, int], list[int]] = {}
    for index, ((x1, y1), (x2, y2)) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for x in range(max(0, x1), min(2**zoom - 1, x2) + 1):
            for y in range(max(0, y1), min(2**zoom - 1, y2) + 1):
                in_tile.setdefault((x, y), []).append(index)
    for (x, y), members in in_tile.items():
        left, top = x * EXTENT, y * EXTENT
        frame = (left - _BUFFER, top - _BUFFER, left + EXTENT + _BUFFER, top + EXTENT + _BUFFER)
        pieces = shapely.clip_by_rect(shapes[members], *frame)
        pieces = _moved(pieces, left, top)
        layers: dict[str, list[tuple[BaseGeometry, Properties]]] = {layer: [] for layer in LAYERS}
        for member, piece in zip(members, pieces, strict=True):
            feature = features[shown[member]]
            layers[feature.layer].append((piece, feature.properties))
        yield (x, y), encode_tile(layers)


def _moved(shapes: NDArray[np.object_], left: int, top: int) -> NDArray[np.object_]:
    return np.asarray(shapely.transform(shapes, lambda xy: xy - (left, top)))
