"""Addresses to positions, offline, from the list of addresses the maps folder holds."""

import json
import threading
from pathlib import Path
from typing import Any

from geo.gazetteer import Entry, Gazetteer
from geo.points import Point

FILE = "addresses.json"
MOST = 10
#: Only an address this alike, and this much more than the next, is taken without a human look.
SURE = 0.85
AHEAD = 1.05


class Places:
    """Finds addresses; empty where there is no list, so the ticket asks for a position instead."""

    def __init__(self, maps_dir: Path) -> None:
        self._file = maps_dir / FILE
        self._lock = threading.Lock()
        self._gazetteer: Gazetteer | None = None

    def find(self, q: str) -> list[dict[str, Any]]:
        """At most ten places, best first: text, lon, lat, score."""
        return [
            {
                "text": c.entry.text,
                "lon": c.entry.position.lon,
                "lat": c.entry.position.lat,
                "score": c.score,
            }
            for c in self._index().find(q, MOST)
        ]

    def site(self, address: str) -> Point | None:
        """The position of an address, only where the list is sure."""
        best, *others = [*self._index().find(address, 2), None]
        if best is None or best.score < SURE:
            return None
        rival = others[0]
        if rival is not None and rival.score * AHEAD > best.score:
            return None
        return best.entry.position

    def _index(self) -> Gazetteer:
        """Made at first use, and again while there is no file yet."""
        with self._lock:
            if self._gazetteer is None:
                if not self._file.is_file():
                    return Gazetteer([])
                self._gazetteer = Gazetteer(read_entries(self._file))
            return self._gazetteer


def read_entries(path: Path) -> list[Entry]:
    """The entries of an addresses.json: text in both languages, lon, lat."""
    return [
        Entry(
            text=row["zh"],
            english=row["en"],
            kind="address",
            position=Point(row["lon"], row["lat"]),
        )
        for row in json.loads(path.read_text())
    ]
