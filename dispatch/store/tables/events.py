"""What happened (chained), what must follow (outbox, timers), and which commands were seen."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import Base, TenantRow


class TicketEvent(Base, TenantRow):
    """One fact; `seq` is gapless within the tenant. Ids and codes only: see `EventText`."""

    __tablename__ = "ticket_events"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    ticket_id: Mapped[UUID | None]
    action: Mapped[str]
    actor: Mapped[str]
    actor_id: Mapped[UUID]
    acting_for: Mapped[UUID | None]
    command_id: Mapped[UUID | None]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    device_at: Mapped[datetime | None]
    at: Mapped[datetime]
    prev_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    __table_args__ = (
        Index("ix_ticket_events_ticket", "tenant_id", "ticket_id", "seq"),
        Index("ix_ticket_events_at", "tenant_id", "at"),
    )


class EventText(Base, TenantRow):
    """The words of an event, erasable without breaking the chain."""

    __tablename__ = "event_texts"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    ticket_id: Mapped[UUID | None]
    text: Mapped[str]


class ChainHead(Base):
    """The newest seq and hash of a tenant: the last lock every command takes."""

    __tablename__ = "chain_heads"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class OutboxRow(Base):
    """A pointer at an event not yet relayed. The relay deletes it in the transaction that
    defers the jobs; the event stays."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    tenant_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    action: Mapped[str]
    subject_id: Mapped[UUID]
    ticket_id: Mapped[UUID | None]
    territory_id: Mapped[UUID | None]
    depth: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    trace: Mapped[str | None]
    span: Mapped[str | None]


class Timer(Base):
    """A moment at which something must be looked at again. Rows, so a dead worker loses none."""

    __tablename__ = "timers"
    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    __table_args__ = (Index("ix_timers_due", "due_at"),)


class CommandAnswer(Base, TenantRow):
    """The answer to a command, refusals too, kept 30 days: sent again, it is read from here."""

    __tablename__ = "commands"
    actor_id: Mapped[UUID] = mapped_column(primary_key=True)
    command_id: Mapped[UUID] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("status < 500", name="status"),
        Index("ix_commands_at", "at", postgresql_using="brin"),
    )
