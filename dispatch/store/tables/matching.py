"""How tickets find engineers: policies, pools, who put their name down, wishes, parts set aside, bulk reports."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_LIST, EMPTY_OBJECT, Base, Row, TenantRow, refer


class MatchPolicy(Base, Row):
    """How tickets of a work type in a territory find engineers. Null means any; the more exact row decides, work
    type before territory. `settings` replaces the tenant's numbers of `domain.tenancy.TenantRules` by name."""

    __tablename__ = "match_policies"
    work_type: Mapped[str | None]
    territory_id: Mapped[UUID | None]
    mode: Mapped[str]
    contractor_id: Mapped[UUID | None]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "work_type"], ["work_types.tenant_id", "work_types.code"], ondelete="CASCADE"
        ),
        refer("territory_id", "territories", ondelete="CASCADE"),
        refer("contractor_id", "contractors"),
        UniqueConstraint(
            "tenant_id",
            "work_type",
            "territory_id",
            name="uq_match_policies_one",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("mode in ('direct','offer','offer_many','pool','contractor','manual')", name="mode"),
        CheckConstraint("(mode = 'contractor') = (contractor_id is not null)", name="contractor"),
    )


class Pool(Base, TenantRow):
    """One visit in the pool: how far it is shown, until when names are collected before the best gets it, and
    how many a day one engineer may grab (0: no limit)."""

    __tablename__ = "pools"
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]
    ring_m: Mapped[int]
    most_grabs: Mapped[int]
    collect_until: Mapped[datetime | None]
    __table_args__ = (
        refer("visit_id", "visits", ondelete="CASCADE"),
        CheckConstraint("ring_m > 0", name="ring"),
    )


class Bid(Base, TenantRow):
    """An engineer who put their name down while names were collected."""

    __tablename__ = "bids"
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    __table_args__ = (
        refer("visit_id", "visits", ondelete="CASCADE"),
        refer("engineer_id", "engineers", ondelete="CASCADE"),
    )


class CustomerPreference(Base, TenantRow):
    """A customer who would like this engineer back."""

    __tablename__ = "customer_preferences"
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    __table_args__ = (
        refer("customer_id", "customers", ondelete="CASCADE"),
        refer("engineer_id", "engineers", ondelete="CASCADE"),
    )


class PartWanted(Base, TenantRow):
    """A part this ticket is known to need: who comes must have it in the van."""

    __tablename__ = "parts_wanted"
    ticket_id: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "part"], ["parts.tenant_id", "parts.code"]),
        CheckConstraint("quantity > 0", name="quantity"),
    )


class BulkReport(Base, Row):
    """What one bulk action did to each of its tickets. `lines` are in the order they were worked through."""

    __tablename__ = "bulk_reports"
    kind: Mapped[str]
    asked_by: Mapped[UUID]
    at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    lines: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    __table_args__ = (
        CheckConstraint("kind in ('engineer_out','rebook','batch')", name="kind"),
        Index("ix_bulk_reports_at", "tenant_id", "at"),
    )
