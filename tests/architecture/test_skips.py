"""A skipped test fails the run, alone and below xdist."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.command_line.environment import HOME


@pytest.mark.parametrize(
    ("words", "body", "code"),
    [
        ([], "pytest.skip('later')", 1),
        (["-p", "xdist", "-n", "1"], "pytest.skip('later')", 1),
        ([], "assert pytest", 0),
    ],
)
def test_a_skip_fails_the_run(tmp_path: Path, words: list[str], body: str, code: int) -> None:
    shutil.copy(HOME / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_one.py").write_text(f"import pytest\n\ndef test_one():\n    {body}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(tmp_path), *words, "."],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HOME), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
