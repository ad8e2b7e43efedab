"""Who fits a ticket: named rules refuse with numbers, named scores rank, a receipt keeps both.

Pure. Lower scores are better; every score part is in the same unit, a minute of travel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from dispatch.domain.tenancy import TenantRules


@dataclass(frozen=True, slots=True)
class WorkWanted:
    """What a ticket asks of an engineer. `skills` maps a code to the least level."""

    ticket_id: UUID
    skills: Mapping[str, int]
    duration_min: int
    territory_id: UUID | None
    window_from: datetime | None
    window_to: datetime | None
    due_at: datetime | None
    day: date


@dataclass(frozen=True, slots=True)
class EngineerSeen:
    """An engineer as the database showed them. `shift` covers the wanted time, or is None."""

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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule that said no, with the numbers it looked at."""

    rule: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"rule": self.rule, **self.facts}


Rule = Callable[[WorkWanted, EngineerSeen, TenantRules, datetime], Refusal | None]


def skilled(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """Every skill the work needs, at its level."""
    for skill, level in work.skills.items():
        if engineer.skills.get(skill, 0) < level:
            return Refusal("skill", {"skill": skill, "needs": level, "has": engineer.skills.get(skill, 0)})
    return None


def certified(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """A skill that is certified must be so on the day of the visit."""
    for skill in work.skills:
        until = engineer.certified_until.get(skill)
        if until is not None and until < work.day:
            return Refusal(
                "certificate", {"skill": skill, "until": until.isoformat(), "day": work.day.isoformat()}
            )
    return None


def on_shift(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """A shift that covers the visit's time, and no absence over it."""
    if engineer.absent:
        return Refusal("absent", {"day": work.day.isoformat()})
    if engineer.shift is None:
        return Refusal("off_shift", {"day": work.day.isoformat()})
    return None


def in_territory(
    work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime
) -> Refusal | None:
    """The ticket's territory, where both have one."""
    if work.territory_id and engineer.territory_id and work.territory_id != engineer.territory_id:
        return Refusal("territory", {"needs": str(work.territory_id), "has": str(engineer.territory_id)})
    return None


def has_room(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """The day's workload with this visit stays within the engineer's limit."""
    after = engineer.planned_min + work.duration_min
    if after > engineer.limit_min:
        return Refusal(
            "workload",
            {
                "planned_min": engineer.planned_min,
                "visit_min": work.duration_min,
                "limit_min": engineer.limit_min,
            },
        )
    return None


def in_reach(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """Travel within the tenant's limit, and arrival before the promised window ends."""
    if engineer.travel_s is None:
        return Refusal("position_unknown")
    if engineer.travel_s > rules.max_travel_min * 60:
        return Refusal("too_far", {"travel_s": engineer.travel_s, "limit_s": rules.max_travel_min * 60})
    if work.window_to is not None:
        arrives = earliest_arrival(engineer, now)
        if arrives > work.window_to:
            late = int((arrives - work.window_to).total_seconds())
            return Refusal("arrives_late", {"late_s": late, "travel_s": engineer.travel_s})
    return None


def not_refused(
    work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime
) -> Refusal | None:
    """Who said no to this ticket is not asked again."""
    return Refusal("refused_before", {"reason": engineer.refused}) if engineer.refused else None


def welcome(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """The customer has not asked for somebody else."""
    return Refusal("excluded_by_customer") if engineer.excluded_by_customer else None


def may_lead(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """Active, and not a trainee: trainees come along, they do not lead."""
    if not engineer.active:
        return Refusal("inactive")
    return Refusal("trainee") if engineer.trainee else None


RULES: tuple[Rule, ...] = (
    may_lead, skilled, certified, on_shift, in_territory, has_room, in_reach, not_refused, welcome,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engineer's line of a receipt. `parts` are the score's parts in travel minutes."""

    engineer: EngineerSeen
    refusals: tuple[Refusal, ...]
    parts: Mapping[str, float]

    @property
    def eligible(self) -> bool:
        return not self.refusals

    @property
    def score(self) -> float:
        return round(sum(self.parts.values()), 3)


@dataclass(frozen=True, slots=True)
class Match:
    """Candidates, eligible first, best first. Equal scores are decided by the engineer's id."""

    candidates: tuple[Candidate, ...]

    @property
    def eligible(self) -> tuple[Candidate, ...]:
        return tuple(c for c in self.candidates if c.eligible)


def match(work: WorkWanted, engineers: list[EngineerSeen], rules: TenantRules, now: datetime) -> Match:
    """Every engineer judged by every rule; the eligible ranked by score."""
    judged = [judge(work, engineer, rules, now) for engineer in engineers]
    judged.sort(key=lambda c: (not c.eligible, c.score, str(c.engineer.engineer_id)))
    return Match(tuple(judged))


def judge(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Candidate:
    """One engineer: all broken rules (not only the first), and the score parts."""
    refusals = tuple(r for r in (rule(work, engineer, rules, now) for rule in RULES) if r is not None)
    return Candidate(engineer, refusals, score_parts(work, engineer, rules, now))


def score_parts(
    work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime
) -> dict[str, float]:
    """travel: minutes to drive; lateness: minutes past due; workload: share of the day already
    planned; overqualified: levels above what is needed; each times its tenant's weight."""
    travel_min = (engineer.travel_s or 0) / 60
    late_min = 0.0
    if work.due_at is not None:
        late_min = max(0.0, (earliest_arrival(engineer, now) - work.due_at).total_seconds() / 60)
    share = engineer.planned_min / engineer.limit_min if engineer.limit_min else 1.0
    spare_levels = sum(engineer.skills.get(skill, 0) - level for skill, level in work.skills.items())
    return {
        "travel": round(rules.weight_travel_min * travel_min, 3),
        "lateness": round(rules.weight_late_min * late_min, 3),
        "workload": round(rules.weight_workload * share, 3),
        "overqualified": round(rules.weight_overqualified * max(0, spare_levels), 3),
    }


def earliest_arrival(engineer: EngineerSeen, now: datetime) -> datetime:
    """The first instant this engineer could stand at the site, if sent now."""
    leaves = max(now, engineer.shift[0]) if engineer.shift else now
    return leaves + timedelta(seconds=engineer.travel_s or 0)


def receipt_body(found: Match, travel_source: str) -> dict[str, object]:
    """The receipt as stored: every candidate, each failed rule with its numbers, each score part."""
    ranks = {c.engineer.engineer_id: i for i, c in enumerate(found.eligible, start=1)}
    return {
        "travel_source": travel_source,
        "candidates": [
            {
                "engineer_id": str(c.engineer.engineer_id),
                "eligible": c.eligible,
                "rank": ranks.get(c.engineer.engineer_id),
                "score": c.score,
                "parts": dict(c.parts),
                "refusals": [r.as_json() for r in c.refusals],
                "travel_s": c.engineer.travel_s,
                "distance_m": c.engineer.distance_m,
                "seen": seen_facts(c.engineer),
            }
            for c in found.candidates
        ],
    }


def seen_facts(engineer: EngineerSeen) -> dict[str, object]:
    """The facts a receipt rests on, so that it can be computed again."""
    return {
        "skills": dict(engineer.skills),
        "planned_min": engineer.planned_min,
        "limit_min": engineer.limit_min,
        "shift": [at.isoformat() for at in engineer.shift] if engineer.shift else None,
        "absent": engineer.absent,
        "position_age_s": engineer.position_age_s,
        "refused": engineer.refused,
    }
