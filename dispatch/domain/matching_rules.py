"""The named rules of the match: each looks at one thing and refuses with its numbers, or says nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

from dispatch.domain.matching_facts import EngineerSeen, Refusal, WorkWanted
from dispatch.domain.tenancy import TenantRules

Rule = Callable[[WorkWanted, EngineerSeen, TenantRules, datetime], Refusal | None]

#: Who is on call is woken for these only.
ON_CALL_FOR = frozenset({"high", "urgent"})


def may_lead(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """Active, and not a trainee: trainees come along, they do not lead."""
    if not engineer.active:
        return Refusal("inactive")
    return Refusal("trainee") if engineer.trainee else None


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
    """A shift that meets the visit's time, and no absence over it; on call counts for urgent work."""
    if engineer.absent:
        return Refusal("absent", {"day": work.day.isoformat()})
    if engineer.shift is None:
        return Refusal("off_shift", {"day": work.day.isoformat()})
    if engineer.on_call and work.priority not in ON_CALL_FOR:
        return Refusal("on_call_only", {"priority": work.priority})
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
    takes_min = engineer.duration_min or work.duration_min
    if engineer.planned_min + takes_min <= engineer.limit_min:
        return None
    return Refusal(
        "workload",
        {
            "planned_min": engineer.planned_min,
            "visit_min": takes_min,
            "limit_min": engineer.limit_min,
        },
    )


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


def carries_parts(
    work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime
) -> Refusal | None:
    """The van holds the parts that were set aside for this ticket."""
    for part, wanted in work.parts.items():
        have = engineer.van.get(part, 0.0)
        if have < wanted:
            return Refusal("parts", {"part": part, "needs": wanted, "has": have})
    return None


def within_quota(
    work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime
) -> Refusal | None:
    """The contractor's visits of the day stay within what was agreed."""
    quota = engineer.contractor_quota
    if quota is None or engineer.contractor_visits < quota:
        return None
    return Refusal("contractor_quota", {"visits": engineer.contractor_visits, "quota": quota})


def consents(work: WorkWanted, engineer: EngineerSeen, rules: TenantRules, now: datetime) -> Refusal | None:
    """Matching reads the engineer's position: only with their consent."""
    return None if engineer.consents else Refusal("no_consent")


RULES: tuple[Rule, ...] = (
    may_lead, skilled, certified, on_shift, in_territory, has_room, in_reach, not_refused, welcome,
    carries_parts, within_quota, consents,
)  # fmt: skip


def earliest_arrival(engineer: EngineerSeen, now: datetime) -> datetime:
    """The first instant this engineer could stand at the site, if sent now."""
    leaves = max(now, engineer.shift[0]) if engineer.shift else now
    return leaves + timedelta(seconds=engineer.travel_s or 0)
