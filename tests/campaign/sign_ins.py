"""Sign-ins of a campaign's people, without passwords, which cost 50 ms each by design."""

import time
from typing import Any

from api.signin import Doorkeeper
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import Dispatcher
from tests.builders import Company
from tests.running import Running

RENEWED_S = 300.0


class SignIns:
    """Tokens by name, of sign-ins that are not about to end: a run takes longer than one lasts."""

    def __init__(self, running: Running, made: Company) -> None:
        self._house, self._made = running.house, made
        self._doors = Doorkeeper(running.house.database, running.settings.secret_key, secure=False)
        self._held: dict[str, tuple[str, float]] = {}

    def token(self, name: str) -> str:
        token, since = self._held.get(name, ("", -RENEWED_S))
        if time.monotonic() - since < RENEWED_S:
            return token
        kind: Any = Dispatcher if name in self._made.dispatchers else Engineer
        ids = self._made.dispatchers if kind is Dispatcher else self._made.engineers
        with self._house.database.transaction(self._made.tenant_id) as db:
            person: Any = db.get(kind, {"tenant_id": self._made.tenant_id, "id": ids[name]})
            token = self._doors.begin(person, "bench").token
        self._held[name] = token, time.monotonic()
        return token

    def forget(self) -> None:
        """Everybody signs in anew."""
        self._held.clear()
