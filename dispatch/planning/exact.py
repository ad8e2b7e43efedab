"""A few engineers' routes at their proven best, by CP-SAT: who serves what, in which order, who rests when, who stays open.

It says breaks, crews, overtime, lateness, preferences and the workload spread exactly, and what it cannot say it leaves
alone: a change stands only where the engine's own score of the whole day falls. OR-Tools: call from a process that can be
killed. One worker and a fixed seed make it repeatable.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.exact_model import Model
from dispatch.planning.kernel_search import score
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import open_tickets, settled_draft
from dispatch.planning.rows import Routes, row_of, rows_of

STOPS_MOST: Final = 18
OPEN_MOST: Final = 3
ROUNDING: Final = 0.5  # of prices in whole thousandths
LEAST_S: Final = 0.05
EACH_S: Final = 3.0
NEIGHBOURS: Final = 3
Team = tuple[int, ...]  # engineers, by index


@dataclass(frozen=True, slots=True)
class Proof:
    """All routes after the best found for some, the day's score with them, and whether nothing better exists for those."""

    routes: Routes
    score: float
    proven: bool


@dataclass(frozen=True, slots=True)
class Proofs:
    """Routes after every cluster that was tried, what that spared, and the engineers of each cluster proven best."""

    routes: Routes
    spared: float
    proven: list[list[str]]


def prove(day: Day, routes: Routes, seconds: float) -> Proofs:
    """Goes through each route, then pairs of entwined ones, again while any changes and until the seconds are over.

    What was proven counts only while none of its routes changes afterwards.
    """
    until = time.monotonic() + seconds
    draft = settled_draft(day, routes)
    first = float(score(day.facts, draft))
    proven: dict[Team, Routes] = {}
    tried: dict[Team, Routes] = {}
    while team := next((t for t in _clusters(day, draft) if tried.get(t) != _rows(draft, t)), None):
        left_s = until - time.monotonic()
        if left_s < LEAST_S:
            break
        found = best_of(day, draft, team, seconds=min(EACH_S, left_s))
        if found is not None and found.routes != rows_of(draft):
            draft = settled_draft(day, found.routes)
        tried[team] = _rows(draft, team)
        if found is not None and found.proven:
            proven[team] = tried[team]
    names, last = day.names.engineers, float(score(day.facts, draft))
    standing = [team for team, rows in proven.items() if rows == _rows(draft, team)]
    widest = [team for team in standing if not any(set(team) < set(other) for other in standing)]
    return Proofs(rows_of(draft), first - last, [[names[m] for m in team] for team in widest])


def _rows(draft: Draft, team: Team) -> Routes:
    return [row_of(draft, m) for m in team]


def _clusters(day: Day, draft: Draft) -> Iterator[Team]:
    """Each engineer with visits alone, then pairs whose visits lie near each other, the most entwined first."""
    busy = [m for m in range(len(day.names.engineers)) if draft.visits[m]]
    yield from ((m,) for m in busy)
    entwined: dict[tuple[int, int], int] = {}
    for x, near in enumerate(day.facts.near[:, :NEIGHBOURS]):
        for y in near:
            pair = sorted((int(draft.owner[x]), int(draft.owner[y])))
            if pair[0] >= 0 and pair[0] != pair[1]:
                entwined[pair[0], pair[1]] = entwined.get((pair[0], pair[1]), 0) + 1
    yield from sorted(entwined, key=lambda pair: (-entwined[pair], pair))


def best_of(
    day: Day,
    draft: Draft,
    team: Sequence[int],
    open_most: int = OPEN_MOST,
    seconds: float = 2.0,
    seed: int = 1,
) -> Proof | None:
    """The best routes of `team` (indices), who may also take the dearest open tickets they are able to lead.

    None where they have more than STOPS_MOST stops, or something the model cannot say: depots, pins, hours, order between
    tickets, prices of moving or of working time, crews with tools, crews that meet somebody outside the team.
    """
    rows = rows_of(draft)
    stops = [x for m in team for x in rows[m]]
    wanted = _open_for(day, draft, team, open_most)
    if not stops or len(stops) > STOPS_MOST:
        return None
    visits = [x for x in stops if day.facts.node[x, col.KIND] <= col.HELP] + wanted
    if not _sayable(day, team, visits):
        return None
    standing = Proof(rows, float(score(day.facts, draft)), False)
    answer = Model(day, draft, team, visits).solve(seconds, seed)
    if answer is None:
        return standing
    trial = settled_draft(day, [answer.rows.get(m, row) for m, row in enumerate(rows)])
    total = float(score(day.facts, trial))
    stands = all(rows_of(trial)[m] == row for m, row in answer.rows.items())
    if stands and total < standing.score - 1e-6:
        return Proof(rows_of(trial), total, answer.proven)
    return replace(standing, proven=answer.proven and stands and total < standing.score + ROUNDING)


def _open_for(day: Day, draft: Draft, team: Sequence[int], most: int) -> list[int]:
    """Open tickets for one engineer that somebody of the team may lead, dearest first."""
    facts = day.facts
    able = [t for t in open_tickets(draft) if facts.crew[t] == 1 and any(day.able[m, t] for m in team)]
    return sorted(able, key=lambda t: (-float(facts.price[t, col.UNSERVED]), t))[:most]


def _sayable(day: Day, team: Sequence[int], visits: Sequence[int]) -> bool:
    facts = day.facts
    if facts.drive.shape[1] > 1 or facts.working > 0 or facts.depots.size:
        return False
    if any(facts.engineer[m, col.FIXED] for m in team):
        return False
    return all(_node_sayable(day, x, visits) for x in visits)


def _node_sayable(day: Day, x: int, visits: Sequence[int]) -> bool:
    """Whether visit `x` is neither pinned nor ordered nor priced when moved, and its whole crew is among the `visits`."""
    facts: Any = day.facts
    lead = int(facts.node[x, col.LEAD])
    ordered = facts.before.shape[1] and (facts.before[lead, 0] >= 0 or facts.behind[lead, 0] >= 0)
    if (
        ordered
        or facts.node[x, col.PIN]
        or facts.node[x, col.EXCUSED] != col.FAR
        or facts.price[x, col.MOVED]
    ):
        return False
    if facts.price[lead, col.UNSERVED] >= col.BROKEN:
        return False
    crew = {lead, *(int(h) for h in facts.helpers[lead] if h >= 0)}
    stores = facts.lack.shape[0] > 0 or facts.stock.shape[1] > 0
    return crew <= set(visits) and not (len(crew) > 1 and stores)
