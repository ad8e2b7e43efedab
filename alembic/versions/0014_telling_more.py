"""Telling more: what customers are told by, and where."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Browsers whose customer wants to be told of one ticket; outbox rows carry the span of the request they come
    from beside its trace."""
    op.create_table(
        "customer_devices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_enc", sa.LargeBinary(), nullable=False),
        sa.Column("subscription_blind", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("switched_on_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_customer_devices_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "link_id"],
            ["customer_links.tenant_id", "customer_links.id"],
            name=op.f("fk_customer_devices_tenant_id_link_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_devices")),
        sa.UniqueConstraint(
            "tenant_id",
            "link_id",
            "subscription_blind",
            name=op.f("uq_customer_devices_tenant_id_link_id_subscription_blind"),
        ),
    )
    op.create_index("ix_customer_devices_ticket", "customer_devices", ["tenant_id", "ticket_id"])
    for statement in secured("customer_devices"):
        op.execute(statement)
    op.add_column("outbox", sa.Column("span", sa.String(), nullable=True))


def downgrade() -> None:
    """Back to 0013: nobody's browser is told any more."""
    op.drop_column("outbox", "span")
    op.drop_table("customer_devices")
