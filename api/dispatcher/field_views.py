"""What contractors' desks, the roster and the server say to each other."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from api.shapes import TicketLine
from mobile_contract.v1 import Reply, Window


class ContractorTicket(TicketLine):
    """Asked for (`offer_id`, to be answered by `expires_at`), or taken: then the engineer is to be named by
    `name_by`, null once somebody is."""

    window: Window | None
    due_at: datetime | None
    offer_id: UUID | None
    expires_at: datetime | None
    name_by: datetime | None
    engineer_id: UUID | None
    engineer_name: str | None
    allowed_actions: list[str]


class ContractorEngineer(Reply):
    engineer_id: UUID
    name: str


class ContractorWork(Reply):
    """The contractor's tickets, the most pressing first, and whom they may name."""

    now: datetime
    tickets: list[ContractorTicket]
    engineers: list[ContractorEngineer]
    next_page: str | None


class ShiftLine(Reply):
    shift_id: UUID
    engineer_id: UUID
    engineer_name: str
    kind: Literal["work", "on_call"]
    starts_at: datetime
    ends_at: datetime


class ShiftPage(Reply):
    """By their start; `next_page` is the shift to ask on from."""

    shifts: list[ShiftLine]
    next_page: UUID | None
