"""A bench that is ended leaves no peer running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.child import ROOT

BENCH = """
import sys
from pathlib import Path
from tests.bench import valhalla
valhalla.FOLDER = Path(sys.argv[1])
if sys.argv[2] == "guarded":
    valhalla.end_with_parent()
with valhalla.serving(Path("none.json"), valhalla.free_port()):
    pass
"""
COMMAND_LINE = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"


def ended_within(pid: int, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def started(folder: Path, how: str) -> tuple[subprocess.Popen[bytes], int]:
    """A command line with a bench below it, and the number of the service below that."""
    program = folder / "valhalla" / "bin" / "valhalla_service"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho $$ > {folder}/part\nmv {folder}/part {folder}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    command = subprocess.Popen([sys.executable, "-c", COMMAND_LINE, BENCH, str(folder), how], cwd=ROOT)
    ends = time.monotonic() + 30
    while not (folder / "pid").exists():
        assert time.monotonic() < ends
        assert command.poll() is None
        time.sleep(0.02)
    return command, int((folder / "pid").read_text())


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_ending_the_command_ends_the_peers_service(tmp_path: Path, sign: signal.Signals) -> None:
    command, service = started(tmp_path, "guarded")
    command.send_signal(sign)
    command.wait(10)
    assert ended_within(service, 10)


def test_sabotage_a_bench_that_does_not_look_at_its_parent_leaves_the_service(tmp_path: Path) -> None:
    command, service = started(tmp_path, "unguarded")
    command.kill()
    command.wait(10)
    assert not ended_within(service, 0.5)
    os.kill(service, signal.SIGKILL)
