"""The private cluster: made once, shared, stopped by the last, up again after a kill."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from api.command_line.cluster import Cluster
from api.command_line.environment import HOME

SMALL = {"shared_buffers": "16MB", "max_connections": "20", "fsync": "off"}


def quiet(_text: str) -> None:
    """Progress nobody reads."""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder that the server's account can reach, with a space in its name."""
    folder = tmp_path_factory.mktemp("a state")
    for parent in [folder, *folder.parents][:4]:
        if parent.stat().st_uid == os.getuid() and parent != Path("/tmp"):
            parent.chmod(0o755)
    yield folder
    Cluster(folder).destroy()


@pytest.fixture
def cluster(state: Path) -> Cluster:
    return Cluster(state, SMALL)


def test_two_starts_at_once_make_one_cluster(cluster: Cluster, state: Path) -> None:
    failures: list[Exception] = []

    def use() -> None:
        try:
            with Cluster(state, SMALL).in_use(quiet) as running, running.connect() as db:
                db.execute("SELECT pg_sleep(0.3)")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cluster.server_pid() is None


def test_the_last_to_leave_stops_the_server(cluster: Cluster, state: Path) -> None:
    with cluster.in_use(quiet):
        with Cluster(state, SMALL).in_use(quiet):
            pass
        assert cluster.answers()
    assert cluster.server_pid() is None


def test_nothing_listens_on_the_network(cluster: Cluster) -> None:
    with cluster.in_use(quiet), cluster.connect() as db:
        assert db.execute("SHOW listen_addresses").fetchone() == ("",)
    assert cluster.socket.stat().st_mode & 0o077 == 0


def test_the_server_is_up_again_after_a_kill_and_has_lost_nothing(cluster: Cluster) -> None:
    with cluster.in_use(quiet):
        cluster.ensure_database("kept")
        with cluster.connect("kept") as db:
            db.execute("CREATE TABLE t AS SELECT 1 AS a")
        first = cluster.server_pid()
        cluster.kill()
        deadline = time.monotonic() + 10
        while cluster.answers():
            assert time.monotonic() < deadline
        cluster.start(quiet)
        assert cluster.server_pid() != first
        with cluster.connect("kept") as db:
            assert db.execute("SELECT a FROM t").fetchone() == (1,)


def test_a_new_database_has_extensions_marks_and_roles(cluster: Cluster) -> None:
    with cluster.in_use(quiet):
        cluster.ensure_database("fresh")
        with psycopg.connect(cluster.url("paidan_owner", "fresh")) as db:
            extensions = {name for (name,) in db.execute("SELECT extname FROM pg_extension")}
            assert {"postgis", "btree_gist"} <= extensions
            marked = db.execute(
                "SELECT bool_and(proleakproof) FROM pg_proc WHERE oid IN"
                " ('geography_overlaps(geography,geography)'::regprocedure,"
                "  'st_dwithin(geography,geography,float8,boolean)'::regprocedure,"
                "  'arraycontains(anyarray,anyarray)'::regprocedure)"
            ).fetchone()
            assert marked == (True,)
            db.execute("CREATE TABLE own (a int)")
        with psycopg.connect(cluster.url("paidan_app", "fresh")) as db:
            strength = (
                "SELECT rolsuper OR rolbypassrls OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
            )
            assert db.execute(strength).fetchone() == (False,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute("CREATE TABLE not_mine (a int)")


def test_the_script_for_an_outside_database_may_run_again(cluster: Cluster) -> None:
    with cluster.in_use(quiet):
        cluster.ensure_database("outside", owner="postgres")
        with cluster.connect("outside") as db:
            for _ in range(2):
                db.execute((HOME / "setup" / "database.sql").read_text())
            owner = db.execute(
                "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'outside'"
            ).fetchone()
    assert owner == ("paidan_owner",)


def test_a_cluster_whose_making_was_cut_short_is_made_anew(tmp_path: Path, state: Path) -> None:
    half = Cluster(state / "half", SMALL)
    half.data.mkdir(parents=True)
    (half.data / "PG_VERSION").write_text("15\n")
    with half.in_use(quiet):
        assert half.answers()
    half.destroy()


def test_the_lock_ends_with_a_killed_user(cluster: Cluster, state: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from api.command_line.cluster import Cluster\n"
        f"with Cluster(Path(sys.argv[1]), {SMALL!r}).in_use(): print('up', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", code, str(state)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(HOME)},
    )
    assert user.stdout is not None
    assert b"up\n" in user.stdout  # progress is said before it where a machine is slow
    user.kill()
    user.wait()
    assert cluster.answers()
    with cluster.in_use(quiet):
        pass
    assert cluster.server_pid() is None
