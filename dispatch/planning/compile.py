"""A checked scenario as packed arrays for the kernels; columns in `layout`, meaning in `kernel_types`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dispatch.planning import layout as col
from dispatch.planning.compile_travel import both_ways, mode_number, near_tickets, packed_travel, reach_s
from dispatch.planning.kernel_types import Facts
from dispatch.planning.scenario import PlanningError, Scenario, Ticket
from dispatch.planning.site_order import lay_out

STOPS_LIMIT: Final = 1000  # a packed place has ten bits for a row
DRAFT_CELLS: Final = 4_000_000
REACH: Final = 30
TEAM_WITHOUT_LISTS: Final = 60
Ints = NDArray[np.int32]
Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Names:
    """Node numbers back to ids, in the order tickets, helpers, breaks, depots, starts, ends."""

    tickets: tuple[str, ...]
    engineers: tuple[str, ...]
    node_ticket: tuple[int, ...]  # ticket index of visit nodes, -1 for others
    rest_of_node: dict[int, str]
    depot_of_node: dict[int, str]
    rests: tuple[tuple[int, ...], ...]  # break nodes of each engineer


@dataclass(frozen=True, slots=True)
class Day:
    """The packed day: `able[m, t]` where skills, exclusions and pins allow engineer m to lead ticket t."""

    scenario: Scenario
    facts: Facts
    names: Names
    able: NDArray[np.bool_]
    longest: int


def compile_day(scenario: Scenario) -> Day:
    """Packs the day. Raises PlanningError where pins contradict skills, exclusions or each other."""
    names = _names(scenario)
    node, price = _nodes(scenario, names)
    able = able_to_lead(scenario)
    _check_pins(scenario, able)
    engineer, rate = _engineers(scenario, names)
    drive, ball = packed_travel(scenario)
    _excuse(scenario, able, node, drive, ball)
    need, stock, lack = _stores(scenario, names)
    option, choices = _options(scenario, able, drive, ball)
    before, behind = _order(scenario)
    crew = np.array([t.crew for t in scenario.tickets], np.int32)
    helpers, tied = _helpers(scenario, names, before)
    may_help = _may_help(scenario) if helpers.shape[1] else np.zeros((0, 0), np.bool_)
    odd_pin = _fix_pinned_prefix(scenario, node, engineer)
    rich = bool(
        odd_pin
        or names.rest_of_node
        or names.depot_of_node
        or stock.shape[1]
        or lack.shape[0]
        or tied.size
        or drive.shape[1] > 1
        or scenario.weights.working_s > 0
        or scenario.weights.workload_spread_s > 0
    )
    near = near_tickets(scenario, drive)
    drive, ball = lay_out(scenario, node, drive, ball)
    facts = Facts(
        node=node,
        price=price,
        engineer=engineer,
        rate=rate,
        bias=_bias(scenario, names),
        drive=drive,
        both=both_ways(drive[:, 0, :0, :0] if rich else drive[:, 0]),
        ball=ball,
        near=near,
        option=option,
        choices=choices,
        able=np.ascontiguousarray(able.T),
        reach=REACH if len(scenario.engineers) > TEAM_WITHOUT_LISTS else 0,
        need=need,
        stock=stock,
        lack=lack,
        depots=np.array(sorted(names.depot_of_node), np.int64),
        crew=crew,
        helpers=helpers,
        may_help=may_help,
        skilled=skilled_for(scenario) if helpers.shape[1] else np.zeros((0, 0), np.bool_),
        before=before,
        behind=behind,
        tied=tied,
        spread=float(scenario.weights.workload_spread_s),
        working=float(scenario.weights.working_s),
        rich=rich,
    )
    return Day(scenario, facts, names, able, _longest(scenario))


def able_to_lead(scenario: Scenario) -> NDArray[np.bool_]:
    """(M, N): skill levels met, not excluded, and pinned to nobody else."""
    able = skilled_for(scenario)
    index = {e.id: m for m, e in enumerate(scenario.engineers)}
    for t, ticket in enumerate(scenario.tickets):
        for name in ticket.not_with:
            able[index[name], t] = False
        if ticket.pinned is not None:
            keep = able[index[ticket.pinned.engineer], t]
            able[:, t] = False
            able[index[ticket.pinned.engineer], t] = keep
    return able


def skilled_for(scenario: Scenario) -> NDArray[np.bool_]:
    """(M, N): every skill level of the ticket is met."""
    skills = sorted({s for t in scenario.tickets for s in t.skills})
    column = {s: i for i, s in enumerate(skills)}
    held = np.zeros((len(scenario.engineers), len(skills)), np.int32)
    for m, engineer in enumerate(scenario.engineers):
        for skill, level in engineer.skills.items():
            if skill in column:
                held[m, column[skill]] = level
    able = np.ones((len(scenario.engineers), len(scenario.tickets)), np.bool_)
    kinds: dict[Any, NDArray[np.bool_]] = {}
    for t, ticket in enumerate(scenario.tickets):
        kind = tuple(sorted(ticket.skills.items()))
        if kind not in kinds:
            ok = np.ones(len(scenario.engineers), np.bool_)
            for skill, level in kind:
                ok &= held[:, column[skill]] >= level
            kinds[kind] = ok
        able[:, t] = kinds[kind]
    return able


def _names(scenario: Scenario) -> Names:
    node_ticket = list(range(len(scenario.tickets)))
    for t, ticket in enumerate(scenario.tickets):
        node_ticket += [t] * (ticket.crew - 1)
    number = len(node_ticket)
    rests: list[tuple[int, ...]] = []
    rest_of_node: dict[int, str] = {}
    for engineer in scenario.engineers:
        mine = []
        for rest in sorted(engineer.breaks, key=lambda b: (b.earliest_s, b.latest_s)):
            rest_of_node[number] = rest.id
            mine.append(number)
            number += 1
        rests.append(tuple(mine))
    depot_of_node = {number + d: depot.id for d, depot in enumerate(scenario.depots)}
    return Names(
        tuple(t.id for t in scenario.tickets),
        tuple(e.id for e in scenario.engineers),
        tuple(node_ticket),
        rest_of_node,
        depot_of_node,
        tuple(rests),
    )


def _nodes(scenario: Scenario, names: Names) -> tuple[Ints, NDArray[np.float64]]:
    visits, team = len(names.node_ticket), len(scenario.engineers)
    total = visits + len(names.rest_of_node) + len(names.depot_of_node) + 2 * team
    node = np.zeros((total, col.NODE_WIDTH), np.int32)
    node[:, [col.LATEST, col.DUE, col.EXCUSED]] = col.FAR
    node[:, col.FLOOR] = node[:, col.EARLIEST] = -col.FAR
    node[:, [col.BEFORE_ENGINEER, col.LEAD]] = -1
    price = np.zeros((total, 4), np.float64)
    index = {e.id: m for m, e in enumerate(scenario.engineers)}
    for x, t in enumerate(names.node_ticket):
        _visit_node(scenario, scenario.tickets[t], x >= len(scenario.tickets), index, node[x], price[x])
        node[x, col.LEAD] = t
        node[x, col.CREWED] = int(scenario.tickets[t].crew > 1)
    for m, mine in enumerate(names.rests):
        rests = {r.id: r for r in scenario.engineers[m].breaks}
        for x in mine:
            rest = rests[names.rest_of_node[x]]
            node[x, [col.EARLIEST, col.LATEST, col.DURATION]] = (
                rest.earliest_s,
                rest.latest_s,
                rest.duration_s,
            )
            node[x, col.KIND] = col.REST
    for x, depot in zip(sorted(names.depot_of_node), scenario.depots, strict=True):
        node[x, [col.SITE, col.DURATION, col.KIND]] = depot.site, depot.duration_s, col.DEPOT
        node[x, [col.EARLIEST, col.LATEST]] = depot.open_s
    for m, engineer in enumerate(scenario.engineers):
        for x, site in ((total - 2 * team + m, engineer.start), (total - team + m, engineer.end)):
            node[x, [col.SITE, col.KIND]] = site, col.HOME
    return node, price


def _visit_node(
    scenario: Scenario,
    ticket: Ticket,
    helps: bool,
    index: dict[str, int],
    node: Ints,
    price: NDArray[np.float64],
) -> None:
    weights = scenario.weights
    node[col.SITE], node[col.DURATION] = ticket.site, ticket.duration_s
    node[col.KIND] = col.HELP if helps else col.VISIT
    if ticket.window_s is not None:
        node[col.EARLIEST], node[col.LATEST] = ticket.window_s
    before = ticket.previous
    moved = 0.0 if before is None else weights.moved[before.known]
    if before is not None and moved > 0:
        node[col.BEFORE], node[col.BEFORE_ENGINEER] = before.start_s, index.get(before.engineer, -1)
        price[col.MOVED] = moved
    if helps:
        return
    if ticket.due_s is not None:
        node[col.DUE] = ticket.due_s
    price[col.LATE] = weights.late_s[ticket.priority]
    price[col.MISSED] = weights.missed_window
    price[col.UNSERVED] = weights.unserved[ticket.priority] + moved
    if ticket.pinned is not None:
        price[col.UNSERVED] += col.BROKEN


def _excuse(scenario: Scenario, able: NDArray[np.bool_], node: Ints, drive: Any, ball: Any) -> None:
    """Makes the window's end soft for pinned tickets and for those nobody with the skills could reach in time."""
    modes = [mode_number(e, scenario.travel) for e in scenario.engineers]
    for t, ticket in enumerate(scenario.tickets):
        if ticket.window_s is None:
            continue
        missed = ticket.pinned is not None
        if not missed:
            fit = np.nonzero(able[:, t])[0]
            missed = fit.size > 0 and not any(
                reach_s(scenario.engineers[m], modes[m], ticket.site, drive, ball) <= ticket.window_s[1]
                for m in fit
            )
        if missed:
            node[t, col.EXCUSED], node[t, col.LATEST] = ticket.window_s[1], col.FAR
    helping = node[:, col.KIND] == col.HELP
    node[helping, col.LATEST] = node[node[helping, col.LEAD], col.LATEST]


def _check_pins(scenario: Scenario, able: NDArray[np.bool_]) -> None:
    for t, ticket in enumerate(scenario.tickets):
        if ticket.pinned is not None and not able[:, t].any():
            facts = {"ticket": ticket.id, "engineer": ticket.pinned.engineer, "by": "skills"}
            raise PlanningError("pin_contradicts", facts)


def _engineers(scenario: Scenario, names: Names) -> tuple[Ints, NDArray[np.float64]]:
    team, weights = len(scenario.engineers), scenario.weights
    engineer = np.zeros((team, col.ENGINEER_WIDTH), np.int32)
    rate = np.zeros((team, 2), np.float64)
    homes = len(names.node_ticket) + len(names.rest_of_node) + len(names.depot_of_node)
    room = _longest(scenario)  # a route that is full must not stand in the way of the next cheapest
    for m, facts in enumerate(scenario.engineers):
        most = room if facts.max_visits is None else min(room, facts.max_visits)
        last = facts.shift_s[1] + scenario.overtime_limit_s
        mode, on_shift = mode_number(facts, scenario.travel), int(facts.shift_s[1] > facts.shift_s[0])
        engineer[m] = homes + m, homes + team + m, *facts.shift_s, last, mode, most, 0, on_shift
        rate[m] = weights.travel_s * facts.cost_factor, weights.overtime_s * facts.cost_factor
    return engineer, rate


def _bias(scenario: Scenario, names: Names) -> NDArray[np.float32]:
    """(M, NN): minus the preference, plus the price of another engineer than before; empty where nobody minds."""
    index = {e.id: m for m, e in enumerate(scenario.engineers)}
    moved = scenario.weights.moved
    cares = [t.prefer or (t.previous and moved[t.previous.known] > 0) for t in scenario.tickets]
    if not any(cares):
        return np.zeros((0, 0), np.float32)
    bias = np.zeros((len(scenario.engineers), len(names.node_ticket)), np.float32)
    for x, t in enumerate(names.node_ticket):
        ticket, helps = scenario.tickets[t], x >= len(scenario.tickets)
        for name, bonus in ticket.prefer.items():
            bias[index[name], x] -= bonus
        if ticket.previous is not None and moved[ticket.previous.known] > 0:
            price = moved[ticket.previous.known]
            if not helps:
                bias[:, x] += price
            if ticket.previous.engineer in index:
                bias[index[ticket.previous.engineer], x] -= price
    return bias


def _stores(scenario: Scenario, names: Names) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Parts needed (NN, P) and in the vans (M, P); tools missing (M, NN), or empty where none ever is."""
    parts = sorted({p for t in scenario.tickets for p, n in t.parts.items() if n > 0})
    team = scenario.engineers
    homes = len(names.rest_of_node) + len(names.depot_of_node) + 2 * len(team)
    need = np.zeros((len(names.node_ticket) + homes, len(parts)), np.int32)
    lack = np.zeros((len(team), need.shape[0]), np.bool_)
    for t, ticket in enumerate(scenario.tickets):
        need[t] = [ticket.parts.get(p, 0) for p in parts]
        if ticket.tools:
            lack[:, t] = [not ticket.tools <= e.tools for e in team]
    stock = np.array([[min(e.van_stock.get(p, 0), col.FAR) for p in parts] for e in team], np.int32)
    return need, stock.reshape(len(team), len(parts)), lack if lack.any() else np.zeros((0, 0), np.bool_)


def _options(scenario: Scenario, able: NDArray[np.bool_], drive: Any, ball: Any) -> tuple[Longs, Ints]:
    """(N, most) engineers able to lead each ticket, nearest start first, and (N,) how many."""
    choices = able.sum(axis=0).astype(np.int32)
    option = np.zeros((able.shape[1], max(1, int(choices.max(initial=0)))), np.int64)
    starts = np.array([e.start for e in scenario.engineers])
    modes = np.array([mode_number(e, scenario.travel) for e in scenario.engineers])
    for t, ticket in enumerate(scenario.tickets):
        fit = np.nonzero(able[:, t])[0]
        if ball.shape[0]:
            away = np.linalg.norm(ball[starts[fit], :3] - ball[ticket.site, :3], axis=1)
        else:
            away = drive[modes[fit], 0, starts[fit], ticket.site]
        option[t, : fit.size] = fit[np.argsort(away, kind="stable")]
    return option, choices


def _order(scenario: Scenario) -> tuple[Longs, Longs]:
    """(N, most) tickets each must wait for, and tickets waiting for it; -1 fills the rows."""
    index = {t.id: i for i, t in enumerate(scenario.tickets)}
    before = [sorted({index[name] for name in t.after}) for t in scenario.tickets]
    behind: list[list[int]] = [[] for _ in before]
    for t, earlier in enumerate(before):
        for e in earlier:
            behind[e].append(t)
    return _padded(before), _padded(behind)


def _padded(rows: list[list[int]]) -> Longs:
    table = np.full((len(rows), max((len(r) for r in rows), default=0)), -1, np.int64)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def _helpers(scenario: Scenario, names: Names, before: Longs) -> tuple[Longs, Longs]:
    """(N, widest crew - 1) helper nodes, and every node whose window depends on other routes."""
    rows: list[list[int]] = [[] for _ in scenario.tickets]
    for x in range(len(scenario.tickets), len(names.node_ticket)):
        rows[names.node_ticket[x]].append(x)
    tied = {t for t, row in enumerate(rows) if row} | {x for row in rows for x in row}
    for t in range(before.shape[0]):
        if before.shape[1] and before[t, 0] >= 0:
            tied |= {t, *(int(e) for e in before[t] if e >= 0)}
    return _padded(rows), np.array(sorted(tied), np.int64)


def _may_help(scenario: Scenario) -> NDArray[np.bool_]:
    may = np.ones((len(scenario.engineers), len(scenario.tickets)), np.bool_)
    index = {e.id: m for m, e in enumerate(scenario.engineers)}
    for t, ticket in enumerate(scenario.tickets):
        for name in ticket.not_with:
            may[index[name], t] = False
    return may


def _fix_pinned_prefix(scenario: Scenario, node: Ints, engineer: Ints) -> bool:
    """Marks pinned rows; the unbroken ones from the start become a fixed prefix. True where others remain."""
    index = {e.id: m for m, e in enumerate(scenario.engineers)}
    rows: dict[int, list[tuple[int, int]]] = {}
    for t, ticket in enumerate(scenario.tickets):
        if ticket.pinned is not None and ticket.pinned.position is not None:
            node[t, col.PIN] = ticket.pinned.position + 1
            rows.setdefault(index[ticket.pinned.engineer], []).append((ticket.pinned.position, t))
    odd = False
    for m, pinned in rows.items():
        prefix = 0
        for position, t in sorted(pinned):
            if position == prefix and scenario.tickets[t].crew == 1 and not scenario.tickets[t].after:
                prefix += 1
            else:
                odd = True
        engineer[m, col.FIXED] = prefix
    return odd


def _longest(scenario: Scenario) -> int:
    """The most stops a route can hold: as many of the shortest tickets as fit the longest shift with its overtime."""
    spans = [e.shift_s[1] - e.shift_s[0] for e in scenario.engineers]
    room = max(spans) + scenario.overtime_limit_s
    ends = np.cumsum(np.sort(np.array([t.duration_s for t in scenario.tickets], np.int64)))
    rests = max(len(e.breaks) for e in scenario.engineers)
    most = int(np.searchsorted(ends, room, side="right")) + rests + len(scenario.depots) + 8
    return min(most, STOPS_LIMIT, max(64, DRAFT_CELLS // len(scenario.engineers)))
