"""One way from A to B: its time, length, line on the map and the steps a person follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.roads import profiles
from geo.roads.cch import METRES_MASK, SHIFT
from geo.roads.errors import RoadsError
from geo.roads.graph import FERRY, ROUNDABOUT
from geo.roads.matrix import Ends, packed_costs
from geo.roads.network import Network

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TURN_FROM_DEG = 40.0
SHARP_FROM_DEG = 120.0


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction at (lon, lat) and the stretch that follows it.

    kind: depart, continue, left, right, sharp_left, sharp_right, turn_back, roundabout, ferry, arrive.
    """

    kind: str
    name: str
    lon: float
    lat: float
    metres: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Route:
    """seconds and metres equal those of the matrix. geometry: (n, 2) lon, lat from road to road, n ≥ 1."""

    seconds: int
    metres: int
    geometry: Floats
    steps: tuple[Step, ...]
    edges: Ints
    """The edges driven, in order."""


@dataclass(slots=True)
class _Drive:
    """Segments driven in order; share_from and share_to count in the direction driven."""

    arc: Ints
    segment: Ints
    share_from: Floats
    share_to: Floats


def find_route(ends_from: Ends, ends_to: Ends, names: list[str], way_name: NDArray[np.int32]) -> Route:
    """The fastest way between the first points of both. Raises RoadsError no_route."""
    network, timetable = ends_from.network, ends_from.timetable
    cost = int(packed_costs(ends_from, ends_to)[0, 0])
    arcs = _arcs(ends_from, ends_to, cost)
    if arcs is None:
        a, b = ends_from.snaps, ends_to.snaps
        places = {"from": [float(a.lon[0]), float(a.lat[0])], "to": [float(b.lon[0]), float(b.lat[0])]}
        raise RoadsError("no_route", {**places, "network": network.name})
    drive = _drive(network, ends_from, ends_to, arcs)
    lost_ms = _lost_ms(network, drive)
    seg = timetable.costs.seg[drive.segment, drive.arc & 1]
    part = drive.share_to - drive.share_from
    ms, metres = (seg >> SHIFT) * part + lost_ms, network.seg_m[drive.segment] * part
    seconds = ((cost >> SHIFT) + 500) // 1000
    line = _line(network, drive)
    steps = _steps(network, drive, ms, metres, line, names, way_name)
    return Route(seconds, ((cost & METRES_MASK) + 5) // 10, line, steps, np.asarray(arcs >> 1))


def _arcs(ends_from: Ends, ends_to: Ends, cost: int) -> Ints | None:
    """The arcs of the best way, the first and last only partly driven; None where there is no way."""
    network, timetable = ends_from.network, ends_from.timetable
    if ends_from.snaps.edge[0] == ends_to.snaps.edge[0]:
        for column in (0, 1):
            ahead = int(ends_to.places[0, column] - ends_from.places[0, column])
            if ends_from.columns[0, column] and ends_to.columns[0, column] and 0 <= ahead == cost:
                return np.array([2 * ends_from.snaps.edge[0] + column])
        if cost == 0:
            return np.array([2 * ends_from.snaps.edge[0] + int(ends_from.columns[0].argmax())])
    out_seeds, seed_arc = network.seeds_out(ends_from.snaps, timetable)
    in_seeds = network.seeds_in(ends_to.snaps, timetable.costs)
    if ends_from.out is None or ends_to.into is None:
        raise ValueError("a route needs labels out of its start and into its end")
    path = timetable.metric.path(ends_from.out, ends_to.into, out_seeds, in_seeds)
    if path is None:
        return None
    driven = network.state_arc[network.state_of_rank[path.nodes]]
    return np.concatenate((seed_arc[path.seed : path.seed + 1], driven))


def _drive(network: Network, ends_from: Ends, ends_to: Ends, arcs: Ints) -> _Drive:
    edge, against = arcs >> 1, (arcs & 1).astype(np.bool_)
    first, count = network.seg_start[edge], network.seg_start[edge + 1] - network.seg_start[edge]
    within = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
    back = np.repeat(against, count)
    segment = np.where(back, np.repeat(first + count - 1, count) - within, np.repeat(first, count) + within)
    drive = _Drive(np.repeat(arcs, count), segment, np.zeros(len(segment)), np.ones(len(segment)))
    start, end = ends_from.snaps, ends_to.snaps
    low = int(np.flatnonzero(segment[: count[0]] == start.segment[0])[0])
    tail = len(segment) - int(count[-1])
    high = tail + int(np.flatnonzero(segment[tail:] == end.segment[0])[0])
    drive.share_from[low] = 1 - start.share[0] if back[low] else start.share[0]
    drive.share_to[high] = 1 - end.share[0] if back[high] else end.share[0]
    cut = slice(low, max(high, low) + 1)
    return _Drive(drive.arc[cut], segment[cut], drive.share_from[cut], drive.share_to[cut])


def _lost_ms(network: Network, drive: _Drive) -> Ints:
    """Milliseconds lost after each segment: at inner nodes, and in the turn to the next arc.

    The charge for entering private roads is left out where the trip ends on them, as in the matrix.
    """
    lost = np.zeros(len(drive.segment), np.int64)
    if len(lost) < 2:
        return lost
    same = drive.arc[1:] == drive.arc[:-1]
    same &= np.abs(np.diff(drive.segment)) == 1
    before = np.where((drive.arc[:-1] & 1) == 1, drive.segment[1:], drive.segment[:-1])
    lost[:-1] = np.where(same, network.seg_delay_ms[before], 0)
    for at in np.flatnonzero(~same):
        state = network.base_state[drive.arc[at]]
        turns = slice(network.turn_start[state], network.turn_start[state + 1])
        hit = np.flatnonzero(network.state_arc[network.turn_to[turns]] == drive.arc[at + 1])
        if len(hit):
            lost[at] = int(network.turn_ms[turns][hit[0]])
    charge = profiles.ENTRY_S[network.name] * 1000
    region = network.edge_region[drive.arc >> 1]
    if region[-1] > 0 and region[-1] != region[0]:
        lost[np.flatnonzero((region[1:] > 0) & (region[:-1] == 0))[-1]] -= charge
    return lost


def _ends_of(network: Network, drive: _Drive) -> tuple[Floats, Floats]:
    """(segments, 2) lon, lat of where each driven segment starts and stops."""
    back = (drive.arc & 1) == 1
    lon, lat = network.seg_lon[drive.segment], network.seg_lat[drive.segment]
    lon, lat = (np.where(back[:, None], x[:, ::-1], x) for x in (lon, lat))

    def at(share: Floats) -> Floats:
        return np.column_stack(
            (lon[:, 0] + (lon[:, 1] - lon[:, 0]) * share, lat[:, 0] + (lat[:, 1] - lat[:, 0]) * share)
        )

    return at(drive.share_from), at(drive.share_to)


def _line(network: Network, drive: _Drive) -> Floats:
    first, last = _ends_of(network, drive)
    line = np.concatenate((first[:1], last))
    keep = np.concatenate(([True], np.any(np.diff(line, axis=0) != 0, axis=1)))
    return np.asarray(line[keep])


def _steps(
    network: Network,
    drive: _Drive,
    ms: Floats,
    metres: Floats,
    line: Floats,
    names: list[str],
    way_name: NDArray[np.int32],
) -> tuple[Step, ...]:
    name = way_name[network.seg_way[drive.segment]]
    flags = network.edge_flags[drive.arc >> 1]
    first, last = _ends_of(network, drive)
    narrow = np.cos(np.radians(first[:, 1]))
    heading = np.degrees(np.arctan2(last[:, 1] - first[:, 1], (last[:, 0] - first[:, 0]) * narrow))
    turn = (np.diff(heading) + 180.0) % 360.0 - 180.0
    joint = drive.arc[1:] != drive.arc[:-1]
    ring, ferry = (flags & ROUNDABOUT) > 0, (flags & FERRY) > 0
    new = (name[1:] != name[:-1]) | (joint & (np.abs(turn) > TURN_FROM_DEG))
    new = (new & ~(ring[1:] & ring[:-1])) | (ring[1:] != ring[:-1]) | (ferry[1:] != ferry[:-1])
    starts = np.concatenate(([0], np.flatnonzero(new) + 1))
    steps = []
    for i, at in enumerate(starts):
        until = starts[i + 1] if i + 1 < len(starts) else len(name)
        if i == 0:
            kind = "depart"
        elif ring[at] or ferry[at]:
            kind = "roundabout" if ring[at] else "ferry"
        else:
            kind = _turn_kind(float(turn[at - 1]), bool(drive.arc[at] == drive.arc[at - 1] ^ 1))
        lon, lat = first[at]
        length, seconds = round(float(metres[at:until].sum())), round(float(ms[at:until].sum()) / 1000)
        steps.append(Step(kind, names[name[at]], float(lon), float(lat), length, seconds))
    lon, lat = line[-1]
    return (*steps, Step("arrive", names[name[-1]], float(lon), float(lat), 0, 0))


def _turn_kind(degrees: float, back: bool) -> str:
    if back:
        return "turn_back"
    if abs(degrees) <= TURN_FROM_DEG:
        return "continue"
    side = "left" if degrees > 0 else "right"
    return f"sharp_{side}" if abs(degrees) > SHARP_FROM_DEG else side
