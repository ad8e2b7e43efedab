"""Random small dispatch days for the planner's tests, one feature or all of them switched on, as plain documents."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

FEATURES = (
    "breaks",
    "depots",
    "parts",
    "crews",
    "after",
    "pins",
    "moved",
    "prefer",
    "spread",
    "max_visits",
    "factors",
    "modes",
    "hours",
    "positions",
    "missed",
    "working",
)


def random_day(
    folder: Path, seed: int, features: set[str], tickets: int = 14, team: int = 4
) -> dict[str, Any]:
    """A day of plain seconds with the named features; its matrices are written into `folder`."""
    r = random.Random(seed)
    sites = tickets + team + 1
    places = [(r.uniform(0, 0.2), r.uniform(30, 30.2)) for _ in range(sites)]
    document: dict[str, Any] = {
        "format": "paidan-scenario/1",
        "name": f"random {seed}",
        "travel": _travel(folder, seed, features, places),
        "limits": {"overtime_s": 3600},
        "engineers": [_engineer(r, e, tickets + e, features) for e in range(team)],
        "tickets": [_ticket(r, t, team, features) for t in range(tickets)],
    }
    if "depots" in features:
        document["depots"] = [{"id": "D", "site": sites - 1, "duration_s": 300, "open_s": [25000, 60000]}]
    weights: dict[str, Any] = {}
    if "spread" in features:
        weights["workload_spread_s"] = 0.5
    if "moved" in features:
        weights["moved"] = {"planned": 500, "seen": 1500, "promised": 4000}
    if "working" in features:
        weights["working_s"] = 0.3
    if weights:
        document["weights"] = weights
    if "after" in features:
        for t in range(3, tickets, 4):
            document["tickets"][t]["after"] = [f"T{t - 2}"]
    if "pins" in features:
        _pin(document)
    return document


def _travel(folder: Path, seed: int, features: set[str], places: list[tuple[float, float]]) -> dict[str, Any]:
    if "positions" in features:
        return {"positions": [list(p) for p in places], "speed_kmh": 30}
    rng = np.random.default_rng(seed)
    xy = np.array(places)
    base = np.sqrt(((xy[:, None] - xy[None]) ** 2).sum(-1)) * 14000

    def table(name: str, factor: float) -> str:
        seconds = np.rint(base * factor * rng.uniform(1, 1.1, base.shape) + 60).astype(np.int32)
        np.fill_diagonal(seconds, 0)
        np.save(folder / name, seconds)
        return name

    if "hours" in features:
        return {"matrix_s": [table(f"h{h}.npy", 1 + 0.5 * (h in (7, 8, 17))) for h in range(24)]}
    if "modes" in features:
        modes = {"car": {"matrix_s": table("car.npy", 1)}, "bike": {"matrix_s": table("bike.npy", 1.7)}}
        return {"modes": modes}
    return {"matrix_s": table("day.npy", 1)}


def _engineer(r: random.Random, e: int, site: int, features: set[str]) -> dict[str, Any]:
    start = r.choice([25200, 28800])
    engineer: dict[str, Any] = {
        "id": f"E{e}",
        "start": site,
        "end": site,
        "shift_s": [start, start + 8 * 3600],
        "skills": {"gas": 2, "water": 1 + e % 2},
    }
    if "breaks" in features:
        engineer["breaks"] = [{"id": "lunch", "earliest_s": 41400, "latest_s": 46800, "duration_s": 1800}]
        if e % 2:
            engineer["breaks"].append(
                {"id": "tea", "earliest_s": 52000, "latest_s": 56000, "duration_s": 600}
            )
    if "parts" in features:
        engineer["van_stock"] = {"valve": r.randint(0, 3)}
        engineer["tools"] = ["ladder"] if e % 2 else []
    if "max_visits" in features:
        engineer["max_visits"] = 3
    if "factors" in features:
        engineer["cost_factor"] = r.choice([0.8, 1.0, 1.5])
    if "modes" in features:
        engineer["mode"] = r.choice(["car", "bike"])
    return engineer


def _ticket(r: random.Random, t: int, team: int, features: set[str]) -> dict[str, Any]:
    ticket: dict[str, Any] = {
        "id": f"T{t}",
        "site": t,
        "duration_s": r.choice([900, 1800, 3600, 5400]),
        "priority": r.choice(["urgent", "high", "normal", "low"]),
        "skills": {r.choice(["gas", "water"]): r.randint(1, 2)},
    }
    if r.random() < 0.5:
        begin = r.randrange(27000, 54000, 900)
        ticket["window_s"] = [begin, begin + r.choice([5400, 10800])]
    elif r.random() < 0.7:
        ticket["due_s"] = r.randrange(30000, 60000, 900)
    if "missed" in features and t % 7 == 0:
        ticket["window_s"] = [3600, 7200]
    if "parts" in features and r.random() < 0.5:
        ticket["parts"] = {"valve": r.randint(1, 2)}
    if "parts" in features and r.random() < 0.3:
        ticket["tools"] = ["ladder"]
    if "crews" in features and t % 5 == 1:
        ticket["crew"] = 2 + (t % 2)
    if "moved" in features and r.random() < 0.6:
        known = r.choice(["planned", "seen", "promised"])
        ticket["previous"] = {
            "engineer": f"E{r.randrange(team)}",
            "start_s": r.randrange(28000, 56000),
            "known": known,
        }
    if "prefer" in features and r.random() < 0.5:
        ticket["prefer"] = {f"E{r.randrange(team)}": r.choice([300, 2500])}
        ticket["not_with"] = [f"E{r.randrange(team)}"]
    return ticket


def _pin(document: dict[str, Any]) -> None:
    """Pins one ticket to a place and one to an engineer, where he has the level."""
    levels = {e["id"]: e["skills"] for e in document["engineers"]}
    for t, pin in ((0, {"engineer": "E0", "position": 0}), (2, {"engineer": "E1"})):
        ticket = document["tickets"][t]
        ticket["skills"] = {s: min(n, levels[pin["engineer"]].get(s, 0)) for s, n in ticket["skills"].items()}
        for key in ("after", "crew", "not_with", "parts", "tools"):
            ticket.pop(key, None)
        ticket["pinned"] = pin
