"""A company and its people, skills, hours and keys: what an admin, an import or the demo sets up."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from shapely import MultiPolygon
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.actions.cases import as_geography
from dispatch.actions.chain import start_chain
from dispatch.actions.keeping import EVERY
from dispatch.domain.errors import Conflict
from dispatch.store.ids import new_id
from dispatch.store.personal import PersonalData, phone_digits
from dispatch.store.tables.events import Timer
from dispatch.store.tables.people import Engineer, EngineerSkill, Shift
from dispatch.store.tables.tenants import (
    ApiKey,
    Contractor,
    DirectoryEntry,
    Dispatcher,
    Skill,
    Tenant,
    Territory,
    WorkType,
    WorkTypeSkill,
)
from dispatch.store.transactions import Database
from geo.points import Point

Texts = dict[str, str]
#: Of each list that a form chooses from, whole: `store.queries.catalogue` and `identity_admin` read as many.
MOST_LISTED = 500
_Listed = Skill | WorkType | Territory | Contractor


@dataclass(frozen=True, slots=True)
class WorkTypeWanted:
    """`skills` maps a code to the least level."""

    code: str
    name: Texts
    duration_min: int
    mode: str = "offer"
    skills: Mapping[str, int] = field(default_factory=dict)
    completion_photos: int = 1
    check_in_radius_m: int = 150


@dataclass(frozen=True, slots=True)
class EngineerWanted:
    """`password_hash` is argon2's; `skills` maps a code to a level; `consented` to sharing positions."""

    name: str
    signin_id: str
    password_hash: str
    skills: Mapping[str, int]
    language: str = "zh"
    phone: str | None = None
    territory_id: UUID | None = None
    contractor_id: UUID | None = None
    home: Point | None = None
    daily_limit_min: int = 480
    trainee: bool = False
    consented: bool = True


def found_tenant(
    database: Database,
    slug: str,
    name: Texts,
    zone: str,
    now: datetime,
    language: str = "zh",
    currency: str = "CNY",
    settings: dict[str, Any] | None = None,
    is_demo: bool = False,
) -> UUID:
    """A new company with an empty chain. Raises Conflict `tenant_exists` when the slug is taken."""
    tenant_id = new_id()
    with database.transaction(tenant_id) as db:
        taken = (
            insert(DirectoryEntry)
            .values(lookup=f"tenant:{slug}", tenant_id=tenant_id, kind="tenant", subject_id=tenant_id)
            .on_conflict_do_nothing()
            .returning(DirectoryEntry.lookup)
        )
        if db.execute(taken).one_or_none() is None:
            raise Conflict("tenant_exists", slug=slug)
        db.add(
            Tenant(
                id=tenant_id,
                slug=slug,
                name=name,
                zone=zone,
                language=language,
                currency=currency,
                settings=settings or {},
                is_demo=is_demo,
                created_at=now,
            )
        )
        db.flush()
        start_chain(db, tenant_id)
        db.add(Timer(tenant_id=tenant_id, kind="purge_by", subject_id=tenant_id, due_at=now + EVERY))
    return tenant_id


def find_tenant(database: Database, slug: str) -> UUID | None:
    with database.transaction(None) as db:
        entry = db.get(DirectoryEntry, f"tenant:{slug}")
    return entry.tenant_id if entry else None


def _check_room(db: Session, table: type[_Listed], tenant_id: UUID, more: int = 1) -> None:
    """Raises Conflict `too_many`: every form shows these lists whole."""
    count = db.execute(select(func.count()).where(table.tenant_id == tenant_id)).scalar_one()
    if count + more > MOST_LISTED:
        raise Conflict("too_many", most=MOST_LISTED)


def add_skills(db: Session, tenant_id: UUID, skills: Mapping[str, Texts]) -> None:
    """Raises Conflict `too_many`."""
    _check_room(db, Skill, tenant_id, len(skills))
    db.add_all(Skill(tenant_id=tenant_id, code=code, name=name) for code, name in skills.items())
    db.flush()


def add_work_type(db: Session, tenant_id: UUID, wanted: WorkTypeWanted) -> None:
    """Raises Conflict `too_many`."""
    _check_room(db, WorkType, tenant_id)
    db.add(
        WorkType(
            tenant_id=tenant_id,
            code=wanted.code,
            name=wanted.name,
            duration_min=wanted.duration_min,
            mode=wanted.mode,
            completion_photos=wanted.completion_photos,
            check_in_radius_m=wanted.check_in_radius_m,
        )
    )
    db.flush()
    db.add_all(
        WorkTypeSkill(tenant_id=tenant_id, work_type=wanted.code, skill=skill, level=level)
        for skill, level in wanted.skills.items()
    )
    db.flush()


def add_territory(
    db: Session, tenant_id: UUID, name: Texts, zone: str, area: MultiPolygon | None = None
) -> UUID:
    """Raises Conflict `too_many`."""
    _check_room(db, Territory, tenant_id)
    territory_id = new_id()
    shape = f"SRID=4326;{area.wkt}" if area is not None else None
    db.add(Territory(tenant_id=tenant_id, id=territory_id, name=name, zone=zone, area=shape))
    db.flush()
    return territory_id


def add_contractor(db: Session, tenant_id: UUID, name: Texts, paper_only: bool = False) -> UUID:
    """Raises Conflict `too_many`."""
    _check_room(db, Contractor, tenant_id)
    contractor_id = new_id()
    db.add(Contractor(tenant_id=tenant_id, id=contractor_id, name=name, paper_only=paper_only))
    db.flush()
    return contractor_id


def add_dispatcher(
    db: Session,
    tenant_id: UUID,
    name: str,
    signin_id: str,
    password_hash: str,
    role: str = "dispatcher",
    language: str = "zh",
    contractor_id: UUID | None = None,
) -> UUID:
    """Raises Conflict `signin_taken`: a sign-in is one person's in the whole installation."""
    dispatcher_id = new_id()
    _enter(db, "dispatcher", signin_id, tenant_id, dispatcher_id)
    db.add(
        Dispatcher(
            tenant_id=tenant_id,
            id=dispatcher_id,
            name=name,
            role=role,
            signin_id=signin_id,
            password_hash=password_hash,
            language=language,
            contractor_id=contractor_id,
        )
    )
    db.flush()
    return dispatcher_id


def add_engineer(
    db: Session, personal: PersonalData, tenant_id: UUID, wanted: EngineerWanted, now: datetime
) -> UUID:
    """An engineer with skills, at home. Raises Conflict `signin_taken`."""
    engineer_id = new_id()
    _enter(db, "engineer", wanted.signin_id, tenant_id, engineer_id)
    db.add(
        Engineer(
            tenant_id=tenant_id,
            id=engineer_id,
            name=wanted.name,
            signin_id=wanted.signin_id,
            password_hash=wanted.password_hash,
            phone_enc=personal.encrypt(wanted.phone, tenant_id, engineer_id, "phone"),
            phone_blind=personal.blind(phone_digits(wanted.phone), tenant_id),
            language=wanted.language,
            territory_id=wanted.territory_id,
            contractor_id=wanted.contractor_id,
            home=as_geography(wanted.home) if wanted.home else None,
            position=as_geography(wanted.home) if wanted.home else None,
            position_at=now if wanted.home else None,
            skill_levels=skill_words(wanted.skills),
            daily_limit_min=wanted.daily_limit_min,
            trainee=wanted.trainee,
            position_consent_at=now if wanted.consented else None,
        )
    )
    db.flush()
    db.add_all(
        EngineerSkill(tenant_id=tenant_id, engineer_id=engineer_id, skill=skill, level=level)
        for skill, level in wanted.skills.items()
    )
    db.flush()
    return engineer_id


def skill_words(skills: Mapping[str, int]) -> list[str]:
    """`code/level` for every level reached: `{"hvac": 2}` → `hvac/1`, `hvac/2`."""
    return [f"{code}/{n}" for code, level in sorted(skills.items()) for n in range(1, level + 1)]


def certify(db: Session, tenant_id: UUID, engineer_id: UUID, skill: str, number: str, until: date) -> None:
    row = db.get(EngineerSkill, {"tenant_id": tenant_id, "engineer_id": engineer_id, "skill": skill})
    assert row is not None
    row.certificate, row.certified_until = number, until
    db.flush()


def add_shifts(
    db: Session, tenant_id: UUID, engineer_id: UUID, spans: Sequence[tuple[datetime, datetime]]
) -> None:
    """Working hours; a shift that is there already stays."""
    for starts_at, ends_at in spans:
        row = insert(Shift).values(
            tenant_id=tenant_id, id=new_id(), engineer_id=engineer_id, starts_at=starts_at, ends_at=ends_at
        )
        db.execute(row.on_conflict_do_nothing())


def add_api_key(
    db: Session,
    tenant_id: UUID,
    name: str,
    scopes: Sequence[str],
    now: datetime,
    key: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """The key, shown once: only its hash is kept. `key` is given only by the demo."""
    key_id = new_id()
    prefix = f"pdk_{secrets.token_hex(4)}"
    key = key or f"{prefix}_{secrets.token_urlsafe(32)}"
    digest = sha256(key.encode()).digest()
    db.add(
        ApiKey(
            tenant_id=tenant_id,
            id=key_id,
            name=name,
            prefix=prefix,
            key_hash=digest,
            scopes=list(scopes),
            created_at=now,
            expires_at=expires_at,
        )
    )
    db.add(
        DirectoryEntry(
            lookup=f"api_key:{digest.hex()}", tenant_id=tenant_id, kind="api_key", subject_id=key_id
        )
    )
    db.flush()
    return key


def _enter(db: Session, kind: str, signin_id: str, tenant_id: UUID, subject_id: UUID) -> None:
    taken = (
        insert(DirectoryEntry)
        .values(lookup=f"{kind}:{signin_id.lower()}", tenant_id=tenant_id, kind=kind, subject_id=subject_id)
        .on_conflict_do_nothing()
        .returning(DirectoryEntry.lookup)
    )
    if db.execute(taken).one_or_none() is None:
        raise Conflict("signin_taken", signin_id=signin_id)
