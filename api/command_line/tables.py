"""Tables as people bring and take them: CSV and XLSX in, a report and an export out."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import repeat, zip_longest
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl

from api.command_line.problems import CommandError
from api.command_line.progress import say
from dispatch.domain.catalogue import inert
from dispatch.domain.cells import TOO_MANY, UNCALCULATED

MOST_BYTES = 200 * 1024 * 1024
_FORMULA_TAG = re.compile(rb"<(?:\w{1,20}:)?f[\s/>]")
ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_table(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by column) of each row that is not blank, of a CSV or the first sheet of an XLSX.

    A CSV is UTF-8, UTF-16 (Excel's "Unicode text") or GB18030, divided by commas, semicolons or tabs. Cells past the
    last heading stand under TOO_MANY. Raises CommandError, also where a
    heading stands twice or there is no row. A formula never worked out stands behind UNCALCULATED.
    """
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    if path.stat().st_size > MOST_BYTES:
        raise CommandError(f"{path} is larger than {MOST_BYTES >> 20} MB: split it")
    rows = _xlsx_rows(path) if path.suffix.lower() == ".xlsx" else _csv_rows(path)
    head = [cell.strip() for cell in next(rows, [])]
    twice = sorted(name for name, count in Counter(head).items() if name and count > 1)
    if twice:
        raise CommandError(f"{path}: {', '.join(twice)} stands twice in the first line; which is meant?")
    empty = True
    for number, cells in enumerate(rows, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        named = {name: cell for name, cell in zip_longest(head, cells[: len(head)], fillvalue="") if name}
        if too_many := " ".join(cell for cell in cells[len(head) :] if cell.strip()):
            named[TOO_MANY] = too_many
        empty = False
        yield number, named
    if empty:
        raise CommandError(f"{path} has no rows")


def _csv_rows(path: Path) -> Iterator[list[str]]:
    raw = path.read_bytes()
    marked = next((name for mark, name in ENCODINGS if raw.startswith(mark)), None)
    for encoding in (marked,) if marked else ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise CommandError(f"{path} is neither UTF-8 nor UTF-16 nor GB18030 text")
    try:
        by = max(",;\t", key=lambda mark: len(next(csv.reader(io.StringIO(text), delimiter=mark), [])))
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=by)
    except csv.Error as error:
        raise CommandError(f"{path} is not a CSV file: {error}") from error


def _xlsx_rows(path: Path) -> Iterator[list[str]]:
    try:
        written = _cells(path, values=False) if _has_formulas(path) else repeat(())
        for cells, formulas in zip(_cells(path, values=True), written, strict=False):
            yield [_value(*pair) for pair in zip_longest(cells, formulas)]
    except Exception as error:  # openpyxl raises whatever its parsers do
        raise CommandError(f"{path} is not an XLSX file: {type(error).__name__}") from error


def _cells(path: Path, values: bool) -> Iterator[tuple[Any, ...]]:
    """The rows of the first sheet: what its formulas gave when a program last worked them out, or the formulas."""
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=values).worksheets[0]
    sheet.reset_dimensions()  # some programs write a size of one cell into the file
    yield from sheet.iter_rows()


def _has_formulas(path: Path) -> bool:
    with ZipFile(path) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/"):
                with book.open(name) as sheet:
                    end = b""
                    while chunk := sheet.read(1 << 20):
                        if _FORMULA_TAG.search(end + chunk):
                            return True
                        end = chunk[-40:]
    return False


def _value(cell: Any, formula: Any) -> str:
    """A formula that gave an empty text has a type beside its value; one never worked out has neither."""
    if formula is not None and formula.data_type == "f" and cell.value is None and cell.data_type == "n":
        text = getattr(formula.value, "text", formula.value)  # an array's formula is an object
        return UNCALCULATED + str(text).removeprefix("=")
    return _text(cell.value)


def _text(value: object) -> str:
    """A cell as a person reads it: a whole number has no point, whatever way the file stores it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
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
