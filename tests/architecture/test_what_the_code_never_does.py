"""What no line of the product may do: run text as code, hand a shell a line, write HTML, link to what was typed."""

import re
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
#: What is looked for, per kind of source; the pages' own parser reads our own server's page and is named.
NEVER = {
    "py": re.compile(
        r"(?<![\w.])(?:eval|exec)\(|shell=True|os\.system\(|os\.popen\(|pickle\.loads?\(|yaml\.load\("
    ),
    "page": re.compile(
        r"innerHTML|outerHTML\s*=[^=]|insertAdjacentHTML|document\.write|new Function\(|(?<![\w.])eval\(|new WebSocket\("
    ),
    "template": re.compile(r"\|\s*safe\b|autoescape\s+false|Markup\("),
}
#: A link whose address is worked out begins with a scheme, a path or a page of ours: never with what somebody typed.
_LINK = re.compile(r"\bhref=\{`([^`]{0,12})")
_BEGINS = re.compile(r"/|#|tel:|\$\{(?:api|base|here|START)\b")


def found(kind: str, files: list[Path]) -> list[str]:
    return [
        f"{file.relative_to(HOME)}: {hit}" for file in files for hit in NEVER[kind].findall(file.read_text())
    ]


def python_files() -> list[Path]:
    folders = ("api", "dispatch", "geo", "jobs", "mobile_contract")
    return [file for folder in folders for file in (HOME / folder).rglob("*.py")]


def page_files() -> list[Path]:
    sources = [*(HOME / "web").glob("*/src/**/*.ts*"), *(HOME / "web/shared").glob("*.ts*")]
    return [*sources, *(HOME / "web/customer").glob("*.js")]


def test_no_text_becomes_code_and_no_shell_is_asked() -> None:
    assert found("py", python_files()) == []


def test_pages_write_text_and_open_no_socket() -> None:
    assert found("page", page_files()) == []
    assert found("template", list((HOME / "web/customer").glob("*.html"))) == []


def test_no_link_begins_with_what_somebody_typed() -> None:
    begins = [begin for file in page_files() for begin in _LINK.findall(file.read_text())]
    assert len(begins) >= 5
    assert [begin for begin in begins if not _BEGINS.match(begin)] == []


def test_no_value_stands_within_a_script() -> None:
    """Scripts of templates are whole files of ours, under the nonce."""
    scripts = [
        body
        for file in (HOME / "web/customer").glob("*.html")
        for body in re.findall(r"<script[^>]*>(.*?)</script>", file.read_text(), re.DOTALL)
    ]
    assert set(scripts) == {"{{ script }}", "{{ switch_script }}"}


def test_each_pattern_finds_what_it_is_for() -> None:
    """The sabotage."""
    assert NEVER["py"].findall("x = eval(text); subprocess.run(line, shell=True)") == ["eval(", "shell=True"]
    assert NEVER["page"].findall("a.innerHTML = b; new WebSocket(c)") == ["innerHTML", "new WebSocket("]
    assert NEVER["page"].findall("old.outerHTML !== part.outerHTML") == []
    assert NEVER["template"].findall("{{ text | safe }}") == ["| safe"]
