"""A company's tables in and out: rows that are known change, others are made; each row stands or falls alone."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from dispatch.actions import tenants
from dispatch.actions.cases import as_geography, as_point
from dispatch.actions.step import Draft, House, Step, run_step
from dispatch.actions.tenants import EngineerWanted, WorkTypeWanted, skill_words
from dispatch.adapters.common_passwords import is_common
from dispatch.domain.catalogue import KEYS, Cells, Wrong, read_row
from dispatch.domain.commands import system
from dispatch.domain.errors import DispatchError
from dispatch.domain.tenancy import TenantRules
from dispatch.store.ids import new_id
from dispatch.store.personal import PersonalData, phone_digits
from dispatch.store.savepoint import savepoint
from dispatch.store.tables.people import Customer, Engineer, EngineerSkill, Shift
from dispatch.store.tables.tenants import Asset, Contractor, Skill, Territory, WorkType, WorkTypeSkill
from geo.points import GeoError, Point, distance_m
from geo.travel import SAME_PLACE_M

Values = Mapping[str, Any]
CHUNK = 200


class RowWrong(Exception):
    """What the database knows against a row."""

    def __init__(self, code: str, column: str, value: object = "") -> None:
        super().__init__(code)
        self.wrong = Wrong(code, column, str(value))


class _OnlyTried(Exception):
    """Rolls a dry run back and says what was done in it."""

    def __init__(self, done: "list[RowDone]") -> None:
        super().__init__()
        self.done = done


@dataclass(frozen=True, slots=True)
class RowDone:
    """What became of a line: created, changed, same or refused."""

    line: int
    key: str
    outcome: str
    wrong: tuple[Wrong, ...] = ()


@dataclass(slots=True)
class Desk:
    """What the rows of one import share. `hash_password` costs time on purpose: `nobody` is made once."""

    db: Session
    tenant_id: UUID
    personal: PersonalData
    rules: TenantRules
    now: datetime
    hash_password: Callable[[str], str]
    nobody: str
    names: dict[str, dict[str, UUID]] = field(default_factory=dict)

    def named(self, kind: type[Territory] | type[Contractor], name: str, column: str) -> UUID:
        """The id of a territory or contractor by its name in either language. Raises RowWrong."""
        if kind.__tablename__ not in self.names:
            rows = self.db.execute(select(kind.id, kind.name).where(kind.tenant_id == self.tenant_id))
            self.names[kind.__tablename__] = {str(text): row.id for row in rows for text in row.name.values()}
        if name not in self.names[kind.__tablename__]:
            raise RowWrong(f"{column}_unknown", column, name)
        return self.names[kind.__tablename__][name]

    def check_skills(self, skills: Mapping[str, int], had: Collection[str]) -> None:
        """A retired one is kept by who `had` it. Raises RowWrong."""
        mine = select(Skill.code, Skill.retired_at).where(Skill.tenant_id == self.tenant_id)
        known = dict(self.db.execute(mine).all())
        for code in skills:
            if code not in known:
                raise RowWrong("skill_unknown", "skills", code)
            if known[code] is not None and code not in had:
                raise RowWrong("skill_retired", "skills", code)

    def engineer(self, signin_id: str) -> Engineer | None:
        return self.db.scalars(
            select(Engineer).where(Engineer.tenant_id == self.tenant_id, Engineer.signin_id == signin_id)
        ).one_or_none()

    def customer(self, phone: str) -> Customer | None:
        digits = phone_digits(phone)
        blinds = self.personal.blinds(digits, self.tenant_id) if digits else []
        return self.db.scalars(
            select(Customer)
            .where(
                Customer.tenant_id == self.tenant_id,
                Customer.phone_blind.in_(blinds),
                Customer.erased_at.is_(None),
            )
            .order_by(Customer.created_at)
            .limit(1)
        ).one_or_none()


def import_rows(
    house: House,
    tenant_id: UUID,
    kind: str,
    rows: Sequence[tuple[int, Cells]],
    hash_password: Callable[[str], str],
    dry_run: bool,
) -> Iterator[RowDone]:
    """Every line's fate, in order. A dry run does the same work and rolls it back, so that it tells the truth."""
    nobody = hash_password(str(new_id()))
    seen: frozenset[str] = frozenset()
    chunks = [rows] if dry_run else [rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK)]
    for chunk in chunks:

        def work(
            step: Step, chunk: Sequence[tuple[int, Cells]] = chunk, before: frozenset[str] = seen
        ) -> tuple[list[RowDone], frozenset[str]]:
            desk = Desk(step.db, tenant_id, house.personal, step.rules, step.now, hash_password, nobody)
            keys = set(before)
            done = [_one(desk, kind, line, cells, keys) for line, cells in chunk]
            if dry_run:
                raise _OnlyTried(done)
            _tell(step, kind, done)
            return done, frozenset(keys)

        try:
            done, seen = run_step(house, system(tenant_id), work)
        except _OnlyTried as tried:
            done = tried.done
        yield from done


def _tell(step: Step, kind: str, done: Sequence[RowDone]) -> None:
    """An import that changed something is an event like any other change of a company's lists."""
    counted = Counter(row.outcome for row in done)
    if counted["created"] or counted["changed"]:
        facts = {"table": kind, "created": counted["created"], "changed": counted["changed"]}
        step.drafts.append(Draft("tenant", step.tenant_id, None, "import_table", facts=facts))


def _one(desk: Desk, kind: str, line: int, cells: Cells, seen: set[str]) -> RowDone:
    values, wrong = read_row(kind, cells)
    key = " ".join(str(values.get(name) or "") for name in KEYS[kind])
    if not wrong and key in seen:
        wrong = [Wrong("row_twice", KEYS[kind][0], key)]
    if wrong:
        return RowDone(line, key, "refused", tuple(wrong))
    seen.add(key)
    try:
        with savepoint(desk.db):
            return RowDone(line, key, _PUT[kind](desk, values))
    except RowWrong as error:
        return RowDone(line, key, "refused", (error.wrong,))
    except DispatchError as error:
        return RowDone(line, key, "refused", (Wrong(error.code, KEYS[kind][0], key),))
    except GeoError as error:
        return RowDone(line, key, "refused", (Wrong(error.code, "home_lon"),))


def _put_skill(desk: Desk, values: Values) -> str:
    names = {"zh": values["name_zh"], "en": values["name_en"]}
    row = desk.db.get(Skill, {"tenant_id": desk.tenant_id, "code": values["code"]})
    if row is None:
        tenants.add_skills(desk.db, desk.tenant_id, {values["code"]: names})
        return "created"
    return _change(desk, row, {"name": names})


def _put_work_type(desk: Desk, values: Values) -> str:
    names = {"zh": values["name_zh"], "en": values["name_en"]}
    plain = {k: values[k] for k in ("duration_min", "mode", "completion_photos", "check_in_radius_m")}
    mine = (WorkTypeSkill.tenant_id == desk.tenant_id, WorkTypeSkill.work_type == values["code"])
    before = {s.skill: s.level for s in desk.db.scalars(select(WorkTypeSkill).where(*mine))}
    desk.check_skills(values["skills"], before)
    row = desk.db.get(WorkType, {"tenant_id": desk.tenant_id, "code": values["code"]})
    if row is None:
        wanted = WorkTypeWanted(values["code"], names, skills=values["skills"], **plain)
        tenants.add_work_type(desk.db, desk.tenant_id, wanted)
        return "created"
    outcome = _change(desk, row, {"name": names, **plain})
    if before == values["skills"]:
        return outcome
    desk.db.execute(delete(WorkTypeSkill).where(*mine))
    for skill, level in values["skills"].items():
        desk.db.add(WorkTypeSkill(tenant_id=desk.tenant_id, work_type=row.code, skill=skill, level=level))
    desk.db.flush()
    return "changed"


def _put_engineer(desk: Desk, values: Values) -> str:
    row = desk.engineer(values["signin_id"])
    desk.check_skills(values["skills"], _skills_of(desk, row) if row else ())
    territory = desk.named(Territory, values["territory"], "territory") if values["territory"] else None
    contractor = desk.named(Contractor, values["contractor"], "contractor") if values["contractor"] else None
    home = Point(values["home_lon"], values["home_lat"]) if values["home_lon"] is not None else None
    if values["password"] and is_common(values["password"], values["signin_id"], values["name"]):
        raise RowWrong("password_common", "password")
    password = desk.hash_password(values["password"]) if values["password"] else None
    language = values["language"] or (row.language if row else desk.rules.language)
    if row is None:
        wanted = EngineerWanted(
            values["name"], values["signin_id"], password or desk.nobody, values["skills"], language,
            values["phone"], territory, contractor, home, values["daily_limit_min"], values["trainee"],
        )  # fmt: skip
        tenants.add_engineer(desk.db, desk.personal, desk.tenant_id, wanted, desk.now)
        return "created"
    plain: dict[str, Any] = {
        "name": values["name"],
        "language": language,
        "territory_id": territory,
        "contractor_id": contractor,
        "daily_limit_min": values["daily_limit_min"],
        "trainee": values["trainee"],
    }
    blind = desk.personal.blind(phone_digits(values["phone"]), desk.tenant_id)
    if _bytes(row.phone_blind) != blind:
        sealed = desk.personal.encrypt(values["phone"], desk.tenant_id, row.id, "phone")
        plain |= {"phone_enc": sealed, "phone_blind": blind}
    before = as_point(row.home)
    if home is not None and (before is None or distance_m(before, home) > SAME_PLACE_M):
        plain["home"] = as_geography(home)
    if password:
        plain["password_hash"] = password
    outcome = _change(desk, row, plain)
    return "changed" if _set_skills(desk, row, values["skills"]) else outcome


def _skills_of(desk: Desk, row: Engineer) -> dict[str, EngineerSkill]:
    mine = (EngineerSkill.tenant_id == desk.tenant_id, EngineerSkill.engineer_id == row.id)
    return {s.skill: s for s in desk.db.scalars(select(EngineerSkill).where(*mine))}


def _set_skills(desk: Desk, row: Engineer, skills: Mapping[str, int]) -> bool:
    """Levels as the row says; certificates of skills that stay are kept."""
    before = _skills_of(desk, row)
    if {code: s.level for code, s in before.items()} == dict(skills):
        return False
    for code, kept in before.items():
        if code not in skills:
            desk.db.delete(kept)
    for code, level in skills.items():
        if code in before:
            before[code].level = level
        else:
            desk.db.add(EngineerSkill(tenant_id=desk.tenant_id, engineer_id=row.id, skill=code, level=level))
    row.skill_levels = skill_words(skills)
    desk.db.flush()
    return True


def _put_shift(desk: Desk, values: Values) -> str:
    engineer = desk.engineer(values["engineer"])
    if engineer is None:
        raise RowWrong("engineer_unknown", "engineer", values["engineer"])
    starts_at = datetime.combine(values["day"], values["start"], desk.rules.tzinfo)
    ends_at = datetime.combine(values["day"], values["end"], desk.rules.tzinfo)
    if values["end"] <= values["start"]:
        ends_at = datetime.combine(values["day"] + timedelta(days=1), values["end"], desk.rules.tzinfo)
    span = {"ends_at": ends_at.astimezone(UTC), "kind": values["kind"]}
    row = desk.db.scalars(
        select(Shift).where(
            Shift.tenant_id == desk.tenant_id, Shift.engineer_id == engineer.id, Shift.starts_at == starts_at
        )
    ).one_or_none()
    if row is not None:
        return _change(desk, row, span)
    desk.db.add(
        Shift(
            tenant_id=desk.tenant_id,
            id=new_id(),
            engineer_id=engineer.id,
            starts_at=starts_at.astimezone(UTC),
            **span,
        )
    )
    desk.db.flush()
    return "created"


def _put_customer(desk: Desk, values: Values) -> str:
    row = desk.customer(values["phone"])
    if row is not None:
        name = desk.personal.decrypt(row.name_enc, desk.tenant_id, row.id, "name")
        changes: dict[str, Any] = {"language": values["language"] or row.language}
        if name != values["name"]:
            changes["name_enc"] = desk.personal.encrypt(values["name"], desk.tenant_id, row.id, "name")
        return _change(desk, row, changes)
    customer_id, digits = new_id(), phone_digits(values["phone"]) or ""
    desk.db.add(
        Customer(
            tenant_id=desk.tenant_id,
            id=customer_id,
            name_enc=desk.personal.encrypt(values["name"], desk.tenant_id, customer_id, "name"),
            phone_enc=desk.personal.encrypt(values["phone"], desk.tenant_id, customer_id, "phone"),
            phone_blind=desk.personal.blind(digits, desk.tenant_id),
            phone_last4_blind=desk.personal.blind(digits[-4:], desk.tenant_id),
            language=values["language"] or desk.rules.language,
            created_at=desk.now,
        )
    )
    desk.db.flush()
    return "created"


def _put_asset(desk: Desk, values: Values) -> str:
    changes: dict[str, Any] = {
        "name": {"zh": values["name_zh"], "en": values["name_en"]},
        "installed_at": _midnight(values["installed"], desk.rules.tzinfo),
        "warranty_until": _midnight(values["warranty_until"], desk.rules.tzinfo),
        "customer_id": None,
    }
    if values["customer_phone"]:
        customer = desk.customer(values["customer_phone"])
        if customer is None:
            raise RowWrong("customer_unknown", "customer_phone", values["customer_phone"])
        changes["customer_id"] = customer.id
    row = desk.db.scalars(
        select(Asset).where(
            Asset.tenant_id == desk.tenant_id, Asset.kind == values["kind"], Asset.serial == values["serial"]
        )
    ).one_or_none()
    if row is not None:
        return _change(desk, row, changes)
    desk.db.add(
        Asset(tenant_id=desk.tenant_id, id=new_id(), kind=values["kind"], serial=values["serial"], **changes)
    )
    desk.db.flush()
    return "created"


_PUT: dict[str, Callable[[Desk, Values], str]] = {
    "skills": _put_skill,
    "work-types": _put_work_type,
    "engineers": _put_engineer,
    "shifts": _put_shift,
    "customers": _put_customer,
    "assets": _put_asset,
}


def _change(desk: Desk, row: Any, values: Mapping[str, Any]) -> str:
    """Sets what differs; a row with a version counts on."""
    different = {k: v for k, v in values.items() if getattr(row, k) != v}
    if not different:
        return "same"
    for name, value in different.items():
        setattr(row, name, value)
    if hasattr(row, "version"):
        row.version += 1
    desk.db.flush()
    return "changed"


def _midnight(day: Any, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time(), zone).astimezone(UTC) if day is not None else None


def _bytes(value: bytes | None) -> bytes | None:
    return bytes(value) if value is not None else None
