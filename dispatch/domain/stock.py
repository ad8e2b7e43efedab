"""Parts in depots and vans: what a line must say, and what a count changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from dispatch.domain.errors import NotReady


@dataclass(frozen=True, slots=True)
class Place:
    """A depot by its id, or a van by its engineer's; suppliers and what a count finds or misses have none. `returned`
    are old parts taken from customers, at an engineer or in a depot by that one's id; a `ticket` is where a part was put
    in and the old one taken out."""

    kind: Literal["supplier", "depot", "van", "ticket", "returned", "stock_take", "scrapped"]
    id: UUID | None = None

    def facts(self) -> dict[str, object]:
        return {"place": self.kind, "place_id": str(self.id)}


SUPPLIER = Place("supplier")


@dataclass(frozen=True, slots=True)
class StockLine:
    """So much of one part; `serial` where each piece has a number."""

    part: str
    quantity: Decimal
    serial: str | None = None


def check_lines(lines: Sequence[StockLine], serialised: dict[str, bool], counted: bool = False) -> None:
    """Every part is on the list, a part with serial numbers goes one a line under its own; a count may find none.

    Raises NotReady `part_unknown`, `serial_missing`, `quantity_not_one`, `line_twice`.
    """
    seen = set()
    for line in lines:
        if line.part not in serialised:
            raise NotReady("part_unknown", part=line.part)
        if serialised[line.part] and not line.serial:
            raise NotReady("serial_missing", part=line.part)
        if serialised[line.part] and line.quantity != 1 and not (counted and line.quantity == 0):
            raise NotReady("quantity_not_one", part=line.part)
        key = (line.part, line.serial if serialised[line.part] else None)
        if key in seen:
            raise NotReady("line_twice", key=["part", "serial"])
        seen.add(key)


def correction(
    place: Place, held: Decimal, counted: Decimal, reason: str
) -> tuple[Place, Place, Decimal] | None:
    """(from, to, quantity) that turns what the books hold into what was counted; None where both agree."""
    if counted == held:
        return None
    if counted > held:
        return Place("stock_take"), place, counted - held
    return place, Place("scrapped" if reason == "damaged" else "stock_take"), held - counted
