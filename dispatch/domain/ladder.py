"""The acknowledged ladder of an offer: rung after rung until somebody has seen it, and always an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Rungs after the engineer's own channels.
BACKUP, DISPATCHERS, DUTY_MANAGER = "backup", "dispatchers", "duty_manager"
OUTCOMES = ("acked", "declined", "expired", "escalated", "withdrawn")
CHANNELS_MAX = 6
WAIT_MIN = timedelta(seconds=10)
WAIT_MAX = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rung:
    """Whom to tell next: the engineer over `channel`, or somebody else."""

    whom: str
    channel: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An offer as it stands, and how far its ladder got."""

    status: str
    seen_at: datetime | None
    offered_at: datetime
    expires_at: datetime
    rung: int


def rungs(channels: Sequence[str], has_backup: bool) -> list[Rung]:
    """The engineer's channels in their order of preference, then the others."""
    own = [Rung("engineer", channel) for channel in channels[:CHANNELS_MAX]]
    backup = [Rung(BACKUP, "offer")] if has_backup else []
    return [*own, *backup, Rung(DISPATCHERS, "message"), Rung(DUTY_MANAGER, "message")]


def wait(seen: Seen, steps: int) -> timedelta:
    """How long each rung is given: the offer's time in equal parts, so that the dispatcher is told in it."""
    return min(max((seen.expires_at - seen.offered_at) / max(1, steps), WAIT_MIN), WAIT_MAX)


def ended(seen: Seen, steps: Sequence[Rung], now: datetime) -> str | None:
    """The ladder's outcome, or None while it goes on.

    An offer that ran out unseen after somebody above was told has been escalated, not merely expired.
    """
    if seen.status in ("declined", "withdrawn"):
        return seen.status
    if seen.status == "accepted" or seen.seen_at is not None:
        return "acked"
    told_above = any(rung.whom in (DISPATCHERS, DUTY_MANAGER) for rung in steps[: seen.rung])
    if seen.rung >= len(steps):
        return "escalated"
    if seen.status == "expired" or seen.expires_at <= now:
        return "escalated" if told_above else "expired"
    return None
