"""The roster as the board and the phone show it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch

_LIST = """
  select s.id as shift_id, s.engineer_id, e.name as engineer_name, s.kind, s.starts_at, s.ends_at from shifts s
  join engineers e on e.tenant_id = s.tenant_id and e.id = s.engineer_id and e.active
  where s.tenant_id = %(tenant)s and s.ends_at > %(since)s and s.starts_at < %(before)s
    and (%(engineer)s::uuid is null or s.engineer_id = %(engineer)s)
    and (%(territories)s::uuid[] = '{}' or e.territory_id is null or e.territory_id = any(%(territories)s))
    and (%(kind)s::text is null or s.kind = %(kind)s)
    and (%(after)s::uuid is null or (s.starts_at, s.id) > (select a.starts_at, a.id from shifts a
      where a.tenant_id = s.tenant_id and a.id = %(after)s))
  order by s.starts_at, s.id limit %(limit)s
"""


def read_shifts(
    db: Session,
    tenant_id: UUID,
    span: tuple[datetime, datetime],
    limit: int,
    engineer_id: UUID | None = None,
    kind: str | None = None,
    after: UUID | None = None,
    territories: Iterable[UUID] = (),
) -> list[dict[str, Any]]:
    """Shifts that meet the span, by their start; of one engineer or all, of one kind or both, those that follow
    the shift `after`; where `territories` are named only of engineers of these and of none."""
    values: dict[str, Any] = {
        "territories": list(territories),
        "since": span[0],
        "before": span[1],
        "limit": limit,
        "after": after,
        "kind": kind,
    }
    return list(fetch(db, _LIST, {"tenant": tenant_id, "engineer": engineer_id, **values}))
