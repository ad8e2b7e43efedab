"""Live events over real sockets: who is concerned hears, who is not does not, the unallowed not at all."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import psycopg
import pytest

from api.signin import Doorkeeper
from dispatch.actions.identity import revoke_all
from dispatch.settings import Clock
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tenants import Dispatcher
from tests.builders import Company, company, new_ticket
from tests.databases import Database
from tests.running import Running
from tests.wire import Wire

pytestmark = pytest.mark.alone


@pytest.fixture
def running(database: Database, tmp_path: Path) -> Running:
    return Running(database, tmp_path, apis=2)


def tokens(running: Running, made: Company) -> dict[str, str]:
    doors = Doorkeeper(running.house.database, running.settings.secret_key, secure=False)
    found = {}
    with running.house.database.transaction(made.tenant_id) as db:
        people = {
            **{
                n: db.get(Engineer, {"tenant_id": made.tenant_id, "id": i}) for n, i in made.engineers.items()
            },
            **{
                n: db.get(Dispatcher, {"tenant_id": made.tenant_id, "id": i})
                for n, i in made.dispatchers.items()
            },
        }
    for name, person in people.items():
        assert person is not None
        found[name] = doors.begin(person, "test").token
    return found


async def listen(port: int, path: str, token: str) -> AsyncIterator[tuple[str, dict[str, str]]]:
    """(event, data) as they come; ends with ('status', …) where the stream is refused."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n".encode()
    )
    status = int((await reader.readline()).split()[1])
    if status != 200:
        yield "status", {"status": str(status)}
        return
    name = ""
    while line := await reader.readline():
        text = line.decode().strip()
        if text.startswith("event: "):
            name = text[7:]
        elif text.startswith("data: "):
            yield name, json.loads(text[6:])


async def heard(port: int, path: str, token: str, seconds: float, until: str | None = None) -> list[str]:
    """Actions heard within a time."""
    actions: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            async for name, data in listen(port, path, token):
                if name == "status":
                    return [f"status {data['status']}"]
                if name == "changed":
                    actions.append(data["action"])
                    if until == data["action"]:
                        return actions
    except TimeoutError:
        pass
    return actions


def test_the_board_and_the_asked_engineer_hear_and_others_do_not(running: Running) -> None:
    with running:
        made = company(running.house)
        other = company(running.house)
        mine, theirs = tokens(running, made), tokens(running, other)

        async def day() -> tuple[list[str], list[str], list[str], list[str], list[str]]:
            board, phone = "/dispatcher/v1/live", "/engineer/v1/live"
            ears = asyncio.gather(
                heard(running.port, board, mine["Dora"], 25, "offer"),
                heard(running.port, phone, mine["Ana"], 25, "offer"),
                heard(running.port, phone, mine["Eve"], 8),
                heard(running.port, board, theirs["Dora"], 8),
                heard(running.port, board, mine["Ana"], 8),
            )
            await asyncio.sleep(2)
            reply = await Wire("127.0.0.1", running.port, made.key).request(
                "POST", "/api/v1/tickets", new_ticket()
            )
            assert reply.status == 201
            return await ears

        dora, ana, eve, stranger, wrong_door = asyncio.run(day())
    assert dora[0] == "create"
    assert "offer" in dora
    assert ana[-1:] == ["offer"]
    assert eve == []
    assert stranger == []
    assert wrong_door == ["status 403"]


def test_a_stream_ends_within_a_minute_when_its_sign_in_is_revoked(running: Running) -> None:
    with running:
        made = company(running.house)
        mine = tokens(running, made)

        async def listen_and_revoke() -> float:
            async with asyncio.timeout(60):
                stream = listen(running.port, "/engineer/v1/live", mine["Ana"])
                assert (await anext(stream))[0] == "hello"
                with running.house.database.transaction(made.tenant_id) as db:
                    revoke_all(db, made.tenant_id, made.engineers["Ana"], Clock.wall())
                began = asyncio.get_running_loop().time()
                async for _ in stream:
                    pass
                return asyncio.get_running_loop().time() - began

        assert asyncio.run(listen_and_revoke()) < 60


async def statuses(port: int, token: str, asked: int = 12) -> set[int]:
    """How as many new connections are answered, so that each api process is among those asked."""
    doors = [Wire("127.0.0.1", port, token) for _ in range(asked)]
    try:
        replies = await asyncio.gather(*(door.request("GET", "/engineer/v1/today") for door in doors))
    finally:
        for door in doors:
            door.close()
    return {reply.status for reply in replies}


@contextmanager
def nobody_says(database: Database) -> Iterator[None]:
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        db.execute("alter table signins disable trigger say_ended")
        try:
            yield
        finally:
            db.execute("alter table signins enable trigger say_ended")


@pytest.mark.parametrize("said", [True, False])
def test_an_end_is_heard_by_every_api_process(running: Running, database: Database, said: bool) -> None:
    with running, nullcontext() if said else nobody_says(database):
        made = company(running.house)
        mine = tokens(running, made)

        async def remembered_then_ended() -> set[int]:
            assert await statuses(running.port, mine["Ana"]) == {200}
            with running.house.database.transaction(made.tenant_id) as db:
                revoke_all(db, made.tenant_id, made.engineers["Ana"], Clock.wall())
            for _ in range(20):
                await asyncio.sleep(0.25)
                if await statuses(running.port, mine["Ana"]) == {401}:
                    break
            assert await statuses(running.port, mine["Ben"]) == {200}
            return await statuses(running.port, mine["Ana"], 60)

        assert (asyncio.run(remembered_then_ended()) == {401}) is said
