"""README.md says what the code says: life, commands, settings, and every path it names."""

import re

import pytest

from api.command_line.commands import COMMANDS
from api.command_line.environment import HOME
from dispatch.domain import lifecycle
from dispatch.settings import DESCRIPTIONS

README = HOME / "README.md"
ENV_FILE = ("PAIDAN_ENV_FILE", "a file of settings, as `--env-file`", "none")
LONGEST = 250
#: A path in `code`: what it names must be there.
TOP = "api|dispatch|geo|jobs|mobile_contract|web|tests|alembic|setup|docs"
PATH = re.compile(rf"`((?:{TOP})/[\w./*-]*)`")


def block(name: str, text: str) -> str:
    """What stands between the page's markers of that name. Raises AssertionError where there are none."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.DOTALL)
    assert found, f"the markers of {name} are gone"
    return found[1]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def expected() -> dict[str, str]:
    """Marker → what the code says must stand there."""
    commands = [(command.name, command.help) for command in COMMANDS]
    settings = [(name, *described) for name, described in DESCRIPTIONS.items()] + [ENV_FILE]
    return {
        "life": f"```mermaid\n{lifecycle.mermaid()}\n```",
        "commands": table(("command", "what it does"), [(f"`{name}`", text) for name, text in commands]),
        "settings": table(("setting", "what it is", "default"), [(f"`{n}`", w, d) for n, w, d in settings]),
    }


@pytest.mark.parametrize("name", ["life", "commands", "settings"])
def test_the_page_says_what_the_code_says(name: str) -> None:
    assert block(name, README.read_text()) == expected()[name]


def test_a_row_more_in_the_table_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    more = (*lifecycle.TRANSITIONS, lifecycle._row("vanish", "closed", "cancelled", "system"))
    changed = lifecycle.mermaid(more)
    assert "vanish" in changed
    assert changed not in block("life", README.read_text())
    monkeypatch.setitem(DESCRIPTIONS, "PAIDAN_NEW", ("something", "none"))
    assert block("settings", README.read_text()) != expected()["settings"]


def missing_paths(text: str) -> list[str]:
    return [name for name in PATH.findall(text) if not any(HOME.glob(name.rstrip("/")))]


def test_every_path_it_names_exists() -> None:
    text = README.read_text()
    images = re.findall(r"docs/images/\w+\.webp", text)
    assert len(images) == 3
    assert missing_paths(text + "".join(f" `{image}`" for image in images)) == []
    assert missing_paths("`dispatch/domain/gone.py`") == ["dispatch/domain/gone.py"]


def test_it_stays_short() -> None:
    assert len(README.read_text().splitlines()) <= LONGEST
