"""Valhalla's answers to the same questions; run by the interpreter that has it. A job as JSON in, answers as
JSON out.

Stands alone: that interpreter may be of another Python version and need not have the product.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any


def build_tiles(pbf: str, folder: Path) -> Path:
    """Valhalla's own tiles of the pbf; returns its configuration."""
    from valhalla import get_config

    (folder / "tiles").mkdir(parents=True)
    config = get_config(tile_extract="", tile_dir=str(folder / "tiles"), verbose=False)
    config["mjolnir"]["concurrency"] = 2
    for limits in config["service_limits"].values():
        if isinstance(limits, dict) and "max_matrix_location_pairs" in limits:
            limits["max_matrix_location_pairs"] = 10**7
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    beside = Path(sys.executable).parent  # the builder looks itself up on PATH
    paths = {**os.environ, "PATH": f"{beside}:{os.environ['PATH']}"}
    command = [str(beside / "valhalla_build_tiles"), "-c", str(path), pbf]
    subprocess.run(command, check=True, capture_output=True, timeout=900, env=paths)
    return path


def matrix(
    actor: Any, sources: list[list[float]], targets: list[list[float]], costing: str
) -> list[list[Any]]:
    """Rows of [seconds, metres] or None."""
    ask = {
        "sources": [{"lon": p[0], "lat": p[1]} for p in sources],
        "targets": [{"lon": p[0], "lat": p[1]} for p in targets],
        "costing": costing,
        "units": "kilometers",
    }
    rows = actor.matrix(ask)["sources_to_targets"]
    return [[None if c["time"] is None else [c["time"], c["distance"] * 1000] for c in row] for row in rows]


def timed(work: Any) -> tuple[Any, float, float]:
    """(answer, wall seconds, CPU seconds)"""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return answer, time.perf_counter() - wall, time.process_time() - cpu


def main() -> int:
    job = json.load(sys.stdin)
    import valhalla

    folder = Path(job["folder"])
    config, build_s, _ = timed(lambda: build_tiles(job["pbf"], folder))
    actor = valhalla.Actor(str(config))
    points, costing, n = job["points"], job["costing"], job["matrix"]
    answer: dict[str, Any] = {"version": valhalla.__version__, "import_s": build_s}
    answer["pairs"] = matrix(actor, points[: job["rows"]], points, costing)
    _, wall, answer["matrix_cpu_s"] = timed(lambda: matrix(actor, points[:n], points[:n], costing))
    _, wall, _ = timed(lambda: matrix(actor, points[:1], points[1:51], costing))
    answer["one_to_50_s"] = wall
    routes = []
    for a, b in pairwise(points[:51]):
        ask = {"locations": [{"lon": p[0], "lat": p[1]} for p in (a, b)], "costing": costing}
        try:
            routes.append(timed(lambda ask=ask: actor.route(ask))[1])
        except RuntimeError:
            continue
    answer["route_s"] = sorted(routes)[len(routes) // 2] if routes else None
    ask = {"locations": [{"lon": points[0][0], "lat": points[0][1]}], "costing": costing}
    ask["contours"] = [{"time": 15}]
    ask["polygons"] = True
    answer["isochrone_s"] = timed(lambda: actor.isochrone(ask))[1]
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
