"""Telling: customers' devices and a company's own sign-in."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A company may leave its own sign-in as the only one; a sign-in knows which way it came."""
    op.add_column(
        "oidc_providers", sa.Column("only", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "signins", sa.Column("by_provider", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )


def downgrade() -> None:
    """Back to 0011."""
    op.drop_column("signins", "by_provider")
    op.drop_column("oidc_providers", "only")
