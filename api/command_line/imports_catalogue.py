"""`./paidan import engineers|skills|… FILE`: a company's own tables, every line judged, changed or made."""

import argparse
from typing import Any
from uuid import UUID

from api.command_line.problems import CommandError
from api.command_line.tables import read_table, summarise, write_report
from api.signin import hash_password
from dispatch.actions.catalogue import RowDone, import_rows
from dispatch.actions.step import House
from dispatch.domain.catalogue import headings

MOST_CATALOGUE_ROWS = 20_000


def run_catalogue(args: argparse.Namespace, house: House, tenant_id: UUID) -> int:
    """Exit code 0 even when rows were refused: the report names them. Raises CommandError where the table as a
    whole cannot be read."""
    rows = list(read_table(args.file))
    if len(rows) > MOST_CATALOGUE_ROWS:
        raise CommandError(f"more than {MOST_CATALOGUE_ROWS} rows: split the file")
    found = list(dict.fromkeys(name for _, cells in rows for name in cells))
    if wrong := headings(args.what, found):
        raise CommandError("; ".join(f"{each.code}: {each.column}" for each in wrong))
    done = import_rows(house, tenant_id, args.what, rows, hash_password, args.dry_run)
    lines = [line for each in done for line in _lines(each)]
    summarise(lines, args.dry_run)
    if args.report is not None:
        write_report(args.report, lines)
    return 0


def _lines(done: RowDone) -> list[dict[str, Any]]:
    """A line of the report for each thing that is wrong, or one where nothing is."""
    plain = {"line": done.line, "key": done.key, "outcome": done.outcome}
    if not done.wrong:
        return [{**plain, "code": "", "column": "", "value": ""}]
    return [{**plain, "code": w.code, "column": w.column, "value": w.value} for w in done.wrong]
