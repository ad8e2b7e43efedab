"""Policies of the match: those that fit a ticket, and all of them for the page that sets them."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.domain.matching_policy import Policy
from dispatch.store.queries.reading import fetch, page_of

PAGE = 100

_COLUMNS = "mode, work_type, territory_id, contractor_id, settings"
_FITTING = f"""
  select {_COLUMNS} from match_policies where tenant_id = %(tenant)s
    and (work_type is null or work_type = %(work_type)s)
    and (territory_id is null or territory_id = %(territory)s)
"""
#: By work type and territory; any stands behind all that are named.
_ALL = f"""
  select line_id, id as policy_id, {_COLUMNS} from (
    select *, coalesce(work_type, '~') || '.' || coalesce(territory_id::text, '~') as line_id
    from match_policies where tenant_id = %(tenant)s) p
  where line_id collate "C" > %(after)s order by line_id collate "C" limit %(limit)s
"""


def policies_for(db: Session, tenant_id: UUID, work_type: str, territory_id: UUID | None) -> list[Policy]:
    """At most four: exact, any territory, any work type, any."""
    values = {"tenant": tenant_id, "work_type": work_type, "territory": territory_id}
    return [Policy(**row) for row in fetch(db, _FITTING, values)]


def read_policies(db: Session, tenant_id: UUID, after: str | None) -> dict[str, Any]:
    """matching_views.PolicyPage."""
    rows = fetch(db, _ALL, {"tenant": tenant_id, "after": after or "", "limit": PAGE + 1})
    return page_of("policies", rows, PAGE, "line_id")
