"""Plans are made in children that keep their limits: time, memory, a day that is wrong, a search cut short."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatch.planning import command
from dispatch.planning.client import plan_document_of_day
from dispatch.planning.plan_file import plan_document
from dispatch.planning.processes import LATE_S, LATE_SHARE, START_S, Order, solve
from dispatch.planning.referee import judge
from dispatch.planning.scenario import PlanningError
from dispatch.planning.scenario_file import scenario_from_document
from tests.planning_days import random_day

ROOT = Path(__file__).resolve().parents[2]


def written(folder: Path, features: set[str], **size: int) -> tuple[dict[str, Any], Path]:
    document = random_day(folder, 1, features, **size)
    path = folder / "day.json"
    path.write_text(json.dumps(document))
    return document, path


def test_the_command_writes_a_plan_the_referee_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, path = written(tmp_path, {"breaks"})
    out = tmp_path / "plan.json"
    assert command.main([str(path), "--seconds", "0.5", "--out", str(out)]) == 0
    assert command.main([str(path), "--check", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["valid"]
    assert answer["total"] == pytest.approx(json.loads(out.read_text())["score"]["total"])


def test_the_check_refuses_a_plan_with_a_ticket_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, path = written(tmp_path, set())
    out = tmp_path / "plan.json"
    out.write_text(
        json.dumps(
            {
                "format": "paidan-plan/1",
                "routes": [{"engineer": "E0", "stops": ["T1"]}, {"engineer": "E1", "stops": ["T1"]}],
            }
        )
    )
    assert command.main([str(path), "--check", str(out)]) == command.BROKEN
    assert "ticket_twice" in capsys.readouterr().out


def test_a_wrong_day_is_told_as_a_code_not_a_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, path = written(tmp_path, set())
    document["engineers"] = []
    path.write_text(json.dumps(document))
    assert command.main([str(path), "--seconds", "0.5"]) == command.BAD_INPUT
    assert json.loads(capsys.readouterr().err) == {"code": "no_engineers", "facts": {}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"threads": 0},
        {"iterations": 0},
        {"seconds": 2.0, "prove_s": 1.5},
        {"iterations": 5, "prove_s": 0.5},
        {"prove_s": float("nan")},
    ],
)
def test_an_order_out_of_range_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    _, path = written(tmp_path, set())
    with pytest.raises(PlanningError, match="value_out_of_range"):
        solve(Order(path, **wrong))


def test_a_plan_says_whose_routes_are_proven_best_within_its_seconds(tmp_path: Path) -> None:
    _, path = written(tmp_path, {"breaks"})
    out, began = tmp_path / "plan.json", time.monotonic()
    assert command.main([str(path), "--seconds", "6", "--prove", "1.5", "--out", str(out)]) == 0
    assert time.monotonic() - began < START_S + 6 * LATE_SHARE + LATE_S
    plan = json.loads(out.read_text())
    proofs, routes = plan["notes"]["proofs"], {route["engineer"] for route in plan["routes"]}
    assert proofs["proven"]
    assert {name for team in proofs["proven"] for name in team} <= routes
    assert judge(json.loads(path.read_text()), plan, tmp_path).valid


def test_the_same_seed_and_iterations_give_the_same_file(tmp_path: Path) -> None:
    _, path = written(tmp_path, {"breaks", "crews", "parts", "depots"})
    plans = [solve(Order(path, seconds=60.0, iterations=150, seed=4)) for _ in range(2)]
    assert plan_document(plans[0]) == plan_document(plans[1])


def test_two_threads_are_no_worse_than_nothing_and_valid(tmp_path: Path) -> None:
    document, path = written(tmp_path, {"moved"})
    plan = solve(Order(path, seconds=1.0, threads=2))
    assert judge(document, plan_document(plan), tmp_path).valid


def test_a_search_is_ended_early_with_what_it_has_or_a_clear_failure(tmp_path: Path) -> None:
    _, path = written(tmp_path, set())
    began = time.monotonic()
    with contextlib.suppress(PlanningError):
        solve(Order(path, seconds=600.0), stop=lambda: time.monotonic() - began > 3)
    assert time.monotonic() - began < 30


def test_a_planner_dies_with_whoever_asked_for_the_plan(tmp_path: Path) -> None:
    _, path = written(tmp_path, set())
    code = (
        "import sys; from pathlib import Path; from dispatch.planning.processes import Order, solve; "
        "solve(Order(Path(sys.argv[1]), seconds=300.0))"
    )
    asker = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT)
    try:
        planner = _wait_for(lambda: _child_of(asker.pid))
        time.sleep(1.0)  # by now it has asked the kernel to be told
        asker.kill()
        asker.wait(timeout=10)
        assert _wait_for(lambda: not _is_running(planner))
    finally:
        asker.kill()


def _wait_for(answer: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first answer that is true; AssertionError after `seconds`."""
    ends = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < ends
        time.sleep(0.05)
    return found


def _child_of(pid: int) -> int:
    """A child that runs the planner's own program already, or 0."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    started = [c for c in children if b"dispatch.planning.worker" in Path(f"/proc/{c}/cmdline").read_bytes()]
    return int(started[0]) if started else 0


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_that_reaches_its_memory_limit_fails_clearly(tmp_path: Path) -> None:
    _, path = written(tmp_path, set(), tickets=200)
    with pytest.raises(PlanningError) as failed:
        solve(Order(path, seconds=0.5, memory_mb=48))
    assert failed.value.code in {"memory_limit_reached", "planner_failed"}


def test_a_child_keeps_to_its_seconds(tmp_path: Path) -> None:
    _, path = written(tmp_path, {"breaks"}, tickets=60)
    began = time.monotonic()
    solve(Order(path, seconds=2.0))
    assert time.monotonic() - began < START_S + 2.0 * LATE_SHARE + LATE_S


def test_the_client_plans_a_document_and_repairs_a_plan(tmp_path: Path) -> None:
    document = random_day(tmp_path, 2, {"positions"})
    plan = plan_document_of_day(document, seconds=0.5)
    again = plan_document_of_day(document, seconds=0.3, warm=plan)
    assert again.score["total"] <= plan.score["total"] + 1e-6


def test_the_client_loads_no_solver() -> None:
    code = (
        "import sys, dispatch.planning.client as c; "
        "assert not {'numba', 'ortools', 'pyvrp'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)


def test_two_threads_give_the_better_of_two_seeds(tmp_path: Path) -> None:
    _, path = written(tmp_path, {"breaks"}, tickets=40, team=6)
    alone = [solve(Order(path, iterations=30, seed=seed)).score["total"] for seed in (1, 2)]
    assert alone[0] != alone[1]
    assert solve(Order(path, iterations=30, threads=2)).score["total"] == min(alone)


def test_a_plain_routing_day_goes_to_the_routing_solver(tmp_path: Path) -> None:
    from dispatch.planning.plain import is_plain

    document = random_day(tmp_path, 1, set())
    document["limits"]["overtime_s"] = 0
    for engineer in document["engineers"]:
        engineer.update(start=14, end=14, shift_s=[20000, 80000], skills={}, van_stock={"load": 8})
    for ticket in document["tickets"]:
        ticket.pop("due_s", None)
        ticket.update(skills={}, parts={"load": 2})
    assert is_plain(scenario_from_document(document, tmp_path))
    path = tmp_path / "day.json"
    path.write_text(json.dumps(document))
    plan = solve(Order(path, seconds=1.0))
    assert judge(document, plan_document(plan), tmp_path).valid
    assert not plan.unassigned
    document["tickets"][0]["due_s"] = 30000
    assert not is_plain(scenario_from_document(document, tmp_path))
