"""A company's tables come in and go out; every wrong cell is named, and nothing is half done."""

import argparse
import base64
import csv
import json
from datetime import UTC
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest

from api.command_line import exports, imports
from api.command_line.problems import CommandError
from dispatch.actions import catalogue
from dispatch.domain.catalogue import KINDS, as_typed, inert
from tests.builders import new_ticket
from tests.house import Town

SKILLS = "code,name_zh,name_en\nlift,电梯,Lifts\ngas,燃气,Gas\n"
WORK_TYPES = (
    "代码,中文名称,英文名称,时长分钟,派单方式,技能\nlift_check,电梯检查,Lift check,45,direct,lift:2 gas\n"
)


class Desk:
    """The commands as a person runs them, for one company."""

    def __init__(self, town: Town, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.town, self.folder, self.capsys = town, folder, capsys

    def bring(self, kind: str, content: str | bytes, *more: str, name: str = "in.csv") -> dict[str, Any]:
        """The counts of an import."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.capsys.readouterr()
        assert self._run(imports, kind, str(path), "--tenant", self.town.made.slug, *more) == 0
        counts: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return counts

    def take(self, kind: str, name: str) -> Path:
        path = self.folder / name
        assert self._run(exports, kind, str(path), "--tenant", self.town.made.slug) == 0
        return path

    def refusals(self, kind: str, content: str) -> list[tuple[str, str, str]]:
        """(line, column, code) of an import's report."""
        report = self.folder / "report.csv"
        self.bring(kind, content, "--report", str(report))
        with report.open(encoding="utf-8-sig") as file:
            return [
                (r["line"], r["column"], r["code"]) for r in csv.DictReader(file) if r["outcome"] == "refused"
            ]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.town.product.rows(sql, self.town.made.tenant_id)

    @staticmethod
    def _run(module: Any, *words: str) -> int:
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        return int(module.run(parser.parse_args(words)))


@pytest.fixture
def desk(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Desk:
    for name, value in town.product.database.environment.items():
        monkeypatch.setenv(name, value)
    settings = town.product.settings
    monkeypatch.setenv("PAIDAN_SECRET_KEY", base64.b64encode(settings.secret_key).decode())
    monkeypatch.setenv("PAIDAN_DATA_KEY", base64.b64encode(settings.data_key).decode())
    return Desk(town, tmp_path, capsys)


def engineers(desk: Desk) -> str:
    return (
        "signin_id,name,phone,skills,home_lon,home_lat,daily_limit_min,password\n"
        f"gao-{desk.town.made.slug},Gao 高,+86 138 1111 2222,hvac:2 plumbing,120.31,36.08,420,a good long one\n"
        f"liu-{desk.town.made.slug},Liu,,hvac,,,,\n"
    )


def test_a_company_can_be_filled_from_tables_and_then_works(desk: Desk) -> None:
    assert desk.bring("skills", SKILLS)["created"] == 2
    assert desk.bring("work-types", WORK_TYPES)["created"] == 1
    assert desk.bring("engineers", engineers(desk))["created"] == 2
    gao = f"gao-{desk.town.made.slug}"
    shifts = f"engineer,day,start,end\n{gao},2026-03-02,08:00,17:30\n{gao},2026-03-02,22:00,06:00\n"
    assert desk.bring("shifts", shifts)["created"] == 2
    assert desk.bring("customers", "phone,name,language\n13912345678,Chen 陈,zh\n")["created"] == 1
    assets = "kind,serial,name_zh,name_en,customer_phone,warranty_until\nlift,L-1,电梯,Lift,139 1234 5678,2027-01-31\n"
    assert desk.bring("assets", assets)["created"] == 1
    body = {"signin_id": gao, "password": "a good long one"}
    assert desk.town.product.client.post("/engineer/v1/signin", json=body).status_code == 200
    desk.town.create(new_ticket("lift_check"))
    spans = desk.rows(
        "select s.starts_at, s.ends_at from shifts s join engineers e on e.id = s.engineer_id "
        "where s.tenant_id = %(tenant)s and e.name like 'Gao%%' order by 1"
    )
    assert f"{spans[0]['starts_at'].astimezone(UTC):%H:%M}" == "00:00"  # 08:00 in Shanghai
    assert [(r["ends_at"] - r["starts_at"]).total_seconds() / 3600 for r in spans] == [9.5, 8.0]
    owner = desk.rows(
        "select a.warranty_until, c.id from assets a join customers c on c.id = a.customer_id "
        "where a.tenant_id = %(tenant)s"
    )
    assert len(owner) == 1


def test_a_second_import_changes_and_does_not_double(desk: Desk) -> None:
    desk.bring("skills", SKILLS)
    again = desk.bring("skills", SKILLS.replace("Gas", "Gas fitting"))
    assert (again.get("created", 0), again["changed"], again["same"]) == (0, 1, 1)
    desk.bring("engineers", engineers(desk))
    again = desk.bring(
        "engineers", engineers(desk).replace("hvac:2 plumbing", "hvac:1").replace(",a good long one", ",")
    )
    assert (again["changed"], again["same"]) == (1, 1)
    (row,) = desk.rows(
        "select skill_levels, password_hash from engineers where tenant_id = %(tenant)s and name like 'Gao%%'"
    )
    assert row["skill_levels"] == ["hvac/1"]
    body = {"signin_id": f"gao-{desk.town.made.slug}", "password": "a good long one"}
    assert desk.town.product.client.post("/engineer/v1/signin", json=body).status_code == 200


def test_an_import_that_changed_something_is_an_event_of_the_company(desk: Desk) -> None:
    desk.bring("skills", SKILLS, "--dry-run")
    for content in (SKILLS, SKILLS, SKILLS.replace("Gas", "Gas fitting")):
        desk.bring("skills", content)
    desk.bring("skills", "".join(["code,name_zh,name_en\n", *(f"s{n},技,S{n}\n" for n in range(250))]))
    told = desk.rows(
        "select facts from ticket_events where tenant_id = %(tenant)s and action = 'import_table' order by seq"
    )
    assert [(r["facts"]["table"], r["facts"]["created"], r["facts"]["changed"]) for r in told] == [
        ("skills", 2, 0),
        ("skills", 0, 1),
        ("skills", 200, 0),
        ("skills", 50, 0),
    ]


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_exported_comes_back_unchanged(desk: Desk, kind: str, ending: str) -> None:
    desk.bring("skills", SKILLS + "odd,=1+1,@cmd\nwide,＝1+1,'=quoted\n")
    desk.bring("work-types", WORK_TYPES)
    desk.bring("engineers", engineers(desk))
    desk.bring("customers", "phone,name\n+86 139 1234 5678,=HYPERLINK()\n")
    desk.bring("assets", "kind,serial,name_zh,name_en,customer_phone\nlift,-1,电梯,Lift,13912345678\n")
    path = desk.take(kind, f"out.{ending}")
    counts = desk.bring(kind, path.read_bytes(), name=f"back.{ending}")
    assert counts["rows"] > 0
    assert counts["same"] == counts["rows"]


def test_no_exported_cell_is_a_formula(desk: Desk) -> None:
    desk.bring("skills", "code,name_zh,name_en\na,=1+1,+cmd\nb,-2+3,@SUM(A1)\n")
    with desk.take("skills", "out.csv").open(encoding="utf-8-sig") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    sheet = openpyxl.load_workbook(desk.take("skills", "out.xlsx")).worksheets[0]
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert inert("\tx") == "'\tx"
    assert inert("＝HYPERLINK()") == "'＝HYPERLINK()"
    assert as_typed(str(inert("'=x"))) == "'=x"
    assert as_typed("'s-Hertogenbosch") == "'s-Hertogenbosch"
    assert inert(-3.5) == -3.5


def test_a_dry_run_tells_the_truth_and_changes_nothing(desk: Desk) -> None:
    before = desk.rows("select count(*) as n from engineers where tenant_id = %(tenant)s")
    told = desk.bring("engineers", engineers(desk), "--dry-run")
    assert (told["dry_run"], told["created"]) == (True, 2)
    assert desk.rows("select count(*) as n from engineers where tenant_id = %(tenant)s") == before
    assert desk.bring("engineers", engineers(desk))["created"] == 2


def test_every_wrong_cell_is_named_and_good_rows_come_in(desk: Desk) -> None:
    slug = desk.town.made.slug
    head = "signin_id,name,phone,skills,territory,home_lon,home_lat,daily_limit_min,trainee,language\n"
    rows = (
        f"ok-{slug},Good,,,,,,,,\n"
        f"x1-{slug},,no phone,Hvac!,,300,36,many,perhaps,fr\n"
        f"x2-{slug},Bad,,welding:3,,,,,,\n"
        f"x3-{slug},Bad,,,Nowhere,,,,,\n"
        f"x4-{slug},Bad,,,,120.3,,,,\n"
        f"ok-{slug},Twice,,,,,,,,\n"
    )
    found = desk.refusals("engineers", head + rows)
    assert found == [
        ("3", "name", "value_missing"),
        ("3", "phone", "phone_invalid"),
        ("3", "language", "word_unknown"),
        ("3", "skills", "skills_invalid"),
        ("3", "home_lon", "out_of_range"),
        ("3", "daily_limit_min", "not_a_number"),
        ("3", "trainee", "word_unknown"),
        ("4", "skills", "skill_unknown"),
        ("5", "territory", "territory_unknown"),
        ("6", "home_lat", "value_missing"),
        ("7", "signin_id", "row_twice"),
    ]
    assert desk.rows("select name from engineers where tenant_id = %(tenant)s and name = 'Good'")


def test_a_retired_skill_comes_in_with_who_has_it_and_with_nobody_else(desk: Desk) -> None:
    assert desk.bring("engineers", engineers(desk))["created"] == 2
    desk.rows(
        "update skills set retired_at = now() where tenant_id = %(tenant)s and code = 'hvac' returning code"
    )
    assert desk.refusals("engineers", engineers(desk)) == []
    found = desk.refusals("engineers", f"signin_id,name,skills\nnew-{desk.town.made.slug},New,hvac:1\n")
    assert found == [("2", "skills", "skill_retired")]
    found = desk.refusals("work-types", "code,name_zh,name_en,duration_min,skills\nnew,新,New,30,hvac:1\n")
    assert found == [("2", "skills", "skill_retired")]


def test_a_sign_in_of_another_company_is_refused_and_stays_theirs(desk: Desk) -> None:
    other = desk.town.product.company()
    taken = other.made.signin_id("Ana")
    found = desk.refusals("engineers", f"signin_id,name\n{taken},Thief\n")
    assert found == [("2", "signin_id", "signin_taken")]
    assert other.phone("Ana")


@pytest.mark.parametrize(
    ("kind", "line", "column", "code"),
    [
        ("shifts", "nobody,2026-01-02,08:00,17:00", "engineer", "engineer_unknown"),
        ("shifts", "nobody,2026-02-30,08:00,17:00", "day", "not_a_date"),
        ("shifts", "nobody,2026-01-02,25:00,17:00", "start", "not_a_time"),
        ("customers", "12,Chen,zh", "phone", "phone_invalid"),
        ("work-types", "Up,上,Up,45", "code", "code_invalid"),
        ("work-types", "up,上,Up,0", "duration_min", "out_of_range"),
        ("assets", "lift,L-2,电梯,Lift,13000000000", "customer_phone", "customer_unknown"),
    ],
)
def test_wrong_cells_of_other_tables(desk: Desk, kind: str, line: str, column: str, code: str) -> None:
    names = [c.name for c in KINDS[kind] if c.name not in ("mode",)][: line.count(",") + 1]
    assert (column, code) in [(c, k) for _, c, k in desk.refusals(kind, f"{','.join(names)}\n{line}\n")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("code,name_zh\na,b\n", "column_missing: name_en"),
        ("code,name_zh,name_en,colour\na,b,c,red\n", "column_unknown: colour"),
        ("", "no rows"),
        ("code,name_zh,name_en\n,,\n", "no rows"),
        ("\x00\x01\x02", "no rows"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_whole(desk: Desk, content: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        desk.bring("skills", content)


def test_an_export_never_overwrites_and_a_broken_xlsx_is_said_to_be_one(desk: Desk) -> None:
    desk.take("skills", "out.csv")
    with pytest.raises(CommandError, match="exists already"):
        desk.take("skills", "out.csv")
    with pytest.raises(CommandError, match="not an XLSX"):
        desk.bring("skills", b"PK\x03\x04 nothing", name="bad.xlsx")


def many_with_one_wrong() -> str:
    rows = [f"p{n},Person {n},{'nowhere' if n == 15 else ''}" for n in range(20)]
    return "\n".join(["signin_id,name,territory", *rows])


def test_a_row_the_database_refuses_stops_none_of_the_many_around_it(desk: Desk) -> None:
    assert desk.bring("engineers", many_with_one_wrong(), "--dry-run")["refused"] == 1
    counts = desk.bring("engineers", many_with_one_wrong())
    assert (counts["created"], counts["refused"]) == (19, 1)


def test_by_a_rollback_of_the_drivers_own_it_would_stop_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: psycopg forgets every prepared statement after a ROLLBACK it has seen."""
    monkeypatch.setattr(catalogue, "savepoint", lambda db: db.begin_nested())
    monkeypatch.setattr(catalogue, "CHUNK", 16)
    with pytest.raises(psycopg.errors.InvalidSqlStatementName):
        desk.bring("engineers", many_with_one_wrong())


@pytest.mark.parametrize(
    "phone", ["１３９００００１２３４", "+86 139-0000-1234", "0086(139)00001234", "13900001234"]
)
def test_a_phone_is_the_same_however_it_is_written(desk: Desk, phone: str) -> None:
    desk.bring("customers", "phone,name\n13900001234,Chen\n")
    counts = desk.bring("customers", f"phone,name\n{phone},Chen\n")
    assert "created" not in counts
    assert len(desk.rows("select 1 from customers where tenant_id = %(tenant)s")) == 1
