"""An upgrade: migrations that do not make anybody wait, taken back when one fails; processes replaced one by one."""

import argparse
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from api.command_line import database as database_module
from api.command_line import rolling, upgrade
from api.command_line.backup import BACKUP_URL
from api.command_line.database import alembic, connect, current_revision
from api.command_line.environment import Environment
from api.command_line.problems import CommandError
from api.command_line.processes import identify
from api.command_line.restore import known_revisions
from api.command_line.supervisor import Program, Supervisor, is_alive, read_run
from api.command_line.upgrade import keep, migrate_or_back_out, roll
from dispatch.actions.step import House
from dispatch.store.personal import PersonalData
from dispatch.store.transactions import Database as Store
from tests.builders import company
from tests.databases import Database
from tests.house import settings_for
from tests.waiting import until

SLEEPER = "import pathlib, sys, time; pathlib.Path({broken!r}).exists() and sys.exit(3); time.sleep(60)"


@pytest.fixture
def environment(fresh_database: Database, tmp_path: Path) -> Environment:
    return Environment(dict(fresh_database.environment), tmp_path, None, fresh_database.name, False)


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    kept = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def revision(environment: Environment) -> str | None:
    with connect(environment.variables["PAIDAN_DATABASE_OWNER_URL"]) as db:
        return current_revision(db)


def test_a_lock_that_somebody_holds_is_asked_for_again_and_nobody_waits_long(
    environment: Environment, fresh_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT", "200ms")
    monkeypatch.setattr(database_module, "LOCK_PAUSE_S", 0.1)
    newest = revision(environment)
    alembic(environment.variables, "downgrade", "0008")  # the next one changes the outbox
    with psycopg.connect(fresh_database.superuser_url) as holder:
        holder.execute("lock table outbox in access share mode")
        monkeypatch.setattr(database_module, "LOCK_TRIES", 1)
        with pytest.raises(CommandError, match="LockNotAvailable"):
            migrate_or_back_out(environment, None)
        monkeypatch.setattr(database_module, "LOCK_TRIES", 10)
        threading.Timer(1.5, holder.close).start()
        migrate_or_back_out(environment, None)
    assert revision(environment) == newest


def test_a_migration_that_fails_takes_those_before_it_back(
    environment: Environment, fresh_database: Database, tmp_path: Path
) -> None:
    """Somebody made the column by hand: the last migration cannot."""
    alembic(environment.variables, "downgrade", "0007")
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as db:
        db.execute("alter table outbox add column trace text")
    with pytest.raises(
        CommandError, match=r"DuplicateColumn[\s\S]*back at 0007[\s\S]*restore .*kept --replace"
    ):
        migrate_or_back_out(environment, tmp_path / "kept")
    assert revision(environment) == "0007"
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as db:
        db.execute("alter table outbox drop column trace")
    migrate_or_back_out(environment, None)


def test_the_backup_before_is_kept_and_only_the_newest_few_are(
    fresh_database: Database, tmp_path: Path
) -> None:
    variables = {**fresh_database.environment, BACKUP_URL: fresh_database.superuser_url}
    environment = Environment(variables, tmp_path, None, fresh_database.name, False)
    settings = settings_for(fresh_database, tmp_path)
    for old in ("20200101-000000", "20200102-000000", "20200103-000000"):
        (tmp_path / "backups" / f"before-upgrade-{old}").mkdir(parents=True)
    (tmp_path / "backups" / "my own").mkdir()
    place = keep(environment, settings, None)
    assert (place / "manifest.json").exists()
    left = sorted(path.name for path in place.parent.iterdir())
    assert left == ["before-upgrade-20200102-000000", "before-upgrade-20200103-000000", place.name, "my own"]
    with pytest.raises(CommandError, match="exists already"):
        keep(environment, settings, place)


@pytest.fixture
def installed(fresh_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Some migrations behind, with a company, its settings in the environment as the command finds them."""
    settings = settings_for(fresh_database, tmp_path)
    house = House(Store(settings.database_url, 1), settings.clock.now, PersonalData(settings.data_key))
    company(house)
    house.database.close()
    variables = {
        **fresh_database.environment,
        BACKUP_URL: fresh_database.superuser_url,
        "PAIDAN_SECRET_KEY": base64.b64encode(settings.secret_key).decode(),
        "PAIDAN_DATA_KEY": base64.b64encode(settings.data_key).decode(),
        "PAIDAN_STATE": str(tmp_path),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(upgrade, "ensure_built", lambda: None)
    alembic(variables, "downgrade", "0011")
    return Environment(variables, tmp_path, None, fresh_database.name, False)


def upgraded(*words: str) -> int:
    parser = argparse.ArgumentParser()
    upgrade.add_arguments(parser)
    args = parser.parse_args(words)
    args.env_file = None
    return upgrade.run(args)


def test_the_command_proves_a_backup_tries_the_migrations_on_it_and_only_then_migrates(
    installed: Environment, fresh_database: Database, tmp_path: Path
) -> None:
    """First with a migration that fails: it does so on the copy, and nothing has happened."""
    before = revision(installed)
    newest = max(known_revisions())
    assert before is not None
    assert before < newest
    with psycopg.connect(fresh_database.owner_url, autocommit=True) as db:
        db.execute("alter table signins add column by_provider boolean")
        with pytest.raises(CommandError, match=r"DuplicateColumn[\s\S]*on a copy: nothing was changed"):
            upgraded()
        db.execute("alter table signins drop column by_provider")
    assert revision(installed) == before
    assert not (tmp_path / "last-verified").exists()
    shutil.rmtree(tmp_path / "backups")
    assert upgraded() == 0
    assert revision(installed) == newest
    (place,) = (tmp_path / "backups").iterdir()
    told = json.loads((place / "manifest.json").read_text())
    assert (told["revision"], told["rows"]["tenants"]) == (before, 1)
    assert (tmp_path / "last-verified").read_text().strip() == told["made_at"]
    with psycopg.connect(fresh_database.superuser_url) as db:
        left = db.execute(
            "select count(*) from pg_database where datname like %s", [f"{fresh_database.name}_%"]
        )
        assert left.fetchone() == (0,)
    assert upgraded("--no-backup") == 0
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [place.name]


@pytest.fixture
def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Supervisor]]:
    """Two programs, one of which cannot run beside its successor, looked after in this thread until told."""
    monkeypatch.setattr(rolling, "STEADY_S", 0.4)
    broken = str(tmp_path / "broken")
    command = (sys.executable, "-c", SLEEPER.format(broken=broken))
    programs = [Program("one", command, single=True), Program("two", command), Program("three", command)]
    with Supervisor(tmp_path, programs, {}) as supervisor:
        yield lambda: supervisor


def pids(state: Path) -> dict[str, int]:
    return {each["name"]: each["pid"] for each in (read_run(state) or {})["processes"]}


def rolled(supervisor: Supervisor, environment: Environment) -> list[Exception]:
    """`roll` from another thread, as from another process, while the supervisor looks after its programs."""
    raised: list[Exception] = []

    def asks() -> None:
        try:
            roll(environment, Path("/kept"))
        except CommandError as error:
            raised.append(error)

    supervisor.run(until=lambda: all(child.process is not None for child in supervisor.children))
    asking = threading.Thread(target=asks)
    asking.start()
    supervisor.run(until=lambda: not asking.is_alive())
    asking.join()
    return raised


def test_each_process_is_replaced_by_a_new_one_that_works(
    supervised: Callable[[], Supervisor], tmp_path: Path
) -> None:
    environment, supervisor = Environment({}, tmp_path, None, "", False), supervised()
    supervisor.run(until=lambda: len([pid for pid in pids(tmp_path).values() if pid]) == 3)
    before = pids(tmp_path)
    assert rolled(supervisor, environment) == []
    after = pids(tmp_path)
    assert set(before.values()).isdisjoint(after.values())
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before.values()))
    assert all(is_alive(each) for each in (read_run(tmp_path) or {})["processes"])


def test_a_version_that_does_not_come_up_leaves_the_former_one_running(
    supervised: Callable[[], Supervisor], tmp_path: Path
) -> None:
    environment, supervisor = Environment({}, tmp_path, None, "", False), supervised()
    supervisor.run(until=lambda: len([pid for pid in pids(tmp_path).values() if pid]) == 3)
    supervisor.children.pop(0)  # what cannot run beside its successor has nothing to fall back on
    before = pids(tmp_path)
    (tmp_path / "broken").touch()
    (error,) = rolled(supervisor, environment)
    assert "two: the new process ended with 3" in str(error)
    assert "restore /kept --replace" in str(error)
    running = pids(tmp_path)
    assert (running["two"], running["three"]) == (before["two"], before["three"])


def test_what_an_older_version_started_is_not_signalled(tmp_path: Path) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        (tmp_path / "run.json").write_text(f'{{"supervisor": {{"pid": {sleeper.pid}, "started": 0}}}}')
        told = identify(sleeper.pid)
        (tmp_path / "run.json").write_text(
            f'{{"supervisor": {{"pid": {told["pid"]}, "started": {told["started"]}}}, "processes": []}}'
        )
        with pytest.raises(CommandError, match="stop"):
            roll(Environment({}, tmp_path, None, "", False), None)
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_nothing_running_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roll(Environment({}, tmp_path, None, "", False), None)
    assert "nothing runs here" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []
