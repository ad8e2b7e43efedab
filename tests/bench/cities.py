"""Made-up dispatch days of two kinds of city, as `paidan-scenario/1`: the same seed gives the same day.

`even` scatters work over town centres of one size. `belts` has a dense slow old town, an industrial belt
with long morning jobs of its own trades, suburbs, and appointments in clusters. Sites: tickets first, then
homes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Floats = NDArray[np.float64]
Jobs = list[dict[str, Any]]
Drive = Callable[[], NDArray[np.int32]]
PRIORITIES = ("urgent", "high", "normal", "low")
WEIGHTS = {
    "travel_s": 1,
    "overtime_s": 2,
    "late_s": {"urgent": 4, "high": 2, "normal": 1, "low": 0.5},
    "unserved": {"urgent": 40000, "high": 20000, "normal": 10000, "low": 5000},
}
TRADES = (0.25, 0.18, 0.15, 0.12, 0.1, 0.08, 0.07, 0.05)
DAY_S = (25_200, 68_400)  # visits start between 07:00 and 19:00
QUARTER_S = 900
MATRIX_SITES = 4_000  # above this a day carries positions, not a table
CENTRE_LON_LAT = (120.15, 30.27)
METRES_PER_DEGREE = 111_195.0


def write_even(folder: Path, tickets: int, engineers: int, seed: int) -> Path:
    """The scenario file of an `even` city: at ten tickets an engineer their shifts are full with driving."""
    rng = np.random.default_rng([seed, 1])
    radius_km = 30.0 if engineers <= 60 else 45.0
    towns = max(5, int(np.sqrt(tickets) / 1.5))
    centres = rng.uniform(0, radius_km, (towns, 2))
    at = centres[rng.choice(towns, tickets, p=rng.dirichlet(np.full(towns, 2.0)))]
    at = at + rng.normal(0, radius_km / 18, (tickets, 2))
    scattered = rng.random(tickets) < 0.25
    at[scattered] = rng.uniform(0, radius_km, (int(scattered.sum()), 2))
    homes = rng.uniform(0, radius_km, (engineers, 2))
    jobs = [_even_ticket(rng, index) for index in range(tickets)]
    crew = _engineers(rng, engineers, tickets, np.arange(engineers) * 0)
    places = np.vstack([at, homes])
    name = f"even_{tickets}x{engineers}_s{seed}"
    return _write(folder, name, places, crew=crew, jobs=jobs, drive=lambda: _flat_drive(rng, places))


def write_belts(folder: Path, tickets: int, engineers: int, seed: int) -> Path:
    """The scenario file of a `belts` city: a third of the work in the old town, a quarter in the belt."""
    rng = np.random.default_rng([seed, 2])
    scale = np.sqrt(max(engineers, 10) / 50)
    quarter = rng.choice(3, tickets, p=[0.35, 0.25, 0.4])
    at = np.array([_belt_place(rng, int(q), scale) for q in quarter])
    home_quarter = rng.choice(3, engineers, p=[0.2, 0.1, 0.7])
    homes = np.array([_belt_place(rng, int(q), scale) for q in home_quarter])
    peaks = rng.choice(np.arange(8 * 4, 17 * 4), max(4, tickets // 25)) * QUARTER_S
    jobs = [_belt_ticket(rng, index, int(quarter[index]), peaks) for index in range(tickets)]
    crew = _engineers(rng, engineers, tickets, rng.random(engineers) < 0.25)
    places = np.vstack([at, homes])
    name = f"belts_{tickets}x{engineers}_s{seed}"
    ring_km = 4.0 * scale
    return _write(folder, name, places, crew=crew, jobs=jobs, drive=lambda: _ring_drive(rng, places, ring_km))


CITIES: dict[str, Callable[[Path, int, int, int], Path]] = {"even": write_even, "belts": write_belts}


def _even_ticket(rng: Rng, index: int) -> dict[str, Any]:
    minutes = rng.choice([15, 20, 30, 45, 60, 90], p=[0.2, 0.2, 0.25, 0.2, 0.1, 0.05])
    priority = int(rng.choice(4, p=[0.1, 0.2, 0.4, 0.3]))
    trade, level = int(rng.choice(8, p=TRADES)), int(rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15]))
    job = _job(index, int(minutes) * 60, priority, trade, level)
    kind = rng.random()
    if kind < 0.4:
        opens = int(rng.integers(8 * 4, 15 * 4)) * QUARTER_S
        job["window_s"] = [opens, opens + int(rng.choice([7200, 10800, 14400]))]
        return job
    due = [int(rng.integers(9 * 4, 17 * 4)) * QUARTER_S] if kind < 0.85 else []
    if priority <= 1:
        due.append(int(rng.integers(9 * 4, 14 * 4)) * QUARTER_S)
    if due:
        job["due_s"] = min(due)
    return job


def _belt_ticket(rng: Rng, index: int, quarter: int, peaks: NDArray[np.int64]) -> dict[str, Any]:
    """Old town: short, often by appointment. Belt: long, mornings, trades 5-7. Suburbs: in between."""
    choices = ([10, 15, 20, 30, 45], [45, 60, 90, 120], [15, 20, 30, 45, 60])[quarter]
    trade = (
        int(rng.choice([5, 6, 7, 0], p=[0.3, 0.3, 0.2, 0.2]))
        if quarter == 1
        else int(rng.choice(8, p=TRADES))
    )
    priority = int(rng.choice(4, p=[0.12, 0.18, 0.4, 0.3]))
    job = _job(
        index, int(rng.choice(choices)) * 60, priority, trade, int(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    )
    if rng.random() < (0.5, 0.25, 0.35)[quarter]:
        peak = int(rng.choice(peaks)) if quarter != 1 else int(rng.integers(7 * 4, 11 * 4)) * QUARTER_S
        opens = peak + int(rng.integers(-2, 3)) * QUARTER_S
        job["window_s"] = [opens, opens + int(rng.choice([3600, 7200, 10800]))]
    elif rng.random() < 0.75 or priority <= 1:
        hours = (9, 13) if priority <= 1 else (10, 18)
        job["due_s"] = int(rng.integers(hours[0] * 4, hours[1] * 4)) * QUARTER_S
    return job


def _job(index: int, duration_s: int, priority: int, trade: int, level: int) -> dict[str, Any]:
    return {
        "id": f"T{index}",
        "site": index,
        "duration_s": duration_s,
        "priority": PRIORITIES[priority],
        "skills": {f"skill{trade}": level},
        "window_s": list(DAY_S),
    }


def _engineers(rng: Rng, count: int, first_site: int, belt: NDArray[Any]) -> list[dict[str, Any]]:
    """Two to four trades each, the belt's people all of its trades; somebody knows each at level 3."""
    crew = []
    for index in range(count):
        trades = rng.choice(8, int(rng.integers(2, 5)), replace=False, p=TRADES)
        held = {*map(int, trades), *((5, 6, 7) if belt[index] else ())}
        skills = {f"skill{trade}": int(rng.choice([1, 2, 3], p=[0.3, 0.4, 0.3])) for trade in sorted(held)}
        starts_s = int(rng.choice([7, 8, 8, 8, 9, 10])) * 3600
        site = first_site + index
        shift = [starts_s, starts_s + 8 * 3600]
        crew.append({"id": f"E{index}", "start": site, "end": site, "shift_s": shift, "skills": skills})
    for trade in range(8):
        if all(engineer["skills"].get(f"skill{trade}", 0) < 3 for engineer in crew):
            crew[int(rng.integers(count))]["skills"][f"skill{trade}"] = 3
    return crew


def _belt_place(rng: Rng, quarter: int, scale: float) -> Floats:
    """Kilometres from the middle: the old town within 4, the belt an arc at 9 to 12, suburbs out to 24."""
    if quarter == 0:
        return np.clip(rng.normal(0, 1.6, 2), -4, 4) * scale
    angle = rng.uniform(-0.4, 1.6) if quarter == 1 else rng.uniform(0, 2 * np.pi)
    away_km = rng.uniform(9, 12) if quarter == 1 else rng.uniform(6, 24)
    return np.array([np.cos(angle), np.sin(angle)]) * away_km * scale


def _flat_drive(rng: Rng, places: Floats) -> NDArray[np.int32]:
    """32 km/h on 1.3 times the straight line, two minutes to set off, up to 12% more either way."""
    apart_km = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) * 1.3
    seconds = apart_km / 32 * 3600 * (1 + rng.uniform(0, 0.12, apart_km.shape)) + 120
    return _whole(seconds)


def _ring_drive(rng: Rng, places: Floats, ring_km: float) -> NDArray[np.int32]:
    """18 km/h inside the ring, 45 outside, each half of a trip at its end's pace; 3 minutes to park."""
    inside = np.hypot(places[:, 0], places[:, 1]) < ring_km
    pace_s_per_km = np.where(inside, 3600 / 18, 3600 / 45)
    apart_km = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) * 1.35
    seconds = (
        apart_km
        * (pace_s_per_km[:, None] + pace_s_per_km[None])
        / 2
        * (1 + rng.uniform(0, 0.15, apart_km.shape))
    )
    return _whole(seconds + np.where(inside, 180, 60)[None])


def _whole(seconds: Floats) -> NDArray[np.int32]:
    np.fill_diagonal(seconds, 0)
    return np.rint(seconds).astype(np.int32)


def _write(folder: Path, name: str, places: Floats, *, crew: Jobs, jobs: Jobs, drive: Drive) -> Path:
    if len(places) <= MATRIX_SITES:
        np.save(folder / f"{name}.npy", drive())
        travel: dict[str, Any] = {"matrix_s": f"{name}.npy"}
    else:
        metres_per_lon = METRES_PER_DEGREE * np.cos(np.radians(CENTRE_LON_LAT[1]))
        degrees = places * 1000 / np.array([metres_per_lon, METRES_PER_DEGREE]) + np.array(CENTRE_LON_LAT)
        travel = {"positions": degrees.round(6).tolist(), "speed_kmh": 32, "detour": 1.3, "fixed_s": 120}
    document = {
        "format": "paidan-scenario/1",
        "name": name,
        "travel": travel,
        "weights": WEIGHTS,
        "limits": {"overtime_s": 3600},
        "engineers": crew,
        "tickets": jobs,
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document))
    return path
