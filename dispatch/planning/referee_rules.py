"""The hard rules of a plan, for the referee: each yields what it finds broken; any ruins the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dispatch.planning.referee_clock import Day, Stop, Timetable, may_miss_window, overtime_s


@dataclass(frozen=True, slots=True)
class Violation:
    """A hard rule broken: a stable code and plain facts."""

    code: str
    facts: Mapping[str, Any]


def windows_kept(day: Day, table: Timetable) -> Iterator[Violation]:
    for ticket_id, start_s in table.ticket_start_s.items():
        ticket = day.tickets[ticket_id]
        late = "window_s" in ticket and start_s > ticket["window_s"][1]
        if late and not may_miss_window(day, ticket):
            facts = {"ticket": ticket_id, "start_s": start_s, "latest_s": ticket["window_s"][1]}
            yield Violation("window_missed", facts)


def overtime_within_limit(day: Day, table: Timetable) -> Iterator[Violation]:
    limit_s = day.limits["overtime_s"]
    for route in table.driven():
        over_s = overtime_s(day, table, route)
        if over_s > limit_s:
            facts = {"engineer": route.engineer, "overtime_s": over_s, "limit_s": limit_s}
            yield Violation("overtime_beyond_limit", facts)


def breaks_taken(day: Day, table: Timetable) -> Iterator[Violation]:
    for route in table.driven():
        taken = Counter(stop.name for stop in route.stops if stop.kind == "break")
        for rest in day.engineers[route.engineer].get("breaks", []):
            facts: dict[str, Any] = {"engineer": route.engineer, "break": rest["id"]}
            if taken[rest["id"]] == 0:
                yield Violation("break_absent", facts)
            elif taken[rest["id"]] > 1:
                yield Violation("break_twice", facts)
        for timed in table.timed(route):
            if timed.stop.kind == "break" and timed.start_s is not None:
                latest_s = day.rest(route.engineer, timed.stop.name)["latest_s"]
                if timed.start_s > latest_s:
                    facts = {"engineer": route.engineer, "break": timed.stop.name}
                    yield Violation("break_late", {**facts, "start_s": timed.start_s, "latest_s": latest_s})


def depots_open(day: Day, table: Timetable) -> Iterator[Violation]:
    for route in table.driven():
        for timed in table.timed(route):
            if timed.stop.kind != "depot" or timed.start_s is None:
                continue
            open_s = day.depots[timed.stop.name].get("open_s")
            if open_s is not None and timed.start_s > open_s[1]:
                facts = {"engineer": route.engineer, "depot": timed.stop.name, "start_s": timed.start_s}
                yield Violation("depot_closed", {**facts, "closes_s": open_s[1]})


def tickets_served_once(day: Day, table: Timetable) -> Iterator[Violation]:
    for ticket_id, members in table.members.items():
        needed = day.tickets[ticket_id].get("crew", 1)
        facts = {"ticket": ticket_id, "engineers": members, "crew": needed}
        if needed == 1 and len(members) > 1:
            yield Violation("ticket_twice", facts)
        elif len(set(members)) < len(members) or len(members) != needed:
            yield Violation("crew_wrong", facts)
        elif ticket_id not in table.ticket_start_s:
            yield Violation("crew_never_meets", facts)


def skills_tools_and_parts(day: Day, table: Timetable) -> Iterator[Violation]:
    """Skills and tools of the lead; parts from his van, used up stop by stop, until a depot refills it."""
    stock = {name: dict(facts.get("van_stock", {})) for name, facts in day.engineers.items()}
    leads: dict[str, str] = {}
    for ticket_id, members in table.members.items():
        ticket = day.tickets[ticket_id]
        in_order = [engineer for engineer in day.engineers if engineer in members]
        skilled = [engineer for engineer in in_order if day.has_skills(engineer, ticket)]
        equipped = [engineer for engineer in skilled if table.has_tools(day, engineer, ticket_id)]
        if not skilled:
            yield Violation("skill_missing", {"ticket": ticket_id, "engineers": members})
        elif not equipped:
            yield Violation("tool_missing", {"ticket": ticket_id, "engineers": members})
        else:
            leads[ticket_id] = equipped[0]
    for route in table.driven():
        for index, stop in enumerate(route.stops):
            if stop.kind != "ticket" or leads.get(stop.name) != route.engineer:
                continue
            if table.after_depot(route, index):
                continue
            for part, count in day.tickets[stop.name].get("parts", {}).items():
                left = stock[route.engineer].get(part, 0) - count
                stock[route.engineer][part] = left
                if count > 0 and left < 0:
                    facts = {"ticket": stop.name, "engineer": route.engineer, "part": part, "short": -left}
                    yield Violation("part_missing", facts)


def visits_within_maximum(day: Day, table: Timetable) -> Iterator[Violation]:
    for route in table.driven():
        most = day.engineers[route.engineer].get("max_visits")
        visits = sum(stop.kind == "ticket" for stop in route.stops)
        if most is not None and visits > most:
            facts = {"engineer": route.engineer, "visits": visits, "max_visits": most}
            yield Violation("visits_too_many", facts)


def exclusions_kept(day: Day, table: Timetable) -> Iterator[Violation]:
    for ticket_id, members in table.members.items():
        for engineer in members:
            if engineer in day.tickets[ticket_id].get("not_with", []):
                yield Violation("engineer_excluded", {"ticket": ticket_id, "engineer": engineer})


def order_kept(day: Day, table: Timetable) -> Iterator[Violation]:
    for ticket_id, start_s in table.ticket_start_s.items():
        for earlier in day.tickets[ticket_id].get("after", []):
            facts = {"ticket": ticket_id, "after": earlier, "start_s": start_s}
            if earlier not in table.ticket_start_s:
                yield Violation("earlier_unserved", facts)
                continue
            ended_s = table.ticket_start_s[earlier] + day.tickets[earlier]["duration_s"]
            if start_s < ended_s:
                yield Violation("order_broken", {**facts, "ended_s": ended_s})


def pins_kept(day: Day, table: Timetable) -> Iterator[Violation]:
    for ticket_id, ticket in day.tickets.items():
        pin = ticket.get("pinned")
        if pin is None:
            continue
        facts = {"ticket": ticket_id, "pinned": dict(pin)}
        route = table.route_of(pin["engineer"])
        stop = Stop("ticket", ticket_id)
        if route is None or stop not in route.stops:
            yield Violation("pin_broken", facts)
        elif pin.get("position") is not None and route.stops.index(stop) != pin["position"]:
            yield Violation("pin_broken", {**facts, "position": route.stops.index(stop)})


RULES: tuple[Callable[[Day, Timetable], Iterator[Violation]], ...] = (
    windows_kept,
    overtime_within_limit,
    breaks_taken,
    depots_open,
    tickets_served_once,
    skills_tools_and_parts,
    visits_within_maximum,
    exclusions_kept,
    order_kept,
    pins_kept,
)
