"""Identity: signing in through a company's own provider."""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables of single sign-on and of what is erased."""


def downgrade() -> None:
    """Back to 0007."""
