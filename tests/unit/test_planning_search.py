"""The engine's own sums are the referee's on random days, feature by feature; its plans break no hard rule."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.planning import layout as col
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.draft import empty_draft
from dispatch.planning.insertion import price_insertions, prices
from dispatch.planning.kernel_edit import take_out
from dispatch.planning.kernel_recreate import cheapest_rich
from dispatch.planning.kernel_search import search
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import plan_of, routes_from_plan, score_parts, settled_draft
from dispatch.planning.plan_file import plan_document, plan_from_document
from dispatch.planning.reasons import explain_assignments, explain_unassigned, put_back
from dispatch.planning.referee import Verdict, judge
from dispatch.planning.rows import rows_of
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, Found, search_day
from tests.planning_days import FEATURES, random_day

ROUNDS = 200
MIXES = [
    set[str](),
    *({feature} for feature in FEATURES),
    {"breaks", "depots", "parts"},
    {"crews", "breaks", "after"},
    set(FEATURES) - {"hours", "positions"},
    set(FEATURES) - {"modes", "positions"},
]


def planned(folder: Path, seed: int, features: set[str]) -> tuple[dict[str, Any], Day, Found]:
    document = random_day(folder, seed, features)
    day = compile_day(scenario_from_document(document, folder))
    return document, day, search_day(day, Effort(iterations=ROUNDS, seed=seed))


def verdict_on(document: dict[str, Any], day: Day, found: Found, folder: Path) -> Verdict:
    return judge(document, plan_document(plan_of(day, settled_draft(day, found.routes))), folder)


@pytest.mark.parametrize("features", MIXES, ids=["+".join(sorted(m))[:40] or "plain" for m in MIXES])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_score_is_the_referees_and_no_rule_is_broken(
    tmp_path: Path, seed: int, features: set[str]
) -> None:
    document, day, found = planned(tmp_path, seed, features)
    verdict = verdict_on(document, day, found, tmp_path)
    assert not verdict.violations
    parts = score_parts(day, settled_draft(day, found.routes))
    assert parts == pytest.approx(dict(verdict.parts), abs=0.01)
    assert found.score == pytest.approx(verdict.total, abs=0.05)


def test_the_comparison_sees_a_price_read_wrongly(tmp_path: Path) -> None:
    document, day, _ = planned(tmp_path, 2, {"factors"})
    wrong = replace(day, facts=day.facts._replace(rate=day.facts.rate * 1.01))
    found = search_day(wrong, Effort(iterations=ROUNDS))
    assert found.score != pytest.approx(verdict_on(document, wrong, found, tmp_path).total, abs=0.05)


@pytest.mark.parametrize("features", [set[str](), {"breaks", "crews", "depots", "parts"}])
def test_the_same_seed_and_rounds_give_the_same_plan(tmp_path: Path, features: set[str]) -> None:
    _, _, one = planned(tmp_path, 5, features)
    _, _, two = planned(tmp_path, 5, features)
    assert (one.routes, one.score) == (two.routes, two.score)


def test_a_plan_read_back_is_the_same_plan(tmp_path: Path) -> None:
    _, day, found = planned(tmp_path, 6, {"breaks", "crews", "depots", "parts", "after"})
    plan = plan_of(day, settled_draft(day, found.routes))
    again = plan_from_document(plan_document(plan))
    assert plan_of(day, settled_draft(day, routes_from_plan(day, again.routes))) == plan


def test_a_warm_start_keeps_what_was_planned(tmp_path: Path) -> None:
    _, day, found = planned(tmp_path, 7, {"breaks"})
    again = search_day(day, Effort(iterations=1, hot=10), warm=found.routes)
    assert again.score <= found.score + 1e-6


@pytest.mark.parametrize("features", [set[str](), {"spread", "prefer", "moved"}, {"breaks", "hours"}])
def test_an_insertion_costs_what_the_score_then_rises_by(tmp_path: Path, features: set[str]) -> None:
    _, day, found = planned(tmp_path, 8, features)
    draft = settled_draft(day, found.routes)
    compared = 0
    for m, row in enumerate(rows_of(draft)):
        for x in [x for x in row if x < len(day.names.tickets)]:
            take_out(x, day.facts, draft)
            base = sum(score_parts(day, draft).values())
            for offer in price_insertions(day, draft, x):
                rows = rows_of(draft)
                rows[offer.engineer].insert(offer.row - 1, x)
                trial = settled_draft(day, rows)
                rise = sum(score_parts(day, trial).values()) - base + float(day.facts.price[x, col.UNSERVED])
                if "spread" not in features:
                    assert offer.cost == pytest.approx(rise, abs=0.6)
                compared += 1
            put_back(day, draft, x, m, row)
    assert compared > 20


def test_the_two_walks_price_a_plain_day_alike(tmp_path: Path) -> None:
    _, day, found = planned(tmp_path, 9, {"factors"})
    rich = replace(day, facts=day.facts._replace(rich=True))
    plain_draft, rich_draft = settled_draft(day, found.routes), settled_draft(rich, found.routes)
    assert np.allclose(plain_draft.cost, rich_draft.cost)
    for t in range(len(day.names.tickets)):
        if plain_draft.owner[t] < 0:
            bound = float(day.facts.price[t, col.UNSERVED])
            assert price_insertions(day, plain_draft, t) == pytest.approx(
                price_insertions(rich, rich_draft, t)
            )
            assert cheapest_rich(t, bound, 0.0, 0.0, rich.facts, rich_draft)[0] <= bound


def disagreements(day: Day, draft: Draft) -> tuple[int, int]:
    """How many remembered insertions differ from what asking anew finds, and how many were compared."""
    differ, compared = 0, 0
    for x in range(len(day.names.tickets)):
        cost, place, _ = prices(day, draft, x)
        for m in np.nonzero(draft.memo[x, :, col.MEMO_VERSION] == draft.version)[0]:
            known, at = draft.memo[x, m, col.MEMO_COST], draft.memo[x, m, col.MEMO_PLACE]
            dear = cost[m] >= day.facts.price[x, col.UNSERVED]
            differ += bool(at >= 0 if dear else at != place[m] or known != pytest.approx(cost[m]))
            compared += 1
    return differ, compared


def test_what_is_remembered_of_a_route_is_what_asking_anew_finds(tmp_path: Path) -> None:
    document = random_day(tmp_path, 3, {"factors"}, tickets=60, team=8)
    day = compile_day(scenario_from_document(document, tmp_path))
    draft = empty_draft(day, 3)
    search(0, 2000, 0, 2000.0, 3000.0, 30.0, 6.0, 0.01, math.inf, day.facts, draft)
    differ, compared = disagreements(day, draft)
    assert differ == 0
    assert compared > 100
    dearer = replace(day, facts=day.facts._replace(rate=day.facts.rate * 1.1))
    assert disagreements(dearer, draft)[0] > 10


def test_a_route_put_back_as_it_was_is_still_known(tmp_path: Path) -> None:
    document = random_day(tmp_path, 3, {"factors"}, tickets=60, team=8)
    day = compile_day(scenario_from_document(document, tmp_path))
    draft = empty_draft(day, 3)
    search(0, 20_000, 0, 20_000.0, 3000.0, 0.01, 6.0, 0.01, math.inf, day.facts, draft)
    rows, versions, changed = rows_of(draft), draft.version.copy(), draft.counters[col.CHANGED]
    search(0, 500, 0, 500.0, 0.01, 0.01, 6.0, 0.01, math.inf, day.facts, draft)
    assert (rows_of(draft), draft.counters[col.CHANGED]) == (rows, changed)
    assert (draft.version == versions).all()
    search(0, 500, 0, 500.0, 3000.0, 3000.0, 6.0, 0.01, math.inf, day.facts, draft)
    moved = [now != before for now, before in zip(rows_of(draft), rows, strict=True)]
    assert any(moved)
    assert (draft.version != versions)[moved].all()


def test_a_skill_nobody_has_is_named(tmp_path: Path) -> None:
    document = random_day(tmp_path, 1, set())
    document["tickets"][0]["skills"] = {"laser": 1}
    day = compile_day(scenario_from_document(document, tmp_path))
    draft = settled_draft(day, search_day(day, Effort(iterations=50)).routes)
    told = {u.ticket: u.reasons[0]["code"] for u in explain_unassigned(day, draft)}
    assert told["T0"] == "skill_missing"


def test_each_assignment_names_what_it_adds_and_who_would_be_next(tmp_path: Path) -> None:
    _, day, found = planned(tmp_path, 4, set())
    draft = settled_draft(day, found.routes)
    told = explain_assignments(day, draft)
    served = {day.names.tickets[x] for row in found.routes for x in row}
    assert set(told) == served
    assert any("runner_up" in answer for answer in told.values())
    assert rows_of(draft) == found.routes


def test_many_tickets_in_one_place_are_planned(tmp_path: Path) -> None:
    document = random_day(tmp_path, 1, set(), tickets=300, team=3)
    for ticket in document["tickets"]:
        ticket["site"], ticket["duration_s"] = 0, 60
        ticket.pop("window_s", None)
    day = compile_day(scenario_from_document(document, tmp_path))
    found = search_day(day, Effort(iterations=20))
    assert not verdict_on(document, day, found, tmp_path).violations


def test_an_engineer_far_away_serves_nobody(tmp_path: Path) -> None:
    document = random_day(tmp_path, 1, {"positions"})
    document["travel"]["positions"][14] = [25.0, 45.0]
    day = compile_day(scenario_from_document(document, tmp_path))
    found = search_day(day, Effort(iterations=100))
    assert found.routes[0] == []
    assert not verdict_on(document, day, found, tmp_path).violations


def test_a_day_without_tickets_is_an_empty_plan(tmp_path: Path) -> None:
    document = random_day(tmp_path, 1, set())
    document["tickets"] = []
    day = compile_day(scenario_from_document(document, tmp_path))
    assert search_day(day, Effort(seconds=0.1)).routes == [[], [], [], []]
    assert empty_draft(day, 1).counters[col.OPEN] == 0
