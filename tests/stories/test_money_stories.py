"""An approved discount stands in the quote; helpers earn; what is opened again is taken back, each through HTTP."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.house import Product, Town, ok, refused

LINE = {"kind": "labour", "text": "work", "quantity": "1.5", "unit_price_minor": 3_333}


def rates(town: Town, **of: tuple[int, int]) -> None:
    for kind, (fixed, share) in of.items():
        line, url = {"fixed_minor": fixed, "share_bp": share}, f"/dispatcher/v1/rates/ac_direct/{kind}"
        done = town.product.client.put(url, json=line, headers=town.board("Ada"))
        assert done.status_code == 204, done.text


def settlement(town: Town) -> list[dict[str, str]]:
    """The export's rows."""
    now = town.product.clock.now()
    span = {"since": (now - timedelta(days=1)).isoformat(), "before": (now + timedelta(days=1)).isoformat()}
    reply = town.product.client.get("/dispatcher/v1/settlement.csv", params=span, headers=town.board("Ada"))
    assert reply.status_code == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff"))))


def ana_with_ben(town: Town) -> dict[str, Any]:
    """A ticket on which Ana leads and Ben helps, both there."""
    made = town.create(new_ticket("survey"))
    ok(town.direct(made["ticket_id"], "amend", work_type="ac_direct"))
    engineers = town.made.engineers
    facts = {"engineer_id": str(engineers["Ana"]), "helper_ids": [str(engineers["Ben"])]}
    ok(town.direct(made["ticket_id"], "assign", **facts))
    town.arrive("Ana", made["ticket_id"])
    photo = {"photo_ids": [town.photo("Ben", made["ticket_id"], "check_in")], "position": town.at_site()}
    ok(town.act("Ben", made["ticket_id"], "check_in", **photo))
    return made


def test_an_approved_discount_is_a_line_of_the_quote_to_the_minor_unit(product: Product) -> None:
    town = product.company()
    made = ana_with_ben(town)
    ticket_id = made["ticket_id"]
    asked = ok(
        town.product.client.post(
            "/engineer/v1/requests",
            json={"command_id": str(new_id()), "kind": "discount", "ticket_id": ticket_id, "percent": 15},
            headers=town.phone("Ana"),
        )
    )
    ok(town.act("Ana", ticket_id, "quote", quote_lines=[LINE]))
    assert (
        town.view(ticket_id)["quote"]["total_minor"] == 5_000
    )  # 1.5 × 33.33, rounded half up; only asked yet
    answer = {"command_id": str(new_id()), "verdict": "approve"}
    path = f"/dispatcher/v1/requests/{asked['request_id']}/answer"
    ok(town.product.client.post(path, json=answer, headers=town.board()))
    (card,) = town.today("Ana")["tickets"]
    assert card["discount_percent"] == 15
    ok(town.act("Ana", ticket_id, "quote", quote_lines=[LINE]))
    link = {"Authorization": f"Bearer {made['customer_link'].rsplit('/', 1)[1]}"}
    shown = ok(town.product.client.get("/customer/v1/ticket", headers=link))
    assert shown["quote"]["total_minor"] == 5_000 - 750
    assert [(line["kind"], line["unit_price_minor"]) for line in shown["quote_lines"]] == [
        ("labour", 3_333),
        ("discount", -750),
    ]
    page = town.product.client.get(f"/c/{made['customer_link'].rsplit('/', 1)[1]}?lang=en").text
    assert "−15%" in page
    assert "−¥7.50" in page


def put_price(town: Town, code: str, unit_price_minor: int, **days: str) -> None:
    body = {
        "name": {"zh": "工时", "en": "Labour"},
        "kind": "labour",
        "unit_price_minor": unit_price_minor,
        **days,
    }
    url = f"/dispatcher/v1/prices/{code}"
    assert town.product.client.put(url, json=body, headers=town.board("Ada")).status_code == 204


def test_a_listed_price_is_the_lists_until_a_dispatcher_writes_another(product: Product) -> None:
    """Phones that name no line of the list are held to what they call it."""
    town = product.company()
    put_price(town, "hour", 8_000)
    ticket_id = ana_with_ben(town)["ticket_id"]

    def hour(unit_price_minor: int, **more: str) -> list[dict[str, Any]]:
        return [LINE | {"text": "Labour", "unit_price_minor": unit_price_minor} | more]

    facts = refused(town.act("Ana", ticket_id, "quote", quote_lines=hour(7_000)), 422, "price_differs")
    assert (facts["line"], facts["price"], facts["listed_minor"]) == (1, "hour", 8_000)
    refused(
        town.act("Ana", ticket_id, "quote", quote_lines=hour(7_000, text="Cheap", price="hour")),
        422,
        "price_differs",
    )
    refused(
        town.act("Ana", ticket_id, "quote", quote_lines=hour(8_000, price="gone")), 422, "price_not_listed"
    )
    assert town.view(ticket_id)["quote"] is None
    ok(town.act("Ana", ticket_id, "quote", quote_lines=[*hour(8_000), LINE]))
    proof = ok(product.client.get(f"/dispatcher/v1/tickets/{ticket_id}/proof", headers=town.board()))
    assert [one["price"] for one in proof["quotes"][0]["lines"]] == ["hour", None]

    ok(town.direct(ticket_id, "quote", quote_lines=hour(7_000), acting_for=str(town.made.engineers["Ana"])))
    assert town.view(ticket_id)["quote"]["total_minor"] == 10_500


def test_a_quote_that_waited_for_reception_keeps_the_price_of_its_hour_for_a_day(product: Product) -> None:
    town = product.company()
    ticket_id = ana_with_ben(town)["ticket_id"]
    now = town.product.clock.now()
    change = (now + timedelta(hours=1)).isoformat()
    put_price(town, "hour", 8_000, valid_until=change)
    put_price(town, "hour_new", 9_000, valid_from=change)
    town.product.clock.move(hours=2)

    def quote(unit_price_minor: int, at: datetime) -> Any:
        lines = [LINE | {"text": "Labour", "unit_price_minor": unit_price_minor}]
        tap = {"command_id": str(new_id()), "ticket_id": ticket_id, "action": "quote", "at": at.isoformat()}
        body = {**tap, "facts": {"quote_lines": lines}}
        return product.client.post("/engineer/v1/actions", json=body, headers=town.phone("Ana"))

    refused(quote(8_000, now + timedelta(hours=2)), 422, "price_differs")
    ok(quote(9_000, now + timedelta(hours=2)))
    ok(quote(8_000, now))
    town.product.clock.move(days=1)
    refused(quote(8_000, now), 422, "price_differs")


def test_helpers_earn_and_what_is_opened_again_is_taken_back_by_counter_lines(product: Product) -> None:
    town = product.company()
    rates(town, engineer=(5_000, 0), helper=(2_000, 0))
    made = ana_with_ben(town)
    ticket_id, link = made["ticket_id"], made["customer_link"]
    town.complete("Ana", ticket_id)
    ok(town.answer(link, "sign_off"))
    earned = {(r["payee"], r["payee_kind"]): int(r["amount_minor"]) for r in settlement(town)}
    assert earned == {("Ana", "engineer"): 5_000, ("Ben", "helper"): 2_000}
    ok(town.answer(link, "reopen", reason="fault_returned"))
    rows = settlement(town)
    first = {r["line"]: int(r["amount_minor"]) for r in rows if not r["reverses"]}
    assert {r["reverses"]: int(r["amount_minor"]) for r in rows if r["reverses"]} == {
        line: -amount for line, amount in first.items()
    }
    town.settle()
    ok(town.direct(ticket_id, "assign", engineer_id=str(town.made.engineers["Eve"]), **HAND))
    town.arrive("Eve", ticket_id)
    town.complete("Eve", ticket_id)
    ok(town.answer(link, "sign_off"))
    ok(town.answer(link, "reopen", reason="fault_returned"))
    rows = settlement(town)
    assert sum(int(r["amount_minor"]) for r in rows) == 0
    assert len(rows) == 6


HAND = {"confirm_broken_rules": True, "reason": "other"}
