"""`./paidan import tickets FILE --mapping M`: somebody else's list, row by row, with a report of each."""

import argparse
import csv
import io
import json
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl

from api.command_line.problems import CommandError
from api.command_line.progress import say
from dispatch.actions.imports import import_row, prepare_catalogue
from dispatch.actions.step import House
from dispatch.actions.tenants import find_tenant
from dispatch.domain.errors import DispatchError
from dispatch.domain.imports import (
    Mapping,
    RowRefused,
    RowTicket,
    days_to_today,
    read_row,
    reopened,
    shifted,
)
from dispatch.settings import read_settings
from dispatch.store.personal import PersonalData
from dispatch.store.transactions import Database

NAME = "import"
HELP = "tickets FILE --mapping M [--dry-run]: CSV or XLSX, with a row-by-row report"
NEEDS = frozenset({"database"})

SHIPPED = Path(__file__).parent / "mappings"
MOST_BYTES = 200 * 1024 * 1024
MOST_ROWS = 200_000
PROGRESS_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, from where, how understood, and for whom."""
    parser.add_argument("what", choices=["tickets"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--mapping", required=True, help="a TOML file, or the name of a shipped one (nyc311)")
    parser.add_argument("--tenant", default="demo", help="the tenant's slug (demo)")
    parser.add_argument("--dry-run", action="store_true", help="read and judge every row, change nothing")
    parser.add_argument("--reopen", action="store_true", help="closed rows come in as open work")
    parser.add_argument("--shift-to-today", action="store_true", help="the file's first day becomes today")
    parser.add_argument("--report", type=Path, help="a line per row as CSV")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 even when rows were refused: the report names them. 1 when nothing could be read."""
    mapping = read_mapping(args.mapping)
    settings = read_settings()
    house = House(
        Database(settings.database_url, 2, "paidan-import"),
        settings.clock.now,
        PersonalData(settings.data_key),
    )
    tenant_id = find_tenant(house.database, args.tenant)
    if tenant_id is None:
        raise CommandError(f"there is no tenant {args.tenant!r}")
    rows = list(understood(mapping, args.file))
    tickets = [row for row in rows if isinstance(row, RowTicket)]
    by = days_to_today(tickets, mapping.zone, house.now()) if args.shift_to_today else None
    if not args.dry_run:
        for code in prepare_catalogue(house, tenant_id, mapping):
            say(f"new work type: {code}")
    lines: list[dict[str, Any]] = []
    told = time.monotonic()
    for number, row in enumerate(rows, start=1):
        if isinstance(row, RowTicket):
            wanted = reopened(row) if args.reopen and row.status == "closed" else row
            wanted = shifted(wanted, by) if by else wanted
            lines.append(_line(house, tenant_id, mapping, wanted, args.dry_run))
        else:
            lines.append(_refused(row))
        if time.monotonic() - told > PROGRESS_S:
            told = time.monotonic()
            say(f"{number} of {len(rows)} rows")
    summarise(lines, args.dry_run)
    if args.report is not None:
        write_report(args.report, lines)
    return 0


def read_mapping(name: str) -> Mapping:
    """A shipped mapping by name, or a file. Raises CommandError."""
    path = SHIPPED / f"{name}.toml" if "/" not in name and not name.endswith(".toml") else Path(name)
    try:
        return Mapping.of(tomllib.loads(path.read_text()))
    except FileNotFoundError as error:
        raise CommandError(f"there is no mapping {name!r}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, DispatchError) as error:
        raise CommandError(f"mapping {name!r} cannot be used: {error}") from error


def understood(mapping: Mapping, path: Path) -> Iterator[RowTicket | RowRefused]:
    """Every row of the file, understood or refused; a reference seen before in the file is refused."""
    seen: set[str] = set()
    for line, cells in read_table(path):
        if line > MOST_ROWS:
            raise CommandError(f"more than {MOST_ROWS} rows: split the file")
        row = read_row(mapping, line, cells)
        if isinstance(row, RowTicket) and row.external_ref in seen:
            yield RowRefused(line, "reference_twice", "external_ref", row.external_ref, row.external_ref)
            continue
        seen.add(row.external_ref)
        yield row


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of a CSV (UTF-8 or GB18030) or the first sheet of an XLSX."""
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    if path.stat().st_size > MOST_BYTES:
        raise CommandError(f"{path} is larger than {MOST_BYTES >> 20} MB: split it")
    if path.suffix.lower() == ".xlsx":
        yield from _read_xlsx(path)
        return
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise CommandError(f"{path} is neither UTF-8 nor GB18030 text") from error
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
            yield number, {k: v for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}
    except csv.Error as error:
        raise CommandError(f"{path} is not a CSV file: {error}") from error


def _read_xlsx(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever its parsers do
        raise CommandError(f"{path} is not an XLSX file: {type(error).__name__}") from error
    rows = book.worksheets[0].iter_rows(values_only=True)
    head = [str(cell or "") for cell in next(rows, ())]
    for number, cells in enumerate(rows, start=2):
        yield number, {k: _text(v) for k, v in zip(head, cells, strict=False) if k}


def _text(value: object) -> str:
    isoformat = getattr(value, "isoformat", None)
    return "" if value is None else str(isoformat()) if isoformat else str(value)


def _line(house: House, tenant_id: Any, mapping: Mapping, row: RowTicket, dry_run: bool) -> dict[str, Any]:
    if dry_run:
        outcome, body = ("created" if row.site else "needs_position"), {}
    else:
        outcome, body = import_row(house, tenant_id, mapping, row)
    return {
        "line": row.line,
        "external_ref": row.external_ref,
        "outcome": outcome,
        "ticket_no": body.get("ticket_no", ""),
        "code": body.get("code", ""),
        "column": "",
        "value": "",
        "notes": " ".join(row.notes),
    }


def _refused(row: RowRefused) -> dict[str, Any]:
    return {
        "line": row.line,
        "external_ref": row.external_ref,
        "outcome": "refused",
        "ticket_no": "",
        "code": row.code,
        "column": row.column,
        "value": row.value,
        "notes": "",
    }


def summarise(lines: list[dict[str, Any]], dry_run: bool) -> None:
    """The counts as one JSON line, and the first refusals in words."""
    counts = Counter(line["outcome"] for line in lines)
    for line in [x for x in lines if x["outcome"] == "refused"][:20]:
        say(f"line {line['line']}: {line['code']} {line['column']} {line['value']!r}")
    print(json.dumps({"dry_run": dry_run, "rows": len(lines), **counts}), flush=True)


def write_report(path: Path, lines: list[dict[str, Any]]) -> None:
    """A CSV that a spreadsheet opens safely: a cell that begins like a formula is made text."""
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]) if lines else ["line"])
        writer.writeheader()
        writer.writerows({k: inert(v) for k, v in line.items()} for line in lines)


def inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@" and value else value
