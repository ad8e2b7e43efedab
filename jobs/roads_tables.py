"""Travel tables of live days, kept by the road process: a new site is one more row and column, a moved engineer the
same row and column anew."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.roads.conditions import Day

if TYPE_CHECKING:
    from geo.roads.matrix import LiveMatrix, Matrix
    from geo.roads.roads import Roads

TABLES_KEPT = 8
Place = tuple[float, float]


@dataclass(slots=True)
class _Kept:
    live: LiveMatrix
    rows: dict[Place, int]


class DayTables:
    """The tables of one road file, the ones used longest ago forgotten. Safe to use from several threads."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads
        self._kept: OrderedDict[tuple[str, int, Day], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def table(self, key: str, hour: int, day: Day, places: Sequence[Place]) -> Matrix:
        """From each place to each, all of them on roads; `key` says whose day it is."""
        wanted = list(dict.fromkeys(places))
        with self._lock:
            kept = self._kept.get((key, hour, day))
            fresh = wanted if kept is None else [place for place in wanted if place not in kept.rows]
            if kept is None or len(fresh) > len(wanted) // 2:
                live = self._roads.live_matrix(wanted, hour=hour, day=day)
                kept = _Kept(live, {place: row for row, place in enumerate(wanted)})
            else:
                _follow(kept, set(wanted), fresh)
            self._kept[key, hour, day] = kept
            self._kept.move_to_end((key, hour, day))
            while len(self._kept) > TABLES_KEPT:
                self._kept.popitem(last=False)
            rows = np.array([kept.rows[place] for place in places])
            whole = kept.live.matrix
            return type(whole)(*(part[np.ix_(rows, rows)] for part in whole))


def _follow(kept: _Kept, wanted: set[Place], fresh: Sequence[Place]) -> None:
    """Fresh places take the rows of places nobody asks for any more, then rows of their own."""
    left = [place for place in kept.rows if place not in wanted]
    for place in fresh:
        if left:
            row = kept.rows.pop(left.pop())
            kept.live.move(row, place)
            kept.rows[place] = row
        else:
            kept.rows[place] = kept.live.append(place)
