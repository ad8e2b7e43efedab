"""Which settings hold for a command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.command_line import machine
from api.command_line.__main__ import main, take_env_file
from api.command_line.cluster import SOCKET_PATH_LIMIT, socket_folder
from api.command_line.demo_clock import CITY_ZONE, beat, start_clock
from api.command_line.doctor import check_settings
from api.command_line.environment import HOME, new_key, read_env_file, read_environment, write_private
from api.command_line.problems import CommandError
from dispatch.settings import Clock, SettingsError, read_settings

EXTERNAL = {
    "PAIDAN_DATABASE_OWNER_URL": "postgresql://owner@db/p",
    "PAIDAN_DATABASE_RELAY_URL": "postgresql://relay@db/p",
}


def test_without_a_database_of_ones_own_the_private_cluster_is_used(tmp_path: Path) -> None:
    environment = read_environment({"PAIDAN_STATE": str(tmp_path)}, demo=False)
    assert environment.cluster is not None
    assert environment.variables["PAIDAN_DATABASE_URL"] == environment.cluster.url("paidan_app", "paidan")


def test_the_demo_has_a_database_apart_from_the_real_one(tmp_path: Path) -> None:
    demo = read_environment({"PAIDAN_STATE": str(tmp_path)}, demo=True)
    assert demo.database == "paidan_demo"
    assert demo.variables["PAIDAN_DEMO"] == "1"


def test_database_url_is_read_as_an_alias(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://app@db/p", "PAIDAN_STATE": str(tmp_path)} | EXTERNAL
    environment = read_environment(env)
    assert environment.cluster is None
    assert environment.variables["PAIDAN_DATABASE_URL"] == "postgresql://app@db/p"


def test_a_database_of_ones_own_needs_all_three_roles(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="PAIDAN_DATABASE_OWNER_URL and PAIDAN_DATABASE_RELAY_URL"):
        read_environment({"DATABASE_URL": "postgresql://app@db/p", "PAIDAN_STATE": str(tmp_path)})


def test_the_environment_goes_before_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("# ours\nexport PAIDAN_PUBLIC_URL='https://a.example'\nPAIDAN_API_POOL=4\n")
    environment = read_environment({"PAIDAN_STATE": str(tmp_path), "PAIDAN_API_POOL": "9"}, file, demo=False)
    assert environment.variables["PAIDAN_PUBLIC_URL"] == "https://a.example"
    assert environment.variables["PAIDAN_API_POOL"] == "9"


def test_a_settings_file_that_makes_no_sense_is_refused_by_line(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("PAIDAN_STATE=/x\nnot a setting\n")
    with pytest.raises(CommandError, match="line 2"):
        read_env_file(file)
    with pytest.raises(CommandError, match="cannot be read"):
        read_env_file(tmp_path / "missing")


def test_other_commands_find_the_demo_that_was_run_here(tmp_path: Path) -> None:
    write_private(tmp_path / "demo.env", "PAIDAN_SECRET_KEY=abc\n")
    env = {"PAIDAN_STATE": str(tmp_path)}
    assert read_environment(env).demo
    assert read_environment(env).variables["PAIDAN_SECRET_KEY"] == "abc"
    assert not read_environment(env | {"PAIDAN_SECRET_KEY": "own"}).demo
    assert "PAIDAN_SECRET_KEY" not in read_environment(env, demo=False).variables


def test_a_private_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "x")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("folder", ["/" + "long/" * 30 + "state", "/with space/state", "/per%cent/state"])
def test_an_awkward_state_folder_gets_a_short_socket_path_of_its_own(folder: str) -> None:
    socket = socket_folder(Path(folder))
    assert len(str(socket)) <= SOCKET_PATH_LIMIT
    assert " " not in str(socket)
    assert socket != socket_folder(Path(folder + "2"))


def test_the_settings_file_may_stand_anywhere_among_the_words() -> None:
    assert take_env_file(["serve", "--env-file", "x", "--port", "1"]) == (Path("x"), ["serve", "--port", "1"])
    assert take_env_file(["--env-file=x", "status"]) == (Path("x"), ["status"])
    assert take_env_file(["test", "--", "--env-file", "x"]) == (None, ["test", "--", "--env-file", "x"])


def test_the_demo_clock_starts_in_the_morning_and_goes_on_where_it_stood(tmp_path: Path) -> None:
    today = Clock.wall()
    first = start_clock(tmp_path, today, today.timestamp(), 60)
    assert first.anchor.astimezone(CITY_ZONE).hour == 8
    beat(tmp_path, str(first))
    stood = first.now()
    second = start_clock(tmp_path, today, today.timestamp(), 60)
    assert 0 <= (second.anchor - stood).total_seconds() <= 1800


def test_the_demo_clock_skips_the_night(tmp_path: Path) -> None:
    (tmp_path / "demo-clock").write_text("2026-03-02T21:15:00+08:00")
    clock = start_clock(tmp_path, Clock.wall(), 0.0, 60)
    assert clock.anchor.astimezone(CITY_ZONE).isoformat() == "2026-03-03T08:00:00+08:00"


@pytest.mark.parametrize(
    "words",
    [
        ["demo", "--port", "0"],
        ["demo", "--port", "99999"],
        ["demo", "--port", "²"],
        ["demo", "--minutes", "0"],
        ["demo", "--minutes", "-1"],
        ["demo", "--minutes", "nan"],
        ["demo", "--speed", "0"],
        ["demo", "--speed", "20000"],
        ["demo", "--minutes", "1", "--report", "/no/such/folder/day.json"],
        ["serve", "--port", "-1"],
        ["serve", "--api", "-1"],
        ["serve", "--workers", "1000"],
        ["frobnicate"],
    ],
)
def test_numbers_nothing_could_come_of_are_refused_before_any_work(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(words)
    assert refusal.value.code == 2
    assert words[-1] in capsys.readouterr().err


def test_a_report_without_an_end_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--report", str(tmp_path / "day.json")]) == 1
    assert "--minutes" in capsys.readouterr().err


def test_without_words_and_with_help_every_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["help"]) == 0
    said = capsys.readouterr()
    assert "doctor" in said.err
    assert "doctor" in said.out


def test_the_test_command_explains_itself_and_installs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test", "--help"]) == 0
    assert "paidan test" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAIDAN_PUBLIC_URL", "paidan.example"),
        ("PAIDAN_PUBLIC_URL", "ftp://paidan.example"),
        ("PAIDAN_PHOTOS_S3_ENDPOINT", "minio:9000"),
        ("PAIDAN_FCM_URL", "push"),
        ("PAIDAN_FCM_SERVICE_ACCOUNT", "/no/such/account.json"),
        ("PAIDAN_METRICS_TOKEN", "changeme"),
        ("PAIDAN_SMS_TOKEN", "secret"),
        ("PAIDAN_VOICE_TOKEN", "two\nlines"),
        ("PAIDAN_DEMO", "yes"),
        ("PAIDAN_API_POOL", "²"),
        ("PAIDAN_CLOCK", "2026-01-01T00:00:00Z@nanx1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_the_start_and_by_every_command(
    name: str,
    value: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = {"PAIDAN_SECRET_KEY": new_key(), "PAIDAN_DATA_KEY": new_key(), "PAIDAN_STATE": str(tmp_path)}
    good |= {"PAIDAN_DATABASE_URL": "postgresql://app@db/p"} | EXTERNAL
    read_settings(good)
    with pytest.raises(SettingsError, match=name):
        read_settings(good | {name: value})
    for setting, text in (good | {name: value}).items():
        monkeypatch.setenv(setting, text)
    assert main(["backup", str(tmp_path / "b")]) == 1
    assert name in capsys.readouterr().err


def test_the_doctor_names_a_setting_nothing_reads(tmp_path: Path) -> None:
    env = {"PAIDAN_STATE": str(tmp_path), "PAIDAN_SECRT_KEY": "x"}
    found = list(check_settings(read_environment(env, demo=False)))
    assert any("PAIDAN_SECRT_KEY" in finding.found and not finding.needed for finding in found)


def test_what_needs_no_more_packages_installs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "VENV", Path("/nowhere"))
    machine.ensure_python([])


def test_a_reader_that_has_seen_enough_sees_no_traceback(tmp_path: Path) -> None:
    words = f"{sys.executable} -m api.command_line status | head -c 1; exit ${{PIPESTATUS[0]}}"
    env = dict(
        os.environ,
        PAIDAN_STATE=str(tmp_path / "long" / ("x" * 200)),
        PYTHONPATH=str(HOME),
        PYTHONUNBUFFERED="1",
    )
    done = subprocess.run(
        ["bash", "-c", words], env=env, capture_output=True, text=True, timeout=60, cwd=HOME
    )
    assert done.stdout == "{"
    assert "Traceback" not in done.stderr
