"""`./paidan serve`, `status` and `stop` as a person runs them, on the test cluster's database."""

import base64
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.command_line.environment import HOME
from api.command_line.supervisor import stop_leftovers
from tests.databases import clone

PAIDAN = str(HOME / "paidan")
READY_S = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


class Serving:
    """A running `./paidan serve` and what one may ask of it."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment, self.log, self.port = environment, log, free_port()
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [PAIDAN, "serve", "--port", str(self.port)], env=environment, stdout=out, stderr=out, cwd="/"
            )
        self.wait_for(lambda: b"paidan: ready" in log.read_bytes(), READY_S)

    def status(self) -> dict[str, Any]:
        done = subprocess.run(
            [PAIDAN, "status"], env=self.environment, capture_output=True, text=True, cwd="/", timeout=120
        )
        report: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if report["healthy"] else 1)
        return report

    def wait_for(self, condition: Any, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.2)


@pytest.fixture(scope="module")
def environment(cluster, template, tmp_path_factory, pages) -> Iterator[dict[str, str]]:
    """Settings of a real installation: a database of its own, fresh keys, a state folder."""

    state = tmp_path_factory.mktemp("serve")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAIDAN_")}
    for database in clone(cluster, template, f"paidan_test_{os.getpid()}_serve"):
        keys = {"PAIDAN_SECRET_KEY": key(), "PAIDAN_DATA_KEY": key(), "PAIDAN_STATE": str(state)}
        yield kept | keys | database.environment
    stop_leftovers(state)


@pytest.fixture
def serving(environment: dict[str, str], tmp_path: Path) -> Iterator[Serving]:
    running = Serving(environment, tmp_path / "log")
    yield running
    running.process.kill()
    running.process.wait()


@pytest.mark.parametrize("name", ["PAIDAN_SECRET_KEY", "PAIDAN_DATA_KEY"])
@pytest.mark.parametrize("value", [None, "changeme", "c2hvcnQ="])
def test_it_refuses_to_start_without_real_secrets(environment, name: str, value: str | None) -> None:
    settings = {key: text for key, text in environment.items() if key != name}
    if value is not None:
        settings[name] = value
    done = subprocess.run([PAIDAN, "serve"], env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert name in done.stderr
    assert "openssl rand" in done.stderr


def upgrade_while_asked(serving: Serving) -> None:
    """`upgrade` beside one request after another: every process anew, and none of the requests failed."""
    before = {process["name"]: process["pid"] for process in serving.status()["processes"]}
    failed, stop = [], threading.Event()

    def asks() -> None:
        while not stop.wait(0.02):
            connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=20)
            try:
                connection.request("GET", "/readyz")
                if (status := connection.getresponse().status) != 200:
                    failed.append(str(status))
            except (OSError, http.client.HTTPException) as error:
                failed.append(repr(error))
            finally:
                connection.close()

    asking = threading.Thread(target=asks)
    asking.start()
    command = [PAIDAN, "upgrade", "--no-backup"]
    done = subprocess.run(command, env=serving.environment, capture_output=True, text=True, timeout=240)
    stop.set()
    asking.join()
    assert done.returncode == 0, done.stderr + serving.log.read_text(errors="replace")[-2000:]
    after = {process["name"]: process["pid"] for process in serving.status()["processes"]}
    assert set(before) == set(after)
    assert set(before.values()).isdisjoint(after.values())
    assert serving.status()["healthy"]
    assert failed == []


def test_each_killed_process_is_started_again_an_upgrade_replaces_all_and_stop_ends_them(
    serving: Serving,
) -> None:
    assert serving.status()["healthy"]
    for process in serving.status()["processes"]:
        os.kill(process["pid"], signal.SIGKILL)
    serving.wait_for(lambda: all(each["restarts"] for each in serving.status()["processes"]), 30)
    serving.wait_for(lambda: serving.status()["healthy"], 30)
    upgrade_while_asked(serving)
    began = time.monotonic()
    done = subprocess.run([PAIDAN, "stop"], env=serving.environment, timeout=60)
    assert done.returncode == 0
    assert serving.process.wait(10) == 0
    assert time.monotonic() - began < 60
    after = serving.status()
    assert not after["healthy"]
    assert after["processes"] == []


def test_after_a_killed_supervisor_the_next_start_works(serving: Serving) -> None:
    pids = [process["pid"] for process in serving.status()["processes"]]
    serving.process.kill()
    serving.process.wait()
    again = Serving(serving.environment, serving.log.with_name("again"))
    assert again.status()["healthy"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    again.process.terminate()
    assert again.process.wait(12) == 0


def test_the_doctor_finds_nothing_wrong_with_it(environment) -> None:
    done = subprocess.run([PAIDAN, "doctor"], env=environment, capture_output=True, text=True, timeout=60)
    assert "FAULT" not in done.stdout, done.stdout
    assert re.search(r"ok +Migrations", done.stdout)
