"""What is not kept for ever: answers to commands, positions and who saw them, ended sign-ins and codes."""

from datetime import timedelta

from sqlalchemy import text

from dispatch.actions.step import Step

ANSWERS_KEPT = timedelta(days=30)
POSITIONS_KEPT = timedelta(days=90)
SIGNINS_KEPT = timedelta(days=30)
CODES_KEPT = timedelta(days=1)
EVERY = timedelta(days=1)

_OLD = (
    ("commands", "at", ANSWERS_KEPT),
    ("engineer_positions", "at", POSITIONS_KEPT),
    ("position_views", "hour", POSITIONS_KEPT),
    ("signins", "expires_at", SIGNINS_KEPT),
    ("signin_codes", "expires_at", CODES_KEPT),
)


def purge_old(step: Step) -> dict[str, int]:
    """Rows removed per table, and the timer armed for tomorrow."""
    removed = {}
    for table, column, kept in _OLD:
        done = step.db.execute(
            text(f"delete from {table} where tenant_id = :tenant and {column} < :before"),
            {"tenant": step.tenant_id, "before": step.now - kept},
        )
        removed[table] = int(getattr(done, "rowcount", 0))
    step.set_timer("purge_by", step.tenant_id, step.now + EVERY)
    return removed
