"""How long it takes to get there without a road network: great circle × detour ÷ speed + a fixed start.

Every answer names its source, so that a time shown to a person can say what it rests on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.points import GeoError, Point, distance_m, distances_m

Mode = Literal["car", "ebike", "bicycle", "foot"]
Source = Literal["great_circle", "roads"]

MAX_MATRIX_POINTS: Final = 10_000
SAME_PLACE_M: Final = 1.0
MIN_CALIBRATING: Final = 20
MAX_CALIBRATING: Final = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """How a mode covers ground.

    detour is metres on the road per metre of great circle; fixed_s goes into setting off and parking.
    Raises GeoError pace_invalid.
    """

    detour: float = 1.3
    speed_kmh: float = 32.0
    fixed_s: float = 120.0

    def __post_init__(self) -> None:
        facts = {"detour": self.detour, "speed_kmh": self.speed_kmh, "fixed_s": self.fixed_s}
        finite = all(math.isfinite(value) for value in facts.values())
        if not finite or self.detour < 1 or self.speed_kmh <= 0 or self.fixed_s < 0:
            raise GeoError("pace_invalid", facts)

    def seconds(self, metres: float) -> int:
        """Of a journey of so many metres on the road."""
        return round(metres / self.speed_kmh * 3.6 + self.fixed_s)


PACES: Final[Mapping[Mode, Pace]] = MappingProxyType(
    {
        "car": Pace(),
        "ebike": Pace(1.25, 20.0, 60.0),
        "bicycle": Pace(1.25, 15.0, 60.0),
        "foot": Pace(1.2, 4.8, 0.0),
    }
)
"""Start values of a city nobody has calibrated: car in daytime traffic, e-bike, bicycle, on foot."""


@dataclass(frozen=True, slots=True)
class Travel:
    """One journey. `source` is great_circle for an estimate without roads, roads for one along a network."""

    seconds: int
    metres: float
    source: Source


@dataclass(frozen=True, slots=True)
class TravelMatrix:
    """Journeys from each origin (row) to each destination (column): int32 seconds, float32 metres."""

    seconds: NDArray[np.int32]
    metres: NDArray[np.float32]
    source: Source


def great_circle_travel(
    origin: Point, destination: Point, mode: Mode = "car", pace: Pace | None = None
) -> Travel:
    """The estimate for one journey; 0 s and 0 m when both ends are the same place (within SAME_PLACE_M).

    Raises GeoError mode_unknown.
    """
    used = pace or _pace(mode)
    apart_m = distance_m(origin, destination)
    if apart_m < SAME_PLACE_M:
        return Travel(0, 0.0, "great_circle")
    metres = apart_m * used.detour
    return Travel(used.seconds(metres), metres, "great_circle")


def great_circle_matrix(
    origins: Sequence[Point],
    destinations: Sequence[Point],
    mode: Mode = "car",
    pace: Pace | None = None,
) -> TravelMatrix:
    """The same estimate for all pairs, shapes (len(origins), len(destinations)).

    Raises GeoError mode_unknown, matrix_empty, or matrix_too_large above MAX_MATRIX_POINTS on a side.
    """
    used = pace or _pace(mode)
    for side, points in (("origins", origins), ("destinations", destinations)):
        if not points:
            raise GeoError("matrix_empty", {"side": side})
        if len(points) > MAX_MATRIX_POINTS:
            facts = {"side": side, "points": len(points), "limit": MAX_MATRIX_POINTS}
            raise GeoError("matrix_too_large", facts)
    lon1, lat1 = _columns(origins)
    lon2, lat2 = _columns(destinations)
    apart_m = distances_m(lon1[:, None], lat1[:, None], lon2[None, :], lat2[None, :])
    same = apart_m < SAME_PLACE_M
    metres = np.where(same, 0.0, apart_m * used.detour)
    seconds = np.where(same, 0.0, metres / used.speed_kmh * 3.6 + used.fixed_s)
    return TravelMatrix(np.rint(seconds).astype(np.int32), metres.astype(np.float32), "great_circle")


def calibrate_pace(apart_m: Sequence[float], took_s: Sequence[float], prior: Pace) -> Pace:
    """The pace that observed journeys show, for a city without a road network.

    apart_m are great-circle metres between the ends, took_s the seconds from setting off to arriving.
    Detour stays the prior's: without roads only distance divided by time can be seen. The line through
    the journeys is the one with the least absolute errors (Theil-Sen slope, then the median of what is
    left), so wild ones do not bend it; it is shrunk to the prior as if that were ten journeys. Fewer
    than MIN_CALIBRATING usable ones return the prior. Raises GeoError lengths_differ.
    """
    if len(apart_m) != len(took_s):
        raise GeoError("lengths_differ", {"apart_m": len(apart_m), "took_s": len(took_s)})
    apart, took = np.asarray(apart_m, np.float64), np.asarray(took_s, np.float64)
    usable = np.isfinite(apart) & np.isfinite(took) & (apart > 200) & (took > 0) & (apart / took < 50)
    apart, took = apart[usable][-MAX_CALIBRATING:], took[usable][-MAX_CALIBRATING:]
    if apart.size < MIN_CALIBRATING:
        return prior
    first, second = np.triu_indices(apart.size, 1)
    apart_enough = np.abs(apart[second] - apart[first]) > 500
    if not apart_enough.any():
        return prior
    run, rise = (values[second] - values[first] for values in (apart, took))
    weight = apart.size / (apart.size + 10)
    per_m = weight * float(np.median(rise[apart_enough] / run[apart_enough])) + (1 - weight) * _seconds_per_m(
        prior
    )
    per_m = min(max(per_m, _seconds_per_m(prior) / 3), _seconds_per_m(prior) * 3)
    fixed_s = weight * float(np.median(took - per_m * apart)) + (1 - weight) * prior.fixed_s
    return Pace(prior.detour, prior.detour / per_m * 3.6, min(max(fixed_s, 0.0), 900.0))


def _seconds_per_m(pace: Pace) -> float:
    return pace.detour / pace.speed_kmh * 3.6


def _pace(mode: str) -> Pace:
    for known, pace in PACES.items():
        if known == mode:
            return pace
    raise GeoError("mode_unknown", {"mode": mode, "known": sorted(PACES)})


def _columns(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon = np.fromiter((p.lon for p in points), np.float64, len(points))
    lat = np.fromiter((p.lat for p in points), np.float64, len(points))
    return lon, lat
