"""The match: gather who might fit, decide with the domain's rules, keep a receipt."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.cases import Case
from dispatch.actions.promises import due_by
from dispatch.actions.step import Step
from dispatch.actions.travel_facts import learned_minutes, travel_times
from dispatch.domain.errors import NotFound
from dispatch.domain.matching import Candidate, EngineerSeen, Match, WorkWanted, judge, match
from dispatch.domain.matching_policy import Policy, choose_policy
from dispatch.domain.receipts import line, receipt_body
from dispatch.store.ids import new_id
from dispatch.store.queries.matching import Looking, engineers_seen, read_parts_wanted, worth_a_line
from dispatch.store.queries.policies import policies_for
from dispatch.store.queries.receipts import receipt_view
from dispatch.store.tables.events import ChainHead
from dispatch.store.tables.tenants import WorkTypeSkill
from dispatch.store.tables.tickets import Receipt

#: How many of the nearest are shown in a receipt though they are not free, or lack the skills.
NEXT_DOOR = 5


def policy_of(step: Step, case: Case) -> Policy:
    """The policy that governs this ticket."""
    ticket = case.ticket
    rows = policies_for(step.db, step.tenant_id, ticket.work_type, ticket.territory_id)
    return choose_policy(rows, ticket.work_type, ticket.territory_id, case.work_type.mode)


def work_wanted(step: Step, case: Case) -> WorkWanted:
    """The ticket as the rules see it."""
    levels = step.db.execute(
        select(WorkTypeSkill.skill, WorkTypeSkill.level).where(
            WorkTypeSkill.tenant_id == step.tenant_id, WorkTypeSkill.work_type == case.ticket.work_type
        )
    )
    visit = case.visit
    start = max(visit.window_from or step.now, step.now)
    return WorkWanted(
        ticket_id=case.ticket.id,
        skills={row.skill: row.level for row in levels},
        duration_min=visit.duration_min,
        territory_id=case.ticket.territory_id,
        window_from=_utc(visit.window_from),
        window_to=_utc(visit.window_to),
        due_at=_utc(due_by(step, case.ticket)),
        day=step.rules.local_day(start),
        priority=case.ticket.priority,
        parts=read_parts_wanted(step.db, step.tenant_id, case.ticket.id),
    )


def find_candidates(step: Step, case: Case) -> tuple[WorkWanted, Match]:
    """The work, and every engineer worth a line in the receipt, judged. Nobody where the ticket has no site."""
    work = work_wanted(step, case)
    if case.site is None:
        return work, Match(())
    looking = _looking(step, case, work)
    ids = worth_a_line(step.db, looking, step.rules.candidates, NEXT_DOOR)
    return work, match(work, _seen(step, case, looking, ids), step.rules, step.now)


def judge_one(step: Step, case: Case, engineer_id: UUID) -> Candidate:
    """One engineer judged for this ticket: "why not Li?". Raises NotFound `engineer_unknown`."""
    work = work_wanted(step, case)
    for engineer in _seen(step, case, _looking(step, case, work), [engineer_id]):
        return judge(work, engineer, step.rules, step.now)
    raise NotFound("engineer_unknown", engineer_id=str(engineer_id))


def _looking(step: Step, case: Case, work: WorkWanted) -> Looking:
    at = max(work.window_from or step.now, step.now)
    return Looking(
        tenant_id=step.tenant_id,
        work=work,
        site=case.site,
        at=at,
        until=at + timedelta(minutes=work.duration_min),
        now=step.now,
        offers_since=case.visit.opened_at,
    )


def _seen(step: Step, case: Case, looking: Looking, ids: list[UUID]) -> list[EngineerSeen]:
    seen = travel_times(step, engineers_seen(step.db, looking, ids), case.site, looking.at)
    return learned_minutes(step, case, seen)


def why_not(step: Step, case: Case, engineer_id: UUID) -> dict[str, Any]:
    """views.CandidateLine of any engineer, judged now against everyone else who fits."""
    one = judge_one(step, case, engineer_id)
    _, found = find_candidates(step, case)
    better = [c for c in found.eligible if c.engineer.engineer_id != engineer_id and c.score <= one.score]
    rank = len(better) + 1 if one.eligible else None
    return {**{k: v for k, v in line(one, rank).items() if k != "seen"}, "name": one.engineer.name}


def keep_receipt(
    step: Step, case: Case, work: WorkWanted, found: Match, mode: str, chosen: Candidate | None
) -> Receipt:
    """Store why, with the chain's seq it was decided at."""
    others = [c for c in found.eligible if chosen is None or c is not chosen]
    receipt = Receipt(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        visit_id=case.visit.id,
        decided_at=step.now,
        as_of_seq=_seq(step),
        mode=mode,
        chosen_engineer_id=chosen.engineer.engineer_id if chosen else None,
        runner_up_engineer_id=others[0].engineer.engineer_id if others else None,
        body=receipt_body(found, work, step.rules),
    )
    step.db.add(receipt)
    return receipt


def preview(step: Step, case: Case, work: WorkWanted, found: Match, mode: str) -> dict[str, Any]:
    """views.ReceiptView of a match that was not stored."""
    body = receipt_body(found, work, step.rules)
    names = {str(c.engineer.engineer_id): c.engineer.name for c in found.candidates}
    head = {
        "receipt_id": None,
        "ticket_id": case.ticket.id,
        "decided_at": step.now,
        "as_of_seq": _seq(step),
        "mode": mode,
        "chosen_engineer_id": None,
        "runner_up_engineer_id": None,
    }
    return receipt_view(head, body, names)


def _seq(step: Step) -> int:
    """The chain's newest event: what the decision knew of."""
    return step.db.execute(select(ChainHead.seq).where(ChainHead.tenant_id == step.tenant_id)).scalar_one()


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None
