"""A recorded trace put on the roads that were driven: Newson and Krumm's hidden Markov model on the turn
graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.points import distances_m
from geo.roads import kernels_match as kernels
from geo.roads.errors import RoadsError
from geo.roads.network import Network
from geo.roads.snap import as_lon_lat

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CANDIDATES = 24
MIN_RADIUS_M = 40.0
RADIUS_SIGMAS = 4.0
LEAST_BETA_M = 8.0
"""How far way and straight line between two positions differ, on average, however good the positions."""
SECOND_M = 2.0
"""What a second on a way counts as, in metres of way: of two ways between positions the quicker was driven."""
MOST_TURN_S = 45.0
"""What a turn takes at most: the charge on entering private roads is none of the time."""
MAX_POSITIONS = 20_000


@dataclass(frozen=True, slots=True)
class Match:
    """Roads driven, in order."""

    arcs: Ints
    """Arc 2e runs along edge e, 2e + 1 against it."""
    share_from: Floats
    share_to: Floats
    """Which part of each arc was driven, 0 to 1 in its direction."""
    entered: Ints
    """Index into the trace of the position by which the arc had been entered."""
    metres: Floats
    """Driven on each arc."""
    way_osm_id: Ints
    """Of the middle of each arc."""
    way_class: NDArray[np.uint8]
    """Index into profiles.CLASSES, likewise."""
    used: NDArray[np.bool_]
    """Per position of the trace: whether it was on the roads and said something."""
    gaps: int
    """How often no way joined two positions in a row."""


def match_trace(
    network: Network,
    way_osm_id: Ints,
    way_class: NDArray[np.uint8],
    trace: NDArray[np.float64],
    accuracy_m: float,
    arc_ms: Ints,
) -> Match:
    """trace: (n, 2) lon, lat in order of time, n ≥ 2; accuracy_m: one standard deviation of the positions;
    arc_ms: milliseconds along each arc on free roads.

    Raises RoadsError: trace_too_short (fewer than 2 or more than MAX_POSITIONS), trace_not_on_roads;
    PointError.
    """
    lon, lat = as_lon_lat(np.asarray(trace, np.float64))
    if not 2 <= len(lon) <= MAX_POSITIONS:
        raise RoadsError("trace_too_short" if len(lon) < 2 else "trace_too_long", {"positions": len(lon)})
    sigma = float(np.clip(accuracy_m, 3.0, 100.0))
    used = _telling(lon, lat, sigma)  # nearer to the last one it says nothing about the way
    radius = max(MIN_RADIUS_M, RADIUS_SIGMAS * sigma)
    segment, share, off = network.stretches.nearest(
        lon[used], lat[used], network.may_drive, radius, CANDIDATES
    )
    found = segment[:, 0] >= 0
    used, segment, share, off = used[found], segment[found], share[found], off[found]
    if len(used) < 2:
        raise RoadsError(
            "trace_not_on_roads", {"positions": len(lon), "on_roads": len(used), "radius_m": radius}
        )
    return _driven(network, way_osm_id, way_class, (lon, lat), used, (segment, share, off), sigma, arc_ms)


def _telling(lon: Floats, lat: Floats, step_m: float) -> Ints:
    """Positions at least step_m from the one kept before; always the first and the last."""
    kept = [0]
    for i in range(1, len(lon)):
        last = kept[-1]
        north, east = (
            (lat[i] - lat[last]) * 111195.0,
            (lon[i] - lon[last]) * 111195.0 * np.cos(np.radians(lat[i])),
        )
        if north * north + east * east >= step_m * step_m or i == len(lon) - 1:
            kept.append(i)
    return np.array(kept)


def _driven(
    network: Network,
    way_osm_id: Ints,
    way_class: NDArray[np.uint8],
    place: tuple[Floats, Floats],
    used: Ints,
    near: tuple[Ints, Floats, Floats],
    sigma: float,
    arc_ms: Ints,
) -> Match:
    lon, lat = place
    start, arc, place_m, off_m = _candidates(network, *near)
    straight_m = distances_m(lon[used[:-1]], lat[used[:-1]], lon[used[1:]], lat[used[1:]])
    beta_m = max(LEAST_BETA_M, sigma)
    length = network.edge_m[network.state_arc >> 1]
    arc_w, turn_w = _weights(network, arc_ms)
    weight = length * arc_w[network.state_arc]
    tables = (network.base_state, network.first_by_arc, network.states_by_arc, length, weight, arc_w)
    turns = (network.turn_start, network.turn_to, turn_w)
    chosen, joined = kernels.most_likely(
        start, arc, place_m, off_m, straight_m, sigma, beta_m, *tables, *turns
    )
    arcs, at = kernels.arcs_between(
        chosen, joined, arc, place_m, straight_m, sigma, beta_m, network.state_arc, *tables, *turns
    )
    edge_m = np.maximum(network.edge_m[arcs >> 1], 1e-9)
    share_from, share_to = np.zeros(len(arcs)), np.ones(len(arcs))
    breaks = np.flatnonzero(~joined[1:]) + 1
    for t in breaks:  # the arcs around a gap were driven in part
        i = int(np.flatnonzero(at == t)[0])
        share_from[i] = place_m[chosen[t]] / edge_m[i]
        share_to[i - 1] = place_m[chosen[t - 1]] / edge_m[i - 1]
    share_from[0], share_to[-1] = place_m[chosen[0]] / edge_m[0], place_m[chosen[-1]] / edge_m[-1]
    share_to = np.maximum(share_to, share_from)
    middle = network.seg_way[(network.seg_start[arcs >> 1] + network.seg_start[(arcs >> 1) + 1]) // 2]
    told = np.zeros(len(lon), np.bool_)
    told[used] = True
    metres = edge_m * (share_to - share_from)
    return Match(
        arcs, share_from, share_to, used[at], metres, way_osm_id[middle], way_class[middle], told, len(breaks)
    )


def _weights(network: Network, arc_ms: Ints) -> tuple[Floats, Floats]:
    """(arcs) weight of a metre, (turns) weight: metres and SECOND_M for each second."""
    edge_m = np.maximum(np.repeat(network.edge_m, 2), 0.1)
    turn_s = np.minimum(network.turn_ms / 1000.0, MOST_TURN_S)
    return 1.0 + SECOND_M * arc_ms / 1000.0 / edge_m, SECOND_M * turn_s


def _candidates(
    network: Network, segment: Ints, share: Floats, off: Floats
) -> tuple[Ints, Ints, Floats, Floats]:
    """(start per position, arc, metres from the arc's start, metres from the road)."""
    position, rank = np.nonzero(segment >= 0)
    seg, part, away = segment[position, rank], share[position, rank], off[position, rank]
    edge = network.seg_edge[seg]
    along = network.before_m[seg] + part * network.seg_m[seg]
    both_m = np.column_stack((along, network.edge_m[edge] - along))
    row, column = np.nonzero(network.base_state.reshape(-1, 2)[edge] >= 0)
    start = np.searchsorted(position[row], np.arange(len(segment) + 1)).astype(np.int64)
    return (
        start,
        2 * edge[row] + column,
        np.ascontiguousarray(both_m[row, column]),
        np.ascontiguousarray(away[row]),
    )
