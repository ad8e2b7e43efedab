"""What matching, proof and acceptance came to in one run of the demo, counted by rows."""

from typing import Any

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch

_RUN = """
  with run as (
    select min(at) as since from ticket_events where tenant_id = %(tenant)s and seq > %(since)s),
  made as (
    select t.* from tickets t, run where t.tenant_id = %(tenant)s and t.created_at >= run.since)
"""
_MATCH = f"""
  {_RUN}
  select
    count(*) filter (where mode = 'direct')::int as mode_direct,
    count(*) filter (where mode = 'offer')::int as mode_offer,
    count(*) filter (where mode = 'offer_many')::int as mode_offer_many,
    count(*) filter (where mode = 'pool')::int as mode_pool,
    count(*) filter (where mode = 'contractor')::int as mode_contractor,
    count(*) filter (where mode = 'manual')::int as mode_manual,
    count(*) filter (where parent_kind = 'follow_up')::int as follow_ups,
    count(*) filter (where parent_kind = 'warranty_callback')::int as warranty_callbacks,
    (select count(*)::int from receipts r, run where r.tenant_id = %(tenant)s and r.decided_at >= run.since)
      as receipts,
    (select count(*)::int from visits v, run where v.tenant_id = %(tenant)s and v.assigned_at >= run.since
      and exists (select from shifts s where s.tenant_id = v.tenant_id and s.engineer_id = v.engineer_id
        and s.kind = 'on_call' and v.assigned_at >= s.starts_at and v.assigned_at < s.ends_at)
      and not exists (select from shifts s where s.tenant_id = v.tenant_id and s.engineer_id = v.engineer_id
        and s.kind = 'work' and v.assigned_at >= s.starts_at and v.assigned_at < s.ends_at)) as on_call_visits,
    (select count(*)::int from shifts s, run where s.tenant_id = %(tenant)s and s.kind = 'on_call'
      and s.ends_at >= run.since) as on_call_shifts
  from made
"""
_BULK = f"""
  {_RUN}
  select count(*) filter (where kind = 'engineer_out')::int as bulk_engineer_out,
    count(*) filter (where kind = 'rebook')::int as bulk_rebook,
    count(*) filter (where kind = 'batch')::int as bulk_batch
  from bulk_reports b, run where b.tenant_id = %(tenant)s and b.at >= run.since
"""
_REQUESTS = f"""
  {_RUN}
  select count(*) filter (where kind = 'overtime')::int as requests_overtime,
    count(*) filter (where kind = 'leave')::int as requests_leave,
    count(*) filter (where kind = 'discount')::int as requests_discount,
    count(*) filter (where kind = 'part')::int as requests_part
  from requests r, run where r.tenant_id = %(tenant)s and r.asked_at >= run.since
"""
_PROVE = f"""
  {_RUN}
  select
    (select count(*)::int from check_ins c, run where c.tenant_id = %(tenant)s and c.at >= run.since
      and c.override_reason is not null) as check_ins_overridden,
    (select count(*)::int from check_ins c, run where c.tenant_id = %(tenant)s and c.at >= run.since
      and c.doubt_score > 0) as check_ins_doubted,
    (select count(*)::int from check_ins c, run where c.tenant_id = %(tenant)s and c.at >= run.since
      and c.flags ? 'photo_pending') as photos_pending,
    (select count(*)::int from quotes q, run where q.tenant_id = %(tenant)s and q.quoted_at >= run.since
      and q.lines @> '[{{"kind": "discount"}}]') as quotes_discounted,
    (select count(*)::int from visit_engineers c, run where c.tenant_id = %(tenant)s and c.role = 'trainee'
      and c.checked_in_at >= run.since) as trainees_came_along,
    (select count(*)::int from settlement_lines l, run where l.tenant_id = %(tenant)s and l.at >= run.since
      and l.payee_kind = 'helper') as settled_helpers,
    (select count(*)::int from settlement_lines l, run where l.tenant_id = %(tenant)s and l.at >= run.since
      and l.payee_kind = 'contractor') as settled_contractors,
    (select count(*)::int from settlement_lines l, run where l.tenant_id = %(tenant)s and l.at >= run.since
      and l.reverses is not null) as settlement_taken_back
"""
_GAVE_BACK = """
  select count(*) filter (where action = 'hand_back' and actor = 'contractor')::int as contractors_gave_back
  from ticket_events where tenant_id = %(tenant)s and seq > %(since)s
"""
#: A signature on the engineer's phone is taken with the code where the company asks for it: it always was right.
_ACCEPT = """
  select
    count(*) filter (where action = 'sign_off' and facts ? 'witnessed_by' and (
      select (settings ->> 'service_code')::int from tenants where id = %(tenant)s) = 1)::int as service_codes,
    count(*) filter (where action = 'sign_off' and actor = 'system')::int as signed_off_unanswered,
    (select count(*)::int from messages_sent where tenant_id = %(tenant)s and template = 'closing_soon'
      and at >= (select min(at) from ticket_events where tenant_id = %(tenant)s and seq > %(since)s)) as reminders
  from ticket_events where tenant_id = %(tenant)s and seq > %(since)s
"""


def read_counts(db: Session, values: dict[str, Any]) -> dict[str, int]:
    """Each thing's count by its name in the report."""
    found: dict[str, int] = {}
    for sql in (_MATCH, _BULK, _REQUESTS, _PROVE, _GAVE_BACK, _ACCEPT):
        found |= fetch(db, sql, values)[0]
    return found
