"""Parts and requests: what a depot receives and holds, days of a price, a second fingerprint of photos."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured
from dispatch.store.tables.base import point

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KINDS = (
    "from_kind in ({0}'supplier','depot','van','ticket') and "
    "to_kind in ({0}'depot','van','ticket','returned','scrapped')"
)


def _kinds(more: str) -> None:
    op.drop_constraint(op.f("ck_part_movements_kinds"), "part_movements", type_="check")
    op.create_check_constraint(op.f("ck_part_movements_kinds"), "part_movements", _KINDS.format(more))


def upgrade() -> None:
    """Depots, and lines of the ledger that say by which paper, why and by whom. Lines from a depot that was not
    kept (from_id null) stay as they are: no depot's stock counts them."""
    op.create_table(
        "depots",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", point(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_depots")),
        sa.UniqueConstraint("tenant_id", "code", name=op.f("uq_depots_tenant_id_code")),
    )
    for statement in secured("depots"):
        op.execute(statement)
    op.add_column("part_movements", sa.Column("reference", sa.String(), nullable=True))
    op.add_column("part_movements", sa.Column("reason", sa.String(), nullable=True))
    op.add_column("part_movements", sa.Column("booked_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_part_movements_tenant_id_booked_by"),
        "part_movements",
        "dispatchers",
        ["tenant_id", "booked_by"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "ix_part_movements_reference",
        "part_movements",
        ["tenant_id", "reference"],
        unique=False,
        postgresql_where=sa.text("reference is not null"),
    )
    _kinds("'stock_take',")
    for column in ("valid_from", "valid_until"):
        op.add_column("prices", sa.Column(column, postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column("blobs", sa.Column("dhash", sa.String(), nullable=True))
    op.add_column("blobs", sa.Column("mirror_dhash", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to 0010: what was counted is forgotten with the lines that say so."""
    op.drop_column("blobs", "mirror_dhash")
    op.drop_column("blobs", "dhash")
    op.drop_column("prices", "valid_until")
    op.drop_column("prices", "valid_from")
    op.execute("delete from part_movements where 'stock_take' in (from_kind, to_kind)")
    _kinds("")
    op.drop_index("ix_part_movements_reference", table_name="part_movements")
    op.drop_constraint(op.f("fk_part_movements_tenant_id_booked_by"), "part_movements", type_="foreignkey")
    op.drop_column("part_movements", "booked_by")
    op.drop_column("part_movements", "reason")
    op.drop_column("part_movements", "reference")
    op.drop_table("depots")
