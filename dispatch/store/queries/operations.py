"""What an operator looks at: queues, devices, and what was learned, of one tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch_all

_QUEUES = """
  select
    (select count(*) from procrastinate_jobs where status = 'todo' and args ->> 'tenant' = %(text)s) as todo,
    (select count(*) from procrastinate_jobs where status = 'doing' and args ->> 'tenant' = %(text)s) as doing,
    (select count(*) from procrastinate_jobs where status = 'failed' and args ->> 'tenant' = %(text)s) as failed,
    (select count(*) from outbox where tenant_id = %(tenant)s) as outbox,
    (select count(*) from timers where tenant_id = %(tenant)s and due_at < %(now)s) as timers_overdue
"""

_DEVICES = """
  select e.id as engineer_id, e.name, e.position_at, s.seen_at,
    extract(epoch from %(now)s - e.position_at)::int as position_age_s,
    exists (select from shifts h where h.tenant_id = e.tenant_id and h.engineer_id = e.id
            and h.starts_at <= %(now)s and h.ends_at > %(now)s) as on_shift
  from engineers e
  left join lateral (select max(coalesce(i.seen_at, i.created_at)) as seen_at from signins i
    where i.tenant_id = e.tenant_id and i.principal_id = e.id and i.revoked_at is null) s on true
  where e.tenant_id = %(tenant)s and e.active
  order by on_shift desc, e.position_at nulls first, e.name limit 500
"""

_LEARNED = "select kind, learned_at, body from learned where tenant_id = %(tenant)s order by kind"


def read_operations(db: Session, tenant_id: UUID, now: datetime) -> dict[str, Any]:
    """Queues, devices (those on shift and longest silent first) and what was learned, in one trip."""
    values = {"tenant": tenant_id, "text": str(tenant_id), "now": now}
    (queues,), devices, learned = fetch_all(db, (_QUEUES, values), (_DEVICES, values), (_LEARNED, values))
    return {
        "queues": queues,
        "devices": devices,
        "learned": [_learned(row) for row in learned if row["kind"] != "datum"],
        "datum_warnings": next((row["body"]["warnings"] for row in learned if row["kind"] == "datum"), []),
    }


def _learned(row: dict[str, Any]) -> dict[str, Any]:
    body = row["body"]
    return {
        "kind": row["kind"],
        "learned_at": row["learned_at"],
        "observed": body.get("trips", body.get("jobs", 0)),
        "rejected": body.get("rejected", 0),
    }
