"""Arrival times come from roads where a network is imported, and say that they are estimated where not."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from dispatch.actions.step import run_step
from dispatch.actions.travel_facts import with_table
from dispatch.actions.travelling import driven_classes, kind_of_day, learn
from dispatch.adapters.roads import SOCKET_NAME, TIMEOUT_S, Drives, RoadsAway, RoadTimes, TableTimes
from dispatch.domain.commands import system
from dispatch.store.ids import new_id
from dispatch.store.queries.travel import finished_trips
from geo.points import Point
from geo.roads.imports import import_roads
from geo.roads.matrix import Matrix
from geo.travel import great_circle_travel
from jobs.roads_tables import DayTables
from tests.builders import SITE, new_ticket
from tests.house import Product, Town, settings_for
from tests.roads_maps import LAT0, LON0, M_LAT, M_LON, Map

WEST = Point(SITE.lon - 0.02, SITE.lat)
CORNER = Point(SITE.lon, SITE.lat + 0.03)


@pytest.fixture(scope="module")
def roads_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A U of streets: from WEST, 1.8 km beside SITE, it is 8 km by road; in a folder too deep for a socket's path."""
    folder = tmp_path_factory.mktemp("roads") / ("deep" * 30)
    folder.mkdir()
    town, north = Map(), SITE.lat + 0.03
    corners = {
        "a": (SITE.lon, SITE.lat),
        "b": (SITE.lon, north),
        "c": (WEST.lon, north),
        "d": (WEST.lon, SITE.lat),
    }
    for name, (lon, lat) in corners.items():
        town.node(name, (lon - LON0) / M_LON, (lat - LAT0) / M_LAT)
    town.way("u", "a b")
    town.way("top", "b c", highway="primary")
    town.way("v", "c d")
    import_roads([town.write(folder / "u.osm.pbf")], folder)
    return folder


@pytest.fixture(scope="module")
def process(roads_folder: Path, product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The road process over that folder, answering."""
    settings = settings_for(product.database, tmp_path_factory.mktemp("road-state"))
    environment = os.environ | product.database.environment | {"PAIDAN_ROADS_DIR": str(roads_folder)}
    for name, key in (("PAIDAN_SECRET_KEY", settings.secret_key), ("PAIDAN_DATA_KEY", settings.data_key)):
        environment[name] = base64.b64encode(key).decode()
    running = subprocess.Popen([sys.executable, "-m", "jobs.roads"], env=environment)
    times, ends = RoadTimes(roads_folder), time.monotonic() + 90
    while True:
        try:
            times.to_one([WEST], SITE, 8)
            break
        except RoadsAway:
            assert running.poll() is None, "the road process ended"
            assert time.monotonic() < ends, "the road process does not answer"
            time.sleep(0.1)
            times = RoadTimes(roads_folder)
    yield running
    running.terminate()
    assert running.wait(10) == 0


@pytest.fixture
def with_roads(process: Any, roads_folder: Path, product: Product) -> Iterator[Product]:
    """The product asking that process."""
    before = product.house
    product.house = product.app.state.rooms.house = replace(before, roads=RoadTimes(roads_folder))
    yield product
    product.house = product.app.state.rooms.house = before


def put(town: Town, name: str, at: Point) -> None:
    body = {"positions": [{**town.at_site(), "lon": at.lon, "lat": at.lat}]}
    reply = town.product.client.post("/engineer/v1/positions", json=body, headers=town.phone(name))
    assert reply.json()["taken"] == 1


def on_the_way(town: Town, start: Point = WEST) -> tuple[str, dict[str, Any]]:
    """A ticket Ana has set off to from `start`, and the kept trip."""
    made = town.create(new_ticket("survey"))
    ticket_id = made["ticket_id"]
    put(town, "Ana", start)
    town.assign_by_hand(ticket_id, "Ana")
    reply = town.act("Ana", ticket_id, "set_off")
    assert reply.status_code == 200, reply.text
    (trip,) = town.product.rows(
        "select t.*, v.eta_at from trips t join visits v on v.tenant_id = t.tenant_id and v.id = t.visit_id "
        "where v.ticket_id = %(ticket)s",
        ticket=ticket_id,
    )
    return ticket_id, trip | {"link": made["customer_link"]}


def seconds_until(at: datetime, town: Town) -> float:
    return (at - town.product.clock.now()).total_seconds()


def test_with_roads_the_arrival_time_is_that_of_the_road(with_roads: Product) -> None:
    town = with_roads.company()
    _, trip = on_the_way(town)
    assert trip["source"] == "roads"
    assert trip["base_m"] == pytest.approx(8490, abs=60)
    assert trip["road_class"] == "street"
    assert seconds_until(trip["eta_at"], town) == pytest.approx(trip["base_s"], abs=10)
    assert trip["base_s"] > 1.5 * great_circle_travel(WEST, SITE).seconds


def test_without_roads_it_is_estimated_by_distance(town: Town) -> None:
    _, trip = on_the_way(town)
    assert (trip["source"], trip["calibrated"]) == ("great_circle", False)
    assert trip["base_s"] == great_circle_travel(WEST, SITE).seconds


def shown_as_estimated(town: Town, ticket_id: str, link: str) -> list[bool]:
    """What the board, the phone and the customer's page say of the time."""
    client = town.product.client
    board = client.get(f"/dispatcher/v1/tickets/{ticket_id}", headers=town.board()).json()
    phone = next(t for t in town.today("Ana")["tickets"] if t["ticket_id"] == ticket_id)
    page = client.get(
        link.replace(town.product.settings.public_url, ""), headers={"Accept-Language": "en"}
    ).text
    return [
        board["ticket"]["eta_estimated"],
        phone["eta_estimated"],
        "按距离估算" in page or "by distance" in page,
    ]


def test_every_page_says_that_a_time_by_distance_is_estimated(town: Town) -> None:
    ticket_id, trip = on_the_way(town)
    assert shown_as_estimated(town, ticket_id, trip["link"]) == [True, True, True]


def test_no_page_calls_a_time_by_road_estimated(with_roads: Product) -> None:
    town = with_roads.company()
    ticket_id, trip = on_the_way(town)
    assert shown_as_estimated(town, ticket_id, trip["link"]) == [False, False, False]


def test_who_turns_back_has_no_arrival_time(town: Town) -> None:
    ticket_id, _ = on_the_way(town)
    assert town.act("Ana", ticket_id, "turn_back").status_code == 200
    (row,) = town.product.rows("select eta_at from visits where ticket_id = %(ticket)s", ticket=ticket_id)
    assert row["eta_at"] is None


def receipt_of_match(town: Town, **at: Point) -> dict[str, Any]:
    """The stored receipt of a ticket matched by itself, with these people at these places."""
    for name in ("Ana", "Ben", "Eve"):
        put(town, name, at.get(name, SITE))
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    (receipt,) = town.product.rows(
        "select body from receipts where ticket_id = %(ticket)s order by decided_at desc limit 1",
        ticket=ticket_id,
    )
    body: dict[str, Any] = receipt["body"]
    return body


def seconds_of(town: Town, body: dict[str, Any], name: str) -> int:
    wanted = str(town.made.engineers[name])
    return next(int(c["travel_s"]) for c in body["candidates"] if c["engineer_id"] == wanted)


def test_a_receipt_says_the_seconds_of_the_road_and_that_they_are(with_roads: Product) -> None:
    town = with_roads.company()
    body = receipt_of_match(town, Ana=WEST)
    assert body["travel_source"] == "roads"
    assert seconds_of(town, body, "Ana") > 1.5 * great_circle_travel(WEST, SITE).seconds


def test_a_receipt_without_a_road_process_says_estimated(town: Town) -> None:
    body = receipt_of_match(town, Ana=WEST)
    assert body["travel_source"] == "great_circle"
    assert seconds_of(town, body, "Ana") == great_circle_travel(WEST, SITE).seconds


def test_one_estimate_among_road_times_and_the_receipt_says_estimated(with_roads: Product) -> None:
    town = with_roads.company()
    body = receipt_of_match(town, Ana=WEST, Ben=Point(SITE.lon + 0.05, SITE.lat))
    assert body["travel_source"] == "great_circle"


def test_an_engineer_off_all_roads_is_estimated_and_the_others_are_not(
    process: Any, roads_folder: Path
) -> None:
    nowhere = Point(SITE.lon + 0.2, SITE.lat)
    said = RoadTimes(roads_folder).to_one([WEST, nowhere, SITE], SITE, 8).drives
    assert said[1] is None
    assert said[0] is not None
    assert said[2] is not None
    assert said[2].seconds == 0


def test_a_stopped_process_costs_one_short_wait_and_the_time_is_estimated(
    with_roads: Product, process: Any
) -> None:
    """SIGSTOP is the worst: the socket takes the question and nobody answers."""
    town = with_roads.company()
    town.phone("Ana")
    process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        _, trip = on_the_way(town)
        took_s = time.monotonic() - began
    finally:
        process.send_signal(signal.SIGCONT)
    assert trip["source"] == "great_circle"
    assert took_s < 60  # not for ever; a busy machine takes 16


def test_a_missing_process_is_not_waited_for(tmp_path: Path) -> None:
    """The quickest of five: what else the machine does is no waiting."""
    took_s = []
    for _ in range(5):
        began = time.monotonic()
        for folder in (tmp_path, tmp_path / "nowhere"):
            with pytest.raises(RoadsAway):
                RoadTimes(folder).to_one([WEST], SITE, 8)
        took_s.append(time.monotonic() - began)
    assert min(took_s) < TIMEOUT_S


@pytest.mark.parametrize(
    "said", [b"", b"\xff\xff\xff\xff", b"\x02\x00\x00\x00{}", b"\x04\x00\x00\x00nope", b"\x02\x00\x00\x00[]"]
)
def test_a_process_that_talks_nonsense_is_left_alone_for_a_while(tmp_path: Path, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / SOCKET_NAME))
        listener.listen(5)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        times = RoadTimes(tmp_path)
        with pytest.raises(RoadsAway):
            times.to_one([WEST], SITE, 8)
        thread.join()
        with pytest.raises(RoadsAway, match="left alone"):
            times.to_one([WEST], SITE, 8)


def test_trips_that_take_half_as_long_again_are_learned_by_the_job(town: Town) -> None:
    """Twenty-five drives from near and far, each 1.5 times what distance says; then the foretold time has risen,
    through a pace of the tenant's own, and says that it stands on trips."""
    far = Point(SITE.lon - 0.06, SITE.lat)
    clock = town.product.clock
    before = clock.ahead
    try:
        for n in range(25):
            ticket_id, trip = on_the_way(town, far if n % 2 else WEST)
            clock.move(seconds=1.5 * trip["base_s"])
            photo = town.photo("Ana", ticket_id, "check_in")
            reply = town.act("Ana", ticket_id, "check_in", position=town.at_site(), photo_ids=[photo])
            assert reply.status_code == 200, reply.text
            clock.move(minutes=45)
            done = town.photo("Ana", ticket_id, "completion")
            reply = town.act("Ana", ticket_id, "complete", outcome="fixed", photo_ids=[done], text="mended")
            assert reply.status_code == 200, reply.text
        run_step(town.product.house, system(town.made.tenant_id), learn)
        _, trip = on_the_way(town)
    finally:
        clock.ahead = before
    assert trip["calibrated"]
    usual_s = great_circle_travel(WEST, SITE).seconds
    assert 1.25 < trip["eta_p50_s"] / usual_s < 1.6
    assert trip["base_s"] > 1.15 * usual_s
    assert trip["eta_p90_s"] > trip["eta_p50_s"]
    (kept,) = town.product.rows(
        "select body from learned where tenant_id = %(tenant)s and kind = 'durations'", town.made.tenant_id
    )
    body = receipt_of_match(town, Ana=WEST)
    assert seconds_of(town, body, "Ana") > 1.2 * great_circle_travel(WEST, SITE).seconds
    effect, _, jobs = kept["body"]["work_types"]["survey"]
    assert jobs == 25
    assert effect > 0.25


def drive(town: Town, places: Sequence[Point], seconds: float) -> None:
    """Positions of Ana every 1/40 of these seconds along straight lines, told by her phone on arrival, and the
    check-in."""
    began, stops = town.product.clock.now(), np.linspace(0, len(places) - 1, 41)
    lon = np.interp(stops, range(len(places)), [p.lon for p in places])
    lat = np.interp(stops, range(len(places)), [p.lat for p in places])
    town.product.clock.move(seconds=seconds)
    told = [
        town.at_site(lon=x, lat=y, at=(began + timedelta(seconds=seconds * i / 40)).isoformat())
        for i, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))
    ]
    reply = town.product.client.post(
        "/engineer/v1/positions", json={"positions": told}, headers=town.phone("Ana")
    )
    assert reply.json()["taken"] >= 40, reply.text


@pytest.mark.parametrize("liar", [False, True])
def test_the_roads_that_were_driven_are_told_by_the_positions_on_the_way(
    with_roads: Product, liar: bool
) -> None:
    """West, north, along the primary road, south: a third of the time on each. A phone that says it lay at the site
    all the time tells nothing, and the foretold class counts."""
    town, clock = with_roads.company(), with_roads.clock
    before = clock.ahead
    try:
        ticket_id, _ = on_the_way(town)
        u = [WEST, Point(WEST.lon, CORNER.lat), CORNER, SITE]
        drive(town, [SITE, SITE] if liar else u, 1200)
        photo = town.photo("Ana", ticket_id, "check_in")
        reply = town.act("Ana", ticket_id, "check_in", position=town.at_site(), photo_ids=[photo])
        assert reply.status_code == 200, reply.text

        def told(step: Any) -> Any:
            rows = finished_trips(step.db, step.tenant_id, "roads", step.now - timedelta(days=1))
            return driven_classes(step, rows)

        found = run_step(with_roads.house, system(town.made.tenant_id), told)
    finally:
        clock.ahead = before
    if liar:
        assert found == {}
    else:
        assert found[0]["arterial"] == pytest.approx(400, abs=60)
        assert found[0]["street"] == pytest.approx(800, abs=60)


def test_the_timer_that_learns_is_set_by_the_first_trip_only(town: Town) -> None:
    question = "select due_at from timers where tenant_id = %(tenant)s and kind = 'learn_by'"
    assert town.product.rows(question, town.made.tenant_id) == []
    on_the_way(town)
    (first,) = town.product.rows(question, town.made.tenant_id)
    assert first["due_at"] > town.product.clock.now() + timedelta(hours=3)


class WhatWasAsked(RoadTimes):
    """Answers nothing and remembers the hours and kinds of day it was asked for."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"))
        self.asked: list[tuple[int, str]] = []

    def to_one(
        self,
        origins: Sequence[Point],
        target: Point,
        hour: int,
        with_class: bool = False,
        day: str = "weekday",
    ) -> Drives:
        self.asked.append((hour, day))
        raise RoadsAway("a test")


def test_a_day_entered_as_a_holiday_is_driven_as_a_sunday(town: Town) -> None:
    roads, product = WhatWasAsked(), town.product
    before = product.house
    local = product.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    ordinary = ("weekday", "saturday", "sunday")[max(0, local.weekday() - 4)]
    product.house = product.app.state.rooms.house = replace(before, roads=roads)
    try:
        on_the_way(town)
        other = "weekday" if ordinary == "sunday" else "sunday"
        hours = [[540, 1080]] if other == "weekday" else []
        rules = {"zone": "Asia/Shanghai", "week": [[[540, 1080]]] * 7, "days": {local.isoformat(): hours}}
        body = {"name": {"zh": "日历", "en": "Calendar"}, "rules": rules}
        url = f"/dispatcher/v1/calendars/{new_id()}"
        assert product.client.put(url, json=body, headers=town.board("Ada")).status_code == 200
        ticket_id = town.create(new_ticket("survey"))["ticket_id"]
        put(town, "Ben", WEST)
        town.assign_by_hand(ticket_id, "Ben")
        assert town.act("Ben", ticket_id, "set_off").status_code == 200
    finally:
        product.house = product.app.state.rooms.house = before
    assert {day for _, day in roads.asked[:1]} == {ordinary}
    assert roads.asked[-1][1] == other


def test_holidays_are_sundays_and_make_up_days_are_working_days() -> None:
    entered = {date(2026, 10, 1): False, date(2026, 10, 10): True}
    days = [date(2026, 10, 1), date(2026, 10, 10), date(2026, 10, 9), date(2026, 10, 17), date(2026, 10, 18)]
    kinds = [kind_of_day(day, entered) for day in days]
    assert kinds == ["sunday", "weekday", "weekday", "saturday", "sunday"]


def test_a_days_table_says_what_single_questions_say(process: Any, roads_folder: Path) -> None:
    times, nowhere = RoadTimes(roads_folder), Point(SITE.lon + 0.2, SITE.lat)
    table = times.table("a company", [WEST, nowhere, SITE], 8, "weekday")
    assert set(table.rows) == {WEST, SITE}
    assert table.drive(WEST, SITE) == times.to_one([WEST], SITE, 8).drives[0]
    grown = times.table("a company", [WEST, SITE, CORNER], 8, "weekday")
    assert grown.drive(CORNER, SITE) == times.to_one([CORNER], SITE, 8).drives[0]
    assert grown.drive(WEST, SITE) == table.drive(WEST, SITE)
    with pytest.raises(RoadsAway, match="more than"):
        times.table("a company", [SITE] * 1001, 8, "weekday")


def test_a_batch_asks_for_its_table_once_and_then_nobody(with_roads: Product, process: Any) -> None:
    town = with_roads.company()
    put(town, "Ana", WEST)
    tickets = [UUID(town.create(new_ticket("survey"))["ticket_id"]) for _ in range(2)]
    plain = with_roads.house.roads
    house = with_table(with_roads.house, town.made.tenant_id, tickets)
    assert isinstance(house.roads, TableTimes)
    assert isinstance(plain, RoadTimes)
    known = house.roads._table
    told = plain.to_one([WEST], SITE, known.hour, day=known.day)
    process.send_signal(signal.SIGSTOP)
    try:
        assert house.roads.to_one([WEST], SITE, known.hour, day=known.day).drives == told.drives
        with pytest.raises(RoadsAway):
            house.roads.to_one([CORNER], SITE, known.hour, day=known.day)
    finally:
        process.send_signal(signal.SIGCONT)


def test_without_a_road_process_a_batch_has_no_table(town: Town, tmp_path: Path) -> None:
    house = replace(town.product.house, roads=RoadTimes(tmp_path))
    assert with_table(house, town.made.tenant_id, []) is house


class CountedLive:
    """Distances on a line, and what was done to come by them."""

    def __init__(self, places: list[tuple[float, float]], done: list[str]) -> None:
        self.places, self.done = list(places), done
        done.append(f"made {len(places)}")

    @property
    def matrix(self) -> Matrix:
        x = np.array([place[0] for place in self.places], np.int32)
        return Matrix(np.abs(x[:, None] - x), np.abs(x[:, None] - x) * 10)

    def append(self, place: tuple[float, float]) -> int:
        self.done.append("appended")
        self.places.append(place)
        return len(self.places) - 1

    def move(self, row: int, place: tuple[float, float]) -> None:
        self.done.append("moved")
        self.places[row] = place


def test_a_new_site_is_one_more_row_and_a_moved_engineer_the_same_row_anew() -> None:
    done: list[str] = []
    roads: Any = SimpleNamespace(live_matrix=lambda places, **_: CountedLive(places, done))
    tables, steps = (
        DayTables(roads),
        [[1, 5, 9, 20], [1, 5, 9, 20, 40], [1, 5, 9, 21, 40], [40, 5], [3, 4, 6]],
    )
    for xs in steps:
        found = tables.table("a company", 8, "weekday", [(float(x), 0.0) for x in xs])
        assert found.seconds.tolist() == [[abs(a - b) for b in xs] for a in xs]
        assert found.metres.tolist() == [[10 * abs(a - b) for b in xs] for a in xs]
    assert done == ["made 4", "appended", "moved", "made 3"]
    tables.table("another company", 8, "weekday", [(1.0, 0.0)])
    assert done[-1] == "made 1"


def offered_times(town: Town) -> set[bool]:
    """What the phones that are offered a new ticket say of the way there."""
    for name in ("Ana", "Ben", "Eve"):
        put(town, name, WEST)
    town.create(new_ticket())
    town.settle()
    offers = [offer for name in ("Ana", "Ben", "Eve") for offer in town.today(name)["offers"]]
    assert all(offer["travel_s"] for offer in offers)
    return {offer["travel_estimated"] for offer in offers}


def test_an_offer_by_distance_says_that_its_minutes_are_estimated(town: Town) -> None:
    assert offered_times(town) == {True}


def test_an_offer_by_road_does_not(with_roads: Product) -> None:
    assert offered_times(with_roads.company()) == {False}
