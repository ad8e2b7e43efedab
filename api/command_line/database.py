"""Brings a database to the newest migration, and says what it lacks."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from api.command_line.cluster import SETUP_SQL
from api.command_line.environment import HOME, Environment
from api.command_line.problems import CommandError
from api.command_line.progress import say, step

VERSIONS = HOME / "alembic" / "versions"
MIGRATION_LOCK = 7_302_026  # an advisory lock's key: hosts that start together migrate one after the other
MIGRATE_TIMEOUT_S = 900
LOCK_TIMEOUT, LOCK_TRIES, LOCK_PAUSE_S = "4s", 6, 1.0


@contextmanager
def database_ready(environment: Environment) -> Iterator[None]:
    """A database of the newest schema for as long as the block lasts; the private cluster runs meanwhile."""
    if environment.cluster is None:
        migrate(environment.variables, environment.state)
        yield
        return
    with environment.cluster.in_use(say) as cluster:
        cluster.ensure_database(environment.database)
        migrate(environment.variables, environment.state)
        yield


def migrate(variables: Mapping[str, str], state: Path) -> None:
    """Runs the migrations that are missing. Raises CommandError with alembic's last lines.

    What was found is remembered per database address, so that an unchanged one costs one query.
    """
    url = variables["PAIDAN_DATABASE_OWNER_URL"]
    digest = versions_digest()
    remembered = state / f"migrated-{hashlib.sha256(url.encode()).hexdigest()[:10]}"
    with connect(url) as db:
        if remembered.exists() and remembered.read_text() == f"{digest} {current_revision(db)}":
            return
        db.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        if current_revision(db) != newest_revision():
            with step("migrating the database"):
                alembic(variables, "upgrade", "head")
        state.mkdir(parents=True, exist_ok=True)
        remembered.write_text(f"{digest} {current_revision(db)}")


def alembic(variables: Mapping[str, str], *words: str) -> None:
    """Runs alembic as the owner; a lock that somebody holds is asked for again, LOCK_TRIES times in all, so that
    nobody who uses the product waits longer than LOCK_TIMEOUT behind a migration. Raises CommandError."""
    command = [
        sys.executable,
        "-m",
        "alembic",
        "-c",
        str(HOME / "alembic.ini"),
        "-x",
        f"lock_timeout={LOCK_TIMEOUT}",
    ]
    for attempt in range(1, LOCK_TRIES + 1):
        done = subprocess.run(
            [*command, *words], cwd=HOME, env=os.environ | variables, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=MIGRATE_TIMEOUT_S,
        )  # fmt: skip
        said = done.stdout + done.stderr
        if done.returncode == 0:
            return
        if "LockNotAvailable" not in said or attempt == LOCK_TRIES:
            tail = "\n  ".join(said.splitlines()[-15:])
            raise CommandError(f"the migrations failed:\n  {tail}")
        time.sleep(LOCK_PAUSE_S * attempt)


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection that commits by itself. Raises CommandError when the database does not answer."""
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise CommandError(f"the database does not answer: {error}".strip()) from error


def current_revision(db: psycopg.Connection[Any]) -> str | None:
    """The migration a database stands at, or None when it has never been migrated."""
    if db.execute("SELECT to_regclass('public.alembic_version')").fetchone() == (None,):
        return None
    row = db.execute("SELECT version_num FROM public.alembic_version").fetchone()
    return None if row is None else str(row[0])


def newest_revision() -> str:
    """The last migration of this code; their files begin with their numbers."""
    return max(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def versions_digest() -> str:
    """A hash over the migrations' names and contents, and what a superuser does before them."""
    digest = hashlib.sha256(SETUP_SQL.read_bytes())
    for path in sorted(VERSIONS.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
