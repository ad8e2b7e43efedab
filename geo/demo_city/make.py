"""One call makes all files of the demo city."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import shapely

from geo.demo_city import addresses, blocks, extras, network, plan, rules, write
from geo.points import Point


@dataclass(frozen=True, slots=True)
class City:
    """Where the files lie, and the box (west, south, east, north) and centre of the city in WGS-84 degrees.

    pbf is for `geo.roads`; roads, areas and buildings are GeoJSON for the map; addresses is a JSON list of
    {id, zh, en, district_zh, district_en, lon, lat}; territories is GeoJSON of six named service areas.
    """

    pbf: Path
    roads: Path
    areas: Path
    buildings: Path
    addresses: Path
    territories: Path
    bounds: tuple[float, float, float, float]
    centre: Point


def make_city(out_dir: Path | str, seed: int = 7) -> City:
    """Write the city into out_dir (made if missing); the same seed gives the same bytes.

    Takes about 10 s of one core. Raises OSError where the folder cannot be written.
    """
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    content = _compose(random.Random(seed))
    city = city_in(folder)
    write.write_pbf(content, city.pbf)
    write.write_roads(content, city.roads)
    write.write_areas(content, city.areas)
    write.write_buildings(content, city.buildings)
    write.write_addresses(content, city.addresses)
    write.write_territories(content, city.territories)
    return city


def city_in(folder: Path) -> City:
    """The files of a city made in this folder."""
    return City(
        pbf=folder / "demo-city.osm.pbf",
        roads=folder / "roads.geojson",
        areas=folder / "areas.geojson",
        buildings=folder / "buildings.geojson",
        addresses=folder / "addresses.json",
        territories=folder / "territories.geojson",
        bounds=write.bounds(),
        centre=Point(plan.CENTRE_LON, plan.CENTRE_LAT),
    )


def _compose(rnd: random.Random) -> write.Content:
    land = plan.make_land()
    main = plan.main_roads(land)
    streets, city_blocks = blocks.cut_into_blocks(land, main, rnd)
    island_roads, island_block = extras.island(land, main, rnd)
    small = [road for block in city_blocks for road in blocks.lanes(block, rnd)]
    ways = [
        *main,
        *streets,
        *small,
        *island_roads,
        *extras.paths(land, city_blocks, rnd),
        *extras.hill_road(land),
    ]
    water = shapely.union_all([land.water, land.sea])
    joined = network.join(extras.with_roundabouts(ways, main), water)
    roads = network.keep_reachable(joined)
    rules.add_signals(roads, rnd)
    restrictions = rules.add_restrictions(roads, rnd)
    city_blocks.append(island_block)
    districts = addresses.districts(land, main)
    blocked = shapely.union_all([land.water, land.sea, *land.hills])
    return write.Content(
        land=land,
        network=roads,
        restrictions=restrictions,
        blocks=city_blocks,
        buildings=addresses.buildings(roads, city_blocks, districts, blocked, rnd),
        places=addresses.places(city_blocks, districts, rnd),
        districts=districts,
    )
