"""WGS-84, GCJ-02 (AMap, Tencent) and BD-09 (Baidu) into one another: to the millimetre, a million a second.

Chinese map services shift every place in mainland China by 100–700 m. The shift has a known forward formula
and no inverse; the inverse here is a fixed point: guess, shift, correct by what is left.

The shift applies in mainland China (datum_area.json). In Hong Kong, Macau and Taiwan a position declared
GCJ-02 or BD-09 is taken as it is, because providers do not agree there and the international ones do not
shift; a tenant whose phones do shift there learns it from `datum_warning`. Beside those borders two
readings cannot be told apart: a position that may be a shifted place in the mainland is taken for one, so
places outside but within the shift's own length (700 m, BD-09 1.3 km) come back wrong by it. Everywhere
else a round trip returns to the millimetre.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.datum_area import is_shifted
from geo.points import GeoError, Point, distances_m

Datum = Literal["wgs84", "gcj02", "bd09"]
Floats = NDArray[np.float64]

DATUMS: Final[tuple[Datum, ...]] = ("wgs84", "gcj02", "bd09")

# Krasovsky 1940, which the published formula uses.
_AXIS_M: Final = 6378245.0
_ECCENTRICITY_SQUARED: Final = 0.00669342162296594323
_BAIDU: Final = np.pi * 3000.0 / 180.0
_BLOCK: Final = 16_384
_FAR_M: Final = 150.0
"""A position farther from any road than this says no more about its datum than one at this distance."""
_SHIFT_ROUNDS: Final = 3
_SWIRL_ROUNDS: Final = 3
"""A round leaves at most 0.7% of the error of a GCJ-02 guess and 2% of a BD-09 one: below 0.4 mm at the
end."""
_SWIRL_OFFSET: Final = (0.0065, 0.006)


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Floats, Floats]:
    """(lon, lat) in WGS-84 of positions given in `datum`; degrees, any equal shapes. NaN stays NaN.

    Raises GeoError datum_unknown, shapes_differ.
    """
    return _blockwise(lon, lat, {"wgs84": _same, "gcj02": _gcj02_to_wgs84, "bd09": _bd09_to_wgs84}, datum)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Floats, Floats]:
    """(lon, lat) in `datum` of WGS-84 positions: the opposite of to_wgs84, same shapes and errors."""
    return _blockwise(lon, lat, {"wgs84": _same, "gcj02": _wgs84_to_gcj02, "bd09": _wgs84_to_bd09}, datum)


def point_to_wgs84(lon: float, lat: float, datum: Datum) -> Point:
    """One position as a WGS-84 Point. Raises GeoError datum_unknown, and PointError where it is no place."""
    return points_to_wgs84([(lon, lat)], datum)[0]


def points_to_wgs84(positions: Iterable[tuple[float, float]], datum: Datum) -> list[Point]:
    """Positions (lon, lat) as WGS-84 Points: hundreds cost little more than one. Raises as `point_to_wgs84`."""
    checked = [Point(lon, lat) for lon, lat in positions]
    if datum == "wgs84":
        return checked
    lon, lat = to_wgs84([point.lon for point in checked], [point.lat for point in checked], datum)
    return [Point(x, y) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]


def _blockwise(
    lon: ArrayLike,
    lat: ArrayLike,
    conversions: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]],
    datum: str,
) -> tuple[Floats, Floats]:
    """Blocks keep the temporaries in the processor's cache, which is twice as fast on a million places."""
    if datum not in conversions:
        raise GeoError("datum_unknown", {"datum": datum, "known": list(DATUMS)})
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if lon.shape != lat.shape:
        raise GeoError("shapes_differ", {"lon": lon.shape, "lat": lat.shape})
    out_lon, out_lat = np.empty(lon.size), np.empty(lon.size)
    flat_lon, flat_lat = lon.ravel(), lat.ravel()
    for start in range(0, lon.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        out_lon[block], out_lat[block] = conversions[datum](flat_lon[block], flat_lat[block])
    return out_lon.reshape(lon.shape), out_lat.reshape(lon.shape)


def _same(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    return lon, lat


def _wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    inside = is_shifted(lon, lat)
    shifted_lon, shifted_lat = _shift(lon, lat)
    return np.where(inside, shifted_lon, lon), np.where(inside, shifted_lat, lat)


def _gcj02_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    guess_lon, guess_lat = _invert(_shift, lon, lat, _SHIFT_ROUNDS)
    inside = is_shifted(guess_lon, guess_lat)
    return np.where(inside, guess_lon, lon), np.where(inside, guess_lat, lat)


def _wgs84_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    inside = is_shifted(lon, lat)
    shifted_lon, shifted_lat = _swirl(*_shift(lon, lat))
    return np.where(inside, shifted_lon, lon), np.where(inside, shifted_lat, lat)


def _bd09_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    guess_lon, guess_lat = _invert(_shift, *_unswirl(lon, lat), _SHIFT_ROUNDS)
    inside = is_shifted(guess_lon, guess_lat)
    return np.where(inside, guess_lon, lon), np.where(inside, guess_lat, lat)


def _invert(
    forward: Callable[[Floats, Floats], tuple[Floats, Floats]],
    lon: Floats,
    lat: Floats,
    rounds: int,
    guess: tuple[Floats, Floats] | None = None,
) -> tuple[Floats, Floats]:
    guess_lon, guess_lat = guess or (lon, lat)
    for _ in range(rounds):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon + (lon - there_lon), guess_lat + (lat - there_lat)
    return guess_lon, guess_lat


def _shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 of WGS-84, by the formula that open map software has agreed on since 2010."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    x_30, x_12, x_3, x_1, x_2, x_6 = _waves(x)
    y_30, y_12, y_3, y_1, _, _ = _waves(y)
    both = (20.0 * x_6 + 20.0 * x_2) * (2.0 / 3.0)
    north_m = -100.0 + 2.0 * x + (3.0 + 0.2 * y + 0.1 * x) * y + 0.2 * root + both
    north_m += (20.0 * y_1 + 40.0 * y_3 + 160.0 * y_12 + 320.0 * y_30) * (2.0 / 3.0)
    east_m = 300.0 + (1.0 + 0.1 * x + 0.1 * y) * x + 2.0 * y + 0.1 * root + both
    east_m += (20.0 * x_1 + 40.0 * x_3 + 150.0 * x_12 + 300.0 * x_30) * (2.0 / 3.0)
    sin_lat = np.sin(np.radians(lat))
    flat = 1.0 - _ECCENTRICITY_SQUARED * sin_lat * sin_lat
    prime_m = _AXIS_M / np.sqrt(flat)
    meridian_m = prime_m * (1.0 - _ECCENTRICITY_SQUARED) / flat
    parallel_m = prime_m * np.sqrt(1.0 - sin_lat * sin_lat)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _waves(x: Floats) -> tuple[Floats, ...]:
    """sin(πx/30), sin(πx/12), sin(πx/3), sin(πx), sin(2πx), sin(6πx), by multiple angles of πx/60."""
    sin, cos = np.sin(x * (np.pi / 60.0)), np.cos(x * (np.pi / 60.0))
    x_30 = 2.0 * sin * cos
    sin2, cos2 = sin * sin, cos * cos
    x_12 = sin * (5.0 + sin2 * (16.0 * sin2 - 20.0))
    cos_12 = cos * (5.0 + cos2 * (16.0 * cos2 - 20.0))
    x_6th, cos_6th = 2.0 * x_12 * cos_12, 1.0 - 2.0 * x_12 * x_12
    x_3, cos_3 = 2.0 * x_6th * cos_6th, 1.0 - 2.0 * x_6th * x_6th
    x_1 = x_3 * (3.0 - 4.0 * x_3 * x_3)
    cos_1 = cos_3 * (4.0 * cos_3 * cos_3 - 3.0)
    x_2 = 2.0 * x_1 * cos_1
    return x_30, x_12, x_3, x_1, x_2, x_2 * (3.0 - 4.0 * x_2 * x_2)


def _swirl(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """BD-09 of GCJ-02 (Baidu's published sample code): stretched by a wave and turned by another.

    The turn is at most 3 microradians, so its sine is the angle itself to the last bit.
    """
    turn = 0.000003 * np.cos(lon * _BAIDU)
    stretch = 1.0 + 0.00002 * np.sin(lat * _BAIDU) / np.maximum(np.hypot(lon, lat), 1.0)
    along, across = stretch * (1.0 - 0.5 * turn * turn), stretch * turn
    turned_lon, turned_lat = lon * along - lat * across, lat * along + lon * across
    return turned_lon + _SWIRL_OFFSET[0], turned_lat + _SWIRL_OFFSET[1]


def _unswirl(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    guess_lon, guess_lat = lon - _SWIRL_OFFSET[0], lat - _SWIRL_OFFSET[1]
    return _invert(_swirl, lon, lat, _SWIRL_ROUNDS, (guess_lon, guess_lat))


@dataclass(frozen=True, slots=True)
class DatumWarning:
    """Positions fit the roads far better when read as `fits` than as what they were declared.

    Medians of the distance to the nearest road, metres; `positions` is how many were looked at.
    """

    declared: Datum
    fits: Datum
    declared_median_m: float
    fits_median_m: float
    positions: int


def datum_warning(
    lon: ArrayLike,
    lat: ArrayLike,
    declared: Datum,
    nearest_road_m: Callable[[Floats, Floats], Floats],
    min_positions: int = 30,
) -> DatumWarning | None:
    """A warning when raw readings, taken as `declared`, sit off the roads and another datum puts them on.

    `nearest_road_m(lon, lat)` gives metres from WGS-84 places to the nearest road. In a dense street grid a
    shifted position still has some road nearby, so each position is compared with itself: another datum must
    bring it closer on average, by six standard errors, and the median distance down by a third. Give readings
    of moving engineers, some apart from each other. None with fewer than min_positions where datums differ.
    Raises GeoError datum_unknown, shapes_differ.
    """
    lon, lat = np.atleast_1d(np.asarray(lon, np.float64)), np.atleast_1d(np.asarray(lat, np.float64))
    places = {datum: to_wgs84(lon, lat, datum) for datum in DATUMS}
    if declared not in places:
        raise GeoError("datum_unknown", {"datum": declared, "known": list(DATUMS)})
    differs = distances_m(*places["wgs84"], *places["gcj02"]) > 1.0
    if int(differs.sum()) < min_positions:
        return None
    away_m = {
        datum: np.minimum(nearest_road_m(there_lon[differs], there_lat[differs]), _FAR_M)
        for datum, (there_lon, there_lat) in places.items()
    }
    medians = {datum: float(np.median(distances)) for datum, distances in away_m.items()}
    fits = min(DATUMS, key=lambda datum: medians[datum])
    gain_m = away_m[declared] - away_m[fits]
    sure = float(gain_m.mean()) > 6.0 * float(gain_m.std()) / math.sqrt(gain_m.size)
    if fits == declared or not sure or medians[fits] > medians[declared] / 1.5:
        return None
    return DatumWarning(declared, fits, medians[declared], medians[fits], gain_m.size)
