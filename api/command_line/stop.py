"""`./paidan stop`: ends what runs from this state folder, its private database too."""

import argparse
import os
import signal
import time

from api.command_line.environment import read_environment
from api.command_line.processes import is_alive
from api.command_line.progress import say
from api.command_line.supervisor import read_run, stop_leftovers

PATIENCE_S = 15.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    """Asks the supervisor to stop, ends it if it does not, and stops the private cluster."""
    environment = read_environment(os.environ, args.env_file)
    supervisor = (read_run(environment.state) or {}).get("supervisor", {})
    if is_alive(supervisor):
        say(f"stopping process {supervisor['pid']} …")
        os.kill(supervisor["pid"], signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while is_alive(supervisor) and time.monotonic() < deadline:
            time.sleep(0.1)
        if is_alive(supervisor):
            os.kill(supervisor["pid"], signal.SIGKILL)
    else:
        say("nothing is running here")
    stop_leftovers(environment.state)
    (environment.state / "run.json").unlink(missing_ok=True)
    if environment.cluster is not None:
        environment.cluster.stop()
    return 0
