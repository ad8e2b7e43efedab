"""A tenant's lists: work types, skills, territories; and who is signed in."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dispatch.store.queries.reading import fetch

_WORK_TYPES = """
  select code, name, duration_min, completion_photos, check_in_radius_m, retired_at is not null as retired
  from work_types
  where tenant_id = %(tenant)s order by code limit 500
"""
_SKILLS = """
  select code, name, retired_at is not null as retired from skills where tenant_id = %(tenant)s order by code limit 500
"""
_TERRITORIES = """
  select id as territory_id, name, zone, st_asgeojson(area)::jsonb as area from territories
  where tenant_id = %(tenant)s order by id limit 500
"""
_ME = """
  select d.name, d.role, d.language, d.totp_at is not null as totp, t.name as tenant_name, t.is_demo
  from tenants t left join dispatchers d on d.tenant_id = t.id and d.id = %(person)s
  where t.id = %(tenant)s
"""


def read_catalogue(db: Session, tenant_id: UUID, person_id: UUID) -> dict[str, Any]:
    """views.Catalogue's lists, and `me` for views.Me."""
    values = {"tenant": tenant_id, "person": person_id}
    return {
        "work_types": list(fetch(db, _WORK_TYPES, values)),
        "skills": list(fetch(db, _SKILLS, values)),
        "territories": list(fetch(db, _TERRITORIES, values)),
        "me": fetch(db, _ME, values)[0],
    }
