"""What a line of the ledger must say, and what a count changes in it."""

from decimal import Decimal
from uuid import UUID

import pytest

from dispatch.domain.errors import NotReady
from dispatch.domain.stock import Place, StockLine, check_lines, correction

DEPOT = Place("depot", UUID(int=1))
SERIALISED = {"valve": False, "board": True}


def line(part: str, quantity: str, serial: str | None = None) -> StockLine:
    return StockLine(part, Decimal(quantity), serial)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line("song", "1")], "part_unknown"),
        ([line("board", "1")], "serial_missing"),
        ([line("board", "2", "S1")], "quantity_not_one"),
        ([line("board", "0", "S1")], "quantity_not_one"),
        ([line("valve", "1"), line("valve", "2", "x")], "line_twice"),
        ([line("board", "1", "S1"), line("board", "1", "S1")], "line_twice"),
    ],
)
def test_a_line_that_says_too_little_or_too_much_is_refused(lines: list[StockLine], code: str) -> None:
    with pytest.raises(NotReady) as refused:
        check_lines(lines, SERIALISED)
    assert refused.value.code == code


def test_pieces_with_numbers_go_one_a_line_and_a_count_may_find_none() -> None:
    check_lines([line("board", "1", "S1"), line("board", "1", "S2"), line("valve", "0.5")], SERIALISED)
    check_lines([line("board", "0", "S1")], SERIALISED, counted=True)


@pytest.mark.parametrize(
    ("held", "counted", "reason", "booked"),
    [
        ("3", "3", "counted", None),
        ("3", "5", "counted", (Place("stock_take"), DEPOT, Decimal(2))),
        ("3", "1", "lost", (DEPOT, Place("stock_take"), Decimal(2))),
        ("3", "0", "damaged", (DEPOT, Place("scrapped"), Decimal(3))),
        ("-1", "0", "booked_wrong", (Place("stock_take"), DEPOT, Decimal(1))),
    ],
)
def test_a_count_is_booked_as_the_difference_and_never_below_or_twice(
    held: str, counted: str, reason: str, booked: object
) -> None:
    assert correction(DEPOT, Decimal(held), Decimal(counted), reason) == booked
