"""One step of a ticket's life: lock, gather, decide, apply. Every front door ends here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from dispatch.actions import (
    acceptance,
    contractors,
    holds,
    intake_changes,
    money,
    offers,
    pool_rules,
    visits,
)
from dispatch.actions.cases import Case, case_questions, draft_for, load_case
from dispatch.actions.step import Answer, House, Step, run_command
from dispatch.domain.commands import Command, Principal
from dispatch.domain.errors import NotReady
from dispatch.domain.events import instant
from dispatch.domain.lifecycle import ACTIONS, Actor, Need, TicketStatus, advance, find_row
from dispatch.store.exchange import Question

Met = Callable[[Step, Case], set[Need]]
Apply = Callable[[Step, Case], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Handler:
    """`met` says which needs are satisfied; `apply` changes rows and returns the event's facts."""

    met: Met
    apply: Apply


HANDLERS: dict[str, Handler] = {
    action: Handler(met, apply)
    for slice_handlers in (
        intake_changes.HANDLERS, offers.HANDLERS, contractors.HANDLERS, visits.HANDLERS, holds.HANDLERS,
        money.HANDLERS, acceptance.HANDLERS,
    )
    for action, (met, apply) in slice_handlers.items()
}  # fmt: skip

#: A helper's or trainee's own times: they move nobody's ticket.
CREW_ACTIONS = frozenset({"set_off", "check_in", "turn_back", "complete"})


def take_action(
    house: House,
    principal: Principal,
    command: Command,
    witnessed_by: UUID | None = None,
    after: Sequence[Question] = (),
) -> Answer:
    """Do `command` once; the answer's body is mobile_contract's ActionResult or a refusal.

    `witnessed_by` is the engineer on whose phone the customer acts; `after` is read as soon as it is committed.
    """

    def work(step: Step) -> dict[str, Any]:
        return apply_action(step, command, witnessed_by)

    ahead = command.ticket_id, case_questions(principal, command)
    return run_command(
        house, principal, command.command_id, command.request_hash, work, command.device_at, ahead, after
    )


def apply_action(step: Step, command: Command, witnessed_by: UUID | None = None) -> dict[str, Any]:
    """`command` within the caller's transaction: jobs use this too. Raises DispatchError."""
    grabs = command.action == "grab"
    case = load_case(step, command.ticket_id, command.facts, witnessed_by, grabs)
    if command.action == "decline_offer":
        offers.decline(step, case)
    elif grabs and case.actor is Actor.ENGINEER and pool_rules.collects(step, case):
        offers.check_eligible(step, case)
        pool_rules.put_name_down(step, case)
    elif command.action not in ACTIONS:
        raise NotReady("action_unknown", action=command.action)
    elif _is_crew_but_not_lead(case) and command.action in CREW_ACTIONS:
        visits.crew_action(step, case, command.action)
    else:
        _move(step, case, command.action)
    return {
        "command_id": str(command.command_id),
        "ticket_id": str(case.ticket.id),
        "action": command.action,
        "status": case.ticket.status,
        "version": case.ticket.version,
    }


def _move(step: Step, case: Case, action: str) -> None:
    ticket = case.ticket
    before = TicketStatus(ticket.status)
    had = _held(case)
    find_row(before, action, case.actor)
    handler = HANDLERS[action]
    met = handler.met(step, case)
    try:
        after = advance(before, action, case.actor, met, has_engineer=case.visit.engineer_id is not None)
    except NotReady as refusal:
        refusal.facts.update(case.refusal_facts)
        raise
    # All at once: the row is written anew, with all its indexes, whenever the handler has the session write.
    ticket.status, ticket.version, ticket.updated_at = after, ticket.version + 1, step.now
    facts = handler.apply(step, case)
    if case.actor is Actor.DISPATCHER and ticket.attention == "urged":
        ticket.attention = None
    held = _held(case)
    facts |= {key: value for key, value in held.items() if value != had[key]}
    if step.acting_for is not None:
        facts["flag"] = "acted_for"
    if case.witnessed_by is not None:
        facts["witnessed_by"] = str(case.witnessed_by)
    step.drafts.insert(0, draft_for(case, action, before, facts))


def _held(case: Case) -> dict[str, object]:
    """What replaying a ticket's events must give besides its status."""
    visit = case.visit
    return {
        "engineer": str(visit.engineer_id) if visit.engineer_id else None,
        "visit": str(visit.id),
        "window": [instant(visit.window_from), instant(visit.window_to)],
    }


def _is_crew_but_not_lead(case: Case) -> bool:
    return case.actor is Actor.ENGINEER and any(
        member.engineer_id == case.engineer_id and member.role != "lead" for member in case.crew
    )
