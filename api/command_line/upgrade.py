"""`./paidan upgrade`: after new code has been put in place, everything else: packages and pages, a backup that is
restored beside for a proof, the migrations (tried on that copy first), and the running processes one after another.
Whoever uses the product notices nothing.

Migrations only add, so that processes of the former version go on working beside the new ones (a test holds every
migration to that). What fails is taken back or left as it was, and said.
"""

import argparse
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from api.command_line.backup import BACKUP_URL, cluster_running, keep_at, privileged_url, read_both
from api.command_line.database import alembic, connect, current_revision, migrate
from api.command_line.environment import Environment
from api.command_line.front_end import ensure_built
from api.command_line.problems import CommandError
from api.command_line.processes import is_alive
from api.command_line.progress import say, step
from api.command_line.restore import prove
from api.command_line.supervisor import read_run
from dispatch.settings import Settings

ROLL_TIMEOUT_S = 900.0
PREFIX = "before-upgrade-"
KEPT = 3  # of the backups made here


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the backup goes, or that there is one already."""
    parser.add_argument(
        "--backup", type=Path, metavar="PLACE", help="where to (a folder of the state folder)"
    )
    parser.add_argument("--no-backup", action="store_true", help="there is a fresh one already")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when every process runs the new version on the new schema."""
    environment, settings = read_both(args.env_file)
    ensure_built()
    with cluster_running(environment):
        place = None if args.no_backup else keep(environment, settings, args.backup)
        migrate_or_back_out(environment, place)
    roll(environment, place)
    return 0


def keep(environment: Environment, settings: Settings, place: Path | None) -> Path:
    """The backup before anything is changed, proven by a restore beside what is there, on which the new migrations
    are tried. Raises CommandError."""
    mark = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    place = (place or settings.state / "backups" / f"{PREFIX}{mark}").absolute()
    manifest = keep_at(place, privileged_url(environment), settings)
    say(f"backup: {place}")
    for name in manifest.missing[:20]:
        say(f"  missing or damaged before the upgrade: {name}")
    if may_make_databases(privileged_url(environment)):
        try:
            prove(environment, settings, place)
        except CommandError as error:
            raise CommandError(
                f"{error}\nthat was on a copy: nothing was changed, and what runs was left alone"
            ) from error
    else:
        say(f"the role of {BACKUP_URL} may not create a database: the backup was not restored for a proof")
    for old in sorted(place.parent.glob(f"{PREFIX}*"))[:-KEPT]:
        shutil.rmtree(old)
    return place


def may_make_databases(url: str) -> bool:
    with connect(url) as db:
        row = db.execute(
            "select rolsuper or rolcreatedb from pg_roles where rolname = current_user"
        ).fetchone()
    return bool(row and row[0])


def migrate_or_back_out(environment: Environment, place: Path | None) -> None:
    """The migrations that are missing; where one fails, those before it are taken back. Raises CommandError."""
    owner = environment.variables["PAIDAN_DATABASE_OWNER_URL"]
    with connect(owner) as db:
        before = current_revision(db)
    try:
        migrate(environment.variables, environment.state)
    except CommandError as error:
        said = "nothing was changed"
        with connect(owner) as db:
            reached = current_revision(db)
        if before is not None and reached != before:
            with step(f"taking the database back to {before}"):
                alembic(environment.variables, "downgrade", before)
            said = f"the database is back at {before}"
        raise CommandError(f"{error}\n{said}, and what runs was left alone{_way_back(place)}") from error
    with connect(owner) as db:
        say(f"migrations: {before} → {current_revision(db)}")


def roll(environment: Environment, place: Path | None) -> None:
    """Every process of this host anew, the old one going when the new one works. Raises CommandError."""
    run = read_run(environment.state) or {}
    supervisor = run.get("supervisor", {})
    if not is_alive(supervisor):
        say("nothing runs here: start it with `./paidan serve`")
        return
    if "rolls" not in run:
        raise CommandError(
            "what runs here was started by a version that cannot do this: `./paidan stop`, then serve"
        )
    asked = run["rolls"]["asked"]
    os.kill(supervisor["pid"], signal.SIGUSR1)
    deadline = time.monotonic() + ROLL_TIMEOUT_S
    with step("starting the processes anew, one after another"):
        while (said := _said(environment.state, asked)) == "rolling":
            if time.monotonic() > deadline or not is_alive(supervisor):
                raise CommandError(f"the processes did not come up; see {environment.state}/logs")
            time.sleep(0.2)
    if said != "done":
        raise CommandError(
            f"{said}. What still runs is the former version, on a schema it can work with. Put the former code back "
            f"and run `./paidan upgrade` again{_way_back(place)}"
        )


def _said(state: Path, asked: int) -> str:
    """What the supervisor says of the round asked for after `asked` others."""
    rolls: dict[str, Any] = (read_run(state) or {}).get("rolls", {"asked": 0, "said": "rolling"})
    return str(rolls["said"]) if rolls["asked"] > asked else "rolling"


def _way_back(place: Path | None) -> str:
    if place is None:
        return ""
    return f"; the data as it was: `./paidan restore {place} --replace` (what was written since is then set aside)"
