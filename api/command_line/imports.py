"""`./paidan import …`: a company's own tables, or with `tickets` somebody else's list; a report of each row."""

import argparse
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from api.command_line.imports_catalogue import run_catalogue
from api.command_line.problems import CommandError
from api.command_line.progress import say
from api.command_line.tables import read_table, summarise, write_report
from dispatch.actions.imports import import_row, prepare_catalogue
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

NAME = "import"
HELP = (
    "tickets FILE --mapping M, or skills, work-types, engineers, shifts, customers, assets FILE [--dry-run]"
)
NEEDS = frozenset({"database"})

SHIPPED = Path(__file__).parent / "mappings"
MOST_ROWS = 200_000
PROGRESS_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, from where, how understood, and for whom."""
    parser.add_argument("what", choices=["tickets", *KINDS])
    parser.add_argument("file", type=Path, help="CSV (UTF-8 or GB18030) or XLSX")
    parser.add_argument("--mapping", help="for tickets: a TOML file, or the name of a shipped one (nyc311)")
    parser.add_argument("--tenant", default="demo", help="the tenant's slug (demo)")
    parser.add_argument("--dry-run", action="store_true", help="read and judge every row, change nothing")
    parser.add_argument("--reopen", action="store_true", help="closed rows come in as open work")
    parser.add_argument("--shift-to-today", action="store_true", help="the file's first day becomes today")
    parser.add_argument("--report", type=Path, help="a line per row as CSV")


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
