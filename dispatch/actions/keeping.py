"""What is not kept for ever: answers to commands, positions and who saw them, ended sign-ins and codes, browsers of
links that ended."""

from datetime import timedelta

from sqlalchemy import text

from dispatch.actions.step import Step
from dispatch.settings import Clock

ANSWERS_KEPT = timedelta(days=30)
POSITIONS_KEPT = timedelta(days=90)
SIGNINS_KEPT = timedelta(days=30)
CODES_KEPT = timedelta(days=1)
EVERY = timedelta(days=1)

_OLD = (
    ("commands", "at", ANSWERS_KEPT),
    ("engineer_positions", "at", POSITIONS_KEPT),
    ("position_views", "hour", POSITIONS_KEPT),
)
#: These end by the wall's clock, whatever the day of business is.
_OLD_BY_WALL = (
    ("signins", "expires_at", SIGNINS_KEPT),
    ("signin_codes", "expires_at", CODES_KEPT),
)

_ENDED_LINKS = """
  delete from customer_devices d using customer_links l
  where d.tenant_id = :tenant and l.tenant_id = d.tenant_id and l.id = d.link_id
    and (l.revoked_at is not null or l.expires_at < :now)
"""


def purge_old(step: Step) -> dict[str, int]:
    """Rows removed per table, and the timer armed for tomorrow."""
    wall = Clock.wall()
    old = [(table, column, step.now - kept) for table, column, kept in _OLD]
    old += [(table, column, wall - kept) for table, column, kept in _OLD_BY_WALL]
    removed = {}
    for table, column, before in old:
        done = step.db.execute(
            text(f"delete from {table} where tenant_id = :tenant and {column} < :before"),
            {"tenant": step.tenant_id, "before": before},
        )
        removed[table] = int(getattr(done, "rowcount", 0))
    ended = step.db.execute(text(_ENDED_LINKS), {"tenant": step.tenant_id, "now": step.now})
    removed["customer_devices"] = int(getattr(ended, "rowcount", 0))
    step.set_timer("purge_by", step.tenant_id, step.now + EVERY)
    return removed
