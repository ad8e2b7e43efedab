"""`./paidan import …`: a company's own tables, or with `tickets` somebody else's list; a report of each row."""

import argparse
import time
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from api.command_line.imports_catalogue import run_catalogue
from api.command_line.problems import CommandError
from api.command_line.progress import say
from api.command_line.tables import read_table, summarise, write_report
from api.command_line.words import new_file
from dispatch.actions.imports import import_row, prepare_catalogue, try_rows
from dispatch.actions.step import House
from dispatch.actions.tenants import find_tenant
from dispatch.domain.catalogue import KINDS
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

SHIPPED = Path(__file__).parent / "mappings"
MOST_ROWS = 200_000
PROGRESS_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, from where, how understood, and for whom."""
    parser.add_argument("what", choices=["tickets", *KINDS])
    parser.add_argument(
        "file", type=Path, help="CSV (UTF-8, UTF-16 or GB18030; commas, semicolons or tabs) or XLSX"
    )
    parser.add_argument("--mapping", help="for tickets: a TOML file, or the name of a shipped one (nyc311)")
    parser.add_argument("--tenant", default="demo", help="the tenant's slug (demo)")
    parser.add_argument("--dry-run", action="store_true", help="read and judge every row, change nothing")
    parser.add_argument("--reopen", action="store_true", help="closed rows come in as open work")
    parser.add_argument("--shift-to-today", action="store_true", help="the file's first day becomes today")
    parser.add_argument("--report", type=new_file, help="a line per row as CSV")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 even when rows were refused: the report names them. 1 when nothing could be read."""
    if args.what == "tickets" and not args.mapping:
        raise CommandError("tickets need --mapping M: a TOML file, or the name of a shipped one (nyc311)")
    settings = read_settings()
    house = House(
        Database(settings.database_url, 2, "paidan-import"),
        settings.clock.now,
        PersonalData(settings.data_key, *settings.previous_data_keys),
    )
    tenant_id = find_tenant(house.database, args.tenant)
    if tenant_id is None:
        raise CommandError(f"there is no tenant {args.tenant!r}")
    return (
        _tickets(args, house, tenant_id) if args.what == "tickets" else run_catalogue(args, house, tenant_id)
    )


def _tickets(args: argparse.Namespace, house: House, tenant_id: UUID) -> int:
    mapping = read_mapping(args.mapping)
    rows = list(understood(mapping, args.file))
    tickets = [row for row in rows if isinstance(row, RowTicket)]
    by = days_to_today(tickets, mapping.zone, house.now()) if args.shift_to_today else None
    if not args.dry_run:
        for code in prepare_catalogue(house, tenant_id, mapping):
            say(f"new work type: {code}")
    ready = [_wanted(args, row, by) if isinstance(row, RowTicket) else row for row in rows]
    told = time.monotonic()
    lines: list[dict[str, Any]] = []
    asked = [row for row in ready if isinstance(row, RowTicket)]
    tried = iter(try_rows(house, tenant_id, mapping, asked)) if args.dry_run else None
    for number, row in enumerate(ready, start=1):
        if isinstance(row, RowTicket):
            lines.append(_line(row, *(next(tried) if tried else import_row(house, tenant_id, mapping, row))))
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
        return Mapping.of(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandError(f"there is no mapping {name!r}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, DispatchError) as error:
        raise CommandError(f"mapping {name!r} cannot be used: {error}") from error


def understood(mapping: Mapping, path: Path) -> Iterator[RowTicket | RowRefused]:
    """Every row of the file, understood or refused; a reference seen before in the file is refused."""
    seen: set[str] = set()
    for line, cells in read_table(path):
        if not seen:
            _check_columns(mapping, cells)
        if line > MOST_ROWS:
            raise CommandError(f"more than {MOST_ROWS} rows: split the file")
        row = read_row(mapping, line, cells)
        if isinstance(row, RowTicket) and row.external_ref in seen:
            yield RowRefused(line, "reference_twice", "external_ref", row.external_ref, row.external_ref)
            continue
        seen.add(row.external_ref)
        yield row


def _check_columns(mapping: Mapping, cells: dict[str, str]) -> None:
    """A misspelt column must not pass unseen. Raises CommandError where no row could be taken without it."""
    needed = [
        " + ".join(mapping.columns.get(name, (name,)))
        for name in ("external_ref", *mapping.required)
        if not set(mapping.columns.get(name, ())) & set(cells)
    ]
    if needed:
        raise CommandError(
            f"the file lacks the columns {', '.join(needed)} that mapping {mapping.name!r} names"
        )
    wanted = {column for columns in mapping.columns.values() for column in columns}
    if others := sorted(wanted - set(cells)):
        say(f"not in the file: {', '.join(others)}")


def _wanted(args: argparse.Namespace, row: RowTicket, by: timedelta | None) -> RowTicket:
    open_again = reopened(row) if args.reopen and row.status == "closed" else row
    return shifted(open_again, by) if by else open_again


def _line(row: RowTicket, outcome: str, body: dict[str, Any]) -> dict[str, Any]:
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
