"""Rows of somebody else's list as tickets: a mapping says which column is what, each refusal says why.

Pure. A mapping is a TOML file: see `Mapping.of` for its keys, api/command_line/mappings for a shipped one.
"""

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatch.domain.cells import TOO_MANY, UNCALCULATED
from dispatch.domain.errors import NotReady
from geo.datum import Datum, point_to_wgs84
from geo.points import GeoError, Point

MAX_TEXT = 4000
MAX_LINE = 500
YEARS = range(1970, 2101)
MODES = ("direct", "offer", "pool", "manual")
PRIORITIES = ("low", "normal", "high", "urgent")
STATUSES = ("open", "on_hold", "closed", "cancelled")


@dataclass(frozen=True, slots=True)
class WorkTypeRule:
    """The work type of every row whose word is in `words`; `skills` maps a code to the least level."""

    code: str
    name: Dict[str, str]
    skills: Dict[str, int]
    duration_min: int
    mode: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column is what. `columns` maps our field to one column or several, joined by a space.

    `datum` is that of the positions; `bounds` (west, south, east, north; degrees, in that datum) is where they can
    be: outside, as with latitude and longitude changed over, a row comes in as a ticket that needs a position.
    """

    name: str
    zone: ZoneInfo
    time_format: str
    columns: Dict[str, tuple[str, ...]]
    required: tuple[str, ...]
    statuses: Dict[str, str]
    priorities: Dict[str, str]
    skills: Dict[str, Dict[str, str]]
    work_types: tuple[WorkTypeRule, ...]
    otherwise: str
    datum: Datum = "wgs84"
    bounds: tuple[float, float, float, float] = (-180.0, -90.0, 180.0, 90.0)

    @classmethod
    def of(cls, body: Dict[str, Any]) -> "Mapping":
        """From a parsed TOML file. Raises NotReady `mapping_invalid` naming the key."""
        try:
            zone = ZoneInfo(body["zone"])
            columns = {
                name: tuple(c) if isinstance(c, list) else (str(c),) for name, c in body["columns"].items()
            }
            rules = tuple(_rule(code, rule) for code, rule in body["work_types"].items())
            statuses = {k.casefold(): v for k, v in body.get("statuses", {}).items()}
            mapping = cls(
                name=body["name"],
                zone=zone,
                time_format=body["time_format"],
                columns=columns,
                required=tuple(body.get("required", ())),
                statuses=statuses,
                priorities={k.casefold(): v for k, v in body.get("priorities", {}).items()},
                skills=body.get("skills", {}),
                work_types=rules,
                otherwise=body["otherwise"],
                datum=body.get("datum", "wgs84"),
                bounds=_bounds(body.get("bounds", (-180, -90, 180, 90))),
            )
        except (KeyError, TypeError, AttributeError, ValueError, ZoneInfoNotFoundError) as error:
            raise NotReady("mapping_invalid", key=str(error)) from error
        if wrong := _wrong_words(mapping):
            raise NotReady("mapping_invalid", key=wrong)
        return mapping


def _wrong_words(mapping: Mapping) -> str:
    """The first key whose words the product does not know, or an empty text."""
    wrong = {
        "statuses": set(mapping.statuses.values()) - set(STATUSES),
        "priorities": set(mapping.priorities.values()) - set(PRIORITIES),
        "otherwise": {mapping.otherwise} - {rule.code for rule in mapping.work_types},
        "work_types.mode": {rule.mode for rule in mapping.work_types} - set(MODES),
        "work_types.skills": {code for rule in mapping.work_types for code in rule.skills}
        - set(mapping.skills),
        "columns": set(mapping.required) - set(mapping.columns),
        "datum": {mapping.datum} - set(get_args(Datum)),
    }
    return next((key for key, words in wrong.items() if words), "")


def _bounds(numbers: Any) -> tuple[float, float, float, float]:
    west, south, east, north = (float(number) for number in numbers)
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ValueError("bounds")
    return west, south, east, north


def _rule(code: str, rule: Dict[str, Any]) -> WorkTypeRule:
    return WorkTypeRule(
        code,
        rule["name"],
        rule.get("skills", {}),
        int(rule.get("duration_min", 60)),
        rule.get("mode", "offer"),
        frozenset(word.casefold() for word in rule.get("words", ())),
    )


@dataclass(frozen=True, slots=True)
class RowTicket:
    """A row understood. `status` is open, on_hold, closed or cancelled."""

    line: int
    external_ref: str
    work_type: str
    description: str
    address: str
    status: str
    priority: str
    site: Point | None
    created_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    contact_name: str | None = None
    contact_phone: str | None = None
    site_raw: Dict[str, object] | None = None
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class RowRefused:
    """A row not taken: `code` says why, `column` where, `value` what stood there (cut)."""

    line: int
    code: str
    column: str
    value: str
    external_ref: str = ""


def read_row(mapping: Mapping, line: int, row: Dict[str, str]) -> RowTicket | RowRefused:
    """One row. A missing position or address is no reason to lose it; a missing reference or an
    unreadable date is."""

    def cell(name: str) -> str:
        parts = [(row.get(column) or "").strip() for column in mapping.columns.get(name, ())]
        return " ".join(part for part in parts if part)

    ref = cell("external_ref")[:120]

    def refused(code: str, name: str) -> RowRefused:
        column = " + ".join(mapping.columns.get(name, (name,)))
        return RowRefused(line, code, column, cell(name).replace("\x00", "")[:80], ref)

    if row.get(TOO_MANY):
        return RowRefused(line, "cells_too_many", "", row[TOO_MANY][:80], ref)
    for name in mapping.columns:
        if "\x00" in cell(name):
            return refused("formula_without_value" if UNCALCULATED in cell(name) else "text_invalid", name)
    for name in ("external_ref", *mapping.required):
        if not cell(name):
            return refused("value_missing", name)
    times: dict[str, datetime | None] = {}
    for name in ("created_at", "due_at", "closed_at"):
        try:
            times[name] = _time(mapping, cell(name))
        except (ValueError, OverflowError):
            return refused("time_unreadable", name)
    status = mapping.statuses.get(cell("status").casefold(), "open" if not mapping.statuses else "")
    if not status:
        return refused("status_unknown", "status")
    site, raw, note = _site(mapping, cell("lon"), cell("lat"))
    address = cell("address")[:MAX_LINE]
    notes = [n for n in (note, "address_missing" if not address else None) if n]
    return RowTicket(
        line=line,
        external_ref=ref,
        work_type=_work_type(mapping, cell("work_type")),
        description=cell("description")[:MAX_TEXT] or cell("work_type")[:MAX_TEXT] or ref,
        address=address or "?",
        status=status,
        priority=mapping.priorities.get(cell("priority").casefold(), "normal"),
        site=site,
        site_raw=raw,
        created_at=times["created_at"],
        due_at=times["due_at"],
        closed_at=times["closed_at"],
        contact_name=cell("contact_name")[:MAX_LINE] or None,
        contact_phone=cell("contact_phone")[:30] or None,
        notes=tuple(notes),
    )


def _time(mapping: Mapping, text: str) -> datetime | None:
    """A local time of the mapping's zone as UTC; an ISO instant with an offset is taken as it is."""
    if not text:
        return None
    try:
        at = datetime.strptime(text, mapping.time_format)  # noqa: DTZ007  # the zone follows
    except ValueError:
        at = datetime.fromisoformat(text)
    if at.year not in YEARS:
        raise ValueError(text)
    return (at if at.tzinfo else at.replace(tzinfo=mapping.zone)).astimezone(UTC)


def _site(mapping: Mapping, lon: str, lat: str) -> tuple[Point | None, Dict[str, object] | None, str | None]:
    """WGS-84, as it was read, and what is wrong with it."""
    if not lon and not lat:
        return None, None, "position_missing"
    try:
        raw = Point(float(lon), float(lat))
        site = point_to_wgs84(raw.lon, raw.lat, mapping.datum)
    except (ValueError, GeoError):
        return None, None, "position_unreadable"
    west, south, east, north = mapping.bounds
    if not (west <= raw.lon <= east and south <= raw.lat <= north):
        return None, None, "position_out_of_bounds"
    return site, {"lon": raw.lon, "lat": raw.lat, "datum": mapping.datum}, None


def _work_type(mapping: Mapping, word: str) -> str:
    for rule in mapping.work_types:
        if word.casefold() in rule.words:
            return rule.code
    return mapping.otherwise


def reopened(row: RowTicket) -> RowTicket:
    """The same work, as if nobody had done it yet."""
    return replace(row, status="open", closed_at=None)


def shifted(row: RowTicket, by: timedelta) -> RowTicket:
    """Every date of the row, moved by whole days."""

    def move(at: datetime | None) -> datetime | None:
        return at + by if at else None

    return replace(
        row, created_at=move(row.created_at), due_at=move(row.due_at), closed_at=move(row.closed_at)
    )


def days_to_today(rows: list[RowTicket], zone: ZoneInfo, now: datetime) -> timedelta:
    """Whole days from the file's first day to today, in its own zone."""
    days = [row.created_at.astimezone(zone).date() for row in rows if row.created_at]
    return (now.astimezone(zone).date() - min(days)) if days else timedelta()
