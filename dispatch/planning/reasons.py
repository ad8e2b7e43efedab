"""Why each assignment was made and each ticket left out, in codes with facts; fixes are proved by re-insertion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.insertion import price_insertions, prices
from dispatch.planning.kernel_edit import take_out
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import open_tickets, settled_draft, visit_parts
from dispatch.planning.scenario import Unassigned

FIXES_MOST: Final = 3
WINDOW_STEPS_S: Final = (900, 1800, 3600, 7200)
OVERTIME_STEPS_S: Final = (900, 1800, 3600)
EXPLAINED_MOST: Final = 400
FIXED_MOST: Final = 60
Fix = dict[str, Any]


def explain_unassigned(day: Day, draft: Draft, spent: Callable[[], bool] = lambda: False) -> list[Unassigned]:
    """Every open ticket with reasons, and the cheapest fixes while time lasts (`spent` ends the search for fixes)."""
    answers = []
    for rank, t in enumerate(open_tickets(draft)):
        fixes = find_fixes(day, draft, t) if rank < FIXED_MOST and not spent() else []
        answers.append(Unassigned(day.names.tickets[t], tuple(reasons_for(day, draft, t)), tuple(fixes)))
    return answers


def reasons_for(day: Day, draft: Draft, t: int) -> list[dict[str, Any]]:
    """What stands in the way of open ticket `t`, the widest obstacle first; always at least one."""
    ticket, scenario = day.scenario.tickets[t], day.scenario
    waits = [name for name in ticket.after if draft.owner[day.names.tickets.index(name)] < 0]
    if waits:
        return [{"code": "earlier_ticket_unserved", "facts": {"after": waits}}]
    levels = [all(e.skills.get(s, 0) >= n for s, n in ticket.skills.items()) for e in scenario.engineers]
    if not any(levels):
        best = {s: max(e.skills.get(s, 0) for e in scenario.engineers) for s in ticket.skills}
        return [{"code": "skill_missing", "facts": {"needed": dict(ticket.skills), "best": best}}]
    if not day.able[:, t].any():
        return [{"code": "everyone_excluded", "facts": {"not_with": sorted(ticket.not_with)}}]
    if day.facts.may_help.size and day.facts.may_help[:, t].sum() < ticket.crew:
        return [{"code": "crew_too_small", "facts": {"crew": ticket.crew}}]
    offers = price_insertions(day, draft, t, 1)
    able = int(day.able[:, t].sum())
    if offers and ticket.crew == 1:
        price = day.scenario.weights.unserved[ticket.priority]
        facts = {"engineer": day.names.engineers[offers[0].engineer], "added_cost": round(offers[0].cost, 1)}
        return [{"code": "dearer_than_leaving_open", "facts": {**facts, "unserved_price": price}}]
    empty = settled_draft(day, [[] for _ in day.names.engineers])
    alone = price_insertions(day, empty, t, 1)
    if not alone:
        return [{"code": _impossible_code(day, t), "facts": {"able_engineers": able, "window_s": ticket.window_s}}]
    if ticket.crew > 1:
        return [{"code": "crew_never_meets", "facts": {"crew": ticket.crew, "able_engineers": able}}]
    return [{"code": "no_room", "facts": {"able_engineers": able, "window_s": ticket.window_s}}]


def _impossible_code(day: Day, t: int) -> str:
    """Why not even an empty day could serve ticket `t`."""
    ticket, facts = day.scenario.tickets[t], day.facts
    if ticket.window_s is not None:
        open_day = _relaxed(day, t, col.LATEST, col.FAR)
        if price_insertions(open_day, settled_draft(open_day, [[] for _ in day.names.engineers]), t, 1):
            return "window_out_of_shift"
    if (facts.need[t].sum() or (facts.lack.size and facts.lack[:, t].any())) and not facts.depots.size:
        return "tool_or_part_missing"
    return "too_far_or_too_long"


def _relaxed(day: Day, t: int, column: int, value: int) -> Day:
    """The same day with one column of ticket `t`'s node changed."""
    node = day.facts.node.copy()
    node[t, column] = value
    return replace(day, facts=day.facts._replace(node=node))


def find_fixes(day: Day, draft: Draft, t: int) -> list[Fix]:
    """Up to three changes that let ticket `t` in, each proved by inserting it, cheapest first.

    The cost is what the plan's score rises by, the ticket's own price of staying open not deducted.
    """
    routes = [draft.stop[m, 1 : n + 1, col.NODE].tolist() for m, n in enumerate(draft.length)]
    if day.scenario.tickets[t].crew > 1:
        return []
    fixes = [*_more_time(day, routes, t), *_lower_level(day, draft, t), *_instead_of(day, draft, routes, t)]
    return sorted(fixes, key=lambda fix: float(fix["cost"]))[:FIXES_MOST]


def _first_that_works(
    day: Day, routes: list[list[int]], t: int, code: str, steps: tuple[int, ...], change: Callable[[int], Day]
) -> list[Fix]:
    for step in steps:
        other = change(step)
        offers = price_insertions(other, settled_draft(other, routes), t, 1)
        if offers:
            facts = {"by_s": step, "engineer": day.names.engineers[offers[0].engineer], "start_s": offers[0].start_s}
            return [{"code": code, "facts": facts, "cost": round(offers[0].cost, 1)}]
    return []


def _more_time(day: Day, routes: list[list[int]], t: int) -> list[Fix]:
    """A later window end, or more overtime, by the smallest step that works."""
    fixes: list[Fix] = []
    latest = int(day.facts.node[t, col.LATEST])
    if latest < col.FAR:
        fixes += _first_that_works(
            day, routes, t, "later_window", WINDOW_STEPS_S, lambda s: _relaxed(day, t, col.LATEST, latest + s)
        )

    def longer(step: int) -> Day:
        engineer = day.facts.engineer.copy()
        engineer[:, col.LAST_END] += step
        return replace(day, facts=day.facts._replace(engineer=engineer))

    return fixes + _first_that_works(day, routes, t, "more_overtime", OVERTIME_STEPS_S, longer)


def _lower_level(day: Day, draft: Draft, t: int) -> list[Fix]:
    """The nearest engineer who has the skills, but one of them a level too low."""
    ticket = day.scenario.tickets[t]
    near = [
        m
        for m, e in enumerate(day.scenario.engineers)
        if not day.able[m, t]
        and e.id not in ticket.not_with
        and ticket.pinned is None
        and sum(max(0, n - e.skills.get(s, 0)) for s, n in ticket.skills.items()) == 1
    ]
    if not near:
        return []
    option, choices = day.facts.option.copy(), day.facts.choices.copy()
    if option.shape[1] < len(near):
        option = np.zeros((option.shape[0], len(near)), np.int64)
        option[:, : day.facts.option.shape[1]] = day.facts.option
    option[t, : len(near)], choices[t] = near, len(near)
    other = replace(day, facts=day.facts._replace(option=option, choices=choices))
    offers = price_insertions(other, draft, t, 1)
    if not offers:
        return []
    facts = {"engineer": day.names.engineers[offers[0].engineer], "needed": dict(ticket.skills)}
    return [{"code": "one_level_lower", "facts": facts, "cost": round(offers[0].cost, 1)}]


def _instead_of(day: Day, draft: Draft, routes: list[list[int]], t: int) -> list[Fix]:
    """The visit that, left open or moved elsewhere, makes room most cheaply."""
    facts, best = day.facts, None
    own = float(facts.price[t, col.UNSERVED])
    for m in np.nonzero(day.able[:, t])[0][:12]:
        for x in routes[int(m)]:
            if x >= facts.crew.shape[0] or facts.crew[x] > 1 or facts.price[x, col.UNSERVED] > own:
                continue
            if day.scenario.tickets[x].pinned or (facts.behind.size and facts.behind[x, 0] >= 0):
                continue
            trial = settled_draft(day, routes)
            before = float(trial.cost.sum())
            take_out(x, facts, trial)
            cost, place, _ = prices(day, trial, t)
            if place[m] < 0:
                continue
            rise = float(trial.cost.sum()) - before + float(cost[m]) + float(facts.price[x, col.UNSERVED])
            if best is None or rise < best[0]:
                best = (rise, x, int(m))
    if best is None:
        return []
    rise, x, m = best
    told = {"leaves_open": day.names.tickets[x], "engineer": day.names.engineers[m]}
    return [{"code": "instead_of_another", "facts": told, "cost": round(rise, 1)}]


def explain_assignments(day: Day, draft: Draft, spent: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Per served ticket: its own score parts, what it adds to its route, and the next best engineer with his price.

    Stops early, leaving the rest out, after 400 tickets or when `spent` says so.
    """
    answers: dict[str, Any] = {}
    trial = settled_draft(day, [draft.stop[m, 1 : n + 1, col.NODE].tolist() for m, n in enumerate(draft.length)])
    rows = [
        (int(draft.stop[m, k, col.NODE]), m, k)
        for m in range(draft.length.shape[0])
        for k in range(1, int(draft.length[m]) + 1)
        if draft.stop[m, k, col.NODE] < day.facts.crew.shape[0]
    ]
    for x, m, k in rows[:EXPLAINED_MOST]:
        if spent():
            break
        answer: dict[str, Any] = {"engineer": day.names.engineers[m], "parts": visit_parts(day, draft, m, k)}
        if day.facts.crew[x] == 1 and not (day.facts.behind.size and day.facts.behind[x, 0] >= 0):
            answer.update(_runner_up(day, trial, x, m))
        answers[day.names.tickets[x]] = answer
    return answers


def _runner_up(day: Day, trial: Draft, x: int, m: int) -> dict[str, Any]:
    """What ticket `x` adds to route `m`, and who would be next; the trial is put back as it was."""
    row = trial.stop[m, 1 : int(trial.length[m]) + 1, col.NODE].tolist()
    before = float(trial.cost[m])
    take_out(x, day.facts, trial)
    added = before - float(trial.cost[m])
    offers = [offer for offer in price_insertions(day, trial, x) if offer.engineer != m][:1]
    _put_back(day, trial, x, m, row)
    told: dict[str, Any] = {"added_cost": round(added, 1)}
    if offers:
        told["runner_up"] = {
            "engineer": day.names.engineers[offers[0].engineer],
            "added_cost": round(offers[0].cost, 1),
        }
    return told


def _put_back(day: Day, trial: Draft, x: int, m: int, row: list[int]) -> None:
    from dispatch.planning.kernel_edit import close_ticket, refresh_route

    trial.stop[m, 1 : len(row) + 1, col.NODE] = row
    trial.length[m] = len(row)
    trial.owner[x] = m
    close_ticket(x, trial)
    trial.node[x] = day.facts.node[x]
    refresh_route(m, day.facts, trial)
