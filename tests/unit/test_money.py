"""What payees earn, to the minor unit, and cells that no spreadsheet runs."""

from decimal import Decimal

import pytest

from dispatch.domain import money
from dispatch.domain.commands import QuoteLine
from dispatch.domain.errors import NotReady
from dispatch.domain.money import Earned, ListedPrice, Rate, earned, folded, held_to_list, inert

VISIT = ListedPrice("visit", frozenset({folded("上门费"), folded("Call-out")}), 3_000, None)
NIGHT = ListedPrice("visit_night", VISIT.names, 6_000, None)
VALVE = ListedPrice("valve", frozenset({folded("电磁阀"), folded("Solenoid valve")}), 8_800, "valve")
LIST = (VISIT, NIGHT, VALVE)


def line(text: str, unit_price_minor: int, **more: str) -> QuoteLine:
    return QuoteLine(more.pop("kind", "other"), text, Decimal(1), unit_price_minor, **more)


@pytest.mark.parametrize(
    ("rate", "quoted", "lines"),
    [
        (Rate(5_000, 0), None, [Earned("fixed", "CNY", 5_000)]),
        (Rate(0, 0), (10_000, "CNY"), []),
        (Rate(0, 3_000), None, []),
        (Rate(0, 3_333), (10_001, "USD"), [Earned("share", "USD", 3_333)]),
        (Rate(1, 5_000), (1, "CNY"), [Earned("fixed", "CNY", 1), Earned("share", "CNY", 1)]),
        (Rate(0, 10_000), (10**12, "CNY"), [Earned("share", "CNY", 10**12)]),
    ],
)
def test_a_visit_earns_its_rate_rounded_half_up_once(
    rate: Rate, quoted: tuple[int, str] | None, lines: list[Earned]
) -> None:
    assert earned(rate, "CNY", quoted) == lines


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_made_inert(text: str) -> None:
    assert inert(text) == f"'{text}"


def test_plain_cells_stay_as_they_are() -> None:
    assert [inert(v) for v in ("Ana", 12, None, "a=b")] == ["Ana", "12", "", "a=b"]


@pytest.mark.parametrize(
    ("quoted", "price"),
    [
        (line("Call-out", 3_000), "visit"),
        (line(" call - OUT", 6_000), "visit_night"),
        (line("上门费", 3_000, kind="labour"), "visit"),
        (line("A valve for the kitchen", 8_800, part="valve"), "valve"),
        (line("In the old town, as agreed", 3_000, price="visit"), "visit"),
        (line("Scaffolding", 1), None),
        (line("A hose", 1, part="hose"), None),
    ],
)
def test_a_line_is_of_the_listed_price_it_names(quoted: QuoteLine, price: str | None) -> None:
    (held,) = held_to_list((quoted,), LIST, "CNY", "CNY")
    assert held.price == price
    assert (held.text, held.unit_price_minor) == (quoted.text, quoted.unit_price_minor)


@pytest.mark.parametrize(
    ("quoted", "code", "facts"),
    [
        (line("Call-out", 2_999), "price_differs", {"price": "visit", "listed_minor": 3_000}),
        (line("call-out", 3_001), "price_differs", {"unit_price_minor": 3_001, "currency": "CNY"}),
        (line("Cheap", 0, price="visit"), "price_differs", {"price": "visit"}),
        (line("Call-out", 3_000, price="valve"), "price_differs", {"price": "valve"}),
        (line("Cheap", 100, part="valve"), "price_differs", {"price": "valve"}),
        (line("Call-out", 3_000, price="gone"), "price_not_listed", {"price": "gone"}),
    ],
)
def test_what_is_listed_costs_what_the_list_says(
    quoted: QuoteLine, code: str, facts: dict[str, object]
) -> None:
    with pytest.raises(NotReady) as refusal:
        held_to_list((line("Scaffolding", 1), quoted), LIST, "CNY", "CNY")
    assert refusal.value.code == code
    assert {**facts, "line": 2}.items() <= refusal.value.facts.items()


def test_another_currency_is_no_way_around_the_list() -> None:
    with pytest.raises(NotReady, match="price_currency"):
        held_to_list((line("Call-out", 3_000),), LIST, "JPY", "CNY")
    (free,) = held_to_list((line("Scaffolding", 5),), LIST, "JPY", "CNY")
    assert free.price is None


def test_sabotage_a_list_that_knows_lines_by_their_code_alone_lets_a_cheap_one_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(money, "_prices_of", lambda one, prices: [p for p in prices if p.code == one.price])
    assert held_to_list((line("Call-out", 1),), LIST, "CNY", "CNY")[0].price is None
