"""Shapes that several front doors share: a new ticket, a dispatcher's command, a line of the queue."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from mobile_contract.v1 import (
    ChecklistAnswer,
    Code,
    Datum,
    Instant,
    Line,
    MachineDone,
    Minor,
    PartUsed,
    PayMethod,
    Phone,
    PositionReading,
    QuoteLine,
    Reply,
    Sha256,
    Site,
    Text,
    Texts,
    Window,
    Wire,
    WorkTypeCard,
)

Priority = Literal["low", "normal", "high", "urgent"]


class SitePosition(Wire):
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    datum: Datum = Datum.WGS84


class NewTicket(Wire):
    """A repair wanted. Without `site` the ticket is created and asks the dispatcher for one."""

    command_id: UUID
    work_type: Code
    priority: Priority = "normal"
    description: Text
    address: Line
    door: Line | None = None
    site: SitePosition | None = None
    contact_name: Line | None = None
    contact_phone: Phone | None = None
    window_from: Instant | None = None
    window_to: Instant | None = None
    due_at: Instant | None = None
    language: Literal["zh", "en"] | None = None
    external_ref: Annotated[str, StringConstraints(max_length=120)] | None = None


class TicketCreated(Reply):
    ticket_id: UUID
    ticket_no: str
    status: str
    version: int
    seq: int
    customer_link: str | None


class DispatcherFacts(Wire):
    """What a dispatcher's action may carry. `acting_for` does the engineer's action in the
    engineer's name; the event is flagged."""

    acting_for: UUID | None = None
    engineer_id: UUID | None = None
    engineer_ids: list[UUID] = Field(default=[], max_length=20)
    helper_ids: list[UUID] = Field(default=[], max_length=10)
    confirm_broken_rules: bool = False
    offer_id: UUID | None = None
    colleague_id: UUID | None = None
    reason: Code | None = None
    text: Text | None = None
    until: Instant | None = None
    keep_engineer: bool = False
    pauses_promise: bool | None = None
    window_from: Instant | None = None
    window_to: Instant | None = None
    duplicate_of: UUID | None = None
    photo_ids: list[UUID] = Field(default=[], max_length=30)
    photo_pending: list[Sha256] = Field(default=[], max_length=30)
    position: PositionReading | None = None
    outcome: Literal["fixed", "temporary", "not_fixed", "no_fault", "refused", "no_access"] | None = None
    quote_lines: list[QuoteLine] = Field(default=[], max_length=100)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    parts_used: list[PartUsed] = Field(default=[], max_length=100)
    checklist: list[ChecklistAnswer] = Field(default=[], max_length=200)
    machines: list[MachineDone] = Field(default=[], max_length=50)
    method: PayMethod | None = None
    amount_minor: Minor | None = None
    reference: Line | None = None
    # amend
    work_type: Code | None = None
    priority: Priority | None = None
    description: Text | None = None
    address: Line | None = None
    door: Line | None = None
    site: SitePosition | None = None
    contact_name: Line | None = None
    contact_phone: Phone | None = None
    due_at: Instant | None = None


class DispatcherCommand(Wire):
    command_id: UUID
    action: Code
    facts: DispatcherFacts = DispatcherFacts()


class PromiseCard(Reply):
    """The promise due first. While paused `due_at` is null and `left_s` business seconds remain."""

    kind: Literal["response", "arrival", "resolution"]
    due_at: datetime | None
    at_risk_at: datetime | None
    paused_reason: str | None
    left_s: int
    guess: bool


class TicketLine(Reply):
    """What every line of a board shows of a ticket."""

    ticket_id: UUID
    ticket_no: str
    status: str
    version: int
    priority: Priority
    work_type: WorkTypeCard
    description: str
    address: str
    site: Site | None


class BoardTicket(TicketLine):
    """A line of the queue. `attention` names why a human must look; null when nothing waits. `name_by`: a
    contractor has it and names the engineer by then."""

    territory_id: UUID | None
    window: Window | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime
    source: str
    attention: str | None
    urged: int
    visit_id: UUID | None
    engineer_id: UUID | None
    engineer_name: str | None
    contractor_id: UUID | None = None
    contractor_name: Texts | None = None
    name_by: datetime | None = None
    acknowledged: bool
    offers_pending: int
    offer_expires_at: datetime | None
    hold_until: datetime | None
    eta_at: datetime | None
    eta_estimated: bool = False
    promise: PromiseCard | None = None
    allowed_actions: list[str]
