"""The pool: shown in widening rings, names collected where the policy asks, and assigned before a promise is at risk."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select

from dispatch.actions.acting import act
from dispatch.actions.cases import Case
from dispatch.actions.promises import due_by
from dispatch.actions.step import Step
from dispatch.domain.commands import Facts
from dispatch.domain.matching import Candidate, Match
from dispatch.domain.pools import PoolSeen, next_turn
from dispatch.store.tables.matching import Bid, Pool


def look_after_pool(step: Step, case: Case, found: Match) -> bool:
    """The pool's turn now. True where nobody took it in time and the best is to be asked instead."""
    pool = step.db.get(Pool, {"tenant_id": step.tenant_id, "visit_id": case.visit.id})
    if pool is None:
        pool = _open(step, case)
    turn = next_turn(_seen(step, case, pool), step.rules, step.now)
    if turn.ring_m is not None:
        pool.ring_m = turn.ring_m
    if turn.decide_bids:
        chosen = _best_bid(step, case, found)
        pool.collect_until = None
        step.db.execute(delete(Bid).where(Bid.tenant_id == step.tenant_id, Bid.visit_id == case.visit.id))
        if chosen is not None:
            _assign(step, case, chosen)
            return False
    if turn.assign and found.eligible:
        _assign(step, case, found.eligible[0])
        return False
    step.db.flush()
    if turn.look_again_at is None:
        return True
    step.set_timer("match_again", case.ticket.id, turn.look_again_at)
    return False


def _open(step: Step, case: Case) -> Pool:
    rules = step.rules
    collects = timedelta(seconds=rules.collect_s)
    pool = Pool(
        tenant_id=step.tenant_id,
        visit_id=case.visit.id,
        opened_at=step.now,
        ring_m=rules.ring_m,
        most_grabs=rules.most_grabs,
        collect_until=step.now + collects if rules.collect_s else None,
    )
    step.db.add(pool)
    step.db.flush()
    return pool


def _seen(step: Step, case: Case, pool: Pool) -> PoolSeen:
    return PoolSeen(
        opened_at=pool.opened_at,
        ring_m=pool.ring_m,
        collect_until=pool.collect_until,
        promised_by=case.visit.window_to or due_by(step, case.ticket),
    )


def _best_bid(step: Step, case: Case, found: Match) -> Candidate | None:
    """The best score among those who put their names down and still fit."""
    bids = set(bidders(step, case.visit.id))
    return next((c for c in found.eligible if c.engineer.engineer_id in bids), None)


def bidders(step: Step, visit_id: UUID) -> list[UUID]:
    """Who put their names down, first come first."""
    named = select(Bid.engineer_id).where(Bid.tenant_id == step.tenant_id, Bid.visit_id == visit_id)
    return list(step.db.scalars(named.order_by(Bid.at, Bid.engineer_id)))


def _assign(step: Step, case: Case, chosen: Candidate) -> None:
    act(step, case.ticket.id, "assign", Facts(engineer_id=chosen.engineer.engineer_id))
