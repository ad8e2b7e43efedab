"""500 hostile files over real sockets into a real process: never a 5xx, and the service stays small; then a disk
that fills up: what was accepted is there, and the service goes on by itself when there is room again."""

import http.client
import json
import resource
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pillow_heif
import pytest

from dispatch.store.ids import new_id
from tests.builders import Company, company, new_ticket, picture
from tests.databases import Database
from tests.running import Running

pillow_heif.register_heif_opener()

from tests.integration import photo_files as files  # noqa: E402  (the files include HEIC)

pytestmark = pytest.mark.alone

FILES = 500
MOST_GROWTH_BYTES = 150 * 1024 * 1024
AT_ONCE = 4


@pytest.fixture
def running(database: Database, tmp_path: Path) -> Iterator[Running]:
    with Running(database, tmp_path, apis=1, background=False) as started:
        yield started


def ask(
    running: Running, token: str, method: str, path: str, body: bytes | None = None, media: str = "image/jpeg"
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    try:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": media}
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
    except (BrokenPipeError, ConnectionResetError):
        # The server said no and hung up while the body was still on its way.
        return 413, b""
    finally:
        connection.close()


def customer(running: Running, made: Company) -> str:
    """The link's token of a fresh ticket."""
    body = json.dumps(new_ticket("survey")).encode()
    status, answer = ask(running, made.key, "POST", "/api/v1/tickets", body, "application/json")
    assert status == 201, answer
    return str(json.loads(answer)["customer_link"]).rsplit("/", 1)[1]


def put_photo(running: Running, token: str, raw: bytes) -> tuple[int, str]:
    photo_id = str(new_id())
    status, _ = ask(running, token, "PUT", f"/customer/v1/photos/{photo_id}?kind=intake", raw)
    return status, photo_id


def service_bytes(running: Running) -> int:
    """Proportional memory of the api process and every process it started."""
    group = running.children["api-1"].pid
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[2]) == group:
                rollup = (stat.parent / "smaps_rollup").read_text()
                total += 1024 * int(rollup.split("\nPss:", 1)[1].split()[0])
    return total


def hostile_files() -> list[bytes]:
    named = [raw for raw, _ in files.bad_files().values()]
    return named + files.garbled_copies(FILES - len(named))


def test_500_hostile_files_give_no_5xx_and_the_service_stays_small(running: Running) -> None:
    made = company(running.house)
    tokens = [customer(running, made) for _ in range(AT_ONCE)]
    for token in tokens:
        assert put_photo(running, token, picture(1))[0] == 201
    before = service_bytes(running)
    peak = before
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.1):
            peak = max(peak, service_bytes(running))

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.monotonic()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            sent = pool.map(
                lambda numbered: put_photo(running, tokens[numbered[0] % AT_ONCE], numbered[1])[0],
                enumerate(hostile_files()),
            )
            statuses = Counter(sent)
    finally:
        over.set()
        watcher.join()
    assert sum(statuses.values()) == FILES
    assert [status for status in statuses if status >= 500] == [], statuses
    assert statuses[422] > FILES // 4, statuses
    grown = (peak - before, service_bytes(running) - before)
    assert max(grown) <= MOST_GROWTH_BYTES, (grown, time.monotonic() - began)
    assert put_photo(running, tokens[0], picture(2))[0] == 201
    assert '"event":"unexpected"' not in running.log("api-1")


@dataclass
class Disk:
    """The service's photos on a file system of 1 MB of their own; where mounting is forbidden, under a limit on
    the size of any file, which the kernel reports the same way."""

    running: Running
    folder: Path
    mounted: bool

    def grow(self) -> None:
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,size=20m", self.folder], check=True, timeout=10)
        else:
            limits = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(self.running.children["api-1"].pid, resource.RLIMIT_FSIZE, limits)

    def shrink(self) -> None:
        """Where there is no small file system: from now on nothing larger than 20 kB."""
        if not self.mounted:
            limits = (20_000, resource.RLIM_INFINITY)
            resource.prlimit(self.running.children["api-1"].pid, resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def disk(database: Database, tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "photos"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    mounted = subprocess.run(mount, capture_output=True, check=False, timeout=10).returncode == 0
    try:
        with Running(database, tmp_path, apis=1, background=False) as started:
            assert started.settings.photos_dir == folder
            yield Disk(started, folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", folder], check=True, timeout=10)


def test_a_full_disk_is_told_as_507_loses_nothing_accepted_and_heals_itself(disk: Disk) -> None:
    running = disk.running
    token = customer(running, company(running.house))
    status, photo_id = put_photo(running, token, picture(0))
    assert status == 201
    accepted = [photo_id]
    disk.shrink()
    for seed in range(1, 200):
        status, photo_id = put_photo(running, token, picture(seed, (800, 600)))
        if status != 201:
            break
        accepted.append(photo_id)
    assert status == 507
    for kept in accepted:
        for size in ("thumb", "large"):
            assert ask(running, token, "GET", f"/customer/v1/photos/{kept}?size={size}")[0] == 200
    assert ask(running, token, "GET", f"/customer/v1/photos/{photo_id}")[0] == 404
    disk.grow()
    assert put_photo(running, token, picture(201, (800, 600)))[0] == 201
    assert list(disk.folder.rglob(".unfinished-*")) == []
