"""What the dispatcher's board shows: queue, engineers, counts, one ticket whole."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.errors import NotReady
from dispatch.domain.lifecycle import Actor, TicketStatus, allowed_actions
from dispatch.domain.words import search_words
from dispatch.store.exchange import Question, Rows
from dispatch.store.personal import PersonalData, phone_digits
from dispatch.store.queries.reading import ETA_ESTIMATED, WORK_TYPE, fetch, fetch_all, site_card, window_card

_LINE = f"""
  select t.id as ticket_id, t.ticket_no, t.status, t.version, t.priority,
    {WORK_TYPE} as work_type,
    t.description, t.address, st_x(t.site::geometry) as lon, st_y(t.site::geometry) as lat,
    t.territory_id, v.window_from, v.window_to, t.due_at, t.created_at, t.updated_at, t.source,
    t.attention, t.urged, v.id as visit_id, v.engineer_id, e.name as engineer_name,
    v.acknowledged_at is not null as acknowledged,
    v.contractor_id, k.name as contractor_name, v.name_by,
    coalesce(o.pending, 0) as offers_pending, o.expires_at as offer_expires_at,
    t.hold_until, v.eta_at, {ETA_ESTIMATED}, p.promise
  from page t
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  left join lateral (select v.* from visits v where v.tenant_id = t.tenant_id and v.ticket_id = t.id
    order by (v.closed_at is not null), v.number desc limit 1) v on true
  left join engineers e on e.tenant_id = v.tenant_id and e.id = v.engineer_id
  left join contractors k on k.tenant_id = v.tenant_id and k.id = v.contractor_id
  left join lateral (select count(*)::int as pending, min(o.expires_at) as expires_at from offers o
    where o.tenant_id = t.tenant_id and o.visit_id = v.id and o.status = 'pending') o on t.status = 'offered'
  left join lateral (select jsonb_build_object('kind', c.kind, 'due_at', c.due_at, 'at_risk_at', c.at_risk_at,
      'paused_reason', c.paused_reason, 'left_s', c.target_s - c.elapsed_s, 'guess', c.guess) as promise
    from promise_clocks c where c.tenant_id = t.tenant_id and c.ticket_id = t.id and c.ended is null
    order by c.due_at nulls last limit 1) p on true
"""

#: attention first, then the urgent, then the oldest: the order a dispatcher works in.
_RANK = """(case when t.attention is null then 1 else 0 end,
  case t.priority when 'urgent' then 0 when 'high' then 1 when 'normal' then 2 else 3 end,
  extract(epoch from t.created_at)::float8, t.id::text)"""

_ENGINEERS = """
  select e.id as engineer_id, e.name, e.territory_id, e.contractor_id is not null as contractor,
    e.daily_limit_min as limit_min, coalesce(d.planned_min, 0) as planned_min,
    st_x(e.position::geometry) as lon, st_y(e.position::geometry) as lat, e.position_at,
    coalesce((select jsonb_object_agg(s.skill, s.level) from engineer_skills s
      where s.tenant_id = e.tenant_id and s.engineer_id = e.id), '{}'::jsonb) as skills,
    e.on_shift, n.open_tickets, n.ticket_id, n.status
  from (
    select e.*, w.engineer_id is not null as on_shift from engineers e
    left join (select distinct engineer_id from shifts
      where tenant_id = %(tenant)s and starts_at <= %(now)s and ends_at > %(now)s) w on w.engineer_id = e.id
    where e.tenant_id = %(tenant)s and e.active
    order by on_shift desc, e.name, e.id limit %(engineers)s) e
  left join engineer_days d on d.tenant_id = e.tenant_id and d.engineer_id = e.id and d.day = %(day)s
  left join lateral (
    select count(*)::int as open_tickets,
      (array_agg(t.status order by array_position(
        array['on_site','en_route','assigned'], t.status)))[1] as status,
      (array_agg(t.id order by array_position(
        array['on_site','en_route','assigned'], t.status)))[1] as ticket_id
    from visit_engineers c
    join visits v on v.tenant_id = c.tenant_id and v.id = c.visit_id and v.closed_at is null
    join tickets t on t.tenant_id = v.tenant_id and t.id = v.ticket_id
      and t.status in ('assigned', 'en_route', 'on_site')
    where c.tenant_id = e.tenant_id and c.engineer_id = e.id and c.left_at is null) n on true
  order by e.on_shift desc, e.name, e.id
"""

_COUNTS = """
  select status, count(*)::int as count, count(attention)::int as attention from tickets
  where tenant_id = %(tenant)s and status not in ('closed', 'cancelled') group by status
"""

PAGE = 100
#: A board of more would show nobody anything; those on shift come first.
MOST_ENGINEERS = 500


def read_board(db: Session, tenant_id: UUID, now: datetime, day: Any, page: str | None) -> dict[str, Any]:
    """views.Board as plain values; `page` is the rank the last page ended with."""
    values = {"tenant": tenant_id, "now": now, "day": day, "engineers": MOST_ENGINEERS + 1}
    counts, head, lines, engineers = fetch_all(
        db,
        (_COUNTS, values),
        ("select seq from chain_heads where tenant_id = %(tenant)s", values),
        _page(tenant_id, {"live": True}, page, None),
        (_ENGINEERS, values),
    )
    tickets, next_page = _lines(lines, page)
    return {
        "as_of_seq": head[0]["seq"] if head else 0,
        "now": now,
        "counts": [{"status": c["status"], "count": c["count"]} for c in counts],
        "attention_count": sum(c["attention"] for c in counts),
        "tickets": tickets,
        "next_page": next_page,
        "engineers": [_engineer(row) for row in engineers[:MOST_ENGINEERS]],
        "more_engineers": len(engineers) > MOST_ENGINEERS,
    }


def read_tickets(
    db: Session,
    tenant_id: UUID,
    asked: dict[str, Any],
    page: str | None,
    personal: PersonalData | None = None,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of BoardTickets. `asked`: live, status, attention, q, ticket. See `page_offset`."""
    (rows,) = fetch_all(db, _page(tenant_id, asked, page, personal))
    return _lines(rows, page)


def _page(
    tenant_id: UUID, asked: dict[str, Any], page: str | None, personal: PersonalData | None
) -> Question:
    """First the page's tickets by their own columns, then what hangs on them."""
    where = ["t.tenant_id = %(tenant)s"]
    values: dict[str, Any] = {"tenant": tenant_id, "offset": page_offset(page), "limit": PAGE + 1}
    if asked.get("live"):
        where.append("t.status not in ('closed', 'cancelled')")
    if asked.get("status"):
        where.append("t.status = %(status)s")
        values["status"] = asked["status"]
    if asked.get("attention"):
        where.append("t.attention is not null and t.status not in ('closed', 'cancelled')")
    if asked.get("ticket"):
        where.append("t.id = %(ticket)s")
        values["ticket"] = asked["ticket"]
    if asked.get("q"):
        where.append(_search(asked["q"], values, tenant_id, personal))
    tickets = f"""select t.*, row_number() over (order by {_RANK}) as place from tickets t
      where {" and ".join(where)} order by {_RANK} offset %(offset)s limit %(limit)s"""
    return f"with page as materialized ({tickets}) {_LINE} order by t.place", values


def _lines(rows: Rows, page: str | None) -> tuple[list[dict[str, Any]], str | None]:
    lines = [board_ticket(row) for row in rows[:PAGE]]
    return lines, str(page_offset(page) + PAGE) if len(rows) > PAGE else None


def page_offset(page: str | None) -> int:
    """A page's start. Raises NotReady `page_invalid` for what no reply has ever named: begun again from the
    first page, a client would turn pages for ever."""
    if not page:
        return 0
    if not (page.isascii() and page.isdecimal() and len(page) < 8):
        raise NotReady("page_invalid", page=page[:40])
    return int(page)


def _search(q: str, values: dict[str, Any], tenant_id: UUID, personal: PersonalData | None) -> str:
    """Words by bigram, a whole phone number or its last four digits by blind index."""
    values["words"] = search_words(q)
    clauses = ["t.search @> %(words)s::text[]"]
    digits = phone_digits(q)
    if personal is not None and digits is not None and len(digits) >= 4:
        values["blinds"] = personal.blinds(digits, tenant_id)
        clauses.append("t.contact_phone_blind = any(%(blinds)s) or t.contact_last4_blind = any(%(blinds)s)")
    return f"(({') or ('.join(clauses)}))"


def board_ticket(row: dict[str, Any]) -> dict[str, Any]:
    status = TicketStatus(row["status"])
    plain = (
        "ticket_id", "ticket_no", "status", "version", "priority", "work_type", "description", "address",
        "territory_id", "due_at", "created_at", "updated_at", "source", "attention", "urged", "visit_id",
        "engineer_id", "engineer_name", "contractor_id", "contractor_name", "name_by", "acknowledged",
        "offers_pending", "offer_expires_at", "hold_until",
        "eta_at", "eta_estimated", "promise",
    )  # fmt: skip
    return {
        **{key: row[key] for key in plain},
        "site": site_card(row["lon"], row["lat"]),
        "window": window_card(row["window_from"], row["window_to"]),
        "allowed_actions": allowed_actions(status, Actor.DISPATCHER),
    }


def _engineer(row: dict[str, Any]) -> dict[str, Any]:
    plain = (
        "engineer_id", "name", "territory_id", "contractor", "skills", "on_shift", "position_at",
        "ticket_id", "open_tickets", "planned_min", "limit_min",
    )  # fmt: skip
    status = row["status"] or ("free" if row["on_shift"] else "off")
    return {
        **{key: row[key] for key in plain},
        "position": site_card(row["lon"], row["lat"]),
        "status": status,
    }


_HISTORY = """
  select e.seq, e.at, e.action, e.subject_type, e.actor, coalesce(d.name, g.name) as actor_name,
    f.name as acting_for, e.from_status, e.to_status, x.text, e.facts
  from ticket_events e
  left join event_texts x on x.tenant_id = e.tenant_id and x.seq = e.seq
  left join dispatchers d on d.tenant_id = e.tenant_id and d.id = e.actor_id
  left join engineers g on g.tenant_id = e.tenant_id and g.id = e.actor_id
  left join engineers f on f.tenant_id = e.tenant_id and f.id = e.acting_for
  where e.tenant_id = %(tenant)s and e.ticket_id = %(ticket)s order by e.seq desc limit 200
"""
_OFFERS = """
  select o.id as offer_id, o.engineer_id, e.name as engineer_name, o.contractor_id, o.kind, o.round, o.status,
    o.offered_at, o.expires_at, o.seen_at, o.reason
  from offers o left join engineers e on e.tenant_id = o.tenant_id and e.id = o.engineer_id
  where o.tenant_id = %(tenant)s and o.ticket_id = %(ticket)s order by o.offered_at desc limit 100
"""
_EVIDENCE = """
  select jsonb_build_object('photo_id', e.id, 'kind', e.kind, 'taken_at', e.taken_at,
      'pending', e.pending) as photo,
    case when e.actor = 'engineer' then e.actor_id end as engineer_id,
    case when e.kind = 'check_in' then c.distance_m end as distance_m,
    case when e.kind = 'check_in' then coalesce(c.flags, '[]'::jsonb) else '[]'::jsonb end as flags,
    case when e.kind = 'check_in' then c.doubt_score end as doubt_score,
    case when e.kind = 'check_in' then coalesce(c.doubts, '[]'::jsonb)
      else coalesce((select jsonb_agg(jsonb_build_object('points', 0, 'facts', l, 'code',
          case when (l ->> 'mirrored')::bool then 'photo_mirrored' else 'photo_reused' end))
        from jsonb_array_elements(e.facts -> 'like') l), '[]'::jsonb) end as doubts
  from evidence e left join check_ins c on c.tenant_id = e.tenant_id and c.visit_id = e.visit_id
    and c.engineer_id = e.actor_id
  where e.tenant_id = %(tenant)s and e.ticket_id = %(ticket)s order by e.taken_at limit 200
"""
_ACCEPTANCES = """
  select verdict, actor, witnessed_by, rating, text, reason, signature_id as signature_photo_id, at
  from acceptances where tenant_id = %(tenant)s and ticket_id = %(ticket)s order by at desc limit 50
"""
_MORE = """
  select t.door_enc, t.contact_name_enc, t.contact_phone_enc, t.language,
    (select row_to_json(l) from (select l.id, encode(l.token_enc, 'hex') as token from customer_links l
      where l.tenant_id = t.tenant_id and l.ticket_id = t.id and l.revoked_at is null
      order by l.created_at desc limit 1) l) as link,
    (select jsonb_build_object('quote_id', q.id, 'status', q.status, 'currency', q.currency,
        'total_minor', q.total_minor) from quotes q
      where q.tenant_id = t.tenant_id and q.ticket_id = t.id order by q.quoted_at desc limit 1) as quote,
    coalesce((select jsonb_agg(jsonb_build_object('engineer_id', c.engineer_id, 'name', e.name,
        'role', c.role, 'set_off_at', c.set_off_at, 'checked_in_at', c.checked_in_at, 'left_at', c.left_at))
      from visits v join visit_engineers c on c.tenant_id = v.tenant_id and c.visit_id = v.id
      join engineers e on e.tenant_id = c.tenant_id and e.id = c.engineer_id
      where v.tenant_id = t.tenant_id and v.ticket_id = t.id and v.closed_at is null), '[]'::jsonb) as crew
  from tickets t where t.tenant_id = %(tenant)s and t.id = %(ticket)s
"""


def read_ticket_view(
    db: Session, personal: PersonalData, tenant_id: UUID, ticket_id: UUID, public_url: str
) -> dict[str, Any] | None:
    """views.TicketView as plain values, or None where the tenant has no such ticket."""
    lines, _ = read_tickets(db, tenant_id, {"ticket": ticket_id}, None)
    if not lines:
        return None
    values = {"tenant": tenant_id, "ticket": ticket_id}
    (more,) = fetch(db, _MORE, values)

    def opened(column: str) -> str | None:
        return personal.decrypt(more[f"{column}_enc"], tenant_id, ticket_id, column)

    return {
        "ticket": lines[0],
        "door": opened("door"),
        "contact": {"name": opened("contact_name"), "phone": opened("contact_phone")},
        "language": more["language"],
        "customer_link": link_url(personal, tenant_id, more["link"], public_url),
        "crew": more["crew"],
        "offers": list(fetch(db, _OFFERS, values)),
        "evidence": list(fetch(db, _EVIDENCE, values)),
        "acceptances": list(fetch(db, _ACCEPTANCES, values)),
        "quote": more["quote"],
        "history": list(fetch(db, _HISTORY, values)),
    }


def link_url(
    personal: PersonalData, tenant_id: UUID, link: dict[str, Any] | None, public_url: str
) -> str | None:
    """The customer's address for this ticket, to be sent again or opened by the dispatcher."""
    if link is None:
        return None
    token = personal.decrypt(bytes.fromhex(link["token"]), tenant_id, UUID(link["id"]), "link")
    return f"{public_url}/c/{token}"
