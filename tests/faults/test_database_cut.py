"""The database goes away under a running product, or its disk fills up: a clear 503 meanwhile, and work again soon
after it is back."""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.command_line.cluster import Cluster
from api.command_line.environment import default_state
from tests.builders import Company, company, new_ticket
from tests.conftest import TEST_CLUSTER
from tests.databases import Database, migrate
from tests.running import Running

#: The promise is about 30 s; what differs between 12 and 30 is only how often the same is tried.
CUT_S = float(os.environ.get("CUT_S", "12"))
#: Alone on a machine all is well again within ten; where others share it, three times that.
HEAL_S = 30.0
PATIENCE_S = 15.0
START_S = 60.0
DISK_MB = 400


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster nobody else uses, so that it can be stopped; below a folder that the server's account may enter, and
    on a small file system of its own where mounting is allowed."""
    state = default_state() / f"cut-{os.getpid()}"
    state.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=755", "tmpfs", str(state)]
    mounted = subprocess.run(mount, capture_output=True, check=False, timeout=10).returncode == 0
    try:
        with Cluster(state, TEST_CLUSTER).in_use() as running:
            yield running
        running.destroy()
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(state)], check=True, timeout=10)
        shutil.rmtree(state)


def ask(
    port: int, method: str, path: str, key: str = "", body: Any = None
) -> tuple[int, dict[str, str], Any]:
    """Status, headers in small letters, and the body; a connection of its own each time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        reply = connection.getresponse()
        said = reply.read()
        return reply.status, {k.lower(): v for k, v in reply.getheaders()}, json.loads(said) if said else None
    finally:
        connection.close()


def create(port: int, made: Company, body: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    return ask(port, "POST", "/api/v1/tickets", made.key, body)


@pytest.mark.alone
def test_a_cut_is_told_as_503_everything_heals_by_itself_and_starts_in_any_order(
    own_cluster: Cluster, tmp_path: Path
) -> None:
    own_cluster.ensure_database("paidan")
    database = Database.of(own_cluster, "paidan")
    migrate(database)
    with Running(database, tmp_path) as running:
        made = company(running.house)
        assert create(running.port, made, new_ticket())[0] == 201
        body = new_ticket()
        own_cluster.stop()
        ends, told = time.monotonic() + CUT_S, 0
        while time.monotonic() < ends:
            for status, headers, said in (
                create(running.port, made, body),
                ask(running.port, "GET", "/readyz"),
            ):
                assert status == 503
                assert headers["content-type"] == "application/problem+json"
                assert 1 <= int(headers["retry-after"]) <= 5
                assert said["code"] == "unavailable"
                told += 1
            assert ask(running.port, "GET", "/healthz")[0] == 200
            time.sleep(0.5)
        assert told > 1
        own_cluster.start()
        began = time.monotonic()
        while create(running.port, made, body)[0] != 201:
            assert time.monotonic() - began < HEAL_S, "the api does not heal"
            time.sleep(0.1)
        while offered(database, made) < 2:
            assert time.monotonic() - began < HEAL_S, "worker and relay do not heal"
            time.sleep(0.1)
        assert [name for name, child in running.children.items() if child.poll() is not None] == []
        start_before_the_database(running, own_cluster, made)
        assert offered(database, made) == 3
        if os.path.ismount(own_cluster.state):
            fill_its_disk(running, own_cluster, made)


def fill_its_disk(running: Running, cluster: Cluster, made: Company) -> None:
    """No page more can be had: what cannot be kept is refused and not acknowledged, what was acknowledged stays, and
    with room again everything goes on by itself."""
    filler, kept = cluster.state / "filler", []
    with filler.open("wb") as disk, contextlib.suppress(OSError):
        while True:
            disk.write(bytes(65_536))
    try:
        for _ in range(400):
            status, headers, said = create(running.port, made, new_ticket("survey"))
            if status != 201:
                break
            kept.append(said["ticket_id"])
        assert status == 503
        assert headers["content-type"] == "application/problem+json"
        assert 1 <= int(headers["retry-after"]) <= 5
        assert ask(running.port, "GET", "/healthz")[0] == 200
    finally:
        filler.unlink()
    began = time.monotonic()
    while (found := create(running.port, made, new_ticket("survey")))[0] != 201:
        assert time.monotonic() - began < HEAL_S, "a disk with room again does not help"
        time.sleep(0.1)
    kept.append(found[2]["ticket_id"])
    with psycopg.connect(Database.of(cluster, "paidan").superuser_url) as db:
        there = db.execute("select count(*) from tickets where id = any(%s::uuid[])", [kept]).fetchone()
        asked = db.execute("select count(*) from tickets where work_type = 'survey'").fetchone()
    assert there == asked == (len(kept),)
    assert [name for name, child in running.children.items() if child.poll() is not None] == []


def start_before_the_database(running: Running, cluster: Cluster, made: Company) -> None:
    """Every process of the product is started while there is no PostgreSQL; when it comes, they work."""
    for name in running.children:
        running.kill(name)
    cluster.stop()
    running.mend()
    began = time.monotonic()
    while not lives(running.port):
        assert time.monotonic() - began < START_S, "the api does not start without a database"
        time.sleep(0.1)
    status, headers, _ = ask(running.port, "GET", "/readyz")
    assert (status, 1 <= int(headers["retry-after"]) <= 5) == (503, True)
    time.sleep(1)
    assert [name for name, child in running.children.items() if child.poll() is not None] == []
    cluster.start()
    began = time.monotonic()
    while create(running.port, made, new_ticket())[0] != 201:
        assert time.monotonic() - began < HEAL_S, "the api does not find the database"
        time.sleep(0.1)
    database = Database.of(cluster, "paidan")
    while offered(database, made) < 3:
        assert time.monotonic() - began < START_S, "worker and relay do not find the database"
        time.sleep(0.1)


def lives(port: int) -> bool:
    try:
        return ask(port, "GET", "/healthz")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def offered(database: Database, made: Company) -> int:
    """How many tickets the relay and the worker have brought to an engineer."""
    with psycopg.connect(database.superuser_url) as db:
        row = db.execute(
            "select count(*) from tickets where tenant_id = %s and status = 'offered'", [made.tenant_id]
        ).fetchone()
    assert row is not None
    return int(row[0])
