"""Tickets and all that hangs on one: visits, crew, offers, receipts, links, promises."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.domain.lifecycle import Outcome, TicketStatus
from dispatch.store.tables.base import EMPTY_OBJECT, Base, Row, TenantRow, point, refer


def one_of(values: list[str]) -> str:
    return "(" + ",".join(f"'{v}'" for v in values) + ")"


class Ticket(Base, Row):
    """Work asked for. `attention` names why a dispatcher must look; null when nothing waits."""

    __tablename__ = "tickets"
    ticket_no: Mapped[str]
    status: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    priority: Mapped[str]
    work_type: Mapped[str]
    mode: Mapped[str | None]
    territory_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    asset_id: Mapped[UUID | None]
    description: Mapped[str]
    address: Mapped[str]
    door_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact_name_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact_phone_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact_phone_blind: Mapped[bytes | None] = mapped_column(LargeBinary)
    contact_last4_blind: Mapped[bytes | None] = mapped_column(LargeBinary)
    language: Mapped[str]
    site: Mapped[Any | None] = mapped_column(point(), nullable=True)
    site_raw: Mapped[dict[str, Any] | None]
    source: Mapped[str]
    external_ref: Mapped[str | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    attention: Mapped[str | None]
    urged: Mapped[int] = mapped_column(server_default=text("0"))
    disputed_at: Mapped[datetime | None]
    hold_reason: Mapped[str | None]
    hold_until: Mapped[datetime | None]
    hold_engineer_id: Mapped[UUID | None]
    hold_pauses_promise: Mapped[bool] = mapped_column(server_default=text("false"))
    outcome: Mapped[str | None]
    coverage: Mapped[str] = mapped_column(server_default=text("'warranty'"))
    parent_id: Mapped[UUID | None]
    parent_kind: Mapped[str | None]
    duplicate_of: Mapped[UUID | None]
    custom: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    search: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "work_type"], ["work_types.tenant_id", "work_types.code"]),
        refer("territory_id", "territories"),
        refer("customer_id", "customers"),
        refer("asset_id", "assets"),
        refer("hold_engineer_id", "engineers"),
        refer("parent_id", "tickets"),
        refer("duplicate_of", "tickets"),
        UniqueConstraint("tenant_id", "ticket_no"),
        Index(
            "uq_tickets_external_ref",
            "tenant_id",
            "source",
            "external_ref",
            unique=True,
            postgresql_where=text("external_ref is not null"),
        ),
        Index(
            "ix_tickets_live",
            "tenant_id",
            "created_at",
            postgresql_where=text("status not in ('closed','cancelled')"),
        ),
        Index("ix_tickets_status", "tenant_id", "status", "created_at"),
        Index(
            "ix_tickets_waiting",
            "tenant_id",
            "work_type",
            "mode",
            "territory_id",
            "id",
            postgresql_where=text("status in ('open','offered')"),
        ),
        Index(
            "ix_tickets_held",
            "tenant_id",
            "hold_engineer_id",
            postgresql_where=text("hold_engineer_id is not null"),
        ),
        Index("ix_tickets_site", "tenant_id", "site", postgresql_using="gist"),
        Index("ix_tickets_search", "search", postgresql_using="gin"),
        Index("ix_tickets_phone", "tenant_id", "contact_phone_blind"),
        Index("ix_tickets_last4", "tenant_id", "contact_last4_blind"),
        CheckConstraint(f"status in {one_of(list(TicketStatus))}", name="status"),
        CheckConstraint("priority in ('low','normal','high','urgent')", name="priority"),
        CheckConstraint(f"outcome in {one_of(list(Outcome))}", name="outcome"),
        CheckConstraint("mode in ('direct','offer','offer_many','pool','contractor','manual')", name="mode"),
        CheckConstraint("coverage in ('warranty','paid','contract','goodwill')", name="coverage"),
        CheckConstraint("(parent_id is null) = (parent_kind is null)", name="parent"),
        CheckConstraint("parent_kind in ('warranty_callback','follow_up')", name="parent_kind"),
        CheckConstraint("duplicate_of <> id", name="duplicate"),
        CheckConstraint("status <> 'on_hold' or hold_until is not null", name="hold"),
    )


class Visit(Base, Row):
    """One trip. It has timestamps and an outcome, and no second status. `name_by`: a contractor took the work and
    names the engineer by then."""

    __tablename__ = "visits"
    ticket_id: Mapped[UUID]
    number: Mapped[int]
    engineer_id: Mapped[UUID | None]
    contractor_id: Mapped[UUID | None]
    window_from: Mapped[datetime | None]
    window_to: Mapped[datetime | None]
    duration_min: Mapped[int]
    booked_day: Mapped[date | None]
    opened_at: Mapped[datetime]
    assigned_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    contacted_at: Mapped[datetime | None]
    set_off_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    eta_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    name_by: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("engineer_id", "engineers"),
        refer("contractor_id", "contractors"),
        UniqueConstraint("tenant_id", "ticket_id", "number"),
        Index(
            "uq_visits_one_open",
            "tenant_id",
            "ticket_id",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
        Index(
            "ix_visits_engineer_open",
            "tenant_id",
            "engineer_id",
            postgresql_where=text("closed_at is null and engineer_id is not null"),
        ),
        Index(
            "ix_visits_contractor_open",
            "tenant_id",
            "contractor_id",
            postgresql_where=text("closed_at is null and contractor_id is not null"),
        ),
        CheckConstraint(f"outcome in {one_of(list(Outcome))}", name="outcome"),
        CheckConstraint("window_to >= window_from", name="window"),
    )


class VisitEngineer(Base, TenantRow):
    """The crew. Only the lead moves the ticket; nobody is under way twice."""

    __tablename__ = "visit_engineers"
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]
    set_off_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    __table_args__ = (
        refer("visit_id", "visits", ondelete="CASCADE"),
        refer("engineer_id", "engineers"),
        CheckConstraint("role in ('lead','helper','trainee')", name="role"),
        Index(
            "uq_visit_engineers_lead",
            "tenant_id",
            "visit_id",
            unique=True,
            postgresql_where=text("role = 'lead'"),
        ),
        Index(
            "uq_visit_engineers_under_way",
            "tenant_id",
            "engineer_id",
            unique=True,
            postgresql_where=text("set_off_at is not null and left_at is null"),
        ),
        Index(
            "ix_visit_engineers_engineer",
            "tenant_id",
            "engineer_id",
            postgresql_where=text("left_at is null"),
        ),
    )


class Offer(Base, Row):
    """Asking one engineer (or contractor), until a moment."""

    __tablename__ = "offers"
    ticket_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    engineer_id: Mapped[UUID | None]
    contractor_id: Mapped[UUID | None]
    from_engineer_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(server_default=text("'offer'"))
    round: Mapped[int]
    status: Mapped[str]
    offered_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    travel_s: Mapped[int | None]
    distance_m: Mapped[int | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("visit_id", "visits", ondelete="CASCADE"),
        refer("engineer_id", "engineers"),
        refer("from_engineer_id", "engineers"),
        refer("contractor_id", "contractors"),
        CheckConstraint("num_nonnulls(engineer_id, contractor_id) = 1", name="whom"),
        CheckConstraint("kind in ('offer','hand_over')", name="kind"),
        CheckConstraint("status in ('pending','accepted','declined','expired','withdrawn')", name="status"),
        Index(
            "uq_offers_one_accepted",
            "tenant_id",
            "visit_id",
            unique=True,
            postgresql_where=text("status = 'accepted' and kind = 'offer'"),
        ),
        Index(
            "uq_offers_one_pending",
            "tenant_id",
            "visit_id",
            "engineer_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_offers_pending", "tenant_id", "engineer_id", postgresql_where=text("status = 'pending'")),
        Index("ix_offers_ticket", "tenant_id", "ticket_id"),
    )


class Refusal(Base, TenantRow):
    """Who is not asked again for this ticket, and why."""

    __tablename__ = "refusals"
    ticket_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        Index("ix_refusals_engineer", "tenant_id", "engineer_id"),
    )


class Receipt(Base, Row):
    """Why the engine chose or refused, as it stood at `decided_at`."""

    __tablename__ = "receipts"
    ticket_id: Mapped[UUID]
    visit_id: Mapped[UUID]
    decided_at: Mapped[datetime]
    as_of_seq: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[str]
    chosen_engineer_id: Mapped[UUID | None]
    runner_up_engineer_id: Mapped[UUID | None]
    body: Mapped[dict[str, Any]]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("visit_id", "visits", ondelete="CASCADE"),
        Index("ix_receipts_ticket", "tenant_id", "ticket_id", "decided_at"),
    )


class CustomerLink(Base, Row):
    """A customer's door to one ticket; only the hash of the link is kept."""

    __tablename__ = "customer_links"
    ticket_id: Mapped[UUID]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    token_enc: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        Index("ix_customer_links_ticket", "tenant_id", "ticket_id"),
    )


class Promise(Base, Row):
    """What the customer was promised. Only `rebook` adds a version of a window."""

    __tablename__ = "promises"
    ticket_id: Mapped[UUID]
    kind: Mapped[str]
    version: Mapped[int]
    promised_from: Mapped[datetime | None]
    promised_to: Mapped[datetime]
    promised_by: Mapped[str]
    promised_by_id: Mapped[UUID]
    promised_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "ticket_id", "kind", "version"),
        CheckConstraint("kind in ('window','response','arrival','resolution')", name="kind"),
        CheckConstraint("promised_to >= promised_from", name="span"),
    )


class Plan(Base, Row):
    """A proposed order of a day's stops; public once released."""

    __tablename__ = "plans"
    territory_id: Mapped[UUID | None]
    day: Mapped[datetime]
    as_of_seq: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[int]
    made_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    score: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    __table_args__ = (refer("territory_id", "territories"),)


class Stop(Base, TenantRow):
    __tablename__ = "stops"
    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID]
    ticket_version: Mapped[int]
    starts_at: Mapped[datetime]
    __table_args__ = (
        refer("plan_id", "plans", ondelete="CASCADE"),
        refer("engineer_id", "engineers"),
        refer("visit_id", "visits"),
        UniqueConstraint("tenant_id", "plan_id", "visit_id", "engineer_id"),
    )


class PlannerLease(Base, TenantRow):
    """One planner per tenant and territory; a higher epoch fences out the older holder."""

    __tablename__ = "planner_leases"
    territory_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    holder: Mapped[str]
    expires_at: Mapped[datetime]
    __table_args__ = (refer("territory_id", "territories"),)
