"""Proof: uploads in pieces, doubts, prices, payments, rates, machines of a ticket, certificates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from dispatch.store.row_security import secured

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    "uploads",
    "prices",
    "payments",
    "settlement_rates",
    "ticket_assets",
    "certificates",
    "manager_links",
)
_LIST, _OBJECT = sa.text("'[]'::jsonb"), sa.text("'{}'::jsonb")
_OUTCOMES = "outcome in ('fixed','temporary','not_fixed','no_fault','refused','no_access')"


def _key(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), nullable=False)


def _at(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def _refer(table: str, column: str, to: str, key: str = "id", ondelete: str | None = None) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{to}.tenant_id", f"{to}.{key}"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    op.add_column("blobs", sa.Column("mirror_phash", sa.String(), nullable=True))
    op.create_index("ix_blobs_stored_at", "blobs", ["tenant_id", "stored_at"])
    op.add_column("check_ins", sa.Column("doubt_score", sa.Integer(), nullable=True))
    op.add_column("check_ins", sa.Column("doubts", JSONB(), server_default=_LIST, nullable=False))
    _uploads_and_money()
    _machines_and_certificates()
    for table in _TABLES:
        for statement in secured(table):
            op.execute(statement)


def _uploads_and_money() -> None:
    op.create_table(
        "uploads",
        _key("tenant_id"),
        _key("id"),
        _key("ticket_id"),
        sa.Column("kind", sa.String(), nullable=False),
        _key("actor_id"),
        sa.Column("bytes_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes_received", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("chunks", JSONB(), server_default=_LIST, nullable=False),
        sa.Column("facts", JSONB(), server_default=_OBJECT, nullable=False),
        _at("created_at"),
        _at("expires_at"),
        _check("uploads", "received", "bytes_received between 0 and bytes_total"),
        _refer("uploads", "ticket_id", "tickets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_expires_at", "uploads", ["tenant_id", "expires_at"])
    op.create_table(
        "prices",
        _key("tenant_id"),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", JSONB(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _check("prices", "kind", "kind in ('labour','part','call_out','other')"),
        _check("prices", "price", "unit_price_minor >= 0"),
        _refer("prices", "part", "parts", key="code"),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("pk_prices")),
    )
    op.create_table(
        "payments",
        _key("tenant_id"),
        _key("id"),
        _key("ticket_id"),
        _key("quote_id"),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        _key("actor_id"),
        _at("at"),
        _check("payments", "method", "method in ('cash','card','wechat','alipay','transfer')"),
        _check("payments", "amount", "amount_minor > 0"),
        _refer("payments", "ticket_id", "tickets"),
        _refer("payments", "quote_id", "quotes"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payments")),
    )
    op.create_index("ix_payments_ticket", "payments", ["tenant_id", "ticket_id"])
    op.create_table(
        "settlement_rates",
        _key("tenant_id"),
        sa.Column("work_type", sa.String(), nullable=False),
        sa.Column("payee_kind", sa.String(), nullable=False),
        sa.Column("fixed_minor", sa.BigInteger(), nullable=False),
        sa.Column("share_bp", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _check("settlement_rates", "payee", "payee_kind in ('engineer','contractor')"),
        _check("settlement_rates", "rate", "fixed_minor >= 0 and share_bp between 0 and 10000"),
        _refer("settlement_rates", "work_type", "work_types", key="code", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "work_type", "payee_kind", name=op.f("pk_settlement_rates")),
    )


def _machines_and_certificates() -> None:
    op.create_table(
        "ticket_assets",
        _key("tenant_id"),
        _key("ticket_id"),
        _key("asset_id"),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("checklist", JSONB(), server_default=_LIST, nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        _at("done_at", nullable=True),
        _check("ticket_assets", "outcome", _OUTCOMES),
        _refer("ticket_assets", "ticket_id", "tickets", ondelete="CASCADE"),
        _refer("ticket_assets", "asset_id", "assets"),
        _refer("ticket_assets", "visit_id", "visits", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "ticket_id", "asset_id", name=op.f("pk_ticket_assets")),
    )
    op.create_index("ix_ticket_assets_asset", "ticket_assets", ["tenant_id", "asset_id"])
    op.create_table(
        "certificates",
        _key("tenant_id"),
        _key("id"),
        _key("ticket_id"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("chain_hash", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        _at("issued_at"),
        _refer("certificates", "ticket_id", "tickets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_certificates")),
    )
    op.create_index(
        "uq_certificates_content", "certificates", ["tenant_id", "ticket_id", "content_hash"], unique=True
    )
    op.create_table(
        "manager_links",
        _key("tenant_id"),
        _key("id"),
        _key("customer_id"),
        _at("created_at"),
        _at("expires_at"),
        _at("revoked_at", nullable=True),
        _refer("manager_links", "customer_id", "customers", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_manager_links")),
    )


def downgrade() -> None:
    op.execute("DELETE FROM directory WHERE lookup LIKE 'certificate:%' OR lookup LIKE 'manager:%'")
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_column("check_ins", "doubts")
    op.drop_column("check_ins", "doubt_score")
    op.drop_index("ix_blobs_stored_at", "blobs")
    op.drop_column("blobs", "mirror_phash")
