"""One-time codes, failed sign-ins, territories of dispatchers, sign-in providers, and who looked at an engineer's
position."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import Base, Row, TenantRow, refer


class SigninCode(Base, Row):
    """A code sent to an engineer's phone: its keyed hash, never the code."""

    __tablename__ = "signin_codes"
    engineer_id: Mapped[UUID]
    phone_blind: Mapped[bytes] = mapped_column(LargeBinary)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        Index("ix_signin_codes_engineer", "tenant_id", "engineer_id", "created_at"),
        Index("ix_signin_codes_phone", "tenant_id", "phone_blind", "created_at"),
    )


class SigninAttempt(Base):
    """Outside row-level security: failures in a row for one hashed sign-in name (or one on one known device)."""

    __tablename__ = "signin_attempts"
    lookup: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime]
    __table_args__ = (
        Index("ix_signin_attempts_last", "last_at"),
        CheckConstraint("failures > 0", name="failures"),
    )


class DispatcherTerritory(Base, TenantRow):
    """A dispatcher with rows here sees and directs these territories only; without rows, all."""

    __tablename__ = "dispatcher_territories"
    dispatcher_id: Mapped[UUID] = mapped_column(primary_key=True)
    territory_id: Mapped[UUID] = mapped_column(primary_key=True)
    __table_args__ = (
        refer("dispatcher_id", "dispatchers", ondelete="CASCADE"),
        refer("territory_id", "territories", ondelete="CASCADE"),
    )


class PositionView(Base, TenantRow):
    """A dispatcher was shown where an engineer is: one row an hour, with how often."""

    __tablename__ = "position_views"
    engineer_id: Mapped[UUID] = mapped_column(primary_key=True)
    dispatcher_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    last_at: Mapped[datetime]
    views: Mapped[int] = mapped_column(server_default=text("1"))
    __table_args__ = (
        refer("engineer_id", "engineers", ondelete="CASCADE"),
        Index("ix_position_views_hour", "tenant_id", "hour"),
    )


class OidcProvider(Base, Row):
    """A company's own sign-in provider. People whose e-mail lies in `email_domains` may come through it; `only`:
    the company's own dispatchers come no other way while it is active."""

    __tablename__ = "oidc_providers"
    issuer: Mapped[str]
    client_id: Mapped[str]
    client_secret_enc: Mapped[bytes] = mapped_column(LargeBinary)
    email_domains: Mapped[list[Any]]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    only: Mapped[bool] = mapped_column(server_default=text("false"))
    changed_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("tenant_id"),)


class OidcPerson(Base, TenantRow):
    """A dispatcher whom the provider may vouch for, by the e-mail an admin named. The first sign-in binds the
    provider's own `subject`; nobody else with that e-mail is this person from then on."""

    __tablename__ = "oidc_people"
    dispatcher_id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]
    subject: Mapped[str | None]
    linked_at: Mapped[datetime | None]
    __table_args__ = (
        refer("dispatcher_id", "dispatchers", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "email"),
        UniqueConstraint("tenant_id", "subject"),
    )


class OidcState(Base, Row):
    """A journey to the provider that has come back: it does not come back twice."""

    __tablename__ = "oidc_states"
    used_at: Mapped[datetime]
    __table_args__ = (Index("ix_oidc_states_used", "tenant_id", "used_at"),)
