"""The demo's company: a made-up city on the map, engineers with obviously made-up names, simple sign-ins.

Seeding again changes nothing but tops up the shifts, so that every start finds people at work. What the
simulated people need to know (their sign-ins, the ticket source's key) goes into CAST_FILE of the state.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely
from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.command_line.demo_proof import seed_proof
from api.command_line.demo_yesterday import seed_yesterday
from api.command_line.environment import write_private
from api.command_line.problems import CommandError
from dispatch.actions import tenants
from dispatch.actions.step import House
from dispatch.actions.tenants import EngineerWanted, WorkTypeWanted
from dispatch.settings import Settings, read_settings
from dispatch.store.ids import new_id
from dispatch.store.personal import PersonalData
from dispatch.store.tables.matching import MatchPolicy
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.telling import Automation
from dispatch.store.tables.tenants import Contractor, DirectoryEntry, Dispatcher
from dispatch.store.transactions import Database
from geo.demo_city import make_city
from geo.points import Point
from geo.roads.files import VERSION

SLUG = "demo-city"
NAME = {"zh": "示例城市", "en": "Demo City"}
ZONE = ZoneInfo("Asia/Shanghai")
PASSWORD = "demo"
#: The password is printed on the screen: a costly hash would only make fifty sign-ins slow.
_CHEAP = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
CAST_FILE = "demo-cast.json"
CITY_SEED = 7
ROADS_TIMEOUT_S = 300
"""An import takes seconds; the first on a machine also compiles."""
ENGINEERS_PER_TERRITORY = 8
SHIFT_DAYS = 45
#: Short waits, so that an accelerated day shows every turn a ticket can take.
RULES = {"offer_s": 900, "offer_rounds": 2, "pool_min": 20, "acknowledge_min": 6, "acceptance_days": 1,
         "match_again_min": 3, "max_travel_min": 60, "service_code": 1}  # fmt: skip

SKILLS = {
    "hvac": {"zh": "空调", "en": "Air conditioning"},
    "plumbing": {"zh": "水暖", "en": "Plumbing"},
    "electrical": {"zh": "电工", "en": "Electrical"},
    "network": {"zh": "网络", "en": "Network"},
    "lift": {"zh": "电梯", "en": "Lifts"},
    "appliance": {"zh": "家电", "en": "Appliances"},
}
# fmt: off
WORK_TYPES = (
    WorkTypeWanted("ac_repair", {"zh": "空调维修", "en": "AC repair"}, 40, "offer", {"hvac": 2}, 2),
    WorkTypeWanted("leak", {"zh": "漏水抢修", "en": "Water leak"}, 30, "offer", {"plumbing": 1}),
    WorkTypeWanted("power_fault", {"zh": "电路故障", "en": "Power fault"}, 30, "offer", {"electrical": 2}),
    WorkTypeWanted("lift_stopped", {"zh": "电梯困人", "en": "Lift stopped"}, 30, "direct", {"lift": 1}),
    WorkTypeWanted("network_down", {"zh": "宽带故障", "en": "Network down"}, 25, "direct", {"network": 1}),
    WorkTypeWanted("appliance_check", {"zh": "家电检修", "en": "Appliances"}, 25, "pool", {"appliance": 1}),
    WorkTypeWanted("drain_cleaning", {"zh": "管道疏通", "en": "Drain cleaning"}, 25, "pool", {"plumbing": 1}),
    WorkTypeWanted("charger_fault", {"zh": "充电桩故障", "en": "EV charger"}, 30, "manual", {"electrical": 2}),
    WorkTypeWanted("survey", {"zh": "现场勘察", "en": "Site survey"}, 30, "manual", {}, 0),
)
# fmt: on
#: How some of them find engineers: several asked at once, names collected, a ticket matched with others.
POLICIES: tuple[dict[str, Any], ...] = (
    {"work_type": "leak", "mode": "offer_many", "settings": {"offers_at_once": 2}},
    {
        "work_type": "drain_cleaning",
        "mode": "pool",
        "settings": {"collect_s": 300, "ring_m": 4000, "ring_min": 3},
    },
    {"work_type": "network_down", "mode": "direct", "settings": {"batch_min": 3}},
)
#: Reactions that are on, besides those that are by themselves.
AUTOMATIC = ("follow_up_not_fixed", "notify_on_urge", "call_back_unhappy")
#: Skills of the eight engineers of a territory, by place in the row.
_SKILLS_OF = (
    {"hvac": 3, "electrical": 2},
    {"hvac": 2, "appliance": 2},
    {"plumbing": 3, "hvac": 2},
    {"plumbing": 2, "appliance": 1, "electrical": 2},
    {"electrical": 3, "network": 2, "lift": 2},
    {"network": 2, "appliance": 2, "plumbing": 1},
    {"lift": 2, "electrical": 2, "hvac": 2},
    {"hvac": 2, "plumbing": 2, "electrical": 2, "network": 1, "lift": 1, "appliance": 1},
)  # fmt: skip
_DAY, _EARLY, _LATE, _NIGHT = (8, 10), (7, 9), (11, 10), (18, 14)
#: Start hour and length in hours; the last of the row is the only one at work through the night.
_HOURS_OF = (_DAY, _DAY, _DAY, _DAY, _EARLY, _DAY, _LATE, _NIGHT)
_CONTRACTORS = (
    ({"zh": "示例服务商甲", "en": "Demo Contractor A"}, False),
    ({"zh": "示例服务商乙", "en": "Demo Contractor B"}, False),
    ({"zh": "示例服务商丙（纸质派单）", "en": "Demo Contractor C (paper only)"}, True),
)


def seed(public_url: str) -> list[str]:
    """Makes the map and the company where they are missing. Returns the greeting's lines."""
    settings = read_settings(os.environ)
    city = ensure_map(settings.maps_dir)
    ensure_roads(settings.maps_dir / "demo-city.osm.pbf", settings.roads_dir)
    database = Database(settings.database_url, 2, "paidan-demo-seed")
    try:
        now = settings.clock.now()
        tenant_id = tenants.find_tenant(database, SLUG) or tenants.found_tenant(
            database, SLUG, NAME, str(ZONE), now, settings=dict(RULES), is_demo=True
        )
        if not _peopled(database):
            personal = PersonalData(settings.data_key)
            with database.transaction(tenant_id) as db:
                asked = _people(db, personal, tenant_id, city, now)
            seed_yesterday(House(database, settings.clock.now, personal), tenant_id, asked, city["addresses"])
        with database.transaction(tenant_id) as db:
            _top_up_shifts(db, tenant_id, now)
            _write_cast(settings, db, tenant_id, public_url, now)
    finally:
        database.close()
    return greeting(public_url)


def ensure_map(folder: Path) -> dict[str, Any]:
    """The city's files in `folder`, made once; returns its addresses and territories as read."""
    done = folder / "demo-city.seed"
    if not done.exists() or done.read_text().strip() != str(CITY_SEED):
        make_city(folder, CITY_SEED)
        done.write_text(f"{CITY_SEED}\n")
    return {
        "addresses": json.loads((folder / "addresses.json").read_text()),
        "territories": json.loads((folder / "territories.geojson").read_text())["features"],
    }


def ensure_roads(pbf: Path, folder: Path) -> None:
    """The city's road network in `folder`, imported once. In a process of its own: it loads compiled code."""
    done, wanted = folder / "source", f"{pbf} {CITY_SEED} {VERSION}"
    if done.exists() and done.read_text() == wanted and (folder / "graph.roads").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "geo.roads", "import", str(pbf), "--into", str(folder), "--no-map"]
    made = subprocess.run(command, capture_output=True, text=True, timeout=ROADS_TIMEOUT_S)
    if made.returncode:
        raise CommandError(f"the demo city's roads could not be imported: {made.stderr.strip()[-500:]}")
    done.write_text(wanted)


def _peopled(database: Database) -> bool:
    with database.transaction(None) as db:
        return db.get(DirectoryEntry, "engineer:demo") is not None


def _people(
    db: Session, personal: PersonalData, tenant_id: UUID, city: dict[str, Any], now: datetime
) -> UUID:
    """Catalogue, territories, contractors and everyone who signs in, in one transaction. Returns a dispatcher."""
    tenants.add_skills(db, tenant_id, SKILLS)
    for work_type in WORK_TYPES:
        tenants.add_work_type(db, tenant_id, work_type)
    for policy in POLICIES:
        db.add(MatchPolicy(tenant_id=tenant_id, id=new_id(), **policy))
    password_hash = _CHEAP.hash(PASSWORD)
    for signin_id, name, role, language in (
        ("dispatcher", "示例调度员 Demo Dispatcher", "dispatcher", "zh"),
        ("admin", "示例管理员 Demo Admin", "admin", "zh"),
        ("auto-dispatcher", "模拟调度员 Simulated Dispatcher", "dispatcher", "zh"),
    ):
        last = tenants.add_dispatcher(db, tenant_id, name, signin_id, password_hash, role, language)
    contractors = [tenants.add_contractor(db, tenant_id, name, paper) for name, paper in _CONTRACTORS]
    for number, contractor_id in enumerate(contractors[:2], 1):
        tenants.add_dispatcher(
            db, tenant_id, f"示例服务商调度 Demo Contractor Desk {number}", f"contractor-{number}",
            password_hash, "contractor", "zh", contractor_id,
        )  # fmt: skip
    rnd = random.Random(CITY_SEED)
    for kind in AUTOMATIC:
        db.add(Automation(tenant_id=tenant_id, kind=kind, active=True, updated_at=now, updated_by=last))
    for wanted in _engineers(db, tenant_id, city, contractors, password_hash, rnd):
        tenants.add_engineer(db, personal, tenant_id, wanted, now)
    seed_proof(db, tenant_id, now)
    return last


def _engineers(
    db: Session,
    tenant_id: UUID,
    city: dict[str, Any],
    contractors: list[UUID],
    password_hash: str,
    rnd: random.Random,
) -> Iterator[EngineerWanted]:
    """Eight for each territory, e01 on, the seventh of each row lent by a contractor; and `demo`, for you."""
    number = 0
    for row, feature in enumerate(city["territories"]):
        shape = shapely.geometry.shape(feature["geometry"])
        names = {"zh": feature["properties"]["n"], "en": feature["properties"]["e"]}
        territory_id = tenants.add_territory(db, tenant_id, names, str(ZONE), _multi(shape))
        homes = [a for a in city["addresses"] if a["district_zh"] == names["zh"]]
        for place in range(ENGINEERS_PER_TERRITORY):
            number += 1
            home = rnd.choice(homes)
            if place == 0:
                db.add(
                    MatchPolicy(
                        tenant_id=tenant_id, id=new_id(), work_type="charger_fault", territory_id=territory_id,
                        mode="contractor", contractor_id=contractors[row // 2], settings={"name_engineer_min": 20},
                    )
                )  # fmt: skip
            yield EngineerWanted(
                name=f"示例工程师 {number:02d}" if number % 3 else f"Demo Engineer {number:02d}",
                signin_id=f"e{number:02d}",
                password_hash=password_hash,
                skills=_SKILLS_OF[place],
                language="zh" if number % 3 else "en",
                phone=f"1380000{number:04d}",
                territory_id=territory_id,
                contractor_id=contractors[row // 2] if place == 6 else None,
                home=Point(home["lon"], home["lat"]),
            )
        yield EngineerWanted(
            name=f"示例工程师（学徒）Demo Trainee T{row + 1}",
            signin_id=f"t{row + 1:02d}",
            password_hash=password_hash,
            skills={},
            phone=f"1380001{row:04d}",
            territory_id=territory_id,
            home=Point(homes[0]["lon"], homes[0]["lat"]),
            trainee=True,
        )
        if row == 0:
            home = rnd.choice(homes)
            yield EngineerWanted(
                name="示例工程师（您） Demo Engineer (you)",
                signin_id="demo",
                password_hash=password_hash,
                skills=dict.fromkeys(SKILLS, 3),
                phone="13800009999",
                territory_id=territory_id,
                home=Point(home["lon"], home["lat"]),
            )


def _multi(shape: Any) -> shapely.MultiPolygon:
    return shape if isinstance(shape, shapely.MultiPolygon) else shapely.MultiPolygon([shape])


def _top_up_shifts(db: Session, tenant_id: UUID, now: datetime) -> None:
    """Working hours from yesterday to SHIFT_DAYS ahead, by place in the row; `demo` and trainees are always on."""
    today = now.astimezone(ZONE).date()
    days = [today + timedelta(days=ahead) for ahead in range(-1, SHIFT_DAYS)]
    found = select(Engineer.id, Engineer.signin_id).where(Engineer.tenant_id == tenant_id)
    for row in db.execute(found).all():
        start_hour, hours = _hours_of(row.signin_id)
        tenants.add_shifts(db, tenant_id, row.id, [shift_span(day, start_hour, hours) for day in days])


def _hours_of(signin_id: str) -> tuple[int, int]:
    if signin_id == "demo" or signin_id.startswith("t"):
        return 0, 24
    return _HOURS_OF[(int(signin_id[1:]) - 1) % ENGINEERS_PER_TERRITORY]


def shift_span(day: date, start_hour: int, hours: int) -> tuple[datetime, datetime]:
    """A shift of so many hours that begins at a local hour of the day."""
    starts_at = datetime.combine(day, time(start_hour), ZONE)
    return starts_at, starts_at + timedelta(hours=hours)


def _write_cast(settings: Settings, db: Session, tenant_id: UUID, public_url: str, now: datetime) -> None:
    """What the simulation is told; the key of the ticket source is kept while it is known there."""
    file = settings.state / CAST_FILE
    try:
        known = json.loads(file.read_text())
    except (OSError, ValueError):
        known = {}
    key = known.get("key") if known.get("tenant_id") == str(tenant_id) else None
    if key is None:
        scopes = ["tickets:create", "tickets:read", "tickets:act"]
        key = tenants.add_api_key(db, tenant_id, "示例报修来源 Demo ticket source", scopes, now)
    engineers = db.execute(
        select(Engineer.signin_id, Engineer.contractor_id, Engineer.trainee, Engineer.id)
        .where(Engineer.tenant_id == tenant_id, Engineer.signin_id != "demo")
        .order_by(Engineer.signin_id)
    )
    found = select(Dispatcher.contractor_id, Dispatcher.signin_id).where(Dispatcher.tenant_id == tenant_id)
    desks = {row.contractor_id: row.signin_id for row in db.execute(found) if row.contractor_id}
    contractors = db.scalars(select(Contractor.id).where(Contractor.tenant_id == tenant_id)).all()
    cast = {
        "tenant_id": str(tenant_id),
        "slug": SLUG,
        "url": public_url,
        "key": key,
        "password": PASSWORD,
        "dispatcher": "auto-dispatcher",
        "maps_dir": str(settings.maps_dir),
        "contractors": [{"id": str(each), "signin_id": desks.get(each)} for each in contractors],
        "engineers": [
            {
                "signin_id": e.signin_id,
                "id": str(e.id),
                "contractor": str(e.contractor_id or "") or None,
                "trainee": e.trainee,
            }
            for e in engineers
        ],
    }
    write_private(file, json.dumps(cast, indent=2, ensure_ascii=False) + "\n")


def greeting(public_url: str) -> list[str]:
    """The three addresses and their sign-ins, in both languages."""
    signin, password = "账号 sign-in", f"密码 password: {PASSWORD}"
    return [
        "",
        "  示例城市的一天开始了 · A day in Demo City has begun (all people and places are made up)",
        "",
        f"  调度台 Dispatcher's board    {public_url}/board/",
        f"      {signin}: dispatcher   {password}",
        f"  工程师手机 Engineer's phone  {public_url}/phone/",
        f"      {signin}: demo         {password}",
        f"  客户报修 Customer's request  {public_url}/new/{SLUG}",
        "      无需登录 no sign-in; 回执里的链接可看进度、验收 the link you get shows progress and signs off",
        "",
        f"  管理员 administrator: admin / {PASSWORD} · 其他工程师和客户由程序模拟 everyone else is simulated",
        "  停止 stop: Ctrl-C",
        "",
    ]
