"""Webhooks: events become deliveries in order, deliveries are tried for a day, and may be sent again by hand."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.step import Step
from dispatch.adapters.outside import OutsideClient, RefusedTarget
from dispatch.adapters.webhook_sender import Attempt, new_secret
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.events import instant
from dispatch.domain.lifecycle import ACTIONS
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.webhooks import WebhookDelivery, WebhookEndpoint

ENDPOINTS_MAX = 20
#: Seconds after each failed attempt; together a day, then it has failed.
WAITS_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
JITTER = 0.1
OLD_SECRET_LASTS = timedelta(hours=24)
#: A job that died is not waited for longer.
GIVEN_UP_AFTER = timedelta(minutes=2)
LOOK_BACK = timedelta(hours=25)
EVENTS = ("create", *ACTIONS, "promise_at_risk", "promise_broken", "offer_expired", "decline_offer")


def put_endpoint(
    step: Step, client: OutsideClient, endpoint_id: UUID, url: str, actions: Sequence[str], active: bool
) -> str | None:
    """Make or change one; the secret of a new one, shown this once. Raises NotReady `url_…`, `action_unknown`,
    Conflict `too_many`."""
    try:
        client.check(url)
    except RefusedTarget as error:
        raise NotReady(error.code) from error
    unknown = [action for action in actions if action not in EVENTS]
    if unknown:
        raise NotReady("action_unknown", action=unknown[0][:80], allowed=list(EVENTS))
    row = step.db.get(WebhookEndpoint, {"tenant_id": step.tenant_id, "id": endpoint_id})
    secret = None
    if row is None:
        count = select(func.count()).where(WebhookEndpoint.tenant_id == step.tenant_id)
        if step.db.execute(count).scalar_one() >= ENDPOINTS_MAX:
            raise Conflict("too_many", most=ENDPOINTS_MAX)
        secret = new_secret()
        row = WebhookEndpoint(
            tenant_id=step.tenant_id,
            id=endpoint_id,
            secret_enc=_seal(step, endpoint_id, secret, "secret"),
            created_at=step.now,
        )
        step.db.add(row)
    row.url, row.actions, row.active = url, list(dict.fromkeys(actions)), active
    step.db.flush()
    return secret


def rotate_secret(step: Step, endpoint_id: UUID) -> str:
    """A new secret; for a day both sign. Raises NotFound `endpoint_unknown`."""
    row = step.db.get(WebhookEndpoint, {"tenant_id": step.tenant_id, "id": endpoint_id}, with_for_update=True)
    if row is None:
        raise NotFound("endpoint_unknown")
    secret, old = new_secret(), _unseal(step, endpoint_id, row.secret_enc, "secret")
    row.old_secret_enc = _seal(step, endpoint_id, old, "old_secret")
    row.old_secret_until = step.now + OLD_SECRET_LASTS
    row.secret_enc = _seal(step, endpoint_id, secret, "secret")
    step.db.flush()
    return secret


def _seal(step: Step, endpoint_id: UUID, secret: str, column: str) -> bytes:
    sealed = step.personal.encrypt(secret, step.tenant_id, endpoint_id, column)
    assert sealed is not None
    return sealed


def _unseal(step: Step, endpoint_id: UUID, sealed: bytes, column: str) -> str:
    return step.personal.decrypt(bytes(sealed), step.tenant_id, endpoint_id, column) or ""


_ENDPOINTS = """
  select id, actions, created_at from webhook_endpoints where tenant_id = %(tenant)s and active
"""
_EVENTS = """
  select e.seq, e.action, e.actor, e.from_status, e.to_status, e.facts, e.at, e.subject_type, e.subject_id,
    t.ticket_no, t.status, t.external_ref
  from ticket_events e join tickets t on t.tenant_id = e.tenant_id and t.id = e.ticket_id
  where e.tenant_id = %(tenant)s and e.ticket_id = %(ticket)s and e.seq <= %(seq)s and e.at > %(since)s
    and not exists (select 1 from webhook_deliveries d where d.tenant_id = e.tenant_id
      and d.endpoint_id = %(endpoint)s and d.seq = e.seq)
  order by e.seq limit 200
"""


def queue_deliveries(step: Step, ticket_id: UUID, seq: int) -> None:
    """A delivery to each endpoint for every event of the ticket up to `seq` that has none: so a job that comes
    late or twice changes neither order nor number."""
    for endpoint in fetch(step.db, _ENDPOINTS, {"tenant": step.tenant_id}):
        since = max(endpoint["created_at"], step.now - LOOK_BACK)
        values = {
            "tenant": step.tenant_id,
            "ticket": ticket_id,
            "seq": seq,
            "since": since,
            "endpoint": endpoint["id"],
        }
        for event in fetch(step.db, _EVENTS, values):
            if event["action"] in (endpoint["actions"] or EVENTS):
                _queue(step, endpoint["id"], ticket_id, event)


def _queue(step: Step, endpoint_id: UUID, ticket_id: UUID, event: dict[str, Any]) -> None:
    """Ids and codes only, as the events themselves."""
    body = {
        "type": f"ticket.{event['action']}",
        "timestamp": instant(event["at"]),
        "data": {
            "seq": event["seq"],
            "ticket_id": str(ticket_id),
            "ticket_no": event["ticket_no"],
            "external_ref": event["external_ref"],
            "subject": {"type": event["subject_type"], "id": str(event["subject_id"])},
            "actor": event["actor"],
            "from_status": event["from_status"],
            "to_status": event["to_status"],
            "facts": event["facts"],
        },
    }
    row = insert(WebhookDelivery).values(
        tenant_id=step.tenant_id,
        id=new_id(),
        endpoint_id=endpoint_id,
        seq=event["seq"],
        ticket_id=ticket_id,
        action=event["action"],
        body=body,
        status="pending",
        next_at=step.now,
        made_at=step.now,
    )
    made = step.db.execute(row.on_conflict_do_nothing().returning(WebhookDelivery.id)).first()
    if made is not None:
        step.set_timer("webhook_next", made.id, step.now)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is to be sent now, and the secrets that sign it."""

    delivery_id: UUID
    url: str
    keys: tuple[str, ...]
    body: str


def take(step: Step, delivery_id: UUID) -> Outgoing | None:
    """The delivery, if it is its turn: nothing older of the same ticket waits for the same endpoint."""
    row = _locked(step, delivery_id)
    if row is None or row.status != "pending":
        return None
    if row.next_at is not None and row.next_at > step.now:
        step.set_timer("webhook_next", row.id, row.next_at)
        return None
    endpoint = step.db.get(WebhookEndpoint, {"tenant_id": step.tenant_id, "id": row.endpoint_id})
    if endpoint is None or not endpoint.active:
        _end(step, row, "failed", {"at": instant(step.now), "status": None, "code": "endpoint_off"})
        return None
    if _older_waits(step, row):
        return None
    step.set_timer("webhook_next", row.id, step.now + GIVEN_UP_AFTER)
    keys = [_unseal(step, endpoint.id, endpoint.secret_enc, "secret")]
    if endpoint.old_secret_enc is not None and (endpoint.old_secret_until or step.now) > step.now:
        keys.append(_unseal(step, endpoint.id, endpoint.old_secret_enc, "old_secret"))
    body = json.dumps(row.body, ensure_ascii=False, separators=(",", ":"))
    return Outgoing(row.id, endpoint.url, tuple(keys), body)


def _locked(step: Step, delivery_id: UUID) -> WebhookDelivery | None:
    key = {"tenant_id": step.tenant_id, "id": delivery_id}
    return step.db.get(WebhookDelivery, key, with_for_update=True, populate_existing=True)


def _older_waits(step: Step, row: WebhookDelivery) -> bool:
    delivery = WebhookDelivery
    older = select(delivery.id).where(
        delivery.tenant_id == step.tenant_id,
        delivery.endpoint_id == row.endpoint_id,
        delivery.ticket_id == row.ticket_id,
        delivery.status == "pending",
        delivery.seq < row.seq,
    )
    return step.db.scalars(older.limit(1)).first() is not None


def keep(step: Step, delivery_id: UUID, attempt: Attempt) -> None:
    """Keep the attempt: delivered, tried again later, or failed after a day."""
    row = _locked(step, delivery_id)
    if row is None or row.status != "pending":
        return
    line = {"at": instant(step.now), "status": attempt.status, "code": attempt.code}
    if attempt.delivered:
        _end(step, row, "delivered", line)
    elif attempt.final or row.tries >= len(WAITS_S):
        _end(step, row, "failed", line)
    else:
        wait_s = WAITS_S[row.tries] * random.uniform(1 - JITTER, 1 + JITTER)
        row.tries += 1
        row.attempts = [*row.attempts, line]
        row.next_at = step.now + timedelta(seconds=wait_s)
        step.set_timer("webhook_next", row.id, row.next_at)
    step.db.flush()


def _end(step: Step, row: WebhookDelivery, status: str, line: dict[str, Any]) -> None:
    """It is over; the next of the same ticket has its turn."""
    row.status, row.ended_at, row.next_at = status, step.now, None
    row.attempts = [*row.attempts, line]
    step.drop_timers(row.id, "webhook_next")
    step.db.flush()
    delivery = WebhookDelivery
    following = step.db.scalars(
        select(delivery)
        .where(
            delivery.tenant_id == step.tenant_id,
            delivery.endpoint_id == row.endpoint_id,
            delivery.ticket_id == row.ticket_id,
            delivery.status == "pending",
        )
        .order_by(delivery.seq)
        .limit(1)
    ).first()
    if following is not None:
        step.set_timer("webhook_next", following.id, max(following.next_at or step.now, step.now))


def replay(step: Step, delivery_id: UUID) -> None:
    """Send it again under the same id, with its tries counted anew. Raises NotFound `delivery_unknown`,
    Conflict `delivery_pending`."""
    row = _locked(step, delivery_id)
    if row is None:
        raise NotFound("delivery_unknown", delivery_id=str(delivery_id))
    if row.status == "pending":
        raise Conflict("delivery_pending", delivery_id=str(delivery_id))
    row.status, row.tries, row.next_at, row.ended_at = "pending", 0, step.now, None
    row.attempts = row.attempts[-20:]
    step.set_timer("webhook_next", row.id, step.now)
    step.db.flush()
