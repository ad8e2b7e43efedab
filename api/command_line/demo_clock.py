"""The demo's accelerated clock goes on where it stood: events of an earlier run never lie in the future."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from api.command_line.environment import write_private
from dispatch.settings import Clock

CITY_ZONE = ZoneInfo("Asia/Shanghai")
MORNING = time(8, 0)
EVENING = time(18, 0)
BEAT_S = 1.0  # how stale the remembered instant may be, real seconds
FILE = "demo-clock"


def start_clock(state: Path, today: datetime, epoch_s: float, speed: float) -> Clock:
    """A clock from where the last run's stood, or from this morning in the demo city.

    An evening is skipped: whoever starts a demo wants to see a working day.
    """
    start = morning_of(today)
    try:
        start = datetime.fromisoformat((state / FILE).read_text().strip())
    except (OSError, ValueError):
        pass
    else:
        start += timedelta(seconds=2 * BEAT_S * speed)
        local = start.astimezone(CITY_ZONE)
        if local.time() >= EVENING:
            start = morning_of(start + timedelta(days=1))
        elif local.time() < MORNING:
            start = morning_of(start)
    return Clock(start.astimezone(UTC), epoch_s, speed)


def beat(state: Path, clock: str) -> None:
    """Remembers how far the clock has come, at most once in BEAT_S."""
    file = state / FILE
    now = Clock.parse(clock)
    try:
        written = file.stat().st_mtime
    except OSError:
        written = 0.0
    if Clock.wall().timestamp() - written >= BEAT_S:
        write_private(file, now.now().isoformat())


def morning_of(instant: datetime) -> datetime:
    """When work begins in the demo city on the local day of an instant."""
    return datetime.combine(instant.astimezone(CITY_ZONE).date(), MORNING, CITY_ZONE)
