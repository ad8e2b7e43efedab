"""Integer money: minor units, rounded half up once per line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from dispatch.domain.cells import inert_text
from dispatch.domain.commands import QuoteLine
from dispatch.domain.errors import NotReady

MOST_MINOR = 10**12
_SIGNS = {"CNY": "¥", "JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "TWD": "NT$"}
#: ISO 4217 currencies whose amounts have another number of digits than two.
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "OMR": 3, "TND": 3}


def money_text(minor: int, currency: str) -> str:
    """12850, CNY → ¥128.50. Integer arithmetic, no rounding."""
    digits = _DIGITS.get(currency, 2)
    whole, rest = divmod(abs(minor), 10**digits)
    amount = f"{whole:,}" + (f".{rest:0{digits}}" if digits else "")
    return f"{'−' if minor < 0 else ''}{_SIGNS.get(currency, currency + ' ')}{amount}"


def discounted(lines: tuple[QuoteLine, ...], percent: int | None) -> tuple[QuoteLine, ...]:
    """The lines, and where a discount stands one of its own that takes it off: rounded half up, once."""
    if percent is None:
        return lines
    off_minor = (quote_total_minor(lines) * percent * 2 + 100) // 200
    return (*lines, QuoteLine("discount", f"−{percent}%", Decimal(1), -off_minor))


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A line of the price list while it stands; `names` are folded as `folded` does."""

    code: str
    names: frozenset[str]
    unit_price_minor: int
    part: str | None


def folded(text: str) -> str:
    """A text as names are compared: neither case nor space counts."""
    return "".join(text.casefold().split())


def held_to_list(
    lines: tuple[QuoteLine, ...], listed: Sequence[ListedPrice], currency: str, list_currency: str
) -> tuple[QuoteLine, ...]:
    """The lines, each with the code of the listed price it is of, None for one the list has nothing for.

    What is listed costs what the list says: less is a discount, which a dispatcher allows, and more is asked of
    nobody. Raises NotReady `price_not_listed`, `price_currency`, `price_differs`, each with the line from 1.
    """
    held = []
    for number, line in enumerate(lines, start=1):
        prices = _prices_of(line, listed)
        if line.price is not None and not prices:
            raise NotReady("price_not_listed", line=number, price=line.price)
        if prices and currency != list_currency:
            raise NotReady("price_currency", line=number, price=prices[0].code, currency=list_currency)
        same = [price for price in prices if price.unit_price_minor == line.unit_price_minor]
        if prices and not same:
            listed_minor = prices[0].unit_price_minor
            raise NotReady(
                "price_differs",
                line=number,
                price=prices[0].code,
                listed_minor=listed_minor,
                unit_price_minor=line.unit_price_minor,
                currency=currency,
            )
        held.append(replace(line, price=same[0].code if same else None))
    return tuple(held)


def _prices_of(line: QuoteLine, listed: Sequence[ListedPrice]) -> list[ListedPrice]:
    """By the code it names; where it names none, by its part, or by what it is called."""
    if line.price is not None:
        return [price for price in listed if price.code == line.price]
    of_part = [price for price in listed if line.part is not None and price.part == line.part]
    return of_part or [price for price in listed if folded(line.text) in price.names]


def quote_total_minor(lines: Iterable[QuoteLine]) -> int:
    """Sum of quantity × unit price, minor units. Raises NotReady `quote_too_large`."""
    total = sum(
        int((line.quantity * line.unit_price_minor).quantize(Decimal(1), rounding=ROUND_HALF_UP))
        for line in lines
    )
    if total > MOST_MINOR:
        raise NotReady("quote_too_large", most_minor=MOST_MINOR)
    return total


@dataclass(frozen=True, slots=True)
class Rate:
    """What a payee earns by a visit: a fixed sum, and a share of what was quoted in basis points."""

    fixed_minor: int
    share_bp: int


@dataclass(frozen=True, slots=True)
class Earned:
    """One settlement line; `reason` is `fixed` or `share`."""

    reason: str
    currency: str
    amount_minor: int


def earned(rate: Rate, tenant_currency: str, quoted: tuple[int, str] | None) -> list[Earned]:
    """The lines of one finished visit, none of them zero. `quoted` is the approved total and its currency;
    the share is rounded half up, once."""
    lines = [Earned("fixed", tenant_currency, rate.fixed_minor)]
    if quoted is not None:
        total_minor, currency = quoted
        lines.append(Earned("share", currency, (total_minor * rate.share_bp * 2 + 10_000) // 20_000))
    return [line for line in lines if line.amount_minor]


def inert(cell: object) -> str:
    """A text that no spreadsheet runs; a number is none."""
    if isinstance(cell, int):
        return str(cell)
    return "" if cell is None else inert_text(str(cell))
