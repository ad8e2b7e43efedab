"""Found by ticket: what is asked for one ticket, one offer or one device is not looked for among everybody's."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

#: Name, table and columns of each.
_INDEXES = (
    ("ix_ladders_ticket", "ladders", ["tenant_id", "ticket_id"]),
    ("ix_push_deliveries_subject", "push_deliveries", ["tenant_id", "subject_id"]),
    ("ix_push_deliveries_target", "push_deliveries", ["tenant_id", "target_id", "at"]),
    ("ix_push_targets_engineer", "push_targets", ["tenant_id", "engineer_id"]),
    ("ix_quotes_ticket", "quotes", ["tenant_id", "ticket_id"]),
    ("ix_completions_ticket", "completions", ["tenant_id", "ticket_id"]),
    ("ix_check_ins_ticket", "check_ins", ["tenant_id", "ticket_id"]),
)


def upgrade() -> None:
    """An offer's ladder, its push and its engineer's phone; a ticket's quotes, its completion and check-ins; the parts
    booked for it, which most movements are not.

    A statement that waited for a ticket's lock works out every sub-select of the ticket's policy, whoever asks: what
    was given to no contractor at all was looked for among all offers and visits. Strict, the function is not called.

    Dead letters are counted beside all the jobs that were done. Each job leaves old versions of its row behind; they are
    cleared away by how many they are, not by how many jobs are kept beside them.
    """
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    op.create_index(
        "ix_part_movements_ticket",
        "part_movements",
        ["tenant_id", "ticket_id"],
        postgresql_where=sa.text("ticket_id is not null"),
    )
    op.execute("ALTER FUNCTION paidan_given(uuid) STRICT")
    op.create_index(
        "ix_procrastinate_jobs_failed",
        "procrastinate_jobs",
        ["id"],
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.execute(
        "ALTER TABLE procrastinate_jobs SET"
        " (autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0.01)"
    )


def downgrade() -> None:
    """Back to 0014."""
    op.execute(
        "ALTER TABLE procrastinate_jobs RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor)"
    )
    op.drop_index("ix_procrastinate_jobs_failed", "procrastinate_jobs")
    op.execute("ALTER FUNCTION paidan_given(uuid) CALLED ON NULL INPUT")
    op.drop_index("ix_part_movements_ticket", "part_movements")
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table)
