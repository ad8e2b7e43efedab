"""What every `./paidan` command waits for before its own work begins: modules that take seconds to import stay out."""

import json
import subprocess
import sys

HEAVY = {"fastapi", "sqlalchemy", "numpy", "numba", "ortools", "PIL", "psycopg"}


def heavy_after(statement: str) -> set[str]:
    words = f"{statement}; import json, sys; print(json.dumps([name for name in sys.modules]))"
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, check=True, timeout=60)
    return HEAVY & set(json.loads(told.stdout))


def test_finding_a_command_loads_nothing_heavy() -> None:
    assert heavy_after("import api.command_line.__main__") == set()


def test_waiting_for_a_plan_loads_nothing_heavy() -> None:
    assert heavy_after("import dispatch.planning.command") == set()


def test_a_list_that_imports_its_commands_would_be_noticed() -> None:
    load = (
        "from api.command_line.commands import COMMANDS; [c.load() for c in COMMANDS if hasattr(c, 'load')]"
    )
    assert {"fastapi", "sqlalchemy"} <= heavy_after(load)
