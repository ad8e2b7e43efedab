"""Where things are and which settings hold: environment, settings file, demo, private cluster, in order."""

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from api.command_line.cluster import Cluster
from api.command_line.problems import CommandError
from api.command_line.progress import say

HOME = Path(__file__).resolve().parents[2]
LINE = re.compile(r"^(?:export\s+)?([A-Z_][A-Z0-9_]*)\s*=\s*(.*)$")
URLS = {
    "PAIDAN_DATABASE_URL": "paidan_app",
    "PAIDAN_DATABASE_OWNER_URL": "paidan_owner",
    "PAIDAN_DATABASE_RELAY_URL": "paidan_relay",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """The settings of this run. `cluster` is None when the database is somebody else's."""

    variables: dict[str, str]
    state: Path
    cluster: Cluster | None
    database: str
    demo: bool

    def apply(self) -> None:
        """Hands the settings to this process and so to its children."""
        os.environ.update(self.variables)

    def keep_database(self) -> None:
        """Starts the private cluster again when it has been killed; any other database is not ours."""
        if self.cluster is not None:
            self.cluster.keep_running(say)


def default_state() -> Path:
    """One folder per checkout. Root's is under /var/lib: the server's account must be able to reach it."""
    if os.getuid() != 0:
        return HOME / ".state"
    return Path("/var/lib/paidan") / hashlib.sha256(os.fsencode(HOME)).hexdigest()[:8]


def read_env_file(path: Path) -> dict[str, str]:
    """`NAME=value` lines; blank lines and # comments are skipped, one pair of quotes is taken off."""
    found: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the settings file {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = LINE.match(text)
        if match is None:
            raise CommandError(f"{path}, line {number}: expected NAME=value")
        name, value = match[1], match[2].strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name] = value
    return found


def read_environment(
    env: Mapping[str, str], env_file: Path | None = None, *, demo: bool | None = None
) -> Environment:
    """The settings that hold for a command.

    `demo` True is the demo itself, False a real installation; None is a command for whichever is
    here: the demo, when it has been run in this state folder and no keys of one's own are set.
    """
    given = dict(env)
    path = env_file or (Path(env["PAIDAN_ENV_FILE"]) if env.get("PAIDAN_ENV_FILE") else None)
    if path is not None:
        given = read_env_file(path) | given
    state = Path(given.get("PAIDAN_STATE") or default_state()).absolute()
    remembered = state / "demo.env"
    if demo is None:
        demo = given.get("PAIDAN_DEMO") == "1" or (
            not given.get("PAIDAN_SECRET_KEY") and not external_url(given) and remembered.exists()
        )
    if demo and remembered.exists():
        given = read_env_file(remembered) | given
    chosen = {name: value for name, value in given.items() if name.startswith("PAIDAN_")}
    chosen["PAIDAN_STATE"] = str(state)
    if demo:
        chosen["PAIDAN_DEMO"] = "1"
        chosen.setdefault("PAIDAN_LOG_LEVEL", "warning")
    database = "paidan_demo" if demo else "paidan"
    cluster = None
    if url := external_url(given):
        chosen["PAIDAN_DATABASE_URL"] = url
        missing = [name for name in URLS if not chosen.get(name)]
        if missing:
            raise CommandError(
                f"with a database of your own set {' and '.join(missing)} too (roles: see setup/database.sql)"
            )
    else:
        cluster = Cluster(state)
        chosen |= {name: cluster.url(role, database) for name, role in URLS.items()}
    return Environment(chosen, state, cluster, database, demo)


def external_url(given: Mapping[str, str]) -> str:
    """The address of a database that is not ours, or an empty text."""
    return given.get("PAIDAN_DATABASE_URL") or given.get("DATABASE_URL") or ""


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def new_key() -> str:
    """32 random bytes as base64, fit for PAIDAN_SECRET_KEY and PAIDAN_DATA_KEY."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
