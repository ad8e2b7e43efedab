"""What payees earn, to the minor unit, and cells that no spreadsheet runs."""

import pytest

from dispatch.domain.money import Earned, Rate, earned, inert


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
