"""Processes by their ids: telling them apart, signalling them, ending them."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any


def end(process: "subprocess.Popen[bytes]", patience_s: float) -> None:
    """SIGTERM to the process's group, and SIGKILL to what is left after `patience_s`."""
    signal_group(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(patience_s)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signals a child's whole process group; one that has gone already is fine."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def identify(pid: int) -> dict[str, int]:
    """A process id with its start time (kernel ticks since boot), so that a reused id is told apart."""
    return {"pid": pid, "started": start_ticks(pid)}


def start_ticks(pid: int) -> int:
    """When a process started, in kernel ticks since boot; 0 when there is none. Source: proc(5), field 22."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] == "Z" else int(fields[19])


def is_alive(identity: dict[str, Any]) -> bool:
    """Whether the process that `identify` saw still runs."""
    pid = int(identity.get("pid") or 0)
    return pid > 0 and start_ticks(pid) == identity.get("started") != 0


def describe_exit(code: int) -> str:
    """`exit code 3` or `SIGKILL`."""
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
