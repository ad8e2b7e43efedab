"""What a phone must fetch before the day shows: at most 25 kB of JavaScript, as it travels (brotli)."""

import re
import subprocess
from pathlib import Path

from api.command_line.environment import HOME
from api.command_line.front_end import node_folder

DIST = HOME / "web" / "phone" / "dist"
MOST_BYTES = 25_000
_MEASURE = """
const {brotliCompressSync} = require('node:zlib'); const {readFileSync} = require('node:fs')
console.log(process.argv.slice(1).reduce((sum, name) => sum + brotliCompressSync(readFileSync(name)).length, 0))
"""


def imported(entry: Path) -> set[Path]:
    """The entry and everything it imports at once, files of later `import()` left aside."""
    found, ahead = set(), [entry]
    while ahead:
        file = ahead.pop()
        if file not in found:
            found.add(file)
            code = file.read_text(encoding="utf-8")
            named = re.findall(r"(?:from|import)\s*[\"'](\./[\w.-]+\.js)[\"']", code)
            ahead += [file.parent / name for name in named]
    return found


def brotli_bytes(files: list[Path]) -> int:
    node = node_folder() / "bin" / "node"
    done = subprocess.run(
        [node, "-e", _MEASURE, *map(str, files)], capture_output=True, text=True, timeout=120, check=True
    )
    return int(done.stdout)


def first_files() -> list[Path]:
    """The page's own script, what it imports, and one language's first words."""
    page = (DIST / "index.html").read_text(encoding="utf-8")
    (entry,) = re.findall(r'<script type="module"[^>]* src="/phone/([^"]+)"', page)
    (words,) = [p for p in (DIST / "assets").glob("*words-zh-*.js") if "-rest-" not in p.name]
    return sorted(imported(DIST / entry) | {words})


def test_the_day_shows_after_at_most_25_kb_of_javascript(pages: None) -> None:
    assert brotli_bytes(first_files()) <= MOST_BYTES


def test_sabotage_with_the_signature_pad_up_front_the_budget_is_broken(pages: None) -> None:
    later = [p for p in (DIST / "assets").glob("*.js") if p not in first_files()]
    assert brotli_bytes([*first_files(), *later]) > MOST_BYTES
