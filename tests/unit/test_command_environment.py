"""Which settings hold for a command."""

from pathlib import Path

import pytest

from api.command_line.__main__ import take_env_file
from api.command_line.cluster import SOCKET_PATH_LIMIT, socket_folder
from api.command_line.demo_clock import CITY_ZONE, beat, start_clock
from api.command_line.environment import read_env_file, read_environment, write_private
from api.command_line.problems import CommandError
from dispatch.settings import Clock

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
    assert 0 <= (second.anchor - stood).total_seconds() <= 180


def test_the_demo_clock_skips_the_night(tmp_path: Path) -> None:
    (tmp_path / "demo-clock").write_text("2026-03-02T21:15:00+08:00")
    clock = start_clock(tmp_path, Clock.wall(), 0.0, 60)
    assert clock.anchor.astimezone(CITY_ZONE).isoformat() == "2026-03-03T08:00:00+08:00"
