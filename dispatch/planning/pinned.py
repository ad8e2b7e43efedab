"""Pinned visits: into the one route that may hold them before anything else is planned, by the rules where that can be."""

from __future__ import annotations

from typing import Final

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.insertion import prices, put
from dispatch.planning.kernel_edit import close_ticket, refresh_route, take_out
from dispatch.planning.kernel_types import Draft
from dispatch.planning.standing import make_it_stand

ORDERS_MOST: Final = 12  # orders tried of one engineer's pinned visits


def pinned_tickets(day: Day) -> list[int]:
    return [t for t, ticket in enumerate(day.scenario.tickets) if ticket.pinned is not None]


def pinned_to(day: Day, t: int) -> int:
    """The engineer ticket `t` is pinned to."""
    pin = day.scenario.tickets[t].pinned
    assert pin is not None
    return day.names.engineers.index(pin.engineer)


def put_pinned(day: Day, draft: Draft) -> None:
    """Puts in the pinned tickets no route holds yet, crews left out; last in its route, breaking it, where none helps."""
    waiting: dict[int, list[int]] = {}
    for t in pinned_tickets(day):
        if draft.owner[t] < 0 and day.facts.crew[t] == 1:
            waiting.setdefault(pinned_to(day, t), []).append(t)
    forced = [t for m, mine in waiting.items() for t in _put_in_some_order(day, draft, m, mine)]
    for t in forced:
        _append(day, draft, t)
    if forced:
        make_it_stand(day, draft)


def _put_in_some_order(day: Day, draft: Draft, m: int, mine: list[int]) -> list[int]:
    """Each where it costs least; where one finds no place they all begin anew with it first. Those left over."""
    for _ in range(ORDERS_MOST):
        left = [t for t in mine if not _put(day, draft, m, t)]
        if not left or left[0] == mine[0]:
            return left
        for t in mine:
            take_out(t, day.facts, draft)
        mine = [left[0], *(t for t in mine if t != left[0])]
    return [t for t in mine if not _put(day, draft, m, t)]


def _put(day: Day, draft: Draft, m: int, t: int) -> bool:
    _, place, _ = prices(day, draft, t)
    if place[m] >= 0:
        put(day, draft, t, m, int(place[m]))
    return bool(place[m] >= 0)


def _append(day: Day, draft: Draft, t: int) -> None:
    m = pinned_to(day, t)
    n = int(draft.length[m]) + 1
    if n <= day.longest:
        draft.stop[m, n, col.NODE], draft.length[m], draft.owner[t] = t, n, m
        close_ticket(t, draft)
        refresh_route(m, day.facts, draft)
