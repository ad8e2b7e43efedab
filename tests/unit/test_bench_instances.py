"""The readers, converters and checkers of the benches on small instances worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dispatch.planning.referee import judge
from tests.bench import trsp, vrptw
from tests.bench.child import run_child
from tests.bench.cities import CITIES
from tests.bench.engine import wanted
from tests.bench.peer import as_plan

TECHNICIANS = """small_1-1-1-1

INFO
CREW COUNT  SKILLS  TOOLS   SPARE PARTS
2      1       1       1

DEPOT TECHNICIANS AND REQUESTS
ID   X     Y     TWS    TWE    Serv   SKILLS   TOOLS    SPARE PARTS
0    0     30    0      1000   0      [] \t[] \t[]
1    0     0     0      1000   0      [0] \t[] \t[1]
2    40    0     0      1000   0      [] \t[0] \t[0]
3    30    40    100    200    10     [0] \t[] \t[1]
4    30    0     0      190    10     [0] \t[0] \t[0]
"""

SOLOMON = """TINY

VEHICLE
NUMBER     CAPACITY
  2         10

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0        100          0
    1      1         1          6         20         30         10
    2      3         0          6          0         50         10
"""


@pytest.fixture
def technicians(tmp_path: Path) -> trsp.Instance:
    path = tmp_path / "small_1-1-1-1.txt"
    path.write_text(TECHNICIANS)
    return trsp.read_instance(path)


def test_a_route_works_from_its_latest_departure(technicians: trsp.Instance) -> None:
    # Home to 3 is 50: he leaves at 50 for the window that opens at 100, serves 10, drives 50 home.
    assert trsp.working_time(technicians, {1: [3]})[0] == pytest.approx(110)


def test_a_call_at_the_depot_brings_tool_and_part(technicians: trsp.Instance) -> None:
    # Home - depot 30, depot - 3 is 31.62, waits for nothing if he leaves at 38.38, 10, 40 to 4, 10, 30 home.
    value, faults = trsp.working_time(technicians, {1: [0, 3, 4], 2: []})
    assert (value, faults) == (pytest.approx(30 + 31.6227766 + 10 + 40 + 10 + 30), [])


@pytest.mark.parametrize(
    ("routes", "fault"),
    [
        ({1: [3]}, "served 1 of 2, 1 visits"),
        ({1: [3, 4]}, "technician 1: tool for 4"),
        ({1: [0, 3], 2: [4]}, "technician 2: skill for 4"),
        ({1: [0, 3, 0, 4]}, "technician 1: two depot calls"),
    ],
)
def test_the_working_time_checker_finds_what_is_wrong(
    technicians: trsp.Instance, routes: dict[int, list[int]], fault: str
) -> None:
    assert fault in trsp.working_time(technicians, routes)[1]


def test_a_spent_part_and_a_late_visit_are_found(technicians: trsp.Instance) -> None:
    places = list(technicians.places)
    places[4] = replace(places[4], parts=(1,), closes=100)
    faults = trsp.working_time(replace(technicians, places=tuple(places)), {1: [3, 4]})[1]
    assert {"technician 1: part for 4", "technician 1: late at 4"} <= set(faults)


def test_a_technician_instance_becomes_a_day_the_referee_agrees_on(
    technicians: trsp.Instance, tmp_path: Path
) -> None:
    document, drive = trsp.scenario_of(technicians)
    np.save(tmp_path / f"{technicians.name}.npy", drive)
    plan = as_plan({"1": [{"depot": "centre"}, "3", "4"], "2": []})
    assert judge(document, plan, tmp_path).valid
    assert trsp.routes_of(plan) == {1: [0, 3, 4], 2: []}
    alone = judge(document, as_plan({"1": ["3", "4"]}), tmp_path)
    assert [violation.code for violation in alone.violations] == ["tool_missing"]


def test_the_best_known_value_is_the_lowest_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "best_known.txt").write_text("a=2.5\nb=3\n\n")
    (tmp_path / "best_known_later.txt").write_text("a=2.25\n")
    best = trsp.read_best(tmp_path)
    assert (best["a"], best["b"]) == (2.25, 3.0)
    assert best["R104.100_25-5-5-5"] == 2285.773  # of the thesis, lower than the folder's


def test_a_file_that_is_no_instance_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.txt"
    path.write_text("nothing of the kind\n")
    for read in (trsp.read_instance, vrptw.read_instance):
        with pytest.raises(ValueError, match="other"):
            read(path)


def test_solomon_distances_are_truncated_and_loads_bounded(tmp_path: Path) -> None:
    path = tmp_path / "TINY.txt"
    path.write_text(SOLOMON)
    instance = vrptw.read_instance(path)
    # 0-1 is 1.41 -> 1.4; 1-2 is 2.23 -> 2.2; 0-2 is 3.
    assert vrptw.distance(instance, [[1], [2]]) == (2 * 1.4 + 2 * 3.0, [])
    assert vrptw.distance(instance, [[2, 1]]) == (pytest.approx(6.6), ["capacity"])
    assert vrptw.distance(instance, [[1], []])[1] == ["customers"]
    document = vrptw.scenario_of(instance)
    np.save(tmp_path / "TINY.npy", np.array(instance.tenths, np.int32))
    apart = judge(document, as_plan({"V0": ["1"], "V1": ["2"]}), tmp_path)
    assert (apart.valid, apart.total) == (True, 88)
    together = judge(document, as_plan({"V0": ["2", "1"]}), tmp_path)
    assert [violation.code for violation in together.violations] == ["part_missing"]


@pytest.mark.parametrize("city", CITIES)
def test_the_same_seed_gives_the_same_day_and_another_seed_another(city: str, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    first.mkdir()
    again.mkdir()
    days = [CITIES[city](folder, 30, 4, seed) for folder, seed in ((first, 1), (again, 1), (again, 2))]
    assert days[0].read_text() == days[1].read_text() != days[2].read_text()
    assert (np.load(days[0].with_suffix(".npy")) == np.load(days[1].with_suffix(".npy"))).all()
    document = json.loads(days[0].read_text())
    nobody = judge(document, as_plan({}), first)
    assert nobody.valid
    assert nobody.total == nobody.parts["unserved"] > 0


def test_a_large_day_carries_positions_instead_of_a_table(tmp_path: Path) -> None:
    path = CITIES["even"](tmp_path, 4000, 20, 1)
    travel = json.loads(path.read_text())["travel"]
    assert len(travel["positions"]) == 4020
    assert not list(tmp_path.glob("*.npy"))


def test_a_child_that_overstays_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.child.GRACE_S", 0.2)
    ran = run_child(["-c", "import time; print('begun', flush=True); time.sleep(60)"], 0.3, tmp_path / "log")
    assert ran.code is None
    assert ran.wall_s < 10
    assert ran.tail == "begun\n"


def test_a_killed_child_takes_its_own_children_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.child.GRACE_S", 0.2)
    start = "subprocess.Popen(['sleep', '60'], start_new_session=True).pid"
    ran = run_child(
        ["-c", f"import subprocess, time; print({start}, flush=True); time.sleep(60)"], 1.0, tmp_path / "log"
    )
    assert ran.code is None
    status = Path(f"/proc/{int(ran.tail)}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


def test_words_choose_instances_by_whole_parts_of_their_names() -> None:
    named = {"even_500x50_s7101": 1, "belts_500x50_s7101": 2, "R101.100_25-5-5-5": 3}
    assert wanted(named, ("500x50", "s7101")) == [1, 2]
    assert wanted(named, ("R101",)) == [3]
    assert wanted(named, ()) == [1, 2, 3]


def test_words_no_instance_holds_are_an_error_that_names_what_there_is() -> None:
    with pytest.raises(SystemExit, match="500x5 and even; there are even_500x50_s7101"):
        wanted({"even_500x50_s7101": 1}, ("500x5", "even"))
