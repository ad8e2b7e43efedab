"""Repairing a plan: leaving an engineer has a small price while searching, so that nobody is moved for next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from dispatch.planning import layout as col
from dispatch.planning.compile import Day

STAY_S: Final = 600.0  # a move must spare more than that many seconds of driving


def steady(day: Day, routes: Sequence[Sequence[int]]) -> Day:
    """The day with that price on every visit of `routes` (nodes for each engineer) for all but its own engineer.

    Its scores are not the day's: score what was found with the day itself.
    """
    facts = day.facts
    price = STAY_S * float(facts.rate[:, col.DRIVE].mean() + facts.working)
    bias = np.zeros((facts.engineer.shape[0], len(day.names.node_ticket)), np.float32)
    if facts.bias.size:
        bias += facts.bias
    for m, row in enumerate(routes):
        mine = [x for x in row if facts.node[x, col.KIND] <= col.HELP]
        bias[:, mine] += price
        bias[m, mine] -= price
    return replace(day, facts=facts._replace(bias=bias))
