"""The referee against days worked out by hand, and with each of its features switched off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.planning import referee, referee_clock, referee_parts, referee_rules
from tests.unit.referee_cases import ANA, CASES, LINE, Case


def judge(case: Case, folder: Path) -> referee.Verdict:
    np.save(folder / "line.npy", LINE)
    np.save(folder / "double.npy", LINE * 2)
    scenario = {
        "format": "paidan-scenario/1",
        "name": case.name,
        "travel": {"matrix_s": "line.npy"},
        "engineers": case.engineers,
        "tickets": case.tickets,
        **case.more,
    }
    routes = [{"engineer": name, "stops": stops} for name, stops in case.routes.items()]
    return referee.judge(scenario, {"format": "paidan-plan/1", "routes": routes}, folder)


def agrees(case: Case, verdict: referee.Verdict) -> bool:
    parts = {name: value for name, value in verdict.parts.items() if value != 0}
    codes = tuple(violation.code for violation in verdict.violations)
    starts = all(verdict.starts[name] == list(times) for name, times in case.starts.items())
    never_meets = "crew_never_meets" in codes  # nothing is scored by hand where nothing happens
    return (never_meets or parts == dict(case.parts)) and codes == case.codes and starts


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_referee_finds_what_was_worked_out_by_hand(case: Case, tmp_path: Path) -> None:
    verdict = judge(case, tmp_path)
    assert agrees(case, verdict), (verdict.parts, verdict.violations, verdict.starts)
    assert verdict.total == pytest.approx(sum(verdict.parts.values()))
    assert verdict.valid == (not case.codes)


def test_an_engineer_has_one_route_and_a_plan_its_format(tmp_path: Path) -> None:
    np.save(tmp_path / "line.npy", LINE)
    day = {
        "format": "paidan-scenario/1",
        "travel": {"matrix_s": "line.npy"},
        "engineers": [ANA],
        "tickets": [],
    }
    twice = {"routes": [{"engineer": "Ana", "stops": []}, {"engineer": "Ana", "stops": []}]}
    codes = [violation.code for violation in referee.judge(day, twice, tmp_path).violations]
    assert codes == ["format_unknown", "engineer_twice"]


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="paidan-scenario/1"):
        referee.judge({"format": "other"}, {}, tmp_path)


def test_a_weight_nobody_knows_is_refused(tmp_path: Path) -> None:
    day = {
        "format": "paidan-scenario/1",
        "travel": {},
        "engineers": [],
        "tickets": [],
        "weights": {"speed": 1},
    }
    with pytest.raises(ValueError, match="speed"):
        referee.judge(day, {}, tmp_path)


def without_rule(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    kept = tuple(rule for rule in referee_rules.RULES if rule.__name__ != name)
    return lambda patch: patch.setattr(referee, "RULES", kept)


def without_part(name: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(referee.PARTS, name, lambda _day, _table: 0.0)


def clock_with(name: str, replacement: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(referee_clock, name, replacement)


def no_crews(patch: pytest.MonkeyPatch) -> None:
    advance = referee_clock._advance

    def alone(day: Any, table: Any, clocks: Any, clock: Any) -> bool:
        day.tickets = {name: {**facts, "crew": 1} for name, facts in day.tickets.items()}
        return advance(day, table, clocks, clock)

    patch.setattr(referee_clock, "_advance", alone)


def one_table(patch: pytest.MonkeyPatch) -> None:
    drive_s = referee_clock.Day.drive_s
    patch.setattr(referee_clock.Day, "drive_s", lambda day, who, a, b, _depart_s: drive_s(day, who, a, b, 0))


def one_mode(patch: pytest.MonkeyPatch) -> None:
    read = referee_clock._by_id

    def all_by_car(entries: Any) -> Any:
        return read([{key: value for key, value in entry.items() if key != "mode"} for entry in entries])

    patch.setattr(referee_clock, "_by_id", all_by_car)


def every_window_may_be_missed(patch: pytest.MonkeyPatch) -> None:
    for module in (referee_parts, referee_rules):
        patch.setattr(module, "may_miss_window", lambda _day, _ticket: True)


def no_window_may_be_missed(patch: pytest.MonkeyPatch) -> None:
    for module in (referee_parts, referee_rules):
        patch.setattr(module, "may_miss_window", lambda _day, _ticket: False)


SABOTAGE = {
    **{f"without the rule {rule.__name__}": without_rule(rule.__name__) for rule in referee_rules.RULES},
    **{f"without the part {name}": without_part(name) for name in referee_parts.PARTS},
    "nobody waits": clock_with("_earliest_and_duration", lambda _day, _who, _stop: (None, 600)),
    "crews do not meet": no_crews,
    "the hour does not matter": one_table,
    "everybody drives": one_mode,
    "no great circle": clock_with("_great_circle_s", lambda _travel, _a, _b: 0),
    "every window may be missed": every_window_may_be_missed,
    "no window may be missed": no_window_may_be_missed,
}


@pytest.mark.parametrize("broken", SABOTAGE.values(), ids=SABOTAGE.keys())
def test_a_referee_with_one_feature_switched_off_is_caught_by_some_case(
    broken: Callable[[pytest.MonkeyPatch], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    assert not all(agrees(case, judge(case, tmp_path)) for case in CASES)
