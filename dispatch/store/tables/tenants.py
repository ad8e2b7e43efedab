"""Companies, how they are found before they are known, and their catalogues."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import EMPTY_LIST, EMPTY_OBJECT, Base, Row, TenantRow, area, refer


class Tenant(Base):
    """A company. `settings` holds what `domain.tenancy.TenantRules` names, nothing else."""

    __tablename__ = "tenants"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[dict[str, Any]]
    zone: Mapped[str]
    language: Mapped[str]
    currency: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=EMPTY_OBJECT)
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("language in ('zh','en')", name="language"),)


class DirectoryEntry(Base):
    """Outside row-level security: from a sign-in id, a link's or a key's hash to its tenant."""

    __tablename__ = "directory"
    lookup: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    __table_args__ = (
        CheckConstraint("kind in ('dispatcher','engineer','link','api_key','tenant','oidc')", name="kind"),
    )


class Territory(Base, Row):
    __tablename__ = "territories"
    name: Mapped[dict[str, Any]]
    zone: Mapped[str]
    area: Mapped[Any | None] = mapped_column(area(), nullable=True)
    __table_args__ = (Index("ix_territories_area", "tenant_id", "area", postgresql_using="gist"),)


class Skill(Base, TenantRow):
    __tablename__ = "skills"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    retired_at: Mapped[datetime | None]


class WorkType(Base, TenantRow):
    """`mode` says how tickets of this kind find engineers; skills are in `work_type_skills`."""

    __tablename__ = "work_types"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    duration_min: Mapped[int]
    mode: Mapped[str]
    completion_photos: Mapped[int] = mapped_column(server_default=text("1"))
    check_in_radius_m: Mapped[int] = mapped_column(server_default=text("150"))
    checklist: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    crew: Mapped[int] = mapped_column(server_default=text("1"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    retired_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint("mode in ('direct','offer','offer_many','pool','contractor','manual')", name="mode"),
        CheckConstraint("duration_min between 1 and 1440", name="duration"),
        CheckConstraint("completion_photos between 0 and 30", name="photos"),
        CheckConstraint("check_in_radius_m between 10 and 50000", name="radius"),
    )


class Contractor(Base, Row):
    __tablename__ = "contractors"
    name: Mapped[dict[str, Any]]
    paper_only: Mapped[bool] = mapped_column(server_default=text("false"))
    daily_quota: Mapped[int | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Dispatcher(Base, Row):
    """Signs in to the board. A contractor's dispatcher has `contractor_id`.

    `totp_at` is when the second factor was confirmed; `totp_step` the last 30 s step whose code was used;
    `recovery_hashes` the SHA-256 of recovery codes not used yet, hexadecimal.
    """

    __tablename__ = "dispatchers"
    name: Mapped[str]
    role: Mapped[str]
    signin_id: Mapped[str]
    password_hash: Mapped[str]
    language: Mapped[str]
    contractor_id: Mapped[UUID | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    totp_enc: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_at: Mapped[datetime | None]
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    recovery_hashes: Mapped[list[Any]] = mapped_column(server_default=EMPTY_LIST)
    __table_args__ = (
        refer("contractor_id", "contractors"),
        CheckConstraint("role in ('admin','dispatcher','contractor')", name="role"),
        CheckConstraint("(role = 'contractor') = (contractor_id is not null)", name="contractor"),
        CheckConstraint("language in ('zh','en')", name="language"),
    )


class ApiKey(Base, Row):
    __tablename__ = "api_keys"
    name: Mapped[str]
    prefix: Mapped[str]
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[Any]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("tenant_id", "prefix"),)


class Signin(Base, Row):
    """One signed-in device or browser; revoking the row ends it within a minute.

    A phone's row is a family of refresh tokens: `refresh_no` is the newest one's number, given out at
    `refreshed_at`; `device_hash` is the SHA-256 of the device's own secret. `proven_at` is when the person
    last gave a password, a code or a second factor. `by_provider`: through the company's own sign-in.
    """

    __tablename__ = "signins"
    role: Mapped[str]
    principal_id: Mapped[UUID]
    device: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    proven_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    device_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    refresh_no: Mapped[int] = mapped_column(server_default=text("0"))
    refreshed_at: Mapped[datetime | None]
    by_provider: Mapped[bool] = mapped_column(server_default=text("false"))
    __table_args__ = (Index("ix_signins_principal", "tenant_id", "principal_id"),)


class Asset(Base, Row):
    """A machine worked on."""

    __tablename__ = "assets"
    customer_id: Mapped[UUID | None]
    kind: Mapped[str]
    serial: Mapped[str | None]
    name: Mapped[dict[str, Any]]
    installed_at: Mapped[datetime | None]
    warranty_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __table_args__ = (
        refer("customer_id", "customers"),
        Index(
            "uq_assets_serial",
            "tenant_id",
            "kind",
            "serial",
            unique=True,
            postgresql_where=text("serial is not null"),
        ),
    )


class WorkTypeSkill(Base, TenantRow):
    """The skills of a work type as rows, so that a deleted skill is refused while in use."""

    __tablename__ = "work_type_skills"
    work_type: Mapped[str] = mapped_column(primary_key=True)
    skill: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(server_default=text("1"))
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "work_type"], ["work_types.tenant_id", "work_types.code"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["tenant_id", "skill"], ["skills.tenant_id", "skills.code"]),
        CheckConstraint("level between 1 and 9", name="level"),
    )
