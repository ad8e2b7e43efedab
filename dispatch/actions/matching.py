"""The match: gather who might fit, decide with the domain's rules, keep a receipt, then act by mode."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.domain.matching import Candidate, EngineerSeen, Match, WorkWanted, judge, match, receipt_body
from dispatch.store.ids import new_id
from dispatch.store.queries.matching import engineers_seen, nearest_able, nearest_any
from dispatch.store.queries.receipts import receipt_view
from dispatch.store.tables.events import ChainHead
from dispatch.store.tables.tenants import WorkTypeSkill
from dispatch.store.tables.tickets import Receipt

TRAVEL_SOURCE = "great_circle"
#: How many of the nearest are shown in a receipt whatever their skills.
NEXT_DOOR = 5


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
        due_at=_utc(case.ticket.due_at),
        day=step.rules.local_day(start),
    )


def find_candidates(step: Step, case: Case) -> Match:
    """Every engineer worth a line in the receipt, judged. Empty where the ticket has no site."""
    site = case.site
    if site is None:
        return Match(())
    work = work_wanted(step, case)
    ids = nearest_able(step.db, step.tenant_id, work, site, step.rules.candidates)
    ids += [i for i in nearest_any(step.db, step.tenant_id, site, NEXT_DOOR) if i not in ids]
    return match(work, _seen(step, case, work, ids), step.rules, step.now)


def judge_one(step: Step, case: Case, engineer_id: UUID) -> Candidate:
    """One engineer judged for this ticket: "why not Li?"."""
    work = work_wanted(step, case)
    (engineer,) = _seen(step, case, work, [engineer_id])
    return judge(work, engineer, step.rules, step.now)


def _seen(step: Step, case: Case, work: WorkWanted, ids: list[UUID]) -> list[EngineerSeen]:
    at = max(work.window_from or step.now, step.now)
    return engineers_seen(
        step.db,
        step.tenant_id,
        work,
        ids,
        case.site,
        at=at,
        until=at + timedelta(minutes=work.duration_min),
        now=step.now,
        offers_since=case.visit.opened_at,
    )


def keep_receipt(step: Step, case: Case, found: Match, mode: str, chosen: Candidate | None) -> Receipt:
    """Store why, with the chain's seq it was decided at."""
    seq = step.db.execute(select(ChainHead.seq).where(ChainHead.tenant_id == step.tenant_id)).scalar_one()
    others = [c for c in found.eligible if chosen is None or c is not chosen]
    receipt = Receipt(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        visit_id=case.visit.id,
        decided_at=step.now,
        as_of_seq=seq,
        mode=mode,
        chosen_engineer_id=chosen.engineer.engineer_id if chosen else None,
        runner_up_engineer_id=others[0].engineer.engineer_id if others else None,
        body=receipt_body(found, TRAVEL_SOURCE),
    )
    step.db.add(receipt)
    return receipt


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None


def preview(step: Step, case: Case, found: Match) -> dict[str, object]:
    """views.ReceiptView of a match that was not stored."""
    seq = step.db.execute(select(ChainHead.seq).where(ChainHead.tenant_id == step.tenant_id)).scalar_one()
    body = receipt_body(found, TRAVEL_SOURCE)
    names = {str(c.engineer.engineer_id): c.engineer.name for c in found.candidates}
    head = {
        "receipt_id": None,
        "ticket_id": case.ticket.id,
        "decided_at": step.now,
        "as_of_seq": seq,
        "mode": case.ticket.mode or case.work_type.mode,
        "chosen_engineer_id": None,
        "runner_up_engineer_id": None,
    }
    return receipt_view(head, body, names)
