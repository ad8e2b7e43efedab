"""Cuts a large day into parts that can be planned side by side; what crosses a border is left for the global finish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dispatch.planning.compile_travel import globe
from dispatch.planning.scenario import Matrices, Scenario

Away = Callable[[NDArray[np.int64], int], NDArray[np.float64]]


def split(scenario: Scenario, parts: int) -> list[Scenario]:
    """The day cut by nearness into `parts` of about equal numbers of engineers; deterministic.

    Tickets pinned go with their engineer. A ticket and those it waits for stay together or are left out.
    """
    team = np.array([e.start for e in scenario.engineers])
    away = measure(scenario)
    side = _halves(away, team, parts)
    home = _nearest_part(scenario, away, team, side, parts)
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


def measure(scenario: Scenario) -> Away:
    """Seconds, or a measure that grows with them, from each of some sites to one site."""
    if isinstance(scenario.travel, Matrices):
        table = next(iter(scenario.travel.by_mode.values()))[0]
        return lambda origins, target: np.asarray(table[origins, target], np.float64)
    points = globe(scenario.travel)[:, :3]
    return lambda origins, target: np.asarray(np.linalg.norm(points[origins] - points[target], axis=1))


def _halves(away: Away, team: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """The part of each engineer: again and again the largest part is cut between its two farthest members."""
    side = np.zeros(len(team), np.int64)
    for new in range(1, parts):
        largest = int(np.bincount(side, minlength=new).argmax())
        members = np.nonzero(side == largest)[0]
        if len(members) < 2:
            break
        one = members[int(away(team[members], int(team[members[0]])).argmax())]
        other = members[int(away(team[members], int(team[one])).argmax())]
        lean = away(team[members], int(team[one])) - away(team[members], int(team[other]))
        side[members[np.argsort(lean, kind="stable")[len(members) // 2 :]]] = new
    return side


def _nearest_part(
    scenario: Scenario, away: Away, team: NDArray[np.int64], side: NDArray[np.int64], parts: int
) -> NDArray[np.int64]:
    """The part most of a ticket's five nearest engineers belong to."""
    home = np.zeros(len(scenario.tickets), np.int64)
    for i, ticket in enumerate(scenario.tickets):
        nearest = np.argsort(away(team, ticket.site), kind="stable")[:5]
        home[i] = int(np.bincount(side[nearest], minlength=parts).argmax())
    return home
