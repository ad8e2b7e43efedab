"""Who fits a ticket: named rules refuse with numbers, named scores rank.

Pure. Lower scores are better; every score part is in the same unit, a minute of travel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from dispatch.domain.matching_facts import EngineerSeen, Refusal, WorkWanted
from dispatch.domain.matching_rules import RULES, earliest_arrival
from dispatch.domain.tenancy import TenantRules

__all__ = ["Candidate", "EngineerSeen", "Match", "Refusal", "WorkWanted", "judge", "match", "score_parts"]


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
    """Each part times its tenant's weight: `travel` minutes to drive; `lateness` minutes past due; `workload`
    the share of the day already planned; `overqualified` levels above what is needed; `preferred` less than 0 for
    the customer's favourite; `cost` the visit's in hundreds of minor units, driving included."""
    travel_min = (engineer.travel_s or 0) / 60
    late_min = 0.0
    if work.due_at is not None:
        late_min = max(0.0, (earliest_arrival(engineer, now) - work.due_at).total_seconds() / 60)
    share = engineer.planned_min / engineer.limit_min if engineer.limit_min else 1.0
    spare_levels = sum(engineer.skills.get(skill, 0) - level for skill, level in work.skills.items())
    hours = (travel_min + (engineer.duration_min or work.duration_min)) / 60
    return {
        "travel": round(rules.weight_travel_min * travel_min, 3),
        "lateness": round(rules.weight_late_min * late_min, 3),
        "workload": round(rules.weight_workload * share, 3),
        "overqualified": round(rules.weight_overqualified * max(0, spare_levels), 3),
        "preferred": round(-rules.weight_preferred * engineer.preferred, 3),
        "cost": round(rules.weight_cost * hours * (engineer.hour_cost_minor or 0) / 100, 3),
    }
