"""The port to the road process: seconds and metres along roads, asked over a unix socket beside the road file.

The process that answers holds the compiled network; whoever asks stays light. It is never waited for longer than
TIMEOUT_S, and after a failure left alone for REST_S: travel times then are estimated by distance, and say so.
"""

import json
import math
import os
import socket
import struct
import time
from array import array
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from geo.points import Point

SOCKET_NAME = "roads.sock"
TIMEOUT_S = 0.2
REST_S = 5.0
#: A table is asked for outside of transactions.
TABLE_TIMEOUT_S = 5.0
#: A trace is asked for by the job that learns, which nobody waits for.
TRACE_TIMEOUT_S = 1.0
MOST_BYTES = 1 << 24
MOST_POINTS = 1000
UNREACHABLE = 1_000_000_000
Answered = TypeVar("Answered")
_LENGTH = struct.Struct("<I")


class RoadsAway(Exception):
    """No road times just now; the text says why. Fall back to an estimate."""


@dataclass(frozen=True, slots=True)
class Drive:
    """One journey along roads: whole seconds and metres."""

    seconds: int
    metres: int


@dataclass(frozen=True, slots=True)
class Drives:
    """To one target, in the order of the origins; None for an origin no road leads from. `road_class` is the
    group of roads (geo.roads.profiles.GROUPS) most driven on by the first, where it was asked for."""

    drives: tuple[Drive | None, ...]
    road_class: str | None = None


@dataclass(frozen=True, slots=True)
class Driven:
    """What a trace shows was driven; seconds by group of roads (geo.roads.profiles.GROUPS)."""

    driven_s: Mapping[str, float]
    metres: int
    gaps: int


@dataclass(frozen=True, slots=True)
class RoadTable:
    """By car from each place to each, for a departure at one hour of one kind of day; None where no road leads."""

    hour: int
    day: str
    rows: Mapping[Point, int]
    """Of the places near a road."""
    seconds: Sequence[int]
    metres: Sequence[int]

    def drive(self, origin: Point, target: Point) -> Drive | None:
        """Raises KeyError for a place that was not asked for, or lies off all roads."""
        at = self.rows[origin] * len(self.rows) + self.rows[target]
        return None if self.seconds[at] >= UNREACHABLE else Drive(self.seconds[at], self.metres[at])


class RoadTimes:
    """Asks the road process of this host. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SOCKET_NAME
        self._rest_until = 0.0

    def to_one(
        self,
        origins: Sequence[Point],
        target: Point,
        hour: int,
        with_class: bool = False,
        day: str = "weekday",
    ) -> Drives:
        """By car at a local hour of departure on a kind of day (geo.roads.conditions.DAYS). Raises RoadsAway."""
        if not origins:
            return Drives(())
        wanted = {
            "from": [[p.lon, p.lat] for p in origins],
            "to": [target.lon, target.lat],
            "hour": hour,
            "day": day,
            "class": with_class,
        }

        def understood(said: dict[str, Any]) -> Drives:
            pairs = zip(said["seconds"], said["metres"], strict=True)
            drives = tuple(None if s is None else Drive(int(s), int(m)) for s, m in pairs)
            return Drives(drives, said.get("class"))

        found = self._answer(wanted, len(origins), understood)
        if len(found.drives) != len(origins):
            raise RoadsAway(f"{len(found.drives)} answers for {len(origins)} points")
        return found

    def table(self, key: str, places: Sequence[Point], hour: int, day: str) -> RoadTable:
        """Between all places of a live day; `key` says whose, so that the process has only to add what is new since
        the last time. Not inside a transaction. Raises RoadsAway."""
        wanted = {"table": [[p.lon, p.lat] for p in places], "key": key, "hour": hour, "day": day}

        def understood(said: dict[str, Any]) -> RoadTable:
            rows = {places[i]: row for row, i in enumerate(said["on"])}
            parts = [array("i", b64decode(said[name])) for name in ("seconds", "metres")]
            if any(len(part) != len(said["on"]) ** 2 for part in parts):
                raise ValueError("a table of another size")
            return RoadTable(hour, day, rows, parts[0], parts[1])

        return self._answer(wanted, len(places), understood, TABLE_TIMEOUT_S)

    def driven(self, trace: Sequence[tuple[float, float, float]], accuracy_m: float) -> Driven | None:
        """A trace of (lon, lat, second) in order of time put on the roads; None where it fits none. Raises RoadsAway."""
        wanted = {"trace": [list(row) for row in trace], "accuracy_m": accuracy_m}

        def understood(said: dict[str, Any]) -> Driven | None:
            if "off_roads" in said:
                return None
            seconds = {str(name): float(s) for name, s in said["driven_s"].items()}
            return Driven(seconds, int(said["metres"]), int(said["gaps"]))

        return self._answer(wanted, len(trace), understood, TRACE_TIMEOUT_S)

    def metres_to_road(self, places: Sequence[tuple[float, float]]) -> list[float]:
        """How far each place (lon, lat, WGS-84) lies from the nearest road for cars; infinite beyond what the road
        process looks at. Raises RoadsAway."""

        def understood(said: dict[str, Any]) -> list[float]:
            return [math.inf if m is None else float(m) for m in said["metres"]]

        return self._answer({"off": [list(place) for place in places]}, len(places), understood)

    def _answer(
        self,
        wanted: dict[str, Any],
        points: int,
        understood: Callable[[dict[str, Any]], Answered],
        timeout_s: float = TIMEOUT_S,
    ) -> Answered:
        """One question, read by `understood`. Raises RoadsAway."""
        if points > MOST_POINTS:
            raise RoadsAway(f"more than {MOST_POINTS} points")
        if time.monotonic() < self._rest_until:
            raise RoadsAway("left alone after a failure")
        try:
            return understood(self._ask(wanted, timeout_s))
        except (OSError, ValueError, KeyError, TypeError) as error:
            # A missing socket costs nothing to try; one that does not answer does.
            if not isinstance(error, FileNotFoundError | ConnectionRefusedError):
                self._rest_until = time.monotonic() + REST_S
            raise RoadsAway(f"{type(error).__name__}: {error}") from error

    def _ask(self, wanted: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        ends = time.monotonic() + timeout_s
        with (
            short_path(self._path) as path,
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection,
        ):
            connection.settimeout(TIMEOUT_S)
            connection.connect(path)
            write_message(connection, wanted)
            said = read_message(connection, ends)
        if "error" in said:
            raise ValueError(said["error"])
        return said


class TableTimes(RoadTimes):
    """Answers out of a table where it can, and asks the process for the rest."""

    def __init__(self, behind: RoadTimes, table: RoadTable) -> None:
        super().__init__(behind._path.parent)
        self._table = table

    def to_one(
        self,
        origins: Sequence[Point],
        target: Point,
        hour: int,
        with_class: bool = False,
        day: str = "weekday",
    ) -> Drives:
        table = self._table
        known = target in table.rows and all(origin in table.rows for origin in origins)
        if with_class or not known or (hour, day) != (table.hour, table.day):
            return super().to_one(origins, target, hour, with_class, day)
        return Drives(tuple(table.drive(origin, target) for origin in origins))


def write_message(connection: socket.socket, message: dict[str, Any]) -> None:
    """A length (uint32, little endian) and JSON."""
    body = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


def read_message(connection: socket.socket, ends: float) -> dict[str, Any]:
    """One message, whole before `ends` of the monotonic clock. Raises OSError, ValueError."""
    (length,) = _LENGTH.unpack(_read(connection, _LENGTH.size, ends))
    if length > MOST_BYTES:
        raise ValueError(f"a message of {length} bytes")
    message = json.loads(_read(connection, length, ends))
    if not isinstance(message, dict):
        raise ValueError("not an object")
    return message


def _read(connection: socket.socket, length: int, ends: float) -> bytes:
    got = bytearray()
    while len(got) < length:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        connection.settimeout(left)
        part = connection.recv(length - len(got))
        if not part:
            raise ConnectionResetError("the other side hung up")
        got += part
    return bytes(got)


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """`path` in a form short enough for a unix socket's address (107 bytes), however deep its folder lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
