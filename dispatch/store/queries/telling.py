"""What the board shows of messages and channels."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch, page_of

PAGE = 100
TARGETS_PAGE = 500

_MESSAGES = """
  select m.id as message_id, m.ticket_id, t.ticket_no, m.template, m.person_kind,
    coalesce(d.name, e.name) as person_name, m.channel, m.language, m.status, m.code, m.tries::int as tries,
    m.not_before, m.made_at, m.sent_at
  from messages m
  left join tickets t on t.tenant_id = m.tenant_id and t.id = m.ticket_id
  left join dispatchers d on d.tenant_id = m.tenant_id and d.id = m.person_id
  left join engineers e on e.tenant_id = m.tenant_id and e.id = m.person_id
  where m.tenant_id = %(tenant)s and (%(ticket)s::uuid is null or m.ticket_id = %(ticket)s)
    and (%(status)s::text is null or m.status = %(status)s)
    and (t.id is not null or not %(narrowed)s::bool)
  order by m.made_at desc, m.id desc offset %(offset)s limit %(limit)s
"""
_LADDERS = """
  select l.id as ladder_id, l.offer_id, e.name as engineer_name, l.started_at, l.ended_at, l.outcome,
    coalesce((select jsonb_agg(jsonb_build_object('number', r.number, 'whom', r.whom, 'channel', r.channel,
      'at', r.at, 'outcome', r.outcome, 'code', r.code) order by r.number)
      from ladder_rungs r where r.tenant_id = l.tenant_id and r.ladder_id = l.id), '[]'::jsonb) as rungs
  from ladders l join engineers e on e.tenant_id = l.tenant_id and e.id = l.engineer_id
  join tickets t on t.tenant_id = l.tenant_id and t.id = l.ticket_id
  where l.tenant_id = %(tenant)s and l.ticket_id = %(ticket)s order by l.started_at desc limit 50
"""
_CHANNELS = (
    "select channel, active, updated_at from channel_settings where tenant_id = %(tenant)s order by channel"
)
_RULES = """
  select quiet_from_min, quiet_to_min, debounce_s, ladder_backup from tell_rules where tenant_id = %(tenant)s
"""
_TARGETS = """
  select line_id, person_kind, person_id, channel, preference::int as preference, gone_at from (
    select *, concat_ws('.', person_id, lpad(preference::text, 2, '0'), id) as line_id from tell_targets
    where tenant_id = %(tenant)s and person_kind <> 'customer') a
  where line_id collate "C" > %(after)s order by line_id collate "C" limit %(limit)s
"""


def read_messages(
    db: Session,
    tenant_id: UUID,
    ticket_id: UUID | None,
    status: str | None,
    offset: int,
    narrowed: bool = False,
) -> dict[str, Any]:
    """views.MessagePage: newest first; of one ticket with its ladders. `narrowed`: of tickets that row-level
    security shows, and no others."""
    values = {
        "narrowed": narrowed,
        "tenant": tenant_id,
        "ticket": ticket_id,
        "status": status,
        "offset": offset,
        "limit": PAGE + 1,
    }
    rows = list(fetch(db, _MESSAGES, values))
    return {
        "messages": rows[:PAGE],
        "ladders": list(fetch(db, _LADDERS, values)) if ticket_id else [],
        "next_page": str(offset + PAGE) if len(rows) > PAGE else None,
    }


def read_tell_settings(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.TellSettings but for the names of channels: never a key, never an address. Where people are reached comes
    page by page, behind the target `after`."""
    values = {"tenant": tenant_id}
    asked = {**values, "after": after or "", "limit": TARGETS_PAGE + 1}
    rules = fetch(db, _RULES, values)
    plain = {"quiet_from_min": None, "quiet_to_min": None, "debounce_s": 20, "ladder_backup": False}
    return {
        "rules": rules[0] if rules else plain,
        "channels": list(fetch(db, _CHANNELS, values)),
        **page_of("targets", fetch(db, _TARGETS, asked), TARGETS_PAGE, "line_id"),
    }
