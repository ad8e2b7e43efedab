"""A private PostgreSQL + PostGIS cluster: unix socket only, in a folder of the product.

Whoever uses the cluster holds a shared lock on its `users.lock`; the last one to leave stops it, so
a demo and an import may share it and neither pulls it away from the other.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from api.command_line.problems import CommandError

if TYPE_CHECKING:  # commands that need no database do not wait for it
    import psycopg

SETUP_SQL = Path(__file__).resolve().parents[2] / "setup" / "database.sql"
SOCKET_PATH_LIMIT = 85  # bytes: the kernel takes 107 with PostgreSQL's file name behind it
START_TRIES = 6
START_TIMEOUT_S = 60

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


class ClusterError(CommandError):
    """The private cluster cannot be made or started; the text says why and what to do."""


def find_binaries() -> Path:
    """The folder of the newest PostgreSQL server that has PostGIS 3. Raises ClusterError without one."""
    found = [
        folder
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if (folder.parent / "lib" / "postgis-3.so").exists() and (folder / "initdb").exists()
    ]
    if not found:
        raise ClusterError(
            "PostgreSQL with PostGIS 3 is not installed: apt-get install postgresql postgresql-postgis"
        )
    return max(found, key=lambda folder: float(folder.parent.name))


class Cluster:
    """One private cluster below a state folder. `settings` are added to PostgreSQL's command line."""

    def __init__(self, state: Path, settings: dict[str, str] | None = None) -> None:
        self.state = state
        self.data = state / "pg"
        self.log = state / "logs" / "postgresql.log"
        self.socket = socket_folder(state)
        self.settings = SETTINGS | (settings or {})

    def url(self, role: str, database: str = "paidan") -> str:
        """A libpq address for a role; libpq and SQLAlchemy both read it."""
        return f"postgresql://{role}@/{database}?host={self.socket}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[Any]":
        """A superuser connection that commits by itself."""
        import psycopg

        return psycopg.connect(self.url("postgres", database), autocommit=True, connect_timeout=5)

    def server_pid(self) -> int | None:
        """The running server's process id, or None. A stale postmaster.pid does not count."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if b"postgres" in command and os.fsencode(self.data) in command else None

    def answers(self) -> bool:
        """Whether a connection can be made now."""
        import psycopg

        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    @contextmanager
    def in_use(self, progress: Callable[[str], None] = print) -> Iterator["Cluster"]:
        """Runs the cluster for as long as the block lasts, and longer while others use it."""
        self._make_folders()
        with (self.state / "users.lock").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_SH)
            self.start(progress)
            try:
                yield self
            finally:
                self._stop_if_last(users)

    def start(self, progress: Callable[[str], None] = print) -> None:
        """Makes the cluster when it is new and starts it when it is not running. Raises ClusterError."""
        self._make_folders()
        with (self.state / "start.lock").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if not (self.server_pid() and self.answers()):
                binaries = find_binaries()
                if not self._marker.exists():
                    progress("database: making a private PostgreSQL cluster")
                    self._create(binaries)
                self._start_server(binaries)
            self._prepare()

    def keep_running(self, progress: Callable[[str], None]) -> None:
        """Starts the server again when something has killed it. Raises ClusterError when it stays down."""
        if self.server_pid() is None:
            progress("the database server has died; starting it again")
            self.start(progress)

    def stop(self) -> None:
        """Stops the server if it runs; open connections are cut, nothing committed is lost."""
        if self.server_pid() is None:
            return
        self._run(find_binaries() / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "-t", "20", "stop")

    def kill(self) -> None:
        """SIGKILL to the server and all its processes at once, as a power cut would (fault tests)."""
        pid = self.server_pid()
        if pid is None:
            return
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in [pid, *map(int, children)]:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def destroy(self) -> None:
        """Stops the server and removes its data."""
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.socket, ignore_errors=True)

    def ensure_database(self, name: str, owner: str = "paidan_owner") -> bool:
        """Creates a database from the prepared template; False when it was there already."""
        with self.connect() as db:
            if db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
            db.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        return True

    def _stop_if_last(self, users: IO[str]) -> None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        self.stop()

    def _make_folders(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "logs").mkdir(exist_ok=True)
        self.socket.mkdir(mode=0o700, exist_ok=True)
        account = server_account()
        if self.socket.stat().st_uid not in (0, os.getuid(), account.pw_uid):
            raise ClusterError(f"{self.socket} belongs to somebody else: remove it or set PAIDAN_STATE")
        self.log.touch()
        if os.getuid() == 0:
            for path in (self.socket, self.log):
                os.chown(path, account.pw_uid, account.pw_gid)

    def _create(self, binaries: Path) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # a set-up that was cut short leaves half a cluster
        self.data.mkdir(mode=0o700)
        account = server_account()
        os.chown(self.data, account.pw_uid, account.pw_gid)
        self._run(
            binaries / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        )  # fmt: skip

    def _start_server(self, binaries: Path) -> None:
        options = " ".join(f"-c {key}='{value}'" for key, value in self.settings.items())
        for attempt in range(START_TRIES):
            try:
                self._run(
                    binaries / "pg_ctl", "-D", self.data, "-w", "-t", str(START_TIMEOUT_S), "-l", self.log,
                    "-o", f"{options} -k '{self.socket}'", "start",
                )  # fmt: skip
                return
            except ClusterError:
                # After kill -9 the old server's processes may hold its memory for a moment.
                if attempt == START_TRIES - 1:
                    raise
                time.sleep(min(2.0, 0.5 * 2**attempt))

    def _prepare(self) -> None:
        """Roles, extensions and leak-proof marks go into template1, so every new database has them, and
        into those that are there; again when setup/database.sql is another."""
        sql = SETUP_SQL.read_text()
        digest = hashlib.sha256(sql.encode()).hexdigest()
        if self._marker.exists() and self._marker.read_text() == digest:
            return
        with self.connect("template1") as db:
            db.execute(sql)
            rows = db.execute(
                "SELECT datname FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba"
                " WHERE o.rolname = 'paidan_owner' AND d.datallowconn"
            ).fetchall()
        for (name,) in rows:
            with self.connect(name) as db:
                db.execute(sql)
        self._marker.write_text(digest)

    @property
    def _marker(self) -> Path:
        """Made last, so that what was cut short begins again."""
        return self.data / "prepared"

    def _run(self, *command: str | Path) -> None:
        """Runs a PostgreSQL program as the account that owns the cluster; raises ClusterError."""
        account = server_account()
        identity: dict[str, Any] = {}
        if os.getuid() == 0:
            identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with self.log.open("a") as log:
            done = subprocess.run(
                [str(part) for part in command],
                cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=START_TIMEOUT_S + 30,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": account.pw_dir},
                start_new_session=True, **identity,
            )  # fmt: skip
        if done.returncode != 0:
            tail = "\n  ".join(self.log.read_text(errors="replace").splitlines()[-8:])
            raise ClusterError(f"{Path(command[0]).name} failed (see {self.log}):\n  {tail}")


def server_account() -> pwd.struct_passwd:
    """The account that runs the server: PostgreSQL refuses root, so root lends it to `postgres`."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError as missing:
        raise ClusterError("there is no account `postgres`: apt-get install postgresql") from missing


def socket_folder(state: Path) -> Path:
    """Where the socket lives: in the state folder, or in a short path of its own when that is too long."""
    inside = state / "socket"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT and not set(str(inside)) & set(" '%&?#"):
        return inside
    short = hashlib.sha256(os.fsencode(state)).hexdigest()[:10]
    return Path(f"/var/tmp/paidan-{os.getuid()}-{short}")
