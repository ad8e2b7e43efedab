"""Whether the kernels are compiled, found without loading them: a plan's seconds are not there for compiling."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

from dispatch.planning.scenario import PlanningError
from geo.compiled import forget_stale

HERE: Final = Path(__file__).resolve().parent
COMPILE_S: Final = 1800.0
STAMP: Final = "kernels.ready"


def ensure_compiled() -> None:
    """Compiles the kernels in a process of its own where that has not been done for these sources, this numba and
    this processor; says so on standard error, for it takes minutes. Raises PlanningError `planner_failed`.

    Where the folder cannot be written numba keeps them in the user's own cache, and each call looks there.
    """
    if are_ready(HERE):
        return
    sys.stderr.write("planner: compiling its kernels, once; about two minutes\n")
    try:
        (HERE / "__pycache__").mkdir(exist_ok=True)
        lock = (HERE / "__pycache__" / "compiling.lock").open("a")
    except OSError:
        _compile()
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not are_ready(HERE):
            _compile()


def _compile() -> None:
    command = [sys.executable, "-m", "dispatch.planning.warm_up"]
    root = HERE.parents[1]
    try:
        subprocess.run(
            command, cwd=root, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=True, timeout=COMPILE_S
        )
    except subprocess.SubprocessError as error:
        raise PlanningError("planner_failed", {"detail": f"compiling: {error}"}) from error


def are_ready(folder: Path) -> bool:
    """Whether `mark_ready` was called for the sources as they are now."""
    try:
        return (folder / "__pycache__" / STAMP).read_text() == _fingerprint(folder)
    except OSError:
        return False


def mark_ready(folder: Path) -> None:
    """The kernels of this folder are compiled. Nothing is kept where the folder cannot be written."""
    stamp = folder / "__pycache__" / STAMP
    if os.access(stamp.parent, os.W_OK):
        stamp.write_text(_fingerprint(folder))


def forget_stale_kernels(folder: Path) -> bool:
    """Deletes compiled kernels when any kernel's source changed: the cache alone would keep changed callees.

    Returns whether it did. Where the folder cannot be written there is no cache either.
    """
    return forget_stale(folder, _sources(folder), "kernel*.nb[ic]")


def _sources(folder: Path) -> list[Path]:
    return sorted([*folder.glob("kernel*.py"), folder / "layout.py"])


def _fingerprint(folder: Path) -> str:
    """What compiled code depends on: the sources, numba, and the processor it was made for."""
    cpuinfo = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    processor = [
        line for line in cpuinfo if line.startswith(("model name", "flags", "CPU implementer", "Features"))
    ]
    parts = [path.read_bytes() for path in _sources(folder)]
    return hashlib.sha256(
        b"".join([*parts, version("numba").encode(), *map(str.encode, processor)])
    ).hexdigest()
