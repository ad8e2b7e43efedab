"""Tables as people bring and take them: CSV and XLSX in, a report and an export out."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl

from api.command_line.problems import CommandError
from api.command_line.progress import say
from dispatch.domain.catalogue import inert

MOST_BYTES = 200 * 1024 * 1024


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


def write_table(path: Path, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """CSV, or XLSX by the file's ending. Cells are as given: make them inert before."""
    if path.suffix.lower() != ".xlsx":
        with path.open("w", newline="", encoding="utf-8-sig") as file:
            csv.writer(file).writerows([headings, *rows])
        return
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("paidan")
    for row in (headings, *rows):
        sheet.append(list(row))
    book.save(path)
