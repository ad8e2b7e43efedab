"""How long it takes to get there, and to do the work: roads where a network is imported, corrected by what the
tenant's own trips and jobs have shown; the great circle otherwise, and whoever shows it says "estimated".

The road process is asked inside the transaction: a unix socket of this host, never longer than its TIMEOUT_S.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.adapters.roads import RoadsAway
from dispatch.store.queries.reading import fetch
from dispatch.store.queries.travel import (
    entered_days,
    finished_jobs,
    finished_trips,
    positions_of,
    raw_readings,
    trace_of,
)
from dispatch.store.tables.events import Timer
from dispatch.store.tables.travel import Learned, Trip
from geo.datum import datum_warning
from geo.durations import Job, learn_durations
from geo.eta import Calibration, calibrate, predict, trace_tells, uncalibrated
from geo.eta import Trip as SeenTrip
from geo.points import GeoError, Point
from geo.roads.conditions import DAYS, Day
from geo.travel import PACES, Pace, Source, calibrate_pace, great_circle_travel

#: A position older than this says nothing about where a drive began.
POSITION_TOLD = timedelta(minutes=30)
#: Trips and jobs are folded into what is learned this long after the first new one.
LEARN_AFTER = timedelta(hours=4)
TRIPS_LOOKED_AT = timedelta(days=120)
#: Of the newest drives this many are put on the roads, for at most TRACES_S.
TRACES_LOOKED_AT = 200
TRACES_S = 5.0
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
    day = kind_of_day(local.date(), entered_days(step.db, step.tenant_id, [local.date()]))
    by_road: Sequence[Any] = [None] * len(origins)
    road_class = ""
    if step.roads is not None and origins:
        try:
            said = step.roads.to_one(list(origins.values()), site, local.hour, with_class, day)
            by_road, road_class = said.drives, said.road_class or ""
        except RoadsAway:
            by_road = [None] * len(origins)
    known: dict[Source, tuple[Calibration, Pace]] = {}
    found = {}
    for (engineer_id, origin), drive in zip(origins.items(), by_road, strict=True):
        source: Source = "great_circle" if drive is None else "roads"
        if source not in known:
            known[source] = _learned(step, source)
        calibration, pace = known[source]
        if drive is None:
            straight = great_circle_travel(origin, site, pace=pace)
            base_s, metres = straight.seconds, round(straight.metres)
        else:
            base_s, metres = drive.seconds, drive.metres
        eta = predict(
            calibration,
            base_s,
            local.hour,
            day != "weekday",
            road_class,
            area_of(site),
            str(engineer_id),
        )
        found[engineer_id] = Foretold(
            base_s, metres, source, road_class, eta.p50_s, eta.p90_s, eta.calibrated
        )
    return found


def kind_of_day(day: date, entered: Mapping[date, bool]) -> Day:
    """A holiday counts as a Sunday, a make-up day as a working day; what nobody entered is what the week says."""
    if day in entered:
        return "weekday" if entered[day] else "sunday"
    return DAYS[max(0, day.weekday() - 4)]


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
        rows = finished_trips(step.db, step.tenant_id, source, since)
        if not rows:
            continue
        pace = PACES["car"]
        if source == "great_circle":
            apart_m = [row["base_m"] / pace.detour for row in rows]
            pace = calibrate_pace(apart_m, [float(row["observed_s"]) for row in rows], pace)
            rows = [{**row, "base_s": pace.seconds(row["base_m"])} for row in rows]
        driven = driven_classes(step, rows[:TRACES_LOOKED_AT]) if source == "roads" else {}
        body = calibrate(_trips(step, rows, driven), today).as_json()
        _keep(step, source, body | {"pace": [pace.detour, pace.speed_kmh, pace.fixed_s]})
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


def driven_classes(step: Step, rows: Sequence[dict[str, Any]]) -> dict[int, Mapping[str, float]]:
    """By row, the seconds on each class of road of drives whose positions tell; as far as the road process answers
    within TRACES_S."""
    found: dict[int, Mapping[str, float]] = {}
    ends = monotonic() + TRACES_S
    for i, row in enumerate(rows):
        if step.roads is None or monotonic() > ends:
            break
        until = row["set_off_at"] + timedelta(seconds=float(row["observed_s"]))
        seen = trace_of(step.db, step.tenant_id, row["engineer_id"], row["set_off_at"], until)
        if len(seen) < 2:
            continue
        trace = [(p["lon"], p["lat"], p["second"]) for p in seen]
        try:
            said = step.roads.driven(trace, float(np.median([p["accuracy_m"] for p in seen])))
        except RoadsAway:
            break
        covered_s = trace[-1][2] - trace[0][2]
        told = (float(row["observed_s"]), row["base_m"])
        if said is not None and trace_tells(len(trace), covered_s, said.metres, said.gaps, *told):
            found[i] = said.driven_s
    return found


def _trips(
    step: Step, rows: Sequence[dict[str, Any]], driven: Mapping[int, Mapping[str, float]]
) -> list[SeenTrip]:
    local = [row["set_off_at"].astimezone(step.rules.tzinfo) for row in rows]
    entered = entered_days(step.db, step.tenant_id, (at.date() for at in local))
    return [
        SeenTrip(
            base_s=row["base_s"],
            observed_s=float(row["observed_s"]),
            hour=at.hour,
            weekend=kind_of_day(at.date(), entered) != "weekday",
            road_class=row["road_class"],
            area=row["area"],
            engineer=str(row["engineer_id"]),
            day=row["set_off_at"].timestamp() / DAY_S,
            driven_s=driven.get(i),
        )
        for i, (row, at) in enumerate(zip(rows, local, strict=True))
    ]


def _learned(step: Step, source: Source) -> tuple[Calibration, Pace]:
    """What the tenant's drives have shown, and how they cover ground where no roads are known."""
    body = learned_body(step, source) or {}
    try:
        return Calibration.from_json(body), Pace(*body.get("pace", ()))
    except (TypeError, GeoError):
        return uncalibrated(), PACES["car"]


_LEARNED = "select body from learned where tenant_id = %(tenant)s and kind = %(kind)s"


def learned_body(step: Step, kind: str) -> dict[str, Any] | None:
    rows = fetch(step.db, _LEARNED, {"tenant": step.tenant_id, "kind": kind})
    return rows[0]["body"] if rows else None


def _keep(step: Step, kind: str, body: dict[str, Any]) -> None:
    row = {"learned_at": step.now, "body": body}
    kept = insert(Learned).values(tenant_id=step.tenant_id, kind=kind, **row)
    step.db.execute(kept.on_conflict_do_update(index_elements=["tenant_id", "kind"], set_=row))
