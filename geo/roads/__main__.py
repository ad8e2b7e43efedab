"""`python -m geo.roads import FILE.osm.pbf [FILE2 …] --into FOLDER [--country CN]`: roads from OpenStreetMap
extracts."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from geo.roads.errors import RoadsFileError


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the roads were imported, 2 when a file cannot be used (the reason on stderr)."""
    parser = argparse.ArgumentParser(prog="paidan roads", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    imports = commands.add_parser("import", help="read one or more .osm.pbf files")
    imports.add_argument("files", nargs="+", type=Path, metavar="FILE.osm.pbf")
    imports.add_argument("--into", type=Path, default=_folder(), help="folder of the road file (%(default)s)")
    imports.add_argument("--country", help="two letters; taken from where the roads are when left out")
    options = parser.parse_args(argv)
    from geo.roads.imports import import_roads
    from geo.roads.warm_up import warm_up

    began = time.monotonic()

    def show(what: str, share: float) -> None:
        print(f"{time.monotonic() - began:6.1f} s {share:4.0%}  {what}", flush=True)

    country = options.country.upper() if options.country else None
    try:
        show("compiling, the first time", 0.0)
        warm_up()
        made = import_roads(options.files, options.into, country, show)
    except RoadsFileError as error:
        print(f"{error.code}: {error.facts}", file=sys.stderr)
        return 2
    size = made.path.stat().st_size / 1e6
    print(
        f"{made.ways} ways, edges {made.edges}, turns forbidden {made.restrictions}, country {made.country}"
    )
    print(f"conditions followed by the hour {made.conditions}, not followed {sum(made.unfollowed.values())}")
    for text, count in made.unfollowed.items():
        print(f"  not followed, {count} times: {text}")
    print(f"{made.path} ({size:.1f} MB)")
    return 0


def _folder() -> Path:
    """Where the running product looks for roads."""
    return Path(
        os.environ.get("PAIDAN_ROADS_DIR") or Path(os.environ.get("PAIDAN_STATE", ".state")) / "roads"
    )


if __name__ == "__main__":
    sys.exit(main())
