import math

import pytest

from geo import geofence
from geo.geofence import ACCURACY_CAP_M, at_site
from geo.points import GeoError, Point, offset

SITE = Point(118.68, 24.87)


def verdict(away_m, accuracy_m, radius_m=200.0):
    return at_site(offset(SITE, away_m, 0), accuracy_m, SITE, radius_m)


@pytest.mark.parametrize(
    ("away_m", "accuracy_m", "expected", "reason"),
    [
        (150, None, True, "within_radius"),
        (150, 5_000, True, "within_radius"),
        (250, 60, True, "within_accuracy"),
        (250, None, False, "too_far"),
        (250, 20, False, "too_far"),
        (350, 5_000, False, "accuracy_too_poor"),
        (9_000, 5_000, False, "too_far"),
    ],
)
def test_the_verdict_and_its_reason(away_m, accuracy_m, expected, reason):
    result = verdict(away_m, accuracy_m)
    assert (result.at_site, result.reason) == (expected, reason)
    assert result.distance_m == pytest.approx(away_m, abs=0.01)


def test_claiming_a_huge_accuracy_widens_the_circle_only_to_the_cap():
    assert verdict(200 + ACCURACY_CAP_M - 1, 1e6).at_site
    assert not verdict(200 + ACCURACY_CAP_M + 1, 1e6).at_site


def test_the_cap_test_sees_a_judgement_without_a_cap(monkeypatch):
    monkeypatch.setattr(geofence, "ACCURACY_CAP_M", 1e9)
    assert verdict(200 + ACCURACY_CAP_M + 1, 1e6).at_site


@pytest.mark.parametrize("radius_m", [0, -5, math.nan, math.inf])
def test_a_radius_that_is_none_is_refused(radius_m):
    with pytest.raises(GeoError, match="radius_invalid"):
        verdict(10, 5, radius_m)


@pytest.mark.parametrize("accuracy_m", [-1, math.nan, math.inf])
def test_an_accuracy_that_is_none_is_refused(accuracy_m):
    with pytest.raises(GeoError, match="accuracy_invalid"):
        verdict(10, accuracy_m)
