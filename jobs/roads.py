"""`python -m jobs.roads`: keeps the road network in memory and answers travel times on a unix socket.

The only process of the running product that loads compiled road code. Without a road file it waits for one; a new
import is taken up within LOOK_S. Messages are those of dispatch.adapters.roads.
"""

import logging
import os
import signal
import socketserver
import threading
import time
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.adapters.logs import set_up
from dispatch.adapters.roads import MOST_POINTS, SOCKET_NAME, read_message, short_path, write_message
from dispatch.settings import read_settings
from geo.points import GeoError
from geo.roads import open_roads
from geo.roads.conditions import check_day
from geo.roads.errors import RoadsError
from geo.roads.profiles import GROUP_OF_CLASS, GROUPS
from jobs.roads_tables import DayTables

if TYPE_CHECKING:
    from geo.roads.roads import Roads

log = logging.getLogger("roads")

LOOK_S = 2.0
READ_S = 2.0
UNREACHABLE_S = 1_000_000_000


class RoadProcess:
    """One road file, opened again when it changes, and the socket while one is open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopped = threading.Event()
        self._server: _Server | None = None
        self._opened: tuple[int, int] | None = None

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        """Until stopped."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while not self._stopped.is_set():
            self.look()
            self._stopped.wait(LOOK_S)
        self._close()

    def look(self) -> None:
        """Opens the road file where there is a new one, and answers from it from then on."""
        found = _stamp(self._folder)
        if found is None or found == self._opened:
            return
        self._opened = found
        began = time.monotonic()
        try:
            roads = open_roads(self._folder)
            roads.warm_up()
        except GeoError as error:
            log.error("the road file cannot be used: %s", error.code)
            return
        if self._server is not None:
            self._server.take(roads)
        else:
            self._serve(roads)
        log.info("roads of %s open after %.1f s", roads.facts["country"], time.monotonic() - began)

    def _serve(self, roads: "Roads") -> None:
        path = self._folder / SOCKET_NAME
        path.unlink(missing_ok=True)
        with short_path(path) as name:
            before = os.umask(0o177)
            try:
                self._server = _Server(name, roads)
            finally:
                os.umask(before)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def _close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            (self._folder / SOCKET_NAME).unlink(missing_ok=True)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: str, roads: "Roads") -> None:
        self.take(roads)
        super().__init__(path, _Handler)

    def take(self, roads: "Roads") -> None:
        """From now on the answers are of these roads."""
        self.tables = DayTables(roads)
        self.roads = roads


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            wanted = read_message(self.request, time.monotonic() + READ_S)
            try:
                said = answer(self.server.roads, wanted, self.server.tables)
            except (GeoError, KeyError, TypeError, ValueError) as error:
                said = {"error": f"{type(error).__name__}: {error}"}
            write_message(self.request, said)
        except (OSError, ValueError) as error:
            log.info("a question was not answered: %s", type(error).__name__)


def answer(roads: "Roads", wanted: dict[str, Any], tables: DayTables | None = None) -> dict[str, Any]:
    """Seconds and metres from each origin to the target, null where no road leads there; for `off`, metres from each
    place to the nearest road; for `table`, both from each place to each; for `trace`, what was driven. Raises GeoError,
    KeyError, TypeError, ValueError for what is no question."""
    if "off" in wanted:
        off = roads.metres_to_road([(float(lon), float(lat)) for lon, lat in wanted["off"][:MOST_POINTS]])
        return {"metres": [round(m, 1) if m < UNREACHABLE_S else None for m in off.tolist()]}
    if "trace" in wanted:
        return _driven(roads, wanted)
    if "table" in wanted:
        return _table(roads, wanted, tables or DayTables(roads))
    origins = [(float(lon), float(lat)) for lon, lat in wanted["from"]]
    lon, lat = wanted["to"]
    target, hour, day = (float(lon), float(lat)), int(wanted["hour"]), check_day(wanted.get("day", "weekday"))
    if not 0 < len(origins) <= MOST_POINTS:
        raise ValueError(f"from 1 to {MOST_POINTS} origins")
    seconds: list[int | None] = [None] * len(origins)
    metres: list[int | None] = [None] * len(origins)
    *near, target_near = roads.near_road([*origins, target]).tolist()
    on_road = [i for i, is_near in enumerate(near) if is_near]
    if on_road and target_near:
        matrix = roads.matrix([origins[i] for i in on_road], hour=hour, to=[target], day=day)
        for row, i in enumerate(on_road):
            if matrix.seconds[row, 0] < UNREACHABLE_S:
                seconds[i], metres[i] = int(matrix.seconds[row, 0]), int(matrix.metres[row, 0])
    said: dict[str, Any] = {"seconds": seconds, "metres": metres}
    if wanted.get("class") and seconds[0] is not None:
        said["class"] = roads.most_driven(origins[0], target, hour=hour, day=day)
    return said


def _driven(roads: "Roads", wanted: dict[str, Any]) -> dict[str, Any]:
    """Of a trace of [lon, lat, second]: metres, gaps, and seconds by group of roads (geo.roads.profiles.GROUPS)."""
    told = np.array(wanted["trace"][:MOST_POINTS], np.float64)
    if told.ndim != 2 or told.shape[1] != 3 or not np.isfinite(told).all():
        raise ValueError("a trace has rows of lon, lat, second")
    try:
        match = roads.match(told[:, :2], "car", float(wanted["accuracy_m"]))
    except RoadsError as error:
        return {"off_roads": error.code}
    entered, step = np.unique(match.entered, return_inverse=True)
    took_s = np.diff(np.append(told[entered, 2], told[-1, 2]))
    metres = np.maximum(match.metres, 0.01)
    spent_s = took_s[step] * metres / np.bincount(step, weights=metres)[step]
    group = np.array(GROUP_OF_CLASS)[match.way_class]
    seconds = np.bincount(group, weights=spent_s, minlength=len(GROUPS))
    named = {name: round(s, 1) for name, s in zip(GROUPS, seconds.tolist(), strict=True) if s > 0}
    return {"driven_s": named, "metres": round(float(match.metres.sum())), "gaps": match.gaps}


def _table(roads: "Roads", wanted: dict[str, Any], tables: DayTables) -> dict[str, Any]:
    """`on`: the places that lie near a road; `seconds` and `metres`: int32 of those, row by row, in base64."""
    places = [(float(lon), float(lat)) for lon, lat in wanted["table"]]
    if not 0 < len(places) <= MOST_POINTS:
        raise ValueError(f"from 1 to {MOST_POINTS} places")
    on = [i for i, is_near in enumerate(roads.near_road(places).tolist()) if is_near]
    if not on:
        return {"on": [], "seconds": "", "metres": ""}
    day = check_day(wanted["day"])
    found = tables.table(str(wanted["key"]), int(wanted["hour"]), day, [places[i] for i in on])
    packed = [b64encode(part.astype("<i4").tobytes()).decode() for part in found]
    return {"on": on, "seconds": packed[0], "metres": packed[1]}


def _stamp(folder: Path) -> tuple[int, int] | None:
    try:
        seen = (folder / "graph.roads").stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_ino


def main() -> None:
    settings = read_settings()
    set_up("roads", settings.log_level)
    process = RoadProcess(settings.roads_dir)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: process.stop())
    process.run()


if __name__ == "__main__":
    main()
