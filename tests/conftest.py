"""A migrated PostGIS for every test that asks: one template, cloned for each pytest process.

The cluster is private to the tests and shared by all runs of this checkout; databases carry the process id of
the run that made them, so runs side by side do not meet and what a killed run left is dropped.
"""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.command_line.cluster import Cluster
from api.command_line.database import versions_digest
from api.command_line.environment import HOME, default_state
from api.command_line.front_end import ensure_built

#: Tests kill processes, never the machine: without fsync a SIGKILL still loses nothing.
TEST_CLUSTER = {"fsync": "off", "full_page_writes": "off", "max_connections": "300", "max_wal_size": "1GB"}


@dataclass(frozen=True)
class Database:
    """One database of the test cluster and its addresses by role."""

    name: str
    app_url: str
    owner_url: str
    relay_url: str
    superuser_url: str

    @classmethod
    def of(cls, cluster: Cluster, name: str) -> "Database":
        roles = ("paidan_app", "paidan_owner", "paidan_relay", "postgres")
        return cls(name, *(cluster.url(role, name) for role in roles))

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point a process of the product at this database."""
        return {
            "PAIDAN_DATABASE_URL": self.app_url,
            "PAIDAN_DATABASE_OWNER_URL": self.owner_url,
            "PAIDAN_DATABASE_RELAY_URL": self.relay_url,
        }


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The running test cluster."""
    state = Path(os.environ.get("PAIDAN_TEST_STATE") or default_state() / "test")
    with Cluster(state, TEST_CLUSTER).in_use() as running:
        yield running


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a database migrated to head; made once per content of alembic/versions."""
    name = f"paidan_template_{versions_digest()[:12]}"
    with (cluster.state / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        drop_leftovers(cluster, keep=name)
        with cluster.connect() as db:
            if db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return name
            db.execute(f'DROP DATABASE IF EXISTS "{name}_new"')
            db.execute(f'CREATE DATABASE "{name}_new" OWNER paidan_owner')
            migrate(Database.of(cluster, f"{name}_new"))
            db.execute(f'ALTER DATABASE "{name}_new" RENAME TO "{name}"')
    return name


@pytest.fixture(scope="session")
def database(cluster: Cluster, template: str) -> Iterator[Database]:
    """This process's own database, shared by its tests: each test works in a tenant of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    yield from clone(cluster, template, f"paidan_test_{os.getpid()}_{worker}")


@pytest.fixture
def fresh_database(cluster: Cluster, template: str) -> Iterator[Database]:
    """A database for one test alone: for tests that run the product's processes or change the schema."""
    yield from clone(cluster, template, f"paidan_test_{os.getpid()}_fresh")


@pytest.fixture(scope="session")
def database_url(database: Database) -> str:
    """The application role's address."""
    return database.app_url


@pytest.fixture(scope="session")
def database_owner_url(database: Database) -> str:
    """The migrating role's address."""
    return database.owner_url


@pytest.fixture(scope="session")
def database_relay_url(database: Database) -> str:
    """The relay role's address."""
    return database.relay_url


@pytest.fixture(scope="session")
def pages() -> None:
    """The built pages of web/, for tests that open them."""
    ensure_built()


def clone(cluster: Cluster, template: str, name: str) -> Iterator[Database]:
    """A copy of the template for as long as the generator is open."""
    with cluster.connect() as db:
        db.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER paidan_owner')
        yield Database.of(cluster, name)
        db.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def drop_leftovers(cluster: Cluster, keep: str) -> None:
    """Drops the databases of runs that are gone and, when no run is left, templates of other migrations."""
    with cluster.connect() as db:
        names = [name for (name,) in db.execute("SELECT datname FROM pg_database").fetchall()]
        tests = [name for name in names if name.startswith("paidan_test_")]
        dead = [name for name in tests if not Path(f"/proc/{name.split('_')[2]}").exists()]
        old = [name for name in names if name.startswith("paidan_template_") and name != keep]
        for name in dead + (old if len(dead) == len(tests) else []):
            db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def migrate(database: Database) -> None:
    """`alembic upgrade head` as the owner's role."""
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(HOME / "alembic.ini"), "upgrade", "head"],
        cwd=HOME,
        env=os.environ | database.environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `alone` never run beside each other."""
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group("alone"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skipped test proves nothing: it fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
