"""Shapes of promises, messages, automations and webhooks on the dispatcher's board."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from api.shapes import Priority
from mobile_contract.v1 import Code, Instant, Phone, Reply, Wire

Minutes = Annotated[int, Field(ge=1, le=60 * 24 * 366)]
ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
SpanPair = Annotated[list[Annotated[int, Field(ge=0, le=1440)]], Field(min_length=2, max_length=2)]
DaySpans = Annotated[list[SpanPair], Field(max_length=8)]


class NameTexts(Wire):
    zh: ShortText
    en: ShortText


class PromiseStepWanted(Wire):
    """At `pct` per cent of the time tell `whom`."""

    pct: int = Field(ge=1, le=1000)
    whom: Literal["engineer", "dispatchers", "duty_manager"]


class PolicyWanted(Wire):
    name: NameTexts
    work_type: Code | None = None
    priority: Priority | None = None
    contract_id: UUID | None = None
    calendar_id: UUID | None = None
    response_min: Minutes | None = None
    arrival_min: Minutes | None = None
    resolution_min: Minutes | None = None
    steps: list[PromiseStepWanted] = Field(default=[], max_length=8)
    active: bool = True


class CalendarRules(Wire):
    """Minutes of the local day; `days` are the exceptions, an empty list is a holiday."""

    zone: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    week: Annotated[list[DaySpans], Field(min_length=7, max_length=7)]
    days: dict[date, DaySpans] = Field(default={}, max_length=2000)
    known_until: date | None = None


class CalendarWanted(Wire):
    name: NameTexts
    rules: CalendarRules


class ChinaDaysWanted(Wire):
    """Fill one year's holidays; on make-up days the hours of `like` count (0 is Monday)."""

    year: int = Field(ge=2004, le=2100)
    like: int = Field(default=0, ge=0, le=6)


class ContractWanted(Wire):
    """`customer_phone` absent: a contract that is there keeps its customer."""

    customer_phone: Phone | None = None
    number: ShortText
    starts_at: Instant
    ends_at: Instant | None = None


class DutyWanted(Wire):
    dispatcher_id: UUID
    starts_at: Instant
    ends_at: Instant


class Saved(Reply):
    id: UUID
    version: int | None = None


class PolicyLine(Reply):
    policy_id: UUID
    version: int
    name: dict[str, str]
    work_type: str | None
    priority: str | None
    contract_id: UUID | None
    calendar_id: UUID | None
    response_min: int | None
    arrival_min: int | None
    resolution_min: int | None
    steps: list[dict[str, int | str]]
    active: bool
    updated_at: datetime


class CalendarLine(Reply):
    calendar_id: UUID
    name: dict[str, str]
    version: int
    rules: dict[str, object]
    updated_at: datetime


class ContractLine(Reply):
    contract_id: UUID
    customer_id: UUID
    number: str
    starts_at: datetime
    ends_at: datetime | None


class DutyLine(Reply):
    duty_id: UUID
    dispatcher_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


class DispatcherLine(Reply):
    dispatcher_id: UUID
    name: str
    role: str


class PromiseSettings(Reply):
    """`next_page` is that of the contracts."""

    policies: list[PolicyLine]
    calendars: list[CalendarLine]
    contracts: list[ContractLine]
    next_page: UUID | None
    duties: list[DutyLine]
    dispatchers: list[DispatcherLine]


class LedgerLine(Reply):
    """`business_s` is null while it lasts."""

    running: bool
    reason: str | None
    from_at: datetime
    to_at: datetime | None
    business_s: int | None


class StepFired(Reply):
    pct: int
    whom: str
    due_at: datetime
    fired_at: datetime


class PromiseLine(Reply):
    clock_id: UUID
    kind: Literal["response", "arrival", "resolution"]
    cycle: int
    revision: int
    started_at: datetime
    due_at: datetime | None
    at_risk_at: datetime | None
    paused_reason: str | None
    ended: Literal["met", "dropped"] | None
    ended_at: datetime | None
    target_s: int
    elapsed_s: int
    late: bool
    guess: bool
    spans: list[LedgerLine]
    steps: list[StepFired]


class PromisePage(Reply):
    now: datetime
    promises: list[PromiseLine]


class RulesWanted(Wire):
    """Quiet hours as minutes of the local day, both or neither; bursts are gathered for `debounce_s`."""

    quiet_from_min: int | None = Field(default=None, ge=0, le=1439)
    quiet_to_min: int | None = Field(default=None, ge=0, le=1439)
    debounce_s: int = Field(default=20, ge=0, le=600)
    ladder_backup: bool = False

    @model_validator(mode="after")
    def both_or_neither(self) -> "RulesWanted":
        if (self.quiet_from_min is None) != (self.quiet_to_min is None):
            raise ValueError("quiet hours need a beginning and an end")
        return self


class ChannelWanted(Wire):
    """Keys of a channel; none keeps those entered before."""

    active: bool
    values: dict[Code, Annotated[str, StringConstraints(max_length=500)]] = Field(default={}, max_length=10)


class TargetWanted(Wire):
    channel: Code
    address: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class TargetsWanted(Wire):
    """In order of preference; what was there before is replaced."""

    targets: list[TargetWanted] = Field(max_length=10)


class RulesLine(Reply):
    quiet_from_min: int | None
    quiet_to_min: int | None
    debounce_s: int
    ladder_backup: bool


class ChannelLine(Reply):
    channel: str
    active: bool
    updated_at: datetime


class TargetLine(Reply):
    line_id: str
    person_kind: str
    person_id: UUID
    channel: str
    preference: int
    gone_at: datetime | None


class TellSettings(Reply):
    """`next_page` is that of the targets; `needs` says what each channel of a company's own asks for. Keys and
    addresses are never shown."""

    rules: RulesLine
    channels: list[ChannelLine]
    targets: list[TargetLine]
    next_page: str | None
    needs: dict[str, list[str]]
    wecom_callback: str


class MessageLine(Reply):
    message_id: UUID
    ticket_id: UUID | None
    ticket_no: str | None
    template: str
    person_kind: str
    person_name: str | None
    channel: str
    language: str
    status: Literal["waiting", "sending", "sent", "refused", "gone", "expired", "merged"]
    code: str | None
    tries: int
    not_before: datetime
    made_at: datetime
    sent_at: datetime | None


class RungLine(Reply):
    number: int
    whom: str
    channel: str
    at: datetime
    outcome: str | None
    code: str | None


class LadderLine(Reply):
    ladder_id: UUID
    offer_id: UUID
    engineer_name: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    rungs: list[RungLine]


class MessagePage(Reply):
    messages: list[MessageLine]
    ladders: list[LadderLine]
    next_page: str | None


class AutomationWanted(Wire):
    active: bool
    parameters: dict[Code, Annotated[int, Field(strict=True, ge=-(2**31), le=2**31)]] = Field(
        default={}, max_length=10
    )


class AutomationParameter(Reply):
    name: str
    value: int
    least: int
    most: int


class AutomationLine(Reply):
    kind: str
    active: bool
    parameters: list[AutomationParameter]


class AutomationPage(Reply):
    automations: list[AutomationLine]


class WebhookWanted(Wire):
    """`actions`: which events; none means all."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    actions: list[Code] = Field(default=[], max_length=60)
    active: bool = True


class WebhookSecret(Reply):
    endpoint_id: UUID
    secret: str | None


class WebhookLine(Reply):
    endpoint_id: UUID
    url: str
    actions: list[str]
    active: bool
    created_at: datetime
    old_secret_until: datetime | None
    pending: int
    failed: int


class WebhookPage(Reply):
    webhooks: list[WebhookLine]
    actions: list[str]


class AttemptLine(Reply):
    at: datetime
    status: int | None
    code: str | None


class DeliveryLine(Reply):
    delivery_id: UUID
    endpoint_id: UUID
    seq: int
    ticket_id: UUID | None
    ticket_no: str | None
    action: str
    body: dict[str, object]
    status: Literal["pending", "delivered", "failed"]
    tries: int
    next_at: datetime | None
    made_at: datetime
    ended_at: datetime | None
    attempts: list[AttemptLine]


class DeliveryPage(Reply):
    deliveries: list[DeliveryLine]
    next_page: str | None
