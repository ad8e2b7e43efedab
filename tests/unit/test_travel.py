import numpy as np
import pytest

from geo.points import GeoError, Point, distance_m, offset
from geo.travel import MAX_MATRIX_POINTS, Pace, calibrate_pace, great_circle_matrix, great_circle_travel

HERE = Point(118.68, 24.87)
THERE = offset(HERE, 6_000, 8_000)


def test_ten_kilometres_by_car_take_the_stated_formula():
    journey = great_circle_travel(HERE, THERE, "car")
    assert journey.source == "great_circle"
    assert journey.metres == pytest.approx(13_000, abs=1)
    assert journey.seconds == 1_583


def test_staying_takes_no_time():
    assert great_circle_travel(HERE, HERE, "foot").seconds == 0


def test_a_calibrated_pace_replaces_the_default():
    assert great_circle_travel(HERE, THERE, "car", Pace(1.0, 36.0, 0.0)).seconds == 1_000


def test_the_matrix_holds_the_single_journeys():
    places = [HERE, THERE, offset(HERE, -900, 40)]
    matrix = great_circle_matrix(places, places[:2], "ebike")
    assert matrix.seconds.shape == (3, 2)
    assert matrix.seconds.dtype == np.int32
    for row, origin in enumerate(places):
        for column, destination in enumerate(places[:2]):
            journey = great_circle_travel(origin, destination, "ebike")
            assert matrix.seconds[row, column] == journey.seconds
            assert matrix.metres[row, column] == pytest.approx(journey.metres, rel=1e-6)
    assert distance_m(HERE, THERE) < matrix.metres[0, 1]


def test_a_matrix_of_nothing_or_of_too_much_is_refused():
    with pytest.raises(GeoError, match="matrix_empty"):
        great_circle_matrix([], [HERE])
    with pytest.raises(GeoError, match="matrix_too_large"):
        great_circle_matrix([HERE], [HERE] * (MAX_MATRIX_POINTS + 1))


def test_an_unknown_mode_and_an_impossible_pace_are_refused():
    with pytest.raises(GeoError, match="mode_unknown"):
        great_circle_travel(HERE, THERE, "rocket")
    for pace in ((0.5, 32, 0), (1.3, 0, 0), (1.3, 32, -1), (float("nan"), 32, 0)):
        with pytest.raises(GeoError, match="pace_invalid"):
            Pace(*pace)


def observed(count, speed_kmh, fixed_s, seed=1):
    random = np.random.default_rng(seed)
    apart_m = random.uniform(500, 15_000, count)
    return apart_m, (apart_m * 1.3 / speed_kmh * 3.6 + fixed_s) * np.exp(random.normal(0, 0.2, count))


def test_observed_journeys_calibrate_speed_and_fixed_time_and_wild_ones_do_not_bend_it():
    apart_m, took_s = observed(300, 24.0, 240.0)
    took_s[:30] *= 8
    pace = calibrate_pace(list(apart_m), list(took_s), Pace())
    assert pace.speed_kmh == pytest.approx(24.0, rel=0.12)
    assert pace.fixed_s == pytest.approx(240, abs=120)
    truth = apart_m[30:] * 1.3 / 24.0 * 3.6 + 240
    guess = apart_m[30:] * pace.detour / pace.speed_kmh * 3.6 + pace.fixed_s
    assert np.abs(guess / truth - 1).mean() < 0.06


def test_too_little_or_useless_experience_leaves_the_prior():
    apart_m, took_s = observed(19, 24.0, 240.0)
    assert calibrate_pace(list(apart_m), list(took_s), Pace()) == Pace()
    assert calibrate_pace([5_000.0] * 50, [900.0] * 50, Pace()) == Pace()
    assert calibrate_pace([float("nan")] * 50, [900.0] * 50, Pace()) == Pace()
    with pytest.raises(GeoError, match="lengths_differ"):
        calibrate_pace([1.0], [], Pace())
