"""What an operator looks at: queues, devices, and what was learned, of one tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch_all

#: The advisory lock the active relay holds.
RELAY_LEADER = 7214001

_QUEUES = """
  select
    (select count(*) from procrastinate_jobs where status = 'todo' and args ->> 'tenant' = %(text)s) as todo,
    (select count(*) from procrastinate_jobs where status = 'doing' and args ->> 'tenant' = %(text)s) as doing,
    (select count(*) from procrastinate_jobs where status = 'failed' and args ->> 'tenant' = %(text)s) as failed,
    (select count(*) from outbox where tenant_id = %(tenant)s) as outbox,
    (select count(*) from timers where tenant_id = %(tenant)s and due_at < %(now)s) as timers_overdue,
    (select coalesce(extract(epoch from %(now)s - min(due_at)), 0)::int from timers
      where tenant_id = %(tenant)s and due_at < %(now)s) as timers_late_s,
    (select coalesce(extract(epoch from %(now)s - min(v.at)), 0)::int from outbox o
      join ticket_events v on v.tenant_id = o.tenant_id and v.seq = o.seq
      where o.tenant_id = %(tenant)s) as oldest_outbox_s,
    (select coalesce(extract(epoch from clock_timestamp() - min(v.at)), 0)::int from procrastinate_jobs j
      join procrastinate_events v on v.job_id = j.id and v.type = 'deferred'
      where j.status = 'todo' and j.args ->> 'tenant' = %(text)s
        and (j.scheduled_at is null or j.scheduled_at <= clock_timestamp())) as oldest_job_s
"""

#: A worker's process has a row for each of its queues: its own jobs, and those that wait for others.
QUEUES_A_WORKER = 2
#: Workers that live and relays that lead, in the whole installation; the latter takes `leader`.
WORKERS = f"""select (count(*) + {QUEUES_A_WORKER - 1}) / {QUEUES_A_WORKER} from procrastinate_workers
    where last_heartbeat > clock_timestamp() - interval '30 seconds'"""
RELAYS = """select count(*) from pg_locks where locktype = 'advisory' and classid = 0
    and objid = %(leader)s and database = (select oid from pg_database where datname = current_database())"""

#: The whole installation's: who works and which event is relayed is not a company's own.
_INSTALLATION = f"""
  select ({WORKERS}) as workers, ({RELAYS}) as relays,
    (select version_num from alembic_version) as migration, current_setting('server_version') as postgres
"""

_CHANNELS = """
  select channel, count(*) filter (where status = 'sent') as sent,
    count(*) filter (where status in ('refused', 'gone', 'expired')) as failed,
    count(*) filter (where status in ('waiting', 'sending')) as waiting
  from messages where tenant_id = %(tenant)s and made_at > %(now)s - interval '24 hours'
  group by channel order by channel
"""

_DEVICES = """
  select e.id as engineer_id, e.name, e.position_at, s.seen_at, s.device, p.targets as push_targets,
    p.failed as push_failed, p.failed_at as push_failed_at,
    extract(epoch from %(now)s - e.position_at)::int as position_age_s,
    exists (select from shifts h where h.tenant_id = e.tenant_id and h.engineer_id = e.id
            and h.starts_at <= %(now)s and h.ends_at > %(now)s) as on_shift
  from engineers e
  left join lateral (select coalesce(i.seen_at, i.created_at) as seen_at, i.device from signins i
    where i.tenant_id = e.tenant_id and i.principal_id = e.id and i.revoked_at is null
    order by coalesce(i.seen_at, i.created_at) desc limit 1) s on true
  left join lateral (select count(distinct t.id) filter (where t.gone_at is null) as targets,
      count(*) filter (where d.outcome in ('refused', 'gone')) as failed,
      max(d.at) filter (where d.outcome in ('refused', 'gone')) as failed_at
    from push_targets t left join push_deliveries d on d.tenant_id = t.tenant_id and d.target_id = t.id
      and d.at > %(now)s - interval '24 hours'
    where t.tenant_id = e.tenant_id and t.engineer_id = e.id) p on true
  where e.tenant_id = %(tenant)s and e.active
  order by on_shift desc, e.position_at nulls first, e.name limit 500
"""

_LEARNED = "select kind, learned_at, body from learned where tenant_id = %(tenant)s order by kind"


def read_operations(db: Session, tenant_id: UUID, now: datetime) -> dict[str, Any]:
    """Queues, devices (those on shift and longest silent first), channels of the last day, what was learned, and
    the installation's own figures, in one trip."""
    values = {"tenant": tenant_id, "text": str(tenant_id), "now": now}
    (queues,), devices, learned, channels, (installation,) = fetch_all(
        db,
        (_QUEUES, values),
        (_DEVICES, values),
        (_LEARNED, values),
        (_CHANNELS, values),
        (_INSTALLATION, {"leader": RELAY_LEADER}),
    )
    return {
        "installation": installation,
        "channels": channels,
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
