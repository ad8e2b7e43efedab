"""Matching: what modes, rings, quotas and requests need."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = ("match_policies", "pools", "bids", "customer_preferences", "parts_wanted", "bulk_reports")
_COLUMNS = (
    ("engineers", sa.Column("hour_cost_minor", sa.Integer(), nullable=True)),
    ("contractors", sa.Column("daily_quota", sa.Integer(), nullable=True)),
    ("engineer_days", sa.Column("extra_min", sa.Integer(), server_default=sa.text("0"), nullable=False)),
    ("engineer_days", sa.Column("grabs", sa.Integer(), server_default=sa.text("0"), nullable=False)),
)
_MODES = "mode in ('direct','offer','offer_many','pool','contractor','manual')"
_MODES_BEFORE = "mode in ('direct','offer','pool','manual')"


def _tenant() -> sa.Column:
    return sa.Column("tenant_id", sa.Uuid(), nullable=False)


def _at(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def _refer(table: str, column: str, other: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        ondelete=ondelete,
    )


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    for table in ("work_types", "tickets"):
        op.drop_constraint(op.f(f"ck_{table}_mode"), table)
        op.create_check_constraint(op.f(f"ck_{table}_mode"), table, _MODES)
    op.create_index("ix_requests_open", "requests", ["tenant_id", "status", "asked_at"])
    _policies()
    _pools()
    _wishes()
    op.create_table(
        "bulk_reports",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        _at("at"),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("lines", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.CheckConstraint("kind in ('engineer_out','rebook','batch')", name=op.f("ck_bulk_reports_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bulk_reports")),
    )
    op.create_index("ix_bulk_reports_at", "bulk_reports", ["tenant_id", "at"])
    for table in _TABLES:
        for statement in secured(table):
            op.execute(statement)


def _policies() -> None:
    op.create_table(
        "match_policies",
        _tenant(),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_type", sa.String(), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("contractor_id", sa.Uuid(), nullable=True),
        sa.Column("settings", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.CheckConstraint(_MODES, name=op.f("ck_match_policies_mode")),
        sa.CheckConstraint(
            "(mode = 'contractor') = (contractor_id is not null)", name=op.f("ck_match_policies_contractor")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "work_type"],
            ["work_types.tenant_id", "work_types.code"],
            name=op.f("fk_match_policies_tenant_id_work_type"),
            ondelete="CASCADE",
        ),
        _refer("match_policies", "territory_id", "territories", "CASCADE"),
        _refer("match_policies", "contractor_id", "contractors"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_match_policies")),
        sa.UniqueConstraint(
            "tenant_id",
            "work_type",
            "territory_id",
            name="uq_match_policies_one",
            postgresql_nulls_not_distinct=True,
        ),
    )


def _pools() -> None:
    op.create_table(
        "pools",
        _tenant(),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        _at("opened_at"),
        sa.Column("ring_m", sa.Integer(), nullable=False),
        sa.Column("most_grabs", sa.Integer(), nullable=False),
        _at("collect_until", nullable=True),
        sa.CheckConstraint("ring_m > 0", name=op.f("ck_pools_ring")),
        _refer("pools", "visit_id", "visits", "CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "visit_id", name=op.f("pk_pools")),
    )
    op.create_table(
        "bids",
        _tenant(),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        _at("at"),
        _refer("bids", "visit_id", "visits", "CASCADE"),
        _refer("bids", "engineer_id", "engineers", "CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "visit_id", "engineer_id", name=op.f("pk_bids")),
    )


def _wishes() -> None:
    op.create_table(
        "customer_preferences",
        _tenant(),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        _at("at"),
        _refer("customer_preferences", "customer_id", "customers", "CASCADE"),
        _refer("customer_preferences", "engineer_id", "engineers", "CASCADE"),
        sa.PrimaryKeyConstraint(
            "tenant_id", "customer_id", "engineer_id", name=op.f("pk_customer_preferences")
        ),
    )
    op.create_table(
        "parts_wanted",
        _tenant(),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(12, 3), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_parts_wanted_quantity")),
        _refer("parts_wanted", "ticket_id", "tickets", "CASCADE"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "part"],
            ["parts.tenant_id", "parts.code"],
            name=op.f("fk_parts_wanted_tenant_id_part"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "ticket_id", "part", name=op.f("pk_parts_wanted")),
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_index("ix_requests_open", "requests")
    for table in ("work_types", "tickets"):
        op.drop_constraint(op.f(f"ck_{table}_mode"), table)
        op.create_check_constraint(op.f(f"ck_{table}_mode"), table, _MODES_BEFORE)
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)
