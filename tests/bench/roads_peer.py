"""The same pairs asked of Valhalla: how long it takes, and why its answers differ from ours."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.points import distances_m
from geo.roads.matrix import UNREACHABLE
from geo.roads.roads import Roads
from tests.bench.valhalla import NoPeer, Service, build_tiles, ensure_valhalla, free_port, serving

ROWS, POINTS, MATRIX = 20, 400, 200
SAME_LENGTH = 0.02
OTHER_END_M = 30.0
"""Further apart than this, the two put an end of the trip on different roads."""
SHORT_M = 500
Floats = NDArray[np.float64]
WHY = (
    "on the same way ours is slower by what junctions take: without turns, signals and gates it needs",
    "{driving_ratio:.2f} of its seconds. Another way is taken because Valhalla weighs penalties (manoeuvres, classes",
    "of road) into its cost, while ours is the fastest.",
)


def compare(roads: Roads, pbf: Path, points: Floats, folder: Path) -> dict[str, Any]:
    """Prints both sides' times and where the answers differ; or one line why Valhalla is not there."""
    try:
        version = ensure_valhalla()
        port = free_port()
        config, tiles_s = build_tiles(pbf, folder, port)
        with serving(config, port) as service:
            return _compared(roads, service, points, version, tiles_s)
    except (NoPeer, OSError) as error:
        print(f"  Valhalla not compared: {error}")
        return {"compared": False, "reason": str(error)}


def _compared(roads: Roads, service: Service, points: Floats, version: str, tiles_s: float) -> dict[str, Any]:
    roads.matrix(points[:3], "car", None)
    its = {
        "matrix_cpu_s": _cpu(service, lambda: _matrix(service, points[:MATRIX], points[:MATRIX])),
        "one_to_50_ms": _median_ms(lambda i: _matrix(service, points[i : i + 1], points[i + 1 : i + 51]), 10),
        "route_ms": _median_ms(lambda i: service.ask("route", _route(points[i], points[i + 1])), 50),
        "isochrone_ms": _median_ms(lambda i: service.ask("isochrone", _isochrone(points[i])), 10),
    }
    ours = {
        "matrix_cpu_s": _own_cpu(lambda: roads.matrix(points[:MATRIX], "car", None)),
        "one_to_50_ms": _median_ms(
            lambda i: roads.matrix(points[i : i + 1], "car", None, to=points[i + 1 : i + 51]), 10
        ),
        "route_ms": _median_ms(lambda i: _way(roads, points, i), 50),
        "isochrone_ms": _median_ms(lambda i: roads.isochrone(tuple(points[i]), 900, "car", None), 10),
    }
    print(
        f"  beside Valhalla {version} (its own service over HTTP; free roads, car); tiles {tiles_s:.1f} CPU-s"
    )
    for name, mine in ours.items():
        print(f"    {name:14s} ours {mine:10.4g}   its {its[name]:10.4g}   {its[name] / mine:6.1f} x")
    facts = _explain(roads, service, points[:POINTS])
    return {"compared": True, "version": version, "tiles_cpu_s": tiles_s, "its": its, "ours": ours, **facts}


def _explain(roads: Roads, service: Service, points: Floats) -> dict[str, Any]:
    """Each pair under the first cause that holds: an end on another road, the same way, another way."""
    rows = _matrix(service, points[:ROWS], points)
    its = np.array([[_cell(cell) for cell in row] for row in rows])
    table = roads.matrix(points[:ROWS], "car", None, to=points)
    our_way, its_way = table.seconds < UNREACHABLE, np.isfinite(its[:, :, 0])
    both = our_way & its_way & (table.metres > SHORT_M) & (its[:, :, 0] > 0)
    elsewhere = _ends_apart_m(roads, points, its) > OTHER_END_M
    length = np.divide(table.metres, its[:, :, 1], where=both, out=np.ones(both.shape))
    seconds = np.divide(table.seconds, its[:, :, 0], where=both, out=np.ones(both.shape))
    same = np.abs(length - 1) <= SAME_LENGTH
    causes = {
        "same way (length within 2%)": both & ~elsewhere & same,
        "another way, ours shorter": both & ~elsewhere & ~same & (length < 1),
        "another way, ours longer": both & ~elsewhere & ~same & (length > 1),
        f"an end more than {OTHER_END_M:g} m elsewhere": both & elsewhere,
    }
    only = int((our_way & ~its_way).sum()), int((its_way & ~our_way).sum())
    print(
        f"    {both.size} pairs: {int(both.sum())} compared, a way only by ours {only[0]}, only by its {only[1]}"
    )
    facts: dict[str, Any] = {"pairs": both.size, "only_ours": only[0], "only_its": only[1], "causes": {}}
    for name, here in causes.items():
        share = float(here.sum() / max(1, both.sum()))
        found: dict[str, Any] = {"share": share}
        line = f"    {share:6.1%} {name}"
        if here.any():
            low, middle, high = (float(q) for q in np.percentile(seconds[here], (10, 50, 90)))
            found |= {"seconds_ratio": [low, middle, high], "metres_ratio": float(np.median(length[here]))}
            line += f": seconds ours/its {middle:.2f} ({low:.2f} to {high:.2f}), metres {found['metres_ratio']:.3f}"
        print(line)
        facts["causes"][name] = found
    way = both & ~elsewhere & same
    driving = _driving_only(roads, points)
    facts["driving_ratio"] = float(np.median(driving[way] / its[:, :, 0][way])) if way.any() else float("nan")
    for line in WHY:
        print(f"    {line.format(**facts)}")
    return facts


def _driving_only(roads: Roads, points: Floats) -> NDArray[np.int32]:
    """Seconds of the fastest ways where nothing is lost at junctions."""
    network = roads._network("car")
    turn_ms, delay_ms = network.turn_ms, network.seg_delay_ms
    network.turn_ms, network.seg_delay_ms = np.zeros_like(turn_ms), np.zeros_like(delay_ms)
    network._kept.clear()
    try:
        return roads.matrix(points[:ROWS], "car", None, to=points).seconds
    finally:
        network.turn_ms, network.seg_delay_ms = turn_ms, delay_ms
        network._kept.clear()


def _ends_apart_m(roads: Roads, points: Floats, its: Floats) -> Floats:
    """(rows, points): the larger of the distances between both sides' first and last places on a road."""
    snaps, network = roads.snap(points), roads._network("car")
    lon, lat = (
        side[snaps.segment, 0] + (side[snaps.segment, 1] - side[snaps.segment, 0]) * snaps.share
        for side in (network.seg_lon, network.seg_lat)
    )
    begin = distances_m(lon[: len(its), None], lat[: len(its), None], its[:, :, 2], its[:, :, 3])
    end = distances_m(lon[None, :], lat[None, :], its[:, :, 4], its[:, :, 5])
    return np.nan_to_num(np.maximum(begin, end))


def _cell(cell: dict[str, Any]) -> tuple[float, ...]:
    """Seconds, metres, and where the trip begins and ends (lon, lat, lon, lat); NaN for no way."""
    if cell["time"] is None:
        return (np.nan,) * 6
    ends = (cell.get(key, np.nan) for key in ("begin_lon", "begin_lat", "end_lon", "end_lat"))
    return (cell["time"], cell["distance"] * 1000, *ends)


def _matrix(service: Service, sources: Floats, targets: Floats) -> list[list[dict[str, Any]]]:
    question = {"sources": _places(sources), "targets": _places(targets), "costing": "auto"}
    answer = service.ask("sources_to_targets", question)
    if answer is None:
        raise NoPeer("it refuses the matrix")
    return list(answer["sources_to_targets"])


def _route(a: Floats, b: Floats) -> dict[str, Any]:
    return {"locations": _places(np.array([a, b])), "costing": "auto"}


def _isochrone(point: Floats) -> dict[str, Any]:
    return {
        "locations": _places(point[None]),
        "costing": "auto",
        "contours": [{"time": 15}],
        "polygons": True,
    }


def _way(roads: Roads, points: Floats, i: int) -> None:
    if roads.matrix(points[i : i + 1], "car", None, to=points[i + 1 : i + 2]).seconds[0, 0] < UNREACHABLE:
        roads.route(tuple(points[i]), tuple(points[i + 1]), "car", None)


def _places(points: Floats) -> list[dict[str, float]]:
    return [{"lon": float(lon), "lat": float(lat)} for lon, lat in points]


def _median_ms(work: Callable[[int], object], times: int) -> float:
    work(0)
    walls = []
    for i in range(times):
        began = time.perf_counter()
        work(i)
        walls.append((time.perf_counter() - began) * 1000)
    return statistics.median(walls)


def _cpu(service: Service, work: Callable[[], object]) -> float:
    before = service.cpu_s()
    work()
    return service.cpu_s() - before


def _own_cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
