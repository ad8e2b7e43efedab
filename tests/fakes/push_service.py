"""The product's own local push service, run in a thread for tests."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from api.command_line.fake_fcm import create_app, read_public_key, write_service_account


@dataclass(frozen=True)
class PushService:
    url: str
    account_path: Path

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        return httpx.get(f"{self.url}/log", params={"since": since}, timeout=5).json()["messages"]


@contextmanager
def running_push_service(folder: Path, slow_s: float = 10.0) -> Iterator[PushService]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    path = folder / "account.json"
    write_service_account(path, port)
    app = create_app(read_public_key(path), slow_s=slow_s)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    end = time.monotonic() + 10
    while not server.started and time.monotonic() < end:
        time.sleep(0.01)
    try:
        yield PushService(f"http://127.0.0.1:{port}", path)
    finally:
        server.should_exit = True
        thread.join(timeout=5)
