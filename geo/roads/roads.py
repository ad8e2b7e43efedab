"""Questions to a road network: how long, how far, which way, how far around, which roads were these."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.points import Point
from geo.roads import profiles
from geo.roads.cch import SHIFT
from geo.roads.conditions import Day
from geo.roads.errors import RoadsError
from geo.roads.files import read_roads
from geo.roads.isochrone import area_of, check_seconds, reached_lines
from geo.roads.matching import Match, match_trace
from geo.roads.matrix import (
    MAX_POINTS,
    UNREACHABLE,
    Ends,
    LiveMatrix,
    Matrix,
    Nearest,
    check_size,
    matrix_of,
    nearest_of,
)
from geo.roads.network import Network
from geo.roads.routes import Route, find_route
from geo.roads.snap import MAX_SNAP_M, Points, Snaps, as_lon_lat

MATCHED_AT_START = 50
Place = Point | tuple[float, float]


class Roads:
    """An opened road file. Safe to use from several threads; processes that open the same file share its
    memory.

    mode: one of profiles.MODES. hour: local hour of departure, 0 to 23, or None for free roads; day: the kind of day,
    one of conditions.DAYS. Points are WGS-84 (lon, lat). Every question raises RoadsError mode_unknown,
    hour_out_of_range or day_unknown, PointError for a
    point that is none (facts["index"]) and TooFarFromRoad for one more than max_snap_m from a road of that
    mode.
    """

    def __init__(self, folder: Path, max_snap_m: float = MAX_SNAP_M) -> None:
        self._file = read_roads(folder)
        self.facts = self._file.facts
        self.max_snap_m = max_snap_m
        self._networks: dict[str, Network] = {}
        self._names: list[str] | None = None
        self._lock = threading.Lock()

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes the file has roads for."""
        return tuple(m for m in profiles.MODES if profiles.NETWORK_OF[m] in self.facts["networks"])

    def snap(self, points: Points, mode: str = "car") -> Snaps:
        """Where on the roads each point is put."""
        return self._network(mode).snap(points, self.max_snap_m, mode)

    def near_road(self, points: Points, mode: str = "car") -> NDArray[np.bool_]:
        """(points): whether a road of the mode lies within max_snap_m."""
        return self.metres_to_road(points, mode) < np.inf

    def metres_to_road(self, points: Points, mode: str = "car") -> NDArray[np.float64]:
        """(points): metres to the nearest road of the mode; infinite beyond max_snap_m."""
        network = self._network(mode)
        _, _, metres = network.snapper.nearest(*as_lon_lat(points), network.may_stop, self.max_snap_m)
        return np.asarray(metres[:, 0])

    def matrix(
        self,
        points: Points,
        mode: str = "car",
        hour: int | None = None,
        to: Points | None = None,
        day: Day = "weekday",
    ) -> Matrix:
        """Exact seconds and metres from every point to every point, or to those of `to`.

        Raises RoadsError matrix_empty, matrix_too_large.
        """
        check_size(len(points))
        if to is not None:
            check_size(len(to))
        if to is None:
            ends = self._ends(points, mode, hour, day)
            return matrix_of(ends, ends)
        return matrix_of(self._ends(points, mode, hour, day, "out"), self._ends(to, mode, hour, day, "in"))

    def nearest(
        self, points: Points, k: int, mode: str = "car", hour: int | None = None, day: Day = "weekday"
    ) -> Nearest:
        """For each point the k others it reaches soonest, exact; memory grows with points times k only."""
        check_size(len(points), 2 * MAX_POINTS)
        if k < 1:
            raise RoadsError("matrix_empty", {"k": k})
        return nearest_of(self._ends(points, mode, hour, day), k)

    def live_matrix(
        self, points: Points, mode: str = "car", hour: int | None = None, day: Day = "weekday"
    ) -> LiveMatrix:
        """A matrix that grows by a row and a column for a new site and follows a moved engineer."""
        network = self._network(mode)
        check_size(len(points))
        return LiveMatrix(network, network.timetable(mode, hour, day), points, mode, self.max_snap_m)

    def route(
        self, a: Place, b: Place, mode: str = "car", hour: int | None = None, day: Day = "weekday"
    ) -> Route:
        """The fastest way from a to b. Raises RoadsError no_route."""
        start = self._ends(_one(a), mode, hour, day, "out")
        end = self._ends(_one(b), mode, hour, day, "in")
        return find_route(start, end, self.names, self._file.arrays["way.name"])

    def isochrone(
        self,
        point: Place,
        seconds: int,
        mode: str = "car",
        hour: int | None = None,
        towards: bool = False,
        day: Day = "weekday",
    ) -> dict[str, Any]:
        """GeoJSON MultiPolygon of what is reached within `seconds`, or from where `point` is reached
        (towards).

        Raises RoadsError seconds_out_of_range.
        """
        check_seconds(seconds)
        ends = self._ends(_one(point), mode, hour, day, "in" if towards else "out")
        return area_of(reached_lines(ends, seconds, towards))

    def match(self, trace: NDArray[np.float64], mode: str = "car", accuracy_m: float = 10.0) -> Match:
        """Put positions (n, 2) in order of time on the roads driven; see matching.match_trace for what it
        raises."""
        arrays, network = self._file.arrays, self._network(mode)
        seg_ms = network.timetable(mode, None).costs.seg >> SHIFT
        arc_ms = np.add.reduceat(seg_ms, network.seg_start[:-1]).reshape(-1)
        return match_trace(network, arrays["way.osm_id"], arrays["way.class"], trace, accuracy_m, arc_ms)

    def match_line(self, match: Match, mode: str = "car") -> list[list[tuple[float, float]]]:
        """(lon, lat) of every arc of a match, in the direction driven."""
        return [self._network(mode).arc_line(int(arc)) for arc in match.arcs]

    def prepare(self, mode: str = "car", hours: Sequence[int] = range(24), day: Day = "weekday") -> None:
        """Customise the metrics of these hours now instead of at the first question."""
        self._network(mode).prepare(mode, hours, day)

    def most_driven(
        self, a: Place, b: Place, mode: str = "car", hour: int | None = None, day: Day = "weekday"
    ) -> str:
        """The group of roads (profiles.GROUPS) on which most metres of the fastest way lie. Raises RoadsError
        no_route."""
        network, edges = self._network(mode), self.route(a, b, mode, hour, day).edges
        group = np.array(profiles.GROUP_OF_CLASS)[network.seg_class[network.seg_start[edges]]]
        metres = np.bincount(group, weights=network.edge_m[edges], minlength=len(profiles.GROUPS))
        return profiles.GROUPS[int(metres.argmax())]

    def warm_up(self, mode: str = "car") -> None:
        """Every hour's metric and one question of each kind, so that nobody waits for them or for compiling."""
        self.prepare(mode)
        network = self._network(mode)
        stops = np.flatnonzero(network.may_stop)[[0, -1]]
        a, b = ((float(network.seg_lon[s, 0]), float(network.seg_lat[s, 0])) for s in stops)
        self.near_road([a, b], mode)
        self.live_matrix([a], mode, 8).append(b)
        self.isochrone(a, 60, mode, 8)
        if self.matrix([a], mode, 8, to=[b]).seconds[0, 0] < UNREACHABLE:
            line = self.route(a, b, mode, 8).geometry[:MATCHED_AT_START]
            if len(line) > 1:
                self.match(line, mode)

    def set_factors(self, mode: str, hour: int, factors: Sequence[float]) -> None:
        """Replace the factors on free speed for profiles.GROUPS at an hour; metrics are customised anew in
        place."""
        self._network(mode).set_factors(mode, hour, factors)

    @property
    def names(self) -> list[str]:
        """Street names; way.name indexes them, 0 is no name."""
        with self._lock:
            if self._names is None:
                start, text = self._file.arrays["names.start"], self._file.arrays["names.text"].tobytes()
                self._names = [text[a:b].decode() for a, b in pairwise(start.tolist())]
            return self._names

    def _network(self, mode: str) -> Network:
        if mode not in self.modes:
            raise RoadsError("mode_unknown", {"mode": mode, "known": list(self.modes)})
        name = profiles.NETWORK_OF[mode]
        with self._lock:
            if name not in self._networks:
                self._networks[name] = Network(self._file, name)
            return self._networks[name]

    def _ends(self, points: Points, mode: str, hour: int | None, day: Day, ways: str = "both") -> Ends:
        network = self._network(mode)
        snaps = network.snap(points, self.max_snap_m, mode)
        return Ends(network, network.timetable(mode, hour, day), snaps, ways)


def _one(place: Place) -> list[tuple[float, float]]:
    return [(place.lon, place.lat) if isinstance(place, Point) else place]
