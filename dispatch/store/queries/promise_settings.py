"""What the settings page of promises shows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch, page_of

CONTRACTS_PAGE = 200

_POLICIES = """
  select id as policy_id, version, name, work_type, priority, contract_id, calendar_id, response_min,
    arrival_min, resolution_min, steps, active, updated_at
  from promise_policies where tenant_id = %(tenant)s
  order by active desc, contract_id nulls last, work_type nulls last, priority nulls last, id limit 200
"""
_CALENDARS = """
  select c.id as calendar_id, c.name, c.version, v.body as rules, c.updated_at from calendars c
  join calendar_versions v on v.tenant_id = c.tenant_id and v.calendar_id = c.id and v.version = c.version
  where c.tenant_id = %(tenant)s order by c.id limit 200
"""
_CONTRACTS = """
  select id as contract_id, customer_id, number, starts_at, ends_at from contracts
  where tenant_id = %(tenant)s and (%(after)s::uuid is null or (number, id) > (select a.number, a.id from contracts a
    where a.tenant_id = %(tenant)s and a.id = %(after)s))
  order by number, id limit %(limit)s
"""
_DUTIES = """
  select u.id as duty_id, u.dispatcher_id, d.name, u.starts_at, u.ends_at from duties u
  join dispatchers d on d.tenant_id = u.tenant_id and d.id = u.dispatcher_id
  where u.tenant_id = %(tenant)s and u.ends_at > %(now)s order by u.starts_at limit 200
"""
_DISPATCHERS = """
  select id as dispatcher_id, name, role from dispatchers
  where tenant_id = %(tenant)s and active and role in ('admin', 'dispatcher') order by name, id limit 500
"""


def read_promise_settings(
    db: Session, tenant_id: UUID, now: datetime, after: UUID | None = None
) -> dict[str, Any]:
    """views.PromiseSettings as plain values. Contracts come page by page, behind the contract `after`."""
    values = {"tenant": tenant_id, "now": now, "after": after, "limit": CONTRACTS_PAGE + 1}
    return {
        "policies": list(fetch(db, _POLICIES, values)),
        "calendars": list(fetch(db, _CALENDARS, values)),
        **page_of("contracts", fetch(db, _CONTRACTS, values), CONTRACTS_PAGE, "contract_id"),
        "duties": list(fetch(db, _DUTIES, values)),
        "dispatchers": list(fetch(db, _DISPATCHERS, values)),
    }
