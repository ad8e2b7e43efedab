"""What board and server say of the match: one engineer's line, policies, wishes, parts set aside."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.dispatcher.views import CandidateLine
from mobile_contract.v1 import Code, Reply, Wire

Mode = Literal["direct", "offer", "offer_many", "pool", "contractor", "manual"]
Number = Annotated[float, Field(ge=0, le=1_000_000)]


class WhyNot(Reply):
    """One engineer judged now for one ticket, whether or not they were among the candidates."""

    candidate: CandidateLine


class PolicyWanted(Wire):
    """How tickets of `work_type` in `territory_id` (null: any) find engineers. `settings` replaces the company's
    numbers by name, as in the company's rules."""

    mode: Mode
    work_type: Code | None = None
    territory_id: UUID | None = None
    contractor_id: UUID | None = None
    settings: dict[Code, Number] = Field(default={}, max_length=40)


class PolicyLine(Reply):
    line_id: str
    policy_id: UUID
    mode: Mode
    work_type: str | None
    territory_id: UUID | None
    contractor_id: UUID | None
    settings: dict[str, float]


class PolicyPage(Reply):
    policies: list[PolicyLine]
    next_page: str | None


class WishWanted(Wire):
    wish: Literal["preferred", "excluded", "none"]


class PartQuantity(Wire):
    quantity: Decimal = Field(ge=0, le=10_000, decimal_places=3)
