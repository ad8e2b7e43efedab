"""Databases for tests: cloned from a migrated template, dropped when their run has gone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.command_line.cluster import Cluster
from api.command_line.environment import HOME


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
