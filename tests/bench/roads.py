"""`python -m tests.bench.roads [FILE.osm.pbf] [--out FILE.json]`: roads against their targets.

Without a file the demo city is made and measured. Speeds count CPU time, which other load on the machine does not
lengthen; 95th percentiles are by the clock. Prints each figure beside its target, the pairs that
differ from an independent Dijkstra, map matching on simulated traces, and Valhalla's times and answers on
the same pairs, with why they differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geo.points import distances_m
from geo.roads import open_roads
from geo.roads.errors import RoadsError
from geo.roads.imports import import_roads
from geo.roads.matrix import UNREACHABLE
from geo.roads.roads import Roads
from tests.bench.roads_peer import compare
from tests.bench.valhalla import end_with_parent
from tests.roads_reference import Reference

HOUR = 8


def main(argv: Sequence[str] | None = None) -> int:
    """0 when nothing differs from the independent Dijkstra and every target is met, else 1."""
    parser = argparse.ArgumentParser(prog="bench roads", description=__doc__)
    parser.add_argument("source", nargs="?", type=Path, metavar="FILE.osm.pbf")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    given = parser.parse_args(argv)
    if given.source is not None and not given.source.is_file():
        parser.error(f"no such file: {given.source}")
    end_with_parent()
    answer = run(given.source)
    if given.out:
        given.out.write_text(json.dumps(answer, indent=1))
    return 0 if all(i["value"] <= i["best"] for i in answer["instances"] if i["best"] is not None) else 1


def run(source: Path | None) -> dict[str, Any]:
    """{"instances": [{"name", "value", "best": the target or None, "gap", "seconds"}], "peer": …}; less is
    better."""
    with tempfile.TemporaryDirectory() as folder:
        pbf = source or _demo_city(Path(folder) / "city")
        began = time.perf_counter()
        import_roads([pbf], Path(folder) / "warm")  # compiles where nothing is compiled yet
        print(f"{pbf.name}: first import, with compiling {time.perf_counter() - began:.1f} s")
        found = _Figures()
        found.take("import", "CPU-s", 15, *_timed(lambda: import_roads([pbf], Path(folder) / "roads")))
        roads = open_roads(Path(folder) / "roads")
        points = places(roads, "car", 1001)
        _speed(found, roads, points)
        _exactness(found, roads, pbf)
        _matching(found, roads)
        answer = {"file": pbf.name, "instances": found.instances}
        answer["peer"] = compare(roads, pbf, points, Path(folder) / "peer")
    return answer


class _Figures:
    def __init__(self) -> None:
        self.instances: list[dict[str, Any]] = []

    def take(self, name: str, unit: str, target: float | None, wall: float, cpu: float | None = None) -> None:
        value = wall if cpu is None else cpu
        gap = None if target is None else value / target - 1 if target else value
        row = {"name": f"{name}, {unit}", "value": value, "best": target, "gap": gap, "seconds": wall}
        self.instances.append(row)
        mark = "" if target is None else f"   target {target:g} {'ok' if value <= target else 'MISSED'}"
        print(f"  {name:34s} {value:10.4g} {unit}{mark}", flush=True)


def _demo_city(folder: Path) -> Path:
    from geo.demo_city import make_city

    folder.mkdir()
    return Path(make_city(str(folder), 7).pbf)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def places(roads: Roads, mode: str, count: int, seed: int = 1) -> np.ndarray:
    """Points some metres off roads where a stop may be made, by length of road."""
    rng, network = np.random.default_rng(seed), roads._network(mode)
    fit = np.flatnonzero(network.may_stop)
    segment = rng.choice(fit, count, p=network.seg_m[fit] / network.seg_m[fit].sum())
    share = rng.random(count)
    sides = (
        x[segment, 0] + (x[segment, 1] - x[segment, 0]) * share for x in (network.seg_lon, network.seg_lat)
    )
    return np.column_stack(list(sides)) + rng.normal(0, 6e-5, (count, 2))


def _speed(found: _Figures, roads: Roads, points: np.ndarray) -> None:
    roads.matrix(points[:3], "car", HOUR)  # the metric is customised and all loops are loaded
    first, rest = tuple(points[0]), points[1:51]
    for size, target in ((500, 0.5), (1000, 2.0)):
        wall, cpu = _timed(lambda size=size: roads.matrix(points[:size], "car", HOUR))
        found.take(f"matrix {size} x {size}, with metres", "CPU-s", target, wall, cpu)
    ways = [(tuple(points[i]), tuple(points[i + 1])) for i in range(200)]
    reachable = [w for w in ways if roads.matrix([w[0]], "car", HOUR, to=[w[1]]).seconds[0, 0] < UNREACHABLE]
    for name, target, work, asked in (
        ("one to 50", 10, lambda _: roads.matrix([first], "car", HOUR, to=rest), range(30)),
        ("route with steps", 5, lambda way: roads.route(*way, "car", HOUR), reachable),
        ("isochrone 15 min", 50, lambda i: roads.isochrone(tuple(points[i]), 900, "car", HOUR), range(30)),
    ):
        work(next(iter(asked)))
        spent = [_timed(lambda one=one, work=work: work(one)) for one in asked]
        walls, cpus = ([1000 * each[i] for each in spent] for i in (0, 1))
        found.take(f"{name}, median", "CPU-ms", target, statistics.median(walls), statistics.median(cpus))
        found.take(f"{name}, 95th percentile", "ms", None, float(np.percentile(walls, 95)))
    live = roads.live_matrix(points[:500], "car", HOUR)
    found.take(
        "one more row and column on 500",
        "ms",
        None,
        _timed(lambda: live.append(tuple(points[600])))[0] * 1000,
    )
    roads._network("car")._kept.clear()
    found.take("24 hourly metrics", "CPU-s", 5, *_timed(lambda: roads.prepare("car")))


def _exactness(found: _Figures, roads: Roads, pbf: Path) -> None:
    for mode in ("car", "ebike", "foot"):
        a, b = places(roads, mode, 20, 2), places(roads, mode, 2000, 3)
        reference = Reference([pbf], mode, HOUR, roads.facts["country"])
        seconds, metres = reference.costs(roads, roads.snap(a, mode), roads.snap(b, mode))
        table = roads.matrix(a, mode, HOUR, to=b)
        wrong = (np.where(seconds < 0, UNREACHABLE, seconds) != table.seconds) | (
            np.where(metres < 0, UNREACHABLE, metres) != table.metres
        )
        found.take(f"{mode}: 20 x 2000 pairs unlike Dijkstra", "pairs", 0, int(wrong.sum()))


def _matching(found: _Figures, roads: Roads, trips: int = 40) -> None:
    for sigma, every_s, missed, wrong in ((8, 5, 0.01, 0.03), (25, 15, 0.06, 0.10)):
        rng, network = np.random.default_rng(3), roads._network("car")
        true_m = found_m = wrong_m = all_m = 0.0
        for _ in range(trips):
            route, trace = _trip(roads, rng, every_s, sigma)
            match = roads.match(trace, "car", sigma)
            inner, edges = set(route.edges[1:-1].tolist()), match.arcs >> 1
            true_m += sum(network.edge_m[e] for e in inner)
            found_m += sum(network.edge_m[e] for e in inner & set(edges.tolist()))
            wrong_m += float(match.metres[~np.isin(edges, route.edges)].sum())
            all_m += float(match.metres.sum())
        label = f"matching {sigma} m every {every_s} s"
        found.take(f"{label}, missed", "of length", missed, 1 - found_m / true_m)
        found.take(f"{label}, wrong", "of length", wrong, wrong_m / all_m)


def _trip(roads: Roads, rng: np.random.Generator, every_s: float, sigma: float) -> tuple[Any, np.ndarray]:
    while True:
        a, b = places(roads, "car", 2, int(rng.integers(1 << 30)))
        try:
            route = roads.route(tuple(a), tuple(b), "car", HOUR)
        except RoadsError:
            continue
        if route.metres >= 2000:
            break
    line = route.geometry
    along = np.concatenate(
        ([0], np.cumsum(distances_m(line[:-1, 0], line[:-1, 1], line[1:, 0], line[1:, 1])))
    )
    at = np.arange(0, along[-1], route.metres / route.seconds * every_s)
    exact = np.column_stack((np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])))
    return route, exact + rng.normal(0, sigma, exact.shape) / [
        111195 * np.cos(np.radians(line[0, 1])),
        111195,
    ]


if __name__ == "__main__":
    sys.exit(main())
