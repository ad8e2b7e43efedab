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

Mode = Literal["car", "bike", "foot"]
Source = Literal["great_circle", "roads"]

MAX_MATRIX_POINTS: Final = 10_000
SAME_PLACE_M: Final = 1.0


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


PACES: Final[Mapping[Mode, Pace]] = MappingProxyType(
    {"car": Pace(), "bike": Pace(1.25, 16.0, 60.0), "foot": Pace(1.2, 4.8, 0.0)}
)
"""Start values of a city nobody has calibrated: car in daytime traffic, e-bike, on foot."""


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
    return Travel(round(metres / used.speed_kmh * 3.6 + used.fixed_s), metres, "great_circle")


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


def _pace(mode: str) -> Pace:
    for known, pace in PACES.items():
        if known == mode:
            return pace
    raise GeoError("mode_unknown", {"mode": mode, "known": sorted(PACES)})


def _columns(points: Sequence[Point]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon = np.fromiter((p.lon for p in points), np.float64, len(points))
    lat = np.fromiter((p.lat for p in points), np.float64, len(points))
    return lon, lat
