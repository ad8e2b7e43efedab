"""What engineers, contractors and helpers earn by a work type: the standing rate, and rates of certain days."""

from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.money_settlement import changed, check_days, work_type_of
from dispatch.actions.step import Step
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.events import instant
from dispatch.store.queries.price_lists import overlapping_rate
from dispatch.store.tables.proof import DatedRate, SettlementRate


def put_rate(step: Step, work_type: str, payee_kind: str, fixed_minor: int, share_bp: int) -> None:
    """The standing rate of one kind of payee by one work type. Raises NotFound `work_type_unknown`."""
    work_type_of(step, work_type)
    values = {"fixed_minor": fixed_minor, "share_bp": share_bp}
    key = {"work_type": work_type, "payee_kind": payee_kind}
    row = insert(SettlementRate).values(tenant_id=step.tenant_id, **key, **values)
    step.db.execute(row.on_conflict_do_update(index_elements=["tenant_id", *key], set_=values))
    changed(step, "rate", {**key, **values})


def drop_rate(step: Step, work_type: str, payee_kind: str) -> None:
    """From now on they earn by it on the days of dated rates alone. Raises NotFound `rate_unknown`."""
    key = {"work_type": work_type, "payee_kind": payee_kind}
    row = step.db.get(SettlementRate, {"tenant_id": step.tenant_id, **key})
    if row is None:
        raise NotFound("rate_unknown", **key)
    step.db.delete(row)
    step.db.flush()
    changed(step, "rate", {**key, "dropped": True})


def put_dated_rate(step: Step, rate_id: UUID, line: dict[str, Any]) -> None:
    """A rate that stands on its days instead of the standing one, added or changed; what was settled stays.

    Raises NotFound `work_type_unknown`; NotReady `days_missing`, `days_backwards`; Conflict `rate_overlaps`.
    """
    if line["valid_from"] is None and line["valid_until"] is None:
        raise NotReady("days_missing")
    check_days(line["valid_from"], line["valid_until"])
    work_type_of(step, line["work_type"], lock=True)
    other = overlapping_rate(step.db, step.tenant_id, rate_id, line)
    if other is not None:
        raise Conflict("rate_overlaps", **{name: at and instant(at) for name, at in other.items()})
    row = insert(DatedRate).values(tenant_id=step.tenant_id, id=rate_id, **line)
    step.db.execute(row.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=line))
    changed(step, "rate", {**_as_facts(line), "rate": str(rate_id)})


def drop_dated_rate(step: Step, rate_id: UUID) -> None:
    """On its days the standing rate stands again. Raises NotFound `rate_unknown`."""
    row = step.db.get(DatedRate, {"tenant_id": step.tenant_id, "id": rate_id})
    if row is None:
        raise NotFound("rate_unknown", rate_id=str(rate_id))
    step.db.delete(row)
    step.db.flush()
    facts = {"work_type": row.work_type, "payee_kind": row.payee_kind, "rate": str(rate_id)}
    changed(step, "rate", {**facts, "dropped": True})


def _as_facts(line: dict[str, Any]) -> dict[str, object]:
    days = {name: line[name] and instant(line[name]) for name in ("valid_from", "valid_until")}
    return {**line, **days}
