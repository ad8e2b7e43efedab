"""`./paidan COMMAND …`: finds the command, makes ready what it needs, runs it."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NoReturn

from api.command_line.commands import COMMANDS, Command, External
from api.command_line.environment import read_environment
from api.command_line.machine import ensure_python, ensure_system
from api.command_line.problems import CommandError
from api.command_line.progress import say
from dispatch.settings import SettingsError

ENV_FILE = "--env-file"
ENV_FILE_HELP = "a file of NAME=value settings; the environment goes before it (also PAIDAN_ENV_FILE)"


def main(words: Sequence[str]) -> int:
    """Runs one command and gives back its exit code: 0 well, 1 failed, 2 wrongly called."""
    env_file, words = take_env_file(list(words))
    known = {command.name: command for command in COMMANDS}
    chosen = known.get(words[0]) if words else None
    if not words or words == ["help"]:
        parser().print_help(sys.stdout if words else sys.stderr)
        return 0 if words else 2
    try:
        if chosen is None:
            parser().parse_args(words)  # says what is wrong with them, and ends
            return 2
        if isinstance(chosen, External):
            run_external(chosen, words[1:], env_file)
        return run_command(chosen, words[1:], env_file)
    except CommandError as error:
        say(str(error))
        return 1
    except SettingsError as error:
        say(f"{error} (settings come from the environment or --env-file)")
        return 1
    except subprocess.TimeoutExpired as error:
        say(f"{Path(str(error.cmd[0])).name} took longer than {error.timeout:.0f} s and was stopped")
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run_command(command: Command, words: Sequence[str], env_file: Path | None) -> int:
    """A command of this package, inside what it needs."""
    module = command.load()
    if command.unread:
        args = argparse.Namespace(rest=words)
    else:
        own = argparse.ArgumentParser(prog=f"paidan {command.name}", description=command.help)
        module.add_arguments(own)
        args = own.parse_args(words)
    args.env_file = env_file
    with database_in_use(env_file) if command.database else nullcontext():
        return module.run(args)


def run_external(command: External, words: Sequence[str], env_file: Path | None) -> NoReturn:
    """A command of other packages takes this process over, and counts its seconds from this one's start."""
    ensure_python(command.packages)
    read_environment(os.environ, env_file).apply()
    os.execv(sys.executable, [sys.executable, "-m", command.module, *words])


@contextmanager
def database_in_use(env_file: Path | None) -> Iterator[None]:
    """The database, migrated and running, and the settings applied."""
    from api.command_line.database import database_ready  # loads psycopg

    environment = read_environment(os.environ, env_file)
    if environment.cluster is not None:
        ensure_system(["postgresql"])
    with database_ready(environment):
        environment.apply()
        yield


def parser() -> argparse.ArgumentParser:
    """What can be called; each command reads its own words."""
    top = argparse.ArgumentParser(prog="paidan", description="Paidan 派单: field-service dispatch")
    top.add_argument(ENV_FILE, metavar="FILE", help=ENV_FILE_HELP)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        commands.add_parser(command.name, help=command.help)
    return top


def take_env_file(words: list[str]) -> tuple[Path | None, list[str]]:
    """`--env-file FILE` from anywhere among the words, and the words without it."""
    for at, word in enumerate(words):
        if word == "--":
            break
        if word.startswith(f"{ENV_FILE}="):
            return Path(word.partition("=")[2]), words[:at] + words[at + 1 :]
        if word == ENV_FILE and at + 1 < len(words):
            return Path(words[at + 1]), words[:at] + words[at + 2 :]
    return None, words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
