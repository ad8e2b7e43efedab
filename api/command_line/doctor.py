"""`./paidan doctor`: looks at everything the product stands on, and says how to mend what is wrong."""

import argparse
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.command_line.cluster import ClusterError, find_binaries
from api.command_line.database import VERSIONS, connect, current_revision
from api.command_line.environment import HOME, Environment, read_environment
from api.command_line.front_end import is_built
from api.command_line.machine import SYSTEM, VENV, find_chromium
from api.command_line.problems import CommandError
from api.command_line.processes import is_alive
from api.command_line.supervisor import read_run
from dispatch.settings import DESCRIPTIONS, SettingsError, read_settings

FREE_BYTES = 2_000_000_000
POSTGIS = (3, 0)
POSTGRESQL = 140000
ROLES = ("paidan_owner", "paidan_app", "paidan_relay")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `mend` is empty when it is well; `needed` is False for what few commands want."""

    name: str
    found: str
    mend: str = ""
    needed: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints a line for each thing; exit code 1 when something needed is wrong."""
    findings: list[Finding] = []
    try:
        environment = read_environment(os.environ, args.env_file)
    except CommandError as error:
        print(f"FAULT  settings: {error}")
        return 1
    for check in (check_machine, check_packages, check_settings, check_ports, check_database):
        findings += check(environment)
    for finding in findings:
        mark = "ok" if not finding.mend else "FAULT" if finding.needed else "note"
        print(
            f"{mark:<6} {finding.name}: {finding.found}"
            + (f"\n       → {finding.mend}" if finding.mend else "")
        )
    faults = sum(1 for finding in findings if finding.mend and finding.needed)
    print(f"{faults} faults" if faults else "all well")
    return 1 if faults else 0


def check_machine(environment: Environment) -> Iterator[Finding]:
    """Python, PostgreSQL, fonts, browser, disk."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", version, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")
    try:
        yield Finding("PostgreSQL with PostGIS", str(find_binaries()))
    except ClusterError as error:
        yield Finding(
            "PostgreSQL with PostGIS", "missing", str(error), needed=environment.cluster is not None
        )
    font = SYSTEM["font"]
    yield Finding(
        "Chinese font",
        "present" if font.present() else "missing",
        "" if font.present() else f"apt-get install {' '.join(font.packages)} ({font.purpose})",
    )
    chromium = find_chromium()
    yield Finding(
        "Chromium",
        chromium or "missing",
        "" if chromium else "apt-get install chromium (browser tests)",
        needed=False,
    )
    folder = environment.state
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    yield Finding(
        "Disk", f"{free / 1e9:.1f} GB free at {folder}",
        "" if free > FREE_BYTES else "free some space, or set PAIDAN_STATE to a larger disk",
    )  # fmt: skip
    writable = os.access(folder, os.W_OK)
    yield Finding(
        "State folder", str(environment.state), "" if writable else "make it writable, or set PAIDAN_STATE"
    )


def check_packages(environment: Environment) -> Iterator[Finding]:
    """The locked Python packages and the built pages."""
    stamp = VENV / ".stamp"
    current = stamp.exists() and stamp.read_text() == (HOME / "requirements.lock").read_text()
    yield Finding(
        "Python packages",
        "as locked" if current else "not as locked",
        "" if current else "run ./paidan again",
    )
    fresh = is_built()
    yield Finding(
        "Pages", "built" if fresh else "not built from these sources",
        "" if fresh else "./paidan demo and ./paidan serve build them", needed=False,
    )  # fmt: skip


def check_settings(environment: Environment) -> Iterator[Finding]:
    """Whether the product would start with these settings."""
    unknown = sorted(
        set(environment.variables) - set(DESCRIPTIONS) - {"PAIDAN_ENV_FILE", "PAIDAN_TEST_STATE"}
    )
    if unknown:
        mend = "a slip of the pen? README.md lists the settings"
        yield Finding("Settings", f"{', '.join(unknown)}: nothing reads it", mend, needed=False)
    mode = "the demo's" if environment.demo else "your own"
    if not environment.demo and not environment.variables.get("PAIDAN_SECRET_KEY"):
        mend = "set PAIDAN_SECRET_KEY and PAIDAN_DATA_KEY for ./paidan serve; ./paidan demo makes its own"
        yield Finding("Settings", "none yet", mend, needed=False)
        return
    try:
        read_settings(environment.variables)
    except SettingsError as error:
        yield Finding(
            "Settings",
            f"{mode}: {error}",
            "set it in the environment or in --env-file; the demo makes its own",
        )
    else:
        yield Finding("Settings", f"{mode}, complete")


def check_ports(environment: Environment) -> Iterator[Finding]:
    """Whether the port is ours or free."""
    running = read_run(environment.state)
    if running and is_alive(running["supervisor"]):
        yield Finding("Running", f"{running['mode']} at http://{running['host']}:{running['port']}")
        return
    with socket.socket() as probe:
        probe.settimeout(1)
        taken = probe.connect_ex(("127.0.0.1", 8080)) == 0
    yield Finding(
        "Port 8080",
        "taken by another program" if taken else "free",
        "use --port" if taken else "",
        needed=False,
    )


def check_database(environment: Environment) -> Iterator[Finding]:
    """Reachable as each role, with its extensions, marks and migrations."""
    cluster = environment.cluster
    if cluster is not None and cluster.server_pid() is None:
        yield Finding(
            "Database", "the private cluster is not running; ./paidan demo and ./paidan serve start it"
        )
        return
    for role, name in zip(ROLES, ("OWNER_URL", "URL", "RELAY_URL"), strict=True):
        url = environment.variables[f"PAIDAN_DATABASE_{name}"]
        try:
            connect(url).close()
        except CommandError as error:
            yield Finding(
                f"Database as {role}", str(error), f"check PAIDAN_DATABASE_{name} and setup/database.sql"
            )
            return
        yield Finding(f"Database as {role}", "answers")
    with connect(environment.variables["PAIDAN_DATABASE_OWNER_URL"]) as db:
        for check in (check_versions, check_leakproof, check_roles, check_migrations):
            yield from check(db)


def check_versions(db: Any) -> Iterator[Finding]:
    """PostgreSQL, PostGIS, btree_gist."""
    version = db.info.server_version
    yield Finding(
        "PostgreSQL", str(version), "" if version >= POSTGRESQL else "PostgreSQL 14 or newer is needed"
    )
    installed = dict(db.execute("SELECT extname, extversion FROM pg_extension").fetchall())
    script = "a superuser runs setup/database.sql on this database"
    postgis = tuple(int(part) for part in installed.get("postgis", "0.0").split(".")[:2])
    yield Finding("PostGIS", installed.get("postgis", "missing"), "" if postgis >= POSTGIS else script)
    yield Finding(
        "btree_gist", installed.get("btree_gist", "missing"), "" if "btree_gist" in installed else script
    )


def check_leakproof(db: Any) -> Iterator[Finding]:
    """Without these marks a search by distance or by words reads the whole table under row-level security."""
    (count,) = db.execute(
        "SELECT count(*) FROM pg_proc WHERE proleakproof"
        " AND proname IN ('geography_overlaps', 'st_dwithin', 'arraycontains')"
    ).fetchone()
    yield Finding(
        "Leak-proof marks", f"{count} functions",
        "" if count >= 3 else "a superuser runs setup/database.sql on this database",
    )  # fmt: skip


def check_roles(db: Any) -> Iterator[Finding]:
    """The application may neither own tables nor step around row-level security."""
    rows = db.execute(
        "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles"
        " WHERE rolname IN ('paidan_app', 'paidan_relay')"
    ).fetchall()
    strong = [name for name, is_strong in rows if is_strong]
    yield Finding(
        "Roles", f"{', '.join(strong)} may pass row security" if strong else "bound by row security",
        "a superuser runs setup/database.sql on this database" if strong else "",
    )  # fmt: skip


def check_migrations(db: Any) -> Iterator[Finding]:
    """Whether the schema is the one this checkout expects."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(Config(str(VERSIONS.parents[1] / "alembic.ini"))).get_current_head()
    at = current_revision(db)
    yield Finding(
        "Migrations",
        f"at {at}",
        "" if at == head else f"{head} is due: ./paidan serve and ./paidan demo migrate",
    )
