"""`./paidan status`: what runs here, as JSON."""

import argparse
import json
import os
from typing import Any

import psycopg

from api.command_line.environment import Environment, read_environment
from api.command_line.processes import is_alive
from api.command_line.product import health
from api.command_line.supervisor import read_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    """Prints the report; starts nothing."""
    report = report_status(read_environment(os.environ, args.env_file))
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return 0 if report["healthy"] else 1


def report_status(environment: Environment) -> dict[str, Any]:
    """Processes, api and database as they are now."""
    running = read_run(environment.state) or {}
    supervisor = running.get("supervisor", {"pid": None})
    processes = [
        {"name": each["name"], "pid": each["pid"], "alive": is_alive(each), "restarts": each["restarts"]}
        for each in running.get("processes", [])
    ]
    alive = is_alive(supervisor)
    api: dict[str, Any] = {"answers": False, "reason": "not running"}
    if alive and "port" in running:
        api = {"address": f"http://{running['host']}:{running['port']}"} | health(
            running["host"], running["port"]
        )
    database = reach_database(environment)
    return {
        "healthy": alive and api["answers"] and database["reachable"] and all(p["alive"] for p in processes),
        "mode": running.get("mode") if alive else None,
        "supervisor": {"pid": supervisor.get("pid"), "alive": alive},
        "processes": processes,
        "api": api,
        "database": database,
        "state": str(environment.state),
    }


def reach_database(environment: Environment) -> dict[str, Any]:
    """Whether the application's role can connect, and where the server is."""
    found: dict[str, Any] = {"private": environment.cluster is not None}
    if environment.cluster is not None:
        found["pid"] = environment.cluster.server_pid()
    try:
        with psycopg.connect(environment.variables["PAIDAN_DATABASE_URL"], connect_timeout=3) as db:
            found["version"] = db.info.server_version
    except psycopg.Error as error:
        return found | {"reachable": False, "reason": str(error).strip().splitlines()[-1]}
    return found | {"reachable": True}
