"""Hand-made junctions, one for each rule of the road. All distances are metres on the map."""

from __future__ import annotations

import numpy as np
import pytest

from geo.roads import network, open_roads
from geo.roads.conditions import Day
from geo.roads.errors import RoadsError
from geo.roads.imports import import_roads
from geo.roads.roads import Roads
from tests.roads_maps import Map, place


def opened(town: Map, tmp_path, country: str = "CN") -> Roads:
    tmp_path.mkdir(exist_ok=True)
    import_roads([town.write(tmp_path / "town.osm.pbf")], tmp_path / "roads", country)
    return open_roads(tmp_path / "roads")


def metres(roads: Roads, a: tuple[float, float], b: tuple[float, float], mode: str = "car") -> int:
    return int(roads.matrix([place(*a)], mode, to=[place(*b)]).metres[0, 0])


def crossing() -> Map:
    """A cross of four 200 m arms at (0, 0), with a way round from every arm's end to the next,
    1 km square."""
    town = Map()
    town.node("x", 0, 0)
    for name, x, y in (("w", -200, 0), ("e", 200, 0), ("n", 0, 200), ("s", 0, -200)):
        town.node(name, x, y)
        town.way(name, [name, "x"])
    for name, x, y in (("nw", -200, 200), ("ne", 200, 200), ("se", 200, -200), ("sw", -200, -200)):
        town.node(name, x, y)
    for a, corner, b in (("w", "nw", "n"), ("n", "ne", "e"), ("e", "se", "s"), ("s", "sw", "w")):
        town.way(f"{a}{b}", [a, corner, b])
    return town


WEST, EAST, NORTH, SOUTH = (-100, 0), (100, 0), (0, 100), (0, -100)
DIRECT = 200


@pytest.mark.parametrize(
    ("kind", "start", "end", "hit"),
    [
        ("no_left_turn", "w", "n", NORTH),
        ("no_right_turn", "w", "s", SOUTH),
        ("no_straight_on", "w", "e", EAST),
        ("no_entry", "w", "n", NORTH),
        ("no_exit", "w", "n", NORTH),
    ],
)
def test_a_forbidden_turn_is_not_taken_and_the_others_are(tmp_path, kind, start, end, hit):
    town = crossing()
    town.restrict(kind, start, "x", end)
    roads = opened(town, tmp_path)
    for target in (NORTH, SOUTH, EAST):
        assert (metres(roads, WEST, target) > DIRECT + 100) == (target == hit)
        assert abs(metres(roads, target, WEST) - DIRECT) <= 1
    assert abs(metres(roads, WEST, hit, "foot") - DIRECT) <= 1


@pytest.mark.parametrize(
    ("kind", "end", "free"),
    [("only_straight_on", "e", EAST), ("only_left_turn", "n", NORTH), ("only_right_turn", "s", SOUTH)],
)
def test_a_prescribed_turn_leaves_no_other(tmp_path, kind, end, free):
    town = crossing()
    town.restrict(kind, "w", "x", end)
    roads = opened(town, tmp_path)
    for target in (NORTH, SOUTH, EAST):
        assert (abs(metres(roads, WEST, target) - DIRECT) <= 1) == (target == free)


def test_two_prescribed_ways_leave_both_open(tmp_path):
    town = crossing()
    town.restrict("only_straight_on", "w", "x", "e")
    town.restrict("only_right_turn", "w", "x", "s")
    roads = opened(town, tmp_path)
    assert abs(metres(roads, WEST, EAST) - DIRECT) <= 1
    assert abs(metres(roads, WEST, SOUTH) - DIRECT) <= 1
    assert metres(roads, WEST, NORTH) > DIRECT + 100


def test_no_u_turn_over_a_node_sends_one_the_long_way_round(tmp_path):
    # On a wide road a stop is made on its own side, so coming back to the other side needs a turn round.
    there, back = (-100, -8), (-100, 8)
    lengths = []
    for name in ("free", "bound"):
        town = crossing()
        town.ways["w"] = (["w", "x"], {"highway": "primary"})
        if name == "bound":
            for arm in "wens":
                town.restrict("no_u_turn", arm, "x", arm)
        lengths.append(metres(opened(town, tmp_path / name), there, back))
    assert lengths[0] == pytest.approx(200, abs=2)
    assert lengths[1] >= 600, "to the end of another arm and back"


def test_a_restriction_over_a_way_binds_only_those_who_came_that_way(tmp_path):
    town = Map()
    for name, x, y in (
        ("a", 0, 0),
        ("b", 300, 0),
        ("c", 300, 60),
        ("d", 0, 60),
        ("e", 600, 0),
        ("f", 600, 60),
        ("g", 900, 30),
    ):
        town.node(name, x, y)
    town.way("from", "a b")
    town.way("via", "b c")
    town.way("to", "c d")
    town.way("other", "e b")
    town.way("more", "c f")
    town.way("far", "e g f")
    town.way("close", "a d")
    town.restrict("no_u_turn", "from", "via", "to")
    roads = opened(town, tmp_path)
    start, other, end, straight = (150, 0), (450, 0), (150, 60), (450, 60)
    assert abs(metres(roads, other, end) - (150 + 60 + 150)) <= 1
    assert abs(metres(roads, start, straight) - (150 + 60 + 150)) <= 1
    assert abs(metres(roads, end, start) - (150 + 60 + 150)) <= 1
    # From `start` the way over `via` is closed; round the other end of the block it is as far.
    assert [s.name for s in roads.route(place(*start), place(*end)).steps] == ["from", "close", "to", "to"]
    freed = Map(dict(town.nodes), {}, {k: v for k, v in town.ways.items() if k != "close"}, town.restrictions)
    roads = opened(freed, tmp_path / "freed")
    assert metres(roads, start, end) > 360 + 100, "it takes a turn round elsewhere"


def test_a_prescribed_way_over_a_way_is_followed_to_its_end(tmp_path):
    town = Map()
    places = {"a": (0, 0), "b": (300, 0), "c": (600, 0), "n": (600, 300), "e": (900, 0), "z": (0, 300)}
    for name, (x, y) in places.items():
        town.node(name, x, y)
    town.way("from", "a b")
    town.way("via", "b c")
    town.way("to", "c e")
    town.way("north", "c n")
    town.way("side", "b z")
    town.way("top", "z n")
    town.way("east", "e n")
    town.restrict("only_straight_on", "from", "via", "to")
    roads = opened(town, tmp_path)
    assert abs(metres(roads, (150, 0), (750, 0)) - 600) <= 1
    assert abs(metres(roads, (450, 0), (600, 150)) - 300) <= 1
    assert metres(roads, (150, 0), (600, 150)) > 700


def test_exceptions_and_other_vehicles_are_not_bound(tmp_path):
    town = crossing()
    town.restrict("no_left_turn", "w", "x", "n", **{"except": "bicycle"})
    town.restrictions.append(({"restriction:hgv": "no_straight_on"}, ["w"], ["x"], ["e"]))
    roads = opened(town, tmp_path)
    assert metres(roads, WEST, NORTH) > DIRECT + 100
    assert abs(metres(roads, WEST, NORTH, "bicycle") - DIRECT) <= 1
    assert abs(metres(roads, WEST, EAST) - DIRECT) <= 1


def test_a_restriction_with_a_missing_member_is_passed_over(tmp_path):
    town = crossing()
    town.restrict("no_left_turn", "w", "x", "n")
    town.restrictions[0][3].clear()
    assert abs(metres(opened(town, tmp_path), WEST, NORTH) - DIRECT) <= 1


def test_a_oneway_is_driven_one_way(tmp_path):
    town = crossing()
    town.ways["w"] = (["w", "x"], {"highway": "residential", "oneway": "yes"})
    roads = opened(town, tmp_path)
    assert abs(metres(roads, WEST, EAST) - DIRECT) <= 1
    assert metres(roads, EAST, WEST) > DIRECT + 100
    assert abs(metres(roads, EAST, WEST, "foot") - DIRECT) <= 1
    behind = metres(roads, (-50, 0), (-150, 0))
    assert behind >= 700, "round the block to a place just behind"


def test_a_bollard_stops_cars_and_nobody_else(tmp_path):
    town = crossing()
    town.node("post", -40, 0, barrier="bollard")
    town.ways["w"] = (["w", "post", "x"], {"highway": "residential"})
    roads = opened(town, tmp_path)
    assert metres(roads, WEST, EAST) > DIRECT + 100
    for mode in ("bicycle", "ebike", "foot"):
        assert abs(metres(roads, WEST, EAST, mode) - DIRECT) <= 1


def test_left_turns_cost_more_than_right_and_the_other_way_round_where_one_drives_on_the_left(tmp_path):
    right, left = opened(crossing(), tmp_path / "cn", "CN"), opened(crossing(), tmp_path / "hk", "HK")

    def seconds(roads: Roads, end: tuple[float, float]) -> int:
        return int(roads.matrix([place(*WEST)], to=[place(*end)]).seconds[0, 0])

    assert seconds(right, NORTH) - seconds(right, SOUTH) == 4
    assert seconds(left, SOUTH) - seconds(left, NORTH) == 4


def test_a_private_road_is_reached_but_not_driven_through(tmp_path):
    town = crossing()
    town.ways["w"] = (["w", "x"], {"highway": "residential", "access": "private"})
    roads = opened(town, tmp_path)
    direct = roads.matrix([place(*EAST)], to=[place(*WEST)])
    assert direct.metres[0, 0] == pytest.approx(DIRECT, abs=1)
    assert direct.seconds[0, 0] < 60, "no charge where the trip ends inside"
    assert metres(roads, EAST, (-200, 100)) > 450, "past it, not through it"
    route = roads.route(place(*EAST), place(*WEST))
    assert abs(sum(s.seconds for s in route.steps) - route.seconds) <= 2


def test_a_wide_road_is_served_on_the_side_where_the_site_lies(tmp_path):
    town = crossing()
    for name in "we":
        town.ways[name] = (town.ways[name][0], {"highway": "primary"})
    roads = opened(town, tmp_path)
    assert abs(metres(roads, (-100, -8), (100, -8)) - 200) <= 1, "eastwards on the southern side"
    assert metres(roads, (-100, -8), (100, 8)) > 300, "the northern side is reached from the east"
    assert list(roads.snap([place(-100, -8), place(-100, 8), place(-100, 0)]).side) == [-1, 1, 0]


def test_a_roundabout_is_driven_round_and_named_as_one(tmp_path):
    town = Map()
    ring = [("r0", 20, 0), ("r1", 0, 20), ("r2", -20, 0), ("r3", 0, -20)]
    for name, x, y in (*ring, ("e", 300, 0), ("n", 0, 300), ("w", -300, 0)):
        town.node(name, x, y)
    town.way("ring", "r0 r1 r2 r3 r0", highway="tertiary", junction="roundabout")
    town.way("east", "e r0", highway="tertiary")
    town.way("north", "n r1", highway="tertiary")
    town.way("west", "w r2", highway="tertiary")
    roads = opened(town, tmp_path)
    to_north, from_north = metres(roads, (160, 0), (0, 160)), metres(roads, (0, 160), (160, 0))
    assert to_north == pytest.approx(140 + 28.3 + 140, abs=2)
    assert from_north == pytest.approx(140 + 3 * 28.3 + 140, abs=2)
    kinds = [s.kind for s in roads.route(place(160, 0), place(0, 160)).steps]
    assert kinds[:2] == ["depart", "roundabout"]


def test_a_ferry_takes_its_time_and_the_boarding(tmp_path):
    town = Map()
    for name, x, y in (("a", 0, 0), ("p", 300, 0), ("q", 2300, 0), ("b", 2600, 0)):
        town.node(name, x, y)
    town.way("west", "a p")
    town.way("ferry", "p q", route="ferry", duration="20")
    town.way("east", "q b")
    roads = opened(town, tmp_path)
    seconds = int(roads.matrix([place(150, 0)], to=[place(2450, 0)]).seconds[0, 0])
    driving = 300 / 1000 / 22 * 3600
    assert seconds == pytest.approx(20 * 60 + 300 + driving, abs=3)
    assert "ferry" in [s.kind for s in roads.route(place(150, 0), place(2450, 0)).steps]


def test_a_small_island_sends_its_sites_to_the_main_roads_and_a_large_one_is_told_apart(tmp_path):
    town = crossing()
    for k in range(60):
        town.node(f"m{k}", 1000 + 200 * (k % 8), 200 * (k // 8))
    for k in range(60):
        for other in (k + 1, k + 8):
            if other < 60 and (other == k + 8 or other % 8):
                town.way(f"grid {k} {other}", [f"m{k}", f"m{other}"])
    town.node("i0", -250, 40)
    town.node("i1", -300, 80)
    town.way("yard", "i0 i1")
    roads = opened(town, tmp_path)
    assert len(set(roads._network("car").part.tolist())) == 1, "the cross is the smaller part here"
    with pytest.raises(RoadsError) as refused:
        roads.matrix([place(-260, 45)])
    assert refused.value.code == "too_far_from_road"


def test_a_place_is_at_no_distance_from_itself_and_close_ones_are_close(tmp_path):
    roads = opened(crossing(), tmp_path)
    points = [place(-100, 0), place(-90, 0), place(-100, 0)]
    table = roads.matrix(points)
    assert np.diag(table.seconds).tolist() == [0, 0, 0]
    assert table.metres[0, 2] == 0
    assert table.metres[0, 1] == pytest.approx(10, abs=1)
    assert table.metres[1, 0] == pytest.approx(10, abs=1)


def metres_at(
    roads: Roads, a: tuple[float, float], b: tuple[float, float], hour: int | None, day: Day = "weekday"
) -> int:
    return int(roads.matrix([place(*a)], hour=hour, to=[place(*b)], day=day).metres[0, 0])


NIGHT = {22, 23, 0, 1, 2, 3, 4, 5}
DAYTIME = set(range(8, 20))


@pytest.mark.parametrize(
    ("kind", "end", "condition", "weekday", "saturday", "sunday"),
    [
        ("no_left_turn", "n", "Mo-Fr 07:00-09:00", {7, 8}, set(), set()),
        ("no_left_turn", "n", "Mo-Fr 07:00-09:00; PH off", {7, 8}, set(), set()),
        ("no_left_turn", "n", "07:30-08:15,16:00-17:00", {7, 8, 16}, {7, 8, 16}, {7, 8, 16}),
        ("no_left_turn", "n", "Mo-Sa 22:00-06:00", NIGHT, NIGHT, {0, 1, 2, 3, 4, 5}),
        ("only_straight_on", "e", "Mo-Fr 07:00-09:00", {7, 8}, set(), set()),
        ("no_left_turn", "n", "Mo-Fr 07:00-09:00; Sa 10:00-12:00", {7, 8}, {10, 11}, set()),
        ("no_left_turn", "n", "Sa,Su 08:00-20:00", set(), DAYTIME, DAYTIME),
        ("no_left_turn", "n", "Su,PH 08:00-20:00", set(), set(), DAYTIME),
        ("no_left_turn", "n", "Mo,We 07:00-09:00", None, None, None),
        ("no_left_turn", "n", "PH 07:00-09:00", None, None, None),
        ("no_left_turn", "n", "weight>3.5", None, None, None),
        ("no_left_turn", "n", "Oct-Mar 08:00-20:00", None, None, None),
    ],
)
def test_a_turn_forbidden_at_some_hours_of_some_days_is_taken_at_the_others(
    tmp_path, kind, end, condition, weekday, saturday, sunday
):
    """None: it cannot be followed, and is named."""
    town = crossing()
    town.restrict(kind, "w", "x", end, **{"restriction:conditional": f"{kind} @ ({condition})"})
    del town.restrictions[-1][0]["restriction"]
    roads = opened(town, tmp_path)
    for day, closed in (("weekday", weekday), ("saturday", saturday), ("sunday", sunday)):
        shut = {h for h in range(24) if metres_at(roads, WEST, NORTH, h, day) > DIRECT + 100}
        assert shut == (closed or set()), day
        assert abs(metres_at(roads, WEST, EAST, 8, day) - DIRECT) <= 1
    assert abs(metres_at(roads, WEST, NORTH, None) - DIRECT) <= 1 or 3 in weekday
    assert roads.facts["conditions"] == (0 if weekday is None else 2)  # cars and bicycles
    assert bool(roads.facts["unfollowed"]) == (weekday is None)


def test_sabotage_a_sunday_that_keeps_the_working_days_closures_is_found_out(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "_closed_at", lambda closed, slot: (closed[:, 0] >> slot % 24) & 1 > 0)
    town = crossing()
    town.restrict(
        "no_left_turn", "w", "x", "n", **{"restriction:conditional": "no_left_turn @ (Mo-Fr 07:00-09:00)"}
    )
    del town.restrictions[-1][0]["restriction"]
    assert metres_at(opened(town, tmp_path), WEST, NORTH, 8, "sunday") > DIRECT + 100


def test_a_kind_of_day_that_is_none_is_refused(tmp_path):
    with pytest.raises(RoadsError, match="day_unknown"):
        metres_at(opened(crossing(), tmp_path), WEST, NORTH, 8, "monday")


@pytest.mark.parametrize(
    ("tags", "closed"),
    [
        ({"motor_vehicle:conditional": "no @ (07:00-09:00)"}, {7, 8}),
        ({"access": "no", "motor_vehicle:conditional": "yes @ (Mo-Fr 20:00-06:00)"}, set(range(6, 20))),
        ({"access:conditional": "no @ (Mo-Fr 10:00-11:00); no @ (15:00-16:00)"}, {10, 15}),
        ({"access:conditional": "delivery @ (10:00-11:00)"}, set()),
    ],
)
def test_a_road_closed_at_some_hours_is_driven_at_the_others(tmp_path, tags, closed):
    town = crossing()
    town.ways["n"] = (town.ways["n"][0], {"highway": "residential", **tags})
    roads = opened(town, tmp_path)
    for hour in range(24):
        assert (metres_at(roads, WEST, (0, 250), hour) > 2 * DIRECT + 100) == (hour in closed), hour


def test_what_cannot_be_followed_is_named_with_its_count(tmp_path):
    town = crossing()
    for start in ("w", "e"):
        town.restrict(
            "no_straight_on", start, "x", "n", **{"restriction:conditional": "no_u_turn @ (sunset-sunrise)"}
        )
        del town.restrictions[-1][0]["restriction"]
    roads = opened(town, tmp_path)
    assert roads.facts["unfollowed"]["no_u_turn @ (sunset-sunrise)"] >= 2
