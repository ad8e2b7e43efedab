"""Hours of work and hours on call, set by people: the roster that the match reads."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import engineer_of
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import NotFound, NotReady
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Shift

#: Shifts lie within so many days of now, and none is longer than a day.
FURTHEST = timedelta(days=3660)
LONGEST = timedelta(days=1)

#: Kind (`work` or `on_call`), start, end.
Span = tuple[str, datetime, datetime]


def add(step: Step, engineer_id: UUID, spans: Sequence[Span]) -> None:
    """These hours are the engineer's; one that begins when another does already stays as it is.

    Raises NotFound `engineer_unknown`, NotReady `shift_span_wrong`.
    """
    check_directs(step, engineer_id)
    for kind, starts_at, ends_at in spans:
        check_near(starts_at, step.now)
        if not timedelta(0) < ends_at - starts_at <= LONGEST:
            raise NotReady("shift_span_wrong", starts_at=starts_at.isoformat())
        row = insert(Shift).values(
            tenant_id=step.tenant_id,
            id=new_id(),
            engineer_id=engineer_id,
            kind=kind,
            starts_at=starts_at,
            ends_at=ends_at,
        )
        step.db.execute(row.on_conflict_do_nothing())
    kinds = sorted({kind for kind, _, _ in spans})
    _draft(step, engineer_id, "add_shifts", {"kinds": kinds, "shifts": len(spans)})


def check_directs(step: Step, engineer_id: UUID) -> None:
    """Raises NotFound `engineer_unknown` for one of a territory that is not the asker's."""
    if not step.principal.directs(engineer_of(step, engineer_id).territory_id):
        raise NotFound("engineer_unknown", engineer_id=str(engineer_id))


def check_near(at: datetime, now: datetime) -> None:
    """Raises NotReady `shift_span_wrong` for what lies years away."""
    if abs(at - now) > FURTHEST:
        raise NotReady("shift_span_wrong", starts_at=at.isoformat())


def drop(step: Step, shift_id: UUID) -> None:
    """Not these hours any more. Raises NotFound `shift_unknown`."""
    shift = step.db.get(Shift, {"tenant_id": step.tenant_id, "id": shift_id})
    if shift is None:
        raise NotFound("shift_unknown", shift_id=str(shift_id))
    check_directs(step, shift.engineer_id)
    step.db.delete(shift)
    _draft(step, shift.engineer_id, "drop_shift", {"kind": shift.kind})


def _draft(step: Step, engineer_id: UUID, action: str, facts: dict[str, object]) -> None:
    step.drafts.append(Draft("engineer", engineer_id, None, action, facts=facts))
