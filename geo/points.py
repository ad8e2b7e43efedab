"""A place on earth in WGS-84 and the plain arithmetic on it. Distances in metres, bearings in degrees."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean earth radius (IUGG R1). Distances on this sphere are within 0.6% of those on the WGS-84 ellipsoid."""


class GeoError(ValueError):
    """A refusal with a stable `code` and plain `facts`, so that a caller can translate it."""

    def __init__(self, code: str, facts: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.facts: dict[str, Any] = dict(facts or {})
        super().__init__(f"{code} {self.facts}" if self.facts else code)


class PointError(GeoError):
    """Codes: point_not_a_number, point_swapped (looks like lat, lon), point_out_of_range."""


@dataclass(frozen=True, slots=True)
class Point:
    """WGS-84, degrees. Longitude first, as in GeoJSON and PostGIS. Raises PointError."""

    lon: float
    lat: float

    def __post_init__(self) -> None:
        check_lon_lat(self.lon, self.lat)


def check_lon_lat(lon: float, lat: float) -> None:
    """Raise PointError unless lon is in [-180, 180] and lat in [-90, 90]."""
    for name, value in (("lon", lon), ("lat", lat)):
        number = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
        if not number or not math.isfinite(value):
            raise PointError("point_not_a_number", {"field": name, "value": repr(value)})
    if abs(lat) > 90 and abs(lat) <= 180 and abs(lon) <= 90:
        raise PointError("point_swapped", {"lon": float(lon), "lat": float(lat)})
    if abs(lon) > 180 or abs(lat) > 90:
        raise PointError("point_out_of_range", {"lon": float(lon), "lat": float(lat)})


def distances_m(lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike) -> NDArray[np.float64]:
    """Great-circle metres (haversine), broadcasting; degrees in. NaN in gives NaN out."""
    lon1, lat1, lon2, lat2 = (np.radians(np.asarray(a, np.float64)) for a in (lon1, lat1, lon2, lat2))
    h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


def distance_m(a: Point, b: Point) -> float:
    """Great-circle metres (haversine on EARTH_RADIUS_M); never more than half the globe."""
    lat1, lat2 = math.radians(a.lat), math.radians(b.lat)
    d_lon = math.radians(b.lon - a.lon)
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(d_lon / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))


def bearing_deg(a: Point, b: Point) -> float:
    """The direction in which one leaves `a` for `b`: 0 north, 90 east, below 360; 0 for the same place."""
    lat1, lat2 = math.radians(a.lat), math.radians(b.lat)
    d_lon = math.radians(b.lon - a.lon)
    east = math.sin(d_lon) * math.cos(lat2)
    north = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(d_lon)
    return math.degrees(math.atan2(east, north)) % 360.0 % 360.0


def offset(point: Point, east_m: float, north_m: float) -> Point:
    """The place reached along the great circle that leaves in the direction (east_m, north_m).

    Exact on the sphere: distance_m(point, result) is hypot(east_m, north_m). PointError when not finite.
    """
    if not (math.isfinite(east_m) and math.isfinite(north_m)):
        raise PointError("point_not_a_number", {"field": "offset", "value": repr((east_m, north_m))})
    angle, towards = math.hypot(east_m, north_m) / EARTH_RADIUS_M, math.atan2(east_m, north_m)
    lat1 = math.radians(point.lat)
    sin_lat2 = math.sin(lat1) * math.cos(angle) + math.cos(lat1) * math.sin(angle) * math.cos(towards)
    lat2 = math.asin(max(-1.0, min(1.0, sin_lat2)))
    eastward = math.sin(towards) * math.sin(angle) * math.cos(lat1)
    d_lon = math.atan2(eastward, math.cos(angle) - math.sin(lat1) * sin_lat2)
    lon2 = (point.lon + math.degrees(d_lon) + 540.0) % 360.0 - 180.0
    return Point(lon2, math.degrees(lat2))
