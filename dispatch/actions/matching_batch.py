"""Waiting tickets matched together: each pair priced by the match's own rules and scores, shared out by one flow.

Three parts, so that no lock is held while the solver works: look at each ticket, share out in a process of its own,
then give each ticket in a transaction that looks again.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from dispatch.actions.acting import act
from dispatch.actions.bulk import keep_report
from dispatch.actions.cases import load_case
from dispatch.actions.matching import find_candidates, judge_one, keep_receipt
from dispatch.actions.matching_modes import offer_to, under_policy
from dispatch.actions.step import House, Step, run_step
from dispatch.actions.travel_facts import with_table
from dispatch.domain.commands import Facts, system
from dispatch.domain.errors import DispatchError
from dispatch.planning.client import share
from dispatch.store.queries.bulk import waiting_tickets

#: Modes whose tickets may be given by the batch; the others find people in their own way.
GIVEN = frozenset({"direct", "offer"})
MOST_TICKETS = 300
#: Minutes of travel that leaving a ticket open counts as: nobody who fits is too far for it.
LEFT_OPEN_MIN = {"urgent": 4000.0, "high": 2000.0, "normal": 1000.0, "low": 500.0}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One ticket and what giving it to each who fits costs, in minutes of travel."""

    ticket_id: UUID
    ticket_no: str
    priority: str
    costs: dict[UUID, float]


def match_batch(house: House, tenant_id: UUID, depth: int = 0) -> list[dict[str, Any]]:
    """Matches the tenant's waiting tickets together; returns the report's lines, none where nothing waited."""
    who = system(tenant_id)
    found = run_step(house, who, lambda step: waiting_tickets(step.db, step.tenant_id, MOST_TICKETS))
    knowing = with_table(house, tenant_id, [row["id"] for row in found]) if len(found) > 1 else house
    looked = [run_step(knowing, who, partial(_look, row)) for row in found]
    waiting = [each for each in looked if each is not None]
    if not waiting:
        return []
    given = share_out(waiting)
    lines = [_give(house, tenant_id, each, given.get(each.ticket_id), depth) for each in waiting]
    run_step(house, who, lambda step: keep_report(step, "batch", {"tickets": len(lines)}, lines), depth)
    return lines


def _look(row: dict[str, Any], step: Step) -> Waiting | None:
    case = load_case(step, row["id"], Facts())
    if case.ticket.status != "open" or under_policy(step, case).mode not in GIVEN:
        return None
    _, found = find_candidates(step, case)
    costs = {c.engineer.engineer_id: c.score for c in found.eligible}
    return Waiting(row["id"], row["ticket_no"], case.ticket.priority, costs)


def share_out(waiting: list[Waiting]) -> dict[UUID, UUID]:
    """Engineer of each ticket that gets one: at most one each, the least minutes in all, the urgent first."""
    team = sorted({engineer for each in waiting for engineer in each.costs}, key=str)
    number = {engineer: m for m, engineer in enumerate(team)}
    given = share(
        [{number[engineer]: cost for engineer, cost in each.costs.items()} for each in waiting],
        [LEFT_OPEN_MIN[each.priority] for each in waiting],
        [1] * len(team),
    )
    return {waiting[i].ticket_id: team[m] for i, m in given.items()}


def _give(
    house: House, tenant_id: UUID, each: Waiting, engineer_id: UUID | None, depth: int
) -> dict[str, Any]:
    """The ticket to its engineer, if that still holds; the others are looked at again soon."""

    def give(step: Step) -> dict[str, Any]:
        case = load_case(step, each.ticket_id, Facts())
        policy = under_policy(step, case)
        again: dict[str, Any] = {"outcome": "open", "engineer_id": None, "engineer_name": None}
        if case.ticket.status != "open":
            return again
        work, found = find_candidates(step, case)
        chosen = next((c for c in found.eligible if c.engineer.engineer_id == engineer_id), None)
        keep_receipt(step, case, work, found, "batch", chosen)
        step.db.flush()
        if chosen is None or not judge_one(step, case, chosen.engineer.engineer_id).eligible:
            if not found.eligible:
                case.ticket.attention = "no_candidate"
            minutes = step.rules.batch_min or step.rules.match_again_min
            step.set_timer("match_again", case.ticket.id, step.now + timedelta(minutes=minutes))
            return again
        case.ticket.mode = policy.mode
        if policy.mode == "direct":
            act(step, case.ticket.id, "assign", Facts(engineer_id=chosen.engineer.engineer_id))
        else:
            offer_to(step, case, (chosen,), 1)
        engineer = chosen.engineer
        return {
            "outcome": "assigned" if policy.mode == "direct" else "offered",
            "engineer_id": str(engineer.engineer_id),
            "engineer_name": engineer.name,
        }

    head = {"ticket_id": str(each.ticket_id), "ticket_no": each.ticket_no}
    rest: dict[str, Any] = {
        "window_from": None,
        "window_to": None,
        "broken_rules": [],
        "code": None,
        "facts": {},
    }
    try:
        line = run_step(house, system(tenant_id), give, depth)
    except DispatchError as refusal:
        nobody = {"engineer_id": None, "engineer_name": None}
        rest |= {"code": refusal.code, "facts": refusal.facts}
        line = {"outcome": "refused", **nobody}
    return {**head, **rest, **line}
