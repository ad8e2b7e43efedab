"""Keeping: drives as they were foretold and what was learned from them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of travel times and durations that learn."""
    op.create_table(
        "trips",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("set_off_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("base_s", sa.Integer(), nullable=False),
        sa.Column("base_m", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("road_class", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("eta_p50_s", sa.Integer(), nullable=False),
        sa.Column("eta_p90_s", sa.Integer(), nullable=False),
        sa.Column("calibrated", sa.Boolean(), nullable=False),
        sa.CheckConstraint("source in ('roads','great_circle')", name=op.f("ck_trips_source")),
        sa.CheckConstraint("base_s >= 0 and base_m >= 0", name=op.f("ck_trips_base")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_trips_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_trips_tenant_id_engineer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "visit_id", name=op.f("pk_trips")),
    )
    op.create_index("ix_trips_set_off", "trips", ["tenant_id", "source", "set_off_at"], unique=False)
    op.create_table(
        "learned",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("learned_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "kind in ('roads','great_circle','durations','datum')", name=op.f("ck_learned_kind")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name=op.f("pk_learned")),
    )
    for table in ("trips", "learned"):
        for statement in secured(table):
            op.execute(statement)


def downgrade() -> None:
    """What was learned is lost; it is learned again."""
    op.drop_table("learned")
    op.drop_table("trips")
