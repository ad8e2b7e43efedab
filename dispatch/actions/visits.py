"""The trip: assigned, seen, under way, on site, done; or given back."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from dispatch.actions import contractors
from dispatch.actions.bookings import add_helpers, arm_acknowledge, give_to, take_from, unbook
from dispatch.actions.cases import Case, as_geography, check_lead, close_visit, engineer_of, open_visit
from dispatch.actions.evidence import attach, attached, check_photos
from dispatch.actions.evidence_completion import check_parts, checklist_problems, keep_parts
from dispatch.actions.evidence_machines import keep_machines, machine_problems
from dispatch.actions.holds import end_hold
from dispatch.actions.matching import judge_one
from dispatch.actions.money import approved, quote_blocks
from dispatch.actions.offers import exclude, withdraw_offers
from dispatch.actions.step import Draft, Step
from dispatch.actions.travelling import begin_trip
from dispatch.domain.errors import Conflict, NotReady
from dispatch.domain.evidence import Arrival, judge_arrival, photos_needed
from dispatch.domain.lifecycle import Actor, Need, Outcome
from dispatch.domain.reasons import check_reason
from dispatch.store.tables.evidence import CheckIn, Completion
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tickets import VisitEngineer
from geo.points import Point

# assign, acknowledge


def _assign_met(step: Step, case: Case) -> set[Need]:
    """An engineer is named; every broken rule is either absent or confirmed with a reason.

    The engineer who has it already, with other helpers, is a crew changed: the lead's rules were met before.
    """
    if case.facts.engineer_id is None:
        return set()
    engineer = engineer_of(step, case.facts.engineer_id)
    for helper in case.facts.helper_ids:
        engineer_of(step, helper)
    if _only_crew(case):
        going = {c.engineer_id for c in case.crew if c.role != "lead"}
        if not case.facts.helper_ids or set(case.facts.helper_ids) - {engineer.id} == going:
            raise Conflict("already_assigned", engineer_id=str(engineer.id))
        return {Need.ENGINEER, Need.RULES_CONFIRMED}
    broken = [r for r in judge_one(step, case, engineer.id).refusals if r.rule != "position_unknown"]
    reason = check_reason("assign", case.facts.reason)
    if broken and not (case.facts.confirm_broken_rules and reason):
        case.refusal_facts["broken_rules"] = [r.as_json() for r in broken]
        return {Need.ENGINEER}
    case.refusal_facts["confirmed"] = [r.rule for r in broken]
    return {Need.ENGINEER, Need.RULES_CONFIRMED}


def _only_crew(case: Case) -> bool:
    """Whether the engineer named leads it already and has not left for it."""
    return case.visit.engineer_id == case.facts.engineer_id and case.ticket.status == "assigned"


def _assign(step: Step, case: Case) -> dict[str, object]:
    if _only_crew(case):
        _name_helpers(step, case)
        return {"helpers": [str(h) for h in case.facts.helper_ids]}
    withdraw_offers(step, case)
    if case.visit.set_off_at is not None:
        unbook(step, case)
        close_visit(step, case, "reassigned")
        open_visit(step, case)
    engineer = engineer_of(step, case.facts.engineer_id)
    give_to(step, case, engineer, within_limit=case.actor is Actor.SYSTEM)
    if case.facts.helper_ids:
        _name_helpers(step, case)
    arm_acknowledge(step, case)
    facts: dict[str, object] = {}
    if case.facts.helper_ids:
        facts["helpers"] = [str(h) for h in case.facts.helper_ids]
    if case.refusal_facts.get("confirmed"):
        facts |= {"broken_rules": case.refusal_facts["confirmed"], "reason": case.facts.reason}
    return facts


def _name_helpers(step: Step, case: Case) -> None:
    named = (Engineer.tenant_id == step.tenant_id, Engineer.id.in_(case.facts.helper_ids))
    trainees = set(step.db.scalars(select(Engineer.id).where(*named, Engineer.trainee)))
    add_helpers(step, case, case.facts.helper_ids, trainees)


def _lead_only(step: Step, case: Case) -> set[Need]:
    check_lead(case)
    return set()


def _acknowledge(step: Step, case: Case) -> dict[str, object]:
    if case.visit.acknowledged_at is None:
        case.visit.acknowledged_at = step.now
    step.drop_timers(case.visit.id, "acknowledge_by")
    if case.ticket.attention == "not_acknowledged":
        case.ticket.attention = None
    return {}


# hand_back


def _hand_back_met(step: Step, case: Case) -> set[Need]:
    """Raises Conflict `not_the_lead`, `not_the_contractor`."""
    check_lead(case)
    contractors.check_theirs(step, case)
    return {Need.REASON} if check_reason("hand_back", case.facts.reason) else set()


def _hand_back(step: Step, case: Case) -> dict[str, object]:
    engineer_id = case.visit.engineer_id
    withdraw_offers(step, case)
    if case.actor is Actor.CONTRACTOR:
        return contractors.give_back(step, case)
    if case.visit.set_off_at is not None:
        unbook(step, case)
        close_visit(step, case, "handed_back")
        open_visit(step, case)
    else:
        take_from(step, case)
    if engineer_id is not None and case.facts.reason is not None:
        exclude(step, case, engineer_id, case.facts.reason)
    return {"reason": case.facts.reason, "from": str(engineer_id)}


# set_off, turn_back, check_in


def _set_off(step: Step, case: Case) -> dict[str, object]:
    lead = _lead(case)
    _check_free(step, case, lead.engineer_id)
    lead.set_off_at, lead.left_at = step.now, None
    case.visit.set_off_at = step.now
    begin_trip(step, case, lead.engineer_id)
    if case.visit.acknowledged_at is None:
        _acknowledge(step, case)
    return {}


def _check_free(step: Step, case: Case, engineer_id: UUID) -> None:
    """Nobody is under way twice. The unique index says so too, to those who come at once."""
    elsewhere = step.db.scalars(
        select(VisitEngineer.visit_id).where(
            VisitEngineer.tenant_id == step.tenant_id,
            VisitEngineer.engineer_id == engineer_id,
            VisitEngineer.set_off_at.is_not(None),
            VisitEngineer.left_at.is_(None),
            VisitEngineer.visit_id != case.visit.id,
        )
    ).first()
    if elsewhere is not None:
        raise Conflict("engineer_under_way", visit_id=str(elsewhere))


def _lead(case: Case) -> VisitEngineer:
    if case.lead is None:
        raise Conflict("no_engineer", ticket_id=str(case.ticket.id))
    return case.lead


def _turn_back(step: Step, case: Case) -> dict[str, object]:
    """Not gone after all: the same visit, as if never set off."""
    lead = _lead(case)
    lead.set_off_at = None
    case.visit.set_off_at = case.visit.eta_at = None
    return {}


def _check_in_met(step: Step, case: Case) -> set[Need]:
    check_lead(case)
    met = set()
    check_photos(step, case, "check_in")
    if case.facts.photo_ids or case.facts.photo_pending:
        met.add(Need.CHECK_IN_PHOTO)
    arrival = _arrival(step, case)
    if arrival.at_site or check_reason("override", case.facts.reason):
        met.add(Need.AT_SITE)
    else:
        case.refusal_facts |= {"distance_m": arrival.distance_m, "flags": list(arrival.flags)}
    return met


def _arrival(step: Step, case: Case) -> Arrival:
    reading = case.facts.position
    asked_at = step.device_at or step.now
    age_s = (asked_at - reading.at).total_seconds() if reading else None
    return judge_arrival(reading, case.site, case.work_type.check_in_radius_m, age_s)


def _check_in(step: Step, case: Case) -> dict[str, object]:
    lead = _lead(case)
    _check_free(step, case, lead.engineer_id)
    lead.set_off_at = lead.set_off_at or step.now
    lead.checked_in_at, lead.left_at = step.now, None
    case.visit.set_off_at = case.visit.set_off_at or step.now
    case.visit.checked_in_at = step.now
    case.visit.acknowledged_at = case.visit.acknowledged_at or step.now
    step.drop_timers(case.visit.id, "acknowledge_by")
    return _keep_check_in(step, case, lead.engineer_id)


def _keep_check_in(step: Step, case: Case, engineer_id: UUID) -> dict[str, object]:
    arrival = _arrival(step, case)
    photos = attach(step, case, "check_in")
    reading = case.facts.position
    flags = list(arrival.flags)
    if case.facts.photo_pending:
        flags.append("photo_pending")
    if not arrival.at_site:
        flags.append("override")
    step.db.flush()
    step.db.merge(
        CheckIn(
            tenant_id=step.tenant_id,
            visit_id=case.visit.id,
            engineer_id=engineer_id,
            ticket_id=case.ticket.id,
            position=as_geography(Point(reading.lon, reading.lat)) if reading else None,
            raw=(
                {
                    "lon": reading.raw_lon,
                    "lat": reading.raw_lat,
                    "datum": reading.datum,
                    "mock": reading.mock,
                    "at": reading.at.isoformat(),
                    "speed_mps": reading.speed_mps,
                }
                if reading
                else None
            ),
            accuracy_m=reading.accuracy_m if reading else None,
            distance_m=arrival.distance_m,
            radius_m=case.work_type.check_in_radius_m,
            override_reason=None if arrival.at_site else case.facts.reason,
            flags=flags,
            device_at=step.device_at,
            at=step.now,
        )
    )
    facts: dict[str, object] = {"photos": photos, "flags": flags, "distance_m": arrival.distance_m}
    if not arrival.at_site:
        facts["reason"] = case.facts.reason
    return facts


def crew_action(step: Step, case: Case, action: str) -> None:
    """A helper's own times. The ticket stays where the lead put it."""
    member = next(c for c in case.crew if c.engineer_id == case.engineer_id)
    facts: dict[str, object] = {"role": member.role}
    if action == "set_off":
        _check_free(step, case, member.engineer_id)
        member.set_off_at, member.left_at = step.now, None
    elif action == "check_in":
        check_photos(step, case, "check_in")
        if not case.facts.photo_ids and not case.facts.photo_pending:
            raise NotReady("action_not_ready", action=action, missing=[str(Need.CHECK_IN_PHOTO)])
        _check_free(step, case, member.engineer_id)
        member.set_off_at = member.set_off_at or step.now
        member.checked_in_at = step.now
        facts |= _keep_check_in(step, case, member.engineer_id)
    elif action == "turn_back":
        member.set_off_at = None
    else:
        if member.checked_in_at is None:
            raise Conflict("action_not_allowed", action=action, status="not_checked_in", allowed=["check_in"])
        member.left_at = step.now
    step.drafts.append(
        Draft(
            subject_type="visit_engineer",
            subject_id=member.engineer_id,
            ticket_id=case.ticket.id,
            action=action,
            facts=facts,
            text=case.facts.text,
            territory_id=case.ticket.territory_id,
        )
    )


# complete, resolve_remotely


def _complete_met(step: Step, case: Case) -> set[Need]:
    check_lead(case)
    met = set()
    outcome = case.facts.outcome
    if outcome is not None:
        met.add(Need.OUTCOME)
    check_photos(step, case, "completion")
    wanted = photos_needed(case.work_type.completion_photos, outcome or Outcome.FIXED)
    have = attached(step, case, "completion")
    if have >= wanted:
        met.add(Need.COMPLETION_PHOTOS)
    else:
        case.refusal_facts |= {"photos_wanted": wanted, "photos_given": have}
    problems = [*checklist_problems(step, case), *machine_problems(step, case)]
    if problems:
        case.refusal_facts["checklist"] = [problem.as_json() for problem in problems]
    else:
        met.add(Need.CHECKLIST)
    check_parts(step, case)
    blocking = quote_blocks(step, case)
    if outcome in (Outcome.REFUSED, Outcome.NO_ACCESS, Outcome.NO_FAULT) or not blocking:
        met.add(Need.QUOTE_APPROVED)
    return met


def _complete(step: Step, case: Case) -> dict[str, object]:
    photos = attach(step, case, "completion")
    lead = _lead(case)
    lead.left_at = step.now
    for member in case.crew:
        member.left_at = member.left_at or step.now
    _finish(step, case, case.facts.outcome or Outcome.FIXED)
    quote = approved(step, case)
    return {
        "outcome": case.facts.outcome,
        "photos": photos,
        **keep_parts(step, case, lead.engineer_id),
        **keep_machines(step, case),
        **({"quote": str(quote)} if quote else {}),
    }


def _finish(step: Step, case: Case, outcome: str) -> None:
    visit = case.visit
    visit.completed_at = step.now
    visit.outcome = outcome
    case.ticket.outcome = outcome
    case.ticket.disputed_at = None
    case.ticket.attention = None
    step.db.merge(
        Completion(
            tenant_id=step.tenant_id,
            visit_id=visit.id,
            ticket_id=case.ticket.id,
            outcome=outcome,
            text=case.facts.text,
            checklist=[dict(a) for a in case.facts.checklist],
            at=step.now,
        )
    )
    due_at = step.now + timedelta(days=step.rules.acceptance_days)
    step.set_timer("sign_off_by", case.ticket.id, due_at)
    remind_at = max(due_at - timedelta(days=step.rules.remind_days), step.now + (due_at - step.now) / 2)
    if step.now < remind_at < due_at:
        step.set_timer("remind_sign_off", case.ticket.id, remind_at)


def _resolve_met(step: Step, case: Case) -> set[Need]:
    if case.actor is Actor.ENGINEER and not case.leads:
        raise Conflict("not_the_lead", ticket_id=str(case.ticket.id))
    return {Need.WHAT_WAS_DONE} if case.facts.text else set()


def _resolve_remotely(step: Step, case: Case) -> dict[str, object]:
    withdraw_offers(step, case)
    end_hold(step, case)
    step.drop_timers(case.visit.id, "acknowledge_by")
    step.drop_timers(case.ticket.id, "match_again")
    _finish(step, case, Outcome.FIXED)
    return {"outcome": str(Outcome.FIXED), "remote": True}


HANDLERS = {
    "assign": (_assign_met, _assign),
    "acknowledge": (_lead_only, _acknowledge),
    "hand_back": (_hand_back_met, _hand_back),
    "set_off": (_lead_only, _set_off),
    "turn_back": (_lead_only, _turn_back),
    "check_in": (_check_in_met, _check_in),
    "complete": (_complete_met, _complete),
    "resolve_remotely": (_resolve_met, _resolve_remotely),
}
