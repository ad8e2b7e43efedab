"""Policies of the match: those that fit a ticket, and all of them for the page that sets them."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.matching_policy import Policy
from dispatch.store.queries.reading import fetch

_COLUMNS = "mode, work_type, territory_id, contractor_id, settings"
_FITTING = f"""
  select {_COLUMNS} from match_policies where tenant_id = %(tenant)s
    and (work_type is null or work_type = %(work_type)s)
    and (territory_id is null or territory_id = %(territory)s)
"""
_ALL = f"""
  select id as policy_id, {_COLUMNS} from match_policies where tenant_id = %(tenant)s
  order by work_type nulls last, territory_id nulls last limit 500
"""


def policies_for(db: Session, tenant_id: UUID, work_type: str, territory_id: UUID | None) -> list[Policy]:
    """At most four: exact, any territory, any work type, any."""
    values = {"tenant": tenant_id, "work_type": work_type, "territory": territory_id}
    return [Policy(**row) for row in fetch(db, _FITTING, values)]


def read_policies(db: Session, tenant_id: UUID) -> list[dict[str, Any]]:
    """views.PolicyLine of every policy."""
    return list(fetch(db, _ALL, {"tenant": tenant_id}))
