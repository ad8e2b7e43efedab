"""Is the history whole? The chain's hashes, its gapless numbers, and the tickets it must give."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.events import GENESIS, Event, chain_hash, instant, replay
from dispatch.store.queries.reading import fetch
from dispatch.store.transactions import Database

BATCH = 5000
#: At most so many breaks are told; the count goes on.
TOLD = 50

_EVENTS = """
  select seq, subject_type, subject_id, ticket_id, action, actor, actor_id, acting_for, command_id,
    from_status, to_status, facts, device_at, at, prev_hash, hash
  from ticket_events where tenant_id = %(tenant)s and seq > %(after)s order by seq limit %(batch)s
"""
_TICKETS = """
  select t.id, t.status, v.engineer_id, v.id as visit_id, v.window_from, v.window_to
  from tickets t
  left join lateral (select * from visits v where v.tenant_id = t.tenant_id and v.ticket_id = t.id
    order by (v.closed_at is not null), v.number desc limit 1) v on true
  where t.tenant_id = %(tenant)s order by t.id
"""


@dataclass(slots=True)
class AuditReport:
    """`breaks` names the first TOLD; the audit is clean when `broken` is 0."""

    events: int
    tickets: int
    broken: int
    breaks: list[str]


def verify(database: Database, tenant_id: UUID) -> AuditReport:
    """Check one tenant's whole chain and replay every ticket, in one snapshot."""
    report = AuditReport(0, 0, 0, [])
    by_ticket: dict[UUID, list[Event]] = {}
    with database.transaction(tenant_id, snapshot=True) as db:
        seq, previous = 0, GENESIS
        for row in _events(db, tenant_id):
            event = Event(**{k: row[k] for k in row if k not in ("prev_hash", "hash")})
            report.events += 1
            seq = _check_link(report, event, row, seq, previous)
            previous = bytes(row["hash"])
            if event.ticket_id is not None:
                by_ticket.setdefault(event.ticket_id, []).append(event)
        _check_head(report, db, tenant_id, seq, previous)
        for ticket in fetch(db, _TICKETS, {"tenant": tenant_id}):
            report.tickets += 1
            _check_ticket(report, ticket, by_ticket.get(ticket["id"], []))
    return report


def _events(db: Session, tenant_id: UUID) -> Iterator[dict[str, Any]]:
    after = 0
    while rows := fetch(db, _EVENTS, {"tenant": tenant_id, "after": after, "batch": BATCH}):
        yield from rows
        after = rows[-1]["seq"]


def _check_link(report: AuditReport, event: Event, row: dict[str, Any], seq: int, previous: bytes) -> int:
    if event.seq != seq + 1:
        _break(report, f"seq {seq + 1} is missing before {event.seq}")
    if bytes(row["prev_hash"]) != previous:
        _break(report, f"seq {event.seq}: does not follow the event before it")
    if chain_hash(bytes(row["prev_hash"]), event) != bytes(row["hash"]):
        _break(report, f"seq {event.seq}: its content is not what was hashed")
    return event.seq


def _check_head(report: AuditReport, db: Session, tenant_id: UUID, seq: int, previous: bytes) -> None:
    (head,) = fetch(
        db, "select seq, hash from chain_heads where tenant_id = %(tenant)s", {"tenant": tenant_id}
    )
    if (head["seq"], bytes(head["hash"])) != (seq, previous):
        _break(report, f"the chain ends at {seq}, its head says {head['seq']}")


def _check_ticket(report: AuditReport, ticket: dict[str, Any], events: list[Event]) -> None:
    told, breaks = replay(events)
    for why in breaks:
        _break(report, f"ticket {ticket['id']}: {why}")
    if told is None:
        _break(report, f"ticket {ticket['id']}: no event made it")
        return
    stored = {
        "status": ticket["status"],
        "engineer_id": str(ticket["engineer_id"]) if ticket["engineer_id"] else None,
        "visit_id": str(ticket["visit_id"]) if ticket["visit_id"] else None,
        "window": (instant(ticket["window_from"]), instant(ticket["window_to"])),
    }
    for name, value in stored.items():
        if getattr(told, name) != value:
            _break(report, f"ticket {ticket['id']}: {name} is {value}, its events say {getattr(told, name)}")


def _break(report: AuditReport, why: str) -> None:
    report.broken += 1
    if len(report.breaks) < TOLD:
        report.breaks.append(why)
