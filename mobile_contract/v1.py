"""Version 1 of what an engineer's phone and the server say to each other.

Every instant is an ISO 8601 string with an offset; every position names its datum;
seconds end in `_s`, minutes in `_min`, metres in `_m`. From the phone app's release on
this file changes by addition only (`mobile_contract.compat` checks it).
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

FIRST_YEAR, LAST_YEAR = 1900, 2200


def _on_a_calendar(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"a year from {FIRST_YEAR} to {LAST_YEAR} is needed")
    return at


#: An instant with its offset, in a year that every zone and every sum of days can say.
Instant = Annotated[AwareDatetime, AfterValidator(_on_a_calendar)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,40}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[+0-9][0-9 ()\-]{2,29}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Wire(BaseModel):
    """Requests refuse unknown fields, so a misspelt one is an error and not a silent loss."""

    model_config = ConfigDict(extra="forbid")


class Reply(BaseModel):
    """Replies may grow; clients ignore what they do not know."""


class Datum(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class Texts(BaseModel):
    """A tenant's text in both languages."""

    zh: str
    en: str


class PositionReading(Wire):
    """Where the phone says it is; `mock` is the system's flag for a faked position."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    datum: Datum = Datum.WGS84
    accuracy_m: float = Field(ge=0, le=100_000)
    at: Instant
    speed_mps: float | None = Field(default=None, ge=0, le=200)
    mock: bool = False


class PhotoFacts(Wire):
    """What the canvas drops, sent beside the photo."""

    taken_at: Instant | None = None
    original_sha256: Sha256 | None = None
    position: PositionReading | None = None


class QuoteLine(Wire):
    """`price` is the line of the price list it stands for: the unit price is then the list's."""

    kind: Literal["labour", "part", "call_out", "other"]
    text: Line
    quantity: Decimal = Field(gt=0, le=10_000, decimal_places=3)
    unit_price_minor: int = Field(ge=0, le=100_000_000)
    part: Code | None = None
    price: Code | None = None


class PartUsed(Wire):
    part: Code
    quantity: Decimal = Field(gt=0, le=10_000, decimal_places=3)
    serial: Line | None = None
    old_returned: bool = False


class ChecklistAnswer(Wire):
    item: Code
    value: bool | float | Line


class MachineDone(Wire):
    """One of the ticket's machines: how it ended there, with the checklist's answers for it."""

    asset_id: UUID
    outcome: Literal["fixed", "temporary", "not_fixed", "no_fault", "refused", "no_access"]
    checklist: list[ChecklistAnswer] = Field(default=[], max_length=200)
    text: Text | None = None


PayMethod = Literal["cash", "card", "wechat", "alipay", "transfer"]
ServiceCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
Minor = Annotated[int, Field(gt=0, le=10**12)]


class ActionFacts(Wire):
    """All that an action may carry; each action reads its own and refuses what it lacks."""

    offer_id: UUID | None = None
    colleague_id: UUID | None = None
    reason: Code | None = None
    text: Text | None = None
    position: PositionReading | None = None
    photo_ids: list[UUID] = Field(default=[], max_length=30)
    photo_pending: list[Sha256] = Field(default=[], max_length=30)
    outcome: Literal["fixed", "temporary", "not_fixed", "no_fault", "refused", "no_access"] | None = None
    until: Instant | None = None
    keep_engineer: bool = False
    window_from: Instant | None = None
    window_to: Instant | None = None
    quote_lines: list[QuoteLine] = Field(default=[], max_length=100)
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    parts_used: list[PartUsed] = Field(default=[], max_length=100)
    checklist: list[ChecklistAnswer] = Field(default=[], max_length=200)
    machines: list[MachineDone] = Field(default=[], max_length=50)
    rating: int | None = Field(default=None, ge=1, le=5)
    code: ServiceCode | None = None
    method: PayMethod | None = None
    amount_minor: Minor | None = None
    reference: Line | None = None


class ActionCommand(Wire):
    """One tap. `command_id` is made by the phone; sending it again changes nothing."""

    command_id: UUID
    ticket_id: UUID
    action: Code
    at: Instant
    facts: ActionFacts = ActionFacts()


class ActionBatch(Wire):
    """The offline queue, oldest first."""

    commands: list[ActionCommand] = Field(min_length=1, max_length=100)


SigninId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
#: The device's own secret: at least 128 random bits, made once by the phone and never shown.
DeviceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{22,100}$")]


class SignIn(Wire):
    """Without `device_id` there is no refresh token, and the sign-in lasts ten minutes."""

    signin_id: SigninId
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    device: Annotated[str, StringConstraints(max_length=200)] = ""
    device_id: DeviceId | None = None


class CodeWanted(Wire):
    """A one-time code to the engineer's phone; at most one a minute goes out."""

    signin_id: SigninId


class SignInByCode(Wire):
    signin_id: SigninId
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    device: Annotated[str, StringConstraints(max_length=200)] = ""
    device_id: DeviceId | None = None


class Refresh(Wire):
    """The newest refresh token. The answer's token takes its place; the old one answers the same for 60 s more,
    in case the answer was lost. After that an old token, or one from another device, ends the sign-in."""

    refresh_token: Annotated[str, StringConstraints(min_length=1, max_length=1000)]
    device_id: DeviceId


class SignedIn(Reply):
    """`expires_at` is the access token's end, ten minutes from now."""

    access_token: str
    expires_at: datetime
    engineer_id: UUID
    name: str
    language: Literal["zh", "en"]
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None


class DeviceCard(Reply):
    """A signed-in device of mine; `current` is the one asking."""

    device_id: UUID
    device: str
    created_at: datetime
    seen_at: datetime
    current: bool


class Devices(Reply):
    devices: list[DeviceCard]


class PushTarget(Wire):
    platform: Literal["fcm", "web"]
    target: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class PushTargetGone(Wire):
    """This device is to be told nothing more; `target` as it was put."""

    platform: Literal["fcm", "web"]
    target: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class PushKey(Reply):
    """What a browser subscribes with (VAPID, base64url); null where the installation sends no Web Push."""

    public_key: str | None


class PushAck(Wire):
    """The phone shows the offer: escalation counts on this, never on the provider's word."""

    offer_id: UUID


class Site(Reply):
    lon: float
    lat: float
    datum: Datum = Datum.WGS84


class Window(Reply):
    start: datetime
    end: datetime


class WorkTypeCard(Reply):
    code: str
    name: Texts
    duration_min: int
    completion_photos: int
    check_in_radius_m: int


class ChecklistChoice(Reply):
    code: str
    label: Texts


class ShowWhen(Reply):
    """Asked only where the answer to `item` is among `is_`."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    item: str
    is_: list[bool | float | str] = Field(alias="is")


class ChecklistItem(Reply):
    """A step to answer. The answer to a photo or signature is the photo's id or SHA-256. `outcomes` null:
    asked for every outcome where something was done."""

    item: str
    kind: Literal["yes_no", "choice", "number", "text", "photo", "signature"]
    label: Texts
    required: bool = False
    choices: list[ChecklistChoice] = []
    unit: str | None = None
    least: float | None = None
    most: float | None = None
    show_when: ShowWhen | None = None
    outcomes: list[str] | None = None


class MachineCard(Reply):
    """One of the ticket's machines; `outcome` null while nothing is done on it."""

    asset_id: UUID
    kind: str
    serial: str | None
    name: Texts
    outcome: str | None


class ContactCard(Reply):
    name: str | None
    phone: str | None


class QuoteCard(Reply):
    quote_id: UUID
    status: Literal["open", "approved", "refused", "superseded"]
    currency: str
    total_minor: int


class TicketCard(Reply):
    """One of today's tickets. `allowed_actions` are the buttons, in the table's order."""

    ticket_id: UUID
    ticket_no: str
    status: str
    version: int
    priority: Literal["low", "normal", "high", "urgent"]
    work_type: WorkTypeCard
    description: str
    address: str
    door: str | None
    site: Site | None
    contact: ContactCard
    window: Window | None
    due_at: datetime | None
    visit_id: UUID
    visit_number: int
    role: Literal["lead", "helper", "trainee"]
    acknowledged: bool
    checked_in_at: datetime | None
    eta_at: datetime | None
    eta_estimated: bool = False
    """The time stands on distance alone, not on roads: show it as an estimate."""
    hold_until: datetime | None
    outcome: str | None
    checklist: list[ChecklistItem] = []
    machines: list[MachineCard] = []
    service_code: bool = False
    quote: QuoteCard | None
    discount_percent: int | None = None
    """Allowed by a dispatcher: the next quote takes it off by itself."""
    photos: list["PhotoCard"]
    allowed_actions: list[str]


class PhotoCard(Reply):
    photo_id: UUID
    kind: Literal["intake", "check_in", "completion", "reject", "signature"]
    taken_at: datetime
    pending: bool


class OfferCard(Reply):
    """An offer to me, or (in the pool) a ticket I may grab. The door and contact come with acceptance."""

    offer_id: UUID | None
    kind: Literal["offer", "hand_over", "pool"]
    ticket_id: UUID
    ticket_no: str
    priority: Literal["low", "normal", "high", "urgent"]
    work_type: WorkTypeCard
    description: str
    address: str
    site: Site | None
    window: Window | None
    due_at: datetime | None
    travel_s: int | None
    distance_m: int | None
    travel_estimated: bool = True
    """Whether travel_s stands on distance alone and not on roads: then say so beside it."""
    expires_at: datetime | None
    collect_until: datetime | None = None
    """Until then a grab puts my name down, and the best of those who did gets the ticket."""
    name_down: bool = False
    allowed_actions: list[str]


class EngineerCard(Reply):
    engineer_id: UUID
    name: str
    language: Literal["zh", "en"]
    on_shift: bool
    shift_from: datetime | None
    shift_to: datetime | None
    planned_min: int
    limit_min: int


class Today(Reply):
    """Everything the phone shows, whole, so that a lost push costs nothing."""

    v: Literal[1] = 1
    as_of_seq: int
    now: datetime
    engineer: EngineerCard
    tickets: list[TicketCard]
    offers: list[OfferCard]
    pool_count: int


class Pool(Reply):
    tickets: list[OfferCard]
    next_page: str | None


class ActionResult(Reply):
    """What the command did; sent again, the same `result` comes back. `today` is fresh."""

    command_id: UUID
    ticket_id: UUID
    action: str
    status: str
    version: int
    seq: int


class ActionReply(Reply):
    result: ActionResult
    today: Today


class Problem(Reply):
    """RFC 9457 problem details. Clients translate `code`."""

    type: str = "about:blank"
    code: str
    title: str
    status: int
    facts: dict[str, object] = {}
    trace_id: str


class BatchItem(Reply):
    command_id: UUID
    status: int
    result: ActionResult | None = None
    problem: Problem | None = None


class BatchReply(Reply):
    items: list[BatchItem]
    today: Today


class PositionBatch(Wire):
    positions: list[PositionReading] = Field(min_length=1, max_length=500)


class PositionConsent(Wire):
    """Without the engineer's own consent no position is stored, and tickets are not matched by it."""

    agreed: bool


class PositionView(Reply):
    """A dispatcher was shown my position in the hour that begins at `hour`."""

    name: str
    hour: datetime
    last_at: datetime


class PositionUse(Reply):
    """What becomes of my positions: kept this many days, shown to these people, newest first."""

    agreed: bool
    kept_days: int
    views: list[PositionView]


class PositionsTaken(Reply):
    taken: int
    refused: int


class StockLine(Reply):
    """A part of the tenant's list, and how much of it this engineer's van holds by the books."""

    part: str
    name: Texts
    unit: str
    serialised: bool
    returned: bool
    price_minor: int | None
    in_van: float


class PriceLine(Reply):
    code: str
    name: Texts
    kind: Literal["labour", "part", "call_out", "other"]
    unit_price_minor: int
    part: str | None


class Stock(Reply):
    parts: list[StockLine]
    prices: list[PriceLine]


class UploadWanted(Wire):
    """A photo that comes in pieces; the facts are those the canvas drops, as beside a whole photo."""

    ticket_id: UUID
    kind: Literal["check_in", "completion", "signature", "reject"]
    bytes_total: int = Field(ge=1, le=50 * 1024 * 1024)
    facts: PhotoFacts = PhotoFacts()


class UploadStatus(Reply):
    """How much of the photo is safe; the next piece begins at `offset`. `photo` once all of it is taken."""

    photo_id: UUID
    offset: int
    bytes_total: int
    expires_at: datetime
    photo: "PhotoTaken | None" = None


class PhotoTaken(Reply):
    photo_id: UUID
    sha256: str
    width: int
    height: int


class EventCard(Reply):
    seq: int
    at: datetime
    action: str
    actor: str
    from_status: str | None
    to_status: str | None
    text: str | None


class TicketDetail(Reply):
    ticket: TicketCard
    history: list[EventCard]


class Changes(Reply):
    """What happened since a cursor; pull again while `more`."""

    cursor: int
    more: bool
    ticket_ids: list[UUID]


class Receipt(Reply):
    """Why the engine chose: for an engineer, only what concerns this engineer."""

    receipt_id: UUID
    ticket_id: UUID
    decided_at: datetime
    as_of_seq: int
    mode: str
    chosen: bool
    rank: int | None
    score: float | None
    parts: dict[str, float]
    refusals: list[dict[str, object]]


class Colleague(Reply):
    engineer_id: UUID
    name: str


class Colleagues(Reply):
    """Whom a visit may be handed over to."""

    engineers: list[Colleague]


class RequestWanted(Wire):
    """Overtime (day, minutes), leave (starts_at, ends_at), a discount on a ticket (percent), or a part that a ticket
    needs (part, quantity): what the kind does not need stays away."""

    command_id: UUID
    kind: Literal["overtime", "leave", "discount", "part"]
    ticket_id: UUID | None = None
    day: date | None = None
    minutes: int | None = Field(default=None, ge=1, le=480)
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    percent: int | None = Field(default=None, ge=1, le=100)
    part: Code | None = None
    quantity: Decimal | None = Field(default=None, gt=0, le=10_000, decimal_places=3)


class RequestWithdrawal(Wire):
    command_id: UUID


class RequestStatus(Reply):
    request_id: UUID
    status: Literal["open", "approved", "refused", "withdrawn"]


class RequestLine(Reply):
    """One request; `booked` is how many of the engineer's visits lie in a leave asked for."""

    request_id: UUID
    kind: Literal["overtime", "leave", "discount", "part"]
    engineer_id: UUID
    engineer_name: str
    ticket_id: UUID | None
    ticket_no: str | None
    status: Literal["open", "approved", "refused", "withdrawn"]
    facts: dict[str, object]
    asked_at: datetime
    answered_at: datetime | None
    answered_by: str | None
    booked: int


class ShiftCard(Reply):
    """Hours of work, or on call: then only what is urgent comes."""

    kind: Literal["work", "on_call"]
    starts_at: datetime
    ends_at: datetime


class Shifts(Reply):
    """My own of the next 28 days, by their start."""

    shifts: list[ShiftCard]


class RequestPage(Reply):
    """Open ones first, newest first; `next_page` is the request to ask on from."""

    requests: list[RequestLine]
    next_page: UUID | None


TicketCard.model_rebuild()
UploadStatus.model_rebuild()
