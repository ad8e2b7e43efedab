"""What the tag tables say, one sentence a rule."""

from __future__ import annotations

import numpy as np
import pytest

from geo.roads import profiles
from geo.roads.signals import signal_ms


def rule(network: str = "car", country: str = "CN", **tags: str) -> profiles.WayRule | None:
    return profiles.way_rule({k.replace("__", ":"): v for k, v in tags.items()}, network, country)


def directions(network: str = "car", **tags: str) -> tuple[bool, bool] | None:
    found = rule(network, **tags)
    return None if found is None else (found.forward_kmh > 0, found.backward_kmh > 0)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, (True, True)),
        ({"highway": "residential", "oneway": "yes"}, (True, False)),
        ({"highway": "residential", "oneway": "-1"}, (False, True)),
        ({"highway": "residential", "oneway": "reversible"}, None),
        ({"highway": "motorway"}, (True, False)),
        ({"highway": "motorway", "oneway": "no"}, (True, True)),
        ({"highway": "tertiary", "junction": "roundabout"}, (True, False)),
        ({"highway": "tertiary", "motor_vehicle:backward": "no"}, (True, False)),
        ({"highway": "footway"}, None),
        ({"highway": "track"}, None),
        ({"highway": "track", "tracktype": "grade1"}, (True, True)),
        ({"highway": "residential", "access": "no"}, None),
        ({"highway": "residential", "access": "no", "motor_vehicle": "yes"}, (True, True)),
        ({"highway": "residential", "motor_vehicle": "agricultural;forestry"}, None),
        ({"highway": "construction"}, None),
        ({"route": "ferry"}, (True, True)),
        ({"building": "yes"}, None),
    ],
)
def test_a_car_may_use_a_way_in_these_directions(tags, expected):
    assert directions("car", **tags) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "motorway"}, None),
        ({"highway": "primary", "motorroad": "yes"}, None),
        ({"highway": "residential", "oneway": "yes"}, (True, False)),
        ({"highway": "residential", "oneway": "yes", "oneway:bicycle": "no"}, (True, True)),
        ({"highway": "residential", "oneway": "yes", "cycleway": "opposite_lane"}, (True, True)),
        ({"highway": "cycleway"}, (True, True)),
        ({"highway": "steps"}, None),
        ({"highway": "path", "bicycle": "no"}, None),
    ],
)
def test_a_bicycle_may_use_a_way_in_these_directions(tags, expected):
    assert directions("bike", **tags) == expected


def test_walking_minds_no_oneway_but_its_own():
    assert directions("foot", highway="residential", oneway="yes") == (True, True)
    assert directions("foot", highway="footway", oneway__foot="yes") == (True, False)


def test_private_and_destination_roads_are_reached_but_not_driven_through():
    for value in ("private", "destination", "delivery", "customers"):
        found = rule(highway="service", access=value)
        assert found is not None
        assert found.restricted


def test_speed_follows_limit_surface_and_country():
    plain, limited = rule(highway="secondary"), rule(highway="secondary", maxspeed="30")
    mph, gravel = rule(highway="secondary", maxspeed="20 mph"), rule(highway="secondary", surface="gravel")
    abroad = rule(country="DE", highway="secondary")
    assert None not in (plain, limited, mph, gravel, abroad)
    assert limited.forward_kmh == pytest.approx(0.85 * 30)
    assert mph.forward_kmh == pytest.approx(0.85 * 20 * 1.609344)
    assert plain.forward_kmh == 40
    assert gravel.forward_kmh == 40
    assert rule(highway="secondary", surface="mud").forward_kmh == 8
    assert abroad.forward_kmh == 58


@pytest.mark.parametrize(("text", "seconds"), [("35", 2100), ("1:20", 4800), ("PT45M", 2700), ("soon", 0)])
def test_a_ferry_takes_as_long_as_its_tag_says(text, seconds):
    found = rule(route="ferry", duration=text)
    assert found
    assert found.duration_s == seconds


@pytest.mark.parametrize(
    ("network", "tags", "blocked"),
    [
        ("car", {"barrier": "bollard"}, True),
        ("bike", {"barrier": "bollard"}, False),
        ("car", {"barrier": "bollard", "motor_vehicle": "yes"}, False),
        ("car", {"barrier": "gate"}, False),
        ("car", {"barrier": "gate", "access": "no"}, True),
        ("bike", {"barrier": "stile"}, True),
        ("foot", {"barrier": "stile"}, False),
        ("foot", {"barrier": "gate", "foot": "no"}, True),
    ],
)
def test_a_barrier_stops_whom_it_is_meant_to_stop(network, tags, blocked):
    assert profiles.node_rule(tags, network)[0] is blocked


def test_signals_and_gates_cost_seconds():
    assert profiles.signal_s({"highway": "traffic_signals"}, "car") == 9
    assert 0 < profiles.signal_s({"highway": "crossing", "crossing": "traffic_signals"}, "car") < 9
    assert profiles.signal_s({"highway": "crossing", "crossing": "zebra"}, "car") == 0
    assert profiles.node_rule({"highway": "traffic_signals"}, "car") == (False, 0)
    assert profiles.node_rule({"barrier": "gate"}, "car")[1] == 25
    assert profiles.node_rule({"barrier": "gate", "access": "private"}, "car")[1] > profiles.PRIVATE_GATE_S


def test_restrictions_bind_by_vehicle():
    kind = profiles.restriction_kind
    assert kind({"restriction": "no_left_turn"}, "car") == "no"
    assert kind({"restriction": "only_straight_on"}, "bike") == "only"
    assert kind({"restriction": "no_left_turn", "except": "bicycle"}, "bike") is None
    assert kind({"restriction": "no_left_turn", "except": "bicycle"}, "car") == "no"
    assert kind({"restriction:hgv": "no_left_turn"}, "car") is None
    assert kind({"restriction": "no_left_turn"}, "foot") is None


def test_country_comes_from_where_the_roads_are():
    assert profiles.country_of(114.05, 22.54) == "CN"
    assert profiles.country_of(114.17, 22.30) == "HK"
    assert profiles.country_of(9.52, 47.14) == "LI"
    assert profiles.country_of(-70.0, -30.0) == "ZZ"
    assert "HK" in profiles.LEFT_HAND
    assert "CN" not in profiles.LEFT_HAND


def test_every_hour_has_a_factor_for_every_group():
    assert len(profiles.HOUR_FACTORS) == 24
    assert all(0 < f <= 1 for hour in profiles.HOUR_FACTORS for f in hour)
    assert min(f[1] for f in profiles.HOUR_FACTORS) == profiles.HOUR_FACTORS[18][1]


def test_a_straight_drive_over_a_crossing_of_two_dual_carriageways_waits_once():
    """Four signals in a square of 20 m: two of them lie on the way. A fifth 400 m on is another wait."""
    side = 20 / 111195
    lon = np.array([0.0, side, 0.0, side, 20 * side])
    lat = np.array([0.0, 0.0, side, side, 0.0])
    waits = signal_ms(lon, lat, dict.fromkeys(range(5), 9))
    assert waits[0] + waits[1] == 9000
    assert waits[4] == 9000


def test_a_crossings_own_signals_for_those_on_foot_add_little():
    lat = np.zeros(3)
    lon = np.array([0.0, 10 / 111195, 20 / 111195])
    waits = signal_ms(lon, lat, {0: 3.6, 1: 9, 2: 3.6})
    assert 9000 <= sum(waits.values()) < 9000 + 2 * 3600
    assert signal_ms(lon, lat, {}) == {}
