"""From checklist to settlement over HTTP: what is missing is named, what was used is booked, what was earned
is exported; each guarantee is broken once on purpose."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from dispatch.actions import service_code as codes
from dispatch.actions import visits
from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.depots import line, load, stocked_depot
from tests.house import Product, Town, ok, refused

LABEL = {"zh": "项", "en": "Item"}
CHECKLIST = [
    {"item": "leaks", "kind": "yes_no", "label": LABEL, "required": True},
    {
        "item": "bar", "kind": "number", "label": LABEL, "required": True, "unit": "bar", "least": 0, "most": 6,
        "show_when": {"item": "leaks", "is": [True]},
    },
    {"item": "plate", "kind": "photo", "label": LABEL, "required": True},
]  # fmt: skip
LINES = [{"kind": "labour", "text": "work", "quantity": "1", "unit_price_minor": 20_000}]


def put(town: Town, path: str, body: Any, who: str = "Ada") -> Any:
    return town.product.client.put(f"/dispatcher/v1/{path}", json=body, headers=town.board(who))


def on_site(town: Town, work_type: str = "ac_direct") -> tuple[str, str, str]:
    """(ticket id, engineer's name, customer's link) with the engineer at the door."""
    made = town.create(new_ticket(work_type))
    town.settle()
    name = town.view(made["ticket_id"])["ticket"]["engineer_name"]
    town.arrive(name, made["ticket_id"])
    return made["ticket_id"], name, made["customer_link"]


def test_a_checklist_names_what_is_missing_and_then_is_kept(town: Town) -> None:
    ok(put(town, "work_types/ac_direct/checklist", {"items": CHECKLIST}))
    ticket_id, name, _ = on_site(town)
    (card,) = town.today(name)["tickets"]
    assert [item["item"] for item in card["checklist"]] == ["leaks", "bar", "plate"]
    photo = town.photo(name, ticket_id, "completion")
    done = {"outcome": "fixed", "photo_ids": [photo]}
    facts = refused(town.act(name, ticket_id, "complete", **done), 422, "action_not_ready")
    assert facts["missing"] == ["checklist"]
    assert facts["checklist"] == [{"item": "leaks", "why": "missing"}, {"item": "plate", "why": "missing"}]
    answers = [
        {"item": "leaks", "value": True}, {"item": "bar", "value": 9}, {"item": "plate", "value": photo},
    ]  # fmt: skip
    facts = refused(town.act(name, ticket_id, "complete", **done, checklist=answers), 422, "action_not_ready")
    assert facts["checklist"] == [{"item": "bar", "why": "too_high"}]
    answers[1]["value"] = 2.5
    ok(town.act(name, ticket_id, "complete", **done, checklist=answers))
    (row,) = town.product.rows(
        "select checklist from completions where tenant_id = %(tenant)s", town.made.tenant_id
    )
    assert row["checklist"] == answers


def test_sabotage_without_the_judge_an_empty_checklist_passes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok(put(town, "work_types/ac_direct/checklist", {"items": CHECKLIST}))
    ticket_id, name, _ = on_site(town)
    monkeypatch.setattr(visits, "checklist_problems", lambda step, case: [])
    photo = town.photo(name, ticket_id, "completion")
    ok(town.act(name, ticket_id, "complete", outcome="fixed", photo_ids=[photo]))


def test_a_malformed_checklist_and_a_strangers_hand_are_refused(town: Town) -> None:
    bad = {"items": [{"item": "a", "kind": "song", "label": LABEL}]}
    facts = refused(put(town, "work_types/ac_direct/checklist", bad), 422, "checklist_invalid")
    assert facts == {"number": 0, "why": "kind"}
    refused(put(town, "work_types/nothing/checklist", {"items": []}), 404, "work_type_unknown")
    refused(put(town, "work_types/ac_direct/checklist", {"items": []}, "Dora"), 403, "forbidden")


def test_parts_leave_the_van_and_old_ones_come_back(town: Town) -> None:
    part = {"code": "valve", "name": LABEL, "unit": "pc", "returned": True}
    board = {**part, "code": "board", "serialised": True, "returned": False}
    ok(put(town, "parts", {"lines": [part, board]}))
    ticket_id, name, _ = on_site(town)
    load(town, stocked_depot(town, line("valve", 2)), name, line("valve", 2))
    stock = ok(town.product.client.get("/engineer/v1/stock", headers=town.phone(name)))
    assert {line["part"]: line["in_van"] for line in stock["parts"]} == {"valve": 2.0, "board": 0.0}
    photo = town.photo(name, ticket_id, "completion")
    done: dict[str, Any] = {"outcome": "fixed", "photo_ids": [photo]}
    unknown = [{"part": "unobtainium", "quantity": "1"}]
    refused(town.act(name, ticket_id, "complete", **done, parts_used=unknown), 422, "part_unknown")
    nameless = [{"part": "board", "quantity": "1"}]
    refused(town.act(name, ticket_id, "complete", **done, parts_used=nameless), 422, "serial_missing")
    used = [
        {"part": "valve", "quantity": "1", "old_returned": True},
        {"part": "board", "quantity": "1", "serial": "S1"},
    ]
    ok(town.act(name, ticket_id, "complete", **done, parts_used=used))
    event = next(line for line in town.view(ticket_id)["history"] if line["action"] == "complete")
    assert event["facts"]["parts_short"] == ["board"]
    booked = town.product.rows(
        "select part, from_kind, to_kind from part_movements where tenant_id = %(tenant)s order by id",
        town.made.tenant_id,
    )
    assert [(r["part"], r["from_kind"], r["to_kind"]) for r in booked] == [
        ("valve", "supplier", "depot"),
        ("valve", "depot", "van"),
        ("valve", "van", "ticket"),
        ("valve", "ticket", "returned"),
        ("board", "van", "ticket"),
    ]
    stock = ok(town.product.client.get("/engineer/v1/stock", headers=town.phone(name)))
    assert {line["part"]: line["in_van"] for line in stock["parts"]} == {"valve": 1.0, "board": -1.0}


def test_a_price_stands_in_its_days_alone_and_each_line_changes_by_itself(town: Town) -> None:
    now = town.product.clock.now()
    soon = (now + timedelta(hours=2)).isoformat()
    line = {"name": LABEL, "kind": "labour", "unit_price_minor": 8_000}
    assert put(town, "prices/labour", {**line, "valid_until": soon}).status_code == 204
    assert put(town, "prices/labour_new", {**line, "valid_from": soon}).status_code == 204
    assert put(town, "prices/visit", {**line, "kind": "call_out"}).status_code == 204
    backwards = {"valid_from": soon, "valid_until": now.isoformat()}
    refused(put(town, "prices/visit", {**line, **backwards}), 422, "days_backwards")
    refused(put(town, "prices/visit", {**line, "part": "song"}), 422, "part_unknown")

    def on_the_phone() -> list[str]:
        stock = ok(town.product.client.get("/engineer/v1/stock", headers=town.phone("Ana")))
        return sorted(one["code"] for one in stock["prices"])

    assert on_the_phone() == ["labour", "visit"]
    town.product.clock.move(hours=3)
    assert on_the_phone() == ["labour_new", "visit"]
    client, ada = town.product.client, town.board("Ada")
    listed = ok(client.get("/dispatcher/v1/prices", headers=ada))["prices"]
    assert {one["code"] for one in listed} == {"labour", "labour_new", "visit"}
    assert client.delete("/dispatcher/v1/prices/visit", headers=ada).status_code == 204
    refused(client.delete("/dispatcher/v1/prices/visit", headers=ada), 404, "price_unknown")
    assert put(town, "rates/survey/helper", {"fixed_minor": 5}).status_code == 204
    assert client.delete("/dispatcher/v1/rates/survey/helper", headers=ada).status_code == 204
    refused(client.delete("/dispatcher/v1/rates/survey/helper", headers=ada), 404, "rate_unknown")
    refused(put(town, "rates/nothing/helper", {"fixed_minor": 5}), 404, "work_type_unknown")
    assert on_the_phone() == ["labour_new"]


def test_paid_work_from_a_quote_signed_on_the_phone_to_the_settlement(town: Town) -> None:
    rate = {"fixed_minor": 5_000, "share_bp": 1_000}
    assert put(town, "rates/ac_direct/engineer", rate).status_code == 204
    ticket_id, name, link = on_site(town)
    ok(town.act(name, ticket_id, "quote", quote_lines=LINES))
    (card,) = town.today(name)["tickets"]
    assert {"approve_quote", "refuse_quote"} <= set(card["allowed_actions"])
    assert "pay" not in card["allowed_actions"]
    facts = refused(town.act(name, ticket_id, "approve_quote"), 422, "action_not_ready")
    assert facts["missing"] == ["signature"]
    signature = town.photo(name, ticket_id, "signature")
    ok(town.act(name, ticket_id, "approve_quote", photo_ids=[signature]))
    pay = {"method": "wechat", "amount_minor": 15_000, "reference": "=cmd()"}
    ok(town.act(name, ticket_id, "pay", **pay))
    facts = refused(town.act(name, ticket_id, "pay", **pay), 422, "payment_too_high")
    assert facts["owed_minor"] == 5_000
    town.complete(name, ticket_id)
    shown = ok(town.answer(link, "sign_off", rating=5))["ticket"]
    assert shown["paid_minor"] == 15_000
    ok(town.direct(ticket_id, "pay", method="transfer", amount_minor=5_000))
    now = town.product.clock.now()
    span = {"since": (now - timedelta(days=1)).isoformat(), "before": (now + timedelta(days=1)).isoformat()}
    reply = town.product.client.get("/dispatcher/v1/settlement.csv", params=span, headers=town.board("Ada"))
    assert reply.status_code == 200
    lines = list(csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff"))))
    assert sorted((line["reason"], line["amount_minor"], line["payee"]) for line in lines) == [
        ("fixed", "5000", name),
        ("share", "2000", name),
    ]


def test_nothing_is_paid_without_an_approved_quote_and_nothing_settled_for_rejected_work(town: Town) -> None:
    assert put(town, "rates/ac_direct/engineer", {"fixed_minor": 5_000}).status_code == 204
    ticket_id, name, link = on_site(town)
    facts = refused(town.act(name, ticket_id, "pay", method="cash", amount_minor=1), 422, "action_not_ready")
    assert "quote_approved" in facts["missing"]
    town.complete(name, ticket_id)
    ok(town.answer(link, "reject", reason="not_fixed"))
    town.settle()
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    ok(town.answer(link, "sign_off"))
    (count,) = town.product.rows(
        "select count(*)::int as n, sum(amount_minor)::int as s from settlement_lines "
        "where tenant_id = %(tenant)s",
        town.made.tenant_id,
    )
    assert count == {"n": 1, "s": 5_000}


def test_a_disputed_ticket_is_not_signed_off_by_default(town: Town) -> None:
    ticket_id, name, link = on_site(town)
    town.complete(name, ticket_id)
    ok(town.answer(link, "reject", reason="not_fixed"))
    town.product.clock.move(days=30)
    town.settle()
    assert town.status(ticket_id) == "assigned"


@pytest.fixture
def coded(product: Product) -> Town:
    return product.company({"service_code": 1})


def test_the_engineers_phone_closes_only_with_the_customers_code(coded: Town) -> None:
    ticket_id, name, link = on_site(coded)
    coded.complete(name, ticket_id)
    token = {"Authorization": f"Bearer {link.rsplit('/', 1)[1]}"}
    code = ok(coded.product.client.get("/customer/v1/ticket", headers=token))["service_code"]
    assert code in coded.product.client.get(f"/c/{link.rsplit('/', 1)[1]}").text
    signature = coded.photo(name, ticket_id, "signature")
    signed = {"photo_ids": [signature]}
    refused(coded.act(name, ticket_id, "sign_off", **signed), 422, "service_code_missing")
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(codes.MOST_TRIES):
        refused(coded.act(name, ticket_id, "sign_off", **signed, code=wrong), 422, "service_code_wrong")
    refused(coded.act(name, ticket_id, "sign_off", **signed, code=code), 409, "service_code_locked")
    coded.product.clock.move(minutes=61)
    ok(coded.act(name, ticket_id, "sign_off", **signed, code=code))
    assert coded.status(ticket_id) == "closed"


def test_the_customers_own_link_needs_no_code(coded: Town) -> None:
    ticket_id, name, link = on_site(coded)
    coded.complete(name, ticket_id)
    ok(coded.answer(link, "sign_off"))


def test_sabotage_without_the_lock_the_code_could_be_guessed(
    coded: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id, name, _ = on_site(coded)
    coded.complete(name, ticket_id)
    monkeypatch.setattr(codes, "MOST_TRIES", 10**6)
    signature = coded.photo(name, ticket_id, "signature")
    for _ in range(7):
        reply = coded.act(name, ticket_id, "sign_off", photo_ids=[signature], code="999999")
        assert reply.json().get("code") in ("service_code_wrong", None)


def test_the_customer_is_reminded_once_before_the_days_are_over(town: Town) -> None:
    ticket_id, name, _ = on_site(town)
    town.complete(name, ticket_id)
    town.settle()
    town.product.clock.move(days=2, minutes=1)
    town.settle()
    sql = "select template from messages_sent where tenant_id = %(tenant)s and template = 'closing_soon'"
    assert len(town.product.rows(sql, town.made.tenant_id)) == 1
    assert town.status(ticket_id) == "awaiting_acceptance"
    town.product.clock.move(days=1)
    town.settle()
    assert town.status(ticket_id) == "closed"
    assert len(town.product.rows(sql, town.made.tenant_id)) == 1


def test_two_machines_in_one_ticket_each_with_outcome_and_history(town: Town) -> None:
    ok(put(town, "work_types/ac_direct/checklist", {"items": CHECKLIST[:1]}))
    assets = []
    for serial in ("A1", "A2"):
        body = {"kind": "split_unit", "serial": serial, "name": LABEL}
        url = "/dispatcher/v1/assets"
        assets.append(ok(town.product.client.post(url, json=body, headers=town.board()))["asset_id"])
    again = town.product.client.post(
        "/dispatcher/v1/assets",
        json={"kind": "split_unit", "serial": "A1", "name": LABEL},
        headers=town.board(),
    )
    assert ok(again)["asset_id"] == assets[0]
    ticket_id, name, _ = on_site(town)
    ok(put(town, f"tickets/{ticket_id}/machines", {"asset_ids": assets}, "Dora"))
    (card,) = town.today(name)["tickets"]
    assert [machine["serial"] for machine in card["machines"]] == ["A1", "A2"]
    photo = town.photo(name, ticket_id, "completion")
    answer = [{"item": "leaks", "value": False}]
    one = [{"asset_id": assets[0], "outcome": "fixed", "checklist": answer}]
    facts = refused(
        town.act(name, ticket_id, "complete", outcome="fixed", photo_ids=[photo], machines=one),
        422,
        "action_not_ready",
    )
    assert facts["checklist"] == [{"item": assets[1], "why": "missing"}]
    both = [*one, {"asset_id": assets[1], "outcome": "not_fixed", "checklist": answer, "text": "compressor"}]
    ok(town.act(name, ticket_id, "complete", outcome="temporary", photo_ids=[photo], machines=both))
    history = ok(town.product.client.get(f"/dispatcher/v1/assets/{assets[1]}", headers=town.board()))
    assert [(t["ticket_id"], t["outcome"], t["text"]) for t in history["tickets"]] == [
        (ticket_id, "not_fixed", "compressor")
    ]


def test_a_property_manager_accepts_many_at_once_and_only_their_own(town: Town) -> None:
    mine, other = [], None
    for phone in ("13900001234", "13900001234", "13700009999"):
        made = town.create(new_ticket("ac_direct", contact_phone=phone))
        town.settle()
        name = town.view(made["ticket_id"])["ticket"]["engineer_name"]
        town.arrive(name, made["ticket_id"])
        town.complete(name, made["ticket_id"])
        if phone == "13700009999":
            other = made["ticket_id"]
        else:
            mine.append(made["ticket_id"])
    url = f"/dispatcher/v1/tickets/{mine[0]}/manager_link"
    link = ok(town.product.client.post(url, headers=town.board()))["url"]
    path = f"/m/{link.rsplit('/', 1)[1]}"
    client = town.product.client
    page = client.get(f"{path}?lang=en")
    assert page.status_code == 200
    assert page.text.count('name="ticket_id"') == 2
    form = {"command_id": str(new_id()), "ticket_id": [*mine, other], "action": "sign_off"}
    for _ in range(2):
        reply = client.post(path, data=form, files={"photos": ("", b"")}, follow_redirects=False)
        assert reply.status_code == 303, reply.text
        assert "done=2" in reply.headers["location"]
    assert [town.status(t) for t in mine] == ["closed", "closed"]
    assert town.status(str(other)) == "awaiting_acceptance"
    ok(client.post(url, headers=town.board()))
    assert client.get(path).status_code == 404


def test_a_warranty_callback_is_linked_and_its_ticket_was_not_fixed_the_first_time(town: Town) -> None:
    client, board = town.product.client, town.board()
    now = town.product.clock.now()
    span = {"since": (now - timedelta(days=1)).isoformat(), "before": (now + timedelta(days=1)).isoformat()}

    def share() -> dict[str, int]:
        return ok(client.get("/dispatcher/v1/first_time_fix", params=span, headers=board))

    closed = []
    for _ in range(2):
        ticket_id, name, link = on_site(town)
        town.complete(name, ticket_id)
        ok(town.answer(link, "sign_off"))
        closed.append(ticket_id)
    assert share() == {"closed": 2, "fixed_first_time": 2}
    body = {"command_id": str(new_id()), "kind": "warranty_callback", "description": "warm again"}
    url = f"/dispatcher/v1/tickets/{closed[0]}/follow_up"
    made = [ok(client.post(url, json=body, headers=board))["ticket_id"] for _ in range(2)]
    assert made[0] == made[1]
    (row,) = town.product.rows(
        "select parent_id::text, parent_kind, coverage from tickets where id = %(id)s", id=made[0]
    )
    assert row == {"parent_id": closed[0], "parent_kind": "warranty_callback", "coverage": "warranty"}
    assert share() == {"closed": 2, "fixed_first_time": 1}
    again = {"command_id": str(new_id()), "kind": "follow_up"}
    url = f"/dispatcher/v1/tickets/{made[0]}/follow_up"
    refused(client.post(url, json=again, headers=board), 409, "ticket_not_closed")
