"""A ticket as its customer reads it: headline, steps, history. Pure: CustomerTicket in, texts out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from api.customer.words import Words, first_up
from dispatch.domain.commands import QuoteLine
from dispatch.domain.money import quote_total_minor

STEPS = ("received", "assigned", "en_route", "on_site", "done")
_STEP_OF = {
    "open": 0,
    "offered": 0,
    "assigned": 1,
    "en_route": 2,
    "on_site": 3,
    "awaiting_acceptance": 4,
    "closed": 4,
    "cancelled": 0,
}

#: What a customer may be shown as a button, by status: asking for news of an engineer who is at the door,
#: or moving an appointment that is over, helps nobody. The server's `allowed_actions` still decides.
_WAITING = ("open", "offered", "assigned", "en_route", "on_hold")
SHOWN_WHILE = {"urge": _WAITING, "rebook": _WAITING}
TAKES_PHOTOS = (*_WAITING, "on_site")

#: Moves a customer need not tell apart. What is missing here is nobody's business but the company's.
_EVENTS = {
    "create": "create",
    "offer": "searching",
    "run_out": "searching",
    "accept_offer": "assigned",
    "grab": "assigned",
    "assign": "assigned",
    "hand_back": "changed",
    "set_off": "set_off",
    "turn_back": "turn_back",
    "check_in": "check_in",
    "quote": "quote",
    "complete": "complete",
    "resolve_remotely": "resolve_remotely",
    "hold": "hold",
    "resume": "resume",
    "resume_kept": "resume",
    "sign_off": "sign_off",
    "reject": "reject",
    "reopen": "reopen",
    "cancel": "cancel",
    "mark_duplicate": "cancel",
    "rebook": "rebook",
    "urge": "urge",
}


@dataclass(frozen=True, slots=True)
class StepShown:
    """One dot of the stepper; `state` is done, now or next."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history."""

    text: str
    time: str
    at: str


def buttons(ticket: Mapping[str, Any]) -> frozenset[str]:
    """The actions this page offers now."""
    return frozenset(
        action
        for action in ticket["allowed_actions"]
        if ticket["status"] in SHOWN_WHILE.get(action, (ticket["status"],))
    )


def steps(ticket: Mapping[str, Any], words: Words) -> list[StepShown]:
    """Five dots; a cancelled ticket stops at the first, a held one where it was."""
    status = str(ticket["status"])
    held_at = 1 if ticket["engineer_name"] else 0
    at = _STEP_OF.get(status, held_at)
    shown = []
    for number, name in enumerate(STEPS):
        state = "done" if number < at or status == "closed" else "now" if number == at else "next"
        label = "check" if name == "done" and status == "awaiting_acceptance" else name
        shown.append(StepShown(words.say(f"step_{label}"), state))
    return shown


def headline(ticket: Mapping[str, Any], words: Words) -> str:
    """How it stands, as one sentence."""
    status, engineer = ticket["status"], ticket["engineer_name"]
    if status == "on_site" and _quote_waits(ticket):
        return words.say("head_quote")
    if status == "assigned" and not engineer:
        return words.say("head_assigned_nobody")
    if status == "awaiting_acceptance" and ticket["outcome"] not in (None, "fixed", "temporary"):
        return words.say("head_visit_over")
    return words.say(f"head_{status}", engineer=engineer or words.say("engineer"))


def subline(ticket: Mapping[str, Any], words: Words) -> str:
    """What comes next, as one sentence; empty where the appointment below says it."""
    status = ticket["status"]
    if status == "on_site" and _quote_waits(ticket):
        return words.say("sub_quote")
    if status == "assigned":
        return "" if ticket["window"] or ticket["eta_at"] else words.say("sub_no_window")
    if status == "en_route":
        return "" if ticket["eta_at"] else words.say("sub_en_route_no_eta")
    dated = {
        "awaiting_acceptance": ("sign_off_by", "sub_sign_off_by", "sub_awaiting"),
        "on_hold": ("hold_until", "sub_on_hold_until", "sub_on_hold"),
        "closed": ("reopen_by", "sub_closed", "sub_closed_plain"),
    }
    if status not in dated:
        return words.say(f"sub_{status}")
    date_of, with_date, plain = dated[status]
    at: datetime | None = ticket[date_of]
    return words.say(with_date, time=words.moment(at)) if at and at > words.now else words.say(plain)


def _quote_waits(ticket: Mapping[str, Any]) -> bool:
    return bool({"approve_quote", "refuse_quote"} & set(ticket["allowed_actions"]))


def history(ticket: Mapping[str, Any], words: Words) -> list[Line]:
    """What happened in plain words, newest first; the same line twice in a row is said once."""
    lines: list[Line] = []
    last = None
    for event in ticket["progress"]:
        name = _EVENTS.get(event["action"])
        if name is None or (name == last and name != "urge"):
            continue
        last = name
        at = _instant(event["at"])
        lines.append(Line(words.say(f"event_{name}"), first_up(words.moment(at)), at.isoformat()))
    return lines[::-1]


def _instant(value: datetime | str) -> datetime:
    """jsonb gives instants as ISO 8601 texts."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def photos(ticket: Mapping[str, Any], words: Words) -> list[dict[str, str]]:
    """Photos with their captions, in the order they were taken."""
    return [
        {
            "id": str(photo["photo_id"]),
            "caption": words.label("photo", photo["kind"]),
            "time": first_up(words.moment(_instant(photo["taken_at"]))),
        }
        for photo in ticket["photos"]
    ]


def quote_lines(ticket: Mapping[str, Any], words: Words) -> list[dict[str, str]]:
    """Lines with their sums in the quote's currency, rounded as the quote's total was."""
    currency = ticket["quote"]["currency"] if ticket["quote"] else ""
    shown = []
    for raw in ticket["quote_lines"]:
        line = QuoteLine(
            raw["kind"], raw["text"], Decimal(str(raw["quantity"])), int(raw["unit_price_minor"])
        )
        each = words.say(
            "quote_each",
            quantity=f"{line.quantity.normalize():f}",
            price=words.money(line.unit_price_minor, currency),
        )
        kind = words.label("line", line.kind)
        shown.append(
            {
                "text": line.text or kind,
                "kind": kind,
                "each": "" if line.quantity == 1 else each,
                "total": words.money(quote_total_minor([line]), currency),
            }
        )
    return shown
