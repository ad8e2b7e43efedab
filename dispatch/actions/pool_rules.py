"""Who may grab from the pool, and whose name is put down while names are collected."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import Case, in_pool
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.matching import Bid

_POOL = """
  select p.ring_m, p.most_grabs, coalesce(d.grabs, 0) as grabs,
    coalesce(round(st_distance(e.position, t.site))::int, 0) as distance_m,
    coalesce(st_dwithin(e.position, t.site, p.ring_m), true) as in_ring
  from pools p
  join tickets t on t.tenant_id = p.tenant_id and t.id = %(ticket)s
  join engineers e on e.tenant_id = p.tenant_id and e.id = %(engineer)s
  left join engineer_days d on d.tenant_id = e.tenant_id and d.engineer_id = e.id and d.day = %(today)s
  where p.tenant_id = %(tenant)s and p.visit_id = %(visit)s
"""
_COLLECTS = """
  select true as collects from pools
  where tenant_id = %(tenant)s and visit_id = %(visit)s and collect_until > %(now)s
"""
_COUNT = """
  insert into engineer_days as d (tenant_id, engineer_id, day, grabs)
  values (%(tenant)s, %(engineer)s, %(today)s, 1)
  on conflict (tenant_id, engineer_id, day) do update set grabs = d.grabs + 1
"""


def check_grab(step: Step, case: Case, engineer_id: UUID) -> None:
    """Near enough by now, and not the day's last of many. Raises Conflict `not_in_ring`, `grabs_used_up`."""
    for pool in fetch(step.db, _POOL, _named(step, case, engineer_id)):
        if not pool["in_ring"]:
            raise Conflict("not_in_ring", distance_m=pool["distance_m"], ring_m=pool["ring_m"])
        if 0 < pool["most_grabs"] <= pool["grabs"]:
            raise Conflict("grabs_used_up", grabs=pool["grabs"], most=pool["most_grabs"])


def count_grab(step: Step, case: Case) -> None:
    """One more of the day's grabs, kept though the ticket is handed back."""
    step.writes.append((_COUNT, _named(step, case, case.engineer_id)))


def _named(step: Step, case: Case, engineer_id: UUID | None) -> dict[str, object]:
    return {
        "tenant": step.tenant_id,
        "ticket": case.ticket.id,
        "visit": case.visit.id,
        "engineer": engineer_id,
        "today": step.rules.local_day(step.now),
    }


def collects(step: Step, case: Case) -> bool:
    """Whether names are collected for this visit now: who grabs puts their name down."""
    named = {"tenant": step.tenant_id, "visit": case.visit.id, "now": step.now}
    return in_pool(case) and bool(fetch(step.db, _COLLECTS, named))


def put_name_down(step: Step, case: Case) -> None:
    """This engineer would take it; the ticket does not move. Twice is once."""
    assert case.engineer_id is not None
    row = insert(Bid).values(
        tenant_id=step.tenant_id, visit_id=case.visit.id, engineer_id=case.engineer_id, at=step.now
    )
    if step.db.execute(row.on_conflict_do_nothing().returning(Bid.engineer_id)).first() is None:
        return
    step.drafts.append(
        Draft(
            subject_type="bid",
            subject_id=case.visit.id,
            ticket_id=case.ticket.id,
            action="bid",
            facts={"engineer": str(case.engineer_id)},
            territory_id=case.ticket.territory_id,
        )
    )
