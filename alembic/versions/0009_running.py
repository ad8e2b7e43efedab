"""Running: what an operator needs to see and to hold back."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Outbox rows carry the trace of the request they come from; the product reads where its schema stands."""
    op.add_column("outbox", sa.Column("trace", sa.String(), nullable=True))
    op.execute("GRANT SELECT ON alembic_version TO paidan_app")


def downgrade() -> None:
    """Back to 0008."""
    op.execute("REVOKE SELECT ON alembic_version FROM paidan_app")
    op.drop_column("outbox", "trace")
