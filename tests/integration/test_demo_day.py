"""The demo as its first visitor runs it: a city's company, a counted day, errors that show."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.command_line import demo_city, demo_report
from api.command_line.environment import HOME, new_key
from api.command_line.supervisor import stop_leftovers
from dispatch.settings import Clock
from tests.databases import Database
from tests.demo_city_files import shared_city
from tests.integration.test_serve import free_port

MINUTES = 1.2
#: What a bit more than an hour in the demo city cannot pass without.
ALWAYS = (
    "created", "offered", "accepted", "assigned", "acknowledged", "grabbed", "set_off", "checked_in",
    "completed", "closed", "contacted", "photos", "amended",
)  # fmt: skip


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city's files in a folder of one's own."""
    folder = tmp_path_factory.mktemp("maps")
    shutil.copytree(shared_city(tmp_path_factory).pbf.parent, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture
def settings(
    fresh_database: Database, maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The demo's settings over a database of its own, in this process's environment too."""
    chosen = {
        **fresh_database.environment,
        "PAIDAN_SECRET_KEY": new_key(),
        "PAIDAN_DATA_KEY": new_key(),
        "PAIDAN_STATE": str(tmp_path),
        "PAIDAN_MAPS_DIR": str(maps),
        "PAIDAN_CLOCK": str(Clock(datetime(2026, 3, 2, 0, 0, tzinfo=UTC), datetime.now(UTC).timestamp(), 60)),
    }
    (tmp_path / "logs").mkdir()
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    yield chosen
    stop_leftovers(tmp_path)


def rows(database: Database, sql: str) -> list[Any]:
    with psycopg.connect(database.superuser_url) as db:
        return db.execute(sql).fetchall()


def test_seeding_again_adds_nobody_and_keeps_the_key(
    settings: dict[str, str], fresh_database: Database, tmp_path: Path
) -> None:
    greeting = demo_city.seed("http://127.0.0.1:1")
    cast = json.loads((tmp_path / demo_city.CAST_FILE).read_text())
    tables = ("engineers", "shifts", "api_keys")
    counted = f"select {', '.join(f'(select count(*) from {table})' for table in tables)}"
    before = rows(fresh_database, counted)
    demo_city.seed("http://127.0.0.1:1")
    assert rows(fresh_database, counted) == before
    assert json.loads((tmp_path / demo_city.CAST_FILE).read_text()) == cast
    assert before[0][0] == 49 + 6, "six trainees beside those who lead"
    assert len(cast["engineers"]) == 48 + 6
    assert "demo" not in {each["signin_id"] for each in cast["engineers"]}
    assert rows(fresh_database, "select is_demo from tenants") == [(True,)]
    text = "\n".join(greeting)
    assert all(part in text for part in ("/board/", "/phone/", f"/new/{demo_city.SLUG}", "sign-in", "账号"))


def test_every_engineer_has_an_obviously_made_up_name(
    settings: dict[str, str], fresh_database: Database
) -> None:
    demo_city.seed("http://127.0.0.1:1")
    names = [name for (name,) in rows(fresh_database, "select name from engineers")]
    assert all(re.match(r"示例工程师|Demo Engineer \d\d$", name) for name in names)


def test_the_report_sees_each_kind_of_error(
    settings: dict[str, str], fresh_database: Database, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    (logs / "api-1.log").write_text('{"level":"error","event":"unexpected","trace":"of an older run"}\n')
    demo_city.seed("http://127.0.0.1:1")
    since = demo_report.last_seq()
    assert set(demo_report.count(since, logs)["errors"].values()) == {0}

    with (logs / "api-1.log").open("a") as log:
        log.write('{"level":"error","event":"unexpected","trace":"89abcdef"}\n')
    (logs / "city.log").write_text("reply 503 GET /board unavailable\nreply 0 GET /board ReadTimeout\n")
    tenant = rows(fresh_database, "select id from tenants")[0][0]
    with psycopg.connect(fresh_database.superuser_url) as db:
        db.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args, status) values"
            " ('default', 'match_ticket', %s, 'failed')",
            [json.dumps({"tenant": str(tenant)})],
        )
        db.execute(
            "insert into procrastinate_events (job_id, type, at)"
            " select id, 'failed', now() from procrastinate_jobs"
        )
        db.execute("update chain_heads set seq = 3 where tenant_id = %s", [tenant])
    errors = demo_report.count(since, logs)["errors"]
    assert errors["http_5xx"] == 1
    assert errors["replies_5xx"] == 1
    assert errors["failed_jobs"] == 1
    assert errors["dead_letters"] == 1
    assert errors["audit_breaks"] >= 1


@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_headless_day_runs_through_without_errors(
    settings: dict[str, str], pages: None, tmp_path: Path
) -> None:
    report_file = tmp_path / "report.json"
    environment = {name: value for name, value in os.environ.items() if name != "PAIDAN_CLOCK"}
    command = [str(HOME / "paidan"), "demo", "--minutes", str(MINUTES), "--port", str(free_port())]
    done = subprocess.run(
        [*command, "--report", str(report_file)], env=environment, capture_output=True, text=True, timeout=380
    )
    said = done.stdout[-1500:] + done.stderr[-3000:]
    assert report_file.exists(), said
    report = json.loads(report_file.read_text())
    assert set(report["errors"].values()) == {0}, report["errors"]
    assert done.returncode == 0, said
    assert {name: report["counts"][name] for name in ALWAYS if not report["counts"][name]} == {}
    assert report["median_min"]["created_to_assigned"] > 0
    assert report["pushes"]["accepted"] > 0
