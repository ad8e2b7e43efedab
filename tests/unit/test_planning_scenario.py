"""The planner refuses a day that contradicts itself, with a code and the place, and reads every key it knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.planning.scenario import Matrices, PlanningError
from dispatch.planning.scenario_file import read_scenario, scenario_from_document
from tests.planning_days import FEATURES, random_day

Change = Callable[[dict[str, Any]], None]


def day(folder: Path) -> dict[str, Any]:
    return random_day(folder, 1, set())


@pytest.mark.parametrize("feature", FEATURES)
def test_a_day_with_each_feature_is_read_whole(tmp_path: Path, feature: str) -> None:
    document = random_day(tmp_path, 3, {feature})
    scenario = scenario_from_document(document, tmp_path)
    assert [t.id for t in scenario.tickets] == [t["id"] for t in document["tickets"]]
    assert [t.crew for t in scenario.tickets] == [t.get("crew", 1) for t in document["tickets"]]


def _set(*path: Any) -> Change:
    *way, key, value = path

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for step in way:
            place = place[step]
        place[key] = value

    return change


BAD: list[tuple[str, Change]] = [
    ("value_invalid", _set("tickets", 0, "id", "half \ud800")),
    ("no_engineers", _set("engineers", [])),
    ("key_unknown", _set("tickets", 0, "colour", "red")),
    ("key_unknown", _set("limits", "hours", 3)),
    ("key_unknown", _set("weights", {"travel": 2})),
    ("format_unknown", _set("format", "paidan-scenario/2")),
    ("value_invalid", _set("tickets", 0, "priority", "soon")),
    ("value_invalid", _set("tickets", 0, "duration_s", "long")),
    ("value_invalid", _set("tickets", 0, "duration_s", 1.5)),
    ("value_invalid", _set("tickets", 0, "duration_s", True)),
    ("value_out_of_range", _set("tickets", 0, "due_s", 10**12)),
    ("value_negative", _set("tickets", 0, "duration_s", -1)),
    ("value_out_of_range", _set("tickets", 0, "crew", 0)),
    ("ends_before_it_begins", _set("tickets", 0, "window_s", [500, 400])),
    ("ends_before_it_begins", _set("engineers", 0, "shift_s", [500, 400])),
    ("site_unknown", _set("tickets", 0, "site", 999)),
    ("id_twice", _set("tickets", 0, "id", "T1")),
    ("ticket_unknown", _set("tickets", 0, "after", ["T999"])),
    ("after_in_a_circle", _set("tickets", 0, "after", ["T0"])),
    ("engineer_unknown", _set("tickets", 0, "not_with", ["Nobody"])),
    ("not_an_object", _set("tickets", 0, "skills", ["gas"])),
    ("key_missing", _set("engineers", 0, {"id": "E0"})),
    ("matrix_unreadable", _set("travel", {"matrix_s": "gone.npy"})),
    ("matrix_outside_folder", _set("travel", {"matrix_s": "../day.npy"})),
    ("matrix_hours_invalid", _set("travel", {"matrix_s": ["day.npy", "day.npy"]})),
    ("positions_invalid", _set("travel", {"positions": [[200, 0]]})),
]


@pytest.mark.parametrize(("code", "change"), BAD, ids=[f"{c}-{i}" for i, (c, _) in enumerate(BAD)])
def test_a_bad_day_is_refused_with_its_code(tmp_path: Path, code: str, change: Change) -> None:
    document = day(tmp_path)
    document.setdefault("weights", {})
    change(document)
    with pytest.raises(PlanningError) as refused:
        scenario_from_document(document, tmp_path)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ("matrix_not_square", np.zeros((3, 4), np.int32)),
        ("matrix_has_holes", np.full((40, 40), np.nan)),
        ("matrix_negative", np.full((40, 40), -5, np.int32)),
        ("matrix_has_holes", np.full((40, 40), 2**31 - 1, np.int32)),
        ("matrix_not_whole_seconds", np.full((40, 40), 0.5)),
        ("matrix_not_numbers", np.full((4, 4), "x")),
        ("site_unknown", np.zeros((4, 4), np.int32)),
    ],
)
def test_a_bad_matrix_is_refused_with_its_code(tmp_path: Path, code: str, table: Any) -> None:
    document = day(tmp_path)
    np.save(tmp_path / "day.npy", table)
    with pytest.raises(PlanningError) as refused:
        scenario_from_document(document, tmp_path)
    assert refused.value.code == code


def test_a_file_with_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.json"
    path.write_text(json.dumps(day(tmp_path)).replace('"duration_s": ', '"duration_s": NaN, "x": ', 1))
    with pytest.raises(PlanningError, match="scenario_not_json"):
        read_scenario(path)


def test_rows_inside_the_file_serve_as_a_matrix(tmp_path: Path) -> None:
    document = day(tmp_path)
    rows = np.load(tmp_path / "day.npy").tolist()
    document["travel"] = {"matrix_s": rows}
    travel = scenario_from_document(document, tmp_path).travel
    assert isinstance(travel, Matrices)
    assert travel.by_mode[""].tolist() == [rows]
