"""Engineers, their skills, hours and positions; customers and contacts."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import Base, Row, TenantRow, point, refer


class Engineer(Base, Row):
    """Who does the work. `skill_levels` repeats `engineer_skills` as `code/level` words, every
    reached level included, so that one array test finds the able; `position` is the newest
    accepted one, with its age in `position_at`."""

    __tablename__ = "engineers"
    name: Mapped[str]
    signin_id: Mapped[str]
    password_hash: Mapped[str]
    phone_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_blind: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str]
    territory_id: Mapped[UUID | None]
    contractor_id: Mapped[UUID | None]
    home: Mapped[Any | None] = mapped_column(point(), nullable=True)
    position: Mapped[Any | None] = mapped_column(point(), nullable=True)
    position_at: Mapped[datetime | None]
    position_accuracy_m: Mapped[float | None]
    skill_levels: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    daily_limit_min: Mapped[int] = mapped_column(server_default=text("480"))
    hour_cost_minor: Mapped[int | None]
    trainee: Mapped[bool] = mapped_column(server_default=text("false"))
    position_consent_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __table_args__ = (
        refer("territory_id", "territories"),
        refer("contractor_id", "contractors"),
        Index("ix_engineers_position", "tenant_id", "position", postgresql_using="gist"),
        CheckConstraint("language in ('zh','en')", name="language"),
        CheckConstraint("daily_limit_min between 0 and 1440", name="limit"),
    )


class EngineerSkill(Base, TenantRow):
    __tablename__ = "engineer_skills"
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    skill: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(server_default=text("1"))
    certificate: Mapped[str | None]
    certified_until: Mapped[date | None]
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "skill"], ["skills.tenant_id", "skills.code"]),
        CheckConstraint("level between 1 and 9", name="level"),
    )


class Shift(Base, Row):
    """Working hours, materialised to UTC from local rules."""

    __tablename__ = "shifts"
    engineer_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(server_default=text("'work'"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "engineer_id", "starts_at"),
        Index("ix_shifts_span", "tenant_id", "engineer_id", "ends_at"),
        CheckConstraint("ends_at > starts_at", name="span"),
        CheckConstraint("kind in ('work','on_call')", name="kind"),
    )


class Absence(Base, Row):
    __tablename__ = "absences"
    engineer_id: Mapped[UUID]
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        Index("ix_absences_span", "tenant_id", "engineer_id", "ends_at"),
        CheckConstraint("ends_at > starts_at", name="span"),
    )


class EngineerDay(Base, TenantRow):
    """One engineer's workload of one day; whoever adds to it holds this row's lock. `extra_min` is approved
    overtime, `grabs` how many tickets they took from the pool."""

    __tablename__ = "engineer_days"
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    planned_min: Mapped[int] = mapped_column(server_default=text("0"))
    extra_min: Mapped[int] = mapped_column(server_default=text("0"))
    grabs: Mapped[int] = mapped_column(server_default=text("0"))
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        CheckConstraint("planned_min >= 0", name="planned"),
    )


class EngineerPosition(Base):
    """History, partitioned by day; the raw reading and its datum beside the WGS-84 point."""

    __tablename__ = "engineer_positions"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    position: Mapped[Any] = mapped_column(point())
    accuracy_m: Mapped[float]
    datum: Mapped[str]
    raw_lon: Mapped[float]
    raw_lat: Mapped[float]
    speed_mps: Mapped[float | None]
    mock: Mapped[bool]
    __table_args__ = (
        Index("ix_engineer_positions_at", "at", postgresql_using="brin"),
        {"postgresql_partition_by": "RANGE (at)"},
    )


class PushTarget(Base, Row):
    """Where a person's device is told; dropped only when the provider says it is gone."""

    __tablename__ = "push_targets"
    engineer_id: Mapped[UUID]
    platform: Mapped[str]
    target: Mapped[str]
    created_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "platform", "target"),
        CheckConstraint("platform in ('fcm','web')", name="platform"),
        Index("ix_push_targets_engineer", "tenant_id", "engineer_id"),
    )


class PushDelivery(Base, TenantRow):
    """One push of one event to one target, once: the key refuses a second."""

    __tablename__ = "push_deliveries"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    target_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        refer("target_id", "push_targets", ondelete="CASCADE"),
        Index("ix_push_deliveries_subject", "tenant_id", "subject_id"),
        Index("ix_push_deliveries_target", "tenant_id", "target_id", "at"),
    )


class Customer(Base, Row):
    """Who asks. Name and phone are encrypted; the blind indexes find them by exact phone."""

    __tablename__ = "customers"
    name_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_blind: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_last4_blind: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    __table_args__ = (
        Index("ix_customers_phone", "tenant_id", "phone_blind"),
        Index("ix_customers_last4", "tenant_id", "phone_last4_blind"),
        CheckConstraint("language in ('zh','en')", name="language"),
    )


class CustomerExclusion(Base, TenantRow):
    """A customer who does not want this engineer back."""

    __tablename__ = "customer_exclusions"
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    __table_args__ = (
        refer("customer_id", "customers", ondelete="CASCADE"),
        refer("engineer_id", "engineers", ondelete="CASCADE"),
    )


class MessageSent(Base, TenantRow):
    """What a recipient was told about which event, once per event and template."""

    __tablename__ = "messages_sent"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    ticket_id: Mapped[UUID]
    template: Mapped[str]
    recipient: Mapped[str]
    language: Mapped[str]
    channel: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "seq", "ticket_id", "template", "recipient"),
    )
