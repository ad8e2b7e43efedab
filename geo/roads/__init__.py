"""Travel times, routes and areas on the roads of an OpenStreetMap extract, on this machine alone.

`open_roads(folder)` opens what `python -m geo.roads import FILE.osm.pbf` made. Compiled loops are loaded
with it, not with this package.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo.compiled import forget_stale

if TYPE_CHECKING:
    from geo.roads.roads import Roads


def open_roads(folder: str | Path) -> Roads:
    """The roads in `folder`, mapped into memory. Raises RoadsFileError: roads_missing, roads_version_unknown,
    roads_damaged."""
    forget_stale_kernels()
    from geo.roads.roads import Roads

    return Roads(Path(folder))


def forget_stale_kernels() -> bool:
    """Deletes compiled loops of the roads when the source of any has changed; returns whether it did."""
    here = Path(__file__).resolve().parent
    return forget_stale(here, here.glob("kernels_*.py"), "kernels_*.nb[ic]")
