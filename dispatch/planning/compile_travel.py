"""Travel and nearness as packed arrays: tables where sites have them, positions on the globe where a table is too large."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dispatch.planning.scenario import Engineer, Matrices, Positions, Scenario, Travel

EARTH_M: Final = 6_371_008.8  # mean radius, IUGG R1
NEIGHBOURS: Final = 100


def packed_travel(scenario: Scenario) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """(modes, hours, L, L) tables and an empty globe, or an empty table and the globe (L, 5)."""
    travel = scenario.travel
    if isinstance(travel, Positions):
        return np.zeros((1, 1, 0, 0), np.int32), globe(travel)
    tables = [travel.by_mode[mode] for mode in sorted(travel.by_mode)]
    hours = max(table.shape[0] for table in tables)
    drive = np.stack([np.broadcast_to(t, (hours, *t.shape[1:])) for t in tables])
    return np.ascontiguousarray(drive, np.int32), np.zeros((0, 5))


def both_ways(drive: NDArray[np.int32]) -> NDArray[np.int32]:
    """(modes, L, L, 2) from (modes, L, L): seconds to the first site from the second, and back. One look finds both."""
    return np.ascontiguousarray(np.stack([drive.transpose(0, 2, 1), drive], axis=-1), np.int32)


def globe(travel: Positions) -> NDArray[np.float64]:
    """Unit vectors scaled so that `drive_s` finds seconds: half the seconds around the diameter, then that, then fixed."""
    full = travel.detour * 2 * EARTH_M * 3.6 / travel.speed_kmh
    lon, lat = np.radians(travel.lon_lat[:, 0]), np.radians(travel.lon_lat[:, 1])
    unit = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    both = np.broadcast_to([full, travel.fixed_s], (unit.shape[0], 2))
    return np.ascontiguousarray(np.concatenate([unit * full / 2, both], axis=1))


def mode_number(engineer: Engineer, travel: Travel) -> int:
    """The engineer's table: the only one, or the one of his mode; by car where he names none."""
    if isinstance(travel, Positions) or "" in travel.by_mode:
        return 0
    modes = sorted(travel.by_mode)
    return modes.index(engineer.mode or ("car" if "car" in modes else modes[0]))


def between_s(mode: int, leave_s: int, origin: int, target: int, drive: Any, ball: Any) -> int:
    """Seconds driven from site to site in a mode, leaving at `leave_s`."""
    if ball.shape[0] == 0:
        hour = leave_s // 3600 % 24 if drive.shape[1] > 1 else 0
        return int(drive[mode, hour, origin, target])
    chord, full = float(np.linalg.norm(ball[origin, :3] - ball[target, :3])), float(ball[origin, 3])
    if chord == 0:
        return 0
    return int(np.rint(full * np.arcsin(min(1.0, chord / full)) + ball[target, 4]))


def reach_s(engineer: Engineer, mode: int, site: int, drive: Any, ball: Any) -> int:
    """The earliest second the engineer could stand at the site, driving straight from his start."""
    leave_s = max(0, engineer.shift_s[0])
    return leave_s + between_s(mode, leave_s, engineer.start, site, drive, ball)


def near_tickets(scenario: Scenario, drive: Any) -> NDArray[np.int32]:
    """(N, K) the K other tickets nearest to each, nearest first, by the mean of both directions."""
    sites = np.array([t.site for t in scenario.tickets], np.int64)
    count = sites.size
    k = min(NEIGHBOURS, count - 1)
    if k <= 0:
        return np.zeros((count, 0), np.int32)
    if isinstance(scenario.travel, Matrices):
        table = drive[0, drive.shape[1] // 2]
        away = (table + table.T)[np.ix_(sites, sites)] * np.int64(count) + np.arange(count)
        np.fill_diagonal(away, np.iinfo(np.int64).max)
        near = np.argpartition(away, k - 1, axis=1)[:, :k]
        nearest_first = np.argsort(np.take_along_axis(away, near, axis=1), axis=1)
        return np.ascontiguousarray(np.take_along_axis(near, nearest_first, axis=1), np.int32)
    from scipy.spatial import cKDTree  # half a second to load, and only days of positions need it

    points = globe(scenario.travel)[sites, :3]
    _, found = cKDTree(points).query(points, k=k + 1)
    nearest = np.empty((count, k), np.int32)
    for t in range(count):
        others = found[t][found[t] != t]
        nearest[t] = others[:k]
    return nearest
