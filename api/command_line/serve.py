"""`./paidan serve`: runs the product with your own settings."""

import argparse
import os

from api.command_line.database import database_ready
from api.command_line.environment import Environment, read_environment
from api.command_line.front_end import ensure_built
from api.command_line.machine import ensure_system
from api.command_line.problems import CommandError
from api.command_line.product import product_programs, wait_until_healthy
from api.command_line.progress import say
from api.command_line.supervisor import Supervisor, open_socket, starting
from api.command_line.words import port, processes
from dispatch.settings import SettingsError, read_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Address and how many of each process this host runs."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (127.0.0.1: behind a proxy)"
    )
    parser.add_argument("--port", type=port, default=8080)
    parser.add_argument("--api", type=processes, default=2, help="api processes on this host (2)")
    parser.add_argument("--workers", type=processes, default=1, help="worker processes on this host (1)")
    parser.add_argument(
        "--relays", type=processes, default=1, help="relays; one is active, others stand by (1)"
    )


def run(args: argparse.Namespace) -> int:
    """Serves until Ctrl-C or `./paidan stop`."""
    environment = read_environment(os.environ, args.env_file, demo=False)
    environment.variables.setdefault("PAIDAN_PUBLIC_URL", f"http://{args.host}:{args.port}")
    environment.variables.pop("PAIDAN_DEMO", None)
    try:
        read_settings(environment.variables)
    except SettingsError as error:
        raise CommandError(f"{error} (settings come from the environment or --env-file)") from error
    with starting(environment.state):
        return _serve(args, environment)


def _serve(args: argparse.Namespace, environment: Environment) -> int:
    ensure_system(["font"] if environment.cluster is None else ["postgresql", "font"])
    ensure_built()
    environment.apply()
    with database_ready(environment), open_socket(args.host, args.port) as listener:
        programs = product_programs(listener.fileno(), args.api, args.workers, args.relays)
        facts = {"mode": "serve", "host": args.host, "port": args.port}
        with Supervisor(environment.state, programs, facts, environment.keep_database) as supervisor:
            if args.api == 0 or wait_until_healthy(supervisor, args.host, args.port):
                say(f"ready: {environment.variables['PAIDAN_PUBLIC_URL']}")
            supervisor.run()
    return 0
