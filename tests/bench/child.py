"""Runs a solver as a child process: wall and CPU seconds and memory measured, killed when it overstays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GRACE_S = 60.0  # for imports, reading and writing; what a solver does beyond its seconds shows in wall_s


@dataclass(frozen=True)
class Ran:
    """What a child took: seconds on the wall, seconds of CPU, peak resident MB; code is None when killed."""

    code: int | None
    wall_s: float
    cpu_s: float
    peak_mb: float
    tail: str


def run_child(arguments: list[str], seconds: float, log: Path) -> Ran:
    """Run `python ARGUMENTS` from the checkout, libraries on one thread; killed after seconds + GRACE_S."""
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    began = time.perf_counter()
    with log.open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **quiet},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        killed = False
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if not killed and time.perf_counter() - began > seconds + GRACE_S:
                killed = True
                _kill_with_children(child.pid)
            time.sleep(0.01)
    child.returncode = os.waitstatus_to_exitcode(status)
    tail = log.read_text(errors="replace")[-2000:]
    code = None if killed else child.returncode
    wall_s = time.perf_counter() - began
    return Ran(code, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, tail)


def _kill_with_children(pid: int) -> None:
    """Kill a process and all that came from it, whatever session they made for themselves."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(pid, signal.SIGKILL)
    except (OSError, ProcessLookupError):
        return
    for child in children:
        _kill_with_children(int(child))
