"""import-linter's contracts hold, and each of them notices what it forbids."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from api.command_line.environment import HOME
from api.command_line.test import LINT_IMPORTS

PACKAGES = ("api", "dispatch", "geo", "jobs", "mobile_contract")
#: a module that would break the house, and words of the contract that must notice
FORBIDDEN = [
    ("api/planted.py", "import jobs", "stand on dispatch"),
    ("jobs/planted.py", "import api", "stand on dispatch"),
    ("geo/planted.py", "import dispatch", "stand on dispatch"),
    ("dispatch/store/planted.py", "import dispatch.actions", "actions, then store"),
    ("dispatch/domain/planted.py", "import dispatch.store", "actions, then store"),
    ("dispatch/adapters/planted.py", "import dispatch.store", "actions, then store"),
    ("dispatch/domain/planted.py", "import sqlalchemy", "the domain is pure"),
    ("dispatch/domain/planted.py", "import pydantic", "the domain is pure"),
    ("dispatch/store/planted.py", "import fastapi", "mobile contract and fastapi"),
    ("geo/planted.py", "import mobile_contract", "mobile contract and fastapi"),
    ("mobile_contract/planted.py", "import dispatch", "stands alone"),
    ("api/planted.py", "import ortools", "never loads"),
    ("api/planted.py", "import firebase_admin", "never loads"),
    ("dispatch/actions/planted.py", "import numba", "only in dispatch.planning"),
    ("api/dispatcher/planted.py", "import api.engineer", "know nothing of each other"),
    ("api/customer/planted.py", "import api.dispatcher", "know nothing of each other"),
    ("dispatch/planted.py", "", "actions, then store"),
]


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def test_the_import_directions_hold() -> None:
    code, text = lint(HOME)
    assert code == 0, text


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product's packages, to plant modules in."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(HOME / "pyproject.toml", folder)
    for package in PACKAGES:
        shutil.copytree(
            HOME / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.json")
        )
    return folder


@pytest.mark.parametrize(("path", "source", "contract"), FORBIDDEN)
def test_a_forbidden_import_is_noticed(copy: Path, path: str, source: str, contract: str) -> None:
    planted = copy / path
    planted.write_text(source + "\n")
    try:
        code, text = lint(copy)
    finally:
        planted.unlink()
    assert code == 1
    broken = " ".join(line for line in text.splitlines() if "BROKEN" in line or "exhaustive" in line.lower())
    assert contract in broken, text


def test_every_contract_is_shown_to_notice_something() -> None:
    tables = tomllib.loads((HOME / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    names = [table["name"] for table in tables]
    unproven = [name for name in names if not any(words in name for _, _, words in FORBIDDEN)]
    assert unproven == ["actions reach the planner through its client only"]
