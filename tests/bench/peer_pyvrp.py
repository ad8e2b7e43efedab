"""PyVRP: own starts and ends, overtime, priced omission as prizes, skills as routing profiles.

An engineer is a vehicle type that leaves at the start of the shift; overtime is PyVRP's own. Whoever lacks
a skill has a profile in which the way to such a ticket costs FORBIDDEN; where those matrices would not fit
the memory, skills are load dimensions of which the unskilled have no capacity. Due times become hard window
ends, which tried better than client groups with one client for each band of lateness. In the second half of
the time what stayed unserved gets its whole window, at a prize less the lateness to expect, starting from
the first half's routes; the referee picks.
"""

from __future__ import annotations

import numpy as np
import pyvrp
from numpy.typing import NDArray
from pyvrp.stop import MaxRuntime

from tests.bench.peer import Best, Instance, Routes

FORBIDDEN = 1_000_000
PROFILE_BYTES = 2 * 10**9
EXPECTED_LATE_S = 1800
Windows = list[tuple[int, int, int]]


def solve(instance: Instance, best: Best, seed: int) -> None:
    best.keep({})
    windows = _cut_at_due(instance)
    matrices, profile = _profiles(instance)
    data = _model(instance, windows, matrices, profile)
    first = pyvrp.solve(data, MaxRuntime(max(0.1, best.left_s() / 2)), seed=seed, collect_stats=False).best
    best.offer(_routes(instance, first))
    if best.left_s() < 0.5:
        return
    visited = [[a.idx for a in route if a.is_client()] for route in first.routes()]
    kinds = [route.vehicle_type() for route in first.routes()]
    wider = _model(instance, _widen(instance, windows, visited), matrices, profile)
    routes = [pyvrp.Route(wider, visits, kind) for visits, kind in zip(visited, kinds, strict=True)]
    start = pyvrp.Solution(wider, routes)
    left = MaxRuntime(max(0.1, best.left_s() - 0.3))
    second = pyvrp.solve(wider, left, seed=seed, collect_stats=False, initial_solution=start).best
    best.offer(_routes(instance, second))


def _cut_at_due(instance: Instance) -> Windows:
    """(earliest start, latest start, prize) of each ticket, a due time being its window's end."""
    ends = np.minimum(instance.latest_s, np.maximum(instance.earliest_s, instance.due_s))
    columns = (instance.earliest_s, ends, instance.unserved)
    return [(int(early), int(late), int(prize)) for early, late, prize in zip(*columns, strict=True)]


def _widen(instance: Instance, windows: Windows, visited: list[list[int]]) -> Windows:
    served = {index for visits in visited for index in visits}
    whole = instance.latest_s
    less = instance.late_per_s * EXPECTED_LATE_S
    return [
        (early, late, prize)
        if index in served or late == whole[index]
        else (early, int(whole[index]), max(1, int(prize - less[index])))
        for index, (early, late, prize) in enumerate(windows)
    ]


def _profiles(instance: Instance) -> tuple[list[NDArray[np.int64]], list[int]]:
    """A matrix for each different set of tickets engineers may serve, and whose is which; or one for all."""
    kinds = {able.tobytes(): index for index, able in enumerate(np.unique(instance.able, axis=0))}
    if len(kinds) * instance.drive_s.nbytes > PROFILE_BYTES:
        return [instance.drive_s], [0] * len(instance.engineers)
    sites = np.array([ticket["site"] for ticket in instance.tickets])
    matrices = []
    for able in np.unique(instance.able, axis=0):
        matrix = instance.drive_s.copy()
        matrix[:, sites[~able]] = FORBIDDEN
        np.fill_diagonal(matrix, 0)
        matrices.append(matrix)
    return matrices, [kinds[able.tobytes()] for able in instance.able]


def _model(
    instance: Instance, windows: Windows, matrices: list[NDArray[np.int64]], profile: list[int]
) -> pyvrp.ProblemData:
    needs = sorted({pair for ticket in instance.tickets for pair in ticket.get("skills", {}).items()})
    if len(matrices) > 1:
        needs = []
    clients = [
        pyvrp.Client(
            location=ticket["site"],
            delivery=[int(ticket.get("skills", {}).get(name) == level) for name, level in needs] or [0],
            service_duration=ticket["duration_s"],
            tw_early=early_s,
            tw_late=late_s,
            prize=prize,
            required=False,
        )
        for ticket, (early_s, late_s, prize) in zip(instance.tickets, windows, strict=True)
    ]
    depots, vehicles = _fleet(instance, needs, profile)
    locations = [pyvrp.Location(0, 0) for _ in range(len(instance.drive_s))]
    return pyvrp.ProblemData(locations, clients, depots, vehicles, matrices, matrices)


def _fleet(
    instance: Instance, needs: list[tuple[str, int]], profile: list[int]
) -> tuple[list[pyvrp.Depot], list[pyvrp.VehicleType]]:
    depots: list[pyvrp.Depot] = []
    vehicles: list[pyvrp.VehicleType] = []
    for index, engineer in enumerate(instance.engineers):
        begin, end = engineer["shift_s"]
        able = [len(instance.tickets) * (engineer["skills"].get(name, 0) >= level) for name, level in needs]
        depots += [pyvrp.Depot(engineer["start"]), pyvrp.Depot(engineer["end"])]
        vehicles.append(
            pyvrp.VehicleType(
                capacity=able or [0],
                start_depot=len(depots) - 2,
                end_depot=len(depots) - 1,
                tw_early=begin,
                start_late=begin,
                tw_late=end + instance.overtime_limit_s,
                shift_duration=end - begin,
                max_overtime=instance.overtime_limit_s,
                unit_overtime_cost=int(instance.document["weights"]["overtime_s"]),
                profile=profile[index],
            )
        )
    return depots, vehicles


def _routes(instance: Instance, solution: pyvrp.Solution) -> Routes:
    routes: Routes = {}
    for route in solution.routes():
        engineer = instance.engineers[route.vehicle_type()]
        visits = [activity.idx for activity in route if activity.is_client()]
        routes[engineer["id"]] = [instance.tickets[visit]["id"] for visit in visits]
    return routes
