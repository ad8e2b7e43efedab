"""Figures for Prometheus: requests by operation and status of all api processes, queues, and the last backup.

Every api process keeps its counts in a file of the state folder, at most once a second; whichever of them is asked adds
all files up, those of processes that died included, so that no counter runs backwards. Format: prometheus.io,
exposition formats, text 0.0.4. Nothing personal is in it.
"""

import bisect
import contextlib
import hmac
import json
import logging
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from fastapi import APIRouter, Request, Response

from api import installation
from api.house import Here, Rooms
from api.shedding import KINDS
from dispatch.adapters.logs import entry
from dispatch.domain.errors import NotFound
from dispatch.settings import Settings
from dispatch.store.queries.operations import RELAY_LEADER, RELAYS, WORKERS

endpoints = APIRouter(tags=["service"])

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
WRITE_EVERY_S = 1.0
KEPT_S = 86_400.0
_TIMEOUT_MS = 2000

_GAUGES = f"""
  select 'todo', count(*)::float8 from procrastinate_jobs where status = 'todo'
  union all select 'doing', count(*) from procrastinate_jobs where status = 'doing'
  union all select 'failed', count(*) from procrastinate_jobs where status = 'failed'
  union all select 'outbox', count(*) from outbox
  union all select 'timers_overdue', count(*) from timers where due_at < %(now)s
  union all select 'timers_late_s', coalesce(extract(epoch from %(now)s - min(due_at)), 0) from timers
    where due_at < %(now)s
  union all select 'oldest_job_s', coalesce(extract(epoch from clock_timestamp() - min(e.at)), 0)
    from procrastinate_jobs j join procrastinate_events e on e.job_id = j.id and e.type = 'deferred'
    where j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= clock_timestamp())
  union all select 'workers', ({WORKERS})
  union all select 'relays', ({RELAYS})
"""


class Counted:
    """ASGI middleware: counts every request by its operation and status, and how long it took; a line of the log
    each, with the route's template and never the path, which may hold a customer's link."""

    def __init__(self, app: Callable[..., Awaitable[None]], folder: Path) -> None:
        self.app = app
        self._file = folder / f"api-{os.getpid()}-{time.time_ns()}.json"
        self._requests: Counter[str] = Counter()
        self._buckets: dict[str, list[float]] = {}
        self._written = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("api-*.json"):
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > KEPT_S:
                    old.unlink()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.monotonic(), 500

        async def answered(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, answered)
        finally:
            route, took_s = scope.get("route"), time.monotonic() - began
            operation = scope.get("shed") or getattr(route, "operation_id", None) or "none"
            self.count(operation, status, took_s)
            entry(
                "request",
                level_of(status),
                tenant=scope.get("state", {}).get("tenant_id"),
                method=scope["method"],
                route=getattr(route, "path", None),
                operation=operation,
                status=status,
                ms=round(took_s * 1000, 1),
            )

    def count(self, operation: str, status: int, took_s: float) -> None:
        """One request more; the file follows within a second of requests."""
        self._requests[f"{operation} {status}"] += 1
        row = self._buckets.setdefault(operation, [0.0] * (len(BUCKETS_S) + 2))
        row[bisect.bisect_left(BUCKETS_S, took_s)] += 1
        row[-1] += took_s
        if time.monotonic() - self._written >= WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        self._written = time.monotonic()
        fresh = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk must not fail a request
            fresh.write_text(json.dumps({"requests": self._requests, "buckets": self._buckets}))
            fresh.replace(self._file)


def level_of(status: int) -> int:
    """A request's level in the log: refusals are ordinary, an overload's too; a bug is an error."""
    if status < 500 or status == 503:
        return logging.INFO
    return logging.ERROR if status == 500 else logging.WARNING


@endpoints.get("/metrics", operation_id="metrics", include_in_schema=False)
def metrics(here: Here, request: Request) -> Response:
    """Only with the token of the settings; without one there is no such page."""
    token = here.settings.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not token or not hmac.compare_digest(given.encode(), token.encode()):
        raise NotFound("not_found")
    lines = [*_requests(folder_of(here.settings)), *_queues(here.settings, here.house.now()), *_host(here)]
    return Response("\n".join([*lines, ""]), media_type="text/plain; version=0.0.4")


def folder_of(settings: Settings) -> Path:
    return settings.state / "metrics"


def counted(folder: Path) -> tuple[Counter[str], dict[str, list[float]]]:
    """Requests by `operation status`, and their times by operation, of all api processes of this host."""
    requests: Counter[str] = Counter()
    buckets: dict[str, list[float]] = {}
    for file in folder.glob("api-*.json"):
        with contextlib.suppress(OSError, ValueError):
            told = json.loads(file.read_text())
            requests.update(told["requests"])
            for operation, row in told["buckets"].items():
                known = buckets.setdefault(operation, [0.0] * len(row))
                buckets[operation] = [a + b for a, b in zip(known, row, strict=True)]
    return requests, buckets


def shed_of(requests: Counter[str]) -> dict[str, int]:
    """Requests refused because of the load, by kind."""
    return {kind: requests[f"shed_{kind} 503"] for kind, _ in KINDS}


def _requests(folder: Path) -> Iterator[str]:
    requests, buckets = counted(folder)
    yield "# TYPE paidan_requests_total counter"
    for key, total in sorted(requests.items()):
        operation, _, status = key.partition(" ")
        yield f'paidan_requests_total{{operation="{operation}",status="{status}"}} {total}'
    yield "# TYPE paidan_shed_total counter"
    for kind, total in shed_of(requests).items():
        yield f'paidan_shed_total{{kind="{kind}"}} {total}'
    yield "# TYPE paidan_request_seconds histogram"
    for operation, row in sorted(buckets.items()):
        running = 0.0
        for limit, count in zip((*map(str, BUCKETS_S), "+Inf"), row, strict=False):
            running += count
            yield f'paidan_request_seconds_bucket{{operation="{operation}",le="{limit}"}} {running:.0f}'
        yield f'paidan_request_seconds_count{{operation="{operation}"}} {running:.0f}'
        yield f'paidan_request_seconds_sum{{operation="{operation}"}} {row[-1]:.6f}'


def _queues(settings: Settings, now: Any) -> Iterator[str]:
    """Queues of the whole installation, read as the relay: its role sees pointers and timers, and no ticket."""
    try:
        with psycopg.connect(
            settings.database_relay_url,
            autocommit=True,
            connect_timeout=2,
            options=f"-c statement_timeout={_TIMEOUT_MS}",
        ) as db:
            found: dict[str, float] = dict(
                db.execute(_GAUGES, {"now": now, "leader": RELAY_LEADER}).fetchall()
            )
    except psycopg.Error:
        found = {}
    yield "# TYPE paidan_database_up gauge"
    yield f"paidan_database_up {1 if found else 0}"
    if not found:
        return
    yield "# TYPE paidan_jobs gauge"
    for status in ("todo", "doing", "failed"):
        yield f'paidan_jobs{{status="{status}"}} {found.get(status, 0):.0f}'
    for name, key in (
        ("outbox_rows", "outbox"),
        ("timers_overdue", "timers_overdue"),
        ("timers_late_seconds", "timers_late_s"),
        ("oldest_job_seconds", "oldest_job_s"),
        ("workers", "workers"),
        ("relays", "relays"),
    ):
        yield f"# TYPE paidan_{name} gauge"
        yield f"paidan_{name} {float(found[key]):.3f}"


def _host(here: Rooms) -> Iterator[str]:
    """This host's disk and roads, and the last backup."""
    disk, roads = installation.disk_of(here.settings), installation.roads_of(here)["status"]
    yield "# TYPE paidan_disk_free_ratio gauge"
    yield f"paidan_disk_free_ratio {disk['free_bytes'] / max(1, disk['total_bytes']):.4f}"
    if roads != "none":
        yield "# TYPE paidan_roads_up gauge"
        yield f"paidan_roads_up {1 if roads == 'answering' else 0}"
    backup = installation.backup_of(here.settings) or {}
    for name, at in (("", backup.get("made_at")), ("verified_", backup.get("verified_at"))):
        yield f"# TYPE paidan_last_backup_{name}timestamp_seconds gauge"
        yield f"paidan_last_backup_{name}timestamp_seconds {at.timestamp() if at else 0:.0f}"
