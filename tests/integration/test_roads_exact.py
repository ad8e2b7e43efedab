"""The matrices against an independent Dijkstra, and everything else against the matrices."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shapely import Point as ShapelyPoint
from shapely.geometry import shape

from geo.points import distances_m
from geo.roads import cch, open_roads
from geo.roads import kernels_cch as kernels
from geo.roads.errors import RoadsError
from geo.roads.imports import import_roads
from geo.roads.matrix import UNREACHABLE, Matrix
from geo.roads.roads import Roads
from tests.roads_maps import random_town
from tests.roads_reference import Reference


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> tuple[Path, Roads]:
    folder = tmp_path_factory.mktemp("town")
    path = random_town(7, blocks=20).write(folder / "town.osm.pbf")
    import_roads([path], folder / "roads", "CN")
    return path, open_roads(folder / "roads")


def places(roads: Roads, mode: str, count: int, seed: int = 1) -> np.ndarray:
    """Points a few metres off roads of the mode, anywhere along them."""
    rng, network = np.random.default_rng(seed), roads._network(mode)
    fit = np.flatnonzero(network.may_stop)
    segment = rng.choice(fit, count, p=network.seg_m[fit] / network.seg_m[fit].sum())
    share = rng.random(count)
    lon, lat = (
        x[segment, 0] + (x[segment, 1] - x[segment, 0]) * share for x in (network.seg_lon, network.seg_lat)
    )
    return np.column_stack((lon, lat)) + rng.normal(0, 5e-5, (count, 2))


def differences(path: Path, roads: Roads, mode: str, hour: int | None, origins: int, targets: int) -> int:
    a, b = places(roads, mode, origins), places(roads, mode, targets, 2)
    reference = Reference([path], mode, hour, roads.facts["country"])
    seconds, metres = reference.costs(roads, roads.snap(a, mode), roads.snap(b, mode))
    table = roads.matrix(a, mode, hour, to=b)
    assert (seconds >= 0).mean() > 0.9
    return int((np.where(seconds < 0, UNREACHABLE, seconds) != table.seconds).sum()) + int(
        (np.where(metres < 0, UNREACHABLE, metres) != table.metres).sum()
    )


@pytest.mark.parametrize(
    ("mode", "hour"), [("car", 8), ("car", None), ("ebike", 8), ("bicycle", 3), ("foot", 8)]
)
def test_20_times_2000_pairs_equal_an_independent_dijkstra(town, mode, hour):
    assert differences(*town, mode, hour, 20, 2000) == 0


@pytest.mark.parametrize("seed", range(3))
def test_other_towns_are_exact_too(tmp_path, seed):
    path = random_town(seed).write(tmp_path / "town.osm.pbf")
    import_roads([path], tmp_path / "roads", "GB")
    roads = open_roads(tmp_path / "roads")
    for mode in ("car", "ebike", "foot"):
        assert differences(path, roads, mode, 18, 10, 200) == 0


COMPILED = """
import sys
from pathlib import Path
import numpy as np
from geo.roads import kernels_cch, kernels_graph, kernels_match, kernels_order, kernels_search, open_roads
from geo.roads.imports import import_roads
from geo.roads.warm_up import warm_up

def signatures():
    modules = (kernels_cch, kernels_graph, kernels_match, kernels_order, kernels_search)
    loops = {(m.__name__, n): f for m in modules for n, f in vars(m).items() if hasattr(f, "signatures")}
    return {(key, str(one)) for key, loop in loops.items() for one in loop.signatures}

warm_up()
warm = signatures()
pbf, folder = Path(sys.argv[1]), Path(sys.argv[2])
import_roads([pbf], folder)
roads = open_roads(folder)
line = roads.route((113.001, 28.001), (113.012, 28.013), "car", 8).geometry
for mode in roads.modes:
    roads.matrix(line, mode, 8)
    roads.live_matrix(line[:3], mode, 8).move(0, tuple(line[-1]))
    roads.nearest(line, 3, mode, 8)
    roads.isochrone(tuple(line[0]), 300, mode, 8, towards=True)
    roads.match(line, mode)
print(len(warm), sorted(signatures() - warm))
"""


def test_what_the_set_up_compiles_is_all_that_a_first_start_needs(town, tmp_path):
    path, _ = town
    done = subprocess.run(
        [sys.executable, "-c", COMPILED, str(path), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    count, missing = done.stdout.split(" ", 1)
    assert (int(count) >= 10, missing.strip()) == (True, "[]"), done.stderr


def test_sabotage_a_hierarchy_without_its_shortcuts_is_found_out(town, monkeypatch):
    monkeypatch.setattr(kernels, "customize", lambda *_: None)
    path, roads = town
    assert differences(path, Roads(path.parent / "roads"), "car", 8, 5, 200) > 0
    assert roads.modes == ("car", "ebike", "bicycle", "foot")


def test_sabotage_a_forgotten_turn_cost_is_found_out(town, monkeypatch):
    path, _ = town
    fresh = Roads(path.parent / "roads")
    network = fresh._network("car")
    network.turn_ms = np.where(network.turn_ms == 7000, 0, network.turn_ms)
    assert differences(path, fresh, "car", 8, 5, 200) > 0


def test_routes_are_as_fast_and_long_as_the_matrix_says_and_their_line_is_as_long(town):
    _, roads = town
    for mode in ("car", "foot"):
        points = places(roads, mode, 60)
        table = roads.matrix(points, mode, 8)
        for i in range(59):
            a, b = tuple(points[i]), tuple(points[i + 1])
            if table.seconds[i, i + 1] == UNREACHABLE:
                with pytest.raises(RoadsError, match="no_route"):
                    roads.route(a, b, mode, 8)
                continue
            route = roads.route(a, b, mode, 8)
            assert (route.seconds, route.metres) == (table.seconds[i, i + 1], table.metres[i, i + 1])
            line = route.geometry
            length = distances_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1]).sum()
            assert length == pytest.approx(route.metres, abs=0.05 * len(line) + 1.5)
            assert sum(s.metres for s in route.steps) == pytest.approx(route.metres, abs=len(route.steps))
            assert sum(s.seconds for s in route.steps) == pytest.approx(route.seconds, abs=len(route.steps))
            assert (route.steps[0].kind, route.steps[-1].kind) == ("depart", "arrive")


def test_a_large_matrix_made_in_blocks_equals_its_rows_asked_one_by_one(town):
    _, roads = town
    points = places(roads, "car", 530)
    whole = roads.matrix(points, "car", 8)
    for row in (0, 255, 256, 511, 512, 529):
        alone = roads.matrix(points[row : row + 1], "car", 8, to=points)
        assert (alone.seconds[0] == whole.seconds[row]).all()
        assert (alone.metres[0] == whole.metres[row]).all()


def test_the_nearest_few_are_the_least_of_the_whole_matrix(town):
    _, roads = town
    points = places(roads, "car", 300)
    whole = roads.matrix(points, "car", 8).seconds.copy()
    np.fill_diagonal(whole, np.iinfo(np.int32).max)
    few = roads.nearest(points, 12, "car", 8)
    assert (few.seconds == np.sort(whole, axis=1)[:, :12]).all()
    assert (np.take_along_axis(whole, few.index.astype(np.int64), axis=1) == few.seconds).all()
    assert roads.nearest(points[:1], 3).index.shape == (1, 0)


def test_a_live_matrix_grows_and_follows_and_stays_equal_to_one_made_anew(town):
    _, roads = town
    points = places(roads, "car", 40)
    live = roads.live_matrix(points[:20], "car", 8)
    for point in points[20:30]:
        live.append(tuple(point))
    now = points[:30].copy()
    for i in range(120):
        now[i % 30] = points[(i * 7 + 3) % 40]
        live.move(i % 30, tuple(now[i % 30]))
    anew = roads.matrix(now, "car", 8)
    assert (live.matrix.seconds == anew.seconds).all()
    assert (live.matrix.metres == anew.metres).all()


def test_the_hour_changes_cars_and_leaves_walkers_alone(town):
    _, roads = town
    points = places(roads, "car", 30)
    rush, night = roads.matrix(points, "car", 18).seconds, roads.matrix(points, "car", 3).seconds
    assert rush.sum() > 1.1 * night.sum()
    walk = places(roads, "foot", 20)
    assert (roads.matrix(walk, "foot", 18).seconds == roads.matrix(walk, "foot", 3).seconds).all()


def test_factors_from_outside_customise_the_hour_in_place(town):
    path, _ = town
    roads = Roads(path.parent / "roads")
    points = places(roads, "car", 20)
    before = roads.matrix(points, "car", 9).seconds
    roads.set_factors("car", 9, (0.25, 0.25, 0.25, 0.25))
    after = roads.matrix(points, "car", 9).seconds
    assert (after[before > 60] > 2 * before[before > 60]).mean() > 0.9
    assert (roads.matrix(points, "car", 10).seconds < after).any()
    with pytest.raises(RoadsError, match="factors_malformed"):
        roads.set_factors("car", 9, (0.0, 1, 1, 1))


def test_metrics_past_the_memory_limit_are_made_anew_and_stay_right(town, monkeypatch):
    path, roads = town
    monkeypatch.setattr("geo.roads.network.METRIC_BYTES", 1)
    tight = Roads(path.parent / "roads")
    points = places(roads, "car", 15)
    tight.prepare("car")
    for hour in (8, 18, 3, 8, 12, 18):
        assert (tight.matrix(points, "car", hour).seconds == roads.matrix(points, "car", hour).seconds).all()
    assert len(tight._network("car")._kept) <= 2


@pytest.mark.parametrize("towards", [False, True])
def test_an_isochrone_holds_what_is_within_reach_and_little_else(town, towards):
    _, roads = town
    points = places(roads, "car", 400)
    centre = tuple(points[0])
    area = shape(roads.isochrone(centre, 180, "car", 8, towards=towards))
    table: Matrix = (
        roads.matrix(points, "car", 8, to=[centre])
        if towards
        else roads.matrix([centre], "car", 8, to=points)
    )
    inside = np.array([area.contains(ShapelyPoint(*p)) for p in points])
    seconds = table.seconds.reshape(-1)
    assert area.is_valid
    assert inside[seconds <= 170].mean() > 0.98
    assert inside[seconds > 260].mean() < 0.1
    wider = shape(roads.isochrone(centre, 300, "car", 8, towards=towards))
    assert wider.area > area.area


def test_two_regions_in_two_files_become_one_network(tmp_path):
    town = random_town(3)
    names = list(town.ways)
    whole = town.write(tmp_path / "whole.osm.pbf")
    half = len(names) // 2
    parts = []
    for k, keep in enumerate((names[: half + 9], names[half:])):
        part = random_town(3)
        for name in names:
            if name not in keep:
                refs, _ = part.ways[name]
                part.ways[name] = (refs[:1], {"note": "elsewhere"})
        part.restrictions = [
            r for r in part.restrictions if all(w in keep for side in (r[1], r[3]) for w in side)
        ]
        parts.append(part.write(tmp_path / f"part{k}.osm.pbf"))
    one, two = tmp_path / "one", tmp_path / "two"
    assert import_roads([whole], one).ways == import_roads(parts, two).ways
    a, b = open_roads(one), open_roads(two)
    points = places(a, "foot", 40)
    assert (a.matrix(points, "foot").seconds == b.matrix(points, "foot").seconds).all()


def test_packed_costs_keep_time_before_length():
    packed = cch.pack(np.array([1.0, 1.0, 2.0]), np.array([5.0, 7.0, 1.0]))
    assert packed.tolist() == sorted(packed.tolist())
    assert math.log2(kernels.INFINITE) == 60
