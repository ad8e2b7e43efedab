"""What must be shown: photos by outcome, and whether someone is at the site."""

from dataclasses import dataclass

from dispatch.domain.commands import Reading
from dispatch.domain.lifecycle import Outcome
from geo.geofence import at_site
from geo.points import Point

#: Outcomes that no repair can be photographed for: one photo (the door, the slip) is enough or none.
PHOTOS_AT_MOST: dict[str, int] = {Outcome.NO_ACCESS: 1, Outcome.REFUSED: 0}


def photos_needed(wanted: int, outcome: str) -> int:
    """Completion photos this outcome needs where the work type wants `wanted`."""
    return min(wanted, PHOTOS_AT_MOST.get(outcome, wanted))


@dataclass(frozen=True, slots=True)
class Arrival:
    """The judgement on a check-in. `flags` are doubts with names, kept as evidence."""

    at_site: bool
    distance_m: float | None
    flags: tuple[str, ...]


def judge_arrival(reading: Reading | None, site: Point | None, radius_m: int, age_s: float | None) -> Arrival:
    """Where the engineer says they are, against the site's radius. `age_s`: the reading's age, seconds."""
    if reading is None:
        return Arrival(False, None, ("no_position",))
    flags = []
    if reading.mock:
        flags.append("mock_position")
    if age_s is not None and age_s > 600:
        flags.append("old_position")
    if site is None:
        return Arrival(True, None, (*flags, "site_unknown"))
    judged = at_site(Point(reading.lon, reading.lat), reading.accuracy_m, site, radius_m)
    if not judged.at_site:
        flags.append("not_at_site")
    elif judged.reason == "within_accuracy":
        flags.append("within_accuracy")
    return Arrival(judged.at_site, round(judged.distance_m, 1), tuple(flags))
