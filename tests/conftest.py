"""A migrated PostGIS for every test that asks: one template, cloned for each pytest process.

The cluster is private to the tests and shared by all runs of this checkout; databases carry the process id of
the run that made them, so runs side by side do not meet and what a killed run left is dropped.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from api.command_line.cluster import Cluster
from api.command_line.database import versions_digest
from api.command_line.environment import default_state
from api.command_line.front_end import ensure_built
from tests.databases import Database, clone, drop_leftovers, migrate

if TYPE_CHECKING:
    from tests.house import Product, Town

#: Tests kill processes, never the machine: without fsync a SIGKILL still loses nothing.
TEST_CLUSTER = {"fsync": "off", "full_page_writes": "off", "max_connections": "300", "max_wal_size": "1GB"}


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
    for made in clone(cluster, template, f"paidan_test_{os.getpid()}_{worker}"):
        _shared.append(made)
        yield made
        _shared.remove(made)


_shared: list[Database] = []


@pytest.fixture(scope="module", autouse=True)
def nothing_left_to_do() -> None:
    """What the tests of another file left to relay, to time or to work off is no business of this one's."""
    for made in _shared:
        with psycopg.connect(made.superuser_url, autocommit=True) as db:
            db.execute("truncate outbox, timers, procrastinate_jobs cascade")


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


@pytest.fixture(scope="session")
def product(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Product"]:
    """The application over this process's database, its background work done on demand."""
    from tests.house import Product

    made = Product(database, tmp_path_factory.mktemp("state"))
    yield made
    made.close()


@pytest.fixture
def town(product: "Product") -> "Town":
    """A company of its own for each test."""
    return product.company()


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
