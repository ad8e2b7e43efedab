"""More than a process can take: every request is answered, on the connection it came by, and it is over soon."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from api.signin import Doorkeeper
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import Dispatcher
from tests.builders import Company, company, new_ticket
from tests.databases import Database
from tests.running import Running
from tests.wire import Wire, WireReply

CLIENTS, EACH = 250, 4
#: Longer than what is read ahead: refused before its body has come.
PHOTO = bytes(200_000)
BACK_WITHIN_S = 30.0


def tokens(running: Running, made: Company) -> tuple[str, str]:
    doors = Doorkeeper(running.house.database, running.settings.secret_key, secure=False)
    with running.house.database.transaction(made.tenant_id) as db:
        dora = db.get(Dispatcher, {"tenant_id": made.tenant_id, "id": made.dispatchers["Dora"]})
        ana = db.get(Engineer, {"tenant_id": made.tenant_id, "id": made.engineers["Ana"]})
    assert dora is not None
    assert ana is not None
    return doors.begin(dora, "test").token, doors.begin(ana, "test").token


@pytest.mark.alone
def test_more_than_it_can_take_is_refused_with_a_time_to_come_back_and_no_connection_breaks(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIDAN_API_POOL", "2")
    monkeypatch.setenv("PAIDAN_API_WAIT_S", "2")
    with Running(database, tmp_path, apis=1, background=False) as running:
        made = company(running.house)
        dora, ana = tokens(running, made)

        async def ask(wire: Wire, n: int) -> WireReply:
            wire.token = (ana, dora, made.key, ana)[n % 4]
            if n % 4 == 0:
                return await wire.request("GET", "/engineer/v1/today")
            if n % 4 == 1:
                return await wire.request("GET", "/dispatcher/v1/board")
            if n % 4 == 2:
                return await wire.request("POST", "/api/v1/tickets", new_ticket())
            path = f"/engineer/v1/photos/{new_id()}?ticket_id={new_id()}&kind=check_in"
            return await wire.request("PUT", path, raw=PHOTO)

        async def client(first: int) -> list[WireReply]:
            """Asks again at once on the same connection, whatever it is told. Raises when that breaks."""
            wire = Wire("127.0.0.1", running.port, timeout_s=90)
            try:
                return [await ask(wire, first + n) for n in range(EACH)]
            finally:
                wire.close()

        async def story() -> list[WireReply]:
            found = [reply for one in await asyncio.gather(*map(client, range(CLIENTS))) for reply in one]
            wire, began = Wire("127.0.0.1", running.port), time.monotonic()
            while any([(await ask(wire, n)).status == 503 for n in range(4)]):
                assert time.monotonic() - began < BACK_WITHIN_S
            wire.close()
            return found

        replies = asyncio.run(story())
    statuses = Counter(reply.status for reply in replies)
    assert sum(statuses.values()) == CLIENTS * EACH
    assert set(statuses) <= {200, 201, 404, 429, 503}, statuses
    assert statuses[503] > CLIENTS
    assert statuses[200] + statuses[201] > 0
    for reply in replies:
        if reply.status in (429, 503):
            assert reply.content_type == "application/problem+json"
            assert reply.retry_after_s is not None
            assert 1 <= reply.retry_after_s <= 60
