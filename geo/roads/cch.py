"""The hierarchy of one network (built once) and its metrics (one per mode and hour, customised in place)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.roads import kernels_cch as kernels
from geo.roads import kernels_search as search
from geo.roads.turns import TurnGraph

Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]

SHIFT = kernels.SHIFT
INFINITE = kernels.INFINITE
METRES_MASK = (1 << SHIFT) - 1


@dataclass(slots=True)
class Hierarchy:
    """Nodes are ranks: node rank[s] stands for state s. See kernels_cch for the arrays."""

    rank: Ints
    up_start: Ints
    up_head: Ints32
    low_start: Ints
    low_node: Ints32
    low_arc: Ints32
    turn_up: Ints32
    """(arcs): the turn that leads from the lower to the higher end, -1 for a mere shortcut."""
    turn_down: Ints32
    depth: Ints32
    """(nodes): how many nodes lie on the way to the root, the node and the root included."""


@dataclass(slots=True)
class Labels:
    """Per point the nodes above it and the least cost to (or from) each; see kernels_search.labels."""

    start: Ints
    node: Ints32
    cost: Ints
    trunk: Ints

    @property
    def points(self) -> int:
        return len(self.trunk)

    def of(self, point: int) -> tuple[Ints32, Ints]:
        begin, end = self.start[point], self.start[point + 1]
        return self.node[begin:end], self.cost[begin:end]


@dataclass(slots=True)
class Seeds:
    """Where each point enters the hierarchy: point p has nodes node[start[p]:start[p + 1]] at those costs."""

    start: Ints
    node: Ints
    cost: Ints


@dataclass(frozen=True, slots=True)
class Path:
    """Nodes from the seed it starts with (an index into the seeds) to the seed it ends with; packed cost."""

    nodes: Ints
    seed: int
    cost: int


def pack(milliseconds: NDArray[np.float64], decimetres: NDArray[np.float64]) -> Ints:
    """One ordered integer of a time and a length, both rounded."""
    return np.asarray(
        (np.rint(milliseconds).astype(np.int64) << SHIFT) + np.rint(decimetres).astype(np.int64)
    )


def build_hierarchy(turns: TurnGraph, rank: Ints) -> Hierarchy:
    """Contract the states in the order of `rank`."""
    count = len(rank)
    source = rank[np.repeat(np.arange(count), np.diff(turns.turn_start))]
    target = rank[turns.turn_to]
    low, high = np.minimum(source, target), np.maximum(source, target)
    real = low != high
    pairs = np.unique(low[real] * count + high[real])
    start = np.searchsorted(pairs // count, np.arange(count + 1)).astype(np.int64)
    up_start, up_head = kernels.fill_in(count, start, (pairs % count).astype(np.int32))
    arc_key = np.repeat(np.arange(count), np.diff(up_start)) * count + up_head
    turn_up, turn_down = np.full(len(up_head), -1, np.int32), np.full(len(up_head), -1, np.int32)
    index = np.arange(len(source), dtype=np.int32)
    rising = source < target
    arc = np.searchsorted(arc_key, low * count + high)
    turn_up[arc[rising & real]] = index[rising & real]
    turn_down[arc[~rising & real]] = index[~rising & real]
    low_start, low_node, low_arc = kernels.lower_ends(count, up_start, up_head)
    depth = kernels.depths(up_start, up_head)
    return Hierarchy(rank, up_start, up_head, low_start, low_node, low_arc, turn_up, turn_down, depth)


class Metric:
    """Costs of one mode and hour over a hierarchy. `customize` may be called again with other costs."""

    def __init__(self, hierarchy: Hierarchy) -> None:
        self.hierarchy = hierarchy
        arcs = len(hierarchy.up_head)
        self._up, self._down = np.empty(arcs, np.int64), np.empty(arcs, np.int64)
        self._turn_cost: Ints = np.empty(0, np.int64)

    def customize(self, turn_cost: Ints) -> None:
        """Take new packed costs, one per turn (driving the first arc and turning), in place."""
        h = self.hierarchy
        self._turn_cost = turn_cost
        for weights, turn in ((self._up, h.turn_up), (self._down, h.turn_down)):
            weights[:] = np.where(turn >= 0, turn_cost[turn], INFINITE)
        kernels.customize(h.up_start, h.up_head, h.low_start, h.low_node, h.low_arc, self._up, self._down)

    def labels_out(self, seeds: Seeds) -> Labels:
        """From the seeds upwards, in the direction of travel."""
        return self._labels(seeds, self._up)

    def labels_in(self, seeds: Seeds) -> Labels:
        """Against the direction of travel: the cost from each node above to the point."""
        return self._labels(seeds, self._down)

    def _labels(self, seeds: Seeds, weight: Ints) -> Labels:
        h = self.hierarchy
        return Labels(
            *search.labels(seeds.start, seeds.node, seeds.cost, h.up_start, h.up_head, weight, h.depth)
        )

    def sweep(self, label: Labels, towards: bool) -> Ints:
        """(states): least packed cost from the one labelled point to each state, or from each state to it."""
        h = self.hierarchy
        values = np.full(len(h.rank), INFINITE, np.int64)
        node, cost = label.of(0)
        values[node] = cost
        search.sweep_down(values, h.up_start, h.up_head, self._up if towards else self._down)
        return np.asarray(values[h.rank])

    def path(self, out: Labels, into: Labels, out_seeds: Seeds, in_seeds: Seeds) -> Path | None:
        """The best way from a seed of the one labelled point to a seed of the other; None if there is
        none."""
        h = self.hierarchy
        out_node, out_cost = out.of(0)
        in_node, in_cost = into.of(0)
        common, at_out, at_in = np.intersect1d(out_node, in_node, assume_unique=True, return_indices=True)
        if not len(common):
            return None
        total = out_cost[at_out] + in_cost[at_in]
        best = int(total.argmin())
        if total[best] >= INFINITE:
            return None
        args = (h.up_start, h.up_head)
        climb, seed = search.climb_path(
            out_node, out_cost, int(at_out[best]), *args, self._up, out_seeds.node, out_seeds.cost
        )
        descent, _ = search.climb_path(
            in_node, in_cost, int(at_in[best]), *args, self._down, in_seeds.node, in_seeds.cost
        )
        short = np.concatenate((climb, descent[::-1][1:]))
        lower = (h.low_start, h.low_node, h.low_arc)
        weights = (self._up, self._down, h.turn_up, h.turn_down, self._turn_cost)
        return Path(search.unpack(short, *args, *lower, *weights), int(seed), int(total[best]))


def join(out: Labels, into: Labels) -> Ints:
    """(out.points, into.points) least packed costs; INFINITE or more where there is no way."""
    result = np.empty((out.points, into.points), np.int64)
    search.join(
        out.start, out.node, out.cost, out.trunk, into.start, into.node, into.cost, into.trunk, result
    )
    return result
