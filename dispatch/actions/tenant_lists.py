"""A company's skills and work types: called otherwise at any time, taken out while nothing is made with them."""

from uuid import UUID

import psycopg
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.actions.tenants import Texts
from dispatch.domain.errors import Conflict, NotFound
from dispatch.store.tables.tenants import Skill, WorkType


def rename_skill(db: Session, tenant_id: UUID, code: str, name: Texts) -> None:
    """Its code stays, and with it whatever names it. Raises NotFound `skill_unknown`."""
    row = db.get(Skill, {"tenant_id": tenant_id, "code": code})
    if row is None:
        raise NotFound("skill_unknown", skill=code)
    row.name = name


def change_work_type(db: Session, tenant_id: UUID, code: str, name: Texts, duration_min: int) -> None:
    """Its name everywhere; the minutes of visits to come. Raises NotFound `work_type_unknown`."""
    row = db.get(WorkType, {"tenant_id": tenant_id, "code": code})
    if row is None:
        raise NotFound("work_type_unknown", work_type=code)
    row.name, row.duration_min = name, duration_min


def remove_skill(db: Session, tenant_id: UUID, code: str) -> None:
    """Raises NotFound `skill_unknown`; Conflict `code_in_use` while an engineer or a work type has it."""
    if not _removed(db, Skill, tenant_id, code):
        raise NotFound("skill_unknown", skill=code)


def remove_work_type(db: Session, tenant_id: UUID, code: str) -> None:
    """With its rates and ways of matching. Raises NotFound `work_type_unknown`; Conflict `code_in_use` once a
    ticket is of it or an SLA policy names it."""
    if not _removed(db, WorkType, tenant_id, code):
        raise NotFound("work_type_unknown", work_type=code)


def _removed(db: Session, table: type[Skill] | type[WorkType], tenant_id: UUID, code: str) -> bool:
    """Whether it was there. The database's references are asked, so that no use made meanwhile is missed; its
    refusal ends the transaction."""
    row = db.get(table, {"tenant_id": tenant_id, "code": code})
    if row is None:
        return False
    try:
        db.execute(delete(table).where(table.tenant_id == tenant_id, table.code == code))
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
            raise Conflict("code_in_use", code_wanted=code) from error
        raise
    return True
