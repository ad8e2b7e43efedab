"""What the dispatcher's board and the server say to each other."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from mobile_contract.v1 import (
    ActionResult,
    ChecklistAnswer,
    Code,
    ContactCard,
    Datum,
    Line,
    PartUsed,
    PhotoCard,
    PositionReading,
    QuoteCard,
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
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[+0-9][0-9 ()\-]{2,29}$")]


class DispatcherSignIn(Wire):
    signin_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Me(Reply):
    dispatcher_id: UUID
    name: str
    role: Literal["admin", "dispatcher"]
    language: Literal["zh", "en"]
    tenant_name: Texts
    is_demo: bool
    csrf_token: str


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
    window_from: AwareDatetime | None = None
    window_to: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
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
    until: AwareDatetime | None = None
    keep_engineer: bool = False
    pauses_promise: bool = False
    window_from: AwareDatetime | None = None
    window_to: AwareDatetime | None = None
    duplicate_of: UUID | None = None
    photo_ids: list[UUID] = Field(default=[], max_length=30)
    photo_pending: list[Sha256] = Field(default=[], max_length=30)
    position: PositionReading | None = None
    outcome: Literal["fixed", "temporary", "not_fixed", "no_fault", "refused", "no_access"] | None = None
    quote_lines: list[QuoteLine] = Field(default=[], max_length=100)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    parts_used: list[PartUsed] = Field(default=[], max_length=100)
    checklist: list[ChecklistAnswer] = Field(default=[], max_length=200)
    # amend
    work_type: Code | None = None
    priority: Priority | None = None
    description: Text | None = None
    address: Line | None = None
    door: Line | None = None
    site: SitePosition | None = None
    contact_name: Line | None = None
    contact_phone: Phone | None = None
    due_at: AwareDatetime | None = None


class DispatcherCommand(Wire):
    command_id: UUID
    action: Code
    facts: DispatcherFacts = DispatcherFacts()


class ActionDone(Reply):
    result: ActionResult
    ticket: "BoardTicket"


class BoardTicket(Reply):
    """A line of the queue. `attention` names why a human must look; null when nothing waits."""

    ticket_id: UUID
    ticket_no: str
    status: str
    version: int
    priority: Priority
    work_type: WorkTypeCard
    description: str
    address: str
    site: Site | None
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
    acknowledged: bool
    offers_pending: int
    offer_expires_at: datetime | None
    hold_until: datetime | None
    eta_at: datetime | None
    allowed_actions: list[str]


class BoardEngineer(Reply):
    engineer_id: UUID
    name: str
    territory_id: UUID | None
    contractor: bool
    skills: dict[str, int]
    on_shift: bool
    position: Site | None
    position_at: datetime | None
    status: Literal["off", "free", "assigned", "en_route", "on_site"]
    ticket_id: UUID | None
    open_tickets: int
    planned_min: int
    limit_min: int


class StatusCount(Reply):
    status: str
    count: int


class Board(Reply):
    """The live board: every engineer, and the newest page of tickets not final."""

    as_of_seq: int
    now: datetime
    counts: list[StatusCount]
    attention_count: int
    tickets: list[BoardTicket]
    next_page: str | None
    engineers: list[BoardEngineer]


class TicketPage(Reply):
    tickets: list[BoardTicket]
    next_page: str | None


class HistoryLine(Reply):
    seq: int
    at: datetime
    action: str
    subject_type: str
    actor: str
    actor_name: str | None
    acting_for: str | None
    from_status: str | None
    to_status: str | None
    text: str | None
    facts: dict[str, object]


class OfferLine(Reply):
    offer_id: UUID
    engineer_id: UUID | None
    engineer_name: str | None
    contractor_id: UUID | None
    kind: str
    round: int
    status: Literal["pending", "accepted", "declined", "expired", "withdrawn"]
    offered_at: datetime
    expires_at: datetime
    seen_at: datetime | None
    reason: str | None


class EvidenceLine(Reply):
    photo: PhotoCard
    engineer_id: UUID | None
    distance_m: float | None
    flags: list[str]


class AcceptanceLine(Reply):
    verdict: Literal["signed_off", "rejected"]
    actor: str
    witnessed_by: UUID | None
    rating: int | None
    text: str | None
    reason: str | None
    signature_photo_id: UUID | None
    at: datetime


class TicketView(Reply):
    """One ticket, whole: what the board's side panel shows."""

    ticket: BoardTicket
    door: str | None
    contact: ContactCard
    language: str
    customer_link: str | None
    crew: list[dict[str, object]]
    offers: list[OfferLine]
    evidence: list[EvidenceLine]
    acceptances: list[AcceptanceLine]
    quote: QuoteCard | None
    history: list[HistoryLine]


class CandidateLine(Reply):
    """One engineer as the match sees them: refusals name the rule and its numbers."""

    engineer_id: UUID
    name: str
    eligible: bool
    rank: int | None
    score: float | None
    parts: dict[str, float]
    refusals: list[dict[str, object]]
    travel_s: int | None
    distance_m: int | None


class ReceiptView(Reply):
    """Why the engine chose. `travel_source` says whether times are road times or estimates."""

    receipt_id: UUID | None
    ticket_id: UUID
    decided_at: datetime
    as_of_seq: int
    mode: str
    chosen_engineer_id: UUID | None
    runner_up_engineer_id: UUID | None
    travel_source: str
    candidates: list[CandidateLine]


class ReceiptPage(Reply):
    receipts: list[ReceiptView]


class SkillLine(Reply):
    code: str
    name: Texts


class TerritoryLine(Reply):
    territory_id: UUID
    name: Texts
    zone: str
    area: dict[str, object] | None


class Catalogue(Reply):
    """What the form's lists show."""

    work_types: list[WorkTypeCard]
    skills: list[SkillLine]
    territories: list[TerritoryLine]
    reasons: dict[str, list[str]]


class DeadLetter(Reply):
    job_id: int
    job: str
    arguments: dict[str, object]
    tries: int
    failed_at: datetime | None
    error: str | None


class DeadLetterPage(Reply):
    dead_letters: list[DeadLetter]
    next_page: str | None


class Retried(Reply):
    job_id: int


class DayCount(Reply):
    day: date
    created: int
    closed: int


ActionDone.model_rebuild()
