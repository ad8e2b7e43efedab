"""What the board reads back of a ticket's work and money, and of the lists behind them."""

from typing import Any

import pytest

from dispatch.store.ids import new_id
from dispatch.store.queries import policies, price_lists, promise_settings, proof, stock, telling
from tests.browser.world import CHECKLIST, busy_company, give_lists
from tests.builders import new_ticket
from tests.depots import line, load
from tests.house import Product, Town, ok, refused


def read(town: Town, path: str, who: str = "Ada") -> dict[str, Any]:
    return ok(town.product.client.get(f"/dispatcher/v1/{path}", headers=town.board(who)))


def test_a_finished_ticket_tells_its_work_and_its_money_and_a_query_that_forgets_old_parts_is_seen(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, tickets = busy_company(product)
    found = read(town, f"tickets/{tickets['finished']}/proof", "Dora")
    (machine,), (visit,), (quote,), (payment,) = (
        found[k] for k in ("machines", "visits", "quotes", "payments")
    )
    assert [answer["item"] for answer in machine["checklist"]] == [item["item"] for item in CHECKLIST]
    assert (machine["serial"], machine["outcome"], visit["outcome"]) == ("SN-1", "fixed", "fixed")
    assert (quote["status"], quote["total_minor"], payment["amount_minor"]) == ("approved", 23_000, 10_000)
    assert sorted(line["amount_minor"] for line in found["earned"]) == [2_875, 3_000]
    in_and_out = sorted((part["quantity"], part["returned"]) for part in found["parts"])
    assert in_and_out == [("1.000", False), ("1.000", False), ("1.000", True)]
    follow = {"command_id": str(new_id()), "kind": "warranty_callback"}
    url = f"/dispatcher/v1/tickets/{tickets['finished']}/follow_up"
    child = ok(town.product.client.post(url, json=follow, headers=town.board()))
    (linked,) = read(town, f"tickets/{tickets['finished']}/proof")["children"]
    parent = read(town, f"tickets/{child['ticket_id']}/proof")["parent"]
    assert (linked["ticket_no"], parent["kind"]) == (child["ticket_no"], "warranty_callback")
    stranger = product.company()
    url = f"/dispatcher/v1/tickets/{tickets['finished']}/proof"
    refused(product.client.get(url, headers=stranger.board()), 404, "ticket_unknown")
    refused(product.client.get("/dispatcher/v1/prices", headers=town.board()), 403, "forbidden")
    monkeypatch.setattr(proof, "_USED", proof._USED.replace("in ('ticket', 'returned')", "= 'ticket'"))
    assert len(read(town, f"tickets/{tickets['finished']}/proof")["parts"]) == 2


def in_pages(town: Town, path: str, key: str, name: str | None = None) -> list[list[Any]]:
    """A list of the board read to its end, page by page."""
    pages, page = [], ""
    while True:
        found = read(town, f"{path}{page}")
        pages.append([one[key] for one in found[name or path]])
        if found["next_page"] is None:
            return pages
        page = f"?page={found['next_page']}"


def test_long_lists_go_on_with_their_next_page(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_lists, "PAGE", 2)
    client, ada = town.product.client, town.board("Ada")
    line = {"name": {"zh": "价", "en": "Price"}, "unit_price_minor": 1}
    for code, kind in (("a", "part"), ("b", "labour"), ("c", "call_out"), ("d", "part"), ("e", "other")):
        client.put(f"/dispatcher/v1/prices/{code}", json={**line, "kind": kind}, headers=ada)
    assert in_pages(town, "prices", "code") == [["c", "b"], ["e", "a"], ["d"]]
    for kind in ("engineer", "helper"):
        client.put(f"/dispatcher/v1/rates/survey/{kind}", json={"fixed_minor": 1}, headers=ada)
    for day in (3, 1):
        span = {"valid_from": f"2031-01-{day:02}T00:00:00Z", "valid_until": f"2031-01-{day + 1:02}T00:00:00Z"}
        rate = {"work_type": "survey", "payee_kind": "engineer", "fixed_minor": day, **span}
        client.put(f"/dispatcher/v1/dated_rates/{new_id()}", json=rate, headers=ada)
    assert in_pages(town, "rates", "fixed_minor") == [[1, 1], [3, 1]]
    codes = [code for page in in_pages(town, "checklists", "code") for code in page]
    assert len(codes) > 2
    assert codes == sorted(set(codes))
    for work_type in ("survey", "leak", None):
        policy = {"mode": "manual", "work_type": work_type}
        client.put(f"/dispatcher/v1/match_policies/{new_id()}", json=policy, headers=ada)
    monkeypatch.setattr(policies, "PAGE", 2)
    assert in_pages(town, "match_policies", "work_type", "policies") == [["leak", "survey"], [None]]
    for name in ("Ana", "Ben", "Eve"):
        targets = {"targets": [{"channel": "mail", "address": f"{name}@example.org"}]}
        url = f"/dispatcher/v1/people/engineer/{town.made.engineers[name]}/targets"
        assert client.put(url, json=targets, headers=ada).status_code == 204
    monkeypatch.setattr(telling, "TARGETS_PAGE", 2)
    people = in_pages(town, "tell_settings", "person_id", "targets")
    assert [len(page) for page in people] == [2, 1]
    assert {one for page in people for one in page} == {
        str(town.made.engineers[name]) for name in ("Ana", "Ben", "Eve")
    }
    town.create(new_ticket("survey"))  # the contracts' customer
    for number in ("C-3", "C-1", "C-2"):
        contract = {"customer_phone": "13900001234", "number": number, "starts_at": "2026-01-01T00:00:00Z"}
        ok(client.put(f"/dispatcher/v1/contracts/{new_id()}", json=contract, headers=ada))
    monkeypatch.setattr(promise_settings, "CONTRACTS_PAGE", 2)
    found = in_pages(town, "promise_settings", "number", "contracts")
    assert found == [["C-1", "C-2"], ["C-3"]]
    refused(client.get("/dispatcher/v1/rates?page=%27", headers=ada), 422, "request_invalid")


def test_lists_are_read_as_they_were_written_and_the_ledger_page_by_page(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.create(new_ticket("survey"))  # the contract's customer
    give_lists(town)
    money = read(town, "prices")
    assert (money["currency"], [line["code"] for line in money["prices"]]) == ("CNY", ["visit"])
    rates = read(town, "rates")
    assert (rates["currency"], [line["share_bp"] for line in rates["rates"]]) == ("CNY", [1_250])
    survey = next(one for one in read(town, "checklists")["checklists"] if one["code"] == "survey")
    assert survey["items"] == CHECKLIST
    assert [float(part["in_vans"]) for part in read(town, "parts", "Dora")["parts"]] == [3.0]
    (depot,) = read(town, "depots")["depots"]
    for _ in range(2):
        load(town, depot["depot_id"], "Ben", line("valve", 1))
    monkeypatch.setattr(stock, "PAGE", 2)
    first = read(town, "part_movements?part=valve")
    rest = read(town, f"part_movements?part=valve&page={first['next_page']}")
    moved = [(one["from_kind"], one["to_name"]["en"]) for one in first["movements"] + rest["movements"]]
    assert moved == [("depot", "Ben"), ("depot", "Ben"), ("depot", "Ana"), ("supplier", "Main depot")]
    assert rest["next_page"] is None
