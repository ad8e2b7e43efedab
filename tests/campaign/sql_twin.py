"""The SQL that one request sends, taken from PostgreSQL's own log, and the same again from pgbench."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from api.command_line.cluster import Cluster, find_binaries

_ENTRY = re.compile(r"^#(\S*) (\w+):  ", re.M)
APPLICATION = "paidan-api"
_SQL = re.compile(r"(?:statement|execute [^:]*): (.*)", re.S)
_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')", re.S)
_PLACE = re.compile(r"\$(\d+)")
RELOAD_S = 20.0
MOST_VARIABLES = 256  # pgbench takes no more in one statement


@dataclass
class Statement:
    """`sql` with $1 … and their values as text (None: NULL)."""

    sql: str
    values: dict[int, str | None] = field(default_factory=dict)


@contextmanager
def logged(cluster: Cluster, into: list[Statement]) -> Iterator[None]:
    """Every statement of the application's role between entering and leaving."""
    _log_all(cluster, True)
    start = cluster.log.stat().st_size
    yield
    time.sleep(0.3)
    with cluster.log.open("rb") as log:
        log.seek(start)
        text = log.read().decode()
    _log_all(cluster, False)
    into.extend(parse_log(text))


def _log_all(cluster: Cluster, on: bool) -> None:
    """Sessions that are open already are told when a new one knows it. Raises RuntimeError after RELOAD_S."""
    wanted = "all" if on else "none"
    with cluster.connect() as db:
        db.execute(f"alter system set log_statement = '{wanted}'")
        db.execute("alter system set log_line_prefix = '#%a '")
        db.execute("select pg_reload_conf()")
    deadline = time.monotonic() + RELOAD_S
    while True:
        time.sleep(0.3)
        with cluster.connect() as db:
            row = db.execute("show log_statement").fetchone()
        if row == (wanted,):
            return
        if time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL does not read its settings again")


def parse_log(text: str) -> list[Statement]:
    """The api's statements in a log whose lines begin with `#application `, in the order they ran,
    without transactions that look up a sign-in: it is remembered for half a minute."""
    found: list[Statement] = []
    parts = _ENTRY.split(text)
    for who, kind, raw in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if who != APPLICATION:
            continue
        body = raw.replace("\n\t", "\n").strip()
        if kind == "LOG" and (sql := _SQL.match(body)):
            found.append(Statement(sql.group(1).strip().rstrip(";")))
        elif kind == "DETAIL" and body.lower().startswith("parameters:") and found:
            found[-1].values = {
                int(n): None if value == "NULL" else value[1:-1].replace("''", "'")
                for n, value in _VALUE.findall(body)
            }
    transactions: list[list[Statement]] = []
    over = True
    for statement in found:
        word = statement.sql.split(maxsplit=1)[0].upper()
        if word == "BEGIN" or over:
            transactions.append([])
        transactions[-1].append(statement)
        over = word in ("COMMIT", "ROLLBACK")
    return [s for t in transactions if not any("from signins" in s.sql.lower() for s in t) for s in t]


def as_transactions(statements: list[Statement]) -> list[Statement]:
    """The same with BEGIN and COMMIT around what one trip did outside of a transaction: it was one all the same,
    and pgbench, which makes a trip of each statement, would lose the tenant that is set for its length."""
    found: list[Statement] = []
    inside = implied = False
    for statement in statements:
        word = statement.sql.split(maxsplit=1)[0].upper()
        if word == "BEGIN" and implied:
            found.append(Statement("commit"))
            implied = False
        elif word != "BEGIN" and not inside and not implied:
            found.append(Statement("begin"))
            implied = True
        inside = word == "BEGIN" or (inside and word not in ("COMMIT", "ROLLBACK"))
        found.append(statement)
    return [*found, Statement("commit")] if implied else found


#: What stands for a captured value in the script, or None where the value itself goes along.
Replace = Callable[[str], str | None]


@dataclass(frozen=True)
class Script:
    """A pgbench script; `variables` hold the captured values, each sent as a parameter again."""

    text: str
    variables: Mapping[str, str]


def to_script(statements: list[Statement], replace: Replace, head: str = "", reads: str = "") -> Script:
    """`head` comes first; a statement that begins with `reads` gives its columns as variables (`\\gset`)."""
    lines, variables = [head], {}

    def placed(statement: Statement, number: int) -> Callable[[re.Match[str]], str]:
        def place(match: re.Match[str]) -> str:
            value = statement.values[int(match.group(1))]
            if value is None:
                return "NULL"
            if not value:
                return "''"  # pgbench takes no empty variable
            other = replace(value)
            if other is not None:
                return f"({other})"
            name = f"s{number}_{match.group(1)}"
            variables[name] = value
            return f":{name}"

        return place

    for number, statement in enumerate(as_transactions(statements)):
        sql = _PLACE.sub(placed(statement, number), statement.sql)
        sql = " ".join(line.split("--")[0] for line in sql.splitlines())
        lines.append(sql + (" \\gset" if reads and statement.sql.startswith(reads) else ";"))
    return Script("\n".join(lines) + "\n", variables)


@dataclass(frozen=True)
class Twin:
    """pgbench's figures; latencies in ms from its own log of each transaction."""

    per_s: float
    p50_ms: float
    p99_ms: float
    done: int
    failed: int


def pgbench(
    url: str, script: Script, folder: Path, clients: int, seconds: float = 0, each: int = 0, seed: int = 1
) -> Twin:
    """`seconds` of it, or `each` transactions a client. Raises RuntimeError with pgbench's words."""
    path = folder / "twin.sql"
    path.write_text(script.text)
    for old in folder.glob("twin.log*"):
        old.unlink()
    length = ["-t", str(each)] if each else ["-T", str(max(1, round(seconds)))]
    done = subprocess.run(
        [
            str(find_binaries() / "pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", *length,
            "-f", str(path), "--log", "--log-prefix", str(folder / "twin.log"), "--random-seed", str(seed),
            "-D", "i=0",
            *(part for name, value in script.variables.items() for part in ("-D", f"{name}={value}")),
            url,
        ],
        capture_output=True, text=True, timeout=seconds * 3 + 120, env=os.environ,
    )  # fmt: skip
    rate = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    if done.returncode != 0 or rate is None:
        raise RuntimeError(f"pgbench: {done.stderr[-2000:]}")
    took = sorted(
        int(line.split()[2]) / 1000
        for log in folder.glob("twin.log.*")
        for line in log.read_text().splitlines()
        if line.split()[2].isdigit()
    )
    failed = done.stdout.count("ERROR") + done.stderr.count("ERROR")
    return Twin(float(rate.group(1)), percentile(took, 50), percentile(took, 99), len(took), failed)


def percentile(ordered: list[float], percent: float) -> float:
    """Of values in rising order; NaN where there is none."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
