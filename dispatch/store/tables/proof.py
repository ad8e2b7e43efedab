"""What proves work and settles it: uploads under way, prices, payments, rates, machines, certificates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_LIST, EMPTY_OBJECT, Base, Row, TenantRow, refer


class Upload(Base, Row):
    """A photo that comes in pieces; its id is the photo's. `chunks` are [offset, bytes], durable each."""

    __tablename__ = "uploads"
    ticket_id: Mapped[UUID]
    kind: Mapped[str]
    actor_id: Mapped[UUID]
    bytes_total: Mapped[int] = mapped_column(BigInteger)
    bytes_received: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    chunks: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        CheckConstraint("bytes_received between 0 and bytes_total", name="received"),
        Index("ix_uploads_expires_at", "tenant_id", "expires_at"),
    )


class Price(Base, TenantRow):
    """A line of the tenant's price list, integer minor units of the tenant's currency. It stands from `valid_from` to
    before `valid_until`, always where these are null."""

    __tablename__ = "prices"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    kind: Mapped[str]
    unit_price_minor: Mapped[int] = mapped_column(BigInteger)
    part: Mapped[str | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "part"], ["parts.tenant_id", "parts.code"]),
        CheckConstraint("kind in ('labour','part','call_out','other')", name="kind"),
        CheckConstraint("unit_price_minor >= 0", name="price"),
    )


class Payment(Base, Row):
    """Money taken for a ticket; a row is never changed."""

    __tablename__ = "payments"
    ticket_id: Mapped[UUID]
    quote_id: Mapped[UUID]
    method: Mapped[str]
    currency: Mapped[str]
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str | None]
    actor: Mapped[str]
    actor_id: Mapped[UUID]
    at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets"),
        refer("quote_id", "quotes"),
        CheckConstraint("method in ('cash','card','wechat','alipay','transfer')", name="method"),
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_payments_ticket", "tenant_id", "ticket_id"),
    )


class SettlementRate(Base, TenantRow):
    """What a payee earns by a finished visit: a fixed sum, and a share of what was quoted (basis points). A helper's
    is each helper's own, beside what the lead earns. It stands on the days that no DatedRate has."""

    __tablename__ = "settlement_rates"
    work_type: Mapped[str] = mapped_column(primary_key=True)
    payee_kind: Mapped[str] = mapped_column(primary_key=True)
    fixed_minor: Mapped[int] = mapped_column(BigInteger)
    share_bp: Mapped[int] = mapped_column(server_default=text("0"))
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "work_type"], ["work_types.tenant_id", "work_types.code"], ondelete="CASCADE"
        ),
        CheckConstraint("payee_kind in ('engineer','contractor','helper')", name="payee"),
        CheckConstraint("fixed_minor >= 0 and share_bp between 0 and 10000", name="rate"),
    )


class DatedRate(Base, Row):
    """A rate that stands from `valid_from` to before `valid_until` (an end that is null is open) instead of the standing
    one; those of one work type and kind of payee never overlap."""

    __tablename__ = "dated_rates"
    work_type: Mapped[str]
    payee_kind: Mapped[str]
    fixed_minor: Mapped[int] = mapped_column(BigInteger)
    share_bp: Mapped[int] = mapped_column(server_default=text("0"))
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "work_type"], ["work_types.tenant_id", "work_types.code"], ondelete="CASCADE"
        ),
        CheckConstraint("payee_kind in ('engineer','contractor','helper')", name="payee"),
        CheckConstraint("fixed_minor >= 0 and share_bp between 0 and 10000", name="rate"),
        CheckConstraint("num_nonnulls(valid_from, valid_until) > 0", name="dated"),
        ExcludeConstraint(
            ("tenant_id", "="),
            ("work_type", "="),
            ("payee_kind", "="),
            (text("tstzrange(valid_from, valid_until)"), "&&"),
            name="ex_dated_rates_days",
        ),
    )


class TicketAsset(Base, TenantRow):
    """One of the machines a ticket is about, with what was found and done on it."""

    __tablename__ = "ticket_assets"
    ticket_id: Mapped[UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID | None]
    outcome: Mapped[str | None]
    checklist: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    text: Mapped[str | None]
    done_at: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("asset_id", "assets"),
        refer("visit_id", "visits", ondelete="CASCADE"),
        CheckConstraint(
            "outcome in ('fixed','temporary','not_fixed','no_fault','refused','no_access')", name="outcome"
        ),
        Index("ix_ticket_assets_asset", "tenant_id", "asset_id"),
    )


class Certificate(Base, Row):
    """A certificate handed out: what it says, as a hash, and where the chain stood then."""

    __tablename__ = "certificates"
    ticket_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    chain_hash: Mapped[bytes] = mapped_column(LargeBinary)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    issued_at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        Index("uq_certificates_content", "tenant_id", "ticket_id", "content_hash", unique=True),
    )


class ManagerLink(Base, Row):
    """The door of one customer with many tickets: a property manager accepts them at once."""

    __tablename__ = "manager_links"
    customer_id: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (refer("customer_id", "customers", ondelete="CASCADE"),)
