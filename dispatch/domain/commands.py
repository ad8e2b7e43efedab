"""What is asked for: who, what, with which facts. Frozen, plain, made at the front door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from dispatch.domain.lifecycle import Actor


class Role(StrEnum):
    """Who may come in. `policy.POLICY` says through which doors."""

    ADMIN = "admin"
    DISPATCHER = "dispatcher"
    ENGINEER = "engineer"
    CONTRACTOR = "contractor"
    CUSTOMER = "customer"
    API_KEY = "api_key"
    SYSTEM = "system"


ACTOR_OF: dict[Role, Actor] = {
    Role.ADMIN: Actor.DISPATCHER,
    Role.DISPATCHER: Actor.DISPATCHER,
    Role.API_KEY: Actor.DISPATCHER,
    Role.ENGINEER: Actor.ENGINEER,
    Role.CONTRACTOR: Actor.CONTRACTOR,
    Role.CUSTOMER: Actor.CUSTOMER,
    Role.SYSTEM: Actor.SYSTEM,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking, known for sure. A customer's principal holds one ticket and no other; a dispatcher's
    `territories` are those it sees and directs, none meaning all."""

    tenant_id: UUID
    role: Role
    id: UUID
    ticket_id: UUID | None = None
    contractor_id: UUID | None = None
    signin_id: UUID | None = None
    territories: frozenset[UUID] = frozenset()

    @property
    def actor(self) -> Actor:
        return ACTOR_OF[self.role]

    @property
    def narrowed(self) -> bool:
        """Sees a part of the company's tickets and engineers only."""
        return bool(self.territories) or self.role is Role.CONTRACTOR

    def directs(self, territory_id: UUID | None) -> bool:
        """What lies there, or nowhere, is the asker's to look after."""
        return not self.territories or territory_id is None or territory_id in self.territories


def system(tenant_id: UUID) -> Principal:
    """The product itself, acting on a deadline or a reaction."""
    return Principal(tenant_id, Role.SYSTEM, UUID(int=0))


@dataclass(frozen=True, slots=True)
class Reading:
    """A position as the phone gave it, already in WGS-84, with the raw reading beside it."""

    lon: float
    lat: float
    accuracy_m: float
    at: datetime
    raw_lon: float
    raw_lat: float
    datum: str
    mock: bool = False
    speed_mps: float | None = None


@dataclass(frozen=True, slots=True)
class QuoteLine:
    kind: str
    text: str
    quantity: Decimal
    unit_price_minor: int
    part: str | None = None
    price: str | None = None


@dataclass(frozen=True, slots=True)
class PartUsed:
    part: str
    quantity: Decimal
    serial: str | None = None
    old_returned: bool = False


@dataclass(frozen=True, slots=True)
class MachineDone:
    """What was found and done on one of a ticket's machines."""

    asset_id: UUID
    outcome: str
    checklist: tuple[Mapping[str, object], ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that an action may carry; each action reads its own."""

    acting_for: UUID | None = None
    engineer_id: UUID | None = None
    engineer_ids: tuple[UUID, ...] = ()
    helper_ids: tuple[UUID, ...] = ()
    confirm_broken_rules: bool = False
    offer_id: UUID | None = None
    colleague_id: UUID | None = None
    reason: str | None = None
    text: str | None = None
    position: Reading | None = None
    photo_ids: tuple[UUID, ...] = ()
    photo_pending: tuple[str, ...] = ()
    outcome: str | None = None
    until: datetime | None = None
    keep_engineer: bool = False
    pauses_promise: bool | None = None
    window_from: datetime | None = None
    window_to: datetime | None = None
    duplicate_of: UUID | None = None
    quote_lines: tuple[QuoteLine, ...] = ()
    currency: str | None = None
    parts_used: tuple[PartUsed, ...] = ()
    checklist: tuple[Mapping[str, object], ...] = ()
    machines: tuple[MachineDone, ...] = ()
    rating: int | None = None
    code: str | None = None
    method: str | None = None
    amount_minor: int | None = None
    reference: str | None = None
    # amend
    work_type: str | None = None
    priority: str | None = None
    description: str | None = None
    address: str | None = None
    door: str | None = None
    site: tuple[float, float] | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One step asked of one ticket. `request_hash` is the hash of the body as sent."""

    command_id: UUID
    ticket_id: UUID
    action: str
    facts: Facts = field(default_factory=Facts)
    device_at: datetime | None = None
    request_hash: bytes = b""
