"""Whatever is wrong with a file or a point is said with a code, and nothing half-made is left behind."""

from __future__ import annotations

import multiprocessing
import struct
from pathlib import Path

import numpy as np
import osmium
import pytest

from geo.points import Point, PointError
from geo.roads import files, open_roads
from geo.roads.__main__ import main
from geo.roads.errors import RoadsError, RoadsFileError, TooFarFromRoad
from geo.roads.imports import import_roads
from geo.roads.roads import Roads
from tests.roads_maps import Map, place, random_town


@pytest.fixture(scope="module")
def pbf(tmp_path_factory) -> Path:
    return random_town(2).write(tmp_path_factory.mktemp("pbf") / "town.osm.pbf")


@pytest.fixture(scope="module")
def roads(pbf) -> Roads:
    import_roads([pbf], pbf.parent / "roads")
    return open_roads(pbf.parent / "roads")


@pytest.fixture
def copy(pbf, roads, tmp_path) -> Path:
    """A road file of one's own to spoil."""
    (tmp_path / files.FILE_NAME).write_bytes((pbf.parent / "roads" / files.FILE_NAME).read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "pbf_missing"), (b"", "pbf_unreadable"), (b"not a map at all" * 50, "pbf_unreadable")],
)
def test_a_file_that_is_no_map_is_refused(tmp_path, content, code):
    path = tmp_path / "x.osm.pbf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RoadsFileError) as refused:
        import_roads([path], tmp_path / "roads")
    assert refused.value.code == code
    assert refused.value.facts["file"] == str(path)
    assert not (tmp_path / "roads").exists()


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_map_is_refused_wherever_it_was_cut(pbf, tmp_path, share):
    whole = pbf.read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RoadsFileError) as refused:
        import_roads([cut], tmp_path / "roads")
    assert refused.value.code in ("pbf_unreadable", "pbf_without_roads")


def test_a_map_without_bounds_in_its_header_is_imported_by_where_its_roads_are(pbf, roads):
    assert not osmium.io.Reader(str(pbf)).header().box().valid()
    west, south, east, north = roads.facts["bounds"]
    assert west < place(100, 100)[0] < east
    assert south < place(100, 100)[1] < north


def test_a_map_without_roads_is_refused(tmp_path):
    town = Map()
    town.node("a", 0, 0)
    town.node("b", 9, 9)
    town.way("wall", "a b", barrier="wall")
    with pytest.raises(RoadsFileError, match="pbf_without_roads"):
        import_roads([town.write(tmp_path / "x.osm.pbf")], tmp_path / "roads")


def test_a_map_for_walkers_only_has_no_cars_and_says_so(tmp_path):
    town = Map()
    town.node("a", 0, 0)
    town.node("b", 300, 0)
    town.way("path", "a b", highway="footway")
    import_roads([town.write(tmp_path / "x.osm.pbf")], tmp_path / "roads")
    walks = open_roads(tmp_path / "roads")
    assert "car" not in walks.modes
    assert walks.matrix([place(0, 0), place(300, 0)], "foot").metres[0, 1] == 300
    with pytest.raises(RoadsError) as refused:
        walks.matrix([place(0, 0)], "car")
    assert refused.value.code == "mode_unknown"


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ((float("nan"), 28.0), "point_not_a_number"),
        ((113.0, float("inf")), "point_not_a_number"),
        ((28.0, 113.0), "point_swapped"),
        ((181.0, 28.0), "point_out_of_range"),
    ],
)
def test_a_point_that_is_none_is_named_by_its_index(roads, point, code):
    with pytest.raises(PointError) as refused:
        roads.matrix([place(100, 100), point])
    assert refused.value.code == code
    assert refused.value.facts["index"] == 1


def test_points_of_another_shape_are_refused(roads):
    for points in ([(1.0, 2.0, 3.0)], [(1.0,)], [("x", "y")], [(1.0, 2.0), (1.0,)], np.zeros(4)):
        with pytest.raises(RoadsError) as refused:
            roads.matrix(points)
        assert refused.value.code == "points_malformed"


def test_a_point_far_from_any_road_is_named_with_how_far(roads):
    with pytest.raises(TooFarFromRoad) as refused:
        roads.matrix([place(100, 100), place(-3000, 100), place(-9000, 0)])
    facts = refused.value.facts
    assert (facts["index"], facts["limit_m"], facts["swapped"], facts["mode"]) == (1, 1000.0, False, "car")
    assert 2000 < facts["nearest_m"] < 3500
    with pytest.raises(TooFarFromRoad) as nowhere:
        roads.route(place(100, 100), Point(10.0, 50.0))
    assert nowhere.value.facts["nearest_m"] is None


def test_swapped_numbers_are_recognised_where_the_range_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.roads_maps.LON0", 9.5)
    monkeypatch.setattr("tests.roads_maps.LAT0", 47.1)
    import_roads([random_town(1, 6).write(tmp_path / "x.osm.pbf")], tmp_path / "roads")
    with pytest.raises(TooFarFromRoad) as refused:
        open_roads(tmp_path / "roads").matrix([(47.101, 9.501)])
    assert refused.value.facts["swapped"] is True


def test_a_matrix_of_nothing_or_of_20000_points_is_refused_before_any_work(roads):
    for count, code in ((0, "matrix_empty"), (20_000, "matrix_too_large")):
        points = np.tile(place(100, 100), (count, 1))
        with pytest.raises(RoadsError) as refused:
            roads.matrix(points)
        assert refused.value.code == code


def test_hours_seconds_and_modes_out_of_range_are_refused(roads):
    here = place(100, 100)
    for hour in (-1, 24, 1.5, True):
        with pytest.raises(RoadsError, match="hour_out_of_range"):
            roads.matrix([here], "car", hour)
    for seconds in (0, -5, 10**6):
        with pytest.raises(RoadsError, match="seconds_out_of_range"):
            roads.isochrone(here, seconds)
    with pytest.raises(RoadsError, match="mode_unknown"):
        roads.route(here, here, "boat")


def test_a_missing_road_file_is_said(tmp_path):
    with pytest.raises(RoadsFileError, match="roads_missing"):
        open_roads(tmp_path)


@pytest.mark.parametrize("at", [0, 9, 200, -100])
def test_one_changed_byte_is_found(copy, at):
    path = copy / files.FILE_NAME
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(RoadsFileError) as refused:
        open_roads(copy)
    assert refused.value.code in ("roads_damaged", "roads_version_unknown")


def test_a_road_file_cut_short_is_damaged(copy):
    path = copy / files.FILE_NAME
    for length in (3, 100, path.stat().st_size // 2):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(RoadsFileError, match="roads_damaged"):
            open_roads(copy)


def test_a_road_file_of_another_version_is_not_read(copy):
    path = copy / files.FILE_NAME
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 8, files.VERSION + 1)
    path.write_bytes(content)
    with pytest.raises(RoadsFileError) as refused:
        open_roads(copy)
    assert refused.value.code == "roads_version_unknown"
    assert refused.value.facts["known"] == files.VERSION


def test_a_failed_write_leaves_the_old_roads_in_place(copy, monkeypatch):
    before = (copy / files.FILE_NAME).read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_roads(copy, {}, {"x": np.arange(3)})
    assert (copy / files.FILE_NAME).read_bytes() == before
    assert [p.name for p in copy.iterdir()] == [files.FILE_NAME]


def test_an_open_network_outlives_the_import_of_another(copy, tmp_path):
    opened = open_roads(copy)
    before = opened.matrix([place(100, 100), place(900, 900)]).seconds
    import_roads([random_town(9).write(tmp_path / "other.osm.pbf")], copy)
    assert (opened.matrix([place(100, 100), place(900, 900)], "car", 3).seconds == before).all()


def _seconds(folder: str) -> int:
    return int(open_roads(folder).matrix([place(100, 100), place(900, 900)]).seconds[0, 1])


def test_processes_share_one_file_and_its_arrays_cannot_be_written(roads, pbf):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.map(_seconds, [str(pbf.parent / "roads")] * 2)
    assert answers == [_seconds(str(pbf.parent / "roads"))] * 2
    assert not any(array.flags.writeable for array in roads._file.arrays.values() if array.size)


def test_the_command_imports_with_progress_and_tells_what_is_wrong(pbf, tmp_path, capsys):
    assert main(["import", str(pbf), "--into", str(tmp_path / "roads"), "--country", "gb"]) == 0
    told = capsys.readouterr().out
    assert "contracting car" in told
    assert "100%" in told
    assert "country GB" in told
    assert open_roads(tmp_path / "roads").facts["left_hand"] is True
    assert main(["import", str(tmp_path / "absent.osm.pbf"), "--into", str(tmp_path / "roads")]) == 2
    assert "pbf_missing" in capsys.readouterr().err
