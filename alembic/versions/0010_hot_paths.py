"""Hot paths: what is read most costs the database least."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A phone's pool, its kept tickets and its refusals are found without looking through everybody's."""
    op.create_index(
        "ix_tickets_waiting",
        "tickets",
        ["tenant_id", "work_type", "mode", "territory_id", "id"],
        postgresql_where=sa.text("status in ('open','offered')"),
    )
    op.create_index(
        "ix_tickets_held",
        "tickets",
        ["tenant_id", "hold_engineer_id"],
        postgresql_where=sa.text("hold_engineer_id is not null"),
    )
    op.create_index("ix_refusals_engineer", "refusals", ["tenant_id", "engineer_id"])


def downgrade() -> None:
    """Back to 0009."""
    op.drop_index("ix_refusals_engineer", "refusals")
    op.drop_index("ix_tickets_held", "tickets")
    op.drop_index("ix_tickets_waiting", "tickets")
