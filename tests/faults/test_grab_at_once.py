"""A thousand engineers reach for one ticket in the same moment."""

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from api.signin import Doorkeeper
from dispatch.store.ids import new_id
from dispatch.store.tables.people import Engineer
from tests.builders import add_engineer, company, new_ticket
from tests.databases import Database
from tests.running import Running
from tests.wire import Wire, WireReply

ENGINEERS = 1000


@pytest.mark.alone
def test_a_thousand_grabs_give_one_winner_and_999_clean_refusals(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAIDAN_API_WAIT_S", "110")  # this is about who wins, however slow the machine is
    with Running(database, tmp_path) as running:
        made = company(running.house)
        doors = Doorkeeper(running.house.database, running.settings.secret_key, secure=False)
        tokens = []
        with running.house.database.transaction(made.tenant_id) as db:
            ids = [
                add_engineer(made, db, f"Grabber{n}", {"plumbing": 1}, n, running.house.now())
                for n in range(ENGINEERS)
            ]
            people = [db.get(Engineer, {"tenant_id": made.tenant_id, "id": i}) for i in ids]
        for person in people:
            assert person is not None
            tokens.append(doors.begin(person, "test").token)
        statuses, took_s = asyncio.run(_grab(running.port, tokens, made.key))
        assert statuses == {200: 1, 409: ENGINEERS - 1}, statuses
        print(f"{ENGINEERS} grabs in {took_s:.2f} s")
        with psycopg.connect(database.superuser_url) as look:
            (open_visits,) = look.execute(
                "select count(*) from visits where tenant_id = %s and closed_at is null "
                "and engineer_id is not null",
                [made.tenant_id],
            ).fetchone() or (None,)
            assert open_visits == 1


async def _grab(port: int, tokens: list[str], key: str) -> tuple[Counter[int], float]:
    async with asyncio.timeout(180):
        created = await Wire("127.0.0.1", port, key).request("POST", "/api/v1/tickets", new_ticket("leak"))
        assert created.status == 201, created.body
        ticket_id = created.json()["ticket_id"]
        wires = [Wire("127.0.0.1", port, token, timeout_s=110) for token in tokens]
        began = time.monotonic()
        replies = await asyncio.gather(*(_one(wire, ticket_id) for wire in wires))
        took_s = time.monotonic() - began
    for reply in replies:
        if reply.status != 200:
            assert reply.content_type == "application/problem+json", reply.body
    return Counter(reply.status for reply in replies), took_s


async def _one(wire: Wire, ticket_id: str) -> WireReply:
    body = {
        "command_id": str(new_id()),
        "ticket_id": ticket_id,
        "action": "grab",
        "at": datetime.now(UTC).isoformat(),
        "facts": {},
    }
    reply = await wire.request("POST", "/engineer/v1/actions", body)
    wire.close()
    return reply
