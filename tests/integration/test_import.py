"""Somebody else's list: New York's 311 requests, and files that are wrong in every way."""

import csv
import tomllib
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.command_line import tables
from api.command_line.imports import SHIPPED, read_mapping, understood
from api.command_line.problems import CommandError
from api.command_line.tables import read_table, write_report
from dispatch.actions.audit import verify
from dispatch.actions.imports import import_row, prepare_catalogue, try_rows
from dispatch.domain.catalogue import read_row as read_catalogue_row
from dispatch.domain.cells import UNCALCULATED
from dispatch.domain.errors import NotReady
from dispatch.domain.imports import Mapping, RowRefused, RowTicket, days_to_today, reopened, shifted
from dispatch.domain.imports import read_row as read_ticket_row
from geo.points import Point, distance_m
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


def sheet(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("by", [",", ";", "\t"])
def test_a_table_reads_the_same_whatever_spreadsheet_wrote_it(tmp_path: Path, encoding: str, by: str) -> None:
    text = f'代码{by}中文名称{by}英文名称\r\nhvac{by}"空调{by}通风"{by}Air\r\n{by}{by}\r\n'
    assert list(read_table(sheet(tmp_path, text, encoding))) == [
        (2, {"代码": "hvac", "中文名称": f"空调{by}通风", "英文名称": "Air"})
    ]


def test_a_heading_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="phone stands twice"):
        list(read_table(sheet(tmp_path, "phone,name,phone\n1,a,2\n")))


def test_a_row_with_a_cell_too_many_is_refused_and_never_read_askew(tmp_path: Path) -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[1] = "moved," + lines[1]
    found = list(understood(read_mapping("nyc311"), sheet(tmp_path, "".join(lines))))
    assert [(r.line, r.code) for r in found if isinstance(r, RowRefused)] == [(2, "cells_too_many")]
    (first, *_) = read_table(sheet(tmp_path, "phone,name\n13900001234,Chen,4\n"))
    assert [w.code for w in read_catalogue_row("customers", first[1])[1]] == ["cells_too_many"]


def test_an_xlsx_whose_size_is_written_wrongly_is_read_whole_and_whole_numbers_have_no_point(
    tmp_path: Path,
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["phone", "name"])
    book.active.append([13900001234.0, "Chen"])
    for _ in range(3):
        book.active.append(["", None])
    book.save(tmp_path / "whole.xlsx")
    small = tmp_path / "small.xlsx"
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as old, zipfile.ZipFile(small, "w") as new:
        for name in old.namelist():
            body = old.read(name).replace(b'<dimension ref="A1:B5" />', b'<dimension ref="A1" />')
            new.writestr(name, body)
    assert list(read_table(small)) == [(2, {"phone": "13900001234", "name": "Chen"})]


def formulas(tmp_path: Path) -> Path:
    """Written by a program that works nothing out: a formula as it is, one worked out by hand to an empty text, one to
    a number."""
    book = openpyxl.Workbook()
    book.active.append(["phone", "name", "language"])
    book.active.append(["13900001234", "=A2&B9", "zh"])
    book.active.append(["13900001235", "Chen", "=EMPTY"])
    book.active.append(["=NUMBER", "Dora", None])
    book.save(tmp_path / "plain.xlsx")
    path = tmp_path / "formulas.xlsx"
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            if name.startswith("xl/worksheets/"):
                body = body.replace(b'<c r="C3"><f>EMPTY</f><v />', b'<c r="C3" t="str"><f>EMPTY</f><v></v>')
                body = body.replace(b"<f>NUMBER</f><v />", b"<f>NUMBER</f><v>13900001236</v>")
            new.writestr(name, body)
    return path


def test_a_formula_without_a_value_is_named_and_never_read_as_empty(tmp_path: Path) -> None:
    rows = [(line, *read_catalogue_row("customers", cells)) for line, cells in read_table(formulas(tmp_path))]
    assert [(line, w.code, w.column, w.value) for line, _, wrong in rows for w in wrong] == [
        (2, "formula_without_value", "name", "=A2&B9")
    ]
    assert rows[1][1]["language"] != "=EMPTY"
    assert rows[2][1]["phone"].endswith("13900001236")
    line = next(csv.DictReader(FILE.open(encoding="utf-8")))
    row = read_ticket_row(read_mapping("nyc311"), 2, line | {"Descriptor": f"{UNCALCULATED}A1"})
    assert isinstance(row, RowRefused)
    assert row.code == "formula_without_value"
    assert " =A1 " in row.value


def test_sabotage_without_a_second_look_the_formula_is_an_empty_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_has_formulas", lambda path: False)
    (first, *_) = read_table(formulas(tmp_path))
    assert first[1]["name"] == ""


@pytest.mark.parametrize("cell", ["12/31/9999 11:00:00 PM", "0001-01-01T00:00:00", "01/01/1066 01:00:00 AM"])
def test_a_time_nobody_can_mean_is_refused_and_ends_nothing(tmp_path: Path, cell: str) -> None:
    lines = list(csv.DictReader(FILE.open(encoding="utf-8")))[:1]
    row = read_ticket_row(read_mapping("nyc311"), 2, lines[0] | {"Created Date": cell})
    assert isinstance(row, RowRefused)
    assert row.code == "time_unreadable"


def test_a_letter_no_database_keeps_is_refused_by_column() -> None:
    line = next(csv.DictReader(FILE.open(encoding="utf-8")))
    row = read_ticket_row(read_mapping("nyc311"), 2, line | {"Incident Address": "1\x00 Main St"})
    assert isinstance(row, RowRefused)
    assert (row.code, row.value) == ("text_invalid", row.value)


def test_latitude_and_longitude_changed_over_become_a_ticket_that_needs_a_position() -> None:
    line = next(csv.DictReader(FILE.open(encoding="utf-8")))
    row = read_ticket_row(read_mapping("nyc311"), 2, line | {"Longitude": "40.7", "Latitude": "-73.9"})
    assert isinstance(row, RowTicket)
    assert (row.site, row.notes[0]) == (None, "position_out_of_bounds")


def test_positions_of_a_chinese_map_are_moved_to_where_they_are() -> None:
    line = next(csv.DictReader(FILE.open(encoding="utf-8")))
    chinese = replace(read_mapping("nyc311"), datum="gcj02", bounds=(73.0, 3.0, 136.0, 54.0))
    row = read_ticket_row(chinese, 2, line | {"Longitude": "116.4040", "Latitude": "39.9150"})
    assert isinstance(row, RowTicket)
    assert row.site is not None
    assert 400 < distance_m(row.site, Point(116.4040, 39.9150)) < 700
    assert row.site_raw == {"lon": 116.404, "lat": 39.915, "datum": "gcj02"}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"datum": "gps"}, "datum"),
        ({"bounds": [1, 2, 3]}, "unpack"),
        ({"bounds": [-73, 40, -75, 41]}, "bounds"),
        ({"priorities": {"1": "p1"}}, "priorities"),
        ({"required": ["nothing"]}, "columns"),
        ({"statuses": {"Open": "begun"}}, "statuses"),
    ],
)
def test_a_mapping_with_a_word_nobody_knows_is_refused_before_any_row(change: Any, key: str) -> None:
    body = tomllib.loads((SHIPPED / "nyc311.toml").read_text(encoding="utf-8"))
    Mapping.of(body)
    with pytest.raises(NotReady) as refusal:
        Mapping.of(body | change)
    assert key in str(refusal.value.facts)


def test_a_file_without_a_needed_column_is_refused_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Created Date"):
        list(understood(read_mapping("nyc311"), sheet(tmp_path, "Unique Key,Complaint Type\n1,HEAT\n")))


def test_a_dry_run_says_what_the_real_run_then_does_and_leaves_nothing(town: Town, rows: Any) -> None:
    house, tenant_id, mapping = town.made.house, town.made.tenant_id, read_mapping("nyc311")
    wanted = tickets(rows)[:12]
    wanted[3] = replace(wanted[3], priority="p1")
    for _ in range(2):
        tried = [outcome for outcome, _ in try_rows(house, tenant_id, mapping, wanted)]
        prepare_catalogue(house, tenant_id, mapping)
        before = town.product.rows(
            "select count(*)::int as n from tickets where tenant_id = %(tenant)s", tenant_id
        )
        assert before[0]["n"] in (0, 11)
        assert [import_row(house, tenant_id, mapping, row)[0] for row in wanted] == tried
    assert tried.count("known") == 11
    wanted[3] = replace(wanted[3], priority="high")
    assert import_row(house, tenant_id, mapping, wanted[3])[0] in ("created", "needs_position")


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-01-05", date(2026, 1, 5)),
        ("2026/1/5", date(2026, 1, 5)),
        ("2026年1月5日", date(2026, 1, 5)),
        ("2026-01-05T00:00:00", date(2026, 1, 5)),
        ("31/12/2026", "not_a_date"),
        ("2026-02-30", "not_a_date"),
        ("2026-01-0599", "not_a_date"),
        ("46027", "not_a_date"),
        ("9999-12-31", "out_of_range"),
    ],
)
def test_a_day_is_read_year_first_and_nothing_is_guessed(cell: str, day: date | str) -> None:
    row = {"engineer": "ana", "day": cell, "start": "22:00", "end": "06:00"}
    values, wrong = read_catalogue_row("shifts", row)
    assert (wrong[0].code if wrong else values["day"]) == day


def test_an_imported_password_is_as_long_as_one_chosen_on_the_page() -> None:
    row = {"signin_id": "ana", "name": "Ana"}
    assert [w.code for w in read_catalogue_row("engineers", row | {"password": "kx7-pqz4w"})[1]] == [
        "password_short"
    ]
    assert read_catalogue_row("engineers", row | {"password": "kx7-pqz4wy"})[1] == []
