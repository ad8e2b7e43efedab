"""Who carries a visit, and how full their day is: every change of a visit's engineer comes here."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import delete

from dispatch.actions.cases import Case, offers_of
from dispatch.actions.step import Step
from dispatch.domain.errors import Conflict
from dispatch.store.exchange import Rows
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tickets import VisitEngineer

#: Locks the day's row and adds to it where the sum is within the limit and approved overtime; no row comes back
#: where it is not.
_BOOK = """
  insert into engineer_days as d (tenant_id, engineer_id, day, planned_min)
  select %(tenant)s, %(engineer)s, %(day)s, %(minutes)s where %(minutes)s <= %(limit)s
  on conflict (tenant_id, engineer_id, day) do update set planned_min = d.planned_min + %(minutes)s
    where d.planned_min + %(minutes)s <= %(limit)s + d.extra_min
  returning planned_min
"""
_BOOKED = """
  select planned_min, extra_min from engineer_days
  where tenant_id = %(tenant)s and engineer_id = %(engineer)s and day = %(day)s
"""
_UNBOOK = """
  update engineer_days set planned_min = greatest(0, planned_min - %(minutes)s)
  where tenant_id = %(tenant)s and engineer_id = %(engineer)s and day = %(day)s
"""
#: Minutes no day reaches: the limit of those who may exceed theirs.
_NO_LIMIT = 10_000_000


def give_to(step: Step, case: Case, engineer: Engineer, within_limit: bool) -> None:
    """Make `engineer` the lead of the open visit and book the day's minutes.

    `within_limit`: refuse with Conflict `workload_full` when the day would overflow; the
    day's row is locked, so two takers cannot share the last minutes.
    """
    if case.visit.engineer_id is not None or case.visit.contractor_id is not None:
        take_from(step, case)
    visit = case.visit
    day = visit_day(step, case)
    _book(step, case, engineer.id, day, engineer.daily_limit_min if within_limit else _NO_LIMIT)
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


def _book(step: Step, case: Case, engineer_id: UUID, day: date, limit_min: int) -> None:
    key = {"tenant": step.tenant_id, "engineer": engineer_id, "day": day}
    minutes = case.visit.duration_min

    def check(rows: Rows) -> None:
        if rows:
            return
        booked = fetch(step.db, _BOOKED, key)
        planned_min, extra_min = (booked[0]["planned_min"], booked[0]["extra_min"]) if booked else (0, 0)
        limit = limit_min + extra_min
        raise Conflict("workload_full", planned_min=planned_min, visit_min=minutes, limit_min=limit)

    step.expect((_BOOK, {**key, "minutes": minutes, "limit": limit_min}), check)


def arm_acknowledge(step: Step, case: Case) -> None:
    """The engineer must say soon that this was seen; otherwise a dispatcher is told."""
    due_at = step.now + timedelta(minutes=step.rules.acknowledge_min)
    step.set_timer("acknowledge_by", case.visit.id, due_at)


def take_from(step: Step, case: Case) -> None:
    """The visit has no lead and no contractor any more; the day's minutes are free again, helpers stay. The offer
    by which it was taken stands no longer, so that another may be accepted."""
    unbook(step, case)
    for offer in offers_of(step, case):
        if offer.visit_id == case.visit.id and offer.status == "accepted" and offer.kind == "offer":
            offer.status = "withdrawn"
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
    case.visit.contractor_id = case.visit.name_by = case.visit.booked_day = None
    case.visit.assigned_at = None
    case.visit.acknowledged_at = None
    step.drop_timers(case.visit.id, "acknowledge_by", "name_engineer_by")
    step.db.flush()


def unbook(step: Step, case: Case) -> None:
    """Give the day its minutes back, once."""
    visit = case.visit
    if visit.booked_day is None or visit.engineer_id is None:
        return
    key = {"tenant": step.tenant_id, "engineer": visit.engineer_id, "day": visit.booked_day}
    fetch(step.db, _UNBOOK, {**key, "minutes": visit.duration_min})
    visit.booked_day = None


def rebook_day(step: Step, case: Case) -> None:
    """After the window moved: the same engineer's minutes move to the new day."""
    visit = case.visit
    day = visit_day(step, case)
    if visit.booked_day in (None, day):
        return
    if visit.engineer_id is None:
        visit.booked_day = day
        return
    unbook(step, case)
    _book(step, case, visit.engineer_id, day, _NO_LIMIT)
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
