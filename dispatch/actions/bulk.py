"""Many tickets in one action with one report: an engineer's day moved to others, a storm's tickets rebooked.

Every ticket is locked first, in the order of ids; then each is worked through in a savepoint of its own, the
urgent first, so that what is refused to one does not undo another.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.actions.acting import act
from dispatch.actions.cases import engineer_of, load_case
from dispatch.actions.matching import find_candidates, judge_one, keep_receipt, policy_of
from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import DispatchError, NotReady
from dispatch.domain.reasons import REASONS
from dispatch.store.ids import new_id
from dispatch.store.queries.bulk import booked_with, lock_tickets
from dispatch.store.savepoint import savepoint
from dispatch.store.tables.matching import BulkReport
from dispatch.store.tables.people import Absence

MOST_TICKETS = 200
LONGEST_OUT = timedelta(days=31)
#: Reasons why an engineer's work goes to others; they are reasons of handing back too.
OUT_REASONS = ("sick", "vehicle", "overloaded", "other")

Line = dict[str, Any]


def engineer_out(
    step: Step, engineer_id: UUID, starts_at: datetime, ends_at: datetime, reason: str
) -> dict[str, Any]:
    """The engineer is away for this span, and each ticket of theirs in it goes to the best who fits, or back to be
    matched. Returns views.BulkReport.

    Raises NotFound `engineer_unknown`; NotReady `span_invalid`, `reason_unknown`, `too_many_tickets`.
    """
    engineer = engineer_of(step, engineer_id)
    if not step.now - LONGEST_OUT < starts_at < ends_at <= starts_at + LONGEST_OUT or ends_at <= step.now:
        raise NotReady("span_invalid", most_days=LONGEST_OUT.days)
    if reason not in OUT_REASONS or reason not in REASONS["hand_back"]:
        raise NotReady("reason_unknown", action="engineer_out", reason=reason, allowed=list(OUT_REASONS))
    step.db.add(
        Absence(
            tenant_id=step.tenant_id,
            id=new_id(),
            engineer_id=engineer.id,
            reason=reason,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    )
    step.db.flush()
    days = (step.rules.local_day(starts_at), step.rules.local_day(ends_at - timedelta(seconds=1)))
    found = booked_with(step.db, step.tenant_id, engineer.id, (starts_at, ends_at), days, MOST_TICKETS + 1)
    lines = _each(step, found, lambda ticket_id: _move_on(step, ticket_id, engineer.id, reason))
    facts = {
        "engineer": str(engineer.id),
        "from": starts_at.isoformat(),
        "to": ends_at.isoformat(),
        "reason": reason,
    }
    return keep_report(step, "engineer_out", facts, lines)


def _move_on(step: Step, ticket_id: UUID, engineer_id: UUID, reason: str) -> Line:
    """To the best who fits, with a receipt; nobody fits: handed back, and the engine goes on looking."""
    case = load_case(step, ticket_id, Facts())
    work, found = find_candidates(step, case)
    best = next((c for c in found.eligible if c.engineer.engineer_id != engineer_id), None)
    keep_receipt(step, case, work, found, policy_of(step, case).mode, best)
    step.db.flush()
    if best is None:
        act(step, ticket_id, "hand_back", Facts(reason=reason))
        return {"outcome": "open", "engineer_id": None, "engineer_name": None}
    act(step, ticket_id, "assign", Facts(engineer_id=best.engineer.engineer_id))
    return {
        "outcome": "assigned",
        "engineer_id": str(best.engineer.engineer_id),
        "engineer_name": best.engineer.name,
    }


def rebook_many(step: Step, ticket_ids: list[UUID], later_min: int) -> dict[str, Any]:
    """Each ticket's window this many minutes later, from now on where it had none; whose engineer then breaks a rule
    goes to the best who fits, or back to be matched. Returns views.BulkReport.

    Raises NotReady `too_many_tickets`, `nothing_chosen`.
    """
    if not ticket_ids:
        raise NotReady("nothing_chosen")
    found = lock_tickets(step.db, step.tenant_id, list(dict.fromkeys(ticket_ids)))
    lines = _each(step, found, lambda ticket_id: _rebook(step, ticket_id, timedelta(minutes=later_min)))
    known = {line["ticket_id"] for line in lines}
    lines += [
        _refused({"id": ticket_id, "ticket_no": None}, "ticket_unknown", {})
        for ticket_id in dict.fromkeys(ticket_ids)
        if str(ticket_id) not in known
    ]
    return keep_report(step, "rebook", {"later_min": later_min}, lines)


def _rebook(step: Step, ticket_id: UUID, later: timedelta) -> Line:
    case = load_case(step, ticket_id, Facts())
    visit = case.visit
    start = visit.window_from or step.now
    end = visit.window_to or start + timedelta(hours=2)
    window = Facts(window_from=start + later, window_to=end + later)
    act(step, ticket_id, "rebook", window)
    engineer_id = visit.engineer_id
    line: Line = {
        "outcome": "rebooked",
        "engineer_id": str(engineer_id) if engineer_id else None,
        "engineer_name": None,
        "window_from": (start + later).isoformat(),
        "window_to": (end + later).isoformat(),
    }
    if engineer_id is None or case.ticket.status != "assigned":
        return line
    kept = judge_one(step, load_case(step, ticket_id, Facts()), engineer_id)
    line["engineer_name"] = kept.engineer.name
    away = [r.rule for r in kept.refusals if r.rule in ("absent", "off_shift", "workload", "certificate")]
    if not away:
        return line
    return {**line, **_move_on(step, ticket_id, engineer_id, "other"), "broken_rules": away}


def _each(step: Step, found: list[dict[str, Any]], work: Callable[[UUID], Line]) -> list[Line]:
    """`work` for each ticket, locked before; a refusal is a line of the report and leaves nothing behind."""
    if len(found) > MOST_TICKETS:
        raise NotReady("too_many_tickets", most=MOST_TICKETS)
    rules, lines = step.rules, []
    for ticket in found:
        drafts, writes = len(step.drafts), len(step.writes)
        try:
            with savepoint(step.db):
                line = work(ticket["id"])
            lines.append({**_head(ticket), **line})
        except DispatchError as refusal:
            del step.drafts[drafts:], step.writes[writes:]
            lines.append(_refused(ticket, refusal.code, refusal.facts))
        step.rules = rules
    return lines


def _head(ticket: dict[str, Any]) -> Line:
    return {
        "ticket_id": str(ticket["id"]),
        "ticket_no": ticket["ticket_no"],
        "window_from": None,
        "window_to": None,
        "broken_rules": [],
        "code": None,
        "facts": {},
    }


def _refused(ticket: dict[str, Any], code: str, facts: dict[str, object]) -> Line:
    nobody = {"engineer_id": None, "engineer_name": None}
    return {**_head(ticket), **nobody, "outcome": "refused", "code": code, "facts": facts}


def keep_report(step: Step, kind: str, facts: dict[str, Any], lines: list[Line]) -> dict[str, Any]:
    """Stores the report and drafts its event; returns views.BulkReport."""
    report = BulkReport(
        tenant_id=step.tenant_id,
        id=new_id(),
        kind=kind,
        asked_by=step.principal.id,
        at=step.now,
        facts=facts,
        lines=lines,
    )
    step.db.add(report)
    counts = {
        name: sum(line["outcome"] == name for line in lines) for name in sorted({x["outcome"] for x in lines})
    }
    step.drafts.append(
        Draft(
            subject_type="bulk_report",
            subject_id=report.id,
            ticket_id=None,
            action="bulk",
            facts={"kind": kind, "tickets": len(lines), **counts},
        )
    )
    return {
        "report_id": str(report.id),
        "kind": kind,
        "at": step.now.isoformat(),
        "facts": facts,
        "lines": lines,
    }
