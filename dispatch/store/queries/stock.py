"""What depots and vans hold, and the ledger it follows from. Every list goes page by page, by its own key."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.stock import Place
from dispatch.store.queries.reading import CURRENCY, fetch, fetch_all, page_of

PAGE = 50
PARTS_PAGE = 200
#: The first half of vans' advisory locks; the second is the van's.
VAN_LOCKS = 7214002
_LOCK_VAN = "select pg_advisory_xact_lock(%(space)s, hashtext(%(van)s))"

#: What has come to places of this kind less what has left them.
_BALANCE = """coalesce(sum(m.quantity) filter (where m.to_kind = '{kind}' and m.to_id is not null), 0)
    - coalesce(sum(m.quantity) filter (where m.from_kind = '{kind}' and m.from_id is not null), 0)"""
_PARTS = f"""
  select p.code, p.name, p.unit, p.price_minor, p.serialised, p.returned, s.in_vans::text, s.in_depots::text
  from parts p, lateral (
    select {_BALANCE.format(kind="van")} as in_vans, {_BALANCE.format(kind="depot")} as in_depots
    from part_movements m where m.tenant_id = p.tenant_id and m.part = p.code) s
  where p.tenant_id = %(tenant)s and p.code > %(after)s order by p.code limit %(limit)s
"""
#: A depot is kept from the day it is written down: what left "the depot" before then has no id and no place here.
_AT = """((m.to_kind = %(kind)s and m.to_id = %(place)s) or (m.from_kind = %(kind)s and m.from_id = %(place)s))"""
_HELD = f"""
  select coalesce(sum(case when m.to_kind = %(kind)s and m.to_id = %(place)s then m.quantity else -m.quantity end), 0)
    as quantity
  from part_movements m where m.tenant_id = %(tenant)s and m.part = %(part)s
    and (%(serial)s::text is null or m.serial = %(serial)s) and {_AT}
"""
_LAST_PLACE = """
  select to_kind, to_id from part_movements
  where tenant_id = %(tenant)s and part = %(part)s and serial = %(serial)s order by id desc limit 1
"""
_RECEIVED = """
  select exists (select from part_movements where tenant_id = %(tenant)s and reference = %(reference)s
    and to_kind = 'depot' and to_id = %(depot)s) as known
"""
_STOCK = f"""
  select m.part, p.name, p.unit, p.serialised, sum(x.way * m.quantity)::text as quantity,
    case when p.serialised then
      (select coalesce((array_agg(serial order by serial))[1:100], '{{}}') from (
        select distinct on (l.serial) l.serial, l.to_kind, l.to_id from part_movements l
        where l.tenant_id = %(tenant)s and l.part = m.part and l.serial is not null
        order by l.serial, l.id desc) lies
      where lies.to_kind = %(kind)s and lies.to_id = %(place)s)
    else '{{}}' end as serials
  from part_movements m join parts p on p.tenant_id = m.tenant_id and p.code = m.part,
    lateral (select case when m.to_kind = %(kind)s and m.to_id = %(place)s then 1 else -1 end as way) x
  where m.tenant_id = %(tenant)s and m.part > %(after)s and {_AT}
  group by m.part, p.name, p.unit, p.serialised having sum(x.way * m.quantity) <> 0
  order by m.part limit %(limit)s
"""
_DEPOTS = """
  select id as depot_id, code, name, active, st_x(position::geometry) as lon, st_y(position::geometry) as lat
  from depots where tenant_id = %(tenant)s and code > %(after)s order by code limit %(limit)s
"""
#: Old parts by who has them: a depot, or the engineer who took them from customers.
_OLD = """
  select m.part || '.' || x.place as line_id, m.part, p.name, p.unit, sum(x.quantity)::text as quantity, d.id as depot_id,
    e.id as engineer_id, coalesce(d.name, jsonb_build_object('zh', e.name, 'en', e.name)) as place_name
  from part_movements m join parts p on p.tenant_id = m.tenant_id and p.code = m.part,
    lateral (select m.to_id as place, m.quantity where m.to_kind = 'returned'
      union all select m.from_id, -m.quantity where m.from_kind = 'returned') x
  left join depots d on d.tenant_id = %(tenant)s and d.id = x.place
  left join engineers e on e.tenant_id = %(tenant)s and e.id = x.place
  where m.tenant_id = %(tenant)s and 'returned' in (m.from_kind, m.to_kind)
    and (%(after)s = '' or (m.part || '.' || x.place) collate "C" > %(after)s)
  group by m.part, x.place, p.name, p.unit, d.id, e.id, d.name, e.name having sum(x.quantity) <> 0
  order by (m.part || '.' || x.place) collate "C" limit %(limit)s
"""
#: What went from an engineer's van into a ticket less the old ones that came out of it.
_OUTSTANDING = """part_movements m, lateral (
      select m.from_id as engineer_id, m.quantity where m.from_kind = 'van' and m.to_kind = 'ticket'
      union all select m.to_id, -m.quantity where m.from_kind = 'ticket' and m.to_kind = 'returned') x
    where m.tenant_id = %(tenant)s"""
_OWED = f"""
  select o.line_id, o.ticket_id, t.ticket_no, o.part, p.name, p.unit, o.quantity::text as quantity, o.engineer_id,
    e.name as engineer_name, o.at
  from (select concat_ws('.', m.ticket_id, m.part, x.engineer_id) collate "C" as line_id, m.ticket_id, m.part,
      x.engineer_id, sum(x.quantity) as quantity, min(m.at) as at
    from {_OUTSTANDING} group by m.ticket_id, m.part, x.engineer_id having sum(x.quantity) > 0) o
  join parts p on p.tenant_id = %(tenant)s and p.code = o.part and p.returned
  join tickets t on t.tenant_id = %(tenant)s and t.id = o.ticket_id
  join engineers e on e.tenant_id = %(tenant)s and e.id = o.engineer_id
  where o.line_id > %(after)s order by o.line_id limit %(limit)s
"""
_OWES = f"""
  select coalesce(sum(x.quantity), 0) as quantity from {_OUTSTANDING}
    and m.ticket_id = %(ticket)s and m.part = %(part)s and x.engineer_id = %(engineer)s
"""
#: At a place, or old parts there.
_NEAR = """((m.to_kind in (%(kind)s, 'returned') and m.to_id = %(place)s)
    or (m.from_kind in (%(kind)s, 'returned') and m.from_id = %(place)s))"""
_MOVEMENTS = f"""
  select m.id as movement_id, m.part, p.name, p.unit, m.quantity::text as quantity, m.serial, m.from_kind, m.to_kind,
    case when f.id is null then fd.name else jsonb_build_object('zh', f.name, 'en', f.name) end as from_name,
    case when o.id is null then od.name else jsonb_build_object('zh', o.name, 'en', o.name) end as to_name,
    m.ticket_id, t.ticket_no, m.at, m.reference, m.reason, b.name as booked_by
  from part_movements m join parts p on p.tenant_id = m.tenant_id and p.code = m.part
  left join engineers f on f.tenant_id = m.tenant_id and f.id = m.from_id and m.from_kind in ('van', 'returned')
  left join engineers o on o.tenant_id = m.tenant_id and o.id = m.to_id and m.to_kind in ('van', 'returned')
  left join depots fd on fd.tenant_id = m.tenant_id and fd.id = m.from_id and m.from_kind in ('depot', 'returned')
  left join depots od on od.tenant_id = m.tenant_id and od.id = m.to_id and m.to_kind in ('depot', 'returned')
  left join tickets t on t.tenant_id = m.tenant_id and t.id = m.ticket_id
  left join dispatchers b on b.tenant_id = m.tenant_id and b.id = m.booked_by
  where m.tenant_id = %(tenant)s and (%(part)s::text is null or m.part = %(part)s)
    and (%(before)s::bigint is null or m.id < %(before)s) and (%(place)s::uuid is null or {_NEAR})
  order by m.id desc limit %(limit)s
"""


def lock_van(db: Session, tenant_id: UUID, engineer_id: UUID) -> None:
    """Until the transaction's end nobody else books into or out of this engineer's van: whoever takes this reads what
    it holds as it is. After the ticket and the depot, before the chain's head."""
    fetch(db, _LOCK_VAN, {"space": VAN_LOCKS, "van": f"{tenant_id} {engineer_id}"})


def held(db: Session, tenant_id: UUID, place: Place, part: str, serial: str | None = None) -> Decimal:
    """How much of a part (of one piece, by its number) a depot or a van holds by its books; may be below zero."""
    values = {"tenant": tenant_id, "kind": place.kind, "place": place.id, "part": part, "serial": serial}
    return Decimal(fetch(db, _HELD, values)[0]["quantity"])


def last_place(db: Session, tenant_id: UUID, part: str, serial: str) -> tuple[str, UUID | None] | None:
    """Where the piece with this number went last (kind, id), or None where nobody booked it."""
    rows = fetch(db, _LAST_PLACE, {"tenant": tenant_id, "part": part, "serial": serial})
    return (rows[0]["to_kind"], rows[0]["to_id"]) if rows else None


def is_received(db: Session, tenant_id: UUID, depot_id: UUID, reference: str) -> bool:
    """Whether a delivery note was taken into this depot already."""
    values = {"tenant": tenant_id, "depot": depot_id, "reference": reference}
    return bool(fetch(db, _RECEIVED, values)[0]["known"])


def read_parts(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.PartPage: parts with what all vans and all depots hold together."""
    values = {"tenant": tenant_id, "after": after or "", "limit": PARTS_PAGE + 1}
    parts, currency = fetch_all(db, (_PARTS, values), (CURRENCY, values))
    return {"currency": currency[0]["currency"], **page_of("parts", parts, PARTS_PAGE, "code")}


def read_depots(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.DepotPage."""
    rows = fetch(db, _DEPOTS, {"tenant": tenant_id, "after": after or "", "limit": PAGE + 1})
    return page_of("depots", rows, PAGE, "code")


def read_stock(db: Session, tenant_id: UUID, place: Place, after: str | None) -> dict[str, Any]:
    """views.StockPage: what one depot or van holds by its books, part by part."""
    values = {"tenant": tenant_id, "kind": place.kind, "place": place.id, "after": after or ""}
    return page_of("stock", fetch(db, _STOCK, {**values, "limit": PAGE + 1}), PAGE, "part")


def read_old_parts(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.OldPartPage: the old parts nobody has booked out, by part and by who has them."""
    values = {"tenant": tenant_id, "after": after or "", "limit": PAGE + 1}
    return page_of("old_parts", fetch(db, _OLD, values), PAGE, "line_id")


def read_owed_parts(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.OwedPartPage: old parts that should have come back and did not, oldest ticket first."""
    values = {"tenant": tenant_id, "after": after or "", "limit": PAGE + 1}
    return page_of("owed_parts", fetch(db, _OWED, values), PAGE, "line_id")


def owes(db: Session, tenant_id: UUID, ticket_id: UUID, engineer_id: UUID, part: str) -> Decimal:
    """How many of a part an engineer put into a ticket without the old ones having come out."""
    values = {"tenant": tenant_id, "ticket": ticket_id, "engineer": engineer_id, "part": part}
    return Decimal(fetch(db, _OWES, values)[0]["quantity"])


def read_movements(
    db: Session, tenant_id: UUID, part: str | None, place: Place | None, before: int | None
) -> dict[str, Any]:
    """views.MovementPage of one part, of one place, or of all, newest first."""
    values = {
        "tenant": tenant_id,
        "part": part,
        "kind": place.kind if place else None,
        "place": place.id if place else None,
        "before": before,
        "limit": PAGE + 1,
    }
    return page_of("movements", fetch(db, _MOVEMENTS, values), PAGE, "movement_id")
