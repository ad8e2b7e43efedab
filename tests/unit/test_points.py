import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.points import (
    EARTH_RADIUS_M,
    GeoError,
    Point,
    PointError,
    bearing_deg,
    distance_m,
    distances_m,
    offset,
)

lons = st.floats(-180, 180)
lats = st.floats(-89, 89)


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [
        (math.nan, 22.5, "point_not_a_number"),
        (114.0, math.inf, "point_not_a_number"),
        ("114", 22.5, "point_not_a_number"),
        (None, 22.5, "point_not_a_number"),
        (True, 22.5, "point_not_a_number"),
        (22.5, 114.0, "point_swapped"),
        (181.0, 22.5, "point_out_of_range"),
        (114.0, 91.0, "point_out_of_range"),
        (22.5, 200.0, "point_out_of_range"),
    ],
)
def test_a_wrong_place_is_refused_with_its_code(lon, lat, code):
    with pytest.raises(PointError) as refusal:
        Point(lon, lat)
    assert refusal.value.code == code
    assert isinstance(refusal.value, GeoError)
    assert refusal.value.facts


def test_known_distances_are_met():
    hong_kong, shenzhen = Point(114.1694, 22.3193), Point(114.0579, 22.5431)
    assert distance_m(hong_kong, shenzhen) == pytest.approx(27_417, rel=2e-3)
    assert distance_m(Point(0, 0), Point(180, 0)) == pytest.approx(math.pi * EARTH_RADIUS_M)
    assert distance_m(Point(179.999, 0), Point(-179.999, 0)) == pytest.approx(222.39, abs=0.01)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lons, lats, lons, lats)
def test_the_vectorised_distance_agrees_with_the_single_one(lon1, lat1, lon2, lat2):
    single = distance_m(Point(lon1, lat1), Point(lon2, lat2))
    assert float(distances_m(lon1, lat1, lon2, lat2)) == pytest.approx(single, abs=1e-3)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lons, lats, st.floats(-50_000, 50_000), st.floats(-50_000, 50_000))
def test_an_offset_lies_as_far_away_as_asked(lon, lat, east_m, north_m):
    start = Point(lon, lat)
    assert distance_m(start, offset(start, east_m, north_m)) == pytest.approx(
        math.hypot(east_m, north_m), abs=0.01
    )


@pytest.mark.parametrize(
    ("east_m", "north_m", "bearing"), [(0, 9, 0), (9, 0, 90), (0, -9, 180), (-9, 0, 270)]
)
def test_bearings_are_clockwise_from_north(east_m, north_m, bearing):
    start = Point(121.5, 25.0)
    assert bearing_deg(start, offset(start, east_m, north_m)) == pytest.approx(bearing, abs=1e-3)


def test_an_offset_that_is_not_a_number_is_refused():
    with pytest.raises(PointError):
        offset(Point(0, 0), math.nan, 0)
