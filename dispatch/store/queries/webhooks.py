"""What the board shows of webhooks."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch

PAGE = 50

_ENDPOINTS = """
  select e.id as endpoint_id, e.url, e.actions, e.active, e.created_at, e.old_secret_until,
    (select count(*)::int from webhook_deliveries d where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
      and d.status = 'pending') as pending,
    (select count(*)::int from webhook_deliveries d where d.tenant_id = e.tenant_id and d.endpoint_id = e.id
      and d.status = 'failed') as failed
  from webhook_endpoints e where e.tenant_id = %(tenant)s order by e.created_at, e.id limit 50
"""
_DELIVERIES = """
  select d.id as delivery_id, d.endpoint_id, d.seq, d.ticket_id, t.ticket_no, d.action, d.body, d.status,
    d.tries::int as tries, d.next_at, d.made_at, d.ended_at, d.attempts
  from webhook_deliveries d left join tickets t on t.tenant_id = d.tenant_id and t.id = d.ticket_id
  where d.tenant_id = %(tenant)s and (%(endpoint)s::uuid is null or d.endpoint_id = %(endpoint)s)
    and (%(status)s::text is null or d.status = %(status)s)
  order by d.made_at desc, d.id desc offset %(offset)s limit %(limit)s
"""


def read_endpoints(db: Session, tenant_id: UUID) -> list[dict[str, Any]]:
    """views.WebhookLine of each endpoint; secrets are never shown."""
    return list(fetch(db, _ENDPOINTS, {"tenant": tenant_id}))


def read_deliveries(
    db: Session, tenant_id: UUID, endpoint_id: UUID | None, status: str | None, offset: int
) -> dict[str, Any]:
    """views.DeliveryPage, newest first."""
    values = {
        "tenant": tenant_id,
        "endpoint": endpoint_id,
        "status": status,
        "offset": offset,
        "limit": PAGE + 1,
    }
    rows = list(fetch(db, _DELIVERIES, values))
    return {"deliveries": rows[:PAGE], "next_page": str(offset + PAGE) if len(rows) > PAGE else None}
