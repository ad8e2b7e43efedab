"""The end of a sign-in or a key is heard by every api process at once."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("signins", "api_keys")


def upgrade() -> None:
    """In the database, because eight places end them; no ticket's transaction is among these, so that the lock a
    NOTIFY takes at commit holds up no work."""
    op.execute(
        """
        create function paidan_say_ended() returns trigger language plpgsql as $$
        begin
          perform pg_notify('paidan_ended', new.id::text);
          return null;
        end $$
        """
    )
    for table in TABLES:
        op.execute(
            f"create trigger say_ended after update of revoked_at on {table} for each row "
            "when (old.revoked_at is null and new.revoked_at is not null) execute function paidan_say_ended()"
        )


def downgrade() -> None:
    """Back to 0016: other api processes know an end when what they remember is 30 s old."""
    for table in TABLES:
        op.execute(f"drop trigger say_ended on {table}")
    op.execute("drop function paidan_say_ended()")
