"""What the match looks at: the work, the engineer as the database showed them, and a rule's no."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class WorkWanted:
    """What a ticket asks of an engineer. `skills` maps a code to the least level, `parts` a part to the
    quantity the van must hold; only urgent work may wake who is on call."""

    ticket_id: UUID
    skills: Mapping[str, int]
    duration_min: int
    territory_id: UUID | None
    window_from: datetime | None
    window_to: datetime | None
    due_at: datetime | None
    day: date
    priority: str = "normal"
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EngineerSeen:
    """An engineer as the database showed them. `shift` meets the wanted time, or is None; `limit_min` is the
    day's with approved overtime; `hour_cost_minor` is what an hour of theirs costs, `duration_min` how long this work
    takes them, None where nobody knows."""

    engineer_id: UUID
    name: str
    skills: Mapping[str, int]
    certified_until: Mapping[str, date]
    territory_id: UUID | None
    shift: tuple[datetime, datetime] | None
    absent: bool
    planned_min: int
    limit_min: int
    under_way: bool
    travel_s: int | None
    distance_m: int | None
    position_age_s: int | None
    refused: str | None
    excluded_by_customer: bool
    trainee: bool
    active: bool
    on_call: bool = False
    preferred: bool = False
    consents: bool = True
    hour_cost_minor: int | None = None
    van: Mapping[str, float] = field(default_factory=dict)
    contractor_visits: int = 0
    contractor_quota: int | None = None
    travel_source: str = "great_circle"
    duration_min: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that said no, with the numbers it looked at."""

    rule: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"rule": self.rule, **self.facts}
