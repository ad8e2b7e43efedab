"""Why each assignment was made and each ticket left out, in codes with facts; fixes are proved by re-insertion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.insertion import price_insertions, prices
from dispatch.planning.kernel_edit import close_ticket, refresh_route, start_of, take_out
from dispatch.planning.kernel_search import score
from dispatch.planning.kernel_types import Draft
from dispatch.planning.outcome import open_tickets, settled_draft, visit_parts
from dispatch.planning.rows import row_of, rows_of
from dispatch.planning.scenario import Unassigned
from dispatch.planning.search import fill

FIXES_MOST: Final = 3
WINDOW_STEPS_S: Final = (900, 1800, 3600, 7200)
OVERTIME_STEPS_S: Final = (900, 1800, 3600)
BREAK_STEPS_S: Final = (900, 1800, 3600)
EXPLAINED_MOST: Final = 400
FIXED_MOST: Final = 60
INSTEAD_ENGINEERS: Final = 8
Fix = dict[str, Any]
Change = Callable[[Day, int], Day]


def explain_unassigned(day: Day, draft: Draft, spent: Callable[[], bool] = lambda: False) -> list[Unassigned]:
    """Every open ticket with reasons, and the cheapest fixes while time lasts (`spent` ends the search for fixes)."""
    answers = []
    unplanned, easier = _unplanned(day), None
    for rank, t in enumerate(open_tickets(draft)):
        fixes: list[Fix] = []
        if rank < FIXED_MOST and not spent():
            easier = easier or _Easier(day, rows_of(draft))
            fixes = _find_fixes(easier, t)
        reasons = reasons_for(day, draft, t, unplanned)
        answers.append(Unassigned(day.names.tickets[t], tuple(reasons), tuple(fixes)))
    return answers


def _unplanned(day: Day) -> Draft:
    """The day with nothing but breaks and pinned visits in its routes."""
    return settled_draft(day, [[] for _ in day.names.engineers])


def reasons_for(day: Day, draft: Draft, t: int, unplanned: Draft | None = None) -> list[dict[str, Any]]:
    """What stands in the way of open ticket `t`, the widest obstacle first; always exactly one.

    `unplanned` is the day before any visit was planned, for those who ask often: making it costs milliseconds.
    """
    for obstacle in (_waits, _nobody, _too_dear):
        found = obstacle(day, draft, t)
        if found is not None:
            return [{"code": found[0], "facts": found[1]}]
    ticket = day.scenario.tickets[t]
    facts: dict[str, Any] = {"able_engineers": int(day.able[:, t].sum()), "window_s": ticket.window_s}
    unplanned = unplanned or _unplanned(day)
    if not price_insertions(day, unplanned, t, 1):
        return [{"code": _impossible_code(day, unplanned, t), "facts": facts}]
    if ticket.crew > 1:
        return [{"code": "crew_never_meets", "facts": {**facts, "crew": ticket.crew}}]
    return [{"code": "no_room", "facts": facts}]


def _waits(day: Day, draft: Draft, t: int) -> tuple[str, dict[str, Any]] | None:
    """It must come after a ticket that is itself open."""
    waits = [name for name in day.scenario.tickets[t].after if draft.owner[day.names.tickets.index(name)] < 0]
    return ("earlier_ticket_unserved", {"after": waits}) if waits else None


def _nobody(day: Day, draft: Draft, t: int) -> tuple[str, dict[str, Any]] | None:
    """Nobody has the level, or all who have it are excluded, or too few may come together."""
    ticket, team = day.scenario.tickets[t], day.scenario.engineers
    if not any(all(e.skills.get(s, 0) >= n for s, n in ticket.skills.items()) for e in team):
        best = {s: max(e.skills.get(s, 0) for e in team) for s in ticket.skills}
        return "skill_missing", {"needed": dict(ticket.skills), "best": best}
    if not day.able[:, t].any():
        return "everyone_excluded", {"not_with": sorted(ticket.not_with)}
    if ticket.crew > 1 and day.facts.may_help[:, t].sum() < ticket.crew:
        return "crew_too_small", {"crew": ticket.crew}
    return None


def _too_dear(day: Day, draft: Draft, t: int) -> tuple[str, dict[str, Any]] | None:
    """It could be served, but for more than leaving it open costs."""
    ticket = day.scenario.tickets[t]
    offers = price_insertions(day, draft, t, 1) if ticket.crew == 1 else []
    if not offers:
        return None
    facts = {"engineer": day.names.engineers[offers[0].engineer], "added_cost": round(offers[0].cost, 1)}
    return "dearer_than_leaving_open", {
        **facts,
        "unserved_price": day.scenario.weights.unserved[ticket.priority],
    }


def _impossible_code(day: Day, unplanned: Draft, t: int) -> str:
    """Why not even an empty day could serve ticket `t`."""
    facts = day.facts
    if day.scenario.tickets[t].window_s is not None and _fits_at_any_hour(day, unplanned, t):
        return "window_out_of_shift"
    if (facts.need[t].sum() or (facts.lack.size and facts.lack[:, t].any())) and not facts.depots.size:
        return "tool_or_part_missing"
    return "too_far_or_too_long"


def _fits_at_any_hour(day: Day, unplanned: Draft, t: int) -> bool:
    """Whether ticket `t` could be served without its window; the draft is left as it was."""
    kept = unplanned.node[t].copy()
    unplanned.node[t, [col.EARLIEST, col.LATEST]] = 0, col.FAR
    offers = price_insertions(day, unplanned, t, 1)
    unplanned.node[t] = kept
    return bool(offers)


class _Easier:
    """The planned day, and the same with more overtime, wider breaks or more visits, made when first asked for."""

    def __init__(self, day: Day, routes: list[list[int]]) -> None:
        self.day, self.routes = day, routes
        self.draft = self._planned(day)
        self.now = float(score(day.facts, self.draft))
        self._made: dict[tuple[Change, int], tuple[Day, Draft]] = {}

    def by(self, change: Change, step: int) -> tuple[Day, Draft]:
        if (change, step) not in self._made:
            day = change(self.day, step)
            self._made[change, step] = day, self._planned(day)
        return self._made[change, step]

    def _planned(self, day: Day) -> Draft:
        """Without what a search remembers, by far the largest part: several are held at once."""
        return settled_draft(day, self.routes)._replace(memo=np.zeros((0, 0, col.MEMO_WIDTH)))


def _find_fixes(easier: _Easier, t: int) -> list[Fix]:
    """Up to three changes that let ticket `t` in, each proved by inserting it, cheapest first.

    The cost is what the plan's score rises by, the ticket's own price of staying open not deducted.
    """
    anyway = _served(easier.day, easier.draft, t, easier.now)
    bound = float(anyway["cost"]) if anyway else col.BROKEN
    fixes = [_fix("serve_anyway", anyway, {})] if anyway else []
    fixes += _later_window(easier, t, bound) + _more_room(easier, t, bound)
    if easier.day.scenario.tickets[t].crew == 1:
        fixes += _lower_level(easier, t) + _instead_of(easier, t)
    return sorted(fixes, key=lambda fix: float(fix["cost"]))[:FIXES_MOST]


def _served(day: Day, draft: Draft, t: int, now: float) -> Fix | None:
    """Who takes ticket `t` when it goes where it costs least, and how much the score rises above `now`.

    The draft is left as it was.
    """
    if day.scenario.tickets[t].crew > 1:
        return _served_by_crew(day, rows_of(draft), t, now)
    offers = price_insertions(day, draft, t, 1)
    if not offers:
        return None
    rise = float(score(day.facts, draft)) - now + offers[0].cost
    return _told(day, [offers[0].engineer], offers[0].start_s, rise)


def _served_by_crew(day: Day, routes: list[list[int]], t: int, now: float) -> Fix | None:
    """The same for a crew: the ticket is put in at any price, and the plan made must stand as it is."""
    price = day.facts.price.copy()
    price[t, col.UNSERVED] = col.BROKEN / 2
    trial = settled_draft(day, routes)
    fill(replace(day, facts=day.facts._replace(price=price)), trial, np.array([t]))
    rows = rows_of(trial)
    settled = settled_draft(day, rows)
    if settled.owner[t] < 0 or rows_of(settled) != rows:
        return None
    crew = [int(settled.owner[x]) for x in (t, *day.facts.helpers[t][: day.facts.crew[t] - 1])]
    rise = float(score(day.facts, settled)) - now + float(day.facts.price[t, col.UNSERVED])
    return _told(day, crew, int(start_of(t, settled)), rise)


def _told(day: Day, crew: list[int], start_s: int, cost: float) -> Fix:
    names = [day.names.engineers[m] for m in crew]
    beside = {"with": names[1:]} if len(names) > 1 else {}
    return {"facts": {"engineer": names[0], **beside, "start_s": start_s}, "cost": round(cost, 1)}


def _fix(code: str, found: Fix, change: Mapping[str, Any]) -> Fix:
    return {"code": code, "facts": {**change, **found["facts"]}, "cost": found["cost"]}


def _later_window(easier: _Easier, t: int, bound: float) -> list[Fix]:
    """The smallest step by which the window's end moves so that the ticket fits for less than `bound`."""
    draft = easier.draft
    latest = int(draft.node[t, col.LATEST])
    for step in WINDOW_STEPS_S if latest < col.FAR else ():
        draft.node[t, col.LATEST] = latest + step
        found = _served(_changed(easier.day, [t], col.LATEST, step), draft, t, easier.now)
        draft.node[t, col.LATEST] = latest
        if found is not None and float(found["cost"]) < bound:
            return [_fix("later_window", found, {"by_s": step})]
    return []


def _more_room(easier: _Easier, t: int, bound: float) -> list[Fix]:
    """More overtime, breaks in a wider span, one visit more: of each the smallest step that does, as with the window."""
    day, fixes = easier.day, []
    limited = any(engineer.max_visits is not None for engineer in day.scenario.engineers)
    for code, change, unit, steps in (
        ("more_overtime", _longer_days, "by_s", OVERTIME_STEPS_S),
        ("wider_break", _wider_breaks, "by_s", BREAK_STEPS_S if any(day.names.rests) else ()),
        ("more_visits", _more_visits, "by", (1,) if limited else ()),
    ):
        for step in steps:
            found = _served(*easier.by(change, step), t, easier.now)
            if found is not None and float(found["cost"]) < bound:
                fixes.append(_fix(code, found, {unit: step}))
                break
    return fixes


def _changed(day: Day, nodes: list[int], column: int, step: int) -> Day:
    """The same day with one column of some nodes moved by `step` seconds."""
    node = day.facts.node.copy()
    node[nodes, column] += step
    return replace(day, facts=day.facts._replace(node=node))


def _wider_breaks(day: Day, step: int) -> Day:
    rests = [x for mine in day.names.rests for x in mine]
    return _changed(_changed(day, rests, col.LATEST, step), rests, col.EARLIEST, -step)


def _longer_days(day: Day, step: int) -> Day:
    engineer = day.facts.engineer.copy()
    engineer[:, col.LAST_END] += step
    return replace(day, facts=day.facts._replace(engineer=engineer))


def _more_visits(day: Day, step: int) -> Day:
    engineer = day.facts.engineer.copy()
    engineer[:, col.MAX_VISITS] = np.minimum(engineer[:, col.MAX_VISITS] + step, day.longest)
    return replace(day, facts=day.facts._replace(engineer=engineer))


def _lower_level(easier: _Easier, t: int) -> list[Fix]:
    """The nearest engineer who has the skills, but one of them a level too low."""
    day = easier.day
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
    choices = day.facts.choices.copy()
    option = np.zeros((len(choices), max(len(near), day.facts.option.shape[1])), np.int64)
    option[:, : day.facts.option.shape[1]] = day.facts.option
    option[t, : len(near)], choices[t] = near, len(near)
    other = replace(day, facts=day.facts._replace(option=option, choices=choices))
    found = _served(other, easier.draft, t, easier.now)
    return [_fix("one_level_lower", found, {"needed": dict(ticket.skills)})] if found else []


def _instead_of(easier: _Easier, t: int) -> list[Fix]:
    """The visit of no dearer a ticket that, left open, makes room most cheaply."""
    day, trial = easier.day, easier.draft
    facts, least = day.facts, (np.inf, -1)
    own = float(facts.price[t, col.UNSERVED])
    able = facts.option[t, : facts.choices[t]][:INSTEAD_ENGINEERS]
    for m in (int(m) for m in able):
        for x in easier.routes[m]:
            if not _is_free(day, x) or facts.price[x, col.UNSERVED] > own:
                continue
            before = float(trial.cost[m])
            take_out(x, facts, trial)
            cost, place, _ = prices(day, trial, t)
            rise = float(trial.cost[m]) - before + float(cost[m]) + float(facts.price[x, col.UNSERVED])
            put_back(day, trial, x, m, easier.routes[m])
            if place[m] >= 0:
                least = min(least, (rise, x))
    left = least[1]
    if left < 0:
        return []
    without = settled_draft(day, [[x for x in row if x != left] for row in easier.routes])
    found = _served(day, without, t, easier.now)
    return [_fix("instead_of_another", found, {"leaves_open": day.names.tickets[left]})] if found else []


def _is_free(day: Day, x: int) -> bool:
    """Whether node `x` is a ticket that can leave its route without taking others along."""
    facts = day.facts
    if x >= facts.crew.shape[0] or facts.crew[x] > 1 or day.scenario.tickets[x].pinned is not None:
        return False
    return not (facts.behind.shape[1] and facts.behind[x, 0] >= 0)


def explain_assignments(day: Day, draft: Draft, spent: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Per served ticket: its own score parts, what it adds to its route, and the next best engineer with his price.

    Stops early, leaving the rest out, after 400 tickets or when `spent` says so.
    """
    answers: dict[str, Any] = {}
    trial = settled_draft(day, rows_of(draft))
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
        if _is_free(day, x):
            answer.update(_runner_up(day, trial, x, m))
        answers[day.names.tickets[x]] = answer
    return answers


def _runner_up(day: Day, trial: Draft, x: int, m: int) -> dict[str, Any]:
    """What ticket `x` adds to route `m`, and who would be next; the trial is put back as it was."""
    row = row_of(trial, m)
    before = float(trial.cost[m])
    take_out(x, day.facts, trial)
    added = before - float(trial.cost[m])
    offers = [offer for offer in price_insertions(day, trial, x) if offer.engineer != m][:1]
    put_back(day, trial, x, m, row)
    told: dict[str, Any] = {"added_cost": round(added, 1)}
    if offers:
        told["runner_up"] = {
            "engineer": day.names.engineers[offers[0].engineer],
            "added_cost": round(offers[0].cost, 1),
        }
    return told


def put_back(day: Day, trial: Draft, x: int, m: int, row: list[int]) -> None:
    """Undoes `take_out` of a single ticket: route `m` is `row` again."""
    trial.stop[m, 1 : len(row) + 1, col.NODE] = row
    trial.length[m] = len(row)
    trial.owner[x] = m
    close_ticket(x, trial)
    trial.node[x] = day.facts.node[x]
    refresh_route(m, day.facts, trial)
