"""Who is reached where, what they were told, the ladders of offers, and what a tenant automates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_OBJECT, Base, Row, TenantRow, refer


class TellTarget(Base, Row):
    """Where a person is reached besides `push_targets`, the smallest `preference` first. Encrypted."""

    __tablename__ = "tell_targets"
    person_kind: Mapped[str]
    person_id: Mapped[UUID]
    channel: Mapped[str]
    preference: Mapped[int] = mapped_column(SmallInteger)
    address_enc: Mapped[bytes] = mapped_column(LargeBinary)
    address_blind: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("person_kind in ('engineer','dispatcher','customer')", name="person"),
        CheckConstraint("preference between 1 and 99", name="preference"),
        UniqueConstraint("tenant_id", "person_kind", "person_id", "channel", "address_blind"),
    )


class CustomerDevice(Base, Row):
    """A browser whose customer wants to be told of one ticket, as long as its link holds. Encrypted; deleted when it
    is let go."""

    __tablename__ = "customer_devices"
    ticket_id: Mapped[UUID]
    link_id: Mapped[UUID]
    subscription_enc: Mapped[bytes] = mapped_column(LargeBinary)
    subscription_blind: Mapped[bytes] = mapped_column(LargeBinary)
    language: Mapped[str]
    switched_on_at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("link_id", "customer_links", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "link_id", "subscription_blind"),
        Index("ix_customer_devices_ticket", "tenant_id", "ticket_id"),
    )


class ChannelSetting(Base, TenantRow):
    """A tenant's own access to a channel (keys, addresses), encrypted JSON."""

    __tablename__ = "channel_settings"
    channel: Mapped[str] = mapped_column(primary_key=True)
    body_enc: Mapped[bytes] = mapped_column(LargeBinary)
    active: Mapped[bool]
    updated_at: Mapped[datetime]


class TellRules(Base, TenantRow):
    """Quiet hours in minutes of the tenant's local day, how long bursts are gathered, and whether an unseen
    offer is also made to the next best."""

    __tablename__ = "tell_rules"
    quiet_from_min: Mapped[int | None]
    quiet_to_min: Mapped[int | None]
    debounce_s: Mapped[int] = mapped_column(server_default=text("20"))
    ladder_backup: Mapped[bool] = mapped_column(server_default=text("false"))
    updated_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("num_nonnulls(quiet_from_min, quiet_to_min) in (0, 2)", name="quiet"),
        CheckConstraint("debounce_s between 0 and 600", name="debounce"),
    )


class Message(Base, Row):
    """One event told to one person over one channel, once: the key refuses a second."""

    __tablename__ = "messages"
    seq: Mapped[int] = mapped_column(BigInteger)
    ticket_id: Mapped[UUID | None]
    template: Mapped[str]
    person_kind: Mapped[str]
    person_id: Mapped[UUID]
    channel: Mapped[str]
    target_id: Mapped[UUID | None]
    language: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    status: Mapped[str]
    code: Mapped[str | None]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "seq", "template", "person_kind", "person_id", "channel"),
        CheckConstraint(
            "status in ('waiting','sending','sent','refused','gone','expired','merged')", name="status"
        ),
        Index("ix_messages_ticket", "tenant_id", "ticket_id", "made_at"),
        Index("ix_messages_made", "tenant_id", "made_at"),
        Index(
            "ix_messages_waiting",
            "tenant_id",
            "not_before",
            postgresql_where=text("status in ('waiting','sending')"),
        ),
    )


class Ladder(Base, Row):
    """One offer's way from the first channel to the duty manager. Ended with an outcome, always."""

    __tablename__ = "ladders"
    offer_id: Mapped[UUID]
    ticket_id: Mapped[UUID]
    engineer_id: Mapped[UUID]
    rung: Mapped[int] = mapped_column(SmallInteger)
    started_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    __table_args__ = (
        refer("offer_id", "offers", ondelete="CASCADE"),
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("engineer_id", "engineers"),
        UniqueConstraint("tenant_id", "offer_id"),
        Index("ix_ladders_ticket", "tenant_id", "ticket_id"),
        CheckConstraint("outcome in ('acked','declined','expired','escalated','withdrawn')", name="outcome"),
        CheckConstraint("(outcome is null) = (ended_at is null)", name="ended"),
    )


class LadderRung(Base, TenantRow):
    """One rung that was climbed: who was told over which channel, and what became of it."""

    __tablename__ = "ladder_rungs"
    ladder_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    whom: Mapped[str]
    channel: Mapped[str]
    at: Mapped[datetime]
    outcome: Mapped[str | None]
    code: Mapped[str | None]
    __table_args__ = (refer("ladder_id", "ladders", ondelete="CASCADE"),)


class Automation(Base, TenantRow):
    """One of the eight reactions, switched and set by the tenant."""

    __tablename__ = "automations"
    kind: Mapped[str] = mapped_column(primary_key=True)
    active: Mapped[bool]
    parameters: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    updated_at: Mapped[datetime]
    updated_by: Mapped[UUID]


class AutomationRun(Base, TenantRow):
    """A reaction that was run for one cause, once."""

    __tablename__ = "automation_runs"
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    cause: Mapped[str] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID]
    at: Mapped[datetime]
    __table_args__ = (refer("ticket_id", "tickets", ondelete="CASCADE"),)
