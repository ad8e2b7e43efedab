"""The audit chain: what an event's hash covers, and what replaying events must give.

The hash covers ids and codes only. Personal text lives in erasable rows, so erasing a
person keeps the chain valid.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class Event:
    """One fact, as chained. `facts` are plain JSON values: ids, codes, numbers, instants."""

    seq: int
    subject_type: str
    subject_id: UUID
    ticket_id: UUID | None
    action: str
    actor: str
    actor_id: UUID
    acting_for: UUID | None
    command_id: UUID | None
    from_status: str | None
    to_status: str | None
    facts: Mapping[str, object]
    device_at: datetime | None
    at: datetime


def chain_hash(previous: bytes, event: Event) -> bytes:
    """SHA-256 over the previous hash and the event as canonical JSON (sorted keys, no spaces,
    instants in UTC with microseconds)."""
    body = {
        "seq": event.seq,
        "subject": [event.subject_type, str(event.subject_id)],
        "ticket": str(event.ticket_id) if event.ticket_id else None,
        "action": event.action,
        "actor": [event.actor, str(event.actor_id)],
        "acting_for": str(event.acting_for) if event.acting_for else None,
        "command": str(event.command_id) if event.command_id else None,
        "status": [event.from_status, event.to_status],
        "facts": event.facts,
        "device_at": instant(event.device_at),
        "at": instant(event.at),
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous + text.encode()).digest()


def instant(value: datetime | None) -> str | None:
    """One spelling of an instant, so that equal instants hash equal."""
    return value.astimezone(UTC).isoformat(timespec="microseconds") if value else None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a ticket's events say of it."""

    status: str
    engineer_id: str | None
    visit_id: str | None
    window: tuple[str | None, str | None]


def replay(events: Iterable[Event]) -> tuple[Replayed | None, list[str]]:
    """The ticket's state from its events, oldest first, and every break found in them.

    An event of a ticket carries, in `facts`, whichever of `engineer`, `visit` and
    `window` it changed. A `from_status` that is not the status before is a break.
    """
    status: str | None = None
    engineer: str | None = None
    visit: str | None = None
    window: tuple[str | None, str | None] = (None, None)
    breaks: list[str] = []
    for event in events:
        if event.subject_type != "ticket":
            continue
        if event.from_status != status:
            breaks.append(f"seq {event.seq}: from {event.from_status}, but it was {status}")
        status = event.to_status
        engineer = _text(event.facts.get("engineer", engineer))
        visit = _text(event.facts.get("visit", visit))
        if "window" in event.facts:
            pair = event.facts["window"]
            window = (_text(pair[0]), _text(pair[1])) if isinstance(pair, list) else (None, None)
    if status is None:
        return None, breaks
    return Replayed(status, engineer, visit, window), breaks


def _text(value: object) -> str | None:
    return None if value is None else str(value)
