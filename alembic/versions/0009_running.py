"""Running: what an operator needs to see and to hold back."""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of a running service."""


def downgrade() -> None:
    """Back to 0008."""
