"""`./paidan demo`: a city's working day on this machine, with its own secrets, clock and push service."""

import argparse
import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.command_line.database import database_ready
from api.command_line.demo_clock import beat, start_clock
from api.command_line.environment import Environment, new_key, read_environment, write_private
from api.command_line.front_end import ensure_built
from api.command_line.machine import ensure_system
from api.command_line.problems import CommandError
from api.command_line.product import product_programs, wait_until_healthy
from api.command_line.progress import say, step
from api.command_line.supervisor import Program, Supervisor, open_socket, python, starting
from api.command_line.words import minutes, new_file, port, speed

WATCHED_SPEED = 20.0
HEADLESS_SPEED = 60.0
REMEMBERED = ("PAIDAN_SECRET_KEY", "PAIDAN_DATA_KEY", "PAIDAN_CLOCK", "PAIDAN_FCM_SERVICE_ACCOUNT")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it listens, how fast its clock runs, and whether it is watched or headless."""
    parser.add_argument("--port", type=port, default=8080)
    parser.add_argument("--minutes", type=minutes, help="run headless for this long, then stop")
    parser.add_argument(
        "--report", type=new_file, help="write what happened in this run as JSON (with --minutes)"
    )
    parser.add_argument(
        "--speed",
        type=speed,
        help=f"business seconds per second ({WATCHED_SPEED:g}; headless {HEADLESS_SPEED:g})",
    )


def run(args: argparse.Namespace) -> int:
    """Runs until Ctrl-C, or for --minutes. Exit code 1 when the report of a headless run counts errors."""
    if args.report is not None and args.minutes is None:
        raise CommandError("--report goes with --minutes: it is written when they are over")
    environment = read_environment(os.environ, args.env_file, demo=True)
    with starting(environment.state):
        return _demo(args, environment)


def _demo(args: argparse.Namespace, environment: Environment) -> int:
    ensure_system(["font"] if environment.cluster is None else ["postgresql", "font"])
    ensure_built()
    faster = args.speed or (HEADLESS_SPEED if args.minutes else WATCHED_SPEED)
    with (
        open_socket("127.0.0.1", args.port) as listener,
        open_socket("127.0.0.1", 0) as push_listener,
    ):
        prepare_settings(environment, args.port, push_listener.getsockname()[1], faster)
        environment.apply()
        with database_ready(environment):
            return _run_processes(args, environment, listener, push_listener)


def _run_processes(
    args: argparse.Namespace, environment: Environment, listener: socket.socket, push_listener: socket.socket
) -> int:
    from api.command_line import demo_city, demo_report

    account = environment.variables["PAIDAN_FCM_SERVICE_ACCOUNT"]
    programs = [
        Program(
            "push",
            python("api.command_line.fake_fcm", "--fd", str(push_listener.fileno()), "--account", account),
            (push_listener.fileno(),),
            single=True,
        ),
        *product_programs(listener.fileno(), apis=2, workers=1, relays=1),
    ]
    facts = {"mode": "demo", "host": "127.0.0.1", "port": args.port}
    began = time.monotonic()
    with Supervisor(environment.state, programs, facts, environment.keep_database) as supervisor:
        if not wait_until_healthy(supervisor, "127.0.0.1", args.port):
            return 0
        since_seq = demo_report.last_seq()
        with step("laying out the demo city"):
            greeting = demo_city.seed(environment.variables["PAIDAN_PUBLIC_URL"])
        supervisor.add(Program("city", python("api.command_line.simulation"), single=True))
        say(f"ready after {time.monotonic() - began:.0f} s")
        for line in greeting:
            print(line, flush=True)
        end = time.monotonic() + args.minutes * 60 if args.minutes else None
        supervisor.run(until=lambda: _tick(environment, end))
        restarts = {child.program.name: child.restarts for child in supervisor.children if child.restarts}
        if args.report is not None:
            report = demo_report.count(since_seq, environment.state / "logs")
            return write_report(args.report, report | {"restarts": restarts})
    return 0


def write_report(path: Path, report: dict[str, Any]) -> int:
    """Writes what was counted in this run; exit code 1 when it counts errors or processes that died."""
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    say(f"report: {path}")
    return 1 if any(report["errors"].values()) or report["restarts"] else 0


def _tick(environment: Environment, end: float | None) -> bool:
    beat(environment.state, environment.variables["PAIDAN_CLOCK"])
    return end is not None and time.monotonic() >= end


def prepare_settings(environment: Environment, port: int, push_port: int, speed: float) -> None:
    """Makes the demo's secrets once and its clock at each start, and remembers them for other commands."""
    from api.command_line.fake_fcm import write_service_account

    chosen = environment.variables
    for key in ("PAIDAN_SECRET_KEY", "PAIDAN_DATA_KEY"):
        chosen.setdefault(key, new_key())
    chosen["PAIDAN_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    account = environment.state / "demo-push.json"
    write_service_account(account, push_port)
    chosen["PAIDAN_FCM_SERVICE_ACCOUNT"] = str(account)
    chosen["PAIDAN_FCM_URL"] = f"http://127.0.0.1:{push_port}"
    chosen["PAIDAN_CLOCK"] = str(start_clock(environment.state, datetime.now(UTC), time.time(), speed))
    lines = [f"{name}={chosen[name]}\n" for name in REMEMBERED]
    write_private(environment.state / "demo.env", "".join(lines))
