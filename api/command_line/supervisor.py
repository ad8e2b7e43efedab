"""Starts the product's processes, restarts one that dies, and stops all of them together.

Each child leads its own process group, so a Ctrl-C reaches the supervisor alone and a stop reaches
a child's children too. A child whose supervisor is killed gets SIGTERM from the kernel.
"""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from api.command_line.environment import write_private
from api.command_line.problems import CommandError
from api.command_line.processes import describe_exit, end, identify, is_alive, signal_group
from api.command_line.progress import say
from api.command_line.rolling import Rolling

STOP_S = 8.0  # from SIGTERM to SIGKILL
BACKOFF_S = (0.2, 1, 2, 4, 8, 15, 15, 15)  # after this many deaths in a row the supervisor gives up
STEADY_S = 60.0  # alive this long, a child's earlier deaths are forgotten
TICK_S = 0.2
LOG_BYTES = 20_000_000
RUNNING = "Paidan is running here already: `./paidan status`, `./paidan stop`"


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running. `once` marks one whose ordinary end (exit code 0) is not a death, `single` one
    that cannot run beside its successor."""

    name: str
    command: tuple[str, ...]
    fds: tuple[int, ...] = ()
    once: bool = False
    single: bool = False
    env: dict[str, str] = field(default_factory=dict)


@dataclass
class Child:
    """A program while the supervisor looks after it; times are of the monotonic clock, seconds."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    restarts: int = 0
    due: float = 0.0
    ended: bool = False


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """The command line of a Python module that dies with its parent."""
    return ("setpriv", "--pdeathsig", "TERM", sys.executable, "-m", module, *arguments)


def open_socket(host: str, port: int) -> socket.socket:
    """A listening socket; children accept on it. Raises CommandError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"{host}:{port} cannot be used: {error.strerror}; take another with --port"
        ) from error
    listener.listen(1024)
    listener.set_inheritable(True)
    return listener


def check_not_running(state: Path) -> None:
    """Raises CommandError where the product runs in this state folder already."""
    running = read_run(state)
    if running and is_alive(running.get("supervisor", {})):
        raise CommandError(RUNNING)


@contextmanager
def starting(state: Path) -> Iterator[None]:
    """What goes before the supervisor: `./paidan stop` finds it and ends it, a second start is refused.

    What a killed supervisor has left stays listed, for the next one to end. Raises CommandError.
    """
    check_not_running(state)
    before = read_run(state) or {"processes": []}
    write_private(
        state / "run.json", json.dumps(before | {"mode": "starting", "supervisor": identify(os.getpid())})
    )
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
        if (read_run(state) or {}).get("processes") == []:
            (state / "run.json").unlink(missing_ok=True)


class Supervisor:
    """Runs programs until told to stop.

    `facts` goes into run.json beside the process ids; `each_round` is called several times a second, for
    what else has to be kept going.
    """

    def __init__(
        self,
        state: Path,
        programs: Sequence[Program],
        facts: dict[str, Any],
        each_round: Callable[[], None] = lambda: None,
    ) -> None:
        self.state = state
        self.children = [Child(program) for program in programs]
        self.facts = facts
        self.each_round = each_round
        self.stopping = False
        self.failed: str | None = None
        self.rolling: Rolling | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> "Supervisor":
        (self.state / "logs").mkdir(parents=True, exist_ok=True)
        self._lock = (self.state / "run.lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(RUNNING) from None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGUSR1, self._on_roll)
        self.facts["rolls"] = {"asked": 0, "said": "never"}
        stop_leftovers(self.state)
        self._write_run()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop_children()
        (self.state / "run.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()

    def add(self, program: Program) -> None:
        """Looks after one more program from the next round on."""
        self.children.append(Child(program))

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keeps the programs running until a signal, `until`, or a child that dies again and again.

        Raises CommandError in the last case.
        """
        while not self.stopping and not until():
            for child in self.children:
                self._look_after(child)
            if self.failed is not None:
                raise CommandError(self.failed)
            if self.rolling is not None:
                self.rolling.step()
            self.each_round()
            time.sleep(TICK_S)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if not child.ended and now >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            if child.deaths and now - child.started > STEADY_S:
                child.deaths = 0
            return
        signal_group(child.process.pid, signal.SIGKILL)  # what it started itself must not outlive it
        child.process = None
        if child.program.once and code == 0:
            child.ended = True
            self._write_run()
            return
        if child.deaths >= len(BACKOFF_S):
            self.failed = (
                f"{child.program.name} died {child.deaths + 1} times in a row; see {self._log(child)}"
            )
            return
        child.due = now + BACKOFF_S[child.deaths]
        child.deaths += 1
        child.restarts += 1
        say(f"{child.program.name} ended with {describe_exit(code)}; starting it again")

    def _start(self, child: Child) -> None:
        child.process = self.launch(child)
        child.started = time.monotonic()
        self._write_run()

    def launch(self, child: Child) -> "subprocess.Popen[bytes]":
        """A process of the child's program, its lines forwarded; nobody looks after it yet."""
        process = subprocess.Popen(
            child.program.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            pass_fds=child.program.fds, start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | child.program.env,
        )  # fmt: skip
        threading.Thread(
            target=forward, args=(process.stdout, child.program.name, self._log(child)), daemon=True
        ).start()
        return process

    def replace(self, child: Child, process: "subprocess.Popen[bytes]") -> None:
        """`process` takes the child's place; what ran before is told to stop."""
        before, child.process = child.process, process
        child.started, child.deaths = time.monotonic(), 0
        self._write_run()
        if before is not None:
            threading.Thread(target=end, args=(before, STOP_S)).start()

    def say_roll(self, said: str) -> None:
        """What `upgrade` reads: `rolling`, `done`, or why not."""
        self.facts["rolls"] = self.facts["rolls"] | {"said": said}
        self._write_run()

    def _log(self, child: Child) -> Path:
        return self.state / "logs" / f"{child.program.name}.log"

    def _on_signal(self, number: int, _frame: object) -> None:
        if not self.stopping:
            say(f"stopping ({signal.Signals(number).name})")
        self.stopping = True

    def _on_roll(self, _number: int, _frame: object) -> None:
        if self.rolling is None:
            self.facts["rolls"] = {"asked": self.facts["rolls"]["asked"] + 1, "said": "rolling"}
            self.rolling = Rolling(self)

    def _stop_children(self) -> None:
        """SIGTERM to every group, and SIGKILL to what is left after STOP_S."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                say(f"process {process.pid} did not stop in {STOP_S:.0f} s and is killed")
            signal_group(process.pid, signal.SIGKILL)
            process.wait()

    def _write_run(self) -> None:
        """run.json: what `status` and `stop` read."""
        report = self.facts | {
            "supervisor": identify(os.getpid()),
            "processes": [
                {
                    "name": child.program.name,
                    "restarts": child.restarts,
                    **(identify(child.process.pid) if child.process else {"pid": None}),
                }
                for child in self.children
                if not child.ended
            ],
        }
        write_private(self.state / "run.json", json.dumps(report, indent=2) + "\n")


def forward(source: IO[bytes], name: str, path: Path) -> None:
    """Copies a child's lines to its log and to standard error, until it ends: to a terminal only what somebody
    should look at, with the child's name in front; to a file or a collector all of it, as it is."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    terminal = sys.stderr.isatty()
    with source, path.open("ab", buffering=0) as log:
        for line in source:
            log.write(line)
            text = line.decode(errors="replace").rstrip()
            is_entry = text.startswith('{"time":')
            if is_entry and not terminal:
                print(text, file=sys.stderr, flush=True)
            elif text and '"level":"info"' not in text:
                print(f"{name:<8} {text}", file=sys.stderr, flush=True)


def read_run(state: Path) -> dict[str, Any] | None:
    """What is running below a state folder, or None. A run.json left by a killed supervisor still counts."""
    try:
        report = json.loads((state / "run.json").read_text())
    except (OSError, ValueError):
        return None
    return report if isinstance(report, dict) else None


def stop_leftovers(state: Path) -> None:
    """Ends what a killed supervisor has left: its children were told to stop, some may still be at it."""
    report = read_run(state) or {}
    left = [each for each in report.get("processes", []) if is_alive(each)]
    for number, patience_s in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, 2.0)):
        for each in left:
            signal_group(each["pid"], number)
        deadline = time.monotonic() + patience_s
        while (left := [each for each in left if is_alive(each)]) and time.monotonic() < deadline:
            time.sleep(0.1)
