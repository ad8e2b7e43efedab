"""Identity: signing in through a company's own provider; what a contractor's dispatcher sees."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import GIVEN, scoped, scoped_engineers, scoped_tickets, secured

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("oidc_providers", "oidc_people", "oidc_states")


def _at(name: str, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Tables of single sign-on."""
    op.create_table(
        "oidc_providers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("client_secret_enc", sa.LargeBinary(), nullable=False),
        sa.Column("email_domains", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        _at("changed_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_oidc_providers")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_oidc_providers_tenant_id")),
    )
    op.create_table(
        "oidc_people",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("dispatcher_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        _at("linked_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dispatcher_id"],
            ["dispatchers.tenant_id", "dispatchers.id"],
            name=op.f("fk_oidc_people_tenant_id_dispatcher_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "dispatcher_id", name=op.f("pk_oidc_people")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_oidc_people_tenant_id_email")),
        sa.UniqueConstraint("tenant_id", "subject", name=op.f("uq_oidc_people_tenant_id_subject")),
    )
    op.create_table(
        "oidc_states",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _at("used_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_oidc_states")),
    )
    op.create_index("ix_oidc_states_used", "oidc_states", ["tenant_id", "used_at"], unique=False)
    for table in _TABLES:
        for statement in secured(table):
            op.execute(statement)
    op.execute(GIVEN)
    op.execute("DROP POLICY scope ON tickets")
    op.execute(scoped_tickets())
    op.execute(scoped_engineers())


def downgrade() -> None:
    """Everybody signs in by password again."""
    op.execute("DROP POLICY scope ON engineers")
    op.execute("DROP POLICY scope ON tickets")
    op.execute(scoped("tickets"))
    op.execute("DROP FUNCTION paidan_given(uuid)")
    op.execute("delete from directory where kind = 'oidc'")
    for table in reversed(_TABLES):
        op.drop_table(table)
