"""The list of commands. A new one is a module here, or an External beside it, and one line in COMMANDS.

A command's module has add_arguments(parser) and run(args) -> exit code. It is imported when the command is called, and
only then: all of them together take seconds.
"""

import argparse
import importlib
from dataclasses import dataclass
from typing import Protocol, cast


class Runnable(Protocol):
    """What a module of this package offers to be a command."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's words."""

    def run(self, args: argparse.Namespace) -> int:
        """Does it; the number is the exit code."""


@dataclass(frozen=True, slots=True)
class Command:
    """One with `database` runs while that is up and migrated, settings applied; an `unread` one gets its words as
    `args.rest`.
    """

    name: str
    help: str
    module: str
    database: bool = False
    unread: bool = False

    def load(self) -> Runnable:
        """Its module, which may take a second to import."""
        return cast(Runnable, importlib.import_module(self.module))


@dataclass(frozen=True, slots=True)
class External:
    """A command that runs as `python -m module`, with the settings and the locked `packages` beside the product's."""

    name: str
    help: str
    module: str
    packages: tuple[str, ...] = ()


COMMANDS: tuple[Command | External, ...] = (
    Command(
        "demo",
        "a demo city: all set-up, all processes, simulated engineers and customers",
        "api.command_line.demo",
    ),
    Command("serve", "run api, worker and relay with your own settings", "api.command_line.serve"),
    Command("stop", "stop the running product and its private database", "api.command_line.stop"),
    Command(
        "status", "process ids and health as JSON; exit code 0 when all is well", "api.command_line.status"
    ),
    Command("doctor", "what is missing or wrong, and how to mend it", "api.command_line.doctor"),
    Command(
        "test",
        "all checks and tests; words behind it go to pytest, and then only pytest runs",
        "api.command_line.test",
        unread=True,
    ),
    Command(
        "company",
        "add SLUG: a new company and its first admin (asks for the password); "
        "allow-passwords SLUG: end company-only sign-in",
        "api.command_line.company",
        database=True,
    ),
    Command(
        "import",
        "tickets FILE --mapping M, or skills, work-types, engineers, shifts, customers, assets FILE [--dry-run]",
        "api.command_line.imports",
        database=True,
    ),
    Command(
        "export",
        "skills, work-types, engineers, shifts, customers, assets FILE: CSV or XLSX, as import reads it back",
        "api.command_line.exports",
        database=True,
    ),
    Command(
        "audit",
        "verify: check every event's hash and that replaying events gives every ticket",
        "api.command_line.audit",
        database=True,
    ),
    Command(
        "backup",
        "PLACE: database and photos into a folder, or into one file when it ends in .tar",
        "api.command_line.backup",
    ),
    Command(
        "restore",
        "PLACE: put a backup back, verified; refuses to touch a database in use without --replace",
        "api.command_line.restore",
    ),
    Command(
        "upgrade",
        "after new code: backup, migrations, then each process anew, one after another, while the product runs",
        "api.command_line.upgrade",
    ),
    Command(
        "contract",
        "write: generate mobile_contract/schema; check: is it current, and --since OLD.json not broken",
        "api.command_line.contract",
    ),
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
