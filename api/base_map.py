"""The base map under the board: vector tiles of the imported region, out of one file that an import may replace."""

import threading
from pathlib import Path

from geo.pmtiles import BASE_MAP, Archive
from geo.points import GeoError


class BaseMap:
    """The file of the maps folder, opened again when it changes. Safe to use from several threads."""

    def __init__(self, maps_dir: Path) -> None:
        self._path = maps_dir / BASE_MAP
        self._lock = threading.Lock()
        self._opened: tuple[tuple[int, int], Archive | None] | None = None

    def archive(self) -> tuple[str, Archive] | None:
        """The map and a mark of its version; None where none is imported, or what is there cannot be read."""
        try:
            seen = self._path.stat()
        except OSError:
            return None
        stamp = seen.st_mtime_ns, seen.st_ino
        with self._lock:
            if self._opened is None or self._opened[0] != stamp:
                try:
                    self._opened = stamp, Archive(self._path)
                except GeoError:
                    self._opened = stamp, None
            archive = self._opened[1]
        return None if archive is None else (f"{stamp[0]:x}", archive)
