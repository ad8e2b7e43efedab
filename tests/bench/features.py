"""`bench features`: made-up days with one feature after the other switched on, on top of those before.

Shows what each costs and that no hard rule breaks, beside OR-Tools routing as far as it can say the day: it
has no call at a depot that refills a van, no crew that meets and no price of moving, so it stops there.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.cities import CITIES
from tests.bench.engine import Result, plan_with, wanted

SIZES = ((100, 10), (500, 50))
SEED = 7301
SECONDS = 10.0
SAID_BY_ORTOOLS = ("plain", "breaks", "parts")
Day = dict[str, Any]
Rng = np.random.Generator


def breaks(day: Day, _rng: Rng, _plan: Day) -> None:
    lunch = {"id": "lunch", "earliest_s": 39_600, "latest_s": 48_600, "duration_s": 1800}
    for engineer in day["engineers"]:
        engineer["breaks"] = [lunch]


def parts(day: Day, rng: Rng, _plan: Day) -> None:
    """Three tickets in ten use one of five parts; every van has two of three kinds."""
    for engineer in day["engineers"]:
        engineer["van_stock"] = {f"part{kind}": 2 for kind in rng.choice(5, 3, replace=False)}
    for ticket in day["tickets"]:
        if rng.random() < 0.3:
            ticket["parts"] = {f"part{rng.integers(5)}": 1}


def depots(day: Day, rng: Rng, _plan: Day) -> None:
    """A store at a ticket's site gives every part; one ticket in ten needs a tool one in five has."""
    site = int(rng.integers(len(day["tickets"])))
    day["depots"] = [{"id": "store", "site": site, "duration_s": 600, "open_s": [25_200, 64_800]}]
    for engineer in day["engineers"]:
        engineer["tools"] = ["scope"] if rng.random() < 0.2 else []
    for ticket in day["tickets"]:
        if rng.random() < 0.1:
            ticket["tools"] = ["scope"]


def crews(day: Day, rng: Rng, _plan: Day) -> None:
    for ticket in day["tickets"]:
        if rng.random() < 0.04:
            ticket["crew"] = 2


def precedence(day: Day, rng: Rng, _plan: Day) -> None:
    """One ticket in twenty waits for another whose window opens no later."""
    tickets = day["tickets"]
    for index in rng.choice(len(tickets), len(tickets) // 20, replace=False):
        other = tickets[int(rng.integers(len(tickets)))]
        later = tickets[int(index)]
        if (
            "after" not in other
            and other["id"] != later["id"]
            and other["window_s"][0] < later["window_s"][1] - 7200
        ):
            later["after"] = [other["id"]]


def disruption(day: Day, rng: Rng, plan: Day) -> None:
    """The plan before is known to somebody, moving it has a price, and one engineer in ten is ill."""
    day["weights"]["moved"] = {"planned": 300, "seen": 1000, "promised": 3000}
    starts: dict[str, tuple[str, int]] = {}
    for route in plan["routes"]:
        for stop, start_s in zip(route["stops"], route["start_s"], strict=True):
            if isinstance(stop, str):
                starts.setdefault(stop, (route["engineer"], start_s))
    for ticket in day["tickets"]:
        if ticket["id"] in starts:
            engineer, start_s = starts[ticket["id"]]
            known = ("planned", "seen", "promised")[int(rng.integers(3))]
            ticket["previous"] = {"engineer": engineer, "start_s": start_s, "known": known}
    ill = {engineer["id"] for engineer in day["engineers"][::10]}
    for engineer in day["engineers"]:
        if engineer["id"] in ill:
            engineer["max_visits"] = 0


FEATURES: dict[str, Callable[[Day, Rng, Day], None]] = {
    "breaks": breaks,
    "parts": parts,
    "depots": depots,
    "crews": crews,
    "precedence": precedence,
    "disruption": disruption,
}


def run(
    source: Path | None, seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`source`: one plain scenario file to switch the features on in, instead of the made-up days."""
    limit_s = seconds or SECONDS
    instances: list[dict[str, Any]] = []
    named = {f"{tickets}x{engineers}": (tickets, engineers) for tickets, engineers in SIZES}
    sizes = wanted(named, only) if source is None else [(0, 0)]
    with tempfile.TemporaryDirectory() as folder:
        for number, (tickets, engineers) in enumerate(sizes):
            work = Path(folder) / str(number)
            work.mkdir()
            path = source or CITIES["even"](work, tickets, engineers, SEED)
            day = json.loads(path.read_text())
            matrix = day["travel"]["matrix_s"]
            if source is not None:
                (work / matrix).write_bytes((path.parent / matrix).read_bytes())
            instances += _ladder(day, work, limit_s)
    broken = [instance["name"] for instance in instances if instance["violations"]]
    gaps = [instance["gap"] for instance in instances if instance["gap"] is not None]
    print(
        f"summary features: {len(instances)} days, broken {broken or 'none'}, "
        f"ratio to OR-Tools where it can say the day, mean {1 + float(np.mean(gaps)):.3f}",
        flush=True,
    )
    return {"instances": instances}


def _ladder(day: Day, work: Path, limit_s: float) -> list[dict[str, Any]]:
    rng = np.random.default_rng(SEED)
    before: Result | None = None
    entries = []
    for name in ("plain", *FEATURES):
        if name != "plain" and before is not None and before.plan is not None:
            FEATURES[name](day, rng, before.plan)
        path = work / f"{day['name']}+{name}.json"
        path.write_text(json.dumps(day))
        result = plan_with("paidan", path, limit_s)
        print(result.line(), flush=True)
        peer = plan_with("ortools", path, limit_s) if name in SAID_BY_ORTOOLS else None
        if peer is not None:
            print(peer.line(), flush=True)
        cost = None if before is None else result.total - before.total
        codes = [] if result.verdict is None else [violation.code for violation in result.verdict.violations]
        best = None if peer is None else peer.total
        gap = None if best is None else result.total / best - 1
        entry = {"name": path.stem, "value": result.total, "best": best, "gap": gap, "seconds": limit_s}
        entries.append({**entry, "cost_of_feature": cost, "violations": codes})
        if result.plan is None:
            break
        before = result
    return entries
