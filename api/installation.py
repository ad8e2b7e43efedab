"""What is true of the installation on this host, whoever's company asks: backups, disk, roads, versions, processes."""

import contextlib
import json
import platform
import shutil
import tomllib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from api.command_line.database import newest_revision
from api.command_line.processes import is_alive
from api.command_line.supervisor import read_run
from api.house import Rooms
from dispatch.adapters.roads import RoadsAway
from dispatch.settings import Settings
from geo.points import Point

HOME = Path(__file__).resolve().parent.parent
ROAD_FILE = "graph.roads"


def backup_of(settings: Settings) -> dict[str, Any] | None:
    """When the last backup was made and what was in it, and when one was last restored on trial."""
    kept = settings.state / "last-backup"
    try:
        made_at = datetime.fromtimestamp(kept.stat().st_mtime, UTC)
        told = json.loads(kept.read_text())
    except OSError:
        return None
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    return {
        "made_at": made_at,
        "tickets": told.get("tickets"),
        "bytes": told.get("bytes"),
        "missing_photos": told.get("missing"),
        "verified_at": _modified(settings.state / "last-verified"),
    }


def disk_of(settings: Settings) -> dict[str, int]:
    """Bytes of the disk that holds the state folder: cluster, photos, logs."""
    there = settings.state if settings.state.exists() else Path("/")
    usage = shutil.disk_usage(there)
    return {"free_bytes": usage.free, "total_bytes": usage.total}


def roads_of(here: Rooms) -> dict[str, Any]:
    """`none` before an import, `answering`, or `away`: travel times are estimates then."""
    imported_at = _modified(here.settings.roads_dir / ROAD_FILE)
    status = "none"
    if imported_at is not None and here.house.roads is not None:
        nowhere = Point(0.0, 0.0)
        try:
            here.house.roads.to_one([nowhere], nowhere, hour=12)
            status = "answering"
        except RoadsAway:
            status = "away"
    return {"status": status, "imported_at": imported_at}


@cache
def product_version() -> str:
    """The version of this code, with the commit where it is a checkout."""
    told = tomllib.loads((HOME / "pyproject.toml").read_text())
    commit = _commit(HOME / ".git")
    return f"{told['project']['version']}+{commit[:10]}" if commit else str(told["project"]["version"])


def versions_of(found: dict[str, Any]) -> dict[str, Any]:
    return {
        "product": product_version(),
        "migration": found["migration"],
        "migration_known": newest_revision(),
        "postgres": found["postgres"],
        "python": platform.python_version(),
    }


def processes_of(settings: Settings) -> list[dict[str, Any]]:
    """Those `./paidan serve` or `demo` looks after on this host."""
    running = read_run(settings.state) or {}
    return [
        {"name": each["name"], "alive": is_alive(each), "restarts": each["restarts"]}
        for each in running.get("processes", [])
    ]


def _commit(folder: Path) -> str | None:
    with contextlib.suppress(OSError):
        head = (folder / "HEAD").read_text().strip()
        return (folder / head[5:]).read_text().strip() if head.startswith("ref: ") else head
    return None


def _modified(path: Path) -> datetime | None:
    with contextlib.suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return None
