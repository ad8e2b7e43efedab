"""How long it takes to get there, and to do the work: roads where a network is imported, corrected by what the
tenant's own trips and jobs have shown; the great circle otherwise, and whoever shows it says "estimated".

The road process is asked inside the transaction: a unix socket of this host, never longer than its TIMEOUT_S.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.adapters.roads import RoadsAway
from dispatch.store.queries.reading import fetch
from dispatch.store.queries.travel import finished_jobs, finished_trips, positions_of, raw_readings
from dispatch.store.tables.events import Timer
from dispatch.store.tables.travel import Learned, Trip
from geo.datum import datum_warning
from geo.durations import Job, learn_durations
from geo.eta import Calibration, calibrate, predict, uncalibrated
from geo.eta import Trip as SeenTrip
from geo.points import GeoError, Point
from geo.travel import Source, great_circle_travel

#: A position older than this says nothing about where a drive began.
POSITION_TOLD = timedelta(minutes=30)
#: Trips and jobs are folded into what is learned this long after the first new one.
LEARN_AFTER = timedelta(hours=4)
TRIPS_LOOKED_AT = timedelta(days=120)
READINGS_LOOKED_AT = timedelta(days=3)
#: Sites within a square of this many degrees share an area.
AREA_DEG = 0.03
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Foretold:
    """One drive: what roads or distance say, and after learning. Seconds and metres."""

    base_s: int
    metres: int
    source: Source
    road_class: str
    p50_s: int
    p90_s: int
    calibrated: bool


def foretell(
    step: Step, origins: dict[UUID, Point], site: Point, at: datetime, with_class: bool = False
) -> dict[UUID, Foretold]:
    """Each engineer's drive from where they are to the site."""
    local = at.astimezone(step.rules.tzinfo)
    by_road: Sequence[Any] = [None] * len(origins)
    road_class = ""
    if step.roads is not None and origins:
        try:
            said = step.roads.to_one(list(origins.values()), site, local.hour, with_class)
            by_road, road_class = said.drives, said.road_class or ""
        except RoadsAway:
            by_road = [None] * len(origins)
    known: dict[str, Calibration] = {}
    found = {}
    for (engineer_id, origin), drive in zip(origins.items(), by_road, strict=True):
        if drive is None:
            straight = great_circle_travel(origin, site)
            base_s, metres, source = straight.seconds, round(straight.metres), straight.source
        else:
            base_s, metres, source = drive.seconds, drive.metres, "roads"
        if source not in known:
            known[source] = _calibration(step, source)
        eta = predict(
            known[source],
            base_s,
            local.hour,
            local.weekday() >= 5,
            road_class,
            area_of(site),
            str(engineer_id),
        )
        found[engineer_id] = Foretold(
            base_s, metres, source, road_class, eta.p50_s, eta.p90_s, eta.calibrated
        )
    return found


def area_of(site: Point) -> str:
    """The square of AREA_DEG a site lies in."""
    return f"{int(site.lon // AREA_DEG)}/{int(site.lat // AREA_DEG)}"


def begin_trip(step: Step, case: Case, engineer_id: UUID) -> None:
    """The lead sets off: when they will be there, and the drive kept to learn from. Nothing where nobody knows
    where they are."""
    reading = case.facts.position
    origin = Point(reading.lon, reading.lat) if reading else None
    if origin is None:
        oldest = step.now - POSITION_TOLD
        origin = positions_of(step.db, step.tenant_id, [engineer_id], oldest).get(engineer_id)
    if origin is None or case.site is None:
        case.visit.eta_at = None
        return
    told = foretell(step, {engineer_id: origin}, case.site, step.now, with_class=True)[engineer_id]
    case.visit.eta_at = step.now + timedelta(seconds=told.p50_s)
    row = {
        "tenant_id": step.tenant_id,
        "visit_id": case.visit.id,
        "engineer_id": engineer_id,
        "set_off_at": _told_at(step),
        "base_s": told.base_s,
        "base_m": told.metres,
        "source": told.source,
        "road_class": told.road_class,
        "area": area_of(case.site),
        "eta_p50_s": told.p50_s,
        "eta_p90_s": told.p90_s,
        "calibrated": told.calibrated,
    }
    keys = ["tenant_id", "visit_id"]
    kept = insert(Trip).values(**row)
    step.db.execute(
        kept.on_conflict_do_update(
            index_elements=keys, set_={name: kept.excluded[name] for name in row if name not in keys}
        )
    )
    timer = insert(Timer).values(
        tenant_id=step.tenant_id, kind="learn_by", subject_id=step.tenant_id, due_at=step.now + LEARN_AFTER
    )
    step.db.execute(timer.on_conflict_do_nothing())


def _told_at(step: Step) -> datetime:
    """When the phone says it happened, where that can be true: it may have been without reception."""
    told = step.device_at
    return told if told is not None and step.now - timedelta(hours=12) <= told <= step.now else step.now


def learn(step: Step) -> None:
    """Folds the tenant's finished trips and jobs into what travel times and durations are corrected by."""
    since = step.now - TRIPS_LOOKED_AT
    today = step.now.timestamp() / DAY_S
    for source in ("roads", "great_circle"):
        trips = [_trip(step, row) for row in finished_trips(step.db, step.tenant_id, source, since)]
        if trips:
            _keep(step, source, calibrate(trips, today).as_json())
    jobs = [
        Job(
            planned_s=row["planned_min"] * 60,
            observed_s=float(row["observed_s"]),
            work_type=row["work_type"],
            engineer=str(row["engineer_id"]),
            asset=row["asset"],
            day=row["checked_in_at"].timestamp() / DAY_S,
        )
        for row in finished_jobs(step.db, step.tenant_id, since)
    ]
    if jobs:
        _keep(step, "durations", learn_durations(jobs, today).as_json())
    _doubt_datums(step)


def _doubt_datums(step: Step) -> None:
    """Phones whose readings of the last days fit the roads far better in another datum are kept for the operator to
    see. Nothing changes where the road process does not answer."""
    if step.roads is None:
        return
    roads = step.roads

    def off_road_m(lon: Any, lat: Any) -> Any:
        return np.array(roads.metres_to_road(list(zip(lon.tolist(), lat.tolist(), strict=True))))

    warnings = []
    try:
        for phone in raw_readings(step.db, step.tenant_id, step.now - READINGS_LOOKED_AT):
            doubt = datum_warning(phone["lon"], phone["lat"], phone["datum"], off_road_m)
            if doubt is not None:
                told = {"engineer_id": str(phone["engineer_id"]), "name": phone["name"], **asdict(doubt)}
                warnings.append(told)
    except RoadsAway:
        return
    _keep(step, "datum", {"warnings": warnings})


def _trip(step: Step, row: dict[str, Any]) -> SeenTrip:
    local = row["set_off_at"].astimezone(step.rules.tzinfo)
    return SeenTrip(
        base_s=row["base_s"],
        observed_s=float(row["observed_s"]),
        hour=local.hour,
        weekend=local.weekday() >= 5,
        road_class=row["road_class"],
        area=row["area"],
        engineer=str(row["engineer_id"]),
        day=row["set_off_at"].timestamp() / DAY_S,
    )


def _calibration(step: Step, source: str) -> Calibration:
    body = learned_body(step, source)
    try:
        return Calibration.from_json(body) if body is not None else uncalibrated()
    except GeoError:
        return uncalibrated()


_LEARNED = "select body from learned where tenant_id = %(tenant)s and kind = %(kind)s"


def learned_body(step: Step, kind: str) -> dict[str, Any] | None:
    rows = fetch(step.db, _LEARNED, {"tenant": step.tenant_id, "kind": kind})
    return rows[0]["body"] if rows else None


def _keep(step: Step, kind: str, body: dict[str, Any]) -> None:
    row = {"learned_at": step.now, "body": body}
    kept = insert(Learned).values(tenant_id=step.tenant_id, kind=kind, **row)
    step.db.execute(kept.on_conflict_do_update(index_elements=["tenant_id", "kind"], set_=row))
