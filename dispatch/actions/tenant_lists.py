"""A company's skills and work types: called otherwise at any time, taken out while nothing is made with them, and
retired once something was. What is retired stays where it is used and is chosen for nothing new."""

import psycopg
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.actions.money_settlement import changed, work_type_of
from dispatch.actions.step import Step
from dispatch.actions.tenants import Texts, WorkTypeWanted, add_skills, add_work_type
from dispatch.domain.errors import Conflict, NotFound
from dispatch.store.tables.tenants import Skill, WorkType


def make_skill(step: Step, code: str, name: Texts) -> None:
    """Raises Conflict `code_taken`, by a retired one too."""
    _must_be_free(step, Skill, code)
    add_skills(step.db, step.tenant_id, {code: name})
    changed(step, "skill", {"code": code, "added": True})


def make_work_type(step: Step, wanted: WorkTypeWanted) -> None:
    """Raises Conflict `code_taken`, by a retired one too."""
    _must_be_free(step, WorkType, wanted.code)
    add_work_type(step.db, step.tenant_id, wanted)
    changed(step, "work_type", {"code": wanted.code, "added": True})


def rename_skill(step: Step, code: str, name: Texts) -> None:
    """Its code stays, and with it whatever names it. Raises NotFound `skill_unknown`."""
    _skill(step, code).name = name
    changed(step, "skill", {"code": code})


def change_work_type(step: Step, code: str, name: Texts, duration_min: int) -> None:
    """Its name everywhere; the minutes of visits to come. Raises NotFound `work_type_unknown`."""
    row = work_type_of(step, code)
    row.name, row.duration_min = name, duration_min
    changed(step, "work_type", {"code": code, "duration_min": duration_min})


def retire_skill(step: Step, code: str, retired: bool) -> None:
    """Not given to engineers and work types any more, or again; who has it keeps it. Raises NotFound
    `skill_unknown`."""
    _retire(step, "skill", _skill(step, code), retired)


def retire_work_type(step: Step, code: str, retired: bool) -> None:
    """Not chosen for new tickets any more, or again; those of it go on, and so do their follow-ups. Raises NotFound
    `work_type_unknown`."""
    _retire(step, "work_type", work_type_of(step, code), retired)


def _retire(step: Step, kind: str, row: Skill | WorkType, retired: bool) -> None:
    """Asked for twice it is done, and told, once."""
    if retired != (row.retired_at is not None):
        row.retired_at = step.now if retired else None
        changed(step, kind, {"code": row.code, "retired": retired})


def remove_skill(step: Step, code: str) -> None:
    """Raises NotFound `skill_unknown`; Conflict `code_in_use` while an engineer or a work type has it."""
    _remove(step.db, _skill(step, code))
    changed(step, "skill", {"code": code, "dropped": True})


def remove_work_type(step: Step, code: str) -> None:
    """With its rates and ways of matching. Raises NotFound `work_type_unknown`; Conflict `code_in_use` once a
    ticket is of it or an SLA policy names it."""
    _remove(step.db, work_type_of(step, code))
    changed(step, "work_type", {"code": code, "dropped": True})


def _skill(step: Step, code: str) -> Skill:
    row = step.db.get(Skill, {"tenant_id": step.tenant_id, "code": code})
    if row is None:
        raise NotFound("skill_unknown", skill=code)
    return row


def _must_be_free(step: Step, table: type[Skill] | type[WorkType], code: str) -> None:
    if step.db.get(table, {"tenant_id": step.tenant_id, "code": code}, with_for_update=True) is not None:
        raise Conflict("code_taken", code_wanted=code)


def _remove(db: Session, row: Skill | WorkType) -> None:
    """The database's references are asked, so that no use made meanwhile is missed; its refusal ends the
    transaction."""
    table = type(row)
    try:
        db.execute(delete(table).where(table.tenant_id == row.tenant_id, table.code == row.code))
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
            raise Conflict("code_in_use", code_wanted=row.code) from error
        raise
