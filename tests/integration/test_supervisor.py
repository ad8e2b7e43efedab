"""The supervisor with small programs of its own: restart, giving up, stopping, being killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.command_line import supervisor as supervisor_module
from api.command_line.environment import HOME
from api.command_line.problems import CommandError
from api.command_line.processes import identify
from api.command_line.supervisor import (
    Program,
    Supervisor,
    check_not_running,
    is_alive,
    open_socket,
    read_run,
    starting,
    stop_leftovers,
)
from tests.waiting import until

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
IGNORE = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
STUBBORN = f"{IGNORE}; {SLEEPER}"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"

RUNNER = """
import sys
from pathlib import Path
from api.command_line import supervisor as module
from api.command_line.supervisor import Program, Supervisor
module.STOP_S = 1.0
code = sys.argv[2]
program = Program("child", ("setpriv", "--pdeathsig", "TERM", sys.executable, "-c", code))
with Supervisor(Path(sys.argv[1]), [program], {}) as supervisor:
    supervisor.run()
"""


def program(code: str, name: str = "child", *, once: bool = False) -> Program:
    return Program(name, (sys.executable, "-c", code), once=once)


def after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


@pytest.fixture(autouse=True)
def _keep_signal_handlers() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """A supervisor in a process of its own, so that it can be signalled."""
    started: list[subprocess.Popen[bytes]] = []

    def start(code: str) -> subprocess.Popen[bytes]:
        env = os.environ | {"PYTHONPATH": str(HOME)}
        started.append(subprocess.Popen([sys.executable, "-c", RUNNER, str(tmp_path), code], env=env))
        log = tmp_path / "logs" / "child.log"
        until(lambda: log.exists() and b"up" in log.read_bytes())
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
    stop_leftovers(tmp_path)


def test_a_child_that_dies_is_started_again_and_its_lines_are_kept(tmp_path: Path) -> None:
    with Supervisor(tmp_path, [program("print('hello'); raise SystemExit(3)")], {}) as supervisor:
        supervisor.run(until=lambda: supervisor.children[0].restarts >= 2)
    assert (tmp_path / "logs" / "child.log").read_text().count("hello") >= 2


def test_a_child_that_dies_again_and_again_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "BACKOFF_S", (0.0, 0.0))
    with (
        Supervisor(tmp_path, [program("raise SystemExit(3)")], {}) as supervisor,
        pytest.raises(CommandError, match="died 3 times in a row"),
    ):
        supervisor.run()


def test_a_program_that_is_done_is_not_started_again(tmp_path: Path) -> None:
    with Supervisor(tmp_path, [program("print('done')", once=True)], {}) as supervisor:
        supervisor.run(until=lambda: supervisor.children[0].ended)
        supervisor.run(until=after(0.5))
    assert (tmp_path / "logs" / "child.log").read_text() == "done\n"


def test_two_supervisors_do_not_run_from_one_folder(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path, [], {}),
        pytest.raises(CommandError, match="running here already"),
        Supervisor(tmp_path, [], {}),
    ):
        pass


def test_a_stop_signal_ends_the_children_within_ten_seconds(tmp_path, runner) -> None:
    process = runner(SLEEPER)
    (child,) = read_run(tmp_path)["processes"]
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert time.monotonic() - began < 10
    assert not is_alive(child)
    assert read_run(tmp_path) is None


def test_a_child_that_ignores_the_signal_is_killed_in_time(tmp_path, runner) -> None:
    process = runner(STUBBORN)
    (child,) = read_run(tmp_path)["processes"]
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(12) == 0
    assert 1 <= time.monotonic() - began < 12
    assert not is_alive(child)
    assert supervisor_module.STOP_S < 9, "a stop may take ten seconds"


def test_a_childs_own_children_end_with_it(tmp_path, runner) -> None:
    process = runner(PARENT)
    (child,) = read_run(tmp_path)["processes"]
    (grandchild,) = Path(f"/proc/{child['pid']}/task/{child['pid']}/children").read_text().split()
    process.send_signal(signal.SIGTERM)
    process.wait(12)
    until(lambda: not Path(f"/proc/{grandchild}").exists())


def test_no_child_outlives_a_killed_supervisor(tmp_path, runner) -> None:
    process = runner(SLEEPER)
    (child,) = read_run(tmp_path)["processes"]
    process.kill()
    process.wait()
    until(lambda: not is_alive(child))


def test_what_a_killed_supervisor_left_is_ended_by_the_next(tmp_path, runner, monkeypatch) -> None:
    monkeypatch.setattr(supervisor_module, "STOP_S", 1.0)
    process = runner(STUBBORN)
    (child,) = read_run(tmp_path)["processes"]
    process.kill()
    process.wait()
    time.sleep(0.3)
    assert is_alive(child)
    with Supervisor(tmp_path, [], {}):
        assert not is_alive(child)


def test_a_taken_port_is_a_clear_refusal() -> None:
    with open_socket("127.0.0.1", 0) as taken, pytest.raises(CommandError, match="--port"):
        open_socket("127.0.0.1", taken.getsockname()[1])


def test_run_json_tells_the_processes_by_start_time_too(tmp_path: Path) -> None:
    with Supervisor(tmp_path, [program(SLEEPER)], {"mode": "demo"}) as supervisor:
        supervisor.run(until=after(0.3))
        report = json.loads((tmp_path / "run.json").read_text())
    assert report["mode"] == "demo"
    assert report["supervisor"]["pid"] == os.getpid()
    assert not is_alive(report["processes"][0])
    assert not is_alive(report["supervisor"] | {"started": 1})


def test_a_second_start_says_that_it_runs_and_not_that_a_port_is_taken(tmp_path: Path) -> None:
    me = identify(os.getpid())
    (tmp_path / "run.json").write_text(json.dumps({"supervisor": me}))
    with pytest.raises(CommandError, match="running here already"):
        check_not_running(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"supervisor": me | {"started": 1}}))
    check_not_running(tmp_path)


def look_and_stop(state: Path, left: dict[str, object]) -> None:
    report = read_run(state)
    assert report is not None
    assert report["supervisor"] == identify(os.getpid())
    assert report["processes"] == [left]
    with pytest.raises(CommandError, match="running here already"):
        check_not_running(state)
    os.kill(report["supervisor"]["pid"], signal.SIGTERM)
    time.sleep(5)


def test_a_start_that_is_not_there_yet_is_found_and_ended(tmp_path: Path) -> None:
    left = {"name": "api-1", "pid": 1, "started": 1, "restarts": 0}
    (tmp_path / "run.json").write_text(json.dumps({"processes": [left]}))
    with pytest.raises(KeyboardInterrupt), starting(tmp_path):
        look_and_stop(tmp_path, left)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    (tmp_path / "run.json").unlink()
    with pytest.raises(CommandError, match="no disk"), starting(tmp_path):
        raise CommandError("no disk")
    assert not (tmp_path / "run.json").exists()
