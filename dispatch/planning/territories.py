"""Cuts a large day into parts that can be planned side by side; what crosses a border is left for the global finish."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.planning.compile_travel import globe
from dispatch.planning.scenario import Matrices, Scenario

LARGE_DAY: Final = 1500  # tickets from which cutting pays on several cores


def split(scenario: Scenario, parts: int) -> list[Scenario]:
    """The day cut by nearness into `parts` of about equal numbers of engineers; deterministic.

    Tickets pinned go with their engineer. A ticket and those it waits for stay together or are left out.
    """
    team = np.array([e.start for e in scenario.engineers])
    side = _halves(scenario, team, parts)
    home = _nearest_part(scenario, team, side, parts)
    index = {e.id: m for m, e in enumerate(scenario.engineers)}
    where = {
        t.id: int(side[index[t.pinned.engineer]]) if t.pinned else int(home[i])
        for i, t in enumerate(scenario.tickets)
    }
    days = []
    for part in range(parts):
        engineers = tuple(e for m, e in enumerate(scenario.engineers) if side[m] == part)
        names = {e.id for e in engineers}
        tickets = tuple(
            replace(
                t,
                not_with=t.not_with & names,
                prefer={n: b for n, b in t.prefer.items() if n in names},
            )
            for t in scenario.tickets
            if where[t.id] == part and all(where[a] == part for a in t.after)
        )
        kept = {t.id for t in tickets}
        while any(set(t.after) - kept for t in tickets):
            tickets = tuple(t for t in tickets if set(t.after) <= kept)
            kept = {t.id for t in tickets}
        days.append(replace(scenario, engineers=engineers, tickets=tickets))
    return [day for day in days if day.engineers]


def _away(scenario: Scenario, origins: NDArray[np.int64], target: int) -> NDArray[np.float64]:
    """Seconds, or a measure that grows with them, from each origin site to one site."""
    if isinstance(scenario.travel, Matrices):
        table = next(iter(scenario.travel.by_mode.values()))[0]
        return np.asarray(table[origins, target], np.float64)
    ball = globe(scenario.travel)
    return np.asarray(np.linalg.norm(ball[origins, :3] - ball[target, :3], axis=1))


def _halves(scenario: Scenario, team: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """The part of each engineer: again and again the largest part is cut between its two farthest members."""
    side = np.zeros(len(team), np.int64)
    for new in range(1, parts):
        largest = int(np.bincount(side, minlength=new).argmax())
        members = np.nonzero(side == largest)[0]
        if len(members) < 2:
            break
        one = members[int(_away(scenario, team[members], int(team[members[0]])).argmax())]
        other = members[int(_away(scenario, team[members], int(team[one])).argmax())]
        lean = _away(scenario, team[members], int(team[one])) - _away(scenario, team[members], int(team[other]))
        side[members[np.argsort(lean, kind="stable")[len(members) // 2 :]]] = new
    return side


def _nearest_part(
    scenario: Scenario, team: NDArray[np.int64], side: NDArray[np.int64], parts: int
) -> NDArray[np.int64]:
    """The part most of a ticket's five nearest engineers belong to."""
    home = np.zeros(len(scenario.tickets), np.int64)
    for i, ticket in enumerate(scenario.tickets):
        nearest = np.argsort(_away(scenario, team, ticket.site), kind="stable")[:5]
        home[i] = int(np.bincount(side[nearest], minlength=parts).argmax())
    return home
