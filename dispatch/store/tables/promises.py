"""Promises (SLA): calendars, policies, and the clocks as last read from a ticket's events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_LIST, Base, Row, TenantRow, refer


class Calendar(Base, Row):
    """Business hours by name; what they were is in `calendar_versions`, where clocks point."""

    __tablename__ = "calendars"
    name: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    updated_at: Mapped[datetime]


class CalendarVersion(Base, TenantRow):
    """One state of a calendar, never changed: `body` as `domain.calendars.check_calendar` reads it."""

    __tablename__ = "calendar_versions"
    calendar_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    __table_args__ = (refer("calendar_id", "calendars", ondelete="CASCADE"),)


class Contract(Base, Row):
    """A customer's contract, to which promises of its own may belong."""

    __tablename__ = "contracts"
    customer_id: Mapped[UUID]
    number: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    __table_args__ = (
        refer("customer_id", "customers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "number"),
        Index("ix_contracts_customer", "tenant_id", "customer_id"),
        CheckConstraint("ends_at > starts_at", name="span"),
    )


class PromisePolicy(Base, Row):
    """What is promised to which tickets; null is any. Clocks keep the terms they began with."""

    __tablename__ = "promise_policies"
    version: Mapped[int] = mapped_column(server_default=text("1"))
    name: Mapped[dict[str, Any]]
    work_type: Mapped[str | None]
    priority: Mapped[str | None]
    contract_id: Mapped[UUID | None]
    calendar_id: Mapped[UUID | None]
    response_min: Mapped[int | None]
    arrival_min: Mapped[int | None]
    resolution_min: Mapped[int | None]
    steps: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    updated_at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "work_type"], ["work_types.tenant_id", "work_types.code"]),
        refer("contract_id", "contracts"),
        refer("calendar_id", "calendars"),
        CheckConstraint("priority in ('low','normal','high','urgent')", name="priority"),
        CheckConstraint("num_nonnulls(response_min, arrival_min, resolution_min) > 0", name="promises"),
        Index(
            "uq_promise_policies_active",
            "tenant_id",
            "work_type",
            "priority",
            "contract_id",
            unique=True,
            postgresql_where=text("active"),
            postgresql_nulls_not_distinct=True,
        ),
    )


class PromiseTerms(Base, TenantRow):
    """Which terms a ticket's clock of this kind has from event `from_seq` on: pinned, whatever is edited later."""

    __tablename__ = "promise_terms"
    ticket_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    from_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    policy_id: Mapped[UUID | None]
    policy_version: Mapped[int | None]
    target_s: Mapped[int]
    calendar_id: Mapped[UUID | None]
    calendar_version: Mapped[int | None]
    steps: Mapped[list[Any]]
    fixed_due_at: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("policy_id", "promise_policies"),
        ForeignKeyConstraint(
            ["tenant_id", "calendar_id", "calendar_version"],
            [
                "calendar_versions.tenant_id",
                "calendar_versions.calendar_id",
                "calendar_versions.version",
            ],
        ),
        CheckConstraint("kind in ('response','arrival','resolution')", name="kind"),
    )


class PromiseClock(Base, Row):
    """A clock as last read. `due_at` is null while paused; `remaining_s` is what was left then."""

    __tablename__ = "promise_clocks"
    ticket_id: Mapped[UUID]
    kind: Mapped[str]
    cycle: Mapped[int]
    revision: Mapped[int]
    as_of_seq: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    at_risk_at: Mapped[datetime | None]
    next_step_at: Mapped[datetime | None]
    paused_reason: Mapped[str | None]
    ended: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    target_s: Mapped[int]
    elapsed_s: Mapped[int]
    late: Mapped[bool] = mapped_column(server_default=text("false"))
    guess: Mapped[bool] = mapped_column(server_default=text("false"))
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "ticket_id", "kind", "cycle"),
        CheckConstraint("kind in ('response','arrival','resolution')", name="kind"),
        CheckConstraint("ended in ('met','dropped')", name="ended"),
        Index(
            "ix_promise_clocks_next",
            "tenant_id",
            "next_step_at",
            postgresql_where=text("next_step_at is not null"),
        ),
    )


class PromiseSpan(Base, TenantRow):
    """The ledger, one line a stretch; `reason` says why it was paused."""

    __tablename__ = "promise_spans"
    clock_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    running: Mapped[bool]
    reason: Mapped[str | None]
    from_at: Mapped[datetime]
    to_at: Mapped[datetime | None]
    from_seq: Mapped[int] = mapped_column(BigInteger)
    business_s: Mapped[int | None]
    __table_args__ = (refer("clock_id", "promise_clocks", ondelete="CASCADE"),)


class PromiseStep(Base, TenantRow):
    """A warning or escalation that was given: the key refuses a second."""

    __tablename__ = "promise_steps"
    clock_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    pct: Mapped[int] = mapped_column(primary_key=True)
    whom: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    fired_at: Mapped[datetime]
    __table_args__ = (refer("clock_id", "promise_clocks", ondelete="CASCADE"),)


class Duty(Base, Row):
    """Who is the duty manager when; where nobody is, every admin is."""

    __tablename__ = "duties"
    dispatcher_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    __table_args__ = (
        refer("dispatcher_id", "dispatchers", ondelete="CASCADE"),
        CheckConstraint("ends_at > starts_at", name="span"),
        Index("ix_duties_span", "tenant_id", "ends_at"),
    )
