"""A ticket's promises from its rows: events and pinned terms in, the clocks of domain.promises out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.calendars import ALWAYS, Calendar, check_calendar
from dispatch.domain.promises import Happened, PromiseKind, Terms, check_steps
from dispatch.store.queries.reading import fetch

_EVENTS = """
  select seq, at, action, actor, facts from ticket_events
  where tenant_id = %(tenant)s and ticket_id = %(ticket)s and subject_type = 'ticket' order by seq
"""
_TERMS = """
  select p.kind, p.from_seq, p.target_s, p.steps, p.fixed_due_at, v.body as calendar
  from promise_terms p
  left join calendar_versions v on v.tenant_id = p.tenant_id and v.calendar_id = p.calendar_id
    and v.version = p.calendar_version
  where p.tenant_id = %(tenant)s and p.ticket_id = %(ticket)s order by p.from_seq
"""
_POLICIES = """
  select p.id, p.version, p.work_type, p.priority, p.contract_id, p.calendar_id, c.version as calendar_version,
    p.response_min, p.arrival_min, p.resolution_min, p.steps
  from promise_policies p
  left join calendars c on c.tenant_id = p.tenant_id and c.id = p.calendar_id
  where p.tenant_id = %(tenant)s and p.active
    and (p.work_type is null or p.work_type = %(work_type)s) and (p.priority is null or p.priority = %(priority)s)
"""
_CONTRACTS = """
  select id from contracts where tenant_id = %(tenant)s and customer_id = %(customer)s
    and starts_at <= %(now)s and (ends_at is null or ends_at > %(now)s)
"""
_CLOCKS = """
  select id as clock_id, kind, cycle, revision, started_at, due_at, at_risk_at, paused_reason, ended, ended_at,
    target_s, elapsed_s, late, guess
  from promise_clocks where tenant_id = %(tenant)s and ticket_id = %(ticket)s order by cycle desc, kind
"""
_SPANS = """
  select s.clock_id, s.running, s.reason, s.from_at, s.to_at, s.business_s from promise_spans s
  join promise_clocks c on c.tenant_id = s.tenant_id and c.id = s.clock_id
  where c.tenant_id = %(tenant)s and c.ticket_id = %(ticket)s order by s.clock_id, s.number
"""
_STEPS = """
  select s.clock_id, s.pct, s.whom, s.due_at, s.fired_at from promise_steps s
  join promise_clocks c on c.tenant_id = s.tenant_id and c.id = s.clock_id
  where c.tenant_id = %(tenant)s and c.ticket_id = %(ticket)s order by s.fired_at, s.pct
"""
_DUE = """
  select distinct on (c.ticket_id) c.ticket_id, c.kind, c.due_at, c.at_risk_at, c.target_s - c.elapsed_s as left_s,
    c.paused_reason
  from promise_clocks c where c.tenant_id = %(tenant)s and c.ticket_id = any(%(tickets)s) and c.ended is null
    and c.kind = any(%(kinds)s::text[])
  order by c.ticket_id, c.due_at nulls last
"""


def read_events(db: Session, tenant_id: UUID, ticket_id: UUID) -> list[Happened]:
    """The ticket's events, oldest first."""
    rows = fetch(db, _EVENTS, {"tenant": tenant_id, "ticket": ticket_id})
    return [
        Happened(
            seq=row["seq"],
            at=row["at"],
            action=row["action"],
            actor=row["actor"],
            pauses=bool(row["facts"].get("pauses_promise")),
            reason=row["facts"].get("reason"),
            outcome=row["facts"].get("outcome"),
            nobody_named="name_by" in row["facts"],
        )
        for row in rows
    ]


def read_terms(db: Session, tenant_id: UUID, ticket_id: UUID) -> dict[PromiseKind, list[Terms]]:
    """The pinned terms of each kind, in order."""
    found: dict[PromiseKind, list[Terms]] = {}
    for row in fetch(db, _TERMS, {"tenant": tenant_id, "ticket": ticket_id}):
        found.setdefault(PromiseKind(row["kind"]), []).append(
            Terms(
                row["from_seq"],
                row["target_s"],
                _calendar(row["calendar"]),
                check_steps(row["steps"]),
                row["fixed_due_at"],
            )
        )
    return found


def _calendar(body: Mapping[str, object] | None) -> Calendar:
    return check_calendar(body) if body is not None else ALWAYS


def read_policies(db: Session, tenant_id: UUID, work_type: str, priority: str) -> list[dict[str, Any]]:
    """Active policies that may fit a ticket of this kind."""
    values = {"tenant": tenant_id, "work_type": work_type, "priority": priority}
    return list(fetch(db, _POLICIES, values))


def contracts_of(db: Session, tenant_id: UUID, customer_id: UUID | None, now: datetime) -> set[UUID]:
    if customer_id is None:
        return set()
    rows = fetch(db, _CONTRACTS, {"tenant": tenant_id, "customer": customer_id, "now": now})
    return {row["id"] for row in rows}


def read_promises(db: Session, tenant_id: UUID, ticket_id: UUID) -> list[dict[str, Any]]:
    """views.PromiseView lines: each clock with its ledger and the warnings that were given."""
    values = {"tenant": tenant_id, "ticket": ticket_id}
    clocks = [{**row, "spans": [], "steps": []} for row in fetch(db, _CLOCKS, values)]
    by_id = {clock["clock_id"]: clock for clock in clocks}
    for name, sql in (("spans", _SPANS), ("steps", _STEPS)):
        for row in fetch(db, sql, values):
            by_id[row["clock_id"]][name].append({k: v for k, v in row.items() if k != "clock_id"})
    return clocks


def due_times(
    db: Session, tenant_id: UUID, ticket_ids: Sequence[UUID], kinds: Sequence[str] = tuple(PromiseKind)
) -> dict[UUID, dict[str, Any]]:
    """For planner and match: of each ticket with a running or paused promise of these kinds the one due first.

    {kind, due_at (None while paused), at_risk_at, left_s, paused_reason}.
    """
    rows = fetch(
        db, _DUE, {"tenant": tenant_id, "tickets": list(ticket_ids), "kinds": [str(k) for k in kinds]}
    )
    return {row["ticket_id"]: {k: v for k, v in row.items() if k != "ticket_id"} for row in rows}
