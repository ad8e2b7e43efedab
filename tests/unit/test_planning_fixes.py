"""What a fix promises is what the referee finds when the day is changed as it says and the ticket put in."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.planning import layout as col
from dispatch.planning import reasons
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.insertion import prices, put
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import plan_of, settled_draft
from dispatch.planning.plan_file import plan_document
from dispatch.planning.reasons import explain_unassigned
from dispatch.planning.referee import judge
from dispatch.planning.rows import rows_of
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, fill, search_day
from tests.planning_days import random_day

Document = dict[str, Any]
MIXES = {  # features of a day: a fix that must be found there
    "max_visits": "more_visits",
    "breaks": "wider_break",
    "breaks+spread": "more_overtime",
    "crews": "serve_anyway",
    "breaks+crews": "later_window",
    "pins+spread": "serve_anyway",
    "parts+prefer": "one_level_lower",
}


def changed(document: Document, name: str, fix: Document) -> Document:
    """The day as the fix wants it."""
    other, facts = copy.deepcopy(document), fix["facts"]
    ticket = next(t for t in other["tickets"] if t["id"] == name)
    if fix["code"] == "later_window":
        ticket["window_s"][1] += facts["by_s"]
    elif fix["code"] == "more_overtime":
        other["limits"]["overtime_s"] += facts["by_s"]
    elif fix["code"] == "wider_break":
        for rest in (rest for engineer in other["engineers"] for rest in engineer["breaks"]):
            rest["earliest_s"] -= facts["by_s"]
            rest["latest_s"] += facts["by_s"]
    elif fix["code"] == "more_visits":
        for engineer in (engineer for engineer in other["engineers"] if "max_visits" in engineer):
            engineer["max_visits"] += facts["by"]
    elif fix["code"] == "one_level_lower":
        held = next(e for e in other["engineers"] if e["id"] == facts["engineer"])["skills"]
        ticket["skills"] = {skill: min(level, held[skill]) for skill, level in ticket["skills"].items()}
    return other


def put_in(day: Day, draft: Draft, t: int, engineer: str) -> None:
    if day.scenario.tickets[t].crew == 1:
        m = day.names.engineers.index(engineer)
        _, place, _ = prices(day, draft, t)
        assert place[m] >= 0
        return put(day, draft, t, m, int(place[m]))
    day.facts.price[t, col.UNSERVED] = col.BROKEN / 2
    fill(day, draft, np.array([t]))
    return None


def total_of(document: Document, day: Day, draft: Draft, folder: Path) -> float:
    plan = plan_document(plan_of(day, settled_draft(day, rows_of(draft))))
    verdict = judge(document, plan, folder)
    assert not verdict.violations
    return verdict.total


def compared(folder: Path, features: set[str]) -> tuple[set[str], list[Document]]:
    """Codes of the fixes found on four days, and the fixes that cost something else than they say."""
    seen, wrong = set(), []
    for seed in range(1, 5):
        document = random_day(folder, seed, features, tickets=24, team=3)
        day = compile_day(scenario_from_document(document, folder))
        routes = search_day(day, Effort(iterations=100, seed=seed)).routes
        draft = settled_draft(day, routes)
        before = total_of(document, day, draft, folder)
        told = explain_unassigned(day, draft)
        assert told
        assert all(unassigned.reasons[0]["code"] for unassigned in told)
        for unassigned in told:
            t = day.names.tickets.index(unassigned.ticket)
            own = day.scenario.weights.unserved[day.scenario.tickets[t].priority]
            for fix in unassigned.fixes:
                other = changed(document, unassigned.ticket, fix)
                anew = compile_day(scenario_from_document(other, folder))
                left = day.names.tickets.index(fix["facts"].get("leaves_open", unassigned.ticket))
                trial = settled_draft(anew, [[x for x in row if x != left] for row in routes])
                put_in(anew, trial, t, fix["facts"]["engineer"])
                rise = total_of(other, anew, trial, folder) - before + own
                seen.add(fix["code"])
                if fix["cost"] != pytest.approx(rise, abs=0.6):
                    wrong.append({**fix, "ticket": unassigned.ticket, "seed": seed, "rise": rise})
    return seen, wrong


@pytest.mark.parametrize(("features", "expected"), MIXES.items(), ids=list(MIXES))
def test_each_fix_costs_what_it_says(tmp_path: Path, features: str, expected: str) -> None:
    seen, wrong = compared(tmp_path, set(features.split("+")))
    assert wrong == []
    assert {expected, "instead_of_another"} <= seen


def test_a_price_that_leaves_a_rule_out_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sabotage: what the changed day costs before the ticket comes is not looked at."""
    monkeypatch.setattr(reasons, "score", lambda _facts, _draft: 0.0)
    _, wrong = compared(tmp_path, {"breaks"})
    assert {"instead_of_another"} <= {fix["code"] for fix in wrong}
