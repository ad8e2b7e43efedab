"""Searching one day in this process: rounds of ruin and recreate until time or rounds are spent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.draft import empty_draft, load
from dispatch.planning.kernel_search import keep_best, score, search
from dispatch.planning.kernel_types import Draft
from dispatch.planning.rows import Routes, routes_of, rows_of

# Where tickets may stay open: the share of their mean price to begin with, and the short legs to end with; time at the
# smallest changes is worth less there. A plan given is kept closer to.
FROM_NOTHING: Final = (0.22, 0.5)
FROM_A_PLAN: Final = (0.44, 0.2)
MUST_SERVE_LEGS: Final = (
    200.0  # an open ticket dearer than that many legs is no choice: legs then set the scale
)
HOT_LEGS: Final = 16.0
COLD_LEGS: Final = 0.02
LEAST_HOT: Final = 1.0
RUINED: Final = 15.0  # visits a round
RUINED_OF_MANY: Final = 10.0  # rounds are few for each ticket there, and smaller ones quicker
MANY: Final = 1000  # tickets
BLINK: Final = 0.01
ROUNDS_A_SECOND: Final = 50_000  # about
CENTRES_A_TICKET: Final = 10  # rounds stay around one, but every ticket is to be near so many
STAY_MOST: Final = 100
SLICE_S: Final = 0.05
FIRST_SLICE: Final = 50
FILL_AT_ONCE: Final = 200
PROOFS_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to search: seconds, or rounds where given (then the same seed gives the same plan, bit for bit)."""

    seconds: float = 10.0
    iterations: int | None = None
    seed: int = 1
    hot: float | None = None
    cold: float | None = None
    ruined: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How rounds accept: from `hot` to `cold` over `total` rounds, of which `done` are over; `ruined` as in Effort."""

    done: int
    total: float
    hot: float
    cold: float
    ruined: float


@dataclass(frozen=True, slots=True)
class Found:
    """Routes as nodes for each engineer, their score, rounds done and how many changed the plan."""

    routes: Routes
    score: float
    rounds: int
    changed: int


def search_day(
    day: Day,
    effort: Effort,
    warm: Sequence[Sequence[int]] | None = None,
    stop: Callable[[], bool] = lambda: False,
    keep: Callable[[Found], None] | None = None,
) -> Found:
    """The best plan found. `warm` is where to start from; `stop` is asked between slices of about 50 ms.

    `keep` is given each slice's best plan where it improved, so that a kill loses little.
    """
    began = time.monotonic()
    draft = empty_draft(day, effort.seed)
    if warm is not None:
        load(day, draft, warm)
    hot, cold = temperatures(day, effort)
    best = np.inf
    for part in np.array_split(_greedy_order(day), 1 + day.facts.crew.shape[0] // FILL_AT_ONCE):
        best = fill(day, draft, part)
        if effort.iterations is None and (stop() or time.monotonic() - began > effort.seconds):
            break
    keep_best(draft)
    done, size, told = 0, FIRST_SLICE, np.inf
    tickets = day.facts.crew.shape[0]
    draft.counters[col.STAY] = _stay(effort, tickets)
    ruined = effort.ruined or (RUINED_OF_MANY if tickets >= MANY else RUINED)
    while tickets and not stop():
        spent = time.monotonic() - began
        if effort.iterations is None:
            if spent >= effort.seconds:
                break
            share = spent / effort.seconds
            heat = hot * (cold / hot) ** share
            best = _rounds(day, draft, size, Pace(0, 1.0e18, heat, heat, ruined), best)
            took = max(1e-6, time.monotonic() - began - spent)
            done += size
            size = max(1, min(50_000, int(size * min(4.0, SLICE_S / took))))
        else:
            size = min(1000, effort.iterations - done)
            if size <= 0:
                break
            pace = Pace(done, float(effort.iterations), hot, cold, ruined)
            best = _rounds(day, draft, size, pace, best)
            done += size
        if keep is not None and best < told - 1e-6:
            told = best
            keep(Found(routes_of(draft), best, done, int(draft.counters[col.CHANGED])))
    routes, best = _proved(day, draft, routes_of(draft))
    return Found(routes, best, done, int(draft.counters[col.CHANGED]))


def _stay(effort: Effort, tickets: int) -> int:
    """Rounds to stay around one ticket before another: a large day outgrows the caches, and what is near is still in
    them. Fewer where few rounds are to come for each ticket; on a small day one, for staying found worse plans.
    """
    if tickets < MANY:
        return 1
    rounds = effort.iterations or effort.seconds * ROUNDS_A_SECOND
    return int(min(STAY_MOST, max(1.0, rounds / (CENTRES_A_TICKET * tickets))))


def fill(day: Day, draft: Draft, tickets: NDArray[np.int64]) -> float:
    """Inserts the open ones of `tickets` one after the other, greedily; returns the score, crews meeting as they do."""
    draft.pool[: len(tickets)] = tickets
    if not len(tickets):
        return float(score(day.facts, draft))
    current, _ = search(len(tickets), 1, 0, 1.0, 1.0, 1.0, 0.0, 0.0, np.inf, day.facts, draft)
    return float(current)


def _rounds(day: Day, draft: Draft, count: int, pace: Pace, best: float) -> float:
    """The best score after `count` more rounds. Numbers of one kind each, so that one compiled search serves all."""
    heats = float(pace.total), float(pace.hot), float(pace.cold), float(pace.ruined)
    _, best = search(0, count, pace.done, *heats, BLINK, float(best), day.facts, draft)
    return float(best)


def _proved(day: Day, draft: Draft, routes: Routes) -> tuple[Routes, float]:
    """The routes as they stand walked anew with nothing agreed beforehand, and their score.

    What turns out broken leaves and is offered another place; this changes a plan only where the kernels were wrong.
    """
    load(day, draft, routes)
    for _ in range(PROOFS_MOST):
        standing, sure = rows_of(draft), float(score(day.facts, draft))
        if standing == routes:
            break
        fill(day, draft, _greedy_order(day))
        routes = rows_of(draft)
        load(day, draft, routes)
    return standing, sure


def temperatures(day: Day, effort: Effort, choice: tuple[float, float] = FROM_NOTHING) -> tuple[float, float]:
    """Where acceptance begins and ends, in prices: from the price of short legs and of open tickets."""
    hot_share, cold_legs = choice
    facts = day.facts
    tickets = facts.crew.shape[0]
    sites = facts.node[:tickets, col.SITE]
    close = facts.near[:, :5]
    if close.size and facts.ball.shape[0]:
        legs = (
            np.linalg.norm(facts.ball[sites[:, None], :3] - facts.ball[sites[close], :3], axis=2)
            + facts.ball[0, 4]
        )
    elif close.size:
        legs = facts.drive[0, 0][sites[:, None], sites[close]]
    else:
        legs = np.zeros(1)
    leg = float(np.mean(legs)) * (float(facts.rate[:, col.DRIVE].mean()) + facts.working)
    pinned = facts.price[:tickets, col.UNSERVED] >= col.BROKEN
    open_price = float(facts.price[:tickets, col.UNSERVED][~pinned].mean()) if (~pinned).any() else 0.0
    must = leg > 0 and open_price > MUST_SERVE_LEGS * leg
    hot = max(LEAST_HOT, HOT_LEGS * leg if must else hot_share * open_price)
    cold_legs = COLD_LEGS if must else cold_legs
    cold = max(LEAST_HOT / 100, min(hot, cold_legs * leg if leg > 0 else hot / 600))
    return effort.hot or hot, effort.cold or cold


def _greedy_order(day: Day) -> np.ndarray:
    """Dearest tickets first, then by the latest moment they may start; who must wait comes after."""
    facts = day.facts
    tickets = facts.crew.shape[0]
    depth = np.zeros(tickets, np.int64)
    for _ in range(facts.before.shape[1] and tickets):
        deeper = np.where(facts.before >= 0, depth[facts.before] + 1, 0).max(axis=1)
        if (deeper == depth).all():
            break
        depth = deeper
    latest = np.minimum(facts.node[:tickets, col.LATEST], facts.node[:tickets, col.DUE])
    return np.lexsort((latest, -facts.price[:tickets, col.UNSERVED], depth)).astype(np.int64)
