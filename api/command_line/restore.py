"""`./paidan restore PLACE`: a backup into a database of its own, checked there, and only then put in place.

What was there before is renamed, not dropped, so that a wrong restore can be taken back.
"""

import argparse
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api.command_line.backup import (
    chain_heads,
    client_program,
    cluster_running,
    count_rows,
    privileged_url,
    read_both,
    run_client,
)
from api.command_line.backup_files import (
    AT_ONCE,
    DUMP,
    PHOTOS,
    Manifest,
    check_files,
    key_mark,
    read_manifest,
    unpack,
)
from api.command_line.cluster import SETUP_SQL
from api.command_line.database import VERSIONS, connect, current_revision, migrate
from api.command_line.environment import Environment, write_private
from api.command_line.problems import CommandError
from api.command_line.progress import say, step
from dispatch.actions.audit import verify
from dispatch.settings import Settings
from dispatch.store.transactions import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """From where, and whether what is there may give way."""
    parser.add_argument("place", type=Path, help="the folder or .tar file that `backup` made")
    parser.add_argument("--replace", action="store_true", help="the present database is renamed and kept")
    parser.add_argument("--check", action="store_true", help="restore beside, verify, throw away")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 only when everything the manifest names was found again."""
    environment, settings = read_both(args.env_file)
    began = time.monotonic()
    with opened(args.place.absolute(), settings.state) as folder:
        manifest = read_manifest(folder)
        with step("checking the backup's files"):
            check_files(folder, manifest)
        check_fits(manifest, settings)
        with cluster_running(environment), product_stopped(environment.state, args.check):
            restore(environment, settings, folder, manifest, args)
    write_private(settings.state / "last-verified", manifest.made_at + "\n")
    say(f"{manifest.tickets} tickets of {manifest.made_at} verified in {time.monotonic() - began:.0f} s")
    return 0


def prove(environment: Environment, settings: Settings, place: Path) -> None:
    """Restores a backup beside what is there, verifies it and throws the copy away; migrations that are missing are
    tried on it. Raises CommandError."""
    only_checking = argparse.Namespace(check=True, replace=False)
    with opened(place, settings.state) as folder:
        manifest = read_manifest(folder)
        check_files(folder, manifest)
        check_fits(manifest, settings)
        restore(environment, settings, folder, manifest, only_checking)
    write_private(settings.state / "last-verified", manifest.made_at + "\n")


def restore(
    environment: Environment, settings: Settings, folder: Path, manifest: Manifest, args: argparse.Namespace
) -> None:
    """Into a fresh database; it takes the old one's name when it has been verified."""
    url = privileged_url(environment)
    name = str(conninfo_to_dict(url)["dbname"])
    mark = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    fresh = f"{name}_restored_{mark}"
    if not args.check and not args.replace and holds_companies(url):
        raise CommandError(f"the database {name} holds companies: --replace renames it and takes its place")
    with admin(url) as db:
        db.execute(f'create database "{fresh}" template template0 encoding utf8')
    try:
        fill(in_database(url, fresh), folder, manifest)
        verify_all(environment, in_database(url, fresh), fresh, manifest)
        if not args.check:
            put_photos(settings, folder, manifest)
            swap(url, name, fresh, f"{name}_before_{mark}")
            fresh = ""
    finally:
        if fresh:
            with admin(url) as db:
                db.execute(f'drop database if exists "{fresh}" with (force)')


def fill(url: str, folder: Path, manifest: Manifest) -> None:
    """Roles, extensions and the dump; rows and chain heads as the manifest counts them. Raises CommandError."""
    with step("restoring the database"):
        with connect(url) as db:
            db.execute(SETUP_SQL.read_text())
        words = ["--jobs=2", "--exit-on-error", "--no-password", "--no-comments", f"--dbname={url}"]
        run_client([str(client_program("pg_restore")), *words, str(folder / DUMP)])
    with connect(url) as db:
        counted, heads = count_rows(db), chain_heads(db)
    wrong = {t: (n, counted.get(t)) for t, n in manifest.rows.items() if counted.get(t) != n}
    if wrong:
        raise CommandError(f"rows are missing after the restore (table: wanted, found): {wrong}")
    if heads != manifest.heads:
        raise CommandError("the chains do not end where the backup says they ended")


def verify_all(environment: Environment, url: str, fresh: str, manifest: Manifest) -> None:
    """Newer migrations applied, then every company's chain and tickets. Raises CommandError."""
    roles = {
        name: in_database(environment.variables[name], fresh)
        for name in ("PAIDAN_DATABASE_URL", "PAIDAN_DATABASE_OWNER_URL", "PAIDAN_DATABASE_RELAY_URL")
    }
    if manifest.revision != max(known_revisions()):
        migrate(environment.variables | roles, environment.state)
    database = Database(roles["PAIDAN_DATABASE_URL"], 1, "paidan-restore")
    try:
        with step(f"verifying the history of {len(manifest.heads)} companies"):
            for tenant_id in manifest.heads:
                with connect(url) as db:
                    row = db.execute("select id from tenants where id = %s", [tenant_id]).fetchone()
                if row is None:
                    raise CommandError(f"the company {tenant_id} has a chain and no row")
                report = verify(database, row[0])
                if report.broken:
                    raise CommandError(
                        f"company {tenant_id}: {report.broken} breaks, the first: {report.breaks[0]}"
                    )
    finally:
        database.close()


def put_photos(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Photos into the storage; one that is there already is left alone."""
    from api.app import blob_store

    blobs = blob_store(settings)
    names = [name for name in manifest.files if name.startswith(f"{PHOTOS}/")]

    def put(name: str) -> None:
        tenant, _, file = name.split("/")[1:]
        sha256, _, variant = file.partition(".")
        blobs.put(UUID(tenant), sha256, folder / name, variant)

    with step(f"putting back {len(names)} photo files"), ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(put, names):
            pass


def swap(url: str, name: str, fresh: str, before: str) -> None:
    """The restored database takes the name; the old one keeps its rows under another."""
    with admin(url) as db:
        there = db.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if there:
            db.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
            db.execute(f'alter database "{name}" rename to "{before}"')
            say(f'what was there is kept as {before}; drop it when you are sure: DROP DATABASE "{before}"')
        db.execute(f'alter database "{fresh}" rename to "{name}"')


def check_fits(manifest: Manifest, settings: Settings) -> None:
    """The keys are those of the backup, and its migration is known here. Raises CommandError."""
    if manifest.key_mark != key_mark(settings.data_key):
        raise CommandError(
            "the backup was made with another PAIDAN_DATA_KEY: names and phones in it could not be read. "
            "Set the key it was made with"
        )
    if manifest.revision not in known_revisions():
        raise CommandError(
            f"the backup stands at migration {manifest.revision}, which this version does not know"
        )


def known_revisions() -> set[str]:
    """The migrations of this version; the greatest is the newest."""
    return {path.name.split("_")[0] for path in VERSIONS.glob("*.py")}


def holds_companies(url: str) -> bool:
    """Whether the database is there and somebody's rows are in it."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as db:
            if current_revision(db) is None:
                return False
            return db.execute("select 1 from tenants limit 1").fetchone() is not None
    except psycopg.OperationalError as error:
        if "does not exist" in str(error):
            return False
        raise CommandError(f"the database does not answer: {error}".strip()) from error


@contextmanager
def opened(place: Path, state: Path) -> Iterator[Path]:
    """The backup as a folder; a packed one is unpacked for as long as the block lasts."""
    if place.is_dir():
        yield place
        return
    if not place.is_file():
        raise CommandError(f"there is no backup {place}")
    state.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="restore-", dir=state))
    try:
        unpack(place, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def product_stopped(state: Path, only_checking: bool) -> Iterator[None]:
    """Nobody serves from this state folder meanwhile. Raises CommandError."""
    if only_checking:
        yield
        return
    with (state / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError("Paidan is running here: `./paidan stop` first") from None
        yield


def in_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def admin(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server outside of the product's databases."""
    with connect(in_database(url, "postgres")) as db:
        yield db
