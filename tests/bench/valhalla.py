"""Valhalla as a peer of the road bench: its own programs, out of the locked wheel, asked over HTTP on this machine.

The wheel that carries a tile builder is for Python 3.12 and newer, but its programs need no Python: they are unpacked
beside the environment and run as they are, whatever Python runs the bench.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.command_line.environment import HOME
from api.command_line.machine import VENV, uv_environment

FOLDER = VENV / "peers" / "valhalla"
WHEEL_PYTHON = "3.12"
INSTALL_S, TILES_S, ANSWER_S, START_S = 300, 900, 1800, 20
TICKS = os.sysconf("SC_CLK_TCK")
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)
DIE_WITH_PARENT = f"""
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl({PARENT_DEATH}, signal.SIGKILL)
os.execv(sys.argv[1], sys.argv[1:])
"""


class NoPeer(Exception):
    """Valhalla is not to be had here; the text says why in one line."""


def ensure_valhalla() -> str:
    """Unpacks the locked wheel where it is not yet; returns its version. Raises NoPeer."""
    lock = (HOME / "requirements-bench.lock").read_text()
    found = re.search(r"^pyvalhalla==(\S+)[^\\]*(\\\n(?:    --hash.*\n?)+)", lock, re.MULTILINE)
    if found is None:
        raise NoPeer("the lock names no pyvalhalla")
    version, stamp = found[1], FOLDER / "version"
    if stamp.is_file() and stamp.read_text() == version:
        return version
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = FOLDER / "requirements.txt"
    wanted.write_text(f"pyvalhalla=={version} {found[2]}")
    command = [str(VENV / "bin" / "uv"), "pip", "install", "-q", "--no-deps", "--require-hashes"]
    command += ["--python", sys.executable, "--python-version", WHEEL_PYTHON, "--target", str(FOLDER), "-r"]
    try:
        done = subprocess.run(
            [*command, str(wanted)], env=uv_environment(), capture_output=True, text=True, timeout=INSTALL_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPeer(f"its wheel cannot be installed: {error}") from error
    if done.returncode:
        raise NoPeer(
            f"its wheel cannot be installed: {(done.stderr.strip() or 'no word why').splitlines()[-1]}"
        )
    if not (FOLDER / "valhalla" / "bin" / "valhalla_build_tiles").is_file():
        raise NoPeer(f"the wheel {version} carries no tile builder")
    stamp.write_text(version)
    return version


def build_tiles(pbf: Path, folder: Path, port: int) -> tuple[Path, float]:
    """Its configuration and tiles of the pbf in `folder`, and the CPU seconds they took. Raises NoPeer."""
    (folder / "tiles").mkdir(parents=True)
    script = FOLDER / "valhalla" / "valhalla_build_config.py"
    made = [sys.executable, str(script), "--mjolnir-tile-dir", str(folder / "tiles")]
    config = json.loads(_program(made, TILES_S)[0])
    config["mjolnir"].pop("tile_extract", None)
    config["httpd"]["service"] |= {
        "listen": f"tcp://127.0.0.1:{port}",
        "loopback": f"ipc://{folder}/loopback",
        "interrupt": f"ipc://{folder}/interrupt",
    }
    for limits in config["service_limits"].values():
        if isinstance(limits, dict) and "max_matrix_location_pairs" in limits:
            limits["max_matrix_location_pairs"] = 10**7
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    builder = str(FOLDER / "valhalla" / "bin" / "valhalla_build_tiles")
    return path, _program([builder, "-c", str(path), str(pbf.resolve())], TILES_S)[1]


def _program(command: list[str], limit_s: float) -> tuple[str, float]:
    """What it printed and its CPU seconds. Raises NoPeer where it fails."""
    before = os.times()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPeer(f"{Path(command[0]).name}: {error}") from error
    after = os.times()
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
        raise NoPeer(f"{Path(command[0]).name} ended with {done.returncode}: {last[:200]}")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return done.stdout, spent


class Service:
    """A running valhalla_service with one worker of each kind."""

    def __init__(self, port: int, process_id: int) -> None:
        self._port, self._process_id = port, process_id

    def ask(self, action: str, question: dict[str, Any]) -> dict[str, Any] | None:
        """Its answer; None where it says that there is none (no path, no road near)."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_S)
        try:
            connection.request("POST", f"/{action}", json.dumps(question))
            reply = connection.getresponse()
            body = json.loads(reply.read())
        finally:
            connection.close()
        return body if reply.status == 200 else None

    def cpu_s(self) -> float:
        """Seconds its process has computed so far, all threads."""
        words = Path(f"/proc/{self._process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS


@contextmanager
def serving(config: Path, port: int) -> Iterator[Service]:
    """The service over these tiles until the block ends. Raises NoPeer."""
    command = [str(FOLDER / "valhalla" / "bin" / "valhalla_service"), str(config), "1"]
    command = [sys.executable, "-c", DIE_WITH_PARENT, *command]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        service, ends = Service(port, process.pid), time.monotonic() + START_S
        try:
            while True:
                try:
                    service.ask("status", {})
                    break
                except OSError as error:
                    if process.poll() is not None or time.monotonic() > ends:
                        raise NoPeer("valhalla_service does not answer") from error
                    time.sleep(0.1)
            yield service
        finally:
            process.kill()


def end_with_parent() -> None:
    """From now on the end of what asked for this run, or a SIGTERM, ends it in order: what it started ends too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGTERM)


def free_port() -> int:
    """A port of this machine nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
