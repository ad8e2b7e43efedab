"""The objectives of engine and referee, which share no code, are equal: feature by feature, on random days.

Three times for each day: on a random plan as the engine holds it, and on what a short search makes of it and of
nothing. The seeds are fixed, so that a run tells of the code and not of luck.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.planning import layout, referee_parts, search
from dispatch.planning.compile import Day, compile_day
from dispatch.planning.draft import empty_draft, load
from dispatch.planning.insertion import prices, row_with
from dispatch.planning.kernel_search import score
from dispatch.planning.layout import BROKEN
from dispatch.planning.outcome import settled_draft
from dispatch.planning.referee import Verdict, judge
from dispatch.planning.rows import rows_of
from dispatch.planning.scenario import PlanningError
from dispatch.planning.scenario_file import scenario_from_document
from dispatch.planning.search import Effort, search_day
from tests.integration.random_days import FEATURES, random_day, random_plan, save_tables

ROUNDS = 60
DAYS = range(30)  # seeds of the random days, for each feature
TRAVEL = ("tables", "modes", "hours", "positions")
TIMELESS = [name for name in FEATURES if name not in TRAVEL]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    save_tables(folder, random.Random(7))
    return folder


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roads")
    save_tables(folder, random.Random(8), metric=True)
    return folder


def as_plan(day: Day, routes: list[list[int]]) -> dict[str, Any]:
    names = day.names

    def stop(node: int) -> Any:
        if node in names.rest_of_node:
            return {"break": names.rest_of_node[node]}
        if node in names.depot_of_node:
            return {"depot": names.depot_of_node[node]}
        return names.tickets[names.node_ticket[node]]

    named = [
        {"engineer": engineer, "stops": [stop(node) for node in nodes]}
        for engineer, nodes in zip(names.engineers, routes, strict=True)
    ]
    return {"format": "paidan-plan/1", "routes": named}


def as_nodes(day: Day, plan: dict[str, Any]) -> list[list[int]]:
    """The plan's stops as the engine's nodes; the first member of a crew in the scenario's order leads."""
    names = day.names
    visits: dict[str, list[int]] = {}
    for node, ticket in enumerate(names.node_ticket):
        visits.setdefault(names.tickets[ticket], []).append(node)
    depots = {name: node for node, name in names.depot_of_node.items()}
    routes = []
    for index, route in enumerate(plan["routes"]):
        rests = {names.rest_of_node[node]: node for node in names.rests[index]}
        nodes = []
        for stop in route["stops"]:
            if isinstance(stop, str):
                nodes.append(visits[stop].pop(0))
            else:
                nodes.append(rests[stop["break"]] if "break" in stop else depots[stop["depot"]])
        routes.append(nodes)
    return routes


def agrees(score: float, verdict: Verdict) -> bool:
    if score >= BROKEN / 2:
        return not verdict.valid
    return verdict.valid and abs(score - verdict.total) <= 1e-3 + 1e-6 * abs(verdict.total)


def days(features: list[str], seeds: range, folder: Path) -> Iterator[tuple[int, Any, Day]]:
    """(seed, document, compiled day) of each random day that does not contradict itself."""
    for seed in seeds:
        document = random_day(random.Random(seed), features)
        try:
            yield seed, document, compile_day(scenario_from_document(document, folder))
        except PlanningError as error:
            if error.code != "pin_contradicts":
                raise


def check(seed: int, document: Any, day: Day, folder: Path) -> None:
    """Equal on a loaded random plan, and on what a search answers from nothing and from that plan."""
    warm = as_nodes(day, random_plan(document, random.Random(seed)))
    draft = empty_draft(day, 1)
    load(day, draft, warm)
    held = judge(document, as_plan(day, rows_of(draft)), folder)
    sum_held = float(score(day.facts, draft))
    # A pin may keep a crew whose lead the engine takes to be another than the referee does: then it says broken.
    assert agrees(sum_held, held) or (
        sum_held >= BROKEN / 2 and any("pinned" in t for t in document["tickets"])
    ), (seed, sum_held, held)
    for start in (None, warm):
        found = search_day(day, Effort(iterations=ROUNDS, seed=seed % 1000), warm=start)
        verdict = judge(document, as_plan(day, found.routes), folder)
        assert agrees(found.score, verdict), (seed, start is None, found.score, verdict)


@pytest.mark.parametrize("feature", ["plain", *FEATURES])
def test_engine_and_referee_agree_on_a_feature_alone(feature: str, tables: Path) -> None:
    for seed, document, day in days([] if feature == "plain" else [feature], DAYS, tables):
        check(seed, document, day, tables)


@pytest.mark.parametrize("travel", TRAVEL)
def test_engine_and_referee_agree_on_all_features_together(travel: str, tables: Path) -> None:
    for number in DAYS:
        chosen = [name for name in TIMELESS if random.Random(number).random() < 0.7]
        more = [travel] if travel in FEATURES else []
        for seed, document, day in days([*chosen, *more], range(number, number + 1), tables):
            check(seed, document, day, tables)


@pytest.mark.parametrize("travel", TRAVEL)
def test_engine_and_referee_read_the_same_day_written_otherwise(travel: str, tables: Path) -> None:
    for seed in DAYS:
        chosen = [name for name in TIMELESS if random.Random(seed).random() < 0.7]
        more = [travel] if travel in FEATURES else []
        for number, document, day in days([*chosen, *more], range(seed, seed + 1), tables):
            other = written_otherwise(document, tables)
            found = search_day(day, Effort(iterations=ROUNDS, seed=number))
            assert (
                search_day(
                    compile_day(scenario_from_document(other, tables)), Effort(iterations=ROUNDS, seed=number)
                )
                == found
            )
            plan = as_plan(day, found.routes)
            assert judge(other, plan, tables) == judge(document, plan, tables)


def written_otherwise(value: Any, folder: Path) -> Any:
    """The same day: tables as rows, whole numbers as floats, what is assumed anyway left out, what is absent null."""
    if isinstance(value, str) and value.endswith(".npy"):
        return np.load(folder / value).tolist()
    if isinstance(value, list):
        return [written_otherwise(one, folder) for one in value]
    if not isinstance(value, dict):
        return float(value) if isinstance(value, int) else value
    other = {key: written_otherwise(one, folder) for key, one in value.items()}
    if "priority" in value:
        nothing = {"window_s": None, "due_s": None, "pinned": None, "previous": None}
        other = {
            **nothing,
            **{key: one for key, one in other.items() if (key, one) != ("priority", "normal")},
        }
    return {key: one for key, one in other.items() if (key, one) != ("known", "planned")}


@pytest.mark.parametrize("feature", ["order", "people", "crews"])
def test_a_plan_that_leaves_the_engine_unproved_is_caught(
    feature: str, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the last proof, kernels that forget a rule hand out broken plans."""
    monkeypatch.setattr(search, "_proved", lambda _day, _draft, routes: (routes, 0.0))
    broken = 0
    for seed, document, day in days([feature], range(60), tables):
        other = forgetful(feature, day)
        routes = search_day(other, Effort(iterations=ROUNDS, seed=seed)).routes
        broken += not judge(document, as_plan(day, routes), tables).valid
    assert broken > 0


def forgetful(feature: str, day: Day) -> Day:
    """The day as kernels see it that have forgotten the order, the maximum of visits, or who may be in a crew."""
    facts = day.facts
    if feature == "order":
        nobody = facts.before[:, :0]
        return replace(day, facts=facts._replace(before=nobody, behind=nobody))
    if feature == "people":
        engineer = facts.engineer.copy()
        engineer[:, layout.MAX_VISITS] = layout.FAR
        return replace(day, facts=facts._replace(engineer=engineer))
    return replace(day, facts=facts._replace(crew=facts.crew.clip(max=1), helpers=facts.helpers[:, :0]))


@pytest.mark.parametrize(
    ("part", "feature"),
    [
        ("travel", "plain"),
        ("late", "due_times"),
        ("overtime", "overtime"),
        ("moved", "moves"),
        ("working", "working"),
    ],
)
def test_a_referee_that_forgets_a_part_is_caught(
    part: str, feature: str, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(referee_parts.PARTS, part, lambda _day, _table: 0.0)
    assert not passes([] if feature == "plain" else [feature], tables)


def passes(features: list[str], folder: Path) -> bool:
    try:
        for seed, document, day in days(features, range(20), folder):
            check(seed, document, day, folder)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("feature", ["plain", *FEATURES, "together"])
def test_the_price_of_one_more_ticket_is_what_the_referee_finds(
    feature: str, tables: Path, roads: Path
) -> None:
    """On tables where no way is shorter over a third site, as on roads; where nobody meets anybody on any table."""
    offers = 0
    for folder in (roads,) if feature in {"crews", "together"} else (roads, tables):
        for number in DAYS:
            chosen = {"plain": [], "together": [n for n in TIMELESS if random.Random(number).random() < 0.5]}
            for seed, document, day in days(
                chosen.get(feature, [feature]), range(number, number + 1), folder
            ):
                offers += check_prices(seed, document, day, folder)
    assert offers > 20


def check_prices(seed: int, document: Any, day: Day, folder: Path) -> int:
    """Prices one ticket taken out of a searched plan for every engineer; returns how many could take it."""
    free = [
        index
        for index, ticket in enumerate(document["tickets"])
        if "pinned" not in ticket and ticket.get("crew", 1) == 1
    ]
    if not free:
        return 0
    ticket = random.Random(seed).choice(free)
    found = search_day(day, Effort(iterations=ROUNDS, seed=1))
    draft = settled_draft(day, [[node for node in nodes if node != ticket] for nodes in found.routes])
    routes = rows_of(draft)
    before = judge(document, as_plan(day, routes), folder)
    if not before.valid:  # a pin that cannot be kept breaks every plan of such a day
        return 0
    open_price = float(day.facts.price[ticket, layout.UNSERVED])
    cost, place, start = prices(day, draft, ticket)
    for engineer in (int(m) for m in (place >= 0).nonzero()[0]):
        row = row_with(day, draft, ticket, engineer, int(place[engineer]))
        fuller = [*routes[:engineer], row, *routes[engineer + 1 :]]
        after = judge(document, as_plan(day, fuller), folder)
        assert after.valid, (seed, after)
        if start[engineer] >= 0:
            assert after.starts[f"E{engineer}"][row.index(ticket)] == start[engineer], (seed, after)
        # A crew is priced at its agreed start; a detour while others wait may let it meet sooner.
        if meetings(day, routes, before) == meetings(day, fuller, after):
            dearer = after.total - (before.total - open_price + float(cost[engineer]))
            assert abs(dearer) < 1e-3, (seed, engineer, dearer, after)
    return int((place >= 0).sum())


def meetings(day: Day, routes: list[list[int]], verdict: Verdict) -> set[tuple[int, int | None]]:
    """(node, start) of every crew member's visit."""
    return {
        (node, start)
        for name, nodes in zip(day.names.engineers, routes, strict=True)
        for node, start in zip(nodes, verdict.starts[name], strict=True)
        if day.facts.node[node, layout.CREWED]
    }
