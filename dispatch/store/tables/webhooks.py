"""Other systems that want to know: where they listen, and every delivery."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_LIST, Base, Row, refer


class WebhookEndpoint(Base, Row):
    """One address of one system. Two secrets while the old one is being replaced."""

    __tablename__ = "webhook_endpoints"
    url: Mapped[str]
    actions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret_enc: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_until: Mapped[datetime | None]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class WebhookDelivery(Base, Row):
    """One event to one endpoint. Its id is the message's id in every attempt, replays too."""

    __tablename__ = "webhook_deliveries"
    endpoint_id: Mapped[UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    ticket_id: Mapped[UUID | None]
    action: Mapped[str]
    body: Mapped[dict[str, Any]]
    status: Mapped[str]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_at: Mapped[datetime | None]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    attempts: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    __table_args__ = (
        refer("endpoint_id", "webhook_endpoints", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "endpoint_id", "seq"),
        CheckConstraint("status in ('pending','delivered','failed')", name="status"),
        Index(
            "ix_webhook_deliveries_pending",
            "tenant_id",
            "endpoint_id",
            "ticket_id",
            "seq",
            postgresql_where=text("status = 'pending'"),
        ),
        Index("ix_webhook_deliveries_made", "tenant_id", "endpoint_id", "made_at"),
    )
