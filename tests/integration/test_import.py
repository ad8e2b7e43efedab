"""Somebody else's list: New York's 311 requests, and files that are wrong in every way."""

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.command_line.imports import read_mapping, understood
from api.command_line.problems import CommandError
from api.command_line.tables import read_table, write_report
from dispatch.actions.audit import verify
from dispatch.actions.imports import import_row, prepare_catalogue
from dispatch.domain.imports import RowRefused, RowTicket, days_to_today, reopened, shifted
from tests.house import Town

FILE = Path(__file__).parent.parent / "data" / "nyc311-50.csv"


@pytest.fixture(scope="module")
def rows() -> list[RowTicket | RowRefused]:
    return list(understood(read_mapping("nyc311"), FILE))


def tickets(rows: list[RowTicket | RowRefused]) -> list[RowTicket]:
    return [row for row in rows if isinstance(row, RowTicket)]


def test_every_row_is_understood_and_those_without_position_are_not_lost(rows: Any) -> None:
    assert len(tickets(rows)) == 50
    assert any(row.site is None for row in tickets(rows))
    assert {row.status for row in tickets(rows)} == {"open", "closed", "on_hold"}


def test_local_times_are_read_in_new_yorks_zone(rows: Any) -> None:
    raw = next(csv.DictReader(FILE.open(encoding="utf-8")))
    assert raw["Created Date"] == "06/26/2018 10:58:54 AM"
    assert tickets(rows)[0].created_at is not None
    assert tickets(rows)[0].created_at.isoformat() == "2018-06-26T14:58:54+00:00"


def test_rows_become_tickets_once_and_a_second_run_changes_nothing(town: Town, rows: Any) -> None:
    house, tenant_id, mapping = town.made.house, town.made.tenant_id, read_mapping("nyc311")
    assert "heating" in prepare_catalogue(house, tenant_id, mapping)
    by = days_to_today(tickets(rows), mapping.zone, house.now())
    wanted = [shifted(reopened(row), by) for row in tickets(rows)]
    first = [import_row(house, tenant_id, mapping, row)[0] for row in wanted]
    again = [import_row(house, tenant_id, mapping, row)[0] for row in wanted]
    assert set(first) == {"created", "needs_position"}
    assert set(again) == {"known"}
    board = town.product.client.get("/dispatcher/v1/board", headers=town.board()).json()
    assert sum(c["count"] for c in board["counts"]) == 50
    attention = {t["attention"] for t in board["tickets"] if t["site"] is None}
    assert attention == {"needs_position"}


def test_closed_rows_come_in_closed_and_the_history_still_verifies(town: Town, rows: Any) -> None:
    house, tenant_id, mapping = town.made.house, town.made.tenant_id, read_mapping("nyc311")
    prepare_catalogue(house, tenant_id, mapping)
    for row in tickets(rows):
        import_row(house, tenant_id, mapping, row)
    kept = town.product.rows(
        "select status, count(*)::int as n from tickets where tenant_id = %(tenant)s group by status",
        tenant_id,
    )
    assert {r["status"]: r["n"] for r in kept}.keys() == {"open", "closed", "on_hold"}
    assert verify(house.database, tenant_id).breaks == []


def test_dates_are_shifted_by_whole_days(rows: Any) -> None:
    row = tickets(rows)[0]
    moved = shifted(row, timedelta(days=3000))
    assert moved.created_at is not None
    assert row.created_at is not None
    assert (moved.created_at - row.created_at).days == 3000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Unique Key": ""}, "value_missing"),
        ({"Created Date": "yesterday"}, "time_unreadable"),
        ({"Status": "Lost"}, "status_unknown"),
    ],
)
def test_a_bad_row_is_refused_by_name_and_the_others_go_on(tmp_path: Path, change: Any, code: str) -> None:
    lines = list(csv.DictReader(FILE.open(encoding="utf-8")))
    lines[1] |= change
    bad = tmp_path / "bad.csv"
    with bad.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    found = list(understood(read_mapping("nyc311"), bad))
    refused = [row for row in found if isinstance(row, RowRefused)]
    assert [(row.line, row.code) for row in refused] == [(3, code)]
    assert len(found) == 50


def test_a_position_that_is_none_becomes_a_ticket_that_needs_one(tmp_path: Path) -> None:
    lines = list(csv.DictReader(FILE.open(encoding="utf-8")))[:1]
    lines[0] |= {"Latitude": "nan", "Longitude": "200"}
    bad = tmp_path / "bad.csv"
    with bad.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    (row,) = understood(read_mapping("nyc311"), bad)
    assert isinstance(row, RowTicket)
    assert (row.site, row.notes[0]) == (None, "position_unreadable")


def test_an_xlsx_file_reads_like_its_csv(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    with FILE.open(encoding="utf-8", newline="") as file:
        for line in csv.reader(file):
            book.active.append(line)
    path = tmp_path / "rows.xlsx"
    book.save(path)
    assert [c["Unique Key"] for _, c in read_table(path)] == [c["Unique Key"] for _, c in read_table(FILE)]


@pytest.mark.parametrize("name", ["rows.csv", "rows.xlsx"])
def test_a_file_that_is_no_table_is_refused_in_words(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00\x81\x30" * 10)
    with pytest.raises(CommandError):
        list(read_table(path))


def test_report_cells_that_look_like_formulas_are_made_text(tmp_path: Path) -> None:
    write_report(tmp_path / "r.csv", [{"line": 1, "value": "=cmd()"}])
    assert "'=cmd()" in (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
