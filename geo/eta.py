"""Arrival times that learn: observed trips correct the computed travel time by hour, road class and
area.

A trip's factor is what it took divided by what the road engine (or the great circle) said. Its
logarithm is the sum of an effect of the hour (working day or weekend, neighbouring hours alike), of the
class of road most driven, of the area, and of the engineer; all shrunk to 1 until trips say otherwise.
What the last days show beyond that in an area (roadworks) is added on top. Calibrate per tenant from
its own trips, once a night or oftener; predicting is cheap.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geo.additive import Floats, Group, Ints, fit, independent, weighted_quantile
from geo.points import GeoError

MIN_TRIPS: Final = 20
"""Below this many believable trips a calibration says that it is none."""
MAX_TRIPS: Final = 5_000
MEMORY_DAYS: Final = 25.0
"""A trip counts half after this long."""
RECENT_DAYS: Final = 1.0
"""A trip counts half for the correction of the last days after this long."""
_UNCALIBRATED_SD: Final = 0.35
_PERSONAL_LIMIT: Final = 0.15
_RECENT_WINDOW_DAYS: Final = 4.0
_RECENT_PRIOR_TRIPS: Final = 3.0
_RECENT_PRIOR_SD: Final = 0.25
_RECENT_NOTICEABLE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Trip:
    """One drive from set_off to check_in (or a matched trace).

    base_s is what the engine said for it; hour (0-23) and weekend are local at departure; day counts
    from any fixed date, fractions allowed.
    """

    base_s: float
    observed_s: float
    hour: int
    weekend: bool
    road_class: str
    area: str
    engineer: str
    day: float
    driven_s: Mapping[str, float] | None = None
    """Seconds on each class of road, from a matched trace; without, all is `road_class`."""


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds on the road: half of such trips take at most p50_s, nine in ten at most p90_s.

    Not calibrated: fewer than MIN_TRIPS trips stand behind it, and whoever shows it should say so.
    """

    p50_s: int
    p90_s: int
    calibrated: bool
    trips: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Effects on the logarithm of the factor, each with its standard deviation; hours 0-23 and then
    weekends' 24-47."""

    trips: int
    rejected: int
    hours: tuple[tuple[float, float], ...]
    road_classes: Mapping[str, tuple[float, float]]
    areas: Mapping[str, tuple[float, float]]
    engineers: Mapping[str, float]
    recent: Mapping[str, tuple[float, float]]
    sd: float
    z90: float

    @property
    def calibrated(self) -> bool:
        return self.trips >= MIN_TRIPS

    def as_json(self) -> dict[str, Any]:
        """Plain values for a json column; from_json is the opposite."""
        return {
            "v": 1,
            "trips": self.trips,
            "rejected": self.rejected,
            "hours": [list(pair) for pair in self.hours],
            "road_classes": {key: list(pair) for key, pair in self.road_classes.items()},
            "areas": {key: list(pair) for key, pair in self.areas.items()},
            "engineers": dict(self.engineers),
            "recent": {key: list(pair) for key, pair in self.recent.items()},
            "sd": self.sd,
            "z90": self.z90,
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Calibration:
        """Raises GeoError calibration_unreadable."""
        try:
            if stored["v"] != 1:
                raise ValueError(stored["v"])
            return Calibration(
                trips=int(stored["trips"]),
                rejected=int(stored["rejected"]),
                hours=tuple((float(a), float(b)) for a, b in stored["hours"]),
                road_classes={str(k): (float(a), float(b)) for k, (a, b) in stored["road_classes"].items()},
                areas={str(k): (float(a), float(b)) for k, (a, b) in stored["areas"].items()},
                engineers={str(k): float(v) for k, v in stored["engineers"].items()},
                recent={str(k): (float(a), float(b)) for k, (a, b) in stored["recent"].items()},
                sd=float(stored["sd"]),
                z90=float(stored["z90"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise GeoError("calibration_unreadable", {"reason": repr(error)}) from error


def _hour_prior() -> Floats:
    """Hours share a level; neighbours are alike; weekends deviate a little from working days."""
    hour = np.arange(24)
    apart = np.minimum((hour[:, None] - hour) % 24, (hour - hour[:, None]) % 24)
    wave = np.exp(-((apart / 1.6) ** 2) / 2)
    day = 0.35**2 + 0.28**2 * wave + 1e-4 * np.eye(24)
    weekend = 0.12**2 + 0.12**2 * wave + 1e-4 * np.eye(24)
    return np.block([[day, day], [day, day + weekend]]) + 1e-6 * np.eye(48)


def uncalibrated() -> Calibration:
    """What is known of a tenant without trips: the engine's own times, with a wide p90."""
    sds = np.sqrt(np.diag(_hour_prior()))
    return Calibration(0, 0, tuple((0.0, float(sd)) for sd in sds), {}, {}, {}, {}, _UNCALIBRATED_SD, 1.2816)


def calibrate(trips: Sequence[Trip], today: float) -> Calibration:
    """What the trips up to `today` (a day as in Trip.day) say; at most the latest MAX_TRIPS are used.

    Trips with a time that is no time, an hour that is none, or a factor outside 1/5..5 are counted as
    rejected.
    """
    believable = [trip for trip in trips if _believable(trip, today)]
    rejected = len(trips) - len(believable)
    if len(believable) < MIN_TRIPS:
        empty = uncalibrated()
        return Calibration(
            len(believable), rejected, empty.hours, {}, {}, {}, {}, _UNCALIBRATED_SD, empty.z90
        )
    used = sorted(believable, key=lambda trip: trip.day)[-MAX_TRIPS:]
    y = np.log([trip.observed_s / trip.base_s for trip in used])
    age = today - np.array([trip.day for trip in used])
    hours = np.array([trip.hour + 24 * trip.weekend for trip in used])
    classes, class_codes, class_shares = _classes(used)
    areas, area_codes = _coded([trip.area for trip in used])
    engineers, engineer_codes = _coded([trip.engineer for trip in used])
    fitted = fit(
        y,
        0.5 ** (age / MEMORY_DAYS),
        [
            Group(hours, _hour_prior()),
            Group(class_codes, independent(len(classes), 0.12), class_shares),
            Group(area_codes, independent(len(areas), 0.15)),
            Group(engineer_codes, independent(len(engineers), 0.07)),
        ],
        observer=3,
    )
    recent = _recent(fitted.residuals, age, area_codes, engineer_codes, areas)
    return Calibration(
        trips=len(used),
        rejected=rejected,
        hours=_pairs(fitted.effects[0], fitted.effect_sds[0]),
        road_classes=dict(zip(classes, _pairs(fitted.effects[1], fitted.effect_sds[1]), strict=True)),
        areas=dict(zip(areas, _pairs(fitted.effects[2], fitted.effect_sds[2]), strict=True)),
        engineers={key: float(value) for key, value in zip(engineers, fitted.effects[3], strict=True)},
        recent=recent,
        sd=fitted.sd,
        z90=fitted.z90,
    )


def predict(
    calibration: Calibration,
    base_s: float,
    hour: int,
    weekend: bool,
    road_class: str,
    area: str,
    engineer: str | None = None,
) -> Eta:
    """The learned time of a drive that the engine gives base_s. Unknown classes, areas and engineers
    count as usual.

    An engineer's own pace counts up to 15%; beyond that it is their phone that is strange, not their
    driving. Raises GeoError base_invalid, hour_invalid.
    """
    if not math.isfinite(base_s) or base_s < 0:
        raise GeoError("base_invalid", {"base_s": repr(base_s)})
    if not 0 <= hour <= 23:
        raise GeoError("hour_invalid", {"hour": hour})
    hour_effect, hour_sd = calibration.hours[hour + 24 * weekend]
    class_effect, class_sd = calibration.road_classes.get(road_class, (0.0, 0.12))
    area_effect, area_sd = calibration.areas.get(area, (0.0, 0.15))
    personal = calibration.engineers.get(engineer, 0.0) if engineer else 0.0
    recent_effect, recent_sd = calibration.recent.get(area, (0.0, 0.0))
    log_factor = hour_effect + class_effect + area_effect + recent_effect
    if abs(personal) <= _PERSONAL_LIMIT:
        log_factor += personal
    sd = math.sqrt(calibration.sd**2 + hour_sd**2 + class_sd**2 + area_sd**2 + recent_sd**2)
    if not calibration.calibrated:
        log_factor, sd = 0.0, _UNCALIBRATED_SD
    p50_s = base_s * math.exp(log_factor)
    p90_s = p50_s * math.exp(calibration.z90 * sd)
    return Eta(round(p50_s), round(p90_s), calibration.calibrated, calibration.trips)


def _believable(trip: Trip, today: float) -> bool:
    times = (trip.base_s, trip.observed_s, trip.day)
    if not all(math.isfinite(value) for value in times) or trip.base_s <= 0 or trip.observed_s <= 0:
        return False
    return 0 <= trip.hour <= 23 and trip.day <= today and 0.2 <= trip.observed_s / trip.base_s <= 5.0


def _coded(labels: list[str]) -> tuple[list[str], Ints]:
    names = sorted(set(labels))
    place = {name: code for code, name in enumerate(names)}
    return names, np.array([place[label] for label in labels])


def _classes(trips: Sequence[Trip]) -> tuple[list[str], Ints, Floats]:
    """(names, code of each trip's foretold class, (trips, names) shares of its seconds)."""
    names = sorted({name for trip in trips for name in (trip.road_class, *(trip.driven_s or ()))})
    place = {name: code for code, name in enumerate(names)}
    codes = np.array([place[trip.road_class] for trip in trips])
    shares = np.eye(len(names))[codes]
    for row, trip in enumerate(trips):
        total_s = sum((trip.driven_s or {}).values())
        if trip.driven_s and total_s > 0:
            shares[row] = 0.0
            for name, seconds in trip.driven_s.items():
                shares[row, place[name]] = seconds / total_s
    return names, codes, shares


def trace_tells(
    positions: int, seconds: float, metres: float, gaps: int, trip_s: float, trip_m: float
) -> bool:
    """Whether a matched trace says on which roads a trip was driven: often enough, without holes, most of its time and
    about its length. A phone that stood elsewhere, jumped about or began late does not."""
    return positions >= 8 and gaps == 0 and seconds >= 0.7 * trip_s and 0.7 * trip_m <= metres <= 2.0 * trip_m


def _pairs(effects: Floats, sds: Floats) -> tuple[tuple[float, float], ...]:
    return tuple((float(effect), float(sd)) for effect, sd in zip(effects, sds, strict=True))


def _recent(
    residuals: Floats, age: Floats, area_codes: Ints, engineer_codes: Ints, areas: list[str]
) -> dict[str, tuple[float, float]]:
    """What the last days show beyond the effects, per area: a median in which nobody has more than a
    third."""
    found: dict[str, tuple[float, float]] = {}
    for code, area in enumerate(areas):
        here = np.flatnonzero((area_codes == code) & (age <= _RECENT_WINDOW_DAYS))
        if here.size < 3:
            continue
        weight = 0.5 ** (age[here] / RECENT_DAYS)
        mine = np.bincount(engineer_codes[here], weights=weight)[engineer_codes[here]]
        weight = weight * np.minimum(1.0, weight.sum() / 3 / mine)
        count = float(weight.sum() ** 2 / (weight**2).sum())
        shift = weighted_quantile(residuals[here], weight, 0.5) * count / (count + _RECENT_PRIOR_TRIPS)
        if abs(shift) > _RECENT_NOTICEABLE:
            found[area] = (
                shift,
                _RECENT_PRIOR_SD * math.sqrt(_RECENT_PRIOR_TRIPS / (count + _RECENT_PRIOR_TRIPS)),
            )
    return found
