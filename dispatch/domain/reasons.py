"""Reason codes, one list per action. The clients show their labels; the events keep the code."""

from dispatch.domain.errors import NotReady

REASONS: dict[str, tuple[str, ...]] = {
    "hand_back": (
        "too_far", "no_skill", "no_part", "overloaded", "sick", "vehicle", "customer_out", "other",
    ),
    "decline_offer": ("too_far", "busy", "no_skill", "no_part", "off_shift", "other"),
    "hold": ("parts", "customer", "access", "weather", "approval", "other"),
    "cancel": ("no_longer_needed", "by_customer", "wrong_ticket", "not_covered", "other"),
    "reject": ("not_fixed", "fault_returned", "untidy", "damage", "price", "other"),
    "reopen": ("fault_returned", "closed_by_mistake", "other"),
    "override": ("gps_wrong", "site_wrong", "large_site", "no_signal", "other"),
    "stock_take": ("counted", "booked_wrong", "lost", "damaged", "other"),
    "assign": ("customer_asked", "only_one_near", "agreed_by_phone", "emergency", "other"),
}  # fmt: skip

#: A refusal for these reasons excludes the engineer from this ticket from then on.
EXCLUDING = frozenset(
    {"too_far", "no_skill", "no_part", "overloaded", "sick", "vehicle", "busy", "off_shift", "other"}
)

#: Days a hold lasts where nobody named an end, and whether the promise's clock stops.
HOLD_DEFAULTS: dict[str, tuple[int, bool]] = {
    "parts": (3, True),
    "customer": (1, True),
    "access": (1, True),
    "weather": (1, False),
    "approval": (2, False),
    "other": (1, False),
}


def check_reason(kind: str, reason: str | None) -> str | None:
    """The reason, or None when absent. Raises NotReady `reason_unknown` for a code the list lacks."""
    if reason is not None and reason not in REASONS[kind]:
        raise NotReady("reason_unknown", action=kind, reason=reason, allowed=list(REASONS[kind]))
    return reason
