"""What an operator should be woken by: one table of figures and limits, for the operator's page and for Prometheus."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Alarm:
    """Rings while `figure` is above `limit` (below it where `below`). `prometheus` is the same as a rule's
    expression; None where only the operator's page can see it."""

    code: str
    figure: str
    limit: float
    prometheus: str | None
    what_to_do: str
    below: bool = False


#: Figures are seconds, counts and shares; one that is absent rings nothing.
ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "database_away", "database_up", 0.5, "paidan_database_up < 1 for 1m",
        "start PostgreSQL; everything heals by itself", below=True,
    ),
    Alarm(
        "no_relay", "relays", 0.5, "paidan_relays < 1 for 1m",
        "events reach nobody: start a relay (`./paidan status`)", below=True,
    ),
    Alarm(
        "no_worker", "workers", 0.5, "paidan_workers < 1 for 1m", "start a worker (`./paidan status`)", below=True
    ),
    Alarm(
        "outbox_grows", "outbox", 2000, "paidan_outbox_rows > 2000 for 2m", "the relay is behind or stuck: its log"
    ),
    Alarm(
        "jobs_late", "oldest_job_s", 120, "paidan_oldest_job_seconds > 120 for 2m",
        "more workers, or a job that hangs: the worker's log",
    ),
    Alarm(
        "timers_late", "timers_late_s", 60, "paidan_timers_late_seconds > 60 for 2m", "the relay is behind or stuck"
    ),
    Alarm(
        "dead_letters", "failed", 0.5, "paidan_jobs{status=\"failed\"} > 0", "read them, mend the cause, retry them"
    ),
    Alarm(
        "shedding", "shed_per_min", 6, "rate(paidan_shed_total[5m]) > 0.1",
        "more than the machine can take: more api processes or hosts",
    ),
    Alarm(
        "disk_low", "disk_free_share", 0.1, "paidan_disk_free_ratio < 0.1", "make room, or move photos to a bucket",
        below=True,
    ),
    Alarm(
        "backup_old", "backup_age_s", 26 * 3600, "time() - paidan_last_backup_timestamp_seconds > 93600",
        "run `./paidan backup` every night",
    ),
    Alarm(
        "backup_unverified", "verified_age_s", 8 * 86_400,
        "time() - paidan_last_backup_verified_timestamp_seconds > 691200", "run `./paidan restore PLACE --check`",
    ),
    Alarm("roads_away", "roads_away", 0.5, "paidan_roads_up < 1 for 5m", "travel times are estimates: the roads' log"),
    Alarm("schema_behind", "schema_behind", 0.5, None, "run `./paidan upgrade`"),
)  # fmt: skip


def ringing(figures: Mapping[str, float | None]) -> list[str]:
    """Codes of the alarms these figures ring, most urgent first."""
    found = []
    for alarm in ALARMS:
        figure = figures.get(alarm.figure)
        if figure is not None and (figure < alarm.limit if alarm.below else figure > alarm.limit):
            found.append(alarm.code)
    return found
