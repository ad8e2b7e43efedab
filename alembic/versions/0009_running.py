"""Running: what an operator needs to see and to hold back."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


_PARTITION = """
    CREATE OR REPLACE FUNCTION ensure_positions_partition(wanted date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE name text := 'engineer_positions_' || to_char(wanted, 'YYYYMMDD');
    BEGIN
      IF to_regclass(name) IS NOT NULL THEN
        RETURN;
      END IF;
      PERFORM pg_advisory_xact_lock(hashtext(name));
      IF to_regclass(name) IS NULL THEN
        {create}
      END IF;
    END $$
"""
_CREATE = """EXECUTE format(
          'CREATE TABLE %I PARTITION OF engineer_positions FOR VALUES FROM (%L) TO (%L)',
          name, wanted::timestamp AT TIME ZONE 'UTC', (wanted + 1)::timestamp AT TIME ZONE 'UTC');"""
#: Who waited for the advisory lock may still not see in its catalogue cache what the other has made meanwhile.
_CREATE_ONCE = f"BEGIN {_CREATE} EXCEPTION WHEN duplicate_table THEN NULL; END;"


def upgrade() -> None:
    """Outbox rows carry the trace of the request they come from; the product reads where its schema stands; the
    first two positions of a day do not fall over each other."""
    op.execute(_PARTITION.format(create=_CREATE_ONCE))
    op.add_column("outbox", sa.Column("trace", sa.String(), nullable=True))
    op.execute("GRANT SELECT ON alembic_version TO paidan_app")


def downgrade() -> None:
    """Back to 0008."""
    op.execute(_PARTITION.format(create=_CREATE))
    op.execute("REVOKE SELECT ON alembic_version FROM paidan_app")
    op.drop_column("outbox", "trace")
