"""What an engineer may ask for, and what each kind must say. Pure."""

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from dispatch.domain.errors import NotReady

KINDS = ("overtime", "leave", "discount", "part")
LONGEST_LEAVE = timedelta(days=62)
MOST_EXTRA_MIN = 480
FURTHEST = timedelta(days=366)


def check_request(
    kind: str, ticket_id: UUID | None, facts: dict[str, Any], now: datetime, today: date
) -> dict[str, Any]:
    """The facts as they are kept. Raises NotReady `request_kind_unknown`, `request_incomplete` with what is
    missing, `request_out_of_range` with the limit."""
    if kind not in KINDS:
        raise NotReady("request_kind_unknown", kind=kind, allowed=list(KINDS))
    needs = {
        "overtime": ("day", "minutes"),
        "leave": ("starts_at", "ends_at"),
        "discount": ("percent",),
        "part": ("part", "quantity"),
    }[kind]
    missing = [name for name in needs if facts.get(name) is None]
    if kind in ("discount", "part") and ticket_id is None:
        missing.append("ticket_id")
    if missing:
        raise NotReady("request_incomplete", kind=kind, missing=missing)
    kept = {name: facts[name] for name in needs}
    _CHECKS[kind](kept, now, today)
    return {name: _plain(value) for name, value in kept.items()}


def _overtime(facts: dict[str, Any], now: datetime, today: date) -> None:
    """Yesterday may still be asked for: a night's shift began then, a phone without reception asked before midnight,
    or it keeps another zone's day."""
    least = today - timedelta(days=1)
    if not least <= facts["day"] <= today + FURTHEST:
        raise NotReady("request_out_of_range", field="day", least=least.isoformat())
    if not 1 <= facts["minutes"] <= MOST_EXTRA_MIN:
        raise NotReady("request_out_of_range", field="minutes", least=1, most=MOST_EXTRA_MIN)


def _leave(facts: dict[str, Any], now: datetime, today: date) -> None:
    start, end = facts["starts_at"], facts["ends_at"]
    if not (now < end <= now + FURTHEST and start < end <= start + LONGEST_LEAVE):
        raise NotReady("request_out_of_range", field="ends_at", most_days=LONGEST_LEAVE.days)


def _discount(facts: dict[str, Any], now: datetime, today: date) -> None:
    if not 1 <= facts["percent"] <= 100:
        raise NotReady("request_out_of_range", field="percent", least=1, most=100)


def _part(facts: dict[str, Any], now: datetime, today: date) -> None:
    try:
        fits = 0 < Decimal(facts["quantity"]) <= 10_000
    except InvalidOperation:
        fits = False
    if not fits:
        raise NotReady("request_out_of_range", field="quantity", least=0, most=10_000)


_CHECKS = {"overtime": _overtime, "leave": _leave, "discount": _discount, "part": _part}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
