"""A van is counted while the engineer uses parts from it, or counted twice at once: one after the other."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import Any

import pytest

from dispatch.actions import evidence_completion, stock
from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.depots import line, load, stocked_depot
from tests.house import Town, ok

PATIENCE_S = 60.0
_WAITING = """
  select count(*)::int as n from pg_locks l join pg_database d on d.oid = l.database
  where l.locktype = 'advisory' and not l.granted and d.datname = current_database()
"""


def five_valves(town: Town) -> str:
    """A ticket whose engineer is at the site, five valves in the van."""
    name = {"zh": "阀", "en": "Valve"}
    valve = {"lines": [{"code": "valve", "name": name, "unit": "pc"}]}
    ok(town.product.client.put("/dispatcher/v1/parts", json=valve, headers=town.board("Ada")))
    ticket_id = str(town.create(new_ticket("ac_direct"))["ticket_id"])
    town.settle()
    who = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(who, ticket_id)
    load(town, stocked_depot(town, line("valve", 5)), who, line("valve", 5))
    return ticket_id


def count(town: Town, name: str, counted: int) -> Any:
    body = {
        "command_id": str(new_id()), "reason": "counted", "engineer_id": str(town.made.engineers[name]),
        "lines": [{"part": "valve", "counted": str(counted)}],
    }  # fmt: skip
    return town.product.client.post("/dispatcher/v1/stock_takes", json=body, headers=town.board())


def held(town: Town, name: str) -> Decimal:
    url = f"/dispatcher/v1/stock?engineer_id={town.made.engineers[name]}"
    lines = ok(town.product.client.get(url, headers=town.board()))["stock"]
    return sum((Decimal(one["quantity"]) for one in lines), Decimal())


def at_once(
    town: Town, monkeypatch: pytest.MonkeyPatch, counts: Callable[[], Any], other: Callable[[], Any]
) -> Any:
    """`counts` has looked into the van and pauses before it books; `other` begins then, and is done or waits for the
    van before the count goes on. The answer of `other`."""
    looked, go_on = Event(), Event()
    honest = stock.held

    def slow(*asked: Any) -> Decimal:
        found = honest(*asked)
        if not looked.is_set():
            looked.set()
            assert go_on.wait(PATIENCE_S)
        return found

    monkeypatch.setattr(stock, "held", slow)
    with ThreadPoolExecutor(2) as pool:
        first: Future[Any] = pool.submit(counts)
        try:
            assert looked.wait(PATIENCE_S)
            second: Future[Any] = pool.submit(other)
            until = time.monotonic() + PATIENCE_S
            while not second.done() and not town.product.rows(_WAITING)[0]["n"]:
                assert time.monotonic() < until
                time.sleep(0.01)
        finally:
            go_on.set()
        ok(first.result(PATIENCE_S))
        return ok(second.result(PATIENCE_S))


def used_while_counted(town: Town, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """None is found in a van whose engineer books two out of it; what the completion says is short."""
    ticket_id = five_valves(town)
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    done = {"outcome": "fixed", "photo_ids": [town.photo(name, ticket_id, "completion")]}
    used = [{"part": "valve", "quantity": "2"}]
    at_once(
        town,
        monkeypatch,
        lambda: count(town, name, 0),
        lambda: town.act(name, ticket_id, "complete", **done, parts_used=used),
    )
    event = next(line for line in town.view(ticket_id)["history"] if line["action"] == "complete")
    short: list[str] = event["facts"].get("parts_short", [])
    return short


def counted_twice(town: Town, monkeypatch: pytest.MonkeyPatch) -> Decimal:
    """Two dispatchers count the same three valves; what the books hold afterwards."""
    ticket_id = five_valves(town)
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    at_once(town, monkeypatch, lambda: count(town, name, 3), lambda: count(town, name, 3))
    return held(town, name)


def test_a_completion_sees_what_the_count_left_in_the_van(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert used_while_counted(town, monkeypatch) == ["valve"]


def test_a_van_counted_twice_at_once_is_corrected_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted_twice(town, monkeypatch) == 3


def test_sabotage_without_the_vans_lock_both_are_seen(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stock, evidence_completion):
        monkeypatch.setattr(module, "lock_van", lambda *van: None)
    assert used_while_counted(town, monkeypatch) == []


def test_sabotage_without_the_vans_lock_two_counts_correct_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock, "lock_van", lambda *van: None)
    assert counted_twice(town, monkeypatch) == 1
