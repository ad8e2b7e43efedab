"""Who carries a visit, and how full their day is: every change of a visit's engineer comes here."""

from datetime import date
from uuid import UUID

from sqlalchemy import delete, text

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.domain.errors import Conflict
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tickets import VisitEngineer

_TAKE_DAY = text("""
    insert into engineer_days (tenant_id, engineer_id, day, planned_min)
    values (:tenant, :engineer, :day, 0) on conflict do nothing
""")
_LOCK_DAY = text("""
    select planned_min from engineer_days
    where tenant_id = :tenant and engineer_id = :engineer and day = :day for update
""")
_ADD = text("""
    update engineer_days set planned_min = greatest(0, planned_min + :change)
    where tenant_id = :tenant and engineer_id = :engineer and day = :day
""")


def give_to(step: Step, case: Case, engineer: Engineer, within_limit: bool) -> None:
    """Make `engineer` the lead of the open visit and book the day's minutes.

    `within_limit`: refuse with Conflict `workload_full` when the day would overflow; the
    day's row is locked, so two takers cannot share the last minutes.
    """
    if case.visit.engineer_id is not None:
        take_from(step, case)
    visit = case.visit
    day = visit_day(step, case)
    key = {"tenant": step.tenant_id, "engineer": engineer.id, "day": day}
    step.db.execute(_TAKE_DAY, key)
    planned_min = step.db.execute(_LOCK_DAY, key).scalar_one()
    if within_limit and planned_min + visit.duration_min > engineer.daily_limit_min:
        raise Conflict(
            "workload_full",
            planned_min=planned_min,
            visit_min=visit.duration_min,
            limit_min=engineer.daily_limit_min,
        )
    step.db.execute(_ADD, {**key, "change": visit.duration_min})
    visit.engineer_id = engineer.id
    visit.booked_day = day
    visit.assigned_at = step.now
    visit.acknowledged_at = None
    visit.version += 1
    helper = next((c for c in case.crew if c.engineer_id == engineer.id), None)
    if helper is not None:
        helper.role = "lead"
    else:
        lead = VisitEngineer(
            tenant_id=step.tenant_id, visit_id=visit.id, engineer_id=engineer.id, role="lead"
        )
        step.db.add(lead)
        case.crew.append(lead)
    case.ticket.attention = None
    step.drop_timers(case.ticket.id, "match_again")
    step.db.flush()


def take_from(step: Step, case: Case) -> None:
    """The visit has no lead any more; the day's minutes are free again, helpers stay."""
    unbook(step, case)
    lead = case.lead
    if lead is not None:
        step.db.execute(
            delete(VisitEngineer).where(
                VisitEngineer.tenant_id == step.tenant_id,
                VisitEngineer.visit_id == case.visit.id,
                VisitEngineer.engineer_id == lead.engineer_id,
            )
        )
        step.db.expunge(lead)
        case.crew.remove(lead)
    case.visit.engineer_id = None
    case.visit.contractor_id = None
    case.visit.assigned_at = None
    case.visit.acknowledged_at = None
    step.drop_timers(case.visit.id, "acknowledge_by")


def unbook(step: Step, case: Case) -> None:
    """Give the day its minutes back, once."""
    visit = case.visit
    if visit.booked_day is None or visit.engineer_id is None:
        return
    step.db.execute(
        _ADD,
        {
            "tenant": step.tenant_id,
            "engineer": visit.engineer_id,
            "day": visit.booked_day,
            "change": -visit.duration_min,
        },
    )
    visit.booked_day = None


def rebook_day(step: Step, case: Case) -> None:
    """After the window moved: the same engineer's minutes move to the new day."""
    visit = case.visit
    day = visit_day(step, case)
    if visit.engineer_id is None or visit.booked_day in (None, day):
        return
    unbook(step, case)
    key = {"tenant": step.tenant_id, "engineer": visit.engineer_id, "day": day}
    step.db.execute(_TAKE_DAY, key)
    step.db.execute(_ADD, {**key, "change": visit.duration_min})
    visit.booked_day = day


def visit_day(step: Step, case: Case) -> date:
    """The local day the visit falls on: of its window, else today."""
    ahead = case.visit.window_from
    return step.rules.local_day(max(ahead, step.now) if ahead else step.now)


def add_helpers(step: Step, case: Case, helper_ids: tuple[UUID, ...], trainees: set[UUID]) -> None:
    """Exactly these helpers go along; those who are not named any more stay at home."""
    wanted = set(helper_ids) - {case.visit.engineer_id}
    for member in [c for c in case.crew if c.role != "lead" and c.engineer_id not in wanted]:
        if member.set_off_at is None:
            step.db.delete(member)
            case.crew.remove(member)
    have = {c.engineer_id for c in case.crew}
    for engineer_id in sorted(wanted - have, key=str):
        role = "trainee" if engineer_id in trainees else "helper"
        member = VisitEngineer(
            tenant_id=step.tenant_id, visit_id=case.visit.id, engineer_id=engineer_id, role=role
        )
        step.db.add(member)
        case.crew.append(member)
    step.db.flush()
