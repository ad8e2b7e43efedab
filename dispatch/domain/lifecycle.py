"""A ticket's life: every status, every action, and the one table that joins them.

Pure: no clock, no database, no HTTP. The server's checks, the buttons each client
shows (`allowed_actions`), the README diagram and the tests all read TRANSITIONS.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from dispatch.domain.errors import Conflict, Forbidden, NotReady


class TicketStatus(StrEnum):
    OPEN = "open"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    EN_ROUTE = "en_route"
    ON_SITE = "on_site"
    AWAITING_ACCEPTANCE = "awaiting_acceptance"
    ON_HOLD = "on_hold"
    CLOSED = "closed"
    CANCELLED = "cancelled"


FINAL = frozenset({TicketStatus.CLOSED, TicketStatus.CANCELLED})


class Actor(StrEnum):
    DISPATCHER = "dispatcher"
    ENGINEER = "engineer"
    CONTRACTOR = "contractor"
    CUSTOMER = "customer"
    SYSTEM = "system"


class Need(StrEnum):
    """A fact that must be true before an action; its value is what a refusal names."""

    REASON = "reason"
    LIVE_OFFER = "live_offer"
    POOL = "in_pool"
    ENGINEER = "engineer"
    RULES_CONFIRMED = "broken_rules_confirmed"
    COLLEAGUE = "colleague"
    CHECK_IN_PHOTO = "check_in_photo"
    AT_SITE = "at_site_or_reason"
    QUOTE_LINES = "quote_lines"
    OPEN_QUOTE = "open_quote"
    QUOTE_APPROVED = "quote_approved"
    OUTCOME = "outcome"
    COMPLETION_PHOTOS = "completion_photos"
    WHAT_WAS_DONE = "what_was_done"
    PROOF = "proof"
    UNDISPUTED = "undisputed_and_due"
    WITHIN_REOPEN_DAYS = "within_reopen_days"
    DUPLICATE_OF = "duplicate_of"
    WINDOW = "window"
    CHANGES = "changes"
    TEXT = "text"
    CHECKLIST = "checklist"
    PAYMENT = "payment"


class Outcome(StrEnum):
    """How the work on site ended; `complete` names one."""

    FIXED = "fixed"
    TEMPORARY = "temporary"
    NOT_FIXED = "not_fixed"
    NO_FAULT = "no_fault"
    REFUSED = "refused"
    NO_ACCESS = "no_access"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: `target` None means the status stays; `without_engineer` replaces the
    target where the visit that ended had no engineer to send back."""

    action: str
    sources: frozenset[TicketStatus]
    target: TicketStatus | None
    actors: frozenset[Actor]
    needs: tuple[Need, ...] = ()
    without_engineer: TicketStatus | None = None


def _row(
    action: str,
    sources: str,
    target: str,
    actors: str,
    *needs: Need,
    without_engineer: TicketStatus | None = None,
) -> Transition:
    return Transition(
        action,
        frozenset(TicketStatus(s) for s in sources.split()),
        TicketStatus(target) if target else None,
        frozenset(Actor(a) for a in actors.split()),
        needs,
        without_engineer,
    )


_NOT_FINAL = " ".join(s for s in TicketStatus if s not in FINAL)

# fmt: off
TRANSITIONS = (
    #    action              from                                     to                     by                     needs
    _row("offer",            "open offered",                          "offered",             "dispatcher system",   Need.ENGINEER),
    _row("run_out",          "offered",                               "open",                "system"),
    _row("accept_offer",     "offered",                               "assigned",            "engineer contractor", Need.LIVE_OFFER),
    _row("grab",             "open offered",                          "assigned",            "engineer",            Need.POOL),
    _row("assign",           "open offered assigned en_route",        "assigned",            "dispatcher system",   Need.ENGINEER, Need.RULES_CONFIRMED),
    _row("name_engineer",    "assigned",                              "",                    "contractor",          Need.ENGINEER),
    _row("acknowledge",      "assigned",                              "",                    "engineer"),
    _row("hand_over",        "assigned",                              "",                    "engineer",            Need.COLLEAGUE),
    _row("accept_hand_over", "assigned",                              "",                    "engineer",            Need.LIVE_OFFER),
    _row("hand_back",        "assigned en_route",                     "open",                "engineer dispatcher", Need.REASON),
    _row("hand_back",        "assigned",                              "open",                "contractor",          Need.REASON),
    _row("set_off",          "assigned",                              "en_route",            "engineer"),
    _row("turn_back",        "en_route",                              "assigned",            "engineer dispatcher"),
    _row("check_in",         "assigned en_route",                     "on_site",             "engineer",            Need.CHECK_IN_PHOTO, Need.AT_SITE),
    _row("quote",            "on_site",                               "",                    "engineer",            Need.QUOTE_LINES),
    _row("approve_quote",    "on_site",                               "",                    "customer",            Need.OPEN_QUOTE),
    _row("refuse_quote",     "on_site",                               "",                    "customer",            Need.OPEN_QUOTE),
    _row("pay",              "on_site awaiting_acceptance",           "",                    "engineer dispatcher", Need.QUOTE_APPROVED, Need.PAYMENT),
    _row("pay",              "closed",                                "",                    "dispatcher",          Need.QUOTE_APPROVED, Need.PAYMENT),
    _row("complete",         "on_site",                               "awaiting_acceptance", "engineer",            Need.OUTCOME, Need.COMPLETION_PHOTOS, Need.CHECKLIST, Need.QUOTE_APPROVED),
    _row("resolve_remotely", "open offered assigned on_hold",         "awaiting_acceptance", "dispatcher engineer", Need.WHAT_WAS_DONE),
    _row("hold",             "open assigned en_route on_site",        "on_hold",             "engineer dispatcher", Need.REASON),
    _row("resume",           "on_hold",                               "open",                "dispatcher system"),
    _row("resume_kept",      "on_hold",                               "assigned",            "dispatcher system",   Need.ENGINEER),
    _row("sign_off",         "awaiting_acceptance",                   "closed",              "customer"),
    _row("sign_off",         "awaiting_acceptance",                   "closed",              "dispatcher",          Need.PROOF),
    _row("sign_off",         "awaiting_acceptance",                   "closed",              "system",              Need.UNDISPUTED),
    _row("reject",           "awaiting_acceptance",                   "assigned",            "customer dispatcher", Need.REASON, without_engineer=TicketStatus.OPEN),
    _row("reopen",           "closed",                                "open",                "dispatcher customer", Need.REASON, Need.WITHIN_REOPEN_DAYS),
    _row("cancel",           "open offered assigned en_route on_hold", "cancelled",          "dispatcher",          Need.REASON),
    _row("cancel",           "open offered assigned",                 "cancelled",           "customer",            Need.REASON),
    _row("mark_duplicate",   "open offered assigned en_route on_hold", "cancelled",          "dispatcher system",   Need.DUPLICATE_OF),
    _row("amend",            _NOT_FINAL,                              "",                    "dispatcher",          Need.CHANGES),
    _row("rebook",           _NOT_FINAL,                              "",                    "dispatcher customer", Need.WINDOW),
    _row("contact",          _NOT_FINAL,                              "",                    "dispatcher engineer", Need.TEXT),
    _row("urge",             _NOT_FINAL,                              "",                    "customer"),
    _row("note",             _NOT_FINAL,                              "",                    "dispatcher engineer customer", Need.TEXT),
)
# fmt: on

ACTIONS = tuple(dict.fromkeys(t.action for t in TRANSITIONS))
_BY_ACTION: dict[str, list[Transition]] = {a: [t for t in TRANSITIONS if t.action == a] for a in ACTIONS}


def find_row(status: TicketStatus, action: str, actor: Actor) -> Transition:
    """The row that governs this move.

    Raises NotReady `action_unknown` for a word the table lacks, Forbidden
    `action_forbidden` when no row gives the action to this actor, Conflict
    `action_not_allowed` when it is theirs but not from `status`.
    """
    if action not in _BY_ACTION:
        raise NotReady("action_unknown", action=action)
    rows = [t for t in _BY_ACTION[action] if actor in t.actors]
    if not rows:
        raise Forbidden("action_forbidden", action=action, actor=str(actor))
    for row in rows:
        if status in row.sources:
            return row
    raise Conflict(
        "action_not_allowed", action=action, status=str(status), allowed=allowed_actions(status, actor)
    )


def advance(
    status: TicketStatus, action: str, actor: Actor, met: Collection[Need], has_engineer: bool = True
) -> TicketStatus:
    """The status after `action`, or the reason it may not happen.

    `met` are the needs already satisfied; NotReady `action_not_ready` names every
    missing one. Other refusals: see `find_row`.
    """
    row = find_row(status, action, actor)
    missing = [str(need) for need in row.needs if need not in met]
    if missing:
        raise NotReady("action_not_ready", action=action, missing=missing)
    if row.without_engineer is not None and not has_engineer:
        return row.without_engineer
    return row.target or status


def allowed_actions(status: TicketStatus, actor: Actor) -> list[str]:
    """The buttons to show: actions this actor may take now, in table order."""
    return list(dict.fromkeys(t.action for t in TRANSITIONS if status in t.sources and actor in t.actors))


def mermaid(rows: Iterable[Transition] = TRANSITIONS) -> str:
    """The moves as a Mermaid state diagram; README.md embeds it and a test keeps the two equal."""
    lines = ["stateDiagram-v2", "    [*] --> open: create"]
    moves: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for target in [t for t in (row.target, row.without_engineer) if t is not None]:
            for source in sorted(row.sources):
                moves.setdefault((str(source), str(target)), []).append(row.action)
    for (before, after), actions in sorted(moves.items()):
        lines.append(f"    {before} --> {after}: {', '.join(dict.fromkeys(actions))}")
    lines += [f"    {status} --> [*]" for status in sorted(FINAL)]
    return "\n".join(lines)


#: What an engineer's phone shows: the lead moves the ticket, a helper only their own times.
_ASKED_ONLY = ("accept_offer", "grab", "accept_hand_over")
_HELPER = {
    TicketStatus.ASSIGNED: ["set_off", "check_in"],
    TicketStatus.EN_ROUTE: ["set_off", "turn_back", "check_in"],
    TicketStatus.ON_SITE: ["set_off", "turn_back", "check_in", "complete"],
}


def engineer_buttons(status: TicketStatus, role: str, quote: str | None = None) -> list[str]:
    """Buttons on an engineer's own ticket; `quote` is the newest quote's status. Where the customer decides,
    the customer may do so on this phone: `sign_off`, `reject` and the answers to an open quote are then the
    customer's, witnessed by the engineer. Money is taken once a price is approved."""
    if role != "lead":
        return list(_HELPER.get(status, []))
    own = [a for a in allowed_actions(status, Actor.ENGINEER) if a not in _ASKED_ONLY]
    if status is TicketStatus.AWAITING_ACCEPTANCE:
        own += ["sign_off", "reject"]
    if status is TicketStatus.ON_SITE and quote == "open":
        own += ["approve_quote", "refuse_quote"]
    return own if quote == "approved" else [a for a in own if a != "pay"]
