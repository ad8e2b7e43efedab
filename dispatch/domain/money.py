"""Integer money: minor units, rounded half up once per line."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from dispatch.domain.commands import QuoteLine
from dispatch.domain.errors import NotReady

MOST_MINOR = 10**12


def quote_total_minor(lines: Iterable[QuoteLine]) -> int:
    """Sum of quantity × unit price, minor units. Raises NotReady `quote_too_large`."""
    total = sum(
        int((line.quantity * line.unit_price_minor).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        for line in lines
    )
    if total > MOST_MINOR:
        raise NotReady("quote_too_large", most_minor=MOST_MINOR)
    return total
