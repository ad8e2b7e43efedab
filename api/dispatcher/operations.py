"""The operator's page: queues, dead letters, devices, what was learned, the last backup."""

import contextlib
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Response

from api.declared import problems
from api.house import Asking, Here, reply
from dispatch.store.queries.operations import read_operations
from mobile_contract.v1 import Reply

endpoints = APIRouter(prefix="/dispatcher/v1", tags=["dispatcher"])


class Queues(Reply):
    """Rows waiting now. `failed` are the dead letters."""

    todo: int
    doing: int
    failed: int
    outbox: int
    timers_overdue: int


class DeviceHealth(Reply):
    """An engineer's phone as the server last heard of it."""

    engineer_id: UUID
    name: str
    on_shift: bool
    seen_at: datetime | None
    position_at: datetime | None
    position_age_s: int | None


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


class Operations(Reply):
    now: datetime
    queues: Queues
    devices: list[DeviceHealth]
    learned: list[LearnedFrom]
    datum_warnings: list[DatumDoubt]
    last_backup_at: datetime | None


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
    last_backup_at = None
    with contextlib.suppress(OSError):
        made = (here.settings.state / "last-backup").stat().st_mtime
        last_backup_at = datetime.fromtimestamp(made, UTC)
    return reply({"now": now, "last_backup_at": last_backup_at, **found})
