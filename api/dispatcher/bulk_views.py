"""What board and server say of bulk actions and requests."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from mobile_contract.v1 import Code, Instant, Reply, Wire


class EngineerOut(Wire):
    """An engineer who is away from `starts_at` to `ends_at`: `sick`, `vehicle`, `overloaded` or `other`."""

    command_id: UUID
    starts_at: Instant
    ends_at: Instant
    reason: Code = "sick"


class BulkRebook(Wire):
    command_id: UUID
    ticket_ids: list[UUID] = Field(min_length=1, max_length=200)
    later_min: int = Field(ge=1, le=44_640)


class BulkLine(Reply):
    """What became of one ticket: `refused` has the code and facts a single action would have answered."""

    ticket_id: UUID
    ticket_no: str | None
    outcome: Literal["assigned", "offered", "open", "rebooked", "refused"]
    engineer_id: UUID | None
    engineer_name: str | None
    window_from: datetime | None
    window_to: datetime | None
    broken_rules: list[str]
    code: str | None
    facts: dict[str, object]


class BulkReport(Reply):
    report_id: UUID
    kind: Literal["engineer_out", "rebook", "batch"]
    at: datetime
    asked_by: str | None = None
    facts: dict[str, object]
    lines: list[BulkLine]


class BulkPage(Reply):
    """Newest first; `next_page` is the report to ask on from."""

    reports: list[BulkReport]
    next_page: UUID | None


class RequestAnswer(Wire):
    command_id: UUID
    verdict: Literal["approve", "refuse"]
