"""The eight reactions at work: an event wakes them, a timer lets them wait, each runs once for each cause."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from dispatch.actions import telling_people as people
from dispatch.actions.acting import act
from dispatch.actions.cases import Case, load_case
from dispatch.actions.evidence_follow_up import child_ticket
from dispatch.actions.matching import find_candidates
from dispatch.actions.step import Draft, Step
from dispatch.actions.telling_customers import tell_everywhere
from dispatch.actions.telling_messages import Telling, tell
from dispatch.actions.telling_people import Person
from dispatch.actions.working import sign_off_by_default
from dispatch.adapters.channel import Channel
from dispatch.domain.automations import AUTOMATIONS, Setting, remind_at, setting_of, woken_by
from dispatch.domain.commands import Facts
from dispatch.domain.errors import DispatchError
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.telling import Automation, AutomationRun

PRIORITY_UP = {"low": "normal", "normal": "high", "high": "urgent", "urgent": "urgent"}


@dataclass(frozen=True, slots=True)
class Woken:
    """One automation of one ticket at one event (seq 0: a timer)."""

    kind: str
    setting: Setting
    seq: int
    facts: Mapping[str, Any]
    channels: Mapping[str, Channel]


def read_setting(step: Step, kind: str) -> Setting:
    row = step.db.get(Automation, {"tenant_id": step.tenant_id, "kind": kind})
    return setting_of(kind, row.active if row else None, row.parameters if row else {})


def put_setting(step: Step, kind: str, active: bool, parameters: Mapping[str, object]) -> None:
    """Switch and set one. Raises NotReady as setting_of does."""
    setting = setting_of(kind, active, parameters)
    row = step.db.get(Automation, {"tenant_id": step.tenant_id, "kind": kind})
    if row is None:
        row = Automation(tenant_id=step.tenant_id, kind=kind)
        step.db.add(row)
    row.active, row.parameters = active, dict(setting.parameters)
    row.updated_at, row.updated_by = step.now, step.principal.id
    step.db.flush()


def read_settings(step: Step) -> list[dict[str, Any]]:
    """views.AutomationLine of all eight, with the limits of each parameter."""
    lines = []
    for kind, known in AUTOMATIONS.items():
        setting = read_setting(step, kind)
        parameters = [
            {"name": name, "value": setting.parameters[name], "least": p.least, "most": p.most}
            for name, p in known.parameters.items()
        ]
        lines.append({"kind": kind, "active": setting.active, "parameters": parameters})
    return lines


def wake(step: Step, channels: Mapping[str, Channel], ticket_id: UUID, seq: int) -> None:
    """The event `seq` of the ticket: every automation it wakes that is on, now or by a timer."""
    rows = fetch(
        step.db,
        "select action, facts from ticket_events where tenant_id = %(tenant)s and seq = %(seq)s",
        {"tenant": step.tenant_id, "seq": seq},
    )
    kinds = woken_by(rows[0]["action"]) if rows else []
    settings = {kind: read_setting(step, kind) for kind in kinds}
    active = {kind: setting for kind, setting in settings.items() if setting.active}
    if not active:
        return
    case = load_case(step, ticket_id, Facts())
    for kind, setting in active.items():
        WAKES[kind](step, case, Woken(kind, setting, seq, rows[0]["facts"], channels))
    step.db.flush()


def _once(step: Step, case: Case, kind: str, cause: str) -> bool:
    """Whether this is the first run for this cause; remembered at once."""
    row = insert(AutomationRun).values(
        tenant_id=step.tenant_id,
        kind=kind,
        subject_id=case.ticket.id,
        cause=cause,
        ticket_id=case.ticket.id,
        at=step.now,
    )
    done = step.db.execute(row.on_conflict_do_nothing().returning(AutomationRun.kind))
    return done.first() is not None


def _customer(case: Case) -> Person:
    return Person("customer", case.ticket.id)


def _alert(step: Step, case: Case, why: str) -> None:
    step.drafts.append(
        Draft(
            subject_type="ticket_automation",
            subject_id=case.ticket.id,
            ticket_id=case.ticket.id,
            action="alert",
            facts={"attention": why},
            territory_id=case.ticket.territory_id,
        )
    )


def _tell_all(step: Step, case: Case, woken: Woken, whom: str, template: str, **facts: Any) -> None:
    for person in people.audience(step, whom, case.visit.engineer_id):
        tell(step, woken.channels, Telling(woken.seq, case.ticket.id, template, person, facts))


# woken by events


def _wait_for_engineer(step: Step, case: Case, woken: Woken) -> None:
    after = timedelta(minutes=woken.setting.parameters["after_min"])
    step.set_timer("auto_assign", case.ticket.id, step.now + after)


def _wait_for_window(step: Step, case: Case, woken: Woken) -> None:
    at = remind_at(case.visit.window_from, woken.setting.parameters["before_min"], step.now)
    if at is not None:
        step.set_timer("auto_remind", case.ticket.id, at)


def _escalate(step: Step, case: Case, woken: Woken) -> None:
    """The board calls for a dispatcher, before the promise is broken."""
    if woken.facts["pct"] < woken.setting.parameters["pct_at_least"]:
        return
    if _once(step, case, woken.kind, f"seq {woken.seq}") and case.ticket.attention is None:
        case.ticket.attention = "at_risk"
        _alert(step, case, "at_risk")


def _wait_for_rating(step: Step, case: Case, woken: Woken) -> None:
    if woken.facts.get("rating") is None:
        after = timedelta(minutes=woken.setting.parameters["after_min"])
        step.set_timer("auto_rating", case.ticket.id, step.now + after)


def _call_back(step: Step, case: Case, woken: Woken) -> None:
    rating = woken.facts.get("rating")
    if rating is None or rating > woken.setting.parameters["stars_at_most"]:
        return
    if _once(step, case, woken.kind, f"seq {woken.seq}"):
        _alert(step, case, "call_back")
        _tell_all(step, case, woken, "dispatchers", "unhappy", rating=rating)


def _follow_up(step: Step, case: Case, woken: Woken) -> None:
    """A ticket of its own for what was not fixed, linked to this one."""
    if woken.facts.get("outcome") != "not_fixed" or not _once(step, case, woken.kind, f"seq {woken.seq}"):
        return
    raised = woken.setting.parameters["raise_priority"] == 1
    priority = PRIORITY_UP[case.ticket.priority] if raised else case.ticket.priority
    child_ticket(step, case, "follow_up", priority=priority)
    _tell_all(step, case, woken, "dispatchers", "not_fixed")


def _notify_urge(step: Step, case: Case, woken: Woken) -> None:
    if case.ticket.urged < woken.setting.parameters["times_at_least"]:
        return
    if _once(step, case, woken.kind, f"seq {woken.seq}"):
        for whom in ("engineer", "dispatchers"):
            _tell_all(step, case, woken, whom, "urged")


def _wait_for_answer(step: Step, case: Case, woken: Woken) -> None:
    warn = timedelta(hours=woken.setting.parameters["warn_before_h"])
    closes_at = step.now + timedelta(days=step.rules.acceptance_days)
    if warn and closes_at - warn > step.now:
        step.set_timer("auto_closing", case.ticket.id, closes_at - warn)


WAKES: dict[str, Callable[[Step, Case, Woken], None]] = {
    "assign_when_silent": _wait_for_engineer,
    "remind_window": _wait_for_window,
    "escalate_at_risk": _escalate,
    "ask_rating": _wait_for_rating,
    "call_back_unhappy": _call_back,
    "follow_up_not_fixed": _follow_up,
    "notify_on_urge": _notify_urge,
    "close_when_unanswered": _wait_for_answer,
}


# woken by timers: each looks again whether it is still on and still true


def assign_when_silent(step: Step, ticket_id: UUID) -> None:
    """Nobody took it: the best who fits has it. Where nobody fits it stays the match's and the dispatcher's."""
    if not read_setting(step, "assign_when_silent").active:
        return
    case = load_case(step, ticket_id, Facts())
    if case.ticket.status not in ("open", "offered") or case.visit.engineer_id is not None:
        return
    _, found = find_candidates(step, case)
    for candidate in found.eligible[:3]:
        try:
            act(step, ticket_id, "assign", Facts(engineer_id=candidate.engineer.engineer_id))
        except DispatchError:
            continue
        return


def remind_window(step: Step, channels: Mapping[str, Channel], ticket_id: UUID) -> None:
    """Engineer and customer are reminded of the window as it is now."""
    setting = read_setting(step, "remind_window")
    case = load_case(step, ticket_id, Facts())
    window_from = case.visit.window_from
    at = remind_at(window_from, setting.parameters["before_min"], step.now)
    if not setting.active or at is None or window_from is None or case.ticket.status != "assigned":
        return
    if at > step.now:
        step.set_timer("auto_remind", ticket_id, at)
        return
    cause = f"{case.visit.id} {window_from.isoformat()}"
    if not _once(step, case, "remind_window", cause):
        return
    key = -int(window_from.timestamp())
    facts = {"at": window_from.isoformat()}
    tell_everywhere(step, channels, Telling(key, ticket_id, "window_reminder", _customer(case), facts))
    for person in people.audience(step, "engineer", case.visit.engineer_id):
        tell(step, channels, Telling(key, ticket_id, "visit_reminder", person, facts))


_RATED = """
  select 1 from acceptances where tenant_id = %(tenant)s and ticket_id = %(ticket)s and rating is not null limit 1
"""


def ask_rating(step: Step, channels: Mapping[str, Channel], ticket_id: UUID) -> None:
    """Closed and not rated yet: ask, once for each closing."""
    case = load_case(step, ticket_id, Facts())
    closed_at = case.ticket.closed_at
    if not read_setting(step, "ask_rating").active or case.ticket.status != "closed" or closed_at is None:
        return
    if fetch(step.db, _RATED, {"tenant": step.tenant_id, "ticket": ticket_id}):
        return
    if _once(step, case, "ask_rating", closed_at.isoformat()):
        key = -int(closed_at.timestamp())
        tell_everywhere(step, channels, Telling(key, ticket_id, "rate_us", _customer(case)))


def warn_closing(step: Step, channels: Mapping[str, Channel], ticket_id: UUID) -> None:
    """Soon closed by itself: the customer may still say something."""
    case = load_case(step, ticket_id, Facts())
    done_at = case.visit.completed_at
    if case.ticket.status != "awaiting_acceptance" or done_at is None:
        return
    if not closes_unanswered(step) or not _once(step, case, "close_when_unanswered", done_at.isoformat()):
        return
    facts = {"at": (done_at + timedelta(days=step.rules.acceptance_days)).isoformat()}
    key = -int(done_at.timestamp())
    tell_everywhere(step, channels, Telling(key, ticket_id, "closing_soon", _customer(case), facts))


def closes_unanswered(step: Step) -> bool:
    """Whether a ticket the customer says nothing about is closed by the system."""
    return read_setting(step, "close_when_unanswered").active


def sign_off_unanswered(step: Step, ticket_id: UUID) -> None:
    """The customer's days are over: closed where the tenant wants that, else looked at again tomorrow."""
    if closes_unanswered(step):
        sign_off_by_default(step, ticket_id)
        return
    case = load_case(step, ticket_id, Facts())
    if case.ticket.status == "awaiting_acceptance":
        step.set_timer("sign_off_by", ticket_id, step.now + timedelta(days=1))
