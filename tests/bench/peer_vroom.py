"""VROOM: skills and levels as its skills, omission as its priorities.

It has neither soft due times nor overtime, so several models of the day are solved one after the other
while time is left and the referee picks the best: due times as hard window ends for all, for the dear ones
or for nobody, shifts with and without the overtime allowed; what stays unserved is tried again with its
whole window.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import vroom
from numpy.typing import NDArray

from tests.bench.peer import Best, Instance, Routes

EXPLORATION = 5
LARGE_EXPLORATION = 0  # above LARGE tickets: the more searches it shares its time between, the worse it gets
LARGE = 1000
MODELS = (("all", 0), ("all", 1), ("dear", 1), ("none", 1), ("dear", 0), ("none", 0))


def solve(instance: Instance, best: Best, _seed: int) -> None:
    """VROOM is deterministic: the seed changes nothing."""
    best.keep({})
    for kept_due, overtime in MODELS:
        latest_s = _latest_s(instance, kept_due)
        for _again in range(3):
            if best.left_s() < 0.2:
                return
            routes = _run(instance, latest_s, overtime * instance.overtime_limit_s, best.left_s())
            best.offer(routes)
            served = {name for stops in routes.values() for name in stops}
            missing = np.array([ticket["id"] not in served for ticket in instance.tickets])
            wider = np.where(missing, instance.latest_s, latest_s)
            if (wider == latest_s).all():
                break
            latest_s = wider


def _latest_s(instance: Instance, kept_due: str) -> NDArray[np.int64]:
    due_s = np.minimum(instance.latest_s, np.maximum(instance.earliest_s, instance.due_s))
    if kept_due == "all":
        return due_s
    if kept_due == "none":
        return instance.latest_s
    return np.where(instance.late_per_s >= 2, due_s, instance.latest_s)


def _run(instance: Instance, latest_s: NDArray[np.int64], overtime_s: int, seconds: float) -> Routes:
    problem = vroom.Input()
    problem.set_durations_matrix("car", instance.drive_s)
    numbers: dict[tuple[str, int], int] = {}
    for index, engineer in enumerate(instance.engineers):
        held = {
            numbers.setdefault((name, level), len(numbers))
            for name, top in engineer["skills"].items()
            for level in range(1, top + 1)
        }
        begin, end = engineer["shift_s"]
        problem.add_vehicle(
            vroom.Vehicle(
                index,
                start=engineer["start"],
                end=engineer["end"],
                skills=held,
                time_window=(begin, end + overtime_s),
            )
        )
    dearest = instance.unserved.max()
    for index, ticket in enumerate(instance.tickets):
        needed = {numbers.setdefault(pair, len(numbers)) for pair in ticket.get("skills", {}).items()}
        problem.add_job(
            vroom.Job(
                index,
                location=ticket["site"],
                default_service=ticket["duration_s"],
                skills=needed,
                priority=round(100 * float(instance.unserved[index] / dearest)),
                time_windows=[(int(instance.earliest_s[index]), int(latest_s[index]))],
            )
        )
    limit = timedelta(milliseconds=max(1, int(seconds * 1000)))
    answer = problem.solve(
        exploration_level=LARGE_EXPLORATION if len(instance.tickets) > LARGE else EXPLORATION,
        nb_threads=1,
        timeout=limit,
    ).to_dict()
    return {
        instance.engineers[route["vehicle"]]["id"]: [
            instance.tickets[step["id"]]["id"] for step in route["steps"] if step["type"] == "job"
        ]
        for route in answer["routes"]
    }
