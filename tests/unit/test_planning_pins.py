"""A pinned visit stays with its engineer, and breaks no rule where any arrangement of his pinned visits breaks none."""

from __future__ import annotations

import random
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.planning import layout as col
from dispatch.planning import pinned
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.draft import empty_draft
from dispatch.planning.kernel_walk import rewalk
from dispatch.planning.outcome import plan_of, settled_draft
from dispatch.planning.plan_file import plan_document
from dispatch.planning.referee import judge
from dispatch.planning.referee_rules import Violation
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from dispatch.planning.standing import HALF
from tests.planning_days import random_day

DAYS = 400
MIXED = ("breaks", "depots", "parts", "hours", "modes", "spread", "working", "moved")
TEAM = 3


def pinned_day(seed: int, folder: Path) -> dict[str, Any]:
    """A small day with up to four visits pinned at random, but for those nobody can do."""
    r = random.Random(seed)
    features = {name for name in MIXED if r.random() < 0.5}
    document = random_day(folder, seed, features, tickets=8, team=TEAM)
    for ticket in r.sample(document["tickets"], 4):
        able = [e["id"] for e in document["engineers"] if has_skills(e, ticket)]
        if able:
            ticket["pinned"] = {"engineer": r.choice(able)}
    return document


def has_skills(engineer: dict[str, Any], ticket: dict[str, Any]) -> bool:
    return all(engineer["skills"].get(skill, 0) >= level for skill, level in ticket["skills"].items())


def can_stand(day: Day, m: int) -> bool:
    """Whether some order of engineer `m`'s pinned visits and breaks, with a depot where one is of use, breaks no rule."""
    tickets = day.scenario.tickets
    mine = [
        t for t, one in enumerate(tickets) if one.pinned and one.pinned.engineer == day.names.engineers[m]
    ]
    stops = [*mine, *day.names.rests[m]]
    draft = empty_draft(day, 1)
    carries = day.facts.stock.shape[1] > 0 or day.facts.lack.shape[0] > 0
    for depot in ([], [int(x) for x in day.facts.depots[: int(carries)]]):
        for row in permutations([*stops, *depot]):
            draft.stop[m, 1 : len(row) + 1, col.NODE] = row
            draft.length[m] = len(row)
            if rewalk(m, day.facts, draft)[0] < HALF:
                return True
    return False


def named(violation: Violation) -> list[str]:
    facts = violation.facts
    return [facts["engineer"]] if "engineer" in facts else list(facts["engineers"])


def broken_without_need(folder: Path) -> tuple[int, list[int]]:
    """How many days' plans break a rule, and the seeds of those where they need not."""
    broken, needless = 0, []
    for seed in range(DAYS):
        document = pinned_day(seed, folder)
        day = compile_day(scenario_from_document(document, folder))
        routes = search_day(day, Effort(iterations=1, seed=seed)).routes
        plan = plan_of(day, settled_draft(day, routes))
        verdict = judge(document, plan_document(plan), folder)
        wrong = {name for v in verdict.violations for name in named(v)}
        assert wrong == set(plan.broken), (seed, verdict.violations)
        broken += not verdict.valid
        needless += [seed for m in range(TEAM) if day.names.engineers[m] in wrong and can_stand(day, m)]
    return broken, needless


def test_pinned_visits_break_no_rule_they_need_not(tmp_path: Path) -> None:
    broken, needless = broken_without_need(tmp_path)
    assert needless == []
    assert 0 < broken < DAYS / 4  # some pins cannot be kept whatever is done: the plan names the engineers


def test_pinned_visits_put_last_in_their_route_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = np.zeros(TEAM), np.full(TEAM, -1), np.zeros(TEAM)
    monkeypatch.setattr(pinned, "prices", lambda *_: nowhere)
    assert broken_without_need(tmp_path)[1]
