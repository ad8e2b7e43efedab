"""OR-Tools' part: proven orders of single routes, and batches shared out by flow, both checked against plain trying."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from dispatch.planning import layout as col
from dispatch.planning.batch import share_out
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.draft import rows_of
from dispatch.planning.exact import best_order
from dispatch.planning.insertion import prices
from dispatch.planning.outcome import settled_draft
from dispatch.planning.resident import ResidentDay
from dispatch.planning.scenario import PlanningError
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from tests.planning_days import random_day


def day_of(folder: Path, seed: int, features: set[str], tickets: int = 14) -> Day:
    return compile_day(scenario_from_document(random_day(folder, seed, features, tickets), folder))


@pytest.mark.parametrize("features", [set[str](), {"breaks"}])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_proven_order_is_the_best_of_all_orders(tmp_path: Path, seed: int, features: set[str]) -> None:
    day = day_of(tmp_path, seed, features)
    rows = search_day(day, Effort(iterations=3, seed=seed)).routes
    draft = settled_draft(day, rows)
    compared = 0
    for m, row in enumerate(rows):
        proof = best_order(day, draft, m, seconds=20.0)
        if proof is None or not proof.proven or len(row) > 6:
            continue
        best = float("inf")
        for order in permutations(row):
            trial = settled_draft(day, [list(order) if k == m else r for k, r in enumerate(rows)])
            if rows_of(trial)[m] == list(order):  # else something in that order cannot stand
                best = min(best, float(trial.cost[m]))
        assert proof.cost == pytest.approx(best, abs=0.5)
        compared += 1
    assert compared > 0


def test_a_route_the_model_cannot_say_is_left_alone(tmp_path: Path) -> None:
    day = day_of(tmp_path, 1, {"crews", "hours"})
    draft = settled_draft(day, search_day(day, Effort(iterations=50)).routes)
    assert all(best_order(day, draft, m) is None for m in range(4))


def test_a_batch_goes_where_it_costs_least_in_all(tmp_path: Path) -> None:
    day = day_of(tmp_path, 5, set())
    draft = settled_draft(day, [[] for _ in range(4)])
    shared = share_out(day, draft, [0, 1, 2])
    paid = {t: prices(day, draft, t)[0] for t in range(3)}
    own = [float(day.facts.price[t, col.UNSERVED]) for t in range(3)]

    def total(choice: tuple[int | None, ...]) -> float:
        return sum(own[t] if m is None else float(paid[t][m]) for t, m in enumerate(choice))

    options = [
        (a, b, c)
        for a in (None, 0, 1, 2, 3)
        for b in (None, 0, 1, 2, 3)
        for c in (None, 0, 1, 2, 3)
        if len({m for m in (a, b, c) if m is not None}) == sum(m is not None for m in (a, b, c))
    ]
    found = tuple(shared.get(t) for t in range(3))
    assert total(found) == pytest.approx(min(total(option) for option in options), abs=0.1)
    assert rows_of(draft) == [[], [], [], []]


def test_a_batch_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    day = day_of(tmp_path, 5, set())
    with pytest.raises(PlanningError, match="batch_too_large"):
        share_out(day, settled_draft(day, [[] for _ in range(4)]), [0] * 5001)


def test_a_resident_day_offers_places_that_hold(tmp_path: Path) -> None:
    document = random_day(tmp_path, 3, {"breaks"})
    resident = ResidentDay(scenario_from_document(document, tmp_path))
    before = resident.plan().score["total"]
    first = resident.candidates("T1")[0]
    resident.place("T1", first)
    unserved = resident_price(document, "T1")
    assert resident.plan().score["total"] == pytest.approx(before + first.cost - unserved, abs=0.1)
    assert resident.candidates("T1")[0] == first
    with pytest.raises(PlanningError, match="place_taken"):
        resident.place("T1", first)
    resident.take("T1")
    assert resident.plan().score["total"] == pytest.approx(before)


def resident_price(document: dict[str, Any], ticket: str) -> float:
    priority = next(t["priority"] for t in document["tickets"] if t["id"] == ticket)
    return {"urgent": 40000.0, "high": 20000.0, "normal": 10000.0, "low": 5000.0}[priority]
