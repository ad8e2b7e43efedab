"""What a command needs from the machine beyond the first Python packages, installed when it is missing."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.command_line.cluster import find_binaries
from api.command_line.environment import HOME
from api.command_line.problems import CommandError
from api.command_line.progress import say, step

VENV = HOME / ".venv"
APT_TIMEOUT_S = 900
PACKAGES_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """Something of Debian's: how to see that it is here, and what to install when it is not."""

    present: Callable[[], bool]
    packages: tuple[str, ...]
    purpose: str


def has_postgresql() -> bool:
    """Whether a PostgreSQL server with PostGIS is installed."""
    try:
        find_binaries()
    except CommandError:
        return False
    return True


def has_chinese_font() -> bool:
    """Whether a font with Chinese characters is installed: photos carry them, and pictures of pages."""
    fonts = Path("/usr/share/fonts")
    patterns = ("wqy*.tt[cf]", "NotoSansCJK*", "NotoSerifCJK*", "DroidSansFallback*", "SourceHanSans*")
    return any(next(fonts.rglob(pattern), None) for pattern in patterns)


def find_chromium() -> str | None:
    """The path of Debian's chromium, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


SYSTEM = {
    "postgresql": SystemPackage(has_postgresql, ("postgresql", "postgresql-postgis"), "the private database"),
    "font": SystemPackage(has_chinese_font, ("fonts-wqy-microhei",), "Chinese on photos"),
    "chromium": SystemPackage(lambda: find_chromium() is not None, ("chromium",), "browser tests"),
}


def ensure_system(names: Iterable[str]) -> None:
    """Installs what is missing of SYSTEM, as root or through `sudo -n`. Raises CommandError."""
    missing = [SYSTEM[name] for name in names if not SYSTEM[name].present()]
    if not missing:
        return
    packages = [package for each in missing for package in each.packages]
    as_root: list[str] = []
    if os.getuid() != 0:
        as_root = ["sudo", "-n"]
        if shutil.which("sudo") is None or subprocess.run([*as_root, "true"], capture_output=True).returncode:
            raise CommandError(
                f"missing: {' '.join(packages)}. As root: apt-get install {' '.join(packages)}"
            )
    with step(f"installing {' '.join(packages)}"):
        if "postgresql" in packages:
            _no_main_cluster(as_root)
        apt = [
            *as_root,
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "-qq",
            "-o",
            "DPkg::Lock::Timeout=300",
        ]
        _run([*apt, "update"], "apt-get update")
        _run([*apt, "install", "-y", "--no-install-recommends", *packages], "apt-get install")


def ensure_python(groups: Sequence[str]) -> None:
    """Installs the locked packages of `dev` or `bench` on top of the product's own, which `./paidan` itself keeps."""
    if not groups:
        return
    locks = [HOME / "requirements.lock", *(HOME / f"requirements-{group}.lock" for group in groups)]
    wanted = "".join(lock.read_text() for lock in locks)
    stamp = VENV / f".stamp-{'-'.join(groups)}"
    with (VENV / "pyvenv.cfg").open() as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        arguments = [part for lock in locks for part in ("-r", str(lock))]
        with step(f"installing Python packages for {' and '.join(groups)}"):
            quiet = ["install", "-q", "--require-hashes"]
            python = str(VENV / "bin" / "python")
            with_uv = [str(VENV / "bin" / "uv"), "pip", *quiet, "--python", python, *arguments]
            tried = subprocess.run(
                with_uv, env=uv_environment(), capture_output=True, timeout=PACKAGES_TIMEOUT_S
            )
            if tried.returncode:
                _run([python, "-m", "pip", "--disable-pip-version-check", *quiet, *arguments], "pip install")
        stamp.write_text(wanted)


def uv_environment() -> dict[str, str]:
    """This environment, with what the machine says to pip said to uv as well: uv reads nothing of pip's."""
    env = dict(os.environ)
    said = {
        "UV_DEFAULT_INDEX": env.get("UV_INDEX_URL") or env.get("PIP_INDEX_URL") or _pip_setting("index-url"),
        "SSL_CERT_FILE": env.get("PIP_CERT") or _pip_setting("cert"),
    }
    return {name: value for name, value in said.items() if value} | env


def _pip_setting(name: str) -> str:
    command = [str(VENV / "bin" / "python"), "-m", "pip", "config", "get", f"global.{name}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()


def _no_main_cluster(as_root: list[str]) -> None:
    """Debian starts a cluster of its own on installing PostgreSQL; nobody here needs it."""
    folder = Path("/etc/postgresql-common/createcluster.d")
    _run([*as_root, "mkdir", "-p", str(folder)], "mkdir")
    subprocess.run(
        [*as_root, "tee", str(folder / "paidan.conf")],
        input=b"create_main_cluster = false\n", stdout=subprocess.DEVNULL, check=True, timeout=60,
    )  # fmt: skip


def _run(command: list[str], name: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=APT_TIMEOUT_S,
    )  # fmt: skip
    if done.returncode:
        for line in done.stdout.splitlines()[-15:]:
            say(f"  {line}")
        raise CommandError(f"{name} failed with exit code {done.returncode}")
