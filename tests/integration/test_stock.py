"""Parts come into a depot, go out in vans, come back and are counted: stock is what the ledger's lines add up to."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from dispatch.actions import stock
from dispatch.actions.audit import verify
from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.depots import book, depot, line, load, stocked_depot
from tests.house import Town, ok, refused

NAME = {"zh": "阀", "en": "Valve"}


def get(town: Town, path: str, who: str = "Dora") -> dict[str, Any]:
    return ok(town.product.client.get(f"/dispatcher/v1/{path}", headers=town.board(who)))


def parts(town: Town) -> None:
    lines = [{"code": "valve", "name": NAME}, {"code": "board", "name": NAME, "serialised": True}]
    ok(town.product.client.put("/dispatcher/v1/parts", json={"lines": lines}, headers=town.board("Ada")))


def holds(town: Town, **place: object) -> dict[str, Decimal]:
    ((kind, one),) = place.items()
    return {each["part"]: Decimal(each["quantity"]) for each in get(town, f"stock?{kind}={one}")["stock"]}


def count(town: Town, lines: list[dict[str, Any]], reason: str = "counted", **place: str) -> Any:
    body = {"command_id": str(new_id()), "reason": reason, "lines": lines, **place}
    return town.product.client.post("/dispatcher/v1/stock_takes", json=body, headers=town.board())


def test_a_delivery_goes_to_the_depot_into_vans_and_back_and_a_count_sets_it_right(town: Town) -> None:
    parts(town)
    ana = str(town.made.engineers["Ana"])
    depot_id = stocked_depot(town, line("valve", 10), line("board", 1, "S1"), line("board", 1, "S2"))
    refused(book(town, "deliveries", depot_id, [line("valve", 1)], reference="DN-1"), 409, "delivery_known")
    facts = refused(
        book(town, "deliveries", depot_id, [line("board", 1, "S1")], reference="DN-2"), 409, "serial_known"
    )
    assert facts == {"part": "board", "serial": "S1"}
    load(town, depot_id, "Ana", line("valve", 4), line("board", 1, "S1"))
    assert holds(town, depot_id=depot_id) == {"valve": 6, "board": 1}
    assert holds(town, engineer_id=ana) == {"valve": 4, "board": 1}
    facts = refused(
        book(town, "van_loads", depot_id, [line("valve", 7)], engineer_id=ana), 409, "stock_short"
    )
    assert (facts["held"], facts["wanted"], facts["place"]) == ("6.000", "7", "depot")
    taken = book(town, "van_loads", depot_id, [line("board", 1, "S1")], engineer_id=ana)
    refused(taken, 409, "serial_elsewhere")
    ok(book(town, "van_returns", depot_id, [line("valve", 1)], engineer_id=ana))
    assert ok(count(town, [{"part": "valve", "counted": "5"}], depot_id=depot_id))["lines"] == 1
    ok(count(town, [{"part": "board", "counted": "0", "serial": "S1"}], "damaged", engineer_id=ana))
    assert holds(town, depot_id=depot_id) == {"valve": 5, "board": 1}
    assert holds(town, engineer_id=ana) == {"valve": 3}
    (sums,) = [one for one in get(town, "parts")["parts"] if one["code"] == "valve"]
    assert (Decimal(sums["in_depots"]), Decimal(sums["in_vans"])) == (5, 3)
    newest, *_ = get(town, f"part_movements?engineer_id={ana}")["movements"]
    assert (newest["to_kind"], newest["reason"], newest["booked_by"]) == ("scrapped", "damaged", "Dora")
    (board,) = [one for one in get(town, f"stock?depot_id={depot_id}")["stock"] if one["part"] == "board"]
    assert board["serials"] == ["S2"]
    phone = ok(town.product.client.get("/engineer/v1/stock", headers=town.phone("Ana")))
    assert {one["part"]: one["in_van"] for one in phone["parts"]} == {"valve": 3.0, "board": 0.0}


def test_who_comes_needs_the_part_that_was_really_loaded(town: Town) -> None:
    parts(town)
    depot_id = stocked_depot(town, line("valve", 1))
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    wanted = f"/dispatcher/v1/tickets/{ticket_id}/parts_wanted/valve"
    kept = town.product.client.put(wanted, json={"quantity": "1"}, headers=town.board())
    assert kept.status_code == 204

    def lacks(name: str) -> bool:
        why = get(town, f"tickets/{ticket_id}/candidates/{town.made.engineers[name]}")["candidate"]
        return any(failed["rule"] == "parts" for failed in why["refusals"])

    assert lacks("Ana")
    load(town, depot_id, "Ana", line("valve", 1))
    assert not lacks("Ana")


def old(town: Town) -> dict[str, Decimal]:
    """Who has how many old valves."""
    lines = get(town, "old_parts")["old_parts"]
    return {one["place_name"]["en"]: Decimal(one["quantity"]) for one in lines if one["part"] == "valve"}


def old_valves(town: Town, number: int) -> tuple[str, str]:
    """(depot, engineer's name) after work that took so many old valves from a customer."""
    parts(town)
    depot_id = stocked_depot(town, line("valve", number))
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = str(town.view(ticket_id)["ticket"]["engineer_name"])
    town.arrive(name, ticket_id)
    load(town, depot_id, name, line("valve", number))
    photo = town.photo(name, ticket_id, "completion")
    used = [{"part": "valve", "quantity": str(number), "old_returned": True}]
    ok(town.act(name, ticket_id, "complete", outcome="fixed", photo_ids=[photo], parts_used=used))
    return depot_id, name


def test_old_parts_come_from_the_engineer_into_the_depot_and_leave_it(town: Town) -> None:
    depot_id, name = old_valves(town, 3)
    engineer_id = str(town.made.engineers[name])
    assert old(town) == {name: 3}
    valve = {"part": "valve", "quantity": "2"}
    ok(book(town, "old_parts_in", depot_id, [valve], engineer_id=engineer_id))
    assert old(town) == {name: 1, "Main depot": 2}
    facts = refused(
        book(town, "old_parts_in", depot_id, [valve], engineer_id=engineer_id), 409, "stock_short"
    )
    assert (facts["place"], facts["held"]) == ("returned", "1.000")
    one = {"part": "valve", "quantity": "1"}
    ok(book(town, "old_parts_out", depot_id, [one], to="scrapped"))
    ok(book(town, "old_parts_out", depot_id, [one], to="supplier", reference="RMA-7"))
    refused(book(town, "old_parts_out", depot_id, [one], to="scrapped"), 409, "stock_short")
    refused(book(town, "old_parts_out", depot_id, [one], to="the river"), 422, "request_invalid")
    refused(book(town, "old_parts_out", depot_id, [one, one], to="scrapped"), 422, "line_twice")
    assert old(town) == {name: 1}
    assert holds(town, depot_id=depot_id) == {}
    newest, before, *_ = get(town, f"part_movements?depot_id={depot_id}")["movements"]
    assert (newest["from_name"]["en"], newest["to_kind"], newest["reference"]) == (
        "Main depot", "supplier", "RMA-7",
    )  # fmt: skip
    assert (before["to_kind"], before["booked_by"]) == ("scrapped", "Dora")


def test_sabotage_a_depot_that_does_not_look_gives_out_old_parts_nobody_brought(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts(town)
    one = {"part": "valve", "quantity": "1"}
    depot_id = depot(town)
    refused(book(town, "old_parts_out", depot_id, [one], to="scrapped"), 409, "stock_short")
    monkeypatch.setattr(stock, "held", lambda *args: Decimal(1000))
    ok(book(town, "old_parts_out", depot_id, [one], to="scrapped"))


def kept_back(town: Town) -> tuple[str, str]:
    """(ticket, engineer's name): of two new valves one old one was taken back, and the ticket is closed."""
    lines = [{"code": "valve", "name": NAME, "returned": True}]
    ok(town.product.client.put("/dispatcher/v1/parts", json={"lines": lines}, headers=town.board("Ada")))
    made = town.create(new_ticket("ac_direct"))
    town.settle()
    name = str(town.view(made["ticket_id"])["ticket"]["engineer_name"])
    town.arrive(name, made["ticket_id"])
    photo = town.photo(name, made["ticket_id"], "completion")
    used = [{"part": "valve", "quantity": "1", "old_returned": back} for back in (True, False)]
    ok(town.act(name, made["ticket_id"], "complete", outcome="fixed", photo_ids=[photo], parts_used=used))
    ok(town.answer(made["customer_link"], "sign_off"))
    return str(made["ticket_id"]), name


def brought(town: Town, ticket_id: str, name: str, quantity: str, **more: str) -> Any:
    line = {"part": "valve", "quantity": quantity}
    body = {
        "command_id": str(new_id()),
        "engineer_id": str(town.made.engineers[name]),
        "lines": [line],
        **more,
    }
    url = f"/dispatcher/v1/tickets/{ticket_id}/old_parts"
    return town.product.client.post(url, json=body, headers=town.board())


def test_an_old_part_kept_back_is_recorded_later_and_the_ticket_stays_closed(town: Town) -> None:
    ticket_id, name = kept_back(town)
    (owed,) = get(town, "owed_parts")["owed_parts"]
    assert (owed["ticket_id"], owed["engineer_name"], Decimal(owed["quantity"])) == (ticket_id, name, 1)
    assert get(town, f"owed_parts?page={owed['line_id']}")["owed_parts"] == []
    other = next(one for one in town.made.engineers if one != name)
    refused(brought(town, ticket_id, other, "1"), 409, "old_part_not_owed")
    facts = refused(brought(town, ticket_id, name, "2"), 409, "old_part_not_owed")
    assert (facts["owed"], facts["wanted"]) == ("1.000", "2")
    once = str(new_id())
    for _ in range(2):
        ok(brought(town, ticket_id, name, "1", command_id=once))
    assert old(town) == {name: 2}
    assert get(town, "owed_parts")["owed_parts"] == []
    refused(brought(town, ticket_id, name, "1"), 409, "old_part_not_owed")
    refused(brought(town, str(new_id()), name, "1"), 409, "old_part_not_owed")
    view = town.view(ticket_id)
    assert view["ticket"]["status"] == "closed"
    assert view["history"][0]["action"] == "bring_old_parts"
    assert verify(town.product.house.database, town.made.tenant_id).broken == 0


def test_sabotage_books_that_do_not_look_take_an_old_part_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id, name = kept_back(town)
    monkeypatch.setattr(stock, "owes", lambda *args: Decimal(1))
    for _ in range(2):
        ok(brought(town, ticket_id, name, "1"))
    assert old(town) == {name: 3}


def test_what_is_malformed_or_nobodys_is_refused(town: Town) -> None:
    parts(town)
    depot_id, ana = depot(town), str(town.made.engineers["Ana"])
    stranger = town.product.company()
    for lines, code in (
        ([line("song", 1)], "part_unknown"),
        ([line("board", 1)], "serial_missing"),
        ([line("board", 2, "S9")], "quantity_not_one"),
        ([line("valve", 1), line("valve", 2)], "line_twice"),
        ([line("valve", 0)], "request_invalid"),
    ):
        refused(book(town, "deliveries", depot_id, lines, reference="DN"), 422, code)
    refused(book(stranger, "deliveries", depot_id, [line("valve", 1)], reference="DN"), 404, "depot_unknown")
    refused(
        book(town, "van_loads", depot_id, [line("valve", 1)], engineer_id=str(new_id())),
        404,
        "engineer_unknown",
    )
    refused(
        count(town, [{"part": "valve", "counted": "1"}], "song", depot_id=depot_id), 422, "reason_unknown"
    )
    refused(count(town, [{"part": "valve", "counted": "1"}]), 422, "place_missing")
    refused(
        count(town, [{"part": "valve", "counted": "1"}], depot_id=depot_id, engineer_id=ana),
        422,
        "place_missing",
    )
    taken = {"code": "main", "name": NAME}
    url = f"/dispatcher/v1/depots/{new_id()}"
    refused(town.product.client.put(url, json=taken, headers=town.board("Ada")), 409, "code_taken")


def _race(town: Town) -> list[int]:
    """Six dispatchers load the last five valves at once, one each."""
    parts(town)
    depot_id = stocked_depot(town, line("valve", 5))
    ana = str(town.made.engineers["Ana"])
    town.board()
    with ThreadPoolExecutor(6) as pool:
        replies = list(
            pool.map(
                lambda _: book(town, "van_loads", depot_id, [line("valve", 1)], engineer_id=ana), range(6)
            )
        )
    return sorted(reply.status_code for reply in replies)


def test_two_who_load_the_last_part_at_once_do_not_both_get_it(town: Town) -> None:
    assert _race(town) == [200, 200, 200, 200, 200, 409]


def test_sabotage_a_depot_that_does_not_look_gives_out_what_it_has_not(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stock, "held", lambda *args: Decimal(1000))
    assert _race(town) == [200] * 6
