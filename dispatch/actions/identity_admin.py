"""What an admin changes about people and keys: passwords, who is active, territories, keys that end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.actions.identity import Person, read_person, revoke_all
from dispatch.actions.identity_totp import remove_totp
from dispatch.domain.errors import Forbidden, NotFound, NotReady
from dispatch.store.queries.reading import fetch, page_of
from dispatch.store.tables.identity import DispatcherTerritory
from dispatch.store.tables.tenants import (
    ApiKey,
    Contractor,
    DirectoryEntry,
    Dispatcher,
    Skill,
    Territory,
)

_ENGINEERS = """
  select e.id as engineer_id, e.name, e.signin_id, e.language, e.active, e.territory_id, e.contractor_id,
    e.daily_limit_min, e.trainee, e.phone_enc is not null as has_phone,
    e.position_consent_at is not null as consents,
    coalesce((select jsonb_object_agg(s.skill, s.level) from engineer_skills s
      where s.tenant_id = e.tenant_id and s.engineer_id = e.id), '{}'::jsonb) as skills,
    (select count(*)::int from signins s where s.tenant_id = e.tenant_id and s.principal_id = e.id
      and s.revoked_at is null and s.expires_at > %(wall)s) as devices,
    (select max(s.ends_at) from shifts s where s.tenant_id = e.tenant_id and s.engineer_id = e.id)
      as shifts_until
  from engineers e where e.tenant_id = %(tenant)s
    and (%(q)s = '' or strpos(lower(e.name), lower(%(q)s)) > 0 or strpos(lower(e.signin_id), lower(%(q)s)) > 0)
    and (%(after)s::uuid is null or (not e.active, e.name, e.id) > (
      select not l.active, l.name, l.id from engineers l where l.tenant_id = e.tenant_id and l.id = %(after)s))
  order by not e.active, e.name, e.id limit %(limit)s
"""
_DISPATCHERS = """
  select d.id as dispatcher_id, d.name, d.signin_id, d.role, d.language, d.active, d.contractor_id,
    d.totp_at is not null as totp,
    coalesce((select jsonb_agg(x.territory_id) from dispatcher_territories x
      where x.tenant_id = d.tenant_id and x.dispatcher_id = d.id), '[]'::jsonb) as territory_ids
  from dispatchers d where d.tenant_id = %(tenant)s
    and (%(after)s::uuid is null or (not d.active, d.name, d.id) > (
      select not l.active, l.name, l.id from dispatchers l where l.tenant_id = d.tenant_id and l.id = %(after)s))
  order by not d.active, d.name, d.id limit %(limit)s
"""
_KEYS = """
  select k.id as key_id, k.name, k.prefix, k.scopes, k.created_at, k.expires_at, k.revoked_at from api_keys k
  where k.tenant_id = %(tenant)s
    and (%(after)s::uuid is null or (k.revoked_at is not null, -extract(epoch from k.created_at), k.id) > (
      select l.revoked_at is not null, -extract(epoch from l.created_at), l.id from api_keys l
      where l.tenant_id = k.tenant_id and l.id = %(after)s))
  order by k.revoked_at is not null, k.created_at desc, k.id limit %(limit)s
"""
_CONTRACTORS = """
  select id as contractor_id, name from contractors where tenant_id = %(tenant)s order by id limit 500
"""


PAGE = 50


def read_engineers(
    db: Session, tenant_id: UUID, wall: datetime, q: str = "", after: UUID | None = None
) -> dict[str, Any]:
    """views.EngineerPage: those whose name or sign-in holds `q`, behind the engineer `after`; `wall` is real time,
    by which sign-ins end."""
    values = {"tenant": tenant_id, "wall": wall, "q": q.strip(), "after": after, "limit": PAGE + 1}
    return page_of("engineers", fetch(db, _ENGINEERS, values), PAGE, "engineer_id")


def read_dispatchers(db: Session, tenant_id: UUID, after: UUID | None = None) -> dict[str, Any]:
    """views.DispatcherPage."""
    values = {"tenant": tenant_id, "after": after, "limit": PAGE + 1}
    return page_of("dispatchers", fetch(db, _DISPATCHERS, values), PAGE, "dispatcher_id")


def read_keys(db: Session, tenant_id: UUID, after: UUID | None = None) -> dict[str, Any]:
    """views.KeyPage: those in force first, newest first."""
    values = {"tenant": tenant_id, "after": after, "limit": PAGE + 1}
    return page_of("keys", fetch(db, _KEYS, values), PAGE, "key_id")


def read_contractors(db: Session, tenant_id: UUID) -> list[dict[str, Any]]:
    """views.ContractorLine of every contractor: a list to choose from."""
    return list(fetch(db, _CONTRACTORS, {"tenant": tenant_id}))


def must_know(
    db: Session,
    tenant_id: UUID,
    skills: Sequence[str] = (),
    territories: Sequence[UUID] = (),
    contractor_id: UUID | None = None,
) -> None:
    """Raises NotReady `skill_unknown`, `skill_retired`, `territory_unknown`, `contractor_unknown`."""
    mine = (Skill.tenant_id == tenant_id, Skill.code.in_(skills))
    known = dict(db.execute(select(Skill.code, Skill.retired_at).where(*mine)).all())
    for skill in skills:
        if skill not in known:
            raise NotReady("skill_unknown", skill=skill)
        if known[skill] is not None:
            raise NotReady("skill_retired", skill=skill)
    for territory_id in territories:
        if db.get(Territory, {"tenant_id": tenant_id, "id": territory_id}) is None:
            raise NotReady("territory_unknown", territory_id=str(territory_id))
    if contractor_id is not None:
        if db.get(Contractor, {"tenant_id": tenant_id, "id": contractor_id}) is None:
            raise NotReady("contractor_unknown", contractor_id=str(contractor_id))


def must_be_engineer(db: Session, tenant_id: UUID, engineer_id: UUID) -> None:
    """Raises NotFound `engineer_unknown`."""
    _person(db, tenant_id, "engineer", engineer_id)


def set_password(
    db: Session, tenant_id: UUID, kind: str, person_id: UUID, password_hash: str, wall: datetime
) -> None:
    """A new password; every sign-in of this person ends, and a lost second factor is taken off."""
    person = _person(db, tenant_id, kind, person_id)
    person.password_hash = password_hash
    if kind == "dispatcher":
        assert isinstance(person, Dispatcher)
        remove_totp(db, person)
    db.flush()
    revoke_all(db, tenant_id, person_id, wall)


def set_active(
    db: Session, tenant_id: UUID, kind: str, person_id: UUID, active: bool, asking_id: UUID, wall: datetime
) -> None:
    """Somebody who is not active cannot sign in, and is signed out. Raises Forbidden `not_yourself`."""
    if person_id == asking_id and not active:
        raise Forbidden("not_yourself")
    person = _person(db, tenant_id, kind, person_id)
    person.active = active
    db.flush()
    if not active:
        revoke_all(db, tenant_id, person_id, wall)


def set_territories(db: Session, tenant_id: UUID, dispatcher_id: UUID, territories: Sequence[UUID]) -> None:
    """From now on this dispatcher sees these; none means all. Raises NotFound, NotReady `territory_unknown`."""
    _person(db, tenant_id, "dispatcher", dispatcher_id)
    must_know(db, tenant_id, territories=territories)
    db.execute(
        delete(DispatcherTerritory).where(
            DispatcherTerritory.tenant_id == tenant_id, DispatcherTerritory.dispatcher_id == dispatcher_id
        )
    )
    db.add_all(
        DispatcherTerritory(tenant_id=tenant_id, dispatcher_id=dispatcher_id, territory_id=each)
        for each in dict.fromkeys(territories)
    )
    db.flush()


def revoke_key(db: Session, tenant_id: UUID, key_id: UUID, wall: datetime) -> None:
    """Raises NotFound `key_unknown`."""
    row = db.get(ApiKey, {"tenant_id": tenant_id, "id": key_id})
    if row is None:
        raise NotFound("key_unknown", key_id=str(key_id))
    row.revoked_at = row.revoked_at or wall
    db.execute(delete(DirectoryEntry).where(DirectoryEntry.lookup == f"api_key:{bytes(row.key_hash).hex()}"))
    db.flush()


def _person(db: Session, tenant_id: UUID, kind: str, person_id: UUID) -> Person:
    person = read_person(db, tenant_id, kind, person_id)
    if person is None:
        raise NotFound(f"{kind}_unknown")
    return person
