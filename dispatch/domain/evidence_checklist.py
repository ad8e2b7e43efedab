"""The steps of a kind of work as a tenant writes them, and whether an engineer's answers are whole."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dispatch.domain.errors import NotReady
from dispatch.domain.lifecycle import Outcome

KINDS = ("yes_no", "choice", "number", "text", "photo", "signature")
MOST_ITEMS = 100
MOST_CHOICES = 30
LONGEST_TEXT = 500
#: Where nothing was done, nothing is asked, unless an item names the outcome.
NOTHING_DONE = frozenset({Outcome.NO_ACCESS, Outcome.REFUSED})

_KEYS = frozenset("item kind label required choices unit least most show_when outcomes".split())


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one item's answer: `missing`, or how it does not fit."""

    item: str
    why: str

    def as_json(self) -> dict[str, str]:
        return {"item": self.item, "why": self.why}


def check_checklist(items: object) -> None:
    """Raises NotReady `checklist_invalid`, naming the first item that is not as described:

    {"item": code, "kind": one of KINDS, "label": {"zh", "en"}, "required": true or false,
     "choices": [{"code", "label"}] for a choice; "unit", "least", "most" for a number;
     "show_when": {"item": an earlier item, "is": [values]}; "outcomes": those it is asked for}
    """
    if not isinstance(items, list) or len(items) > MOST_ITEMS:
        raise NotReady("checklist_invalid", why="too_many_items", most=MOST_ITEMS)
    seen: list[str] = []
    for number, item in enumerate(items):
        why = _why_wrong(item, seen)
        if why is not None:
            raise NotReady("checklist_invalid", number=number, why=why)
        seen.append(item["item"])


def _why_wrong(item: Any, seen: Collection[str]) -> str | None:
    """The first part of the item that is not as described."""
    if not isinstance(item, dict) or not set(item) <= _KEYS:
        return "unknown_field"
    code, outcomes = item.get("item"), item.get("outcomes")
    fits = {
        "item": isinstance(code, str) and 0 < len(code) <= 40 and code not in seen,
        "kind": item.get("kind") in KINDS,
        "label": _is_label(item.get("label")),
        "required": isinstance(item.get("required", False), bool),
        "unit": isinstance(item.get("unit", ""), str),
        "choices": item.get("kind") != "choice" or _are_choices(item.get("choices")),
        "bounds": _are_bounds(item.get("least"), item.get("most")),
        "show_when": _is_branch(item.get("show_when"), seen),
        "outcomes": outcomes is None
        or (isinstance(outcomes, list) and set(map(str, outcomes)) <= set(Outcome)),
    }
    return next((part for part, fit in fits.items() if not fit), None)


def _are_choices(choices: object) -> bool:
    return (
        isinstance(choices, list)
        and 2 <= len(choices) <= MOST_CHOICES
        and all(
            isinstance(c, dict) and isinstance(c.get("code"), str) and _is_label(c.get("label"))
            for c in choices
        )
    )


def _are_bounds(least: object, most: object) -> bool:
    low, high = (_as_number(bound) for bound in (least, most))
    if (low is None) != (least is None) or (high is None) != (most is None):
        return False
    return low is None or high is None or low <= high


def _is_branch(when: object, seen: Collection[str]) -> bool:
    return when is None or (
        isinstance(when, dict) and when.get("item") in seen and isinstance(when.get("is"), list)
    )


def _is_label(label: object) -> bool:
    return isinstance(label, dict) and all(isinstance(label.get(k), str) and label[k] for k in ("zh", "en"))


def _is_number(value: object) -> bool:
    return _as_number(value) is not None


def _as_number(value: object) -> int | float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def shown(
    items: Iterable[Mapping[str, Any]], outcome: str, answers: Mapping[str, object]
) -> list[Mapping[str, Any]]:
    """The items asked for this outcome with these answers: an item below a branch not taken is not asked."""
    found: list[Mapping[str, Any]] = []
    asked: set[str] = set()
    for item in items:
        outcomes = item.get("outcomes")
        if outcomes is None and outcome in NOTHING_DONE:
            continue
        if outcomes is not None and outcome not in outcomes:
            continue
        when = item.get("show_when")
        if when is not None and (
            when["item"] not in asked or not _among(answers.get(when["item"]), when["is"])
        ):
            continue
        asked.add(item["item"])
        found.append(item)
    return found


def _among(answer: object, wanted: Iterable[object]) -> bool:
    """Without taking True for 1."""
    return any(answer == value and isinstance(answer, bool) == isinstance(value, bool) for value in wanted)


def judge_answers(
    items: Iterable[Mapping[str, Any]],
    outcome: str,
    answers: Mapping[str, object],
    photos: Collection[str],
) -> list[Problem]:
    """What is missing or does not fit, in the checklist's order. `photos` are the ids and hashes of photos
    at hand: the answer to a photo or signature item names one of them. Answers to items not asked are
    `not_asked`, so that a phone with an old checklist is told."""
    asked = shown(list(items), outcome, answers)
    problems = []
    for item in asked:
        answer = answers.get(item["item"])
        why = _why_not(item, answer, photos)
        if why is not None:
            problems.append(Problem(item["item"], why))
    known = {item["item"] for item in asked}
    return problems + [Problem(code, "not_asked") for code in answers if code not in known]


def _why_not(item: Mapping[str, Any], answer: object, photos: Collection[str]) -> str | None:
    if answer is None or answer == "":
        return "missing" if item.get("required") else None
    fits = {
        "yes_no": ("not_yes_or_no", isinstance(answer, bool)),
        "choice": ("not_a_choice", answer in [choice["code"] for choice in item.get("choices", ())]),
        "text": ("not_a_text", isinstance(answer, str) and len(answer) <= LONGEST_TEXT),
        "photo": ("photo_missing", isinstance(answer, str) and answer in photos),
        "signature": ("photo_missing", isinstance(answer, str) and answer in photos),
    }
    if item["kind"] == "number":
        return _number_wrong(item, answer)
    why, fit = fits[item["kind"]]
    return None if fit else why


def _number_wrong(item: Mapping[str, Any], answer: object) -> str | None:
    if not isinstance(answer, int | float) or not _is_number(answer):
        return "not_a_number"
    least, most = item.get("least"), item.get("most")
    if least is not None and answer < least:
        return "too_low"
    return "too_high" if most is not None and answer > most else None
