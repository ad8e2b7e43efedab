"""Traffic signals, barriers and turn restrictions of the demo city's network."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

import numpy as np

from geo.demo_city.network import RANK, Network, Way

MAIN: Final = 6
"""Rank of a secondary road: the lowest that gets signals."""

_KINDS: Final = (
    ("no_left_turn", 60, 150), ("only_straight_on", -35, 35), ("no_right_turn", -150, -60),
    ("no_straight_on", -35, 35),
    ("no_left_turn", 60, 150), ("only_right_turn", -150, -60), ("only_left_turn", 60, 150),
    ("no_left_turn", 60, 150),
)  # fmt: skip
"""Restriction and the range of the turn it speaks of, degrees to the left."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Indices of ways; via is a node, or a way when via_way is given."""

    kind: str
    from_way: int
    to_way: int
    via_node: int | None = None
    via_way: int | None = None
    tags: tuple[tuple[str, str], ...] = ()


def add_signals(network: Network, rnd: random.Random) -> None:
    """Signals where two main roads meet, marked crossings where a smaller street meets one, gates and
    bollards."""
    arms = network.arms()
    for node, met in arms.items():
        ranks = sorted((RANK.get(network.ways[w].kind, 0) for w, _ in met), reverse=True)
        names = {network.ways[w].name for w, _ in met}
        if len(met) < 2 or len(names) < 2 or any("junction" in network.ways[w].tags for w, _ in met):
            continue
        if ranks[0] <= 7 and ranks[1] >= MAIN:
            network.node_tags[node] = {"highway": "traffic_signals"}
        elif MAIN <= ranks[0] <= 7 and ranks[1] == RANK["tertiary"]:
            signals = rnd.random() < 0.5
            network.node_tags[node] = {"highway": "traffic_signals" if signals else "crossing"}
    for way in network.ways:
        if way.kind == "service" and "access" in way.tags:
            network.node_tags[way.nodes[-1]] = {"barrier": "gate", "access": "private", "foot": "yes"}
        inner = [n for n in way.nodes[1:-1] if len(arms[n]) == 1]
        through = len(arms[way.nodes[0]]) > 1 and len(arms[way.nodes[-1]]) > 1
        if not inner or not through or "bridge" in way.tags:
            continue
        node = inner[len(inner) // 2]
        if way.kind == "living_street" and rnd.random() < 0.3:
            network.node_tags[node] = {
                "barrier": "gate",
                "foot": "yes",
                "bicycle": "yes",
                "motor_vehicle": "private",
            }
        elif way.kind == "residential" and rnd.random() < 0.02:
            network.node_tags[node] = {"barrier": "bollard"}


def add_restrictions(network: Network, rnd: random.Random, wanted: int = 90) -> list[Restriction]:
    """Turn restrictions of every kind at junctions of main roads; ways are split there, as OSM asks."""
    arms = network.arms()
    signals = [n for n, tags in network.node_tags.items() if tags.get("highway") == "traffic_signals"]
    chosen = rnd.sample(sorted(signals), min(wanted, len(signals)))
    _split(network, set(chosen))
    arms = network.arms()
    restrictions: list[Restriction] = []
    for number, node in enumerate(chosen):
        kind, low, high = _KINDS[number % len(_KINDS)]
        found = _turn(network, arms, node, low, high)
        if found:
            tags = (("except", "bicycle"),) if number % 5 == 0 else ()
            if number % 11 == 3:
                tags = (("restriction:conditional", f"{kind} @ (Mo-Fr 07:00-09:00,17:00-19:00)"),)
            restrictions.append(Restriction(kind, *found, via_node=node, tags=tags))
        if number % 9 == 4:
            way = next((w for w, _ in arms[node] if "oneway" not in network.ways[w].tags), None)
            if way is not None:
                restrictions.append(Restriction("no_u_turn", way, way, via_node=node))
    return restrictions + _via_ways(network, arms, chosen)


def _split(network: Network, at: set[int]) -> None:
    ways: list[Way] = []
    for way in network.ways:
        cuts = [k for k, n in enumerate(way.nodes) if n in at and 0 < k < len(way.nodes) - 1]
        for first, last in zip([0, *cuts], [*cuts, len(way.nodes) - 1], strict=True):
            ways.append(Way(way.nodes[first : last + 1], way.kind, way.name, dict(way.tags)))
    network.ways = ways


def _turn(
    network: Network, arms: dict[int, list[tuple[int, int]]], node: int, low: float, high: float
) -> tuple[int, int] | None:
    """A pair of ways (from, to) at the node that one may drive and whose turn lies between low and high."""
    for from_way, from_place in arms[node]:
        arriving = network.ways[from_way]
        if arriving.tags.get("oneway") == ("yes" if from_place == 0 else "-1"):
            continue
        for to_way, to_place in arms[node]:
            leaving = network.ways[to_way]
            if to_way == from_way or leaving.tags.get("oneway") == ("-1" if to_place == 0 else "yes"):
                continue
            heading_in = _heading(network, arriving, from_place) + 180
            turn = (heading_in - _heading(network, leaving, to_place) + 180) % 360 - 180
            if low <= turn <= high:
                return from_way, to_way
    return None


def _heading(network: Network, way: Way, place: int) -> float:
    """Degrees from north, looking from the end of the way into it."""
    here, there = (way.nodes[0], way.nodes[1]) if place == 0 else (way.nodes[-1], way.nodes[-2])
    step = network.positions[there] - network.positions[here]
    return math.degrees(math.atan2(float(step[0]), float(step[1])))


def _via_ways(network: Network, arms: dict[int, list[tuple[int, int]]], at: list[int]) -> list[Restriction]:
    """Three no_u_turn restrictions over a short way between two junctions."""
    split = set(at)
    found: list[Restriction] = []
    for index, way in enumerate(network.ways):
        ends = (way.nodes[0], way.nodes[-1])
        if not split.issuperset(ends) or ends[0] == ends[1] or "oneway" in way.tags:
            continue
        length_m = float(np.hypot(*np.diff(network.positions[way.nodes], axis=0).T).sum())
        first = [w for w, _ in arms[ends[0]] if w != index and RANK.get(network.ways[w].kind, 9) <= 7]
        last = [w for w, _ in arms[ends[1]] if w != index and RANK.get(network.ways[w].kind, 9) <= 7]
        if length_m < 900 and first and last:
            found.append(Restriction("no_u_turn", first[0], last[0], via_way=index))
        if len(found) == 3:
            break
    return found
