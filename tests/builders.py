"""The same few characters in every test: Ana the engineer, Ben her colleague, Chen the customer, Dora the
dispatcher; one small company around them. Everything is made through the product's own actions."""

import io
import random
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from PIL import Image

from api.signin import hash_password
from dispatch.actions import tenants
from dispatch.actions.step import House
from dispatch.domain.commands import Principal, Role
from dispatch.store.ids import new_id
from geo.points import Point

SITE = Point(120.30, 36.07)
PASSWORD = "a long enough password"
PASSWORD_HASH = hash_password(PASSWORD)
SKILLS = {"hvac": {"zh": "空调", "en": "Air conditioning"}, "plumbing": {"zh": "水暖", "en": "Plumbing"}}
WORK_TYPES = (
    tenants.WorkTypeWanted("ac_repair", {"zh": "空调维修", "en": "AC repair"}, 60, "offer", {"hvac": 2}),
    tenants.WorkTypeWanted("ac_direct", {"zh": "空调抢修", "en": "AC emergency"}, 45, "direct", {"hvac": 1}),
    tenants.WorkTypeWanted("leak", {"zh": "漏水", "en": "Leak"}, 30, "pool", {"plumbing": 1}),
    tenants.WorkTypeWanted("survey", {"zh": "勘察", "en": "Survey"}, 30, "manual"),
)


@dataclass
class Company:
    """A tenant with Ana (hvac 2, plumbing 1), Ben (hvac 2, plumbing 1) and Eve (plumbing 1), and Dora."""

    house: House
    tenant_id: UUID
    slug: str
    key: str
    engineers: dict[str, UUID] = field(default_factory=dict)
    dispatchers: dict[str, UUID] = field(default_factory=dict)

    def engineer(self, name: str) -> Principal:
        return Principal(self.tenant_id, Role.ENGINEER, self.engineers[name])

    @property
    def dora(self) -> Principal:
        return Principal(self.tenant_id, Role.DISPATCHER, self.dispatchers["Dora"])

    def signin_id(self, name: str) -> str:
        return f"{name.lower()}-{self.slug}"


def company(house: House, settings: dict[str, Any] | None = None, zone: str = "Asia/Shanghai") -> Company:
    """A fresh tenant; shifts cover yesterday to the day after tomorrow."""
    slug = f"t{secrets.token_hex(6)}"
    now = house.now()
    tenant_id = tenants.found_tenant(
        house.database, slug, {"zh": "示例", "en": "Example"}, zone, now, settings=settings
    )
    with house.database.transaction(tenant_id) as db:
        tenants.add_skills(db, tenant_id, SKILLS)
        for work_type in WORK_TYPES:
            tenants.add_work_type(db, tenant_id, work_type)
        key = tenants.add_api_key(
            db, tenant_id, "tests", ["tickets:create", "tickets:read", "tickets:act"], now
        )
        made = Company(house, tenant_id, slug, key)
        for name, role in (("Dora", "dispatcher"), ("Ada", "admin")):
            made.dispatchers[name] = tenants.add_dispatcher(
                db, tenant_id, name, made.signin_id(name), PASSWORD_HASH, role, "en"
            )
        for name, skills, east_m in (
            ("Ana", {"hvac": 2, "plumbing": 1}, 500),
            ("Ben", {"hvac": 2, "plumbing": 1}, 1500),
            ("Eve", {"plumbing": 1}, 2500),
        ):
            made.engineers[name] = add_engineer(made, db, name, skills, east_m, now)
    return made


def add_engineer(
    made: Company, db: Any, name: str, skills: dict[str, int], east_m: int, now: datetime
) -> UUID:
    """One more engineer, `east_m` metres east of SITE, on shift."""
    wanted = tenants.EngineerWanted(
        name,
        made.signin_id(name),
        PASSWORD_HASH,
        skills,
        language="en",
        phone="13800000000",
        home=Point(SITE.lon + east_m / 90_000, SITE.lat),
    )
    engineer_id = tenants.add_engineer(db, made.house.personal, made.tenant_id, wanted, now)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    spans = [(midnight + timedelta(days=d), midnight + timedelta(days=d + 1)) for d in (-1, 0, 1, 2)]
    tenants.add_shifts(db, made.tenant_id, engineer_id, spans)
    return engineer_id


def picture(seed: int = 0, size: tuple[int, int] = (320, 240)) -> bytes:
    """A real JPEG, another one for every seed."""
    noise = random.Random(seed)
    small = Image.new("RGB", (16, 12))
    small.putdata([tuple(noise.randrange(256) for _ in range(3)) for _ in range(16 * 12)])
    kept = io.BytesIO()
    small.resize(size).save(kept, "JPEG", quality=85)
    return kept.getvalue()


def new_ticket(work_type: str = "ac_repair", **more: Any) -> dict[str, Any]:
    """A NewTicket body at SITE for Chen."""
    body = {
        "command_id": str(new_id()),
        "work_type": work_type,
        "description": "冷气不凉 not cooling",
        "address": "示例路 1 号",
        "door": "3-201",
        "site": {"lon": SITE.lon, "lat": SITE.lat, "datum": "wgs84"},
        "contact_name": "Chen",
        "contact_phone": "13900001234",
        "language": "en",
    }
    return {k: v for k, v in {**body, **more}.items() if v is not None}
