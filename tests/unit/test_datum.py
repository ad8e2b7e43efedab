import math
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from geo import datum as datum_module
from geo.datum import DATUMS, datum_warning, from_wgs84, point_to_wgs84, to_wgs84
from geo.datum_area import is_shifted
from geo.points import GeoError, Point, PointError, distance_m, distances_m

QUANZHOU = (118.6758, 24.8741)
FORBIDDEN_CITY_WGS84 = (116.391, 39.907)


def shifted(lon, lat):
    return bool(is_shifted(np.array([lon]), np.array([lat]))[0])


def near_the_edge(lon, lat):
    """Within about 3 km of where the shift begins or ends."""
    around = [shifted(lon + dx, lat + dy) for dx in (-0.03, 0, 0.03) for dy in (-0.03, 0, 0.03)]
    return len(set(around)) > 1


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lon=st.floats(73.0, 135.5), lat=st.floats(17.0, 54.0))
def test_a_round_trip_returns_to_within_a_millimetre(datum, lon, lat):
    assume(shifted(lon, lat) or not near_the_edge(lon, lat))
    there = from_wgs84(lon, lat, datum)
    back = to_wgs84(*there, datum)
    assert float(distances_m(lon, lat, *back)) < 1e-3
    again = from_wgs84(*back, datum)
    assert float(distances_m(*there, *again)) < 1e-3


def test_the_test_sees_an_inversion_that_stops_too_early(monkeypatch):
    monkeypatch.setattr(datum_module, "_SHIFT_ROUNDS", 1)
    back = to_wgs84(*from_wgs84(*QUANZHOU, "gcj02"), "gcj02")
    assert float(distances_m(*QUANZHOU, *back)) > 1e-3


def test_the_formulas_agree_with_the_textbook_ones():
    assert from_wgs84(*FORBIDDEN_CITY_WGS84, "gcj02") == pytest.approx(
        (116.39724095859891, 39.9084011088464), abs=1e-11
    )
    assert from_wgs84(*FORBIDDEN_CITY_WGS84, "bd09") == pytest.approx(
        (116.40361442376565, 39.91474390075958), abs=1e-11
    )


@pytest.mark.parametrize(
    ("name", "lon", "lat", "expected"),
    [
        ("Quanzhou", *QUANZHOU, True),
        ("Futian, beside Hong Kong", 114.060, 22.520, True),
        ("Luohu", 114.118, 22.535, True),
        ("Gongbei, beside Macau", 113.549, 22.219, True),
        ("Hengqin", 113.530, 22.130, True),
        ("Xiamen, beside Kinmen", 118.150, 24.470, True),
        ("Dandong", 124.380, 40.130, True),
        ("Kashgar", 75.990, 39.470, True),
        ("Sanya", 109.500, 18.250, True),
        ("Hong Kong", 114.170, 22.300, False),
        ("Sheung Shui", 114.128, 22.500, False),
        ("Macau", 113.545, 22.195, False),
        ("Taipa", 113.560, 22.155, False),
        ("Taipei", 121.560, 25.030, False),
        ("Kinmen", 118.320, 24.430, False),
        ("Seoul", 127.000, 37.500, False),
        ("Hanoi", 105.850, 21.030, False),
        ("Helsinki", 24.940, 60.170, False),
        ("Null Island", 0.0, 0.0, False),
    ],
)
def test_only_mainland_china_is_shifted(name, lon, lat, expected):
    assert shifted(lon, lat) is expected
    for datum in ("gcj02", "bd09"):
        moved_m = float(distances_m(lon, lat, *from_wgs84(lon, lat, datum)))
        assert (50 < moved_m < 2_000) if expected else moved_m == 0.0


SINES_MOST = 250
"""Undoing the shift, in sines of as many numbers; seen: 25 for a million positions at once (0.4 s)."""


def cost_in_sines(undo, count):
    random = np.random.default_rng(5)
    lon, lat = random.uniform(100, 121, count), random.uniform(23, 40, count)
    costs = {undo: [], np.sin: []}
    for _ in range(3):
        for way, numbers in ((undo, (lon, lat)), (np.sin, (lon,))):
            started = time.process_time_ns()
            way(*numbers)
            costs[way].append(time.process_time_ns() - started)
    return min(costs[undo]) / max(1, min(costs[np.sin]))


def test_a_million_positions_cost_a_few_sines_each():
    assert cost_in_sines(lambda lon, lat: to_wgs84(lon, lat, "gcj02"), 1_000_000) < SINES_MOST


def test_one_position_after_the_other_costs_too_much():
    """Sabotage: the same without arrays."""

    def singly(lon, lat):
        for position in zip(lon, lat, strict=True):
            to_wgs84(*position, "gcj02")

    assert cost_in_sines(singly, 300) > SINES_MOST


def test_shapes_and_missing_values_survive():
    lon, lat = np.full((2, 3), QUANZHOU[0]), np.full((2, 3), QUANZHOU[1])
    lon[0, 1] = np.nan
    out_lon, _ = to_wgs84(lon, lat, "bd09")
    assert out_lon.shape == (2, 3)
    assert np.isnan(out_lon[0, 1])
    assert np.isfinite(np.delete(out_lon.ravel(), 1)).all()
    assert to_wgs84([], [], "gcj02")[0].size == 0
    assert (to_wgs84(lon, lat, "wgs84")[1] == lat).all()


def test_wrong_input_is_named():
    with pytest.raises(GeoError, match="datum_unknown"):
        to_wgs84(1.0, 2.0, "utm")
    with pytest.raises(GeoError, match="shapes_differ"):
        to_wgs84([1.0, 2.0], [1.0], "gcj02")
    with pytest.raises(PointError, match="point_swapped"):
        point_to_wgs84(QUANZHOU[1], QUANZHOU[0], "gcj02")
    with pytest.raises(PointError, match="point_not_a_number"):
        point_to_wgs84(math.nan, 1.0, "gcj02")


def test_one_position_becomes_a_point():
    lon, lat = from_wgs84(*QUANZHOU, "bd09")
    assert distance_m(point_to_wgs84(float(lon), float(lat), "bd09"), Point(*QUANZHOU)) < 1e-3


def nearest_grid_road_m(lon, lat):
    """Roads every 400 m both ways, turned against the compass so that no shift runs along them."""
    x, y = (lon - QUANZHOU[0]) * 101_000, (lat - QUANZHOU[1]) * 111_000
    u, v = (x * 0.8 + y * 0.6), (y * 0.8 - x * 0.6)
    return np.minimum(np.abs((u + 200) % 400 - 200), np.abs((v + 200) % 400 - 200))


def drives_on_the_grid(count):
    random = np.random.default_rng(11)
    u, v = (
        random.integers(-9, 9, count) * 400 + random.normal(0, 6, count),
        random.uniform(-3_600, 3_600, count),
    )
    return QUANZHOU[0] + (u * 0.8 - v * 0.6) / 101_000, QUANZHOU[1] + (u * 0.6 + v * 0.8) / 111_000


@pytest.mark.parametrize("true_datum", DATUMS)
@pytest.mark.parametrize("declared", DATUMS)
def test_positions_declared_in_the_wrong_datum_raise_a_warning_and_right_ones_none(declared, true_datum):
    raw = from_wgs84(*drives_on_the_grid(300), true_datum)
    warning = datum_warning(*raw, declared, nearest_grid_road_m)
    if declared == true_datum:
        assert warning is None
    else:
        assert warning is not None
        assert warning.fits == true_datum
        assert warning.fits_median_m < 10
        assert warning.declared_median_m > 30


def test_too_few_positions_or_positions_abroad_raise_no_warning():
    raw = from_wgs84(*drives_on_the_grid(20), "gcj02")
    assert datum_warning(*raw, "wgs84", nearest_grid_road_m) is None
    abroad = np.full(100, 24.94), np.full(100, 60.17)
    assert datum_warning(*abroad, "wgs84", lambda lon, lat: np.full(lon.shape, 900.0)) is None
