"""The real worker and relay as processes beside an application in the test process, on the test's clock."""

import base64
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psycopg

from dispatch.settings import Settings
from tests.campaign.cpu import spent_ms
from tests.databases import Database

HOME = Path(__file__).resolve().parent.parent
SETTLE_S = 240.0

_LEFT = """
  select (select count(*) from outbox)
    + (select count(*) from timers where due_at <= %(now)s)
    + (select count(*) from procrastinate_jobs
       where status = 'doing' or (status = 'todo' and (scheduled_at is null or scheduled_at <= now())))
"""


class Background:
    """`settle` waits until nothing is left to do; a moved clock means new processes, as clocks are read once."""

    def __init__(self, database: Database, settings: Settings, state: Path) -> None:
        self._database = database
        self._settings = settings
        self._state = state
        self._children: list[subprocess.Popen[bytes]] = []
        self._ahead_s = 0.0

    def settle(self, now: datetime) -> None:
        """Everything that is due by `now` has happened. Raises AssertionError after SETTLE_S."""
        ahead_s = now.timestamp() - time.time()
        if not self._children or abs(ahead_s - self._ahead_s) > 1:
            self.stop()
            self._start(now)
            self._ahead_s = ahead_s
        deadline = time.monotonic() + SETTLE_S
        quiet = 0
        with psycopg.connect(self._database.superuser_url, autocommit=True) as db:
            while quiet < 2:
                row = db.execute(_LEFT, {"now": now}).fetchone()
                quiet = quiet + 1 if row == (0,) else 0
                if time.monotonic() > deadline:
                    raise AssertionError(f"background work does not come to rest; see {self._state}")
                time.sleep(0.05)

    def _start(self, now: datetime) -> None:
        environment = {
            **os.environ,
            **self._database.environment,
            "PAIDAN_SECRET_KEY": base64.b64encode(self._settings.secret_key).decode(),
            "PAIDAN_DATA_KEY": base64.b64encode(self._settings.data_key).decode(),
            "PAIDAN_STATE": str(self._state),
            "PAIDAN_CLOCK": f"{now.isoformat()}@{time.time()}x1",
            "PAIDAN_WORKER_CONCURRENCY": "2",
        }
        for name in ("worker", "relay"):
            with (self._state / f"{name}.log").open("ab") as log:
                command = [sys.executable, "-m", f"jobs.{name}"]
                child = subprocess.Popen(command, env=environment, cwd=HOME, stdout=log, stderr=log)
                self._children.append(child)

    def cpu_s(self) -> float:
        """Processor seconds of both since they began."""
        return sum(spent_ms(child.pid) for child in self._children) / 1000

    def stop(self) -> None:
        """Ends both, by force where they do not end."""
        for child in self._children:
            child.send_signal(signal.SIGTERM)
        for child in self._children:
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)
        self._children = []
