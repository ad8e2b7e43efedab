"""Who was shown whose position: written once an hour for each viewer and engineer, however often the board asks."""

import logging
import threading
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from dispatch.actions.positions import note_shown
from dispatch.domain.commands import Principal
from dispatch.store.transactions import Database, Unavailable

log = logging.getLogger("api.positions")


class PositionLog:
    """One per process; remembers what it has written in the present hour."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hour: datetime | None = None
        self._noted: set[tuple[UUID, UUID]] = set()
        self._lock = threading.Lock()

    def note(self, viewer: Principal, engineers: Sequence[UUID | str], now: datetime) -> None:
        """`now` is business time, by which shifts and positions are read too."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        with self._lock:
            if hour != self._hour:
                self._hour, self._noted = hour, set()
            fresh = {UUID(str(each)) for each in engineers if (viewer.id, UUID(str(each))) not in self._noted}
            self._noted |= {(viewer.id, each) for each in fresh}
        if not fresh:
            return
        try:
            self._database.run(
                viewer.tenant_id, lambda db: note_shown(db, viewer.tenant_id, viewer.id, fresh, now)
            )
        except Unavailable:
            with self._lock:
                self._noted -= {(viewer.id, each) for each in fresh}
            log.warning("who was shown positions could not be kept; the next look tries again")
