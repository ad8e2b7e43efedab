"""Traces made from known routes, with noise, matched back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo.points import PointError, distances_m
from geo.roads import open_roads
from geo.roads.errors import RoadsError
from geo.roads.imports import import_roads
from geo.roads.profiles import CLASS_INDEX
from geo.roads.roads import Roads
from tests.roads_maps import Map, place, random_town


@pytest.fixture(scope="module")
def roads(tmp_path_factory) -> Roads:
    folder = tmp_path_factory.mktemp("town")
    import_roads([random_town(11, blocks=28).write(folder / "town.osm.pbf")], folder / "roads", "CN")
    return open_roads(folder / "roads")


def driven(roads: Roads, rng: np.random.Generator, every_s: float, sigma_m: float):
    """A route of at least 2 km, and positions along it every so many seconds, each off by a normal error."""
    network = roads._network("car")
    fit = np.flatnonzero(network.may_stop)
    while True:
        ends = network.seg_lon[rng.choice(fit, 2), 0], network.seg_lat[rng.choice(fit, 2), 0]
        a, b = ((float(ends[0][i]), float(ends[1][i])) for i in (0, 1))
        try:
            route = roads.route(a, b, "car", 8)
        except RoadsError:
            continue
        if route.metres >= 2000:
            break
    line = route.geometry
    along = np.concatenate(
        ([0], np.cumsum(distances_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])))
    )
    at = np.arange(0, along[-1], route.metres / route.seconds * every_s)
    exact = np.column_stack((np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])))
    return route, exact + rng.normal(0, sigma_m, exact.shape) / [
        111195 * np.cos(np.radians(line[0, 1])),
        111195,
    ]


def recalled_and_wrong(roads: Roads, every_s: float, sigma_m: float, trips: int = 40) -> tuple[float, float]:
    """Shares of length: of the roads driven how much was found,
    of what was found how much was never driven."""
    rng, network = np.random.default_rng(3), roads._network("car")
    true_m = found_m = wrong_m = all_m = 0.0
    for _ in range(trips):
        route, trace = driven(roads, rng, every_s, sigma_m)
        match = roads.match(trace, "car", sigma_m)
        inner, edges = set(route.edges[1:-1].tolist()), match.arcs >> 1
        true_m += sum(network.edge_m[e] for e in inner)
        found_m += sum(network.edge_m[e] for e in inner & set(edges.tolist()))
        wrong_m += float(match.metres[~np.isin(edges, route.edges)].sum())
        all_m += float(match.metres.sum())
    return found_m / true_m, wrong_m / all_m


def test_good_positions_every_5_s_give_the_roads_driven(roads):
    recalled, wrong = recalled_and_wrong(roads, 5, 8)
    assert recalled >= 0.99
    assert wrong <= 0.03


def test_poor_positions_every_15_s_still_give_most_of_them(roads):
    recalled, wrong = recalled_and_wrong(roads, 15, 25)
    assert recalled >= 0.94
    assert wrong <= 0.10


def test_sabotage_positions_moved_one_block_are_not_matched_to_the_truth(roads):
    rng = np.random.default_rng(3)
    route, trace = driven(roads, rng, 5, 8)
    moved = roads.match(trace + np.array([0.0018, 0.0]), "car", 8)
    assert np.isin(moved.arcs >> 1, route.edges).mean() < 0.5


def test_a_match_tells_ways_classes_and_order(roads):
    route, trace = driven(roads, np.random.default_rng(5), 5, 8)
    match = roads.match(trace, "car", 8)
    assert (np.diff(match.entered) >= 0).all()
    assert match.gaps == 0
    assert float(match.metres.sum()) == pytest.approx(route.metres, rel=0.03)
    assert len(match.way_osm_id) == len(match.way_class) == len(match.arcs)
    assert len(roads.match_line(match)) == len(match.arcs)
    assert match.used.sum() >= 0.5 * len(trace)


def test_an_engineer_who_stands_still_is_at_one_place(roads):
    _, trace = driven(roads, np.random.default_rng(6), 5, 1)
    rng = np.random.default_rng(1)
    still = trace[3] + rng.normal(0, 6e-5, (200, 2))
    assert float(roads.match(still, "car", 10).metres.sum()) < 150


def test_bad_traces_are_refused_by_name(roads):
    _, trace = driven(roads, np.random.default_rng(7), 5, 8)
    for bad, code in (
        (trace[:1], "trace_too_short"),
        (trace + 1.0, "trace_not_on_roads"),
        (np.zeros((3, 3)), "points_malformed"),
    ):
        with pytest.raises(RoadsError) as refused:
            roads.match(bad)
        assert refused.value.code == code
    trace[2, 0] = np.nan
    with pytest.raises(PointError) as wrong:
        roads.match(trace)
    assert wrong.value.facts["index"] == 2


def test_a_road_that_winds_back_past_itself_is_followed_lap_by_lap(tmp_path):
    """One edge, no junction: four lanes of a yard 12 m apart, driven end to end."""
    trace, network, roads = yard(tmp_path)
    match = roads.match(trace, "car", 8.0)
    assert match.gaps == 0
    assert float(match.metres.sum()) == pytest.approx(float(network.edge_m.max()), rel=0.05)


def test_sabotage_one_place_per_road_loses_the_laps(tmp_path):
    trace, network, roads = yard(tmp_path)
    network.stretches = network.snapper
    lost = roads.match(trace, "car", 8.0)
    assert abs(float(lost.metres.sum()) / float(network.edge_m.max()) - 1) > 0.05 or lost.gaps


def yard(folder: Path):
    town, lanes, names = Map(), 4, []
    for lane in range(lanes):
        for x in (0.0, 200.0) if lane % 2 == 0 else (200.0, 0.0):
            names.append(f"{lane}.{x:g}")
            town.node(names[-1], x, 12.0 * lane)
    town.way("yard", names, highway="service")
    town.node("gate", -300, 0)
    town.way("street", ["gate", names[0]], highway="residential")
    town.way("side", ["side end", names[0]], highway="residential")
    town.node("side end", 0, -300)
    import_roads([town.write(folder / "yard.osm.pbf")], folder / "roads", "CN")
    roads = open_roads(folder / "roads")
    line = np.array([place(*town.nodes[name]) for name in names])
    along = np.concatenate(
        ([0], np.cumsum(distances_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])))
    )
    at = np.arange(0, along[-1], 15.0)
    trace = np.column_stack((np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])))
    return trace + np.random.default_rng(2).normal(0, 7e-5, trace.shape), roads._network("car"), roads


def test_of_two_ways_between_poor_positions_the_quicker_is_taken(tmp_path):
    """A primary road and a lane beside it, 30 m apart, as long as each other: noise of 25 m tells neither."""
    town = Map()
    for name, x, y in (("a", -400, 0), ("b", 0, 0), ("c", 600, 0), ("d", 1000, 0)):
        town.node(name, x, y)
    town.node("b1", 5, 30)
    town.node("c1", 595, 30)
    for i, over in enumerate(("a b", "b c", "c d")):
        town.way(f"main {i}", over, highway="primary")
    town.way("lane", "b b1 c1 c", highway="service")
    import_roads([town.write(tmp_path / "two.osm.pbf")], tmp_path / "roads", "CN")
    roads, rng = open_roads(tmp_path / "roads"), np.random.default_rng(4)
    on_lane = 0
    for _ in range(20):
        trace = np.array([place(x, 0.0) for x in np.arange(-350, 950, 100.0)])
        match = roads.match(trace + rng.normal(0, 25 / 111195, trace.shape), "car", 25.0)
        on_lane += bool((match.way_class == CLASS_INDEX["service"]).any())
    assert on_lane <= 2
