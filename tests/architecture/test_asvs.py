"""The table of security requirements: whole, and every test it names exists."""

import ast
import re
from collections import Counter
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
TABLE = (HOME / "docs" / "asvs.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TABLE.splitlines()
    if line.startswith("| V")
]
#: How many requirements of level 1 each chapter of ASVS 5.0.0 has; there are none in V16 and V17.
CHAPTERS = {1: 8, 2: 4, 3: 8, 4: 2, 5: 4, 6: 13, 7: 6, 8: 4, 9: 4, 10: 5, 11: 3, 12: 3, 13: 1, 14: 2, 15: 3}
STATES = {"holds", "partly", "missing", "operator"}


def unknown(text: str) -> list[str]:
    """Files and tests named in the text that are not there."""
    found = []
    for path, _, name in re.findall(r"`(tests/[\w/]+\.py)(::(\w+))?`", text):
        file = HOME / path
        if not file.is_file():
            found.append(path)
        elif name and name not in {n.name for n in ast.parse(file.read_text()).body if hasattr(n, "name")}:
            found.append(f"{path}::{name}")
    return found


def test_every_requirement_of_level_1_has_a_row() -> None:
    names = [row[0] for row in ROWS]
    assert len(names) == len(set(names)) == 70
    assert Counter(int(name[1:].split(".")[0]) for name in names) == CHAPTERS
    assert all(row[1] in STATES and row[2] for row in ROWS)


def test_every_test_that_is_named_exists() -> None:
    assert unknown(TABLE) == []
    assert TABLE.count("::test_") >= 20


def test_a_test_that_is_not_there_is_seen() -> None:
    """Sabotage: a name nobody wrote."""
    assert unknown("`tests/architecture/test_asvs.py::test_nothing`, `tests/none.py`") == [
        "tests/architecture/test_asvs.py::test_nothing",
        "tests/none.py",
    ]
