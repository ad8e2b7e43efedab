"""The parts of a plan's score, for the referee: each returns what it adds to the total. Lower is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dispatch.planning.referee_clock import (
    Day,
    Route,
    Timetable,
    latest_and_duration,
    may_miss_window,
    overtime_s,
    stop_sites,
)

MOVED_BEYOND_S: Final = 1800


def travel(day: Day, table: Timetable) -> float:
    factored_s = [table.driven_s[r.engineer] * day.cost_factor(r.engineer) for r in table.driven()]
    return float(day.weights["travel_s"] * sum(factored_s))


def overtime(day: Day, table: Timetable) -> float:
    factored_s = [overtime_s(day, table, r) * day.cost_factor(r.engineer) for r in table.driven()]
    return float(day.weights["overtime_s"] * sum(factored_s))


def late(day: Day, table: Timetable) -> float:
    total = 0.0
    for ticket_id, start_s in table.ticket_start_s.items():
        ticket = day.tickets[ticket_id]
        if "due_s" in ticket:
            total += day.weights["late_s"][ticket["priority"]] * max(0, start_s - ticket["due_s"])
    return total


def unserved(day: Day, table: Timetable) -> float:
    missed = [ticket for ticket_id, ticket in day.tickets.items() if ticket_id not in table.members]
    return float(sum(day.weights["unserved"][ticket["priority"]] for ticket in missed))


def prefer(day: Day, table: Timetable) -> float:
    bonus = 0.0
    for ticket_id, members in table.members.items():
        bonus += sum(day.tickets[ticket_id].get("prefer", {}).get(engineer, 0) for engineer in members)
    return -bonus


def workload_spread(day: Day, table: Timetable) -> float:
    on_shift = [name for name, facts in day.engineers.items() if facts["shift_s"][1] > facts["shift_s"][0]]
    if not on_shift:
        return 0.0
    work_s = [table.driven_s.get(name, 0) + table.served_s.get(name, 0) for name in on_shift]
    mean_s = sum(work_s) / len(work_s)
    return float(day.weights["workload_spread_s"] * sum(abs(one_s - mean_s) for one_s in work_s))


def moved(day: Day, table: Timetable) -> float:
    total = 0.0
    for ticket_id, ticket in day.tickets.items():
        previous = ticket.get("previous")
        if previous is None:
            continue
        start_s = table.ticket_start_s.get(ticket_id)
        same_engineer = previous["engineer"] in table.members.get(ticket_id, [])
        near = start_s is not None and abs(start_s - previous["start_s"]) <= MOVED_BEYOND_S
        if not (same_engineer and near):
            total += day.weights["moved"][previous["known"]]
    return total


def missed_window(day: Day, table: Timetable) -> float:
    total = 0.0
    for ticket_id, start_s in table.ticket_start_s.items():
        ticket = day.tickets[ticket_id]
        if "window_s" in ticket and start_s > ticket["window_s"][1] and may_miss_window(day, ticket):
            beyond_s = start_s - ticket["window_s"][1]
            total += day.weights["missed_window"] + day.weights["late_s"][ticket["priority"]] * beyond_s
    return total


def working(day: Day, table: Timetable) -> float:
    if day.weights["working_s"] == 0:
        return 0.0
    worked_s = sum(
        table.finish_s[route.engineer] - _latest_departure_s(day, table, route) for route in table.driven()
    )
    return float(day.weights["working_s"] * worked_s)


def _latest_departure_s(day: Day, table: Timetable, route: Route) -> int:
    """Back from the finish: each stop as late as its window and the way onward let it; crews stay."""
    engineer, at_s = day.engineers[route.engineer], table.finish_s[route.engineer]
    sites, site = stop_sites(day, route), int(engineer["end"])
    timed = table.timed(route)
    for index in range(len(timed) - 1, -1, -1):
        stop, start_s = timed[index].stop, timed[index].start_s
        if start_s is None:
            return int(engineer["shift_s"][0])
        latest_s, duration_s = latest_and_duration(day, route.engineer, stop, start_s)
        at_s = min(
            latest_s,
            at_s - day.drive_s(route.engineer, sites[index], site, start_s + duration_s) - duration_s,
        )
        site = sites[index]
    start = int(engineer["start"])
    return at_s - day.drive_s(route.engineer, start, site, int(engineer["shift_s"][0]))


PARTS: dict[str, Callable[[Day, Timetable], float]] = {
    "travel": travel,
    "overtime": overtime,
    "late": late,
    "unserved": unserved,
    "prefer": prefer,
    "workload_spread": workload_spread,
    "moved": moved,
    "missed_window": missed_window,
    "working": working,
}
