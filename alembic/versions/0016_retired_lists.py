"""Skills and work types that were used can be retired."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Since when each is not chosen for anything new; null where it still is."""
    for table in ("skills", "work_types"):
        op.add_column(table, sa.Column("retired_at", postgresql.TIMESTAMP(timezone=True), nullable=True))


def downgrade() -> None:
    """Back to 0015: what was retired is chosen again."""
    for table in ("skills", "work_types"):
        op.drop_column(table, "retired_at")
