"""The operator's page: what waits, what rings, devices, channels, backups, disk, roads, versions, processes."""

from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response

from api import installation, metrics
from api.declared import problems
from api.house import Asking, Here, reply
from dispatch.domain.alarms import ringing
from dispatch.settings import Clock
from dispatch.store.queries.operations import read_operations
from mobile_contract.v1 import Reply

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])


class Queues(Reply):
    """Rows waiting now, of this company; seconds the oldest that is due has waited. `failed` are the dead letters."""

    todo: int
    doing: int
    failed: int
    outbox: int
    timers_overdue: int
    oldest_job_s: int
    oldest_outbox_s: int
    timers_late_s: int


class DeviceHealth(Reply):
    """An engineer's phone as the server last heard of it: `device` is what it calls itself, pushes that failed are
    those of the last day."""

    engineer_id: UUID
    name: str
    on_shift: bool
    seen_at: datetime | None
    device: str | None
    position_at: datetime | None
    position_age_s: int | None
    push_targets: int
    push_failed: int
    push_failed_at: datetime | None


class ChannelHealth(Reply):
    """Messages of the last day by channel."""

    channel: str
    sent: int
    failed: int
    waiting: int


class LearnedFrom(Reply):
    """What stands behind travel times (by road, by distance) and durations."""

    kind: Literal["roads", "great_circle", "durations"]
    learned_at: datetime
    observed: int
    rejected: int


class DatumDoubt(Reply):
    """A phone whose readings fit the roads only when read in another datum than it says."""

    engineer_id: UUID
    name: str
    declared: str
    fits: str
    declared_median_m: float
    fits_median_m: float
    positions: int


class Backup(Reply):
    """The last one; `verified_at` is when one was last restored on trial. Figures are null for an older version's."""

    made_at: datetime
    tickets: int | None
    bytes: int | None
    missing_photos: int | None
    verified_at: datetime | None


class Disk(Reply):
    free_bytes: int
    total_bytes: int


class Roads(Reply):
    """`none`: nothing imported; `away`: travel times are estimates."""

    status: Literal["none", "answering", "away"]
    imported_at: datetime | None


class Versions(Reply):
    """`migration` is where the database stands, `migration_known` where this code wants it."""

    product: str
    migration: str | None
    migration_known: str
    postgres: str
    python: str


class Process(Reply):
    name: str
    alive: bool
    restarts: int


class Shed(Reply):
    """Requests refused because of the load, by kind, since the counting files of this host began (a day at most
    after their process ended)."""

    work: int
    write: int
    phone: int
    read: int


class Operations(Reply):
    """`alarms` are codes of dispatch.domain.alarms, most urgent first."""

    now: datetime
    alarms: list[str]
    queues: Queues
    devices: list[DeviceHealth]
    channels: list[ChannelHealth]
    learned: list[LearnedFrom]
    datum_warnings: list[DatumDoubt]
    last_backup_at: datetime | None
    backup: Backup | None
    disk: Disk
    roads: Roads
    versions: Versions
    workers: int
    relays: int
    processes: list[Process]
    shed: Shed


@endpoints.get(
    "/operations",
    operation_id="dispatcher_operations",
    response_model=Operations,
    responses=problems(401, 403),
)
def operations(asking: Asking, here: Here) -> Response:
    now = here.house.now()
    with here.house.database.transaction(asking.tenant_id) as db:
        found = read_operations(db, asking.tenant_id, now)
    known = found.pop("installation")
    requests, _ = metrics.counted(metrics.folder_of(here.settings))
    backup = installation.backup_of(here.settings)
    body = {
        **found,
        "now": now,
        "last_backup_at": backup and backup["made_at"],
        "backup": backup,
        "disk": installation.disk_of(here.settings),
        "roads": installation.roads_of(here),
        "versions": installation.versions_of(known),
        "workers": known["workers"],
        "relays": known["relays"],
        "processes": installation.processes_of(here.settings),
        "shed": metrics.shed_of(requests),
    }
    return reply({**body, "alarms": ringing(_figures(body))})


def _figures(body: dict[str, Any]) -> dict[str, float | None]:
    """What dispatch.domain.alarms measures, out of the reply."""
    wall, backup = Clock.wall(), body["backup"] or {}

    def age(at: datetime | None) -> float | None:
        return None if at is None else (wall - at).total_seconds()

    never = datetime.fromtimestamp(0, UTC)
    return {
        **{name: body["queues"][name] for name in ("outbox", "oldest_job_s", "timers_late_s", "failed")},
        "relays": body["relays"],
        "workers": body["workers"],
        "disk_free_share": body["disk"]["free_bytes"] / max(1, body["disk"]["total_bytes"]),
        "backup_age_s": age(backup.get("made_at") or never),
        "verified_age_s": age(backup.get("verified_at") or never),
        "roads_away": 1.0 if body["roads"]["status"] == "away" else 0.0,
        "schema_behind": float((body["versions"]["migration"] or "") < body["versions"]["migration_known"]),
    }
