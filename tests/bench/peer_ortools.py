"""OR-Tools routing: everything of the plain format can be said exactly.

Skills restrict the vehicle variable, omission is a disjunction's penalty, lateness and overtime are soft
upper bounds, every engineer leaves at the start of the shift. Costs are doubled so that half a point a
second is whole. Breaks are break intervals between visits, parts without a depot a dimension for each kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from tests.bench.peer import Best, Instance, Routes

DOUBLE = 2
LARGE = 1000  # tickets above which the parallel insertion finds no first plan in half a minute
FIRST = routing_enums_pb2.FirstSolutionStrategy
SEARCH = routing_enums_pb2.LocalSearchMetaheuristic


@dataclass(frozen=True)
class Model:
    """The routing model with its time dimension and the break intervals of each engineer."""

    manager: pywrapcp.RoutingIndexManager
    routing: pywrapcp.RoutingModel
    time: pywrapcp.RoutingDimension
    rests: list[list[Any]]


def solve(instance: Instance, best: Best, _seed: int) -> None:
    """Guided local search from the cheapest insertion; it has no seed."""
    best.keep({})
    model = build(instance)
    routing = model.routing

    def remember() -> None:
        nonlocal cheapest
        cost = routing.CostVar().Min()
        if cost < cheapest:
            cheapest = cost
            found.clear()
            found.update(_routes(instance, model))

    cheapest = float("inf")
    found: Routes = {}
    routing.AddAtSolutionCallback(remember)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    large = len(instance.tickets) > LARGE
    first = FIRST.LOCAL_CHEAPEST_INSERTION if large else FIRST.PARALLEL_CHEAPEST_INSERTION
    parameters.first_solution_strategy = first
    parameters.local_search_metaheuristic = SEARCH.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(max(100, int(best.left_s() * 1000) - 300))
    routing.SolveWithParameters(parameters)
    best.offer(dict(found))


def build(instance: Instance) -> Model:
    """The model with its time dimension; node t is ticket t, then a start and an end for each engineer."""
    tickets, engineers = instance.tickets, instance.engineers
    count = len(tickets)
    sites = [ticket["site"] for ticket in tickets]
    starts = [count + 2 * index for index in range(len(engineers))]
    for engineer in engineers:
        sites += [engineer["start"], engineer["end"]]
    manager = pywrapcp.RoutingIndexManager(len(sites), len(engineers), starts, [node + 1 for node in starts])
    routing = pywrapcp.RoutingModel(manager)
    drive = instance.drive_s[np.ix_(sites, sites)]
    serve = np.array([*(ticket["duration_s"] for ticket in tickets), *[0] * (2 * len(engineers))])
    weights = instance.document["weights"]
    cost = (drive * int(weights["travel_s"] * DOUBLE)).tolist()
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(cost))
    transit = routing.RegisterTransitMatrix((drive + serve[:, None]).tolist())
    horizon = int(instance.latest_s.max() + 2 * drive.max() + serve.max() + instance.overtime_limit_s)
    routing.AddDimension(transit, horizon, horizon, False, "time")
    time = routing.GetDimensionOrDie("time")
    for index, ticket in enumerate(tickets):
        node = manager.NodeToIndex(index)
        routing.AddDisjunction([node], int(instance.unserved[index] * DOUBLE))
        able = [int(engineer) for engineer in np.flatnonzero(instance.able[:, index])]
        routing.VehicleVar(node).SetValues([-1, *able])
        time.CumulVar(node).SetRange(int(instance.earliest_s[index]), int(instance.latest_s[index]))
        if "due_s" in ticket:
            price = int(instance.late_per_s[index] * DOUBLE)
            time.SetCumulVarSoftUpperBound(node, int(ticket["due_s"]), price)
    for index, engineer in enumerate(engineers):
        begin, end = engineer["shift_s"]
        time.CumulVar(routing.Start(index)).SetValue(begin)
        last = routing.End(index)
        time.CumulVar(last).SetRange(begin, end + instance.overtime_limit_s)
        time.SetCumulVarSoftUpperBound(last, end, int(weights["overtime_s"] * DOUBLE))
        routing.AddVariableMinimizedByFinalizer(time.CumulVar(last))
    _say_parts(instance, routing, count)
    rests = _say_breaks(
        instance, routing, time, [int(serve[manager.IndexToNode(i)]) for i in range(routing.Size())]
    )
    return Model(manager, routing, time, rests)


def _say_parts(instance: Instance, routing: pywrapcp.RoutingModel, count: int) -> None:
    kinds = {kind for ticket in instance.tickets for kind in ticket.get("parts", {})}
    for kind in sorted(kinds):
        used = [ticket.get("parts", {}).get(kind, 0) for ticket in instance.tickets]
        taken = routing.RegisterUnaryTransitVector(used + [0] * (2 * len(instance.engineers)))
        stock = [engineer.get("van_stock", {}).get(kind, 0) for engineer in instance.engineers]
        routing.AddDimensionWithVehicleCapacity(taken, 0, stock, True, f"part {kind}")


def _say_breaks(
    instance: Instance, routing: pywrapcp.RoutingModel, time: pywrapcp.RoutingDimension, serve: list[int]
) -> list[list[Any]]:
    every = []
    for index, engineer in enumerate(instance.engineers):
        rests = [
            routing.solver().FixedDurationIntervalVar(
                rest["earliest_s"], rest["latest_s"], rest["duration_s"], False, rest["id"]
            )
            for rest in engineer.get("breaks", [])
        ]
        every.append(rests)
        if rests:
            time.SetBreakIntervalsOfVehicle(rests, index, serve)
    return every


def _routes(instance: Instance, model: Model) -> Routes:
    """The routes of the solution at hand, each break before the first visit that starts after it."""
    routes: Routes = {}
    for index, engineer in enumerate(instance.engineers):
        rests = sorted((rest.StartMin(), rest.Name()) for rest in model.rests[index])
        stops: list[Any] = []
        node = model.routing.NextVar(model.routing.Start(index)).Value()
        while not model.routing.IsEnd(node):
            while rests and rests[0][0] <= model.time.CumulVar(node).Min():
                stops.append({"break": rests.pop(0)[1]})
            stops.append(instance.tickets[model.manager.IndexToNode(node)]["id"])
            node = model.routing.NextVar(node).Value()
        routes[engineer["id"]] = stops + [{"break": name} for _, name in rests] if stops else []
    return routes
