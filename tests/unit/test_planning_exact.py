"""OR-Tools' part: proven routes of a few engineers, and batches shared out by flow, both checked against plain trying."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest

from dispatch.planning import layout as col
from dispatch.planning.batch import share_out
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.exact import Proof, best_of, prove
from dispatch.planning.exact_model import Model
from dispatch.planning.insertion import prices
from dispatch.planning.kernel_search import score
from dispatch.planning.outcome import settled_draft
from dispatch.planning.resident import ResidentDay
from dispatch.planning.rows import rows_of
from dispatch.planning.scenario import PlanningError
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from tests.planning_days import random_day


def day_of(folder: Path, seed: int, features: set[str], tickets: int = 14, team: int = 4) -> Day:
    return compile_day(scenario_from_document(random_day(folder, seed, features, tickets, team), folder))


def arrangements(day: Day) -> Iterator[list[list[int]]]:
    """Every way to give visits to two engineers in every order, with one break each wherever there is one."""
    nodes = range(len(day.names.node_ticket))
    for count in range(len(nodes) + 1):
        for chosen in permutations(nodes, count):
            for cut in range(count + 1):
                halves = list(chosen[:cut]), list(chosen[cut:])
                yield from (list(pair) for pair in product(*map(_with_break, halves, day.names.rests)))


def _with_break(row: list[int], rests: tuple[int, ...]) -> list[list[int]]:
    if not row or not rests:
        return [row]
    return [[*row[:k], rests[0], *row[k:]] for k in range(len(row) + 1)]


def least_of_all(day: Day) -> float:
    return min(float(score(day.facts, settled_draft(day, rows))) for rows in arrangements(day))


def proof_of(day: Day, seed: int) -> Proof:
    rows = search_day(day, Effort(iterations=3, seed=seed)).routes
    proof = best_of(day, settled_draft(day, rows), [0, 1], open_most=5, seconds=30.0)
    assert proof is not None
    assert proof.proven
    return proof


MIXES = [
    set[str](),
    {"spread"},
    {"factors", "prefer"},
    {"crews", "spread"},
    {"max_visits"},
    {"parts"},
    {"positions"},
    {"breaks"},
]


@pytest.mark.parametrize("features", MIXES, ids=["+".join(sorted(mix)) or "plain" for mix in MIXES])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_proven_best_is_the_best_of_all(tmp_path: Path, seed: int, features: set[str]) -> None:
    tickets = 3 if "breaks" in features else 4
    day = day_of(tmp_path, seed, features, tickets, team=2)
    proof = proof_of(day, seed)
    assert proof.score == pytest.approx(least_of_all(day), abs=0.5)
    assert proof.score == pytest.approx(float(score(day.facts, settled_draft(day, proof.routes))))


def test_a_model_that_forgets_a_price_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: without the workload spread the proofs are of another objective."""
    monkeypatch.setattr(Model, "_spread", lambda _: [])
    day = day_of(tmp_path, 1, {"spread"}, 4, team=2)
    rows = search_day(day, Effort(iterations=3, seed=1)).routes
    proof = best_of(day, settled_draft(day, rows), [0, 1], open_most=5, seconds=30.0)
    assert proof is not None
    assert not proof.proven or proof.score > least_of_all(day) + 0.5


def test_proofs_make_a_bad_plan_better_and_name_whose_routes_are_best(tmp_path: Path) -> None:
    day = day_of(tmp_path, 2, {"breaks"}, 14)
    rows = search_day(day, Effort(iterations=3, seed=1)).routes
    before = float(score(day.facts, settled_draft(day, rows)))
    proofs = prove(day, rows, 30.0)
    after = settled_draft(day, proofs.routes)
    assert rows_of(after) == proofs.routes
    assert float(score(day.facts, after)) == pytest.approx(before - proofs.spared)
    assert proofs.spared > 0
    busy = {name for name, row in zip(day.names.engineers, proofs.routes, strict=True) if row}
    assert {name for team in proofs.proven for name in team} <= busy
    again = prove(day, proofs.routes, 30.0)
    assert again.routes == proofs.routes
    assert again.spared == 0


def test_a_route_the_model_cannot_say_is_left_alone(tmp_path: Path) -> None:
    day = day_of(tmp_path, 1, {"crews", "hours"})
    rows = search_day(day, Effort(iterations=50)).routes
    draft = settled_draft(day, rows)
    assert all(best_of(day, draft, [m]) is None for m in range(4))
    assert prove(day, rows, 1.0).routes == rows


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
