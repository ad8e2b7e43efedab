"""`python -m geo.roads import FILE.osm.pbf [FILE2 …] [--into FOLDER] [--maps FOLDER | --no-map] [--country CN]`:
road networks and the board's base map from OpenStreetMap extracts."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from geo.pmtiles import BASE_MAP
from geo.points import GeoError
from geo.roads.errors import RoadsFileError


def main(argv: Sequence[str] | None = None) -> int:
    """0 when the roads were imported, 2 when a file cannot be used (the reason on stderr)."""
    parser = argparse.ArgumentParser(prog="paidan roads", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    imports = commands.add_parser("import", help="read one or more .osm.pbf files")
    imports.add_argument("files", nargs="+", type=Path, metavar="FILE.osm.pbf")
    imports.add_argument(
        "--into", type=Path, default=_folder("roads"), help="folder of the road file (%(default)s)"
    )
    imports.add_argument("--maps", type=Path, default=_folder("maps"), help="folder of the map (%(default)s)")
    imports.add_argument("--no-map", action="store_true", help="leave the board's map as it is")
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
    if not options.no_map:
        show("drawing the map", 1.0)
        print(_draw(options.files, options.maps))
    return 0


def _draw(sources: Sequence[Path], folder: Path) -> str:
    """The base map of the same files; the roads serve without one, so that a reason why not is told and no more."""
    from geo.tiles import make_tiles

    folder.mkdir(parents=True, exist_ok=True)
    try:
        drawn = make_tiles(sources, folder / BASE_MAP)
    except GeoError as error:
        return f"no map drawn: {error.code} {error.facts}"
    return f"{drawn.path} ({drawn.tiles} tiles, {drawn.size_bytes / 1e6:.1f} MB)"


def _folder(what: str) -> Path:
    """Where the running product looks for roads or maps."""
    told = os.environ.get(f"PAIDAN_{what.upper()}_DIR")
    return Path(told) if told else Path(os.environ.get("PAIDAN_STATE", ".state")) / what


if __name__ == "__main__":
    sys.exit(main())
