"""`./paidan backup PLACE`: the database and the photos as they are at one instant, while the product runs.

PLACE is a folder, or one file when its name ends in .tar. Inside: `database.dump` (pg_dump's own format),
`photos/…`, and `manifest.json` with what a restore must find again: rows of every table, the head of every
company's chain, and a SHA-256 of every file. The keys of the settings are not in it: keep them elsewhere.
"""

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from api.command_line.backup_files import AT_ONCE, DUMP, PHOTOS, Manifest, copy_hashed, key_mark, pack
from api.command_line.cluster import ClusterError, find_binaries
from api.command_line.database import connect, current_revision
from api.command_line.environment import Environment, read_environment, write_private
from api.command_line.problems import CommandError
from api.command_line.progress import say, step
from dispatch.adapters.storage import BlobMissing, BlobStore
from dispatch.settings import Settings, SettingsError, read_settings

DUMP_TIMEOUT_S = 6 * 3600
BACKUP_URL = "PAIDAN_DATABASE_BACKUP_URL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("place", type=Path)


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a photo that the database names is missing or damaged: the backup says which."""
    place: Path = args.place.absolute()
    environment, settings = read_both(args.env_file)
    with cluster_running(environment):
        manifest = keep_at(place, privileged_url(environment), settings)
    size = sum(entry["bytes"] for entry in manifest.files.values())
    say(f"{place}: {manifest.tickets} tickets, {len(manifest.files) - 1} photo files, {size / 1e6:.1f} MB")
    for name in manifest.missing[:20]:
        say(f"  missing or damaged before the backup: {name}")
    return 1 if manifest.missing else 0


def keep_at(place: Path, url: str, settings: Settings) -> Manifest:
    """A backup at `place`, whole or not at all; packed where the name ends in .tar. Raises CommandError."""
    if place.exists():
        raise CommandError(f"{place} exists already: a backup never overwrites another")
    place.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    try:
        manifest = back_up(url, settings, folder)
        (folder / "manifest.json").write_text(manifest.as_text())
        if place.suffix == ".tar":
            with step("packing"):
                pack(folder, place)
        else:
            folder.chmod(0o700)
            folder.rename(place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    note_backup(settings.state, manifest)
    return manifest


def back_up(url: str, settings: Settings, folder: Path) -> Manifest:
    """Dump and photos of one instant into `folder`. Raises CommandError."""
    from api.app import blob_store

    with connect(url) as db:
        _must_see_all(db)
        revision = current_revision(db)
        if revision is None:
            raise CommandError("there is nothing to back up: this database has never been migrated")
        with db.transaction():
            db.execute("set transaction isolation level repeatable read, read only")
            row = db.execute("select pg_export_snapshot(), now()").fetchone()
            if row is None:
                raise CommandError("the database gave no snapshot")
            manifest = Manifest(
                revision=revision,
                made_at=row[1].isoformat(),
                key_mark=key_mark(settings.data_key),
                rows=count_rows(db),
                heads=chain_heads(db),
            )
            photos = db.execute("select tenant_id, encode(sha256, 'hex') from blobs order by 1, 2").fetchall()
            with step("dumping the database"):
                _dump(url, row[0], folder / DUMP)
    manifest.add(DUMP, folder / DUMP)
    with step(f"copying {len(photos)} photos"):
        _copy_photos(blob_store(settings), photos, folder, manifest)
    return manifest


def _must_see_all(db: psycopg.Connection) -> None:
    """A role under row-level security would back up what it sees: nothing. Raises CommandError."""
    sees_all = "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
    row = db.execute(sees_all).fetchone()
    if row is None or not row[0]:
        raise CommandError(f"the role of {BACKUP_URL} may not read everything: it has no BYPASSRLS")


def _dump(url: str, snapshot: str, path: Path) -> None:
    command = [
        str(client_program("pg_dump")), f"--dbname={url}", f"--snapshot={snapshot}", "--format=custom",
        "--compress=3", "--no-password", f"--file={path}",
    ]  # fmt: skip
    run_client(command)


def _copy_photos(blobs: BlobStore, photos: list[tuple[Any, ...]], folder: Path, manifest: Manifest) -> None:
    """Every size of every photo, several at once: a bucket is far away, and read once; an original must hash to its
    name."""

    def copied(photo: tuple[Any, ...]) -> list[tuple[str, dict[str, Any] | None]]:
        tenant_id, sha256 = photo
        found: list[tuple[str, dict[str, Any] | None]] = []
        for variant in sorted({"original", *blobs.variants(tenant_id, sha256)}):
            name = f"{PHOTOS}/{tenant_id}/{sha256[:2]}/{sha256}.{variant}"
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with blobs.open(tenant_id, sha256, variant) as source:
                    entry = copy_hashed(source, path)
            except BlobMissing:
                entry = None
            if variant == "original" and (entry is None or entry["sha256"] != sha256):
                path.unlink(missing_ok=True)
                found.append((name, None))
            elif entry is not None:
                found.append((name, entry))
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for several in pool.map(copied, photos):
            for name, entry in several:
                if entry is None:
                    manifest.missing.append(name)
                else:
                    manifest.files[name] = entry


def count_rows(db: psycopg.Connection[Any]) -> dict[str, int]:
    """Rows of every table of the product. Jobs come and go by themselves and are not counted."""
    tables = db.execute("""
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
          and c.relname not like 'procrastinate%' and not exists (
            select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
        order by 1""").fetchall()
    counted = {}
    for (table,) in tables:
        row = db.execute(f'select count(*) from "{table}"').fetchone()
        counted[table] = int(row[0]) if row else 0
    return counted


def chain_heads(db: psycopg.Connection[Any]) -> dict[str, list[Any]]:
    """Newest event and its hash, by company."""
    rows = db.execute("select tenant_id, seq, encode(hash, 'hex') from chain_heads order by 1").fetchall()
    return {str(tenant_id): [seq, digest] for tenant_id, seq, digest in rows}


# what backup and restore share


def read_both(env_file: Path | None) -> tuple[Environment, Settings]:
    """The environment of this run and its settings. Raises CommandError."""
    environment = read_environment(os.environ, env_file)
    environment.apply()
    try:
        return environment, read_settings(environment.variables)
    except SettingsError as error:
        raise CommandError(f"{error} (settings come from the environment or --env-file)") from error


@contextmanager
def cluster_running(environment: Environment) -> Iterator[None]:
    """The private cluster, without migrating anything: a backup comes before an upgrade."""
    if environment.cluster is None:
        yield
        return
    with environment.cluster.in_use(say):
        yield


def privileged_url(environment: Environment, database: str | None = None) -> str:
    """An address that sees every company's rows: row-level security binds the owner too."""
    if environment.cluster is not None:
        return environment.cluster.url("postgres", database or environment.database)
    url = environment.variables.get(BACKUP_URL)
    if not url:
        raise CommandError(
            f"with a database of your own set {BACKUP_URL}: the same database as a role that may see all rows "
            "(a superuser, or one with BYPASSRLS for backups alone)"
        )
    return url


def client_program(name: str) -> Path:
    """pg_dump and its kin, beside the newest server or on the path. Raises CommandError."""
    with suppress(ClusterError):
        if (found := find_binaries() / name).exists():
            return found
    if on_path := shutil.which(name):
        return Path(on_path)
    raise CommandError(f"{name} is not installed: apt-get install postgresql-client")


def run_client(command: list[str]) -> None:
    """Runs one of PostgreSQL's programs; raises CommandError with its last lines."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            timeout=DUMP_TIMEOUT_S,
        )  # fmt: skip
    except OSError as error:
        raise CommandError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        tail = "\n  ".join(done.stderr.splitlines()[-8:])
        raise CommandError(f"{Path(command[0]).name} failed:\n  {tail}")


def note_backup(state: Path, manifest: Manifest) -> None:
    """When the last backup was made and of what, for the operator's page."""
    size = sum(entry["bytes"] for entry in manifest.files.values())
    told = {
        "made_at": manifest.made_at,
        "tickets": manifest.tickets,
        "bytes": size,
        "missing": len(manifest.missing),
    }
    write_private(state / "last-backup", json.dumps(told) + "\n")
