"""Positions from phones: many at once, the newest on the engineer's row, all in the history."""

from datetime import UTC, timedelta
from uuid import UUID

from sqlalchemy import text

from dispatch.actions.step import Step
from dispatch.domain.commands import Reading

#: A reading from further ahead than this is refused: the phone's clock is wrong.
MOST_AHEAD = timedelta(minutes=10)
OLDEST = timedelta(days=2)

_DAYS = text("select ensure_positions_partition(cast(:day as date))")

_KEEP = text("""
    insert into engineer_positions
      (tenant_id, engineer_id, at, position, accuracy_m, datum, raw_lon, raw_lat, speed_mps, mock)
    select :tenant, :engineer, r.at, st_setsrid(st_makepoint(r.lon, r.lat), 4326)::geography,
           r.accuracy_m, r.datum, r.raw_lon, r.raw_lat, r.speed_mps, r.mock
    from unnest(cast(:at as timestamptz[]), cast(:lon as float8[]), cast(:lat as float8[]),
                cast(:accuracy_m as float8[]), cast(:datum as text[]), cast(:raw_lon as float8[]),
                cast(:raw_lat as float8[]), cast(:speed_mps as float8[]), cast(:mock as bool[]))
         as r(at, lon, lat, accuracy_m, datum, raw_lon, raw_lat, speed_mps, mock)
    on conflict do nothing
""")

_NEWEST = text("""
    update engineers set position = st_setsrid(st_makepoint(:lon, :lat), 4326)::geography,
      position_at = :at, position_accuracy_m = :accuracy_m
    where tenant_id = :tenant and id = :engineer and (position_at is null or position_at < :at)
""")


def take_positions(step: Step, engineer_id: UUID, readings: list[Reading], on_shift: bool) -> tuple[int, int]:
    """(taken, refused). Off shift nothing is stored; sent again, a reading is stored once."""
    now = step.now
    good = [r for r in readings if on_shift and now - OLDEST <= r.at <= now + MOST_AHEAD]
    if not good:
        return 0, len(readings)
    for day in sorted({r.at.astimezone(UTC).date() for r in good}):
        step.db.execute(_DAYS, {"day": day})
    columns = ("at", "lon", "lat", "accuracy_m", "datum", "raw_lon", "raw_lat", "speed_mps", "mock")
    values = {name: [getattr(r, name) for r in good] for name in columns}
    step.db.execute(_KEEP, {"tenant": step.tenant_id, "engineer": engineer_id, **values})
    newest = max(good, key=lambda r: r.at)
    step.db.execute(
        _NEWEST,
        {
            "tenant": step.tenant_id,
            "engineer": engineer_id,
            "lon": newest.lon,
            "lat": newest.lat,
            "at": newest.at,
            "accuracy_m": newest.accuracy_m,
        },
    )
    return len(good), len(readings) - len(good)
