"""Tables a company brings and takes: columns, how a cell is read, what is wrong with it. Pure.

A row is read whole: every cell that is wrong is named, not only the first. What needs the database (is there such
an engineer?) is said by `dispatch.actions.catalogue`.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from dispatch.domain.cells import TOO_MANY, UNCALCULATED, as_written, inert_text

Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One cell that cannot be taken, with a stable code."""

    code: str
    column: str
    value: str = ""


class CellWrong(ValueError):
    """Raised by a reader with the code of what is wrong."""


@dataclass(frozen=True, slots=True)
class Column:
    """`zh` is a heading taken too. A cell left empty gives `default`, or is refused where the column is
    `required`."""

    name: str
    zh: str
    read: Callable[[str], Any]
    required: bool = False
    default: Any = None


def _text(most: int) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if len(cell) > most or any(ord(c) < 32 for c in cell):
            raise CellWrong("text_invalid")
        return cell

    return read


def _code(cell: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,59}", cell):
        raise CellWrong("code_invalid")
    return cell


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(cell: str) -> int:
        number = re.fullmatch(r"(\d{1,9})(?:\.0+)?", cell)
        if number is None:
            raise CellWrong("not_a_number")
        if not least <= int(number[1]) <= most:
            raise CellWrong("out_of_range")
        return int(number[1])

    return read


def _degrees(most: float) -> Callable[[str], float]:
    def read(cell: str) -> float:
        try:
            value = float(cell)
        except ValueError as error:
            raise CellWrong("not_a_number") from error
        if not math.isfinite(value) or abs(value) > most:
            raise CellWrong("out_of_range")
        return value

    return read


def _word(*known: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell.lower() not in known:
            raise CellWrong("word_unknown")
        return cell.lower()

    return read


SOONEST_YEAR, LATEST_YEAR = 1950, 2100
SHORTEST_PASSWORD = 10
_YES, _NO = frozenset(("yes", "true", "1", "是")), frozenset(("no", "false", "0", "否"))


def _yes(cell: str) -> bool:
    if cell.lower() not in _YES | _NO:
        raise CellWrong("word_unknown")
    return cell.lower() in _YES


def _day(cell: str) -> date:
    """Year first, as ISO and Chinese spreadsheets write it; which of 5/6 is the month nobody can tell."""
    found = re.fullmatch(
        r"(\d{4})(?:-(\d{1,2})-|/(\d{1,2})/|\.(\d{1,2})\.|年(\d{1,2})月)(\d{1,2})日?(?:[T ]0?0:00(?::00)?)?",
        cell,
    )
    try:
        year, month, day = (int(part) for part in found.groups() if part) if found else (0, 0, 0)
        if not SOONEST_YEAR <= year <= LATEST_YEAR:
            raise CellWrong("out_of_range" if found else "not_a_date")
        return date(year, month, day)
    except CellWrong:
        raise
    except ValueError as error:
        raise CellWrong("not_a_date") from error


def _clock(cell: str) -> time:
    found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", cell)
    if found is None or int(found[1]) > 24 or int(found[2]) > 59 or (found[1] == "24" and found[2] != "00"):
        raise CellWrong("not_a_time")
    return time(int(found[1]) % 24, int(found[2]))


def _phone(cell: str) -> str:
    if not re.fullmatch(r"\+?[\d\s()-]{5,24}", cell) or sum(c.isdigit() for c in cell) < 5:
        raise CellWrong("phone_invalid")
    return cell


def _skills(cell: str) -> dict[str, int]:
    """`hvac:2 plumbing` is level 2 and level 1."""
    found: dict[str, int] = {}
    for word in re.split(r"[\s,;，；]+", cell):
        part = re.fullmatch(r"([a-z0-9][a-z0-9_.-]{0,59})(?::([1-9]))?", word)
        if part is None or part[1] in found:
            raise CellWrong("skills_invalid")
        found[part[1]] = int(part[2] or 1)
    return found


def _password(cell: str) -> str:
    if not SHORTEST_PASSWORD <= len(cell) <= 200:
        raise CellWrong("password_short")
    return cell


_NAME = _text(200)
_LANGUAGE = Column("language", "语言", _word("zh", "en"), default=None)
_NAMES = (
    Column("name_zh", "中文名称", _NAME, required=True),
    Column("name_en", "英文名称", _NAME, required=True),
)

#: kind → its columns; the first ones marked KEYS name the row, so that a second import changes and does not double.
KINDS: dict[str, tuple[Column, ...]] = {
    "skills": (Column("code", "代码", _code, required=True), *_NAMES),
    "work-types": (
        Column("code", "代码", _code, required=True),
        *_NAMES,
        Column("duration_min", "时长分钟", _whole(1, 1440), required=True),
        Column("mode", "派单方式", _word("direct", "offer", "pool", "manual"), default="offer"),
        Column("skills", "技能", _skills, default={}),
        Column("completion_photos", "完工照片数", _whole(0, 30), default=1),
        Column("check_in_radius_m", "打卡半径米", _whole(10, 50_000), default=150),
    ),
    "engineers": (
        Column("signin_id", "账号", _text(60), required=True),
        Column("name", "姓名", _NAME, required=True),
        Column("phone", "手机", _phone),
        _LANGUAGE,
        Column("skills", "技能", _skills, default={}),
        Column("territory", "服务区域", _NAME),
        Column("contractor", "服务商", _NAME),
        Column("home_lon", "经度", _degrees(180)),
        Column("home_lat", "纬度", _degrees(90)),
        Column("daily_limit_min", "每日上限分钟", _whole(0, 1440), default=480),
        Column("trainee", "学徒", _yes, default=False),
        Column("password", "密码", _password),
    ),
    "shifts": (
        Column("engineer", "账号", _text(60), required=True),
        Column("day", "日期", _day, required=True),
        Column("start", "开始", _clock, required=True),
        Column("end", "结束", _clock, required=True),
        Column("kind", "类型", _word("work", "on_call"), default="work"),
    ),
    "customers": (
        Column("phone", "手机", _phone, required=True),
        Column("name", "姓名", _NAME, required=True),
        _LANGUAGE,
    ),
    "assets": (
        Column("kind", "类型", _code, required=True),
        Column("serial", "序列号", _text(100), required=True),
        *_NAMES,
        Column("customer_phone", "客户手机", _phone),
        Column("installed", "安装日期", _day),
        Column("warranty_until", "保修截止", _day),
    ),
}

#: The columns that name a row of each kind.
KEYS: dict[str, tuple[str, ...]] = {
    "skills": ("code",),
    "work-types": ("code",),
    "engineers": ("signin_id",),
    "shifts": ("engineer", "day", "start"),
    "customers": ("phone",),
    "assets": ("kind", "serial"),
}


def headings(kind: str, found: Sequence[str]) -> list[Wrong]:
    """Columns that are required and missing, or that nobody knows: a misspelt heading must not pass unseen."""
    columns = KINDS[kind]
    known = {word for column in columns for word in (column.name, column.zh)}
    wrong = [Wrong("column_unknown", word) for word in found if word and word.strip() not in known]
    there = {word.strip() for word in found}
    return wrong + [
        Wrong("column_missing", column.name)
        for column in columns
        if column.required and not {column.name, column.zh} & there
    ]


def read_row(kind: str, cells: Cells) -> tuple[dict[str, Any], list[Wrong]]:
    """Values by column name, and every cell that is wrong."""
    tidy = {name.strip(): as_typed(cell) for name, cell in cells.items()}
    values: dict[str, Any] = {}
    wrong = [Wrong("cells_too_many", "", cells[TOO_MANY][:100])] if cells.get(TOO_MANY) else []
    for column in KINDS[kind]:
        cell = tidy.get(column.name) or tidy.get(column.zh) or ""
        if not cell:
            values[column.name] = column.default
            if column.required:
                wrong.append(Wrong("value_missing", column.name))
            continue
        if cell.startswith(UNCALCULATED):
            wrong.append(Wrong("formula_without_value", column.name, cell[1:101]))
            continue
        try:
            values[column.name] = column.read(cell)
        except CellWrong as error:
            shown = "" if column.name == "password" else cell[:100]
            wrong.append(Wrong(str(error), column.name, shown))
    if kind == "engineers" and not wrong and (values["home_lon"] is None) != (values["home_lat"] is None):
        wrong.append(Wrong("value_missing", "home_lat" if values["home_lat"] is None else "home_lon"))
    return values, wrong


def as_typed(cell: str) -> str:
    """A cell without spaces around it and without the mark an export puts before what looks like a formula."""
    return as_written(cell.strip()).strip()


def inert(value: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return inert_text(value) if isinstance(value, str) else value
