"""A company's tables as rows of plain cells, with the columns that `dispatch.domain.catalogue` reads back."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.actions.cases import as_point
from dispatch.actions.step import House, read_rules
from dispatch.domain.catalogue import KINDS, inert
from dispatch.store.personal import PersonalData
from dispatch.store.tables.people import Customer, Engineer, EngineerSkill, Shift
from dispatch.store.tables.tenants import Asset, Contractor, Skill, Territory, WorkType, WorkTypeSkill

Row = dict[str, object]


def columns_of(kind: str) -> list[str]:
    """Headings of an export. Passwords never leave."""
    return [column.name for column in KINDS[kind] if column.name != "password"]


def export_rows(house: House, tenant_id: UUID, kind: str) -> list[list[object]]:
    """Every row of a kind, cells in the order of columns_of, none of which a spreadsheet takes for a formula."""
    with house.database.transaction(tenant_id, snapshot=True) as db:
        zone = read_rules(db, tenant_id).tzinfo
        rows = list(_ROWS[kind](db, tenant_id, house.personal))
    names = columns_of(kind)
    return [[inert(_plain(row.get(name), zone)) for name in names] for row in rows]


def _plain(value: object, zone: Any) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(zone).date().isoformat()
    return value


def _skills(db: Session, tenant_id: UUID, personal: PersonalData) -> Iterator[Row]:
    for row in db.scalars(select(Skill).where(Skill.tenant_id == tenant_id).order_by(Skill.code)):
        yield {"code": row.code, **_names(row.name)}


def _work_types(db: Session, tenant_id: UUID, personal: PersonalData) -> Iterator[Row]:
    skills: dict[str, dict[str, int]] = {}
    for each in db.scalars(select(WorkTypeSkill).where(WorkTypeSkill.tenant_id == tenant_id)):
        skills.setdefault(each.work_type, {})[each.skill] = each.level
    for row in db.scalars(select(WorkType).where(WorkType.tenant_id == tenant_id).order_by(WorkType.code)):
        plain = {
            k: getattr(row, k) for k in ("duration_min", "mode", "completion_photos", "check_in_radius_m")
        }
        yield {"code": row.code, **_names(row.name), **plain, "skills": _levels(skills.get(row.code, {}))}


def _engineers(db: Session, tenant_id: UUID, personal: PersonalData) -> Iterator[Row]:
    skills: dict[UUID, dict[str, int]] = {}
    for each in db.scalars(select(EngineerSkill).where(EngineerSkill.tenant_id == tenant_id)):
        skills.setdefault(each.engineer_id, {})[each.skill] = each.level
    names = {
        row.id: row.name.get("zh") or row.name.get("en")
        for kind in (Territory, Contractor)
        for row in db.execute(select(kind.id, kind.name).where(kind.tenant_id == tenant_id))
    }
    wanted = (
        select(Engineer).where(Engineer.tenant_id == tenant_id, Engineer.active).order_by(Engineer.signin_id)
    )
    for row in db.scalars(wanted):
        home = as_point(row.home)
        yield {
            "signin_id": row.signin_id,
            "name": row.name,
            "phone": personal.decrypt(row.phone_enc, tenant_id, row.id, "phone"),
            "language": row.language,
            "skills": _levels(skills.get(row.id, {})),
            "territory": names.get(row.territory_id) if row.territory_id else None,
            "contractor": names.get(row.contractor_id) if row.contractor_id else None,
            "home_lon": home.lon if home else None,
            "home_lat": home.lat if home else None,
            "daily_limit_min": row.daily_limit_min,
            "trainee": row.trainee,
        }


def _shifts(db: Session, tenant_id: UUID, personal: PersonalData) -> Iterator[Row]:
    zone = read_rules(db, tenant_id).tzinfo
    wanted = (
        select(Shift, Engineer.signin_id)
        .join(Engineer, (Engineer.tenant_id == Shift.tenant_id) & (Engineer.id == Shift.engineer_id))
        .where(Shift.tenant_id == tenant_id)
        .order_by(Engineer.signin_id, Shift.starts_at)
    )
    for row, signin_id in db.execute(wanted):
        starts, ends = (at.astimezone(UTC).astimezone(zone) for at in (row.starts_at, row.ends_at))
        yield {
            "engineer": signin_id,
            "day": starts.date().isoformat(),
            "start": f"{starts:%H:%M}",
            "end": f"{ends:%H:%M}",
            "kind": row.kind,
        }


def _customers(db: Session, tenant_id: UUID, personal: PersonalData) -> Iterator[Row]:
    wanted = select(Customer).where(Customer.tenant_id == tenant_id, Customer.erased_at.is_(None))
    for row in db.scalars(wanted.order_by(Customer.created_at, Customer.id)):
        yield {
            "phone": personal.decrypt(row.phone_enc, tenant_id, row.id, "phone"),
            "name": personal.decrypt(row.name_enc, tenant_id, row.id, "name"),
            "language": row.language,
        }


def _assets(db: Session, tenant_id: UUID, personal: PersonalData) -> Iterator[Row]:
    wanted = (
        select(Asset, Customer)
        .outerjoin(Customer, (Customer.tenant_id == Asset.tenant_id) & (Customer.id == Asset.customer_id))
        .where(Asset.tenant_id == tenant_id, Asset.serial.is_not(None))
        .order_by(Asset.kind, Asset.serial)
    )
    for row, customer in db.execute(wanted):
        phone = personal.decrypt(customer.phone_enc, tenant_id, customer.id, "phone") if customer else None
        yield {
            "kind": row.kind,
            "serial": row.serial,
            **_names(row.name),
            "customer_phone": phone,
            "installed": row.installed_at,
            "warranty_until": row.warranty_until,
        }


_ROWS: dict[str, Callable[[Session, UUID, PersonalData], Iterator[Row]]] = {
    "skills": _skills,
    "work-types": _work_types,
    "engineers": _engineers,
    "shifts": _shifts,
    "customers": _customers,
    "assets": _assets,
}


def _names(name: Mapping[str, Any]) -> Row:
    return {"name_zh": name.get("zh"), "name_en": name.get("en")}


def _levels(skills: Mapping[str, int]) -> str:
    return " ".join(f"{code}:{level}" for code, level in sorted(skills.items()))
