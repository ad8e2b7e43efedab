"""What the dispatcher's pages say about checklists, parts, money and machines."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from mobile_contract.v1 import Code, Instant, Reply, Wire

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
MinorOrNone = Annotated[int, Field(ge=0, le=10**12)]


class OwnTexts(Wire):
    """A tenant's text in both languages, as it is written by the tenant."""

    zh: Name
    en: Name


class ChecklistWanted(Wire):
    """The whole checklist; its items are judged by the domain, see `checklist_invalid`."""

    items: list[dict[str, Any]] = Field(max_length=100)
    completion_photos: int | None = Field(default=None, ge=0, le=30)


class PriceWanted(Wire):
    """It stands from `valid_from` to before `valid_until`; always where neither is said."""

    name: OwnTexts
    kind: Literal["labour", "part", "call_out", "other"]
    unit_price_minor: MinorOrNone
    part: Code | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None


Payee = Literal["engineer", "contractor", "helper"]


class RateWanted(Wire):
    """`share_bp`: hundredths of a percent of the approved quote. A helper's rate is each helper's own."""

    fixed_minor: MinorOrNone
    share_bp: int = Field(default=0, ge=0, le=10_000)


class DatedRateWanted(RateWanted):
    """It stands from `valid_from` to before `valid_until`; one of them may be open."""

    work_type: Code
    payee_kind: Payee
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class Kept(Reply):
    """How many lines were kept."""

    lines: int


class AssetWanted(Wire):
    """A machine. Known by kind and serial number already, it keeps its id."""

    kind: Code
    serial: Name | None = None
    name: OwnTexts
    customer_id: UUID | None = None
    installed_at: Instant | None = None
    warranty_until: Instant | None = None


class AssetKept(Reply):
    asset_id: UUID


class MachinesWanted(Wire):
    asset_ids: list[UUID] = Field(max_length=50)


class AssetTicket(Reply):
    ticket_id: UUID
    ticket_no: str
    status: str
    work_type: str
    created_at: datetime
    done_at: datetime | None
    outcome: str | None
    text: str | None
    checklist: list[dict[str, object]] | None
    parent_id: UUID | None
    parent_kind: str | None
    parts: list[dict[str, str]]


class AssetHistory(Reply):
    """A machine and every ticket it was part of, newest first."""

    asset_id: UUID
    kind: str
    serial: str | None
    name: dict[str, str]
    installed_at: datetime | None
    warranty_until: datetime | None
    tickets: list[AssetTicket]


class ManagerLinkMade(Reply):
    """The address under which one customer accepts many tickets at once."""

    url: str
    expires_at: datetime


class FollowUpWanted(Wire):
    """A ticket after a closed one; without `description` it says what the one before said."""

    command_id: UUID
    kind: Literal["follow_up", "warranty_callback"]
    description: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)] | None = None


class FirstTimeFix(Reply):
    """一次修复率: tickets closed with work done, and those among them that one visit fixed for good."""

    closed: int
    fixed_first_time: int
