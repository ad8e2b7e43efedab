"""Numbers a day's sites so that near ones lie side by side in memory: a round looks up legs between neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dispatch.planning import layout as col
from dispatch.planning.compile_travel import globe
from dispatch.planning.scenario import Matrices, Scenario

TOGETHER: Final = 8
Away = Callable[[NDArray[np.int64], int], NDArray[np.float64]]


def lay_out(
    scenario: Scenario, node: NDArray[np.int32], drive: NDArray[Any], ball: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The tables and the globe in the new order; `node` is given the new numbers. Days with hours stay as they are."""
    if drive.shape[1] > 1:
        return drive, ball
    order = sites_by_nearness(scenario)
    number = np.empty_like(order)
    number[order] = np.arange(order.size)
    placed = node[:, col.KIND] != col.REST
    node[placed, col.SITE] = number[node[placed, col.SITE]]
    if ball.shape[0]:
        return drive, np.ascontiguousarray(ball[order])
    return np.ascontiguousarray(drive[:, :, order[:, None], order]), ball


def sites_by_nearness(scenario: Scenario) -> NDArray[np.int64]:
    """(L,) all sites, cut into halves of halves between two far ones."""
    away = _measure(scenario)
    waiting, order = [np.arange(scenario.travel.sites)], list[NDArray[np.int64]]()
    while waiting:
        part = waiting.pop()
        if len(part) <= TOGETHER:
            order.append(part)
            continue
        one = int(part[away(part, int(part[0])).argmax()])
        other = int(part[away(part, one).argmax()])
        lean = np.argsort(away(part, one) - away(part, other), kind="stable")
        waiting += [part[lean[len(part) // 2 :]], part[lean[: len(part) // 2]]]
    return np.concatenate(order)


def _measure(scenario: Scenario) -> Away:
    """Seconds, or a measure that grows with them, from each of some sites to one site."""
    if isinstance(scenario.travel, Matrices):
        table = next(iter(scenario.travel.by_mode.values()))[0]
        return lambda origins, target: np.asarray(table[origins, target], np.float64)
    points = globe(scenario.travel)[:, :3]
    return lambda origins, target: np.asarray(np.linalg.norm(points[origins] - points[target], axis=1))
