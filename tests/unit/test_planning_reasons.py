"""Reasons and fills where thousands of tickets lie in one place: nothing is done once for each that is done once for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dispatch.planning import reasons
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.draft import empty_draft
from dispatch.planning.outcome import settled_draft
from dispatch.planning.reasons import explain_unassigned
from dispatch.planning.scenario import Break, Engineer, Matrices, Scenario, Ticket
from dispatch.planning.search import fill

SHIFT = (28_800, 61_200)


def day_of(tickets: int, duration_s: int, window_s: tuple[int, int] | None = None) -> Day:
    """Two engineers and their tickets, all in one place."""
    team = tuple(Engineer(f"E{e}", 0, 0, SHIFT) for e in range(2))
    work = tuple(Ticket(f"T{t}", 0, duration_s, "normal", window_s=window_s) for t in range(tickets))
    return compile_day(Scenario("one place", Matrices({"": np.zeros((1, 1, 1), np.int32)}), team, work))


def open_after_filling(day: Day) -> int:
    draft = empty_draft(day, 1)
    fill(day, draft, np.arange(len(day.scenario.tickets)))
    return int((draft.owner[: len(day.scenario.tickets)] < 0).sum())


def test_a_route_that_is_full_does_not_stand_in_the_way_of_the_next_engineer() -> None:
    day = day_of(1500, 0)
    assert day.longest < 1500
    assert open_after_filling(day) == 0


def test_without_the_most_a_route_holds_tickets_would_stay_open() -> None:
    """Sabotage: the cheapest engineer is chosen though his route is full."""
    day = day_of(1500, 0)
    day.facts.engineer[:, reasons.col.MAX_VISITS] = reasons.col.FAR
    assert open_after_filling(day) > 0


def test_the_empty_day_is_made_once_for_all_open_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(day: Day, routes: list[list[int]]) -> object:
        made.append(1)
        return settled_draft(day, routes)

    monkeypatch.setattr(reasons, "settled_draft", counted)
    day = day_of(200, 1800, window_s=(70_000, 72_000))
    answers = explain_unassigned(day, empty_draft(day, 1), spent=lambda: True)
    assert {answer.reasons[0]["code"] for answer in answers} == {"window_out_of_shift"}
    assert len(made) == 1


def test_a_window_within_the_shift_is_not_what_stands_in_the_way_of_work_that_is_too_long() -> None:
    day = day_of(1, 90_000, window_s=(30_000, 40_000))
    (answer,) = explain_unassigned(day, empty_draft(day, 1), spent=lambda: True)
    assert answer.reasons[0]["code"] == "too_far_or_too_long"


def test_a_break_a_little_later_lets_the_ticket_in() -> None:
    noon = Break("lunch", 43_200, 43_200, 1800)
    team = (Engineer("E0", 0, 0, SHIFT, breaks=(noon,)),)
    work = (Ticket("T0", 0, 3600, "normal", window_s=(41_000, 41_000)),)
    day = compile_day(Scenario("lunch", Matrices({"": np.zeros((1, 1, 1), np.int32)}), team, work))
    (answer,) = explain_unassigned(day, empty_draft(day, 1))
    start_s = {(fix["code"], fix["facts"]["by_s"]): fix["facts"]["start_s"] for fix in answer.fixes}
    assert start_s == {("later_window", 7200): 45_000, ("wider_break", 1800): 41_000}


def test_a_crew_that_never_meets_is_told_which_hour_would_do() -> None:
    early = Engineer("E0", 0, 0, (28_800, 50_000))
    late = Engineer("E1", 0, 0, (43_200, 61_200))
    work = (Ticket("T0", 0, 3600, "normal", window_s=(40_000, 43_000), crew=2),)
    day = compile_day(Scenario("crew", Matrices({"": np.zeros((1, 1, 1), np.int32)}), (early, late), work))
    (answer,) = explain_unassigned(day, empty_draft(day, 1))
    assert answer.reasons[0]["code"] == "crew_never_meets"
    (fix,) = answer.fixes
    assert (fix["code"], fix["facts"]["by_s"], fix["facts"]["start_s"]) == ("later_window", 900, 43_200)
    assert {fix["facts"]["engineer"], *fix["facts"]["with"]} == {"E0", "E1"}
    alone = replace(day.scenario, engineers=(early,))
    (answer,) = explain_unassigned(compile_day(alone), empty_draft(compile_day(alone), 1))
    assert (answer.reasons[0]["code"], answer.fixes) == ("crew_too_small", ())
