"""Outside companies that lend engineers: one takes the work, and names who comes at once or by a deadline."""

from datetime import timedelta
from uuid import UUID

from dispatch.actions.bookings import give_to, take_from, visit_day
from dispatch.actions.cases import Case, engineer_of, is_carried_by, load_case, offers_of
from dispatch.actions.matching import judge_one, policy_of
from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import Conflict, NotFound
from dispatch.domain.events import instant
from dispatch.domain.lifecycle import Actor, Need
from dispatch.store.ids import new_id
from dispatch.store.queries.contractors import read_quota
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tickets import Offer, Visit

_NONE_OF_THEM = """
  insert into refusals (tenant_id, ticket_id, engineer_id, reason, at)
  select tenant_id, %(ticket)s, id, %(reason)s, %(now)s from engineers
  where tenant_id = %(tenant)s and contractor_id = %(contractor)s
  on conflict do nothing
"""
#: Rules that hold for a lent engineer too; where they are and when they work is the contractor's own business.
HOLD_FOR_ALL = frozenset(
    {
        "trainee",
        "skill",
        "certificate",
        "absent",
        "refused_before",
        "excluded_by_customer",
        "contractor_quota",
    }
)


def named_engineer(step: Step, case: Case) -> Engineer | None:
    """The engineer the contractor names, None where they name nobody yet.

    Raises NotFound `engineer_unknown` for one who is not theirs, Conflict `not_eligible` with the broken rules.
    """
    if case.facts.engineer_id is None:
        return None
    engineer = engineer_of(step, case.facts.engineer_id)
    if engineer.contractor_id != case.contractor_id:
        raise NotFound("engineer_unknown", engineer_id=str(engineer.id))
    broken = [r for r in judge_one(step, case, engineer.id).refusals if r.rule in HOLD_FOR_ALL]
    if broken:
        raise Conflict("not_eligible", broken_rules=[r.as_json() for r in broken])
    return engineer


def lend(step: Step, case: Case, engineer: Engineer) -> None:
    """The visit is this engineer's, for the contractor. Raises Conflict `workload_full`."""
    if case.visit.engineer_id is not None:
        take_from(step, case)
    case.visit.contractor_id = None
    give_to(step, case, engineer, within_limit=True)
    case.visit.contractor_id = case.contractor_id
    case.visit.acknowledged_at = step.now
    case.visit.name_by = None
    step.drop_timers(case.visit.id, "name_engineer_by")


def take_unnamed(step: Step, case: Case) -> dict[str, object]:
    """The contractor has the work, and a deadline to say who comes; until then the promised response runs on.

    Raises Conflict `not_eligible` where the contractor's visits of the day are used up.
    """
    assert case.contractor_id is not None
    visit, rules = case.visit, policy_of(step, case).rules(step.rules)
    day = visit_day(step, case)
    visits, quota = read_quota(step.db, step.tenant_id, case.contractor_id, case.ticket.id, day)
    if quota is not None and visits >= quota:
        broken = {"rule": "contractor_quota", "visits": visits, "quota": quota}
        raise Conflict("not_eligible", broken_rules=[broken])
    visit.contractor_id = case.contractor_id
    visit.booked_day = day
    visit.name_by = step.now + timedelta(minutes=rules.name_engineer_min)
    visit.version += 1
    case.ticket.attention = None
    step.drop_timers(case.ticket.id, "match_again")
    step.set_timer("name_engineer_by", visit.id, visit.name_by)
    return {"contractor": str(case.contractor_id), "name_by": instant(visit.name_by)}


def _name_met(step: Step, case: Case) -> set[Need]:
    """Raises Conflict `not_the_contractor` where the visit is no longer theirs."""
    if case.visit.contractor_id != case.contractor_id:
        raise Conflict("not_the_contractor", ticket_id=str(case.ticket.id))
    return {Need.ENGINEER} if named_engineer(step, case) is not None else set()


def _name(step: Step, case: Case) -> dict[str, object]:
    """Who comes, or who comes instead."""
    lend(step, case, engineer_of(step, case.facts.engineer_id))
    return {"contractor": str(case.contractor_id)}


def check_theirs(step: Step, case: Case) -> None:
    """A contractor acts on its own work or not at all. Raises Conflict `not_the_contractor`."""
    if case.actor is Actor.CONTRACTOR and not is_carried_by(step, case):
        raise Conflict("not_the_contractor", ticket_id=str(case.ticket.id))


def give_back(step: Step, case: Case) -> dict[str, object]:
    """The work is nobody's again, and neither the contractor nor its engineers are asked for it once more. The event
    starts the match, which leaves it to the dispatchers where the contractor was the one to ask."""
    engineer_id, reason = case.visit.engineer_id, case.facts.reason
    take_from(step, case)
    newest = max(
        (offer for offer in offers_of(step, case) if offer.contractor_id == case.contractor_id),
        key=lambda offer: offer.offered_at,
        default=None,
    )
    if newest is None:  # the dispatchers gave it to one of its engineers, unasked
        newest = Offer(
            tenant_id=step.tenant_id,
            id=new_id(),
            ticket_id=case.ticket.id,
            visit_id=case.visit.id,
            contractor_id=case.contractor_id,
            round=1,
            offered_at=step.now,
            expires_at=step.now,
        )
        step.db.add(newest)
    newest.status, newest.reason, newest.answered_at = "declined", reason, step.now
    values = {"tenant": step.tenant_id, "ticket": case.ticket.id, "contractor": case.contractor_id}
    step.db.flush()
    fetch(step.db, _NONE_OF_THEM, {**values, "reason": reason, "now": step.now})
    return {"reason": reason, "contractor": str(case.contractor_id), "from": str(engineer_id)}


def has_refused(step: Step, case: Case, contractor_id: UUID | None) -> bool:
    """Whether the contractor declined this ticket or gave it back."""
    return any(
        offer.contractor_id == contractor_id and offer.status == "declined" for offer in offers_of(step, case)
    )


def escalate_unnamed(step: Step, visit_id: UUID) -> None:
    """The deadline has passed and nobody was named: a dispatcher must act."""
    visit = step.db.get(Visit, {"tenant_id": step.tenant_id, "id": visit_id})
    if visit is None:
        return
    case = load_case(step, visit.ticket_id, Facts())
    visit, ticket = case.visit, case.ticket
    if visit.id != visit_id or ticket.status != "assigned" or visit.name_by is None:
        return
    if visit.name_by > step.now:
        step.set_timer("name_engineer_by", visit.id, visit.name_by)
        return
    ticket.attention = "contractor_unnamed"
    step.drafts.append(
        Draft(
            subject_type="visit",
            subject_id=visit.id,
            ticket_id=ticket.id,
            action="alert",
            facts={"attention": "contractor_unnamed", "contractor": str(visit.contractor_id)},
            territory_id=ticket.territory_id,
        )
    )
    step.db.flush()


HANDLERS = {"name_engineer": (_name_met, _name)}
