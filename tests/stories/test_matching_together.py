"""Waiting tickets matched together get more done than one by one, each with its receipt and one report for all."""

from typing import Any

import pytest

from dispatch.actions import matching_batch
from dispatch.planning.client import PlanningError, share
from tests.builders import new_ticket
from tests.house import Product, Town, ok


def two_tickets(product: Product, settings: dict[str, Any]) -> tuple[Town, list[str]]:
    """Ana alone can mend air conditioning, and has room for one visit; she is also the nearest plumber."""
    town = product.company(settings)
    made = town.made
    town.product.rows(
        "update engineers set daily_limit_min = 45 where id = %(e)s returning 1", e=made.engineers["Ana"]
    )
    town.product.rows(
        "update engineers set active = false where id = %(e)s returning 1", e=made.engineers["Ben"]
    )
    town.product.rows(
        "update work_types set mode = 'direct' where tenant_id = %(tenant)s returning 1", made.tenant_id
    )
    return town, [town.create(new_ticket(kind))["ticket_id"] for kind in ("leak", "ac_direct")]


def engineers_of(town: Town, tickets: list[str]) -> list[str | None]:
    return [town.view(ticket_id)["ticket"]["engineer_name"] for ticket_id in tickets]


def test_one_by_one_the_first_takes_whom_the_second_needs(product: Product) -> None:
    town, tickets = two_tickets(product, {})
    town.settle()
    assert engineers_of(town, tickets) == ["Ana", None]


def test_together_both_get_somebody(product: Product) -> None:
    town, tickets = two_tickets(product, {"batch_min": 10})
    town.settle()
    assert engineers_of(town, tickets) == [None, None]
    town.product.clock.move(minutes=10, seconds=1)
    town.settle()
    assert engineers_of(town, tickets) == ["Eve", "Ana"]
    (report,) = ok(town.product.client.get("/dispatcher/v1/bulk", headers=town.board()))["reports"]
    assert (report["kind"], {line["outcome"] for line in report["lines"]}) == ("batch", {"assigned"})
    path = f"/dispatcher/v1/tickets/{tickets[0]}/receipts"
    (receipt,) = ok(town.product.client.get(path, headers=town.board()))["receipts"]
    assert (receipt["mode"], receipt["holds"]) == ("batch", True)
    assert receipt["chosen_engineer_id"] == str(town.made.engineers["Eve"])


def test_what_is_urgent_does_not_wait(product: Product) -> None:
    town = product.company({"batch_min": 10})
    ticket_id = town.create(new_ticket("ac_direct", priority="urgent"))["ticket_id"]
    town.settle()
    assert town.status(ticket_id) == "assigned"


def test_an_engineer_taken_meanwhile_is_not_given_twice(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: the solver hands both to Ana; the second look refuses what no longer fits."""
    town, tickets = two_tickets(product, {"batch_min": 10})
    ana = town.made.engineers["Ana"]
    town.settle()

    def all_to_ana(waiting: list[matching_batch.Waiting]) -> dict[Any, Any]:
        return {each.ticket_id: ana for each in waiting}

    monkeypatch.setattr(matching_batch, "share_out", all_to_ana)
    town.product.clock.move(minutes=10, seconds=1)
    town.settle()
    assert engineers_of(town, tickets).count("Ana") == 1


def test_the_flow_runs_in_a_process_of_its_own_and_says_what_is_wrong() -> None:
    assert share([{0: 5.0, 1: 9.0}, {0: 1.0}], [100.0, 100.0], [1, 1]) == {0: 1, 1: 0}
    assert share([{0: 5.0}], [4.0], [1]) == {}
    with pytest.raises(PlanningError) as refusal:
        share([{}] * 5001, [1.0] * 5001, [])
    assert refusal.value.code == "batch_too_large"
