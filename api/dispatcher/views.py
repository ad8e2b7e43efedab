"""What the dispatcher's board and the server say to each other."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import StringConstraints

from api.shapes import BoardTicket
from mobile_contract.v1 import (
    ActionResult,
    ContactCard,
    PhotoCard,
    QuoteCard,
    Reply,
    Site,
    Texts,
    Wire,
    WorkTypeCard,
)

#: Six digits of an authenticator app, or a recovery code.
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=6, max_length=20)]
#: A password somebody chooses now: length is what counts.
Password = Annotated[str, StringConstraints(min_length=10, max_length=200)]


class DispatcherSignIn(Wire):
    signin_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    code: Code | None = None


class Proof(Wire):
    """The second factor's code where there is one, else the password."""

    password: Annotated[str, StringConstraints(max_length=200)] | None = None
    code: Code | None = None


class NewPassword(Wire):
    old_password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    new_password: Password


class TotpCode(Wire):
    code: Code


class TotpStarted(Reply):
    """`qr` is a picture as a data address."""

    secret: str
    uri: str
    qr: str


class RecoveryCodes(Reply):
    recovery_codes: list[str]


class Me(Reply):
    dispatcher_id: UUID
    name: str
    role: Literal["admin", "dispatcher", "contractor"]
    totp: bool
    language: Literal["zh", "en"]
    tenant_name: Texts
    is_demo: bool
    csrf_token: str


class ActionDone(Reply):
    result: ActionResult
    ticket: "BoardTicket"


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
    """The live board: the engineers, those on shift first, and the newest page of tickets not final."""

    as_of_seq: int
    now: datetime
    counts: list[StatusCount]
    attention_count: int
    tickets: list[BoardTicket]
    next_page: str | None
    engineers: list[BoardEngineer]
    more_engineers: bool


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


class DoubtLine(Reply):
    """A reason for doubt and its numbers: evidence, never an accusation."""

    code: str
    points: int
    facts: dict[str, object]


class EvidenceLine(Reply):
    """A photo; of a check-in also its distance and what is left to doubt, 0 to 100 (null: not weighed yet)."""

    photo: PhotoCard
    engineer_id: UUID | None
    distance_m: float | None
    flags: list[str]
    doubt_score: int | None
    doubts: list[DoubtLine]


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
    """Why the engine chose. `travel_source` says whether times are road times or estimates; `holds` whether the
    stored receipt, computed again from its own facts, gives the same lines (null for one not stored)."""

    receipt_id: UUID | None
    ticket_id: UUID
    decided_at: datetime
    as_of_seq: int
    mode: str
    chosen_engineer_id: UUID | None
    runner_up_engineer_id: UUID | None
    travel_source: str
    holds: bool | None = None
    candidates: list[CandidateLine]


class ReceiptPage(Reply):
    receipts: list[ReceiptView]


class SkillLine(Reply):
    """`retired`: who has it keeps it, nobody else is given it."""

    code: str
    name: Texts
    retired: bool


class WorkTypeLine(WorkTypeCard):
    """`retired`: no new ticket is of it."""

    retired: bool


class TerritoryLine(Reply):
    territory_id: UUID
    name: Texts
    zone: str
    area: dict[str, object] | None


class Catalogue(Reply):
    """What the form's lists show."""

    work_types: list[WorkTypeLine]
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


class Place(Reply):
    text: str
    lon: float
    lat: float
    score: float


class Places(Reply):
    """Addresses that fit the words, best first."""

    places: list[Place]


ActionDone.model_rebuild()
