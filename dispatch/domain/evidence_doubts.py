"""How much a check-in leaves to doubt, from 0 to 100, with every reason named. Evidence, never an accusation:
nothing here refuses anything, and a person decides what it means."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from geo.points import Point, distance_m

#: Measured in November 2026 with generated pictures of one kind (a wall, a floor, a machine: 719,400 pairs of unlike
#: scenes, 1,200 photos) and tiles of real photos (98,763 pairs; 223 of them copied). Slow waves alone, as it was:
#: 67 of the unlike pairs lay within 4 bits, and a real photo cropped by 4% was known again in 53%. With both hashes
#: none of the unlike pairs lies within 8 and 10 bits, and of the real photos known again are: saved anew 98.7%, sent
#: by a chat 97%, brighter or darker 96–98%, mirrored 100%, cropped by 2% 99% and by 4% 89%.


@dataclass(frozen=True, slots=True)
class Likeness:
    """Hamming distances of 64-bit perceptual hashes up to which two photos show one scene: of the slow waves and of
    the gradients, which must agree; `alone_bits` is for photos from before there were gradients."""

    bits: int
    gradient_bits: int
    alone_bits: int


#: Wider for photos of the same engineer, who is likelier to use one again than to come upon a stranger's.
OWN_PHOTO = Likeness(8, 10, 4)
ANOTHERS_PHOTO = Likeness(4, 6, 2)
FASTEST_MPS = 70.0
MOVING_MPS = 8.0
POOR_ACCURACY_M = 200.0
SKEW_S = 120.0
PHOTO_AGE_S = 3_600.0
PHOTO_AWAY_M = 1_000.0

#: Points of each reason; they add up to 100 at most.
POINTS: dict[str, int] = {
    "mock_position": 60,
    "photo_reused": 50,
    "photo_mirrored": 60,
    "not_at_site": 25,
    "no_position": 20,
    "impossible_speed": 35,
    "clock_ahead": 20,
    "photo_elsewhere": 35,
    "photo_old": 25,
    "old_position": 10,
    "poor_accuracy": 10,
    "moving": 10,
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason. `facts` are the numbers behind it: plain JSON values."""

    code: str
    points: int
    facts: dict[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {"code": self.code, "points": self.points, "facts": self.facts}


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What is known of one photo of the check-in; positions in WGS-84. `like` are earlier photos of other
    tickets that show the same scene: (photo id, bits that differ, mirrored)."""

    photo_id: str
    taken_at: datetime | None
    position: Point | None
    like: tuple[tuple[str, int, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class ArrivalFacts:
    """What is known of a check-in. `device_at` is the phone's clock when the button was pressed, `at` the
    server's when it heard of it; `last_seen` is where the engineer was before, and when."""

    flags: Sequence[str]
    at: datetime
    device_at: datetime | None
    position: Point | None
    position_at: datetime | None
    accuracy_m: float | None
    speed_mps: float | None
    site: Point | None
    last_seen: tuple[Point, datetime] | None
    photos: Sequence[PhotoFacts]


def judge_doubts(arrival: ArrivalFacts) -> list[Doubt]:
    """Every reason for doubt, the weightiest first."""
    found = [*_by_flags(arrival), *_by_position(arrival), *_by_clock(arrival)]
    for photo in arrival.photos:
        found += _by_photo(arrival, photo)
    return sorted(found, key=lambda doubt: (-doubt.points, doubt.code))


def doubt_score(doubts: Sequence[Doubt]) -> int:
    """0 to 100; each reason counts once, however many photos give it."""
    return min(100, sum({doubt.code: doubt.points for doubt in doubts}.values()))


def _doubt(code: str, **facts: object) -> Doubt:
    return Doubt(code, POINTS[code], facts)


def _by_flags(arrival: ArrivalFacts) -> list[Doubt]:
    return [_doubt(flag) for flag in arrival.flags if flag in POINTS]


def _by_position(arrival: ArrivalFacts) -> list[Doubt]:
    found = []
    if arrival.accuracy_m is not None and arrival.accuracy_m > POOR_ACCURACY_M:
        found.append(_doubt("poor_accuracy", accuracy_m=round(arrival.accuracy_m)))
    if arrival.speed_mps is not None and arrival.speed_mps > MOVING_MPS:
        found.append(_doubt("moving", speed_mps=round(arrival.speed_mps, 1)))
    if arrival.position is not None and arrival.position_at is not None and arrival.last_seen is not None:
        before, seen_at = arrival.last_seen
        seconds = (arrival.position_at - seen_at).total_seconds()
        metres = distance_m(before, arrival.position)
        if seconds > 0 and metres > 2_000 and metres / seconds > FASTEST_MPS:
            found.append(_doubt("impossible_speed", distance_m=round(metres), seconds=round(seconds)))
    return found


def _by_clock(arrival: ArrivalFacts) -> list[Doubt]:
    """A clock behind may be a step sent late, which is no reason; a clock ahead cannot be."""
    if arrival.device_at is None:
        return []
    ahead_s = (arrival.device_at - arrival.at).total_seconds()
    return [_doubt("clock_ahead", seconds=round(ahead_s))] if ahead_s > SKEW_S else []


def _by_photo(arrival: ArrivalFacts, photo: PhotoFacts) -> list[Doubt]:
    found = []
    pressed_at = arrival.device_at or arrival.at
    if photo.taken_at is not None:
        off_s = abs((pressed_at - photo.taken_at).total_seconds())
        if off_s > PHOTO_AGE_S:
            found.append(_doubt("photo_old", photo_id=photo.photo_id, seconds=round(off_s)))
    near = arrival.position or arrival.site
    if photo.position is not None and near is not None:
        away_m = distance_m(photo.position, near)
        if away_m > PHOTO_AWAY_M:
            found.append(_doubt("photo_elsewhere", photo_id=photo.photo_id, distance_m=round(away_m)))
    for other, bits, mirrored in photo.like:
        code = "photo_mirrored" if mirrored else "photo_reused"
        found.append(_doubt(code, photo_id=photo.photo_id, like=other, bits=bits))
    return found
