"""A repaired plan moves nobody for next to nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dispatch.planning.compile import compile_day
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from dispatch.planning.steady import STAY_S, steady
from tests.planning_days import random_day


def test_leaving_ones_engineer_has_a_price_and_staying_has_none(tmp_path: Path) -> None:
    day = compile_day(scenario_from_document(random_day(tmp_path, 3, {"prefer"}), tmp_path))
    routes = search_day(day, Effort(iterations=50)).routes
    other = steady(day, routes)
    rise = other.facts.bias - (day.facts.bias if day.facts.bias.size else 0)
    price = STAY_S * float(day.facts.rate[:, 0].mean())
    for m, row in enumerate(routes):
        for x in row:
            if x < len(day.names.node_ticket):
                assert np.isclose(rise[m, x], 0)
                assert np.allclose(np.delete(rise[:, x], m), price, rtol=1e-3)


def test_the_plan_to_repair_is_the_cheapest_of_its_near_ones(tmp_path: Path) -> None:
    day = compile_day(scenario_from_document(random_day(tmp_path, 3, set()), tmp_path))
    routes = search_day(day, Effort(iterations=2000)).routes
    again = search_day(steady(day, routes), Effort(iterations=50, hot=0.01, cold=0.01), warm=routes)
    assert again.routes == routes
