"""Photos and what they prove; check-ins; the customer's verdict."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_LIST, EMPTY_OBJECT, Base, Row, TenantRow, point, refer


class Blob(Base, TenantRow):
    """Bytes that are durable in the photo store, by their SHA-256; counted, then collected."""

    __tablename__ = "blobs"
    sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    content_type: Mapped[str]
    bytes_count: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int]
    height: Mapped[int]
    refcount: Mapped[int] = mapped_column(server_default=text("0"))
    phash: Mapped[str | None]
    mirror_phash: Mapped[str | None]
    dhash: Mapped[str | None]
    mirror_dhash: Mapped[str | None]
    stored_at: Mapped[datetime]
    __table_args__ = (
        CheckConstraint("refcount >= 0", name="refcount"),
        Index("ix_blobs_stored_at", "tenant_id", "stored_at"),
    )


class Evidence(Base, Row):
    """One photo (or its promise, while `pending`) of one ticket. Its id is made by the client."""

    __tablename__ = "evidence"
    ticket_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    kind: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    pending: Mapped[bool] = mapped_column(server_default=text("false"))
    actor: Mapped[str]
    actor_id: Mapped[UUID]
    taken_at: Mapped[datetime]
    received_at: Mapped[datetime]
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("visit_id", "visits", ondelete="CASCADE"),
        CheckConstraint("kind in ('intake','check_in','completion','reject','signature')", name="kind"),
        Index("ix_evidence_ticket", "tenant_id", "ticket_id"),
        Index("ix_evidence_sha256", "tenant_id", "sha256"),
    )


class CheckIn(Base, TenantRow):
    """Arrival, as claimed and as measured. `flags` name what was seen at once; `doubts` are weighed by a job
    when all there is to see has come: evidence, never an accusation."""

    __tablename__ = "check_ins"
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID]
    position: Mapped[Any | None] = mapped_column(point(), nullable=True)
    raw: Mapped[dict[str, Any] | None]
    accuracy_m: Mapped[float | None]
    distance_m: Mapped[float | None]
    radius_m: Mapped[int]
    override_reason: Mapped[str | None]
    flags: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    doubt_score: Mapped[int | None]
    doubts: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    device_at: Mapped[datetime | None]
    at: Mapped[datetime]
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "visit_id", "engineer_id"],
            ["visit_engineers.tenant_id", "visit_engineers.visit_id", "visit_engineers.engineer_id"],
            ondelete="CASCADE",
        ),
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        Index("ix_check_ins_ticket", "tenant_id", "ticket_id"),
    )


class Completion(Base, TenantRow):
    """What was found and done, with the checklist's answers."""

    __tablename__ = "completions"
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID]
    outcome: Mapped[str]
    text: Mapped[str | None]
    checklist: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    at: Mapped[datetime]
    __table_args__ = (
        refer("visit_id", "visits", ondelete="CASCADE"),
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        Index("ix_completions_ticket", "tenant_id", "ticket_id"),
    )


class Acceptance(Base, Row):
    """The customer's verdict. `text` and the signature are personal and erasable."""

    __tablename__ = "acceptances"
    ticket_id: Mapped[UUID]
    visit_id: Mapped[UUID | None]
    verdict: Mapped[str]
    actor: Mapped[str]
    actor_id: Mapped[UUID]
    witnessed_by: Mapped[UUID | None]
    signature_id: Mapped[UUID | None]
    rating: Mapped[int | None]
    reason: Mapped[str | None]
    text: Mapped[str | None]
    at: Mapped[datetime]
    __table_args__ = (
        refer("ticket_id", "tickets", ondelete="CASCADE"),
        refer("visit_id", "visits", ondelete="CASCADE"),
        refer("witnessed_by", "engineers"),
        refer("signature_id", "evidence"),
        CheckConstraint("verdict in ('signed_off','rejected')", name="verdict"),
        CheckConstraint("rating between 1 and 5", name="rating"),
        Index("ix_acceptances_ticket", "tenant_id", "ticket_id"),
    )
