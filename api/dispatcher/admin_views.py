"""What the admin's page and the server say to each other about people, keys and lists."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from api.dispatcher.views import Password, SkillLine, TerritoryLine, WorkTypeLine
from mobile_contract.v1 import Code, DeviceCard, Instant, Phone, Reply, SigninId, Texts, Wire

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Scope = Literal["tickets:create", "tickets:read", "tickets:act"]
Levels = Annotated[dict[Code, Annotated[int, Field(ge=1, le=9)]], Field(max_length=50)]


class BothTexts(Wire):
    """A name in both languages."""

    zh: Name
    en: Name


class EngineerAdded(Wire):
    """The engineer agrees to sharing positions on the phone, not here."""

    name: Name
    signin_id: SigninId
    password: Password
    phone: Phone | None = None
    language: Literal["zh", "en"] = "zh"
    territory_id: UUID | None = None
    contractor_id: UUID | None = None
    skills: Levels = Field(default={})
    daily_limit_min: int = Field(default=480, ge=0, le=1440)
    trainee: bool = False


class DispatcherAdded(Wire):
    """`territory_ids` empty: all of them. A contractor's dispatcher names the contractor."""

    name: Name
    signin_id: SigninId
    password: Password
    role: Literal["admin", "dispatcher", "contractor"] = "dispatcher"
    language: Literal["zh", "en"] = "zh"
    contractor_id: UUID | None = None
    territory_ids: list[UUID] = Field(default=[], max_length=100)


class PasswordSet(Wire):
    password: Password


class ActiveSet(Wire):
    active: bool


class TerritoriesSet(Wire):
    territory_ids: list[UUID] = Field(max_length=100)


class Span(Wire):
    """Working hours, or hours on call: woken for what is urgent alone."""

    kind: Literal["work", "on_call"] = "work"
    starts_at: Instant
    ends_at: Instant


class ShiftsAdded(Wire):
    spans: list[Span] = Field(min_length=1, max_length=400)


class SkillAdded(Wire):
    code: Code
    name: BothTexts


class WorkTypeAdded(Wire):
    """`skills` maps a code to the least level; `mode` says how tickets of this kind find engineers."""

    code: Code
    name: BothTexts
    duration_min: int = Field(ge=1, le=1440)
    mode: Literal["offer", "direct", "pool", "manual"] = "offer"
    skills: Levels = Field(default={})
    completion_photos: int = Field(default=1, ge=0, le=30)
    check_in_radius_m: int = Field(default=150, ge=10, le=50_000)


class KeyAdded(Wire):
    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=3)
    expires_at: Instant | None = None


class Made(Reply):
    id: UUID


class KeyMade(Reply):
    """The key, shown this once."""

    key: str


class EngineerLine(Reply):
    engineer_id: UUID
    name: str
    signin_id: str
    language: str
    active: bool
    territory_id: UUID | None
    contractor_id: UUID | None
    daily_limit_min: int
    trainee: bool
    has_phone: bool
    consents: bool
    skills: dict[str, int]
    devices: int
    shifts_until: datetime | None


class DispatcherLine(Reply):
    dispatcher_id: UUID
    name: str
    signin_id: str
    role: Literal["admin", "dispatcher", "contractor"]
    language: str
    active: bool
    contractor_id: UUID | None
    totp: bool
    territory_ids: list[UUID]


class KeyLine(Reply):
    key_id: UUID
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class ContractorLine(Reply):
    contractor_id: UUID
    name: Texts


class EngineerPage(Reply):
    engineers: list[EngineerLine]
    next_page: UUID | None


class DispatcherPage(Reply):
    dispatchers: list[DispatcherLine]
    next_page: UUID | None


class KeyPage(Reply):
    keys: list[KeyLine]
    next_page: UUID | None


class Admin(Reply):
    """What an admin's forms choose from, at most 500 of each."""

    contractors: list[ContractorLine]
    skills: list[SkillLine]
    work_types: list[WorkTypeLine]
    territories: list[TerritoryLine]


class CustomerTicket(Reply):
    ticket_id: UUID
    ticket_no: str
    status: str
    work_type: str
    address: str
    description: str
    created_at: datetime
    closed_at: datetime | None
    contact_name: str | None
    contact_phone: str | None
    door: str | None


class CustomerWords(Reply):
    ticket_id: UUID | None
    text: str


class CustomerBrowser(Reply):
    """A browser the customer switched notices on in: its push service's address and keys."""

    ticket_id: UUID
    subscription: str
    language: str
    switched_on_at: datetime


class CustomerData(Reply):
    """One customer's data, readable, for handing to them."""

    customer_id: UUID
    tickets: list[CustomerTicket]
    words: list[CustomerWords]
    browsers: list[CustomerBrowser]


class DeviceLines(Reply):
    devices: list[DeviceCard]
