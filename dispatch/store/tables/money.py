"""Prices, quotes, parts and settlements: integer minor units, numeric quantities, a ledger."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_OBJECT, Base, Row, TenantRow, point, refer

QUANTITY = Numeric(12, 3)


class Quote(Base, Row):
    """A price before work. A new quote supersedes the open one."""

    __tablename__ = "quotes"
    ticket_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    version: Mapped[int]
    status: Mapped[str]
    currency: Mapped[str]
    total_minor: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[Any]]
    quoted_by: Mapped[UUID]
    quoted_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("visit_id", "visits", ondelete="CASCADE"),
        CheckConstraint("status in ('open','approved','refused','superseded')", name="status"),
        CheckConstraint("total_minor >= 0", name="total"),
        Index(
            "uq_quotes_one_open",
            "tenant_id",
            "visit_id",
            unique=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index("ix_quotes_ticket", "tenant_id", "ticket_id"),
    )


class Part(Base, TenantRow):
    __tablename__ = "parts"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    unit: Mapped[str]
    price_minor: Mapped[int | None] = mapped_column(BigInteger)
    serialised: Mapped[bool] = mapped_column(server_default=text("false"))
    returned: Mapped[bool] = mapped_column(server_default=text("false"))


class Depot(Base, Row):
    """Where parts come in from suppliers and vans are loaded."""

    __tablename__ = "depots"
    code: Mapped[str]
    name: Mapped[dict[str, Any]]
    position: Mapped[Any | None] = mapped_column(point(), nullable=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    __table_args__ = (UniqueConstraint("tenant_id", "code"),)


class PartMovement(Base, TenantRow):
    """The ledger: stock is the sum of movements, never a counter. `from_id`, `to_id` are a depot, the engineer whose
    van it is, or a ticket; old parts, `returned`, lie at an engineer or in a depot. `reference` is a supplier's delivery
    note or the paper old parts leave with, `reason` why a stock-take differs."""

    __tablename__ = "part_movements"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    part: Mapped[str]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    from_kind: Mapped[str]
    from_id: Mapped[UUID | None]
    to_kind: Mapped[str]
    to_id: Mapped[UUID | None]
    serial: Mapped[str | None]
    ticket_id: Mapped[UUID | None]
    visit_id: Mapped[UUID | None]
    at: Mapped[datetime]
    reference: Mapped[str | None]
    reason: Mapped[str | None]
    booked_by: Mapped[UUID | None]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "part"], ["parts.tenant_id", "parts.code"]),
        refer("ticket_id", "tickets"),
        refer("visit_id", "visits"),
        refer("booked_by", "dispatchers"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(
            "from_kind in ('stock_take','supplier','depot','van','ticket','returned') and "
            "to_kind in ('stock_take','supplier','depot','van','ticket','returned','scrapped')",
            name="kinds",
        ),
        Index(
            "ix_part_movements_reference",
            "tenant_id",
            "reference",
            postgresql_where=text("reference is not null"),
        ),
        Index("ix_part_movements_to", "tenant_id", "to_kind", "to_id", "part"),
        Index("ix_part_movements_from", "tenant_id", "from_kind", "from_id", "part"),
        Index(
            "ix_part_movements_ticket",
            "tenant_id",
            "ticket_id",
            postgresql_where=text("ticket_id is not null"),
        ),
    )


class SettlementLine(Base, Row):
    """What a contractor, engineer or helper earns by a closed ticket. A row is never changed nor deleted: what is
    taken back is a line of the negative amount that names the one it `reverses`."""

    __tablename__ = "settlement_lines"
    ticket_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    payee_kind: Mapped[str]
    payee_id: Mapped[UUID]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    at: Mapped[datetime]
    reverses: Mapped[UUID | None]
    __table_args__ = (
        refer("ticket_id", "tickets"),
        refer("visit_id", "visits"),
        refer("reverses", "settlement_lines"),
        CheckConstraint("payee_kind in ('engineer','contractor','helper')", name="payee"),
        Index(
            "uq_settlement_lines_reversed_once",
            "tenant_id",
            "reverses",
            unique=True,
            postgresql_where=text("reverses is not null"),
        ),
        Index("ix_settlement_lines_ticket", "tenant_id", "ticket_id"),
    )


class Request(Base, Row):
    """Something asked and answered by a dispatcher: overtime, leave, discount, part."""

    __tablename__ = "requests"
    kind: Mapped[str]
    engineer_id: Mapped[UUID]
    ticket_id: Mapped[UUID | None]
    status: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None]
    __table_args__ = (
        refer("engineer_id", "engineers"),
        refer("ticket_id", "tickets"),
        refer("answered_by", "dispatchers"),
        Index("ix_requests_open", "tenant_id", "status", "asked_at"),
        Index(
            "ix_requests_discount",
            "tenant_id",
            "ticket_id",
            postgresql_where=text("kind = 'discount' and status = 'approved'"),
        ),
        CheckConstraint("kind in ('overtime','leave','discount','part')", name="kind"),
        CheckConstraint("status in ('open','approved','refused','withdrawn')", name="status"),
    )
