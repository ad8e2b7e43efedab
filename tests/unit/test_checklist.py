"""A tenant's checklist and an engineer's answers to it, without a database."""

from typing import Any

import pytest

from dispatch.domain.errors import NotReady
from dispatch.domain.evidence_checklist import check_checklist, judge_answers, shown

LABEL = {"zh": "项", "en": "Item"}
ITEMS: list[dict[str, Any]] = [
    {"item": "leaks", "kind": "yes_no", "label": LABEL, "required": True},
    {
        "item": "where", "kind": "choice", "label": LABEL, "required": True,
        "choices": [{"code": "valve", "label": LABEL}, {"code": "pipe", "label": LABEL}],
        "show_when": {"item": "leaks", "is": [True]},
    },
    {"item": "bar", "kind": "number", "label": LABEL, "required": True, "unit": "bar", "least": 0, "most": 6},
    {"item": "remark", "kind": "text", "label": LABEL},
    {"item": "plate", "kind": "photo", "label": LABEL, "required": True, "outcomes": ["fixed"]},
    {"item": "slip", "kind": "photo", "label": LABEL, "required": True, "outcomes": ["no_access"]},
]  # fmt: skip
WHOLE = {"leaks": True, "where": "valve", "bar": 2.5, "plate": "p1"}


def problems(answers: dict[str, object], outcome: str = "fixed") -> dict[str, str]:
    return {p.item: p.why for p in judge_answers(ITEMS, outcome, answers, {"p1", "p2"})}


def test_whole_answers_leave_nothing_missing() -> None:
    check_checklist(ITEMS)
    assert problems(WHOLE) == {}


def test_every_missing_item_is_named() -> None:
    assert problems({}) == {"leaks": "missing", "bar": "missing", "plate": "missing"}


def test_a_branch_not_taken_is_not_asked_and_one_taken_is() -> None:
    assert "where" not in [i["item"] for i in shown(ITEMS, "fixed", {"leaks": False})]
    assert problems({**WHOLE, "leaks": False}) == {"where": "not_asked"}
    assert problems({"leaks": True, "bar": 1, "plate": "p1"}) == {"where": "missing"}


def test_one_is_not_true() -> None:
    assert problems({**WHOLE, "leaks": 1}) == {"leaks": "not_yes_or_no", "where": "not_asked"}


@pytest.mark.parametrize(
    ("item", "answer", "why"),
    [
        ("bar", -1, "too_low"),
        ("bar", 6.5, "too_high"),
        ("bar", float("nan"), "not_a_number"),
        ("bar", float("inf"), "not_a_number"),
        ("bar", True, "not_a_number"),
        ("bar", "2", "not_a_number"),
        ("where", "roof", "not_a_choice"),
        ("where", [], "not_a_choice"),
        ("plate", "p9", "photo_missing"),
        ("remark", "x" * 501, "not_a_text"),
        ("nonsense", "x", "not_asked"),
    ],
)
def test_what_does_not_fit_is_told_why(item: str, answer: object, why: str) -> None:
    assert problems({**WHOLE, item: answer}) == {item: why}


def test_without_access_only_what_names_it_is_asked() -> None:
    assert problems({}, "no_access") == {"slip": "missing"}
    assert problems({"slip": "p2"}, "no_access") == {}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"item": ""}, "item"),
        ({"item": 3}, "item"),
        ({"kind": "song"}, "kind"),
        ({"label": {"zh": "x"}}, "label"),
        ({"least": "a"}, "bounds"),
        ({"least": 3, "most": 1}, "bounds"),
        ({"kind": "choice"}, "choices"),
        ({"show_when": {"item": "later", "is": [1]}}, "show_when"),
        ({"outcomes": ["flown"]}, "outcomes"),
        ({"colour": "red"}, "unknown_field"),
    ],
)
def test_a_tenants_malformed_checklist_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(NotReady) as refusal:
        check_checklist([{"item": "a", "kind": "text", "label": LABEL, **change}])
    assert refusal.value.facts == {"number": 0, "why": why}
    assert refusal.value.code == "checklist_invalid"


def test_an_item_twice_is_refused() -> None:
    item = {"item": "a", "kind": "text", "label": LABEL}
    with pytest.raises(NotReady):
        check_checklist([item, item])
