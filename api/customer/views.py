"""What a customer's link shows and takes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from mobile_contract.v1 import (
    ActionResult,
    Code,
    Instant,
    Line,
    Phone,
    PhotoCard,
    QuoteCard,
    Reply,
    Text,
    Texts,
    Window,
    Wire,
)


class CustomerFacts(Wire):
    reason: Code | None = None
    text: Text | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    photo_ids: list[UUID] = Field(default=[], max_length=10)
    window_from: Instant | None = None
    window_to: Instant | None = None


class CustomerCommand(Wire):
    command_id: UUID
    action: Code
    facts: CustomerFacts = CustomerFacts()


class Browser(Wire):
    """A browser's push subscription, as JSON."""

    subscription: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class BrowserWanted(Browser):
    """Tell this browser of the link's ticket, in this language."""

    language: Literal["zh", "en"]


class Step(Reply):
    """A line of the customer's progress: what happened, when."""

    at: datetime
    action: str
    to_status: str | None


class QuoteLineShown(Reply):
    """A line of the price; a discount's is negative."""

    kind: Literal["labour", "part", "call_out", "other", "discount"]
    text: str
    quantity: Decimal
    unit_price_minor: int
    part: str | None
    price: str | None = None


class CustomerTicket(Reply):
    """What the customer may see: who comes, when, what was done. Never another customer's data."""

    ticket_no: str
    status: str
    version: int
    language: Literal["zh", "en"]
    zone: str
    tenant_name: Texts
    work_type: Texts
    description: str
    address: str
    window: Window | None
    eta_at: datetime | None
    eta_estimated: bool = False
    away_m: int | None
    engineer_name: str | None
    outcome: str | None
    what_was_done: str | None
    quote: QuoteCard | None
    quote_lines: list[QuoteLineShown]
    photos: list[PhotoCard]
    progress: list[Step]
    sign_off_by: datetime | None
    hold_until: datetime | None
    reopen_by: datetime | None
    demo: bool
    service_code: str | None
    paid_minor: int
    allowed_actions: list[str]


class CustomerDone(Reply):
    result: ActionResult
    ticket: CustomerTicket


class RequestedTicket(Wire):
    """The public form, as JSON: photos follow by the link that comes back."""

    command_id: UUID
    work_type: Code
    description: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    door: Line | None = None
    contact_name: Line | None = None
    contact_phone: Phone
    language: Literal["zh", "en"] | None = None


class Requested(Reply):
    """The request came in; the link shows how it goes on."""

    ticket_no: str
    status: str
    customer_link: str
