"""A tenant's chain of events: each has the next number and a hash over the one before."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.domain.events import GENESIS, Event, chain_hash
from dispatch.domain.tracing import SPAN, TRACE
from dispatch.store.exchange import Question

if TYPE_CHECKING:
    from dispatch.actions.step import Draft, Step

#: The chain's end, locked: the last lock a step takes.
HEAD = "select seq, hash from chain_heads where tenant_id = %(tenant)s for update"
_MOVE_HEAD = "update chain_heads set seq = %(seq)s, hash = %(hash)s where tenant_id = %(tenant)s"
#: The event, and the row of the outbox that points at it.
_EVENT = """
  with event as (
    insert into ticket_events (tenant_id, seq, subject_type, subject_id, ticket_id, action, actor, actor_id,
      acting_for, command_id, from_status, to_status, facts, device_at, at, prev_hash, hash)
    values (%(tenant_id)s, %(seq)s, %(subject_type)s, %(subject_id)s, %(ticket_id)s, %(action)s, %(actor)s,
      %(actor_id)s, %(acting_for)s, %(command_id)s, %(from_status)s, %(to_status)s, %(facts)s, %(device_at)s,
      %(at)s, %(prev_hash)s, %(hash)s)
  )
  insert into outbox (tenant_id, seq, action, subject_id, ticket_id, territory_id, depth, trace, span) values
    (%(tenant_id)s, %(seq)s, %(action)s, %(subject_id)s, %(ticket_id)s, %(territory_id)s, %(depth)s,
     %(trace)s, %(span)s)
"""
_TEXT = """
  insert into event_texts (tenant_id, seq, ticket_id, text)
  values (%(tenant_id)s, %(seq)s, %(ticket_id)s, %(text)s)
"""


def chained(step: "Step", seq: int, previous: bytes) -> tuple[int, list[Question]]:
    """The step's drafts as events after `seq` and its hash: the newest seq, and what writes them, their rows of
    the outbox and the chain's new end."""
    writes: list[Question] = []
    for draft in step.drafts:
        seq += 1
        event = _event(step, draft, seq)
        this = chain_hash(previous, event)
        row = _row(step, event, previous, this)
        cause = {"trace": TRACE.get() or None, "span": SPAN.get() or None}
        follows = {"territory_id": draft.territory_id, "depth": step.depth, **cause}
        writes.append((_EVENT, {**row, **follows}))
        if draft.text:
            writes.append((_TEXT, {**row, "text": draft.text}))
        previous = this
    writes.append((_MOVE_HEAD, {"seq": seq, "hash": previous, "tenant": step.tenant_id}))
    step.drafts = []
    return seq, writes


def _event(step: "Step", draft: "Draft", seq: int) -> Event:
    principal = step.principal
    return Event(
        seq=seq,
        subject_type=draft.subject_type,
        subject_id=draft.subject_id,
        ticket_id=draft.ticket_id,
        action=draft.action,
        actor=draft.actor or str(principal.role),
        actor_id=draft.actor_id or principal.id,
        acting_for=step.acting_for,
        command_id=step.command_id,
        from_status=draft.from_status,
        to_status=draft.to_status,
        facts=draft.facts,
        device_at=step.device_at,
        at=step.now,
    )


def _row(step: "Step", event: Event, previous: bytes, this: bytes) -> dict[str, Any]:
    return {
        "tenant_id": step.tenant_id,
        "seq": event.seq,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "ticket_id": event.ticket_id,
        "action": event.action,
        "actor": event.actor,
        "actor_id": event.actor_id,
        "acting_for": event.acting_for,
        "command_id": event.command_id,
        "from_status": event.from_status,
        "to_status": event.to_status,
        "facts": Jsonb(dict(event.facts)),
        "device_at": event.device_at,
        "at": event.at,
        "prev_hash": previous,
        "hash": this,
    }


def start_chain(db: Session, tenant_id: UUID) -> None:
    """A tenant's chain begins: seq 0, thirty-two zero bytes."""
    db.execute(
        text(
            "insert into chain_heads (tenant_id, seq, hash) values (:tenant, 0, :hash) on conflict do nothing"
        ),
        {"tenant": tenant_id, "hash": GENESIS},
    )
