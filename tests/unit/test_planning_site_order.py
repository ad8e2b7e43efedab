"""Sites get their numbers by nearness, and every leg is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dispatch.planning import layout as col
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.scenario import Matrices, Scenario
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.site_order import TOGETHER, sites_by_nearness
from tests.planning_days import random_day


def a_day(folder: Path, features: set[str]) -> tuple[Scenario, Day]:
    scenario = scenario_from_document(random_day(folder, 3, features), folder)
    return scenario, compile_day(scenario)


@pytest.mark.parametrize(
    "features", [set[str](), {"positions"}, {"modes"}], ids=["table", "positions", "modes"]
)
def test_each_site_has_one_number_and_the_legs_are_the_scenarios(tmp_path: Path, features: set[str]) -> None:
    scenario, day = a_day(tmp_path, features)
    order = sites_by_nearness(scenario)
    assert sorted(order) == list(range(scenario.travel.sites))
    count = len(scenario.tickets)
    asked, packed = [t.site for t in scenario.tickets], day.facts.node[:count, col.SITE]
    assert (order[packed] == asked).all()
    if isinstance(scenario.travel, Matrices):
        for mode, name in enumerate(sorted(scenario.travel.by_mode)):
            said = scenario.travel.by_mode[name][0][np.ix_(asked, asked)]
            assert (day.facts.drive[mode, 0][np.ix_(packed, packed)] == said).all()


def test_sites_numbered_together_are_nearer_than_any_others(tmp_path: Path) -> None:
    """Two towns far apart, their sites mixed: the first half of the order is one town."""
    scenario, _ = a_day(tmp_path, set())
    town = np.arange(8 * TOGETHER) % 2
    apart = np.where(town[:, None] == town[None], 60, 3600).astype(np.int32)
    two = replace(scenario, travel=Matrices({"": apart[None]}))
    order = sites_by_nearness(two)
    assert len(set(town[order[: len(order) // 2]])) == 1
