"""The eight reactions a tenant can switch and set: a table of kinds, parameters and their limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.domain.errors import NotReady


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number with its default and limits."""

    default: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class AutomationKind:
    """`actions` are the events that wake it; `active` is what counts where the tenant said nothing."""

    actions: frozenset[str]
    parameters: Mapping[str, Parameter]
    active: bool = False


_WAITING = frozenset({"create", "reopen", "hand_back", "resume", "run_out"})
_BOOKED = frozenset(
    {"assign", "accept_offer", "grab", "accept_hand_over", "rebook", "resume_kept", "name_engineer"}
)

AUTOMATIONS: dict[str, AutomationKind] = {
    "assign_when_silent": AutomationKind(_WAITING, {"after_min": Parameter(15, 1, 1440)}),
    "remind_window": AutomationKind(_BOOKED, {"before_min": Parameter(60, 5, 2880)}),
    "escalate_at_risk": AutomationKind(
        frozenset({"promise_at_risk"}), {"pct_at_least": Parameter(75, 1, 99)}
    ),
    "ask_rating": AutomationKind(frozenset({"sign_off"}), {"after_min": Parameter(60, 1, 10_080)}),
    "call_back_unhappy": AutomationKind(frozenset({"sign_off"}), {"stars_at_most": Parameter(2, 1, 4)}),
    "follow_up_not_fixed": AutomationKind(frozenset({"sign_off"}), {"raise_priority": Parameter(1, 0, 1)}),
    "notify_on_urge": AutomationKind(frozenset({"urge"}), {"times_at_least": Parameter(1, 1, 20)}),
    "close_when_unanswered": AutomationKind(
        frozenset({"complete", "resolve_remotely"}), {"warn_before_h": Parameter(24, 0, 168)}, active=True
    ),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One automation as a tenant has it; parameters are complete."""

    active: bool
    parameters: Mapping[str, int]


def setting_of(kind: str, active: bool | None, parameters: Mapping[str, object]) -> Setting:
    """What is stored (None: nothing), completed by defaults. Raises NotReady `automation_unknown`,
    `automation_invalid` naming the parameter and its limits."""
    known = AUTOMATIONS.get(kind)
    if known is None:
        raise NotReady("automation_unknown", kind=kind[:80], allowed=list(AUTOMATIONS))
    unknown = sorted(set(parameters) - set(known.parameters))
    if unknown:
        raise NotReady("automation_invalid", parameter=unknown[0][:80], allowed=list(known.parameters))
    whole: dict[str, int] = {}
    for name, limits in known.parameters.items():
        value = parameters.get(name, limits.default)
        if type(value) is not int or not limits.least <= value <= limits.most:
            raise NotReady("automation_invalid", parameter=name, least=limits.least, most=limits.most)
        whole[name] = value
    return Setting(known.active if active is None else active, whole)


def woken_by(action: str) -> list[str]:
    """The kinds that an event may wake, in the table's order."""
    return [kind for kind, known in AUTOMATIONS.items() if action in known.actions]


def remind_at(window_from: datetime | None, before_min: int, now: datetime) -> datetime | None:
    """When to remind of a window; at once where it is nearer than that, None where it has begun or there is none."""
    if window_from is None or window_from <= now:
        return None
    return max(window_from - timedelta(minutes=before_min), now)
