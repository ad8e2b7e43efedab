"""The product as it runs in service: api, worker and relay processes, to be asked and killed."""

import base64
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from dispatch.actions.step import House
from dispatch.settings import Settings
from dispatch.store.personal import PersonalData
from dispatch.store.transactions import Database as Store
from tests.databases import Database
from tests.house import settings_for

HOME = Path(__file__).resolve().parent.parent
READY_S = 60.0


class Running:
    """`apis` api processes on one socket, workers and a relay; `mend` starts again what was killed."""

    def __init__(
        self,
        database: Database,
        state: Path,
        apis: int = 2,
        server: Sequence[str] = ("-m", "api.server"),
        background: bool = True,
        workers: int = 1,
    ) -> None:
        self.settings: Settings = settings_for(database, state)
        self.house = House(
            Store(self.settings.database_url, 4, "tests"),
            self.settings.clock.now,
            PersonalData(self.settings.data_key),
        )
        self._state = state
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(2048)
        self.port: int = self._socket.getsockname()[1]
        self.environment = {**os.environ, **_environment(self.settings, database)}
        fd = str(self._socket.fileno())
        self.programs = {f"api-{n}": [*server, "--fd", fd] for n in range(1, apis + 1)}
        if background:
            more = [f"worker-{n}" for n in range(2, workers + 1)]
            self.programs |= {name: ["-m", "jobs.worker"] for name in ("worker", *more)}
            self.programs["relay"] = ["-m", "jobs.relay"]
        self.children: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Running":
        self.mend()
        deadline = time.monotonic() + READY_S
        while not self.answers():
            if time.monotonic() > deadline:
                raise AssertionError(f"the product does not answer; see {self._state}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self.children.values():
            child.kill()
        for child in self.children.values():
            child.wait(10)
        self._socket.close()
        self.house.database.close()

    def mend(self) -> None:
        """Start what is not running."""
        for name, command in self.programs.items():
            child = self.children.get(name)
            if child is None or child.poll() is not None:
                with (self._state / f"{name}.log").open("ab") as log:
                    self.children[name] = subprocess.Popen(
                        [sys.executable, *command],
                        env=self.environment,
                        cwd=HOME,
                        pass_fds=[self._socket.fileno()],
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )

    def kill(self, name: str) -> None:
        """SIGKILL, to the process and all it started."""
        child = self.children[name]
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait(10)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def log(self, name: str) -> str:
        path = self._state / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""


def _environment(settings: Settings, database: Database) -> dict[str, str]:
    return {
        **database.environment,
        "PAIDAN_SECRET_KEY": base64.b64encode(settings.secret_key).decode(),
        "PAIDAN_DATA_KEY": base64.b64encode(settings.data_key).decode(),
        "PAIDAN_STATE": str(settings.state),
        "PAIDAN_CLOCK": str(settings.clock),
        "PYTHONUNBUFFERED": "1",
    }
