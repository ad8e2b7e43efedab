"""Trust: devices and their refresh tokens, one-time codes, second factors, territories of dispatchers, consent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import scoped, scoped_by_ticket, secured

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLES = ("signin_codes", "signin_attempts", "dispatcher_territories", "position_views")
_KINDS = "'dispatcher','engineer','link','api_key','tenant'"


def _at(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _refer(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete="CASCADE",
    )


def upgrade() -> None:
    _signins()
    _second_factor()
    _codes()
    _territories_and_views()
    _directory_kinds(f"{_KINDS},'oidc'")
    for table in _TABLES:
        for statement in secured(table):
            op.execute(statement)
    op.execute(scoped("tickets"))
    op.execute(scoped_by_ticket("receipts"))


def _signins() -> None:
    for column in (
        _at("proven_at", nullable=True),
        _at("seen_at", nullable=True),
        sa.Column("device_hash", sa.LargeBinary(), nullable=True),
        sa.Column("refresh_no", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _at("refreshed_at", nullable=True),
    ):
        op.add_column("signins", column)
    op.execute("update signins set proven_at = created_at, seen_at = created_at")
    for name in ("proven_at", "seen_at"):
        op.alter_column("signins", name, nullable=False)


def _second_factor() -> None:
    for column in (
        sa.Column("totp_enc", sa.LargeBinary(), nullable=True),
        _at("totp_at", nullable=True),
        sa.Column("totp_step", sa.BigInteger(), nullable=True),
        sa.Column(
            "recovery_hashes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
    ):
        op.add_column("dispatchers", column)


def _codes() -> None:
    op.create_table(
        "signin_codes",
        _id("tenant_id"),
        _id("id"),
        _id("engineer_id"),
        sa.Column("phone_blind", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _at("used_at", nullable=True),
        _refer("signin_codes", "engineer_id", "engineers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_signin_codes")),
    )
    for name, column in (("engineer", "engineer_id"), ("phone", "phone_blind")):
        op.create_index(f"ix_signin_codes_{name}", "signin_codes", ["tenant_id", column, "created_at"])
    op.create_table(
        "signin_attempts",
        sa.Column("lookup", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _at("last_at"),
        sa.CheckConstraint("failures > 0", name=op.f("ck_signin_attempts_failures")),
        sa.PrimaryKeyConstraint("lookup", name=op.f("pk_signin_attempts")),
    )
    op.create_index("ix_signin_attempts_last", "signin_attempts", ["last_at"])


def _territories_and_views() -> None:
    op.create_table(
        "dispatcher_territories",
        _id("tenant_id"),
        _id("dispatcher_id"),
        _id("territory_id"),
        _refer("dispatcher_territories", "dispatcher_id", "dispatchers"),
        _refer("dispatcher_territories", "territory_id", "territories"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "dispatcher_id", "territory_id", name=op.f("pk_dispatcher_territories")
        ),
    )
    op.create_table(
        "position_views",
        _id("tenant_id"),
        _id("engineer_id"),
        _id("dispatcher_id"),
        _at("hour"),
        _at("last_at"),
        sa.Column("views", sa.Integer(), server_default=sa.text("1"), nullable=False),
        _refer("position_views", "engineer_id", "engineers"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "engineer_id", "dispatcher_id", "hour", name=op.f("pk_position_views")
        ),
    )
    op.create_index("ix_position_views_hour", "position_views", ["tenant_id", "hour"])


def _directory_kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_directory_kind"), "directory")
    op.create_check_constraint(op.f("ck_directory_kind"), "directory", f"kind in ({kinds})")


def downgrade() -> None:
    op.execute("DROP POLICY scope ON receipts")
    op.execute("DROP POLICY scope ON tickets")
    op.execute("delete from directory where kind = 'oidc'")
    _directory_kinds(_KINDS)
    for table in reversed(_TABLES):
        op.drop_table(table)
    for column in ("totp_enc", "totp_at", "totp_step", "recovery_hashes"):
        op.drop_column("dispatchers", column)
    for column in ("proven_at", "seen_at", "device_hash", "refresh_no", "refreshed_at"):
        op.drop_column("signins", column)
