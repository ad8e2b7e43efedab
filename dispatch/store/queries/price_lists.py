"""What an admin writes for work and its money, page by page: checklists, prices, rates."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.money import ListedPrice, folded
from dispatch.store.queries.reading import CURRENCY, fetch, fetch_all, page_of

PAGE = 100
#: A price list that a quote is held against.
MOST_PRICES = 10_000

_CHECKLISTS = """
  select code, name, checklist as items, completion_photos from work_types
  where tenant_id = %(tenant)s and code > %(after)s order by code limit %(limit)s
"""
_PRICES = """
  select kind || '.' || code as line_id, code, name, kind, unit_price_minor, part, valid_from, valid_until from prices
  where tenant_id = %(tenant)s and active and (kind || '.' || code) collate "C" > %(after)s
  order by (kind || '.' || code) collate "C" limit %(limit)s
"""
#: The standing rate of a work type and a kind of payee, then its dated ones by their beginning.
_RATES = """
  select line_id, id as rate_id, work_type, payee_kind, fixed_minor, share_bp, valid_from, valid_until from (
    select work_type || '.' || payee_kind as line_id, null::uuid as id, work_type, payee_kind, fixed_minor, share_bp,
      null::timestamptz as valid_from, null::timestamptz as valid_until
    from settlement_rates where tenant_id = %(tenant)s
    union all select work_type || '.' || payee_kind || '.'
      || coalesce(to_char(valid_from at time zone 'UTC', 'YYYYMMDDHH24MISSUS'), '') || '.' || id, id, work_type,
      payee_kind, fixed_minor, share_bp, valid_from, valid_until
    from dated_rates where tenant_id = %(tenant)s) r
  where line_id collate "C" > %(after)s order by line_id collate "C" limit %(limit)s
"""
_RATE_ON = """
  select fixed_minor, share_bp from (
    select 0 as rank, fixed_minor, share_bp from dated_rates
    where tenant_id = %(tenant)s and work_type = %(work_type)s and payee_kind = %(payee_kind)s
      and tstzrange(valid_from, valid_until) @> %(at)s::timestamptz
    union all select 1, fixed_minor, share_bp from settlement_rates
    where tenant_id = %(tenant)s and work_type = %(work_type)s and payee_kind = %(payee_kind)s) r
  order by rank limit 1
"""
#: What stood at any moment of a span.
_STANDING = """
  select code, name, unit_price_minor, part from prices
  where tenant_id = %(tenant)s and active and tstzrange(valid_from, valid_until)
    && tstzrange(%(since)s::timestamptz, %(until)s::timestamptz, '[]')
  order by valid_from desc nulls last, code limit %(limit)s
"""
_OVERLAPS = """
  select valid_from, valid_until from dated_rates
  where tenant_id = %(tenant)s and work_type = %(work_type)s and payee_kind = %(payee_kind)s and id <> %(id)s
    and tstzrange(valid_from, valid_until) && tstzrange(%(valid_from)s::timestamptz, %(valid_until)s::timestamptz)
  order by valid_from nulls first limit 1
"""


def read_checklists(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.ChecklistPage: every work type's."""
    rows = fetch(db, _CHECKLISTS, {"tenant": tenant_id, "after": after or "", "limit": PAGE + 1})
    return page_of("checklists", rows, PAGE, "code")


def read_prices(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.PricePage: by kind and code."""
    return _with_currency(db, "prices", _PRICES, tenant_id, after)


def read_rates(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """views.RatePage: by work type, payee and beginning."""
    return _with_currency(db, "rates", _RATES, tenant_id, after)


def _with_currency(db: Session, name: str, sql: str, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    values = {"tenant": tenant_id, "after": after or "", "limit": PAGE + 1}
    lines, currency = fetch_all(db, (sql, values), (CURRENCY, values))
    return {"currency": currency[0]["currency"], **page_of(name, lines, PAGE, "line_id")}


def rate_on(
    db: Session, tenant_id: UUID, work_type: str, payee_kind: str, at: datetime
) -> tuple[int, int] | None:
    """(fixed, minor units; share of the quote, basis points) of work done `at`: the dated rate that stands then, else
    the standing one; None where there is neither."""
    values = {"tenant": tenant_id, "work_type": work_type, "payee_kind": payee_kind, "at": at}
    rows = fetch(db, _RATE_ON, values)
    return (rows[0]["fixed_minor"], rows[0]["share_bp"]) if rows else None


def standing_prices(db: Session, tenant_id: UUID, since: datetime, until: datetime) -> list[ListedPrice]:
    """The price list as it stood between the two, both included; a dated price before a standing one."""
    values = {"tenant": tenant_id, "since": since, "until": until, "limit": MOST_PRICES}
    return [
        ListedPrice(
            row["code"], frozenset(map(folded, row["name"].values())), row["unit_price_minor"], row["part"]
        )
        for row in fetch(db, _STANDING, values)
    ]


def overlapping_rate(
    db: Session, tenant_id: UUID, rate_id: UUID, line: dict[str, Any]
) -> dict[str, datetime | None] | None:
    """The days of another dated rate of that work type and payee that share some with `line`'s, or None."""
    rows = fetch(db, _OVERLAPS, {"tenant": tenant_id, "id": rate_id, **line})
    return dict(rows[0]) if rows else None
