"""What an admin sets for promises: policies, calendars, contracts, who is on duty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from dispatch.actions.promises import SWEEP_EVERY
from dispatch.actions.step import Step
from dispatch.domain.calendars import Calendar, Span, calendar_body, check_calendar
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.promises import check_steps
from dispatch.store.personal import phone_digits
from dispatch.store.tables import promises as stored
from dispatch.store.tables.people import Customer
from dispatch.store.tables.tenants import Dispatcher, WorkType

#: Of each but contracts, which are read page by page: what the settings page shows.
MOST = 200
MOST_CONTRACTS = 10_000
TARGETS = ("response_min", "arrival_min", "resolution_min")


@dataclass(frozen=True, slots=True)
class PolicyWanted:
    """A policy as it is to be; minutes are business minutes of the calendar (None: every hour counts)."""

    name: Mapping[str, str]
    work_type: str | None
    priority: str | None
    contract_id: UUID | None
    calendar_id: UUID | None
    response_min: int | None
    arrival_min: int | None
    resolution_min: int | None
    steps: Sequence[Mapping[str, object]]
    active: bool = True


def put_policy(step: Step, policy_id: UUID, wanted: PolicyWanted) -> None:
    """Make or change a policy; tickets keep the terms they have. Raises NotReady, NotFound, Conflict
    `policy_doubled` where an active policy is for the same tickets."""
    _check_policy(step, wanted)
    row = step.db.get(stored.PromisePolicy, {"tenant_id": step.tenant_id, "id": policy_id})
    if row is None:
        _check_room(step, stored.PromisePolicy)
        row = stored.PromisePolicy(tenant_id=step.tenant_id, id=policy_id, version=0)
        step.db.add(row)
    if wanted.active:
        _check_single(step, policy_id, wanted)
    row.version += 1
    row.name = dict(wanted.name)
    row.work_type, row.priority, row.contract_id = wanted.work_type, wanted.priority, wanted.contract_id
    row.calendar_id, row.active, row.updated_at = wanted.calendar_id, wanted.active, step.now
    row.response_min, row.arrival_min = wanted.response_min, wanted.arrival_min
    row.resolution_min = wanted.resolution_min
    row.steps = [{"pct": s.pct, "whom": s.whom} for s in check_steps(wanted.steps)]
    step.db.flush()
    step.set_timer("promise_sweep", step.tenant_id, step.now + SWEEP_EVERY)


def _check_policy(step: Step, wanted: PolicyWanted) -> None:
    check_steps(wanted.steps)
    if all(getattr(wanted, name) is None for name in TARGETS):
        raise NotReady("promise_policy_empty", missing=list(TARGETS))
    for table, key, code in (
        (WorkType, {"code": wanted.work_type}, "work_type_unknown"),
        (stored.Contract, {"id": wanted.contract_id}, "contract_unknown"),
        (stored.Calendar, {"id": wanted.calendar_id}, "calendar_unknown"),
    ):
        (value,) = key.values()
        if value is not None and step.db.get(table, {"tenant_id": step.tenant_id, **key}) is None:
            raise NotFound(code)


def _check_single(step: Step, policy_id: UUID, wanted: PolicyWanted) -> None:
    policy = stored.PromisePolicy
    twin = step.db.scalars(
        select(policy.id).where(
            policy.tenant_id == step.tenant_id,
            policy.active,
            policy.id != policy_id,
            policy.work_type.is_not_distinct_from(wanted.work_type),
            policy.priority.is_not_distinct_from(wanted.priority),
            policy.contract_id.is_not_distinct_from(wanted.contract_id),
        )
    ).first()
    if twin is not None:
        raise Conflict("policy_doubled", policy_id=str(twin))


def put_calendar(step: Step, calendar_id: UUID, name: Mapping[str, str], body: Mapping[str, object]) -> int:
    """Make or change a calendar; running clocks keep the version they have. Returns the new version."""
    calendar = check_calendar(body)
    if not any(calendar.week) and not any(calendar.days.values()):
        raise NotReady("calendar_invalid", field="week")
    row = step.db.get(stored.Calendar, {"tenant_id": step.tenant_id, "id": calendar_id}, with_for_update=True)
    if row is None:
        _check_room(step, stored.Calendar)
        row = stored.Calendar(tenant_id=step.tenant_id, id=calendar_id, version=0)
        step.db.add(row)
    row.name, row.version, row.updated_at = dict(name), row.version + 1, step.now
    step.db.flush()
    step.db.add(
        stored.CalendarVersion(
            tenant_id=step.tenant_id,
            calendar_id=calendar_id,
            version=row.version,
            body=calendar_body(calendar),
            made_at=step.now,
        )
    )
    step.db.flush()
    return row.version


def with_china_days(
    calendar: Calendar, year: int, closed: Sequence[date], opened: Sequence[date], make_up: tuple[Span, ...]
) -> Calendar:
    """The calendar with a year's holidays closed and its make-up days open for `make_up`; days already
    entered by hand for other years stay."""
    days = {day: spans for day, spans in calendar.days.items() if day.year != year}
    days |= dict.fromkeys(closed, ()) | dict.fromkeys(opened, make_up)
    known = max(calendar.known_until or date.min, date(year, 12, 31))
    return Calendar(calendar.zone, calendar.week, days, known)


@dataclass(frozen=True, slots=True)
class ContractWanted:
    """A contract of the customer known by this phone number; None: one that is there keeps its customer."""

    customer_phone: str | None
    number: str
    starts_at: datetime
    ends_at: datetime | None


def put_contract(step: Step, contract_id: UUID, wanted: ContractWanted) -> None:
    """Make or change a contract. Raises NotFound `customer_unknown`, Conflict `contract_number_known`."""
    row = step.db.get(stored.Contract, {"tenant_id": step.tenant_id, "id": contract_id})
    customer = _customer_of(step, wanted.customer_phone, row)
    if wanted.ends_at is not None and wanted.ends_at <= wanted.starts_at:
        raise NotReady("window_invalid")
    contract = stored.Contract
    known = step.db.scalars(
        select(contract.id).where(
            contract.tenant_id == step.tenant_id,
            contract.number == wanted.number,
            contract.id != contract_id,
        )
    ).first()
    if known is not None:
        raise Conflict("contract_number_known", contract_id=str(known))
    if row is None:
        _check_room(step, contract, MOST_CONTRACTS)
        row = contract(tenant_id=step.tenant_id, id=contract_id)
        step.db.add(row)
    row.customer_id, row.number = customer, wanted.number
    row.starts_at, row.ends_at = wanted.starts_at, wanted.ends_at
    step.db.flush()


def _customer_of(step: Step, phone: str | None, row: stored.Contract | None) -> UUID:
    if phone is None and row is not None:
        return row.customer_id
    digits = phone_digits(phone)
    blinds = step.personal.blinds(digits, step.tenant_id) if digits else []
    customer = step.db.scalars(
        select(Customer.id)
        .where(Customer.tenant_id == step.tenant_id, Customer.phone_blind.in_(blinds))
        .limit(1)
    ).one_or_none()
    if customer is None:
        raise NotFound("customer_unknown")
    return customer


def drop_contract(step: Step, contract_id: UUID) -> None:
    """Entered by mistake. Raises NotFound `contract_unknown`, Conflict `contract_in_use` where a promise names it:
    such a one is ended by its last day."""
    row = step.db.get(stored.Contract, {"tenant_id": step.tenant_id, "id": contract_id}, with_for_update=True)
    if row is None:
        raise NotFound("contract_unknown")
    policy = stored.PromisePolicy
    named = select(policy.id).where(policy.tenant_id == step.tenant_id, policy.contract_id == contract_id)
    if step.db.scalars(named.limit(1)).first() is not None:
        raise Conflict("contract_in_use", contract_id=str(contract_id))
    step.db.delete(row)


def drop_duty(step: Step, duty_id: UUID) -> None:
    """Nobody's duty any more. Raises NotFound `duty_unknown`."""
    row = step.db.get(stored.Duty, {"tenant_id": step.tenant_id, "id": duty_id})
    if row is None:
        raise NotFound("duty_unknown")
    step.db.delete(row)


def put_duty(step: Step, duty_id: UUID, dispatcher_id: UUID, starts_at: datetime, ends_at: datetime) -> None:
    """Who is the duty manager from when to when. Raises NotFound `dispatcher_unknown`, Conflict `too_many` of those
    to come."""
    if ends_at <= starts_at:
        raise NotReady("window_invalid")
    dispatcher = step.db.get(Dispatcher, {"tenant_id": step.tenant_id, "id": dispatcher_id})
    if dispatcher is None or not dispatcher.active:
        raise NotFound("dispatcher_unknown", dispatcher_id=str(dispatcher_id))
    row = step.db.get(stored.Duty, {"tenant_id": step.tenant_id, "id": duty_id})
    if row is None:
        _check_room(step, stored.Duty, MOST, stored.Duty.ends_at > step.now)
        row = stored.Duty(tenant_id=step.tenant_id, id=duty_id)
        step.db.add(row)
    row.dispatcher_id, row.starts_at, row.ends_at = dispatcher_id, starts_at, ends_at
    step.db.flush()


def _check_room(step: Step, table: Any, most: int = MOST, *counted: ColumnElement[bool]) -> None:
    """Raises Conflict `too_many`; duties that are over take no room."""
    mine = select(func.count()).where(table.tenant_id == step.tenant_id, *counted)
    if step.db.execute(mine).scalar_one() >= most:
        raise Conflict("too_many", most=most)
