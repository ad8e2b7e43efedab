"""`bench batch [NYC311.csv]`: tickets that wait matched together, beside one by one in the order they came.

Two backlogs, the same prices, the same referee: a morning in the demo city, and a day of New York's 311 requests
(the shipped excerpt, or a file of yours). Engineers, hours and speeds are made up; tickets of one priority count alike.
"""

from __future__ import annotations

import csv
import json
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from api.command_line.demo_city import _SKILLS_OF, WORK_TYPES
from dispatch.planning.batch import share_day
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.insertion import price_insertions, prices, put
from dispatch.planning.outcome import plan_of, settled_draft
from dispatch.planning.plan_file import plan_document
from dispatch.planning.referee import judge
from dispatch.planning.rows import Routes, rows_of
from dispatch.planning.scenario_file import scenario_from_document
from geo.demo_city import make_city
from tests.bench.cities import PRIORITIES, WEIGHTS
from tests.bench.engine import wanted

EXCERPT = Path("tests/data/nyc311-50.csv")
MAPPING = Path("api/command_line/mappings/nyc311.toml")
SEED = 7701
DEMO_TICKETS, DEMO_ENGINEERS = 300, 48
#: Tickets an engineer at this backlog: more than a day holds, so that it matters who gets what.
TICKETS_EACH = 9


def run(
    source: Path | None, _seconds: float | None, _results: Path, only: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`source`: a CSV of 311 requests. `value` is the batch's score, `best` the score one by one."""
    with tempfile.TemporaryDirectory() as folder:
        days = [demo_day(Path(folder)), nyc_day(source or EXCERPT)]
        named = {document["name"]: document for document in days}
        return {"instances": [_measure(document) for document in wanted(named, only)]}


def demo_day(folder: Path) -> dict[str, Any]:
    """Work of the demo's types at addresses of its city, for engineers with the skills of its company."""
    make_city(folder, 7)
    addresses = json.loads((folder / "addresses.json").read_text())
    rng = np.random.default_rng(SEED)
    at = [addresses[i] for i in rng.choice(len(addresses), DEMO_TICKETS + DEMO_ENGINEERS)]
    jobs = []
    for number in range(DEMO_TICKETS):
        kind = WORK_TYPES[int(rng.integers(len(WORK_TYPES)))]
        jobs.append(_job(rng, number, kind.duration_min, dict(kind.skills)))
    crew = [
        _engineer(rng, number, DEMO_TICKETS + number, dict(_SKILLS_OF[number % len(_SKILLS_OF)]))
        for number in range(DEMO_ENGINEERS)
    ]
    return _document("demo_city", [[a["lon"], a["lat"]] for a in at], jobs, crew)


def nyc_day(file: Path) -> dict[str, Any]:
    """The requests with a position, as the shipped mapping reads them; homes are at requests' sites too."""
    mapping = tomllib.loads(MAPPING.read_text())
    kinds = {word.lower(): kind for kind in mapping["work_types"].values() for word in kind.get("words", ())}
    otherwise = mapping["work_types"][mapping["otherwise"]]
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = [row for row in csv.DictReader(lines) if row["Latitude"] and row["Longitude"]]
    rng = np.random.default_rng(SEED)
    skills = sorted(mapping["skills"])
    sites = [[float(row["Longitude"]), float(row["Latitude"])] for row in rows]
    jobs = []
    for number, row in enumerate(rows):
        kind = kinds.get(row["Complaint Type"].lower(), otherwise)
        jobs.append(_job(rng, number, kind["duration_min"], dict(kind.get("skills", {}))))
    team = max(4, len(rows) // TICKETS_EACH)
    crew = []
    for number in range(team):
        held = rng.choice(skills, 4, replace=False)
        sites.append(sites[int(rng.integers(len(rows)))])
        levels = {str(skill): int(rng.integers(1, 4)) for skill in held}
        crew.append(_engineer(rng, number, len(rows) + number, levels))
    return _document(f"nyc311_{len(rows)}", sites, jobs, crew)


def _job(rng: np.random.Generator, number: int, minutes: int, skills: dict[str, int]) -> dict[str, Any]:
    priority = int(rng.choice(4, p=[0.1, 0.2, 0.4, 0.3]))
    job: dict[str, Any] = {
        "id": f"T{number}",
        "site": number,
        "duration_s": minutes * 60,
        "priority": PRIORITIES[priority],
        "skills": skills,
        "window_s": [28_800, 68_400],
    }
    if priority <= 1:
        job["due_s"] = int(rng.integers(10, 15)) * 3600
    return job


def _engineer(rng: np.random.Generator, number: int, site: int, skills: dict[str, int]) -> dict[str, Any]:
    start_s = int(rng.choice([7, 8, 8, 9])) * 3600
    return {
        "id": f"E{number}",
        "start": site,
        "end": site,
        "shift_s": [start_s, start_s + 8 * 3600],
        "skills": skills,
    }


def _document(
    name: str, places: list[list[float]], jobs: list[dict[str, Any]], crew: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "format": "paidan-scenario/1",
        "name": name,
        "travel": {"positions": places, "speed_kmh": 25, "detour": 1.3, "fixed_s": 180},
        "weights": WEIGHTS,
        "limits": {"overtime_s": 3600},
        "engineers": crew,
        "tickets": jobs,
    }


def one_by_one(day: Day) -> Routes:
    """Each ticket to the cheapest place of its moment, where that is better than leaving it open."""
    draft = settled_draft(day, [[] for _ in day.names.engineers])
    for t in range(len(day.scenario.tickets)):
        best = price_insertions(day, draft, t, 1)
        open_price = day.scenario.weights.unserved[day.scenario.tickets[t].priority]
        if best and best[0].cost < open_price:
            _, place, _ = prices(day, draft, t)
            put(day, draft, t, best[0].engineer, int(place[best[0].engineer]))
    return rows_of(draft)


def together(day: Day) -> Routes:
    """All of them by rounds of the flow."""
    return share_day(day, [[] for _ in day.names.engineers], range(len(day.scenario.tickets)))


def _measure(document: dict[str, Any]) -> dict[str, Any]:
    day = compile_day(scenario_from_document(document, Path(".")))
    found: dict[str, tuple[float, int, float, float]] = {}
    for name, way in (("one by one", one_by_one), ("together", together)):
        began = time.perf_counter()
        routes = way(day)
        took_s = time.perf_counter() - began
        plan = plan_of(day, settled_draft(day, routes))
        verdict = judge(document, plan_document(plan), Path("."))
        assert not verdict.violations, verdict.violations[:3]
        travel_h = verdict.parts["travel"] / 3600
        found[name] = (verdict.total, len(plan.unassigned), travel_h, took_s)
    alone, batch = found["one by one"], found["together"]
    better = 1 - batch[0] / alone[0]
    count = len(document["tickets"])
    for name, (score, left, travel_h, took_s) in found.items():
        print(
            f"{document['name']:12} {name:10}  score {score:12,.0f}  open {left:4} of {count}  "
            f"travel {travel_h:6.1f} h  {took_s:6.2f} s",
            flush=True,
        )
    print(f"{document['name']:12} together is better by {better:.1%}", flush=True)
    return {
        "name": document["name"],
        "value": batch[0],
        "best": alone[0],
        "gap": -better,
        "seconds": batch[3],
        "open": batch[1],
        "open_one_by_one": alone[1],
    }
