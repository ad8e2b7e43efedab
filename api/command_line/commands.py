"""The list of commands. A new one is a module here, or an External beside it, and one line in COMMANDS.

A module has NAME, HELP, add_arguments(parser) and run(args) -> exit code; optionally
NEEDS, a frozenset of "database" (migrated and running), "web" (pages built) or "settings" (applied only), and
PASS_THROUGH = True, to get its words unread as `args.rest`.
"""

import argparse
from dataclasses import dataclass
from typing import Protocol

from api.command_line import (
    audit,
    backup,
    company,
    contract,
    demo,
    doctor,
    exports,
    imports,
    restore,
    serve,
    status,
    stop,
    test,
    upgrade,
)


class Command(Protocol):
    """What a module of this package offers to be a command."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's words."""

    def run(self, args: argparse.Namespace) -> int:
        """Does it; the number is the exit code."""


@dataclass(frozen=True, slots=True)
class External:
    """A command that runs as `python -m module`, with the locked `packages` beside the product's."""

    name: str
    help: str
    module: str
    packages: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset({"settings"})


COMMANDS: tuple[Command | External, ...] = (
    demo,
    serve,
    stop,
    status,
    doctor,
    test,
    company,
    imports,
    exports,
    audit,
    backup,
    restore,
    upgrade,
    contract,
    External(
        "bench",
        "NAME: print figures beside what they are compared with",
        "tests.bench",
        packages=("dev", "bench"),
    ),
    External("plan", "SCENARIO.json: a day's plan from a file, or --check one", "dispatch.planning"),
    External(
        "roads", "import FILE.osm.pbf …: road networks for travel times, and the board's map", "geo.roads"
    ),
)
