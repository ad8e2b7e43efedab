"""`./paidan COMMAND …`: finds the command, makes ready what it needs, runs it."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from api.command_line.commands import COMMANDS, Command, External
from api.command_line.database import database_ready
from api.command_line.environment import read_environment
from api.command_line.front_end import ensure_built
from api.command_line.machine import ensure_python, ensure_system
from api.command_line.problems import CommandError
from api.command_line.progress import say
from dispatch.settings import SettingsError

ENV_FILE = "--env-file"
ENV_FILE_HELP = "a file of NAME=value settings; the environment goes before it (also PAIDAN_ENV_FILE)"


def main(words: Sequence[str]) -> int:
    """Runs one command and gives back its exit code: 0 well, 1 failed, 2 wrongly called."""
    env_file, words = take_env_file(list(words))
    known = {
        command.NAME if not isinstance(command, External) else command.name: command for command in COMMANDS
    }
    chosen = known.get(words[0]) if words else None
    if not words or words == ["help"]:
        parser().print_help(sys.stdout if words else sys.stderr)
        return 0 if words else 2
    try:
        if isinstance(chosen, External):
            return run_external(chosen, words[1:], env_file)
        if chosen is not None and getattr(chosen, "PASS_THROUGH", False):
            args = argparse.Namespace(rest=words[1:])
        else:
            args = parser().parse_args(words)
            chosen = known[args.command]
            assert not isinstance(chosen, External)
        args.env_file = env_file
        return run_command(chosen, args)
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


def run_command(command: Command, args: argparse.Namespace) -> int:
    """A command of this package, inside what its NEEDS name."""
    needs: frozenset[str] = getattr(command, "NEEDS", frozenset())
    with ExitStack() as stack:
        if needs:
            make_ready(stack, needs, args.env_file)
        return command.run(args)


def run_external(command: External, words: Sequence[str], env_file: Path | None) -> int:
    """A command in a process of its own, because the api side must not load what it loads."""
    ensure_python(command.packages)
    with ExitStack() as stack:
        make_ready(stack, command.needs, env_file)
        return subprocess.run([sys.executable, "-m", command.module, *words]).returncode


def make_ready(stack: ExitStack, needs: frozenset[str], env_file: Path | None) -> None:
    """Front-end, database and settings, as far as `needs` names them, for as long as the stack is open."""
    environment = read_environment(os.environ, env_file)
    if "web" in needs:
        ensure_built()
    if "database" in needs:
        if environment.cluster is not None:
            ensure_system(["postgresql"])
        stack.enter_context(database_ready(environment))
    environment.apply()


def parser() -> argparse.ArgumentParser:
    """The parser of everything but external commands, which read their own words."""
    top = argparse.ArgumentParser(prog="paidan", description="Paidan 派单: field-service dispatch")
    top.add_argument(ENV_FILE, metavar="FILE", help=ENV_FILE_HELP)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        if isinstance(command, External):
            commands.add_parser(command.name, help=command.help)
            continue
        sub = commands.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(sub)
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
