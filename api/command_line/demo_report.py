"""What happened in one run of the demo, counted by SQL from its events, and what went wrong."""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from api.command_line.demo_city import SLUG
from api.command_line.demo_counts import read_counts
from dispatch.actions.audit import verify
from dispatch.actions.tenants import find_tenant
from dispatch.domain.lifecycle import ACTIONS
from dispatch.settings import Settings, read_settings
from dispatch.store.queries.reading import fetch
from dispatch.store.transactions import Database

#: How the report calls an action's events; every other action is called by its name.
CALLED = {
    "ask_request": "requests_asked", "approve_request": "requests_approved", "bulk": "bulk_actions",
    "refuse_request": "requests_refused", "name_engineer": "engineers_named",
    "bid": "names_put_down",
    "receive_parts": "parts_received", "load_van": "vans_loaded", "unload_van": "vans_unloaded",
    "take_stock": "stock_takes", "take_old_parts": "old_parts_taken",
    "book_out_old_parts": "old_parts_booked_out",
    "create": "created", "offer": "offered", "grab": "grabbed", "assign": "assigned",
    "accept_offer": "accepted", "decline_offer": "declined", "offer_expired": "expired",
    "offer_withdrawn": "withdrawn", "run_out": "ran_out", "acknowledge": "acknowledged",
    "hand_over": "handing_over", "accept_hand_over": "handed_over", "hand_back": "handed_back",
    "turn_back": "turned_back", "check_in": "checked_in", "quote": "quoted",
    "approve_quote": "quotes_approved", "refuse_quote": "quotes_refused", "complete": "completed",
    "resolve_remotely": "resolved_remotely", "hold": "held", "resume": "resumed",
    "resume_kept": "resumed_kept", "sign_off": "signed_off", "reject": "rejected", "reopen": "reopened",
    "cancel": "cancelled", "mark_duplicate": "duplicates", "amend": "amended", "rebook": "rebooked",
    "contact": "contacted", "urge": "urged", "note": "noted", "photo": "photos", "alert": "alerts",
    "helpers": "helpers_checked_in", "pay": "payments",
}  # fmt: skip
_STOCK_EVENTS = (
    "receive_parts", "load_van", "unload_van", "take_stock", "take_old_parts", "book_out_old_parts",
)  # fmt: skip
_MANY_EVENTS = ("ask_request", "approve_request", "refuse_request", "bulk", "bid", *_STOCK_EVENTS)
_OFFER_EVENTS = ("decline_offer", "offer_expired", "offer_withdrawn")
_BUG = re.compile(rb'"event":"unexpected"')
_SEEN_5XX = re.compile(rb"^reply 5\d\d ", re.MULTILINE)

_HEAD = "select seq from chain_heads where tenant_id = %(tenant)s"
_COUNTS = """
  select action, count(*)::int as count from ticket_events
  where tenant_id = %(tenant)s and seq > %(since)s and subject_type <> 'visit_engineer' group by action
  union all select 'helpers', count(*)::int from ticket_events
  where tenant_id = %(tenant)s and seq > %(since)s and subject_type = 'visit_engineer' and action = 'check_in'
"""
_MORE = """
  select count(*) filter (where to_status = 'closed')::int as closed,
    count(*) filter (where action = 'sign_off' and actor = 'system')::int as signed_off_by_default,
    count(*) filter (where action = 'sign_off' and facts ? 'witnessed_by')::int as signed_on_the_phone,
    count(distinct ticket_id)::int as tickets, count(*)::int as events,
    min(at) as first_at, max(at) as last_at
  from ticket_events where tenant_id = %(tenant)s and seq > %(since)s
"""
#: Median minutes of business time between two things that happened to a ticket or a visit in this run.
_MEDIANS = """
  with run as (
    select min(at) as since from ticket_events where tenant_id = %(tenant)s and seq > %(since)s),
  made as (
    select ticket_id, min(at) as at from ticket_events
    where tenant_id = %(tenant)s and seq > %(since)s and action = 'create' group by ticket_id),
  given as (
    select e.ticket_id, min(e.at) as at from ticket_events e join made using (ticket_id)
    where e.tenant_id = %(tenant)s and e.seq > %(since)s and e.to_status = 'assigned' group by e.ticket_id),
  verdict as (
    select v.ticket_id, v.completed_at, min(e.at) as at from visits v
    join ticket_events e on e.tenant_id = v.tenant_id and e.ticket_id = v.ticket_id
      and e.to_status = 'closed' and e.at >= v.completed_at
    where v.tenant_id = %(tenant)s and v.close_reason = 'signed_off' and e.seq > %(since)s
    group by v.ticket_id, v.completed_at),
  trip as (
    select v.assigned_at, v.set_off_at, v.checked_in_at, v.completed_at from visits v, run
    where v.tenant_id = %(tenant)s and v.assigned_at >= run.since)
  select step, round((percentile_cont(0.5) within group (order by s) / 60)::numeric, 1)::float8 as median_min,
    count(*)::int as count
  from (
    select 'created_to_assigned' as step, extract(epoch from given.at - made.at) as s
      from made join given using (ticket_id)
    union all select 'assigned_to_set_off', extract(epoch from set_off_at - assigned_at) from trip
    union all select 'set_off_to_checked_in', extract(epoch from checked_in_at - set_off_at) from trip
    union all select 'checked_in_to_completed', extract(epoch from completed_at - checked_in_at) from trip
    union all select 'completed_to_closed', extract(epoch from at - completed_at) from verdict
  ) steps where s is not null group by step
"""
_TOLD = """
  select 'messages' as kind, template as name, count(*)::int as count from messages_sent
    where tenant_id = %(tenant)s and seq > %(since)s group by template
  union all
  select 'pushes', outcome, count(*)::int from push_deliveries
    where tenant_id = %(tenant)s and seq > %(since)s group by outcome
"""
#: What proof and money came to in this run, by rows.
_PROOF = """
  with run as (select min(at) as since from ticket_events where tenant_id = %(tenant)s and seq > %(since)s)
  select
    (select count(*)::int from check_ins c, run where c.tenant_id = %(tenant)s and c.at >= run.since
      and c.doubt_score is not null) as check_ins_weighed,
    (select count(*)::int from evidence e, run where e.tenant_id = %(tenant)s and e.received_at >= run.since
      and jsonb_array_length(coalesce(e.facts -> 'like', '[]')) > 0) as photos_used_again,
    (select count(*)::int from evidence e, run where e.tenant_id = %(tenant)s and e.received_at >= run.since
      and e.facts ? 'in_pieces') as photos_in_pieces,
    (select count(*)::int from completions c, run where c.tenant_id = %(tenant)s and c.at >= run.since
      and c.checklist <> '[]') as checklists,
    (select count(*)::int from part_movements m, run where m.tenant_id = %(tenant)s and m.at >= run.since
      and m.to_kind = 'ticket') as parts_used,
    (select count(*)::int from part_movements m, run where m.tenant_id = %(tenant)s and m.at >= run.since
      and m.to_kind = 'returned') as old_parts_returned,
    (select count(*)::int from settlement_lines l, run where l.tenant_id = %(tenant)s and l.at >= run.since)
      as settlement_lines,
    (select count(*)::int from certificates c, run where c.tenant_id = %(tenant)s
      and c.issued_at >= run.since) as certificates,
    (select count(*)::int from ticket_assets a, run where a.tenant_id = %(tenant)s and a.done_at >= run.since)
      as machines_done,
    (select count(*)::int from ticket_events e where e.tenant_id = %(tenant)s and e.seq > %(since)s
      and e.action = 'manager_link') as manager_links
"""
_JOBS = """
  select count(*) filter (where e.type = 'failed')::int as failed,
    count(*) filter (where e.type = 'succeeded')::int as done,
    count(*) filter (where e.type = 'deferred_for_retry')::int as retried
  from procrastinate_events e join procrastinate_jobs j on j.id = e.job_id
  where e.at >= %(began)s and j.args ->> 'tenant' = %(tenant_text)s
"""
_DEAD = """
  select count(*)::int as count from procrastinate_jobs
  where status = 'failed' and args ->> 'tenant' = %(tenant_text)s
"""

#: How long each log was when the run began: what older runs wrote is not counted again.
_log_sizes: dict[Path, int] = {}


def last_seq() -> int:
    """The newest event before the run, 0 where there is no demo company yet; marks the ends of the logs."""
    settings = read_settings(os.environ)
    _log_sizes.update({log: log.stat().st_size for log in (settings.state / "logs").glob("*.log")})
    database = Database(settings.database_url, 1, "paidan-demo-report")
    try:
        tenant_id = find_tenant(database, SLUG)
        if tenant_id is None:
            return 0
        with database.transaction(tenant_id) as db:
            head = fetch(db, _HEAD, {"tenant": tenant_id})
        return int(head[0]["seq"])
    finally:
        database.close()


def count(since_seq: int, logs: Path) -> dict[str, Any]:
    """The report of the run after `since_seq`. `errors` are all zero when nothing went wrong."""
    settings = read_settings(os.environ)
    database = Database(settings.database_url, 1, "paidan-demo-report")
    try:
        tenant_id = find_tenant(database, SLUG)
        if tenant_id is None:
            return {"counts": {}, "errors": {"no_demo_company": 1}}
        with database.transaction(tenant_id) as db:
            report = _read(db, tenant_id, since_seq, settings, logs)
        report["errors"]["audit_breaks"] = verify(database, tenant_id).broken
        return report
    finally:
        database.close()


def _read(db: Session, tenant_id: UUID, since_seq: int, settings: Settings, logs: Path) -> dict[str, Any]:
    began = datetime.fromtimestamp(settings.clock.anchor_epoch_s, UTC)
    values = {"tenant": tenant_id, "tenant_text": str(tenant_id), "since": since_seq, "began": began}
    counts = {row["action"]: row["count"] for row in fetch(db, _COUNTS, values)}
    (more,) = fetch(db, _MORE, values)
    (jobs,) = fetch(db, _JOBS, values)
    named = {CALLED.get(a, a): counts.get(a, 0) for a in ("create", *ACTIONS, *_OFFER_EVENTS, *_MANY_EVENTS)}
    named |= {CALLED.get(a, a): n for a, n in counts.items()} | {"closed": more["closed"]}
    named |= fetch(db, _PROOF, values)[0] | read_counts(db, values)
    return {
        "from": _text(more["first_at"]),
        "to": _text(more["last_at"]),
        "speed": settings.clock.speed,
        "tickets": more["tickets"],
        "events": more["events"],
        "counts": dict(sorted(named.items())),
        "never_happened": sorted(name for name, number in named.items() if not number),
        "signed_off_by_default": more["signed_off_by_default"],
        "signed_on_the_phone": more["signed_on_the_phone"],
        "median_min": {row["step"]: row["median_min"] for row in fetch(db, _MEDIANS, values)},
        **_grouped(fetch(db, _TOLD, values)),
        "jobs": {"done": jobs["done"], "retried": jobs["retried"]},
        "errors": {
            "http_5xx": _count_new(logs.glob("api-*.log"), _BUG),
            "replies_5xx": _count_new(logs.glob("city.log"), _SEEN_5XX),
            "failed_jobs": jobs["failed"],
            "dead_letters": fetch(db, _DEAD, values)[0]["count"],
        },
    }


def _text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else None


def _grouped(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Messages to customers by template, pushes to phones by outcome."""
    found: dict[str, dict[str, int]] = {"messages": {}, "pushes": {}}
    for row in rows:
        found[row["kind"]][row["name"]] = row["count"]
    return found


def _count_new(logs: Iterable[Path], pattern: re.Pattern[bytes]) -> int:
    """Matches in what the logs have grown by in this run; a log begun anew counts whole."""
    total = 0
    for log in logs:
        content = log.read_bytes()
        start = _log_sizes.get(log, 0)
        total += len(pattern.findall(content[start if start <= len(content) else 0 :]))
    return total
