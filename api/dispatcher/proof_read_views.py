"""What the board reads of a ticket's proof and money, and of the lists behind them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from mobile_contract.v1 import Reply, Texts

Coverage = Literal["warranty", "paid", "contract", "goodwill"]
Outcome = Literal["fixed", "temporary", "not_fixed", "no_fault", "refused", "no_access"]
ParentKind = Literal["follow_up", "warranty_callback"]


class LinkedTicket(Reply):
    """A ticket before this one or after it."""

    ticket_id: UUID
    ticket_no: str
    kind: ParentKind
    status: str


class VisitDone(Reply):
    """`checklist`: [{"item", "value"}], to be read beside TicketProof.items."""

    visit_id: UUID
    number: int
    engineer_name: str | None
    checked_in_at: datetime | None
    completed_at: datetime | None
    outcome: Outcome | None
    text: str | None
    checklist: list[dict[str, object]]


class MachineDone(Reply):
    asset_id: UUID
    kind: str
    serial: str | None
    name: Texts
    warranty_until: datetime | None
    outcome: Outcome | None
    text: str | None
    checklist: list[dict[str, object]]
    done_at: datetime | None


class PartUsedLine(Reply):
    """`returned`: the old part that came out."""

    part: str
    name: Texts
    unit: str
    quantity: str
    serial: str | None
    returned: bool
    at: datetime


class QuoteLines(Reply):
    quote_id: UUID
    version: int
    status: Literal["open", "approved", "refused", "superseded"]
    currency: str
    total_minor: int
    lines: list[dict[str, object]]
    quoted_at: datetime
    answered_at: datetime | None


class PaymentLine(Reply):
    payment_id: UUID
    method: str
    currency: str
    amount_minor: int
    reference: str | None
    actor: str
    at: datetime


class EarnedLine(Reply):
    """Negative where it takes back what was earned before."""

    payee_kind: str
    payee: Texts | None
    reason: str
    currency: str
    amount_minor: int
    at: datetime


class TicketProof(Reply):
    """Newest visit and quote first; `items` is the checklist as it stands now."""

    coverage: Coverage
    parent: LinkedTicket | None
    children: list[LinkedTicket]
    items: list[dict[str, object]]
    visits: list[VisitDone]
    machines: list[MachineDone]
    parts: list[PartUsedLine]
    quotes: list[QuoteLines]
    payments: list[PaymentLine]
    earned: list[EarnedLine]


class ChecklistLine(Reply):
    code: str
    name: Texts
    items: list[dict[str, object]]
    completion_photos: int


class ChecklistPage(Reply):
    checklists: list[ChecklistLine]
    next_page: str | None


class PriceLine(Reply):
    line_id: str
    code: str
    name: Texts
    kind: Literal["labour", "part", "call_out", "other"]
    unit_price_minor: int
    part: str | None
    valid_from: datetime | None
    valid_until: datetime | None


class PricePage(Reply):
    """Integer minor units of `currency`."""

    currency: str
    prices: list[PriceLine]
    next_page: str | None


class RateLine(Reply):
    """The standing rate has neither `rate_id` nor days; a dated one stands instead of it on its days."""

    line_id: str
    rate_id: UUID | None
    work_type: str
    payee_kind: str
    fixed_minor: int
    share_bp: int
    valid_from: datetime | None
    valid_until: datetime | None


class RatePage(Reply):
    """Integer minor units of `currency`."""

    currency: str
    rates: list[RateLine]
    next_page: str | None
