"""House rules about the tree itself, each shown to notice what it forbids."""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from api.command_line.environment import HOME

URL = re.compile(r"https?://[^\s\"']+")
SPONSOR_LINE = re.compile(
    r'^\s*("url": )?"https?://(opencollective\.com|github\.com/sponsors)/|^\s*"url": "https?://'
)  # npm copies where a package asks for money
PERSONAL_PATH = re.compile(r"(?<![\w.~}])/(?:home|root|work|Users)/\w")
TEXT = {
    ".py",
    ".ts",
    ".tsx",
    ".md",
    ".toml",
    ".ini",
    ".in",
    ".lock",
    ".json",
    ".sql",
    ".html",
    ".css",
    ".yml",
    "",
}
#: Outside libraries that only some modules may load: (folder, in how many of its members at most).
ONLY_IN = {
    "firebase_admin": ("dispatch/adapters", 1),
    "PIL": ("dispatch/adapters", 1),
    "av": ("dispatch/adapters", 1),
    "procrastinate": ("dispatch/adapters", 1),
    "ortools": ("dispatch/planning", 99),
    "numba": ("dispatch/planning", 99),
}
#: Loops over millions of edges, loaded only when roads are opened.
COMPILED_ROADS = "geo/roads/kernels_"
PRODUCT = ("api", "dispatch", "geo", "jobs", "mobile_contract")


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := HOME / name).is_file()]


def addresses_in_lock(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if URL.search(line) and not SPONSOR_LINE.match(line)]


def personal_paths(text: str) -> list[str]:
    return PERSONAL_PATH.findall(text)


def imported_packages(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def misplaced(sources: dict[str, str]) -> list[str]:
    """Modules (path → source) that load what ONLY_IN keeps elsewhere, or more of them than it allows."""
    loads: dict[str, list[str]] = {library: [] for library in ONLY_IN}
    for path, source in sources.items():
        for library in set(imported_packages(source)) & set(ONLY_IN):
            loads[library].append(path)
    wrong = []
    for library, paths in loads.items():
        folder, most = ONLY_IN[library]
        allowed = (f"{folder}/", COMPILED_ROADS) if library == "numba" else (f"{folder}/",)
        wrong += [f"{path} loads {library}" for path in paths if not path.startswith(allowed)]
        members = {path.removeprefix(f"{folder}/").partition("/")[0] for path in paths}
        if len(members) > most:
            wrong.append(f"{library} is loaded by {len(members)} members of {folder}: {sorted(members)}")
    return wrong


def test_nothing_shadows_the_alembic_library() -> None:
    assert not (HOME / "alembic" / "__init__.py").exists()


def test_lock_files_name_no_registry() -> None:
    locks = [*HOME.glob("*.lock"), HOME / "web" / "package-lock.json"]
    assert len(locks) == 4
    for lock in locks:
        assert addresses_in_lock(lock.read_text().splitlines()) == [], lock.name


def test_a_registry_in_a_lock_file_would_be_noticed() -> None:
    assert addresses_in_lock(
        ['"resolved": "https://registry.example/x.tgz"', '  "url": "https://give.example"']
    )
    assert addresses_in_lock(["--index-url https://index.example/simple"])


def test_every_locked_python_package_has_hashes() -> None:
    for lock in HOME.glob("*.lock"):
        blocks = re.split(r"\n(?=\S)", lock.read_text().strip())
        assert all("--hash=sha256:" in block for block in blocks if not block.startswith("#")), lock.name


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = {
        str(path.relative_to(HOME)): hits
        for path in tracked_files()
        if path.suffix in TEXT and path.stat().st_size < 2_000_000
        if (hits := personal_paths(path.read_text(errors="replace")))
    }
    found.pop("tests/architecture/test_tree.py", None)
    assert found == {}


@pytest.mark.parametrize("text", ["see /home/ana/x", "'/root/x'", "(/work/x)"])
def test_a_personal_path_would_be_noticed(text: str) -> None:
    assert personal_paths(text)


def test_outside_libraries_are_loaded_only_where_they_belong() -> None:
    sources = {
        str(path.relative_to(HOME)): path.read_text()
        for folder in PRODUCT
        for path in (HOME / folder).rglob("*.py")
    }
    assert misplaced(sources) == []


def test_a_misplaced_library_would_be_noticed() -> None:
    assert misplaced({"api/app.py": "import ortools.sat"}) == ["api/app.py loads ortools"]
    assert misplaced(
        {"dispatch/adapters/a.py": "import PIL", "dispatch/adapters/b.py": "from PIL import Image"}
    )


def test_every_folder_of_the_product_is_a_package() -> None:
    """import-linter does not see into a folder without __init__.py."""
    modules = [path for folder in PRODUCT for path in (HOME / folder).rglob("*.py")]
    assert sorted({str(path.parent) for path in modules if not (path.parent / "__init__.py").exists()}) == []


def test_no_test_folder_is_a_package_that_could_shadow_the_product() -> None:
    assert [path for path in (HOME / "tests").rglob("__init__.py") if path.parent != HOME / "tests"] == []


def test_no_built_file_is_tracked() -> None:
    built = {"dist", "node_modules", "__pycache__", ".venv", ".state"}
    assert [path for path in tracked_files() if built & set(path.relative_to(HOME).parts)] == []


def paths_from_addresses(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if "import.meta.url" in line and ".pathname" in line]


def test_no_build_file_takes_a_path_out_of_an_address() -> None:
    """An address writes a space as %20: from such a folder nothing could be built."""
    sources = [path for path in tracked_files() if path.suffix in (".ts", ".js", ".mjs")]
    assert [p for p in sources if paths_from_addresses(p.read_text().splitlines())] == []
    assert paths_from_addresses(["new URL('index.html', import.meta.url).pathname"])
