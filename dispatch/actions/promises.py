"""Promises: clocks read again after each event, steps fired once, whatever was asleep meanwhile."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.step import Draft, Step
from dispatch.domain.promises import (
    CHOOSES_TERMS,
    DEFAULT_STEPS,
    PolicyMatch,
    PromiseClock,
    PromiseKind,
    Stretch,
    check_steps,
    read_clocks,
)
from dispatch.domain.promises import Step as PromiseStepWanted
from dispatch.store.ids import new_id
from dispatch.store.queries.promises import (
    contracts_of,
    due_times,
    read_events,
    read_policies,
    read_terms,
)
from dispatch.store.queries.reading import fetch
from dispatch.store.tables import promises as stored
from dispatch.store.tables.tickets import Ticket

#: Promises that are kept by being there.
COMING = (PromiseKind.ARRIVAL, PromiseKind.RESOLUTION)
SWEEP_EVERY = timedelta(minutes=5)
SWEEP_LATE = timedelta(minutes=2)
SWEEP_MOST = 2_000

_LOCK = "select id from tickets where tenant_id = %(tenant)s and id = %(ticket)s for update"


#: The name under which boards hear that a ticket's clocks changed.
PROMISES_KEPT = "promises_kept"
_NEWS = """
  insert into outbox (tenant_id, seq, action, subject_id, ticket_id, territory_id, depth) values
    (%(tenant)s, %(seq)s, %(action)s, %(ticket)s, %(ticket)s, %(territory)s, %(depth)s)
"""


def keep_promises(step: Step, ticket_id: UUID, seq: int = 0) -> None:
    """Read the ticket's clocks from its events and keep them; fire what is due. Safe to run at any time, twice.

    `seq` is the event that is followed up: one that chooses terms pins those that are valid now.
    """
    if not fetch(step.db, _LOCK, {"tenant": step.tenant_id, "ticket": ticket_id}):
        return
    ticket = step.db.get(Ticket, {"tenant_id": step.tenant_id, "id": ticket_id}, populate_existing=True)
    events = read_events(step.db, step.tenant_id, ticket_id)
    if ticket is None or not events:
        return
    if any(event.seq == seq and event.action in CHOOSES_TERMS for event in events):
        _choose_terms(step, ticket, seq)
    terms = read_terms(step.db, step.tenant_id, ticket_id)
    if not terms:
        return
    changed = [_keep(step, ticket, clock, events[-1].seq) for clock in read_clocks(events, terms)]
    if any(changed):
        _tell_boards(step, ticket, events[-1].seq)


def _tell_boards(step: Step, ticket: Ticket, seq: int) -> None:
    """Clocks follow from events and have none of their own: the outbox points at the last event again, under a
    name nothing reacts to, and the relay tells the boards."""
    values = {"tenant": step.tenant_id, "seq": seq, "action": PROMISES_KEPT, "ticket": ticket.id}
    step.writes.append((_NEWS, {**values, "territory": ticket.territory_id, "depth": step.depth}))


def due_by(step: Step, ticket: Ticket) -> datetime | None:
    """When somebody must be there by, for match, batch and pool: as the promise's clock has it, which holidays and
    pauses move (None while it is paused); before there is a clock, what was asked for."""
    found = due_times(step.db, step.tenant_id, [ticket.id], COMING).get(ticket.id)
    return found["due_at"] if found is not None else ticket.due_at


def _choose_terms(step: Step, ticket: Ticket, seq: int) -> None:
    """Pin the terms that fit the ticket now, where they differ from those pinned before."""
    policy = _policy_for(step, ticket)
    targets = {kind: _target(policy, kind) for kind in PromiseKind}
    for kind, target_min in targets.items():
        fixed = ticket.due_at if kind is PromiseKind.RESOLUTION else None
        if target_min is None and fixed is None:
            continue
        row = {
            "policy_id": policy["id"] if policy else None,
            "policy_version": policy["version"] if policy else None,
            "target_s": (target_min or 0) * 60,
            "calendar_id": policy["calendar_id"] if policy else None,
            "calendar_version": policy["calendar_version"] if policy else None,
            "steps": _steps(policy),
            "fixed_due_at": fixed,
        }
        if _same_as_before(step, ticket.id, kind, row):
            continue
        key = {"tenant_id": step.tenant_id, "ticket_id": ticket.id, "kind": str(kind), "from_seq": seq}
        step.db.execute(insert(stored.PromiseTerms).values(**key, **row).on_conflict_do_nothing())


def _same_as_before(step: Step, ticket_id: UUID, kind: PromiseKind, row: dict[str, Any]) -> bool:
    before = step.db.scalars(
        select(stored.PromiseTerms)
        .where(
            stored.PromiseTerms.tenant_id == step.tenant_id,
            stored.PromiseTerms.ticket_id == ticket_id,
            stored.PromiseTerms.kind == str(kind),
        )
        .order_by(stored.PromiseTerms.from_seq.desc())
        .limit(1)
    ).one_or_none()
    return before is not None and all(getattr(before, name) == value for name, value in row.items())


def _policy_for(step: Step, ticket: Ticket) -> dict[str, Any] | None:
    """The most special policy that fits."""
    found = read_policies(step.db, step.tenant_id, ticket.work_type, ticket.priority)
    if not found:
        return None
    contracts = contracts_of(step.db, step.tenant_id, ticket.customer_id, step.now)
    matches = [(PolicyMatch(p["work_type"], p["priority"], p["contract_id"]), p) for p in found]
    fitting = [(m.rank(), p) for m, p in matches if m.fits(ticket.work_type, ticket.priority, contracts)]
    return max(fitting, key=lambda one: (one[0], str(one[1]["id"])))[1] if fitting else None


def _target(policy: dict[str, Any] | None, kind: PromiseKind) -> int | None:
    return policy[f"{kind}_min"] if policy else None


def _steps(policy: dict[str, Any] | None) -> list[dict[str, object]]:
    steps = check_steps(policy["steps"]) if policy and policy["steps"] else DEFAULT_STEPS
    return [{"pct": one.pct, "whom": one.whom} for one in steps]


def _keep(step: Step, ticket: Ticket, clock: PromiseClock, as_of_seq: int) -> bool:
    """Whether the clock says something else than before."""
    key = (
        stored.PromiseClock.tenant_id == step.tenant_id,
        stored.PromiseClock.ticket_id == ticket.id,
        stored.PromiseClock.kind == str(clock.kind),
        stored.PromiseClock.cycle == clock.cycle,
    )
    row = step.db.scalars(select(stored.PromiseClock).where(*key)).one_or_none()
    if row is None:
        row = stored.PromiseClock(
            tenant_id=step.tenant_id,
            id=new_id(),
            ticket_id=ticket.id,
            kind=str(clock.kind),
            cycle=clock.cycle,
        )
        step.db.add(row)
    elif row.ended is not None and row.as_of_seq == as_of_seq:
        return False
    before, due_at = _shown(row), clock.due_at
    row.revision, row.as_of_seq = clock.revision, as_of_seq
    row.started_at, row.due_at, row.at_risk_at = clock.started_at, due_at, clock.at_risk_at()
    row.paused_reason, row.ended, row.ended_at = clock.paused_reason, clock.ended, clock.ended_at
    row.target_s, row.elapsed_s = round(clock.target_s), round(clock.elapsed_s(step.now))
    row.late = clock.ended != "dropped" and clock.is_broken(step.now)
    row.guess = due_at is not None and clock.terms.calendar.is_guess(due_at)
    step.db.flush()
    _keep_ledger(step, row.id, clock.stretches)
    for reached, reached_at in clock.steps_reached(step.now):
        _fire(step, ticket, row, reached, reached_at)
    row.next_step_at = clock.next_step_at(step.now)
    if row.next_step_at is not None:
        step.set_timer("promise_step", row.id, row.next_step_at)
    else:
        step.drop_timers(row.id, "promise_step")
    step.db.flush()
    return _shown(row) != before


def _shown(row: stored.PromiseClock) -> tuple[object, ...]:
    """What a board shows of a clock, but for the time that passes."""
    return row.revision, row.due_at, row.at_risk_at, row.paused_reason, row.ended, row.late


def _keep_ledger(step: Step, clock_id: UUID, stretches: list[Stretch]) -> None:
    step.db.execute(
        delete(stored.PromiseSpan).where(
            stored.PromiseSpan.tenant_id == step.tenant_id, stored.PromiseSpan.clock_id == clock_id
        )
    )
    step.db.add_all(
        stored.PromiseSpan(
            tenant_id=step.tenant_id,
            clock_id=clock_id,
            number=number,
            running=stretch.running,
            reason=stretch.reason,
            from_at=stretch.from_at,
            to_at=stretch.to_at,
            from_seq=stretch.from_seq,
            business_s=round(stretch.business_s(stretch.to_at)) if stretch.to_at else None,
        )
        for number, stretch in enumerate(stretches, 1)
    )
    step.db.flush()


def _fire(step: Step, ticket: Ticket, row: stored.PromiseClock, reached: PromiseStepWanted, at: Any) -> None:
    """Once for each clock, revision and step, whoever comes first."""
    fired = step.db.execute(
        insert(stored.PromiseStep)
        .values(
            tenant_id=step.tenant_id,
            clock_id=row.id,
            revision=row.revision,
            pct=reached.pct,
            whom=reached.whom,
            due_at=at,
            fired_at=step.now,
        )
        .on_conflict_do_nothing()
        .returning(stored.PromiseStep.pct)
    ).first()
    if fired is None:
        return
    step.drafts.append(
        Draft(
            subject_type="promise",
            subject_id=row.id,
            ticket_id=ticket.id,
            action="promise_broken" if reached.pct >= 100 else "promise_at_risk",
            facts={"kind": row.kind, "pct": reached.pct, "whom": reached.whom, "due_at": at.isoformat()},
            territory_id=ticket.territory_id,
        )
    )


def promise_step(step: Step, clock_id: UUID) -> None:
    """A step's instant has come: look at its ticket's clocks again."""
    clock = step.db.get(stored.PromiseClock, {"tenant_id": step.tenant_id, "id": clock_id})
    if clock is not None:
        keep_promises(step, clock.ticket_id)


_SWEEP = """
  insert into timers (tenant_id, kind, subject_id, due_at)
  select tenant_id, 'promise_step', id, %(now)s from promise_clocks
  where tenant_id = %(tenant)s and next_step_at < %(late)s order by next_step_at limit %(most)s
  on conflict (tenant_id, kind, subject_id) do nothing returning 1 as armed
"""


def sweep_promises(step: Step) -> int:
    """Arm again what should have been looked at and was not: its job may have died. Returns how many."""
    values = {"tenant": step.tenant_id, "now": step.now, "late": step.now - SWEEP_LATE, "most": SWEEP_MOST}
    armed = len(fetch(step.db, _SWEEP, values))
    step.set_timer("promise_sweep", step.tenant_id, step.now + SWEEP_EVERY)
    return armed
