"""Random small days and random plans for them, one feature of the format at a time, for property tests."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Day = dict[str, Any]
SITES = 9
PRIORITIES = ("urgent", "high", "normal", "low")


def plain_day(rng: random.Random) -> Day:
    """Up to four engineers, up to nine tickets, one table without any rule about triangles."""
    engineers = [
        {
            "id": f"E{index}",
            "start": rng.randrange(SITES),
            "end": rng.randrange(SITES),
            "shift_s": [rng.choice([0, 600, 3600]), rng.choice([20_000, 40_000])],
        }
        for index in range(rng.randint(1, 4))
    ]
    tickets = [
        {
            "id": f"T{index}",
            "site": rng.randrange(SITES),
            "duration_s": rng.choice([0, 300, 1800]),
            "priority": rng.choice(PRIORITIES),
        }
        for index in range(rng.randint(1, 9))
    ]
    return {
        "format": "paidan-scenario/1",
        "name": "random",
        "travel": {"matrix_s": "table0.npy"},
        "engineers": engineers,
        "tickets": tickets,
    }


def windows(day: Day, rng: random.Random) -> None:
    for ticket in _some(day["tickets"], rng):
        opens = rng.choice([-600, 0, 3000, 9000])
        ticket["window_s"] = [opens, opens + rng.choice([0, 600, 5000, 20_000])]


def due_times(day: Day, rng: random.Random) -> None:
    for ticket in _some(day["tickets"], rng):
        ticket["due_s"] = rng.choice([-100, 0, 2000, 6000])
    day["weights"] = {
        "late_s": {"urgent": 4, "high": 2.5, "normal": 1, "low": 0.5},
        "travel_s": rng.choice([0, 1, 1.5]),
    }


def overtime(day: Day, rng: random.Random) -> None:
    for engineer in _some(day["engineers"], rng):
        engineer["shift_s"] = [600, rng.choice([600, 3000, 6000])]
        engineer["cost_factor"] = rng.choice([0.5, 1.0, 1.75])
    day["limits"] = {"overtime_s": rng.choice([0, 4000, 20_000])}
    day["weights"] = {"overtime_s": rng.choice([0, 2, 3.5])}


def skills(day: Day, rng: random.Random) -> None:
    for engineer in day["engineers"]:
        engineer["skills"] = {name: rng.randint(1, 3) for name in ("lift", "weld") if rng.random() < 0.8}
    for ticket in _some(day["tickets"], rng):
        ticket["skills"] = {name: rng.randint(0, 2) for name in ("lift", "weld") if rng.random() < 0.5}


def breaks(day: Day, rng: random.Random) -> None:
    for engineer in _some(day["engineers"], rng):
        early = rng.choice([0, 2000, 5000])
        rests = [
            {"id": "B0", "earliest_s": early, "latest_s": early + rng.choice([0, 6000]), "duration_s": 900}
        ]
        if rng.random() < 0.3:
            rests.append({"id": "B1", "earliest_s": 8000, "latest_s": 30_000, "duration_s": 0})
        engineer["breaks"] = rests


def tools_parts_and_depots(day: Day, rng: random.Random) -> None:
    for engineer in day["engineers"]:
        engineer["tools"] = rng.sample(["saw", "rope"], rng.randint(0, 2))
        engineer["van_stock"] = {name: rng.randint(0, 3) for name in ("pump", "belt")}
    for ticket in _some(day["tickets"], rng):
        ticket["tools"] = rng.sample(["saw", "rope"], rng.randint(0, 2))
        ticket["parts"] = {name: rng.randint(0, 2) for name in ("pump", "belt") if rng.random() < 0.5}
    depots = [{"id": "D0", "site": rng.randrange(SITES), "duration_s": 200}]
    if rng.random() < 0.5:
        depots.append({"id": "D1", "site": rng.randrange(SITES), "duration_s": 0, "open_s": [3000, 9000]})
    day["depots"] = depots


def crews(day: Day, rng: random.Random) -> None:
    for ticket in _some(day["tickets"], rng):
        ticket["crew"] = rng.randint(1, min(3, len(day["engineers"])))


def order(day: Day, rng: random.Random) -> None:
    tickets = day["tickets"]
    for index, ticket in enumerate(tickets[1:], start=1):
        if rng.random() < 0.3:
            ticket["after"] = [tickets[rng.randrange(index)]["id"]]


def people(day: Day, rng: random.Random) -> None:
    """Exclusions, preferences and a maximum of visits."""
    names = [engineer["id"] for engineer in day["engineers"]]
    for ticket in _some(day["tickets"], rng):
        ticket["not_with"] = [name for name in names if rng.random() < 0.15]
        ticket["prefer"] = {name: rng.choice([50, 400]) for name in names if rng.random() < 0.4}
    for engineer in _some(day["engineers"], rng):
        engineer["max_visits"] = rng.randint(0, 4)


def pins(day: Day, rng: random.Random) -> None:
    windows(day, rng)
    taken: set[tuple[str, int]] = set()
    for ticket in day["tickets"]:
        name, position = rng.choice(day["engineers"])["id"], rng.randrange(3)
        if rng.random() < 0.2 and (name, position) not in taken:
            taken.add((name, position))
            ticket["pinned"] = (
                {"engineer": name} if rng.random() < 0.5 else {"engineer": name, "position": position}
            )


def moves(day: Day, rng: random.Random) -> None:
    for ticket in _some(day["tickets"], rng):
        ticket["previous"] = {
            "engineer": rng.choice(day["engineers"])["id"],
            "start_s": rng.choice([0, 2000, 4000, 8000]),
            "known": rng.choice(["planned", "seen", "promised"]),
        }
    day["weights"] = {"moved": {"planned": 10, "seen": 200.5, "promised": 3000}}


def spread(day: Day, rng: random.Random) -> None:
    day["weights"] = {"workload_spread_s": rng.choice([0.25, 1])}
    for engineer in _some(day["engineers"], rng):
        engineer["shift_s"] = [600, rng.choice([600, 30_000])]
    day["limits"] = {"overtime_s": 40_000}


def working(day: Day, rng: random.Random) -> None:
    """Working time, with much to wait for."""
    for feature in (windows, breaks, tools_parts_and_depots):
        if rng.random() < 0.5:
            feature(day, rng)
    for ticket in _some(day["tickets"], rng):
        ticket["due_s"] = rng.choice([2000, 6000, 12_000])
    day["weights"] = {"working_s": rng.choice([0.5, 1]), "travel_s": rng.choice([0, 1])}


def modes(day: Day, rng: random.Random) -> None:
    day["travel"] = {"modes": {"car": {"matrix_s": "table0.npy"}, "bike": {"matrix_s": "table1.npy"}}}
    for engineer in day["engineers"]:
        engineer["mode"] = rng.choice(["car", "bike"])


def hours(day: Day, rng: random.Random) -> None:
    day["travel"] = {"matrix_s": [f"table{rng.randrange(3)}.npy" for _ in range(24)]}


def positions(day: Day, rng: random.Random) -> None:
    places = [[120 + rng.randrange(400) / 1000, 30 + rng.randrange(400) / 1000] for _ in range(SITES)]
    places[1] = list(places[0])
    day["travel"] = {"positions": places, "speed_kmh": 40, "detour": 1.2, "fixed_s": 60}


FEATURES: dict[str, Callable[[Day, random.Random], None]] = {
    feature.__name__: feature
    for feature in (
        windows,
        due_times,
        overtime,
        skills,
        breaks,
        tools_parts_and_depots,
        crews,
        order,
        people,
        pins,
        moves,
        spread,
        working,
        modes,
        hours,
        positions,
    )
}


def random_day(rng: random.Random, features: list[str]) -> Day:
    """Weights and limits of several features are kept side by side."""
    day = plain_day(rng)
    weights: Day = {}
    limits: Day = {}
    for name in features:
        FEATURES[name](day, rng)
        weights |= day.pop("weights", {})
        limits |= day.pop("limits", {})
    return {**day, "weights": weights, "limits": limits}


def random_plan(day: Day, rng: random.Random) -> Day:
    """Every ticket in as many routes as its crew needs, or in none; breaks and depots anywhere."""
    stops: dict[str, list[Any]] = {engineer["id"]: [] for engineer in day["engineers"]}
    for ticket in rng.sample(day["tickets"], len(day["tickets"])):
        if rng.random() < 0.25 and "pinned" not in ticket:
            continue
        names = rng.sample(sorted(stops), len(stops))
        pinned = ticket.get("pinned", {}).get("engineer")
        names.sort(key=lambda name: name != pinned)
        for name in names[: ticket.get("crew", 1)]:
            stops[name].append(ticket["id"])
    for ticket in day["tickets"]:
        pin = ticket.get("pinned", {})
        route = stops.get(pin.get("engineer", ""), [])
        if "position" in pin and rng.random() < 0.8:
            route.remove(ticket["id"])
            route.insert(pin["position"], ticket["id"])
    for engineer in day["engineers"]:
        route = stops[engineer["id"]]
        for rest in engineer.get("breaks", []):
            if route and rng.random() < 0.9:
                route.insert(rng.randint(0, len(route)), {"break": rest["id"]})
        for depot in day.get("depots", []):
            if route and rng.random() < 0.4:
                route.insert(rng.randint(0, len(route)), {"depot": depot["id"]})
    routes = [{"engineer": name, "stops": route} for name, route in stops.items()]
    return {"format": "paidan-plan/1", "routes": routes}


def save_tables(folder: Path, rng: random.Random, metric: bool = False) -> None:
    """table0.npy to table2.npy; `metric`: no way is shorter over a third site, as on roads."""
    for number in range(3):
        cells = [[0 if a == b else rng.randrange(0, 1500) for b in range(SITES)] for a in range(SITES)]
        table = np.array(cells, np.int32)
        for over in range(SITES if metric else 0):
            table = np.minimum(table, table[:, over, None] + table[None, over])
        np.save(folder / f"table{number}.npy", table)


def _some(entries: list[Day], rng: random.Random) -> list[Day]:
    return [entry for entry in entries if rng.random() < 0.5]
