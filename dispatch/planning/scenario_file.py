"""Reads `paidan-scenario/1`: JSON with matrices beside it. Every key is known or refused; nothing is silently ignored."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from dispatch.planning.scenario import (
    KNOWN,
    PRIORITIES,
    SECONDS_LIMIT,
    Break,
    Depot,
    Engineer,
    Matrices,
    Pin,
    PlanningError,
    Positions,
    Previous,
    Scenario,
    Ticket,
    Travel,
    Weights,
)
from dispatch.planning.validate import check_scenario

FORMAT = "paidan-scenario/1"
BYTES_LIMIT = 512 * 2**20


def read_scenario(path: Path) -> Scenario:
    """The day in the file, checked. Raises PlanningError for anything unreadable, unknown or contradictory."""
    if not path.is_file():
        raise PlanningError("scenario_not_found", {"path": str(path)})
    if path.stat().st_size > BYTES_LIMIT:
        raise PlanningError("scenario_too_large", {"path": str(path), "bytes_limit": BYTES_LIMIT})
    try:
        document = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise PlanningError("scenario_not_json", {"path": str(path), "detail": str(error)}) from error
    return scenario_from_document(document, path.parent)


def scenario_from_document(document: Any, folder: Path) -> Scenario:
    """The day in a parsed document; matrix files are looked up in `folder` and never outside it."""
    top = _Fields(document, "scenario")
    if top.take("format", None) != FORMAT:
        raise PlanningError("format_unknown", {"expected": FORMAT})
    limits = _Fields(top.take("limits", {}), "limits")
    scenario = Scenario(
        name=top.text("name", ""),
        travel=_travel(top.take("travel"), folder),
        weights=_weights(top.take("weights", {})),
        overtime_limit_s=limits.whole("overtime_s", 3600),
        depots=tuple(_depot(d, f"depots[{i}]") for i, d in enumerate(top.items("depots"))),
        engineers=tuple(_engineer(e, f"engineers[{i}]") for i, e in enumerate(top.items("engineers"))),
        tickets=tuple(_ticket(t, f"tickets[{i}]") for i, t in enumerate(top.items("tickets"))),
    )
    limits.nothing_left()
    top.nothing_left()
    check_scenario(scenario)
    return scenario


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


_REQUIRED = object()


class _Fields:
    """One JSON object read key by key, so that what is left over is known to be unknown."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise PlanningError("not_an_object", {"where": where})
        self.where = where
        self.left = dict(value)

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        value = self.left.pop(key, default)
        if value is _REQUIRED:
            raise PlanningError("key_missing", {"where": self.where, "key": key})
        return value

    def bad(self, key: str, expected: str) -> PlanningError:
        return PlanningError("value_invalid", {"where": f"{self.where}.{key}", "expected": expected})

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        value = self.take(key, default)
        if not _is_text(value):
            raise self.bad(key, "text")
        return value

    def whole(self, key: str, default: Any = _REQUIRED) -> int:
        return _whole(self.take(key, default), f"{self.where}.{key}")

    def number(self, key: str, default: float) -> float:
        return _number(self.take(key, default), f"{self.where}.{key}")

    def span(self, key: str, default: Any = _REQUIRED) -> tuple[int, int]:
        value = self.take(key, default)
        if not _is_list(value) or len(value) != 2:
            raise self.bad(key, "[from, to] in seconds")
        return _whole(value[0], f"{self.where}.{key}"), _whole(value[1], f"{self.where}.{key}")

    def items(self, key: str) -> Sequence[Any]:
        value = self.take(key, [])
        if not _is_list(value):
            raise self.bad(key, "a list")
        return list(value)

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        if not all(_is_text(v) for v in values):
            raise self.bad(key, "a list of texts")
        return tuple(values)

    def counts(self, key: str) -> dict[str, int]:
        inner = _Fields(self.take(key, {}), f"{self.where}.{key}")
        return {name: inner.whole(name) for name in list(inner.left)}

    def numbers(self, key: str, defaults: Mapping[str, float] | None = None) -> dict[str, float]:
        inner = _Fields(self.take(key, {}), f"{self.where}.{key}")
        if defaults is None:
            return {name: inner.number(name, 0.0) for name in list(inner.left)}
        found = {name: inner.number(name, value) for name, value in defaults.items()}
        inner.nothing_left()
        return found

    def nothing_left(self) -> None:
        if self.left:
            raise PlanningError("key_unknown", {"where": self.where, "keys": sorted(map(str, self.left))})


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PlanningError("value_invalid", {"where": where, "expected": "a finite number"})
    return float(value)


def _is_text(value: Any) -> TypeGuard[str]:
    """Whether it can be written again: JSON may hold half a character, a file cannot."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _whole(value: Any, where: str) -> int:
    number = _number(value, where)
    if number != int(number):
        raise PlanningError("value_invalid", {"where": where, "expected": "a whole number"})
    if abs(number) > SECONDS_LIMIT:
        raise PlanningError("value_out_of_range", {"where": where, "limit": SECONDS_LIMIT})
    return int(number)


def _weights(value: Any) -> Weights:
    fields, default = _Fields(value, "weights"), Weights()
    weights = Weights(
        travel_s=fields.number("travel_s", default.travel_s),
        overtime_s=fields.number("overtime_s", default.overtime_s),
        late_s=fields.numbers("late_s", default.late_s),
        unserved=fields.numbers("unserved", default.unserved),
        missed_window=fields.number("missed_window", default.missed_window),
        workload_spread_s=fields.number("workload_spread_s", default.workload_spread_s),
        working_s=fields.number("working_s", default.working_s),
        moved=fields.numbers("moved", default.moved),
    )
    fields.nothing_left()
    return weights


def _depot(value: Any, where: str) -> Depot:
    fields = _Fields(value, where)
    depot = Depot(
        id=fields.text("id"),
        site=fields.whole("site"),
        duration_s=fields.whole("duration_s", 0),
        open_s=fields.span("open_s", (0, SECONDS_LIMIT)),
    )
    fields.nothing_left()
    return depot


def _engineer(value: Any, where: str) -> Engineer:
    fields = _Fields(value, where)
    max_visits, mode = fields.take("max_visits", None), fields.take("mode", None)
    if mode is not None and not isinstance(mode, str):
        raise fields.bad("mode", "text")
    engineer = Engineer(
        id=fields.text("id"),
        start=fields.whole("start"),
        end=fields.whole("end"),
        shift_s=fields.span("shift_s"),
        mode=mode,
        skills=fields.counts("skills"),
        tools=frozenset(fields.texts("tools")),
        van_stock=fields.counts("van_stock"),
        breaks=tuple(_break(b, f"{where}.breaks[{i}]") for i, b in enumerate(fields.items("breaks"))),
        max_visits=None if max_visits is None else _whole(max_visits, f"{where}.max_visits"),
        cost_factor=fields.number("cost_factor", 1.0),
    )
    fields.nothing_left()
    return engineer


def _break(value: Any, where: str) -> Break:
    fields = _Fields(value, where)
    rest = Break(
        fields.text("id"), fields.whole("earliest_s"), fields.whole("latest_s"), fields.whole("duration_s")
    )
    fields.nothing_left()
    return rest


def _ticket(value: Any, where: str) -> Ticket:
    fields = _Fields(value, where)
    due, pin, before = fields.take("due_s", None), fields.take("pinned", None), fields.take("previous", None)
    priority = fields.text("priority", "normal")
    if priority not in PRIORITIES:
        raise fields.bad("priority", " | ".join(PRIORITIES))
    ticket = Ticket(
        id=fields.text("id"),
        site=fields.whole("site"),
        duration_s=fields.whole("duration_s"),
        priority=priority,
        skills=fields.counts("skills"),
        window_s=None if fields.left.get("window_s") is None else fields.span("window_s"),
        due_s=None if due is None else _whole(due, f"{where}.due_s"),
        tools=frozenset(fields.texts("tools")),
        parts=fields.counts("parts"),
        crew=fields.whole("crew", 1),
        after=fields.texts("after"),
        not_with=frozenset(fields.texts("not_with")),
        prefer=fields.numbers("prefer"),
        pinned=None if pin is None else _pin(pin, f"{where}.pinned"),
        previous=None if before is None else _previous(before, f"{where}.previous"),
    )
    fields.left.pop("window_s", None)
    fields.nothing_left()
    return ticket


def _pin(value: Any, where: str) -> Pin:
    fields = _Fields(value, where)
    position = fields.take("position", None)
    pin = Pin(fields.text("engineer"), None if position is None else _whole(position, f"{where}.position"))
    fields.nothing_left()
    return pin


def _previous(value: Any, where: str) -> Previous:
    fields = _Fields(value, where)
    known = fields.text("known", "planned")
    if known not in KNOWN:
        raise fields.bad("known", " | ".join(KNOWN))
    previous = Previous(fields.text("engineer"), fields.whole("start_s"), known)
    fields.nothing_left()
    return previous


def _travel(value: Any, folder: Path) -> Travel:
    fields = _Fields(value, "travel")
    travel: Travel
    if "modes" in fields.left:
        modes = _Fields(fields.take("modes"), "travel.modes")
        travel = Matrices(
            {m: _one_mode(modes.take(m), f"travel.modes.{m}", folder) for m in list(modes.left)}
        )
    elif "positions" in fields.left:
        travel = Positions(
            _positions(fields.take("positions")),
            fields.number("speed_kmh", 32.0),
            fields.number("detour", 1.3),
            fields.number("fixed_s", 120.0),
        )
    else:
        travel = Matrices({"": _tables(fields.take("matrix_s"), "travel.matrix_s", folder)})
    fields.nothing_left()
    return travel


def _one_mode(value: Any, where: str, folder: Path) -> NDArray[np.int32]:
    fields = _Fields(value, where)
    tables = _tables(fields.take("matrix_s"), f"{where}.matrix_s", folder)
    fields.nothing_left()
    return tables


def _tables(value: Any, where: str, folder: Path) -> NDArray[np.int32]:
    """One table, or 24 by hour of departure, as int32 (H, L, L); each a .npy file name or rows of numbers."""
    hourly = _is_list(value) and len(value) > 0 and (isinstance(value[0], str) or _depth(value) == 3)
    parts = list(value) if hourly else [value]
    if hourly and len(parts) not in (1, 24):
        raise PlanningError("matrix_hours_invalid", {"where": where, "expected": 24, "found": len(parts)})
    tables = [_table(part, where, folder) for part in parts]
    if len({t.shape for t in tables}) != 1:
        raise PlanningError(
            "matrix_size_mismatch", {"where": where, "shapes": sorted({str(t.shape) for t in tables})}
        )
    return np.ascontiguousarray(np.stack(tables))


def _depth(value: Any) -> int:
    depth = 0
    while _is_list(value) and value:
        value, depth = value[0], depth + 1
    return depth


def _table(value: Any, where: str, folder: Path) -> NDArray[np.int32]:
    if isinstance(value, str):
        value = _load(value, where, folder)
    try:
        table = np.asarray(value)
    except ValueError as error:
        raise PlanningError("matrix_not_square", {"where": where, "detail": str(error)}) from error
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape[0] == 0:
        raise PlanningError("matrix_not_square", {"where": where, "shape": list(table.shape)})
    if not np.issubdtype(table.dtype, np.number) or np.issubdtype(table.dtype, np.complexfloating):
        raise PlanningError("matrix_not_numbers", {"where": where, "dtype": str(table.dtype)})
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise PlanningError("matrix_has_holes", {"where": where, "from": int(row), "to": int(column)})
    for code, wrong in (("matrix_negative", table < 0), ("matrix_has_holes", table > SECONDS_LIMIT)):
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise PlanningError(code, {"where": where, "from": int(row), "to": int(column)})
    if not np.issubdtype(table.dtype, np.integer) and not (table == np.rint(table)).all():
        raise PlanningError("matrix_not_whole_seconds", {"where": where})
    return table.astype(np.int32)


def _load(name: str, where: str, folder: Path) -> Any:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise PlanningError("matrix_outside_folder", {"where": where, "file": name})
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise PlanningError(
            "matrix_unreadable", {"where": where, "file": name, "detail": str(error)}
        ) from error


def _positions(value: Any) -> NDArray[np.float64]:
    try:
        positions = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PlanningError("positions_invalid", {"detail": str(error)}) from error
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise PlanningError(
            "positions_invalid", {"shape": list(positions.shape), "expected": "[lon, lat] each"}
        )
    return positions
