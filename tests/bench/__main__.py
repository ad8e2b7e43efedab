"""`python -m tests.bench NAME [DIR|FILE] [--seconds S] [--out FILE.json]`: measured claims, one name each.

Writes {"instances": [{"name", "value", "best", "gap", "seconds"}], ...}; lower values are better.
Exit code 1: some instance is left without a value.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sys
from pathlib import Path
from typing import Any

from tests.bench.engine import warm_up

PLANNING = ("planner", "batch", "repair", "features", "insert", "scale", "trsp", "vrptw")
MODULES = {name: f"tests.bench.{name}" for name in PLANNING} | {
    "photos": "tests.bench.photos",
    "faults": "tests.campaign.bench_faults",
    "api": "tests.campaign.bench_api",
    "load": "tests.campaign.bench_load",
    "restore": "tests.campaign.bench_restore",
    "ladder": "tests.campaign.bench_ladder",
}
OWN_WORDS = {"roads": "tests.bench.roads"}  # read their own words: main(argv) -> exit code
RESULTS = Path(".state/bench")  # solutions worth keeping, where --out names no other folder


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    if sys.argv[1:2] and sys.argv[1] in OWN_WORDS:
        return int(importlib.import_module(OWN_WORDS[sys.argv[1]]).main(sys.argv[2:]))
    parser.add_argument("name", choices=[*MODULES, *OWN_WORDS])
    parser.add_argument("source", nargs="?", type=Path, help="instances of your own: a file or a folder")
    parser.add_argument("--seconds", type=float, help="for each solver on each instance")
    parser.add_argument("--out", type=Path, help="where the figures go as JSON")
    parser.add_argument(
        "--only", default="", help="planning: words every instance's name must hold, as 500x50,s7101 or R101"
    )
    given = parser.parse_args()
    if given.source is not None and not given.source.exists():
        parser.error(f"no such file or folder: {given.source}")
    if given.seconds is not None and not 0 < given.seconds <= 3600:
        parser.error("--seconds must be above 0 and at most 3600")
    results = given.out.parent if given.out else RESULTS
    measure = importlib.import_module(MODULES[given.name]).run
    if given.name in PLANNING:
        warm_up()
        words = tuple(word for word in given.only.split(",") if word)
        answer = measure(given.source, given.seconds, results, words)
    else:
        answer = measure(given.source, given.seconds, results)
    if given.out:
        given.out.write_text(json.dumps(_finite(answer), indent=1))
    values = [instance["value"] for instance in answer["instances"]]
    return 0 if values and all(value is not None and math.isfinite(value) for value in values) else 1


def _finite(value: Any) -> Any:
    """JSON has no infinity: null stands where there was no plan to score."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    sys.exit(main())
