"""`./paidan test`: every check and every test, with its own database and browser."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable

from api.command_line import front_end
from api.command_line.environment import HOME, default_state
from api.command_line.machine import ensure_python, ensure_system
from api.command_line.problems import CommandError
from api.command_line.progress import say, step

CHECK_TIMEOUT_S = 600
EXPLAINED = """usage: paidan test [PYTEST-WORDS …]

all checks and tests; words behind it go to pytest, and then only pytest runs

  paidan test                        linters, types, front-end, then pytest on two processes
  paidan test tests/unit             only these tests
  paidan test -k "grab and not live" only tests whose names match
  paidan test -x -q                  as pytest has them; its own list: paidan test tests/unit --help"""
LINT_IMPORTS = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(no_logo=True))"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its words are pytest's."""
    parser.add_argument("rest", nargs="*", metavar="PYTEST-WORDS")


def run(args: argparse.Namespace) -> int:
    """Runs the static checks, the front-end's checks and pytest, whose summary is the last line printed."""
    if args.rest in (["-h"], ["--help"]):
        print(EXPLAINED)
        return 0
    ensure_python(["dev"])
    ensure_system(["postgresql", "font", "chromium"])
    failed = [] if args.rest else run_checks()
    words = args.rest or ["-n", "2", "--dist", "loadgroup"]
    if failed:
        say(f"failed before pytest: {', '.join(failed)}")
    env = clean_environment() | {"PAIDAN_TEST_STATE": str(default_state() / "test")}
    code = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=HOME, env=env).returncode
    return code or (1 if failed else 0)


def run_checks() -> list[str]:
    """The names of the checks that failed, each after its own output."""
    npm = front_end.run_npm
    checks: list[tuple[str, Callable[[], None]]] = [
        ("ruff check", lambda: tool("-m", "ruff", "check", "--quiet", ".")),
        ("ruff format", lambda: tool("-m", "ruff", "format", "--check", "--quiet", ".")),
        ("mypy", lambda: tool("-m", "mypy")),
        ("compiled planner", lambda: tool("-m", "dispatch.planning.warm_up")),
        ("compiled roads", lambda: tool("-m", "geo.roads.warm_up")),
        ("import directions", lambda: tool("-c", LINT_IMPORTS)),
        ("front-end packages", front_end.ensure_installed),
        ("tsc", lambda: npm("run", "types", show=True)),
        ("pages", front_end.ensure_built),
        ("vitest", lambda: npm("test", show=True)),
    ]
    failed = []
    for name, check in checks:
        try:
            with step(name):
                check()
        except (CommandError, subprocess.TimeoutExpired) as error:
            say(str(error))
            failed.append(name)
    return failed


def tool(*words: str) -> None:
    """Runs Python with these words on the checkout. Raises CommandError when it finds something."""
    command = [sys.executable, *words]
    code = subprocess.run(command, cwd=HOME, stdin=subprocess.DEVNULL, timeout=CHECK_TIMEOUT_S).returncode
    if code:
        raise CommandError(f"it ended with exit code {code}")


def clean_environment() -> dict[str, str]:
    """This environment without settings of a real installation: tests make their own."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PAIDAN_") and name != "DATABASE_URL"
    }
