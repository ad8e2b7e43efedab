"""What the dispatcher's pages say about parts, depots, vans and the ledger."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from api.dispatcher.proof_views import MinorOrNone, Name, OwnTexts
from api.shapes import SitePosition
from mobile_contract.v1 import Code, Line, Reply, Texts, Wire

Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Counted = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=3)]
Quantity = Annotated[Decimal, Field(gt=0, le=10_000, decimal_places=3)]


class PartWanted(Wire):
    code: Code
    name: OwnTexts
    unit: Name = "pc"
    price_minor: MinorOrNone | None = None
    serialised: bool = False
    returned: bool = False


class PartsWanted(Wire):
    lines: list[PartWanted] = Field(max_length=500)


class DepotWanted(Wire):
    code: Code
    name: OwnTexts
    position: SitePosition | None = None
    active: bool = True


class OldLineWanted(Wire):
    part: Code
    quantity: Quantity


class StockLineWanted(OldLineWanted):
    serial: Line | None = None


class Delivery(Wire):
    """What a supplier brought; `reference` is its delivery note."""

    command_id: UUID
    reference: Reference
    lines: list[StockLineWanted] = Field(min_length=1, max_length=100)


class VanLines(Wire):
    """Parts between a depot and an engineer's van."""

    command_id: UUID
    engineer_id: UUID
    lines: list[StockLineWanted] = Field(min_length=1, max_length=100)


class OldPartsIn(Wire):
    """Old parts that an engineer brings: into a depot, or of a ticket only now."""

    command_id: UUID
    engineer_id: UUID
    lines: list[OldLineWanted] = Field(min_length=1, max_length=100)


class OldPartsOut(Wire):
    """Old parts out of a depot; `reference` is the paper they go to the supplier with."""

    command_id: UUID
    to: Literal["scrapped", "supplier"]
    reference: Reference | None = None
    lines: list[OldLineWanted] = Field(min_length=1, max_length=100)


class CountedLine(Wire):
    part: Code
    counted: Counted
    serial: Line | None = None


class StockTake(Wire):
    """What was counted in one depot or one van."""

    command_id: UUID
    depot_id: UUID | None = None
    engineer_id: UUID | None = None
    reason: Code
    lines: list[CountedLine] = Field(min_length=1, max_length=100)


class DepotSaved(Reply):
    id: UUID


class Depot(Reply):
    """`lon`, `lat` in WGS-84."""

    depot_id: UUID
    code: str
    name: Texts
    active: bool
    lon: float | None
    lat: float | None


class DepotPage(Reply):
    depots: list[Depot]
    next_page: str | None


class PartLine(Reply):
    """`in_vans`, `in_depots`: of all together, decimals as text."""

    code: str
    name: Texts
    unit: str
    price_minor: int | None
    serialised: bool
    returned: bool
    in_vans: str
    in_depots: str


class PartPage(Reply):
    currency: str
    parts: list[PartLine]
    next_page: str | None


class StockLine(Reply):
    """`serials`: the pieces that lie there, at most 100."""

    part: str
    name: Texts
    unit: str
    serialised: bool
    quantity: str
    serials: list[str]


class StockPage(Reply):
    stock: list[StockLine]
    next_page: str | None


class OldPart(Reply):
    """Either `depot_id` or `engineer_id` is where they are."""

    line_id: str
    part: str
    name: Texts
    unit: str
    quantity: str
    depot_id: UUID | None
    engineer_id: UUID | None
    place_name: Texts


class OldPartPage(Reply):
    old_parts: list[OldPart]
    next_page: str | None


class OwedPart(Reply):
    """An old part that should have come back from a ticket and did not; `at` is when the new one was put in."""

    line_id: str
    ticket_id: UUID
    ticket_no: str
    part: str
    name: Texts
    unit: str
    quantity: str
    engineer_id: UUID
    engineer_name: str
    at: datetime


class OwedPartPage(Reply):
    owed_parts: list[OwedPart]
    next_page: str | None


Kind = Literal["supplier", "depot", "van", "ticket", "returned", "scrapped", "stock_take"]


class Movement(Reply):
    """One line of the ledger; `from_name`, `to_name` are depots, or engineers whose van it was or who had old parts."""

    movement_id: int
    part: str
    name: Texts
    unit: str
    quantity: str
    serial: str | None
    from_kind: Kind
    to_kind: Kind
    from_name: Texts | None
    to_name: Texts | None
    ticket_id: UUID | None
    ticket_no: str | None
    at: datetime
    reference: str | None
    reason: str | None
    booked_by: str | None


class MovementPage(Reply):
    movements: list[Movement]
    next_page: str | None
