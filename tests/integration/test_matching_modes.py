"""How tickets find engineers, by policy: several at once, a pool in rings, names collected, a contractor, by hand."""

from datetime import timedelta
from typing import Any

import pytest

from dispatch.actions.tenants import add_contractor
from dispatch.store.ids import new_id
from tests.builders import add_engineer, new_ticket
from tests.house import Product, Town, ok, refused


@pytest.fixture
def town(product: Product) -> Town:
    return product.company()


def policy(town: Town, mode: str, work_type: str | None = "ac_repair", **more: Any) -> None:
    body = {"mode": mode, "work_type": work_type, **more}
    url = f"/dispatcher/v1/match_policies/{new_id()}"
    done = town.product.client.put(url, json=body, headers=town.board("Ada"))
    assert done.status_code == 204, done.text


def offered_to(town: Town, ticket_id: str) -> set[str]:
    return {o["engineer_name"] for o in town.view(ticket_id)["offers"] if o["status"] == "pending"}


def test_a_policy_of_work_type_replaces_its_mode_and_numbers(town: Town) -> None:
    policy(town, "direct", settings={"acknowledge_min": 3})
    ticket_id = town.create(new_ticket())["ticket_id"]
    town.settle()
    assert town.status(ticket_id) == "assigned"
    town.product.clock.move(minutes=4)
    town.settle()
    assert town.view(ticket_id)["ticket"]["attention"] == "not_acknowledged"


def test_several_are_asked_at_once_and_refusers_are_not_asked_again(town: Town) -> None:
    policy(town, "offer_many", "leak", settings={"offers_at_once": 2, "offer_rounds": 2})
    ticket_id = town.create(new_ticket("leak"))["ticket_id"]
    town.settle()
    assert offered_to(town, ticket_id) == {"Ana", "Ben"}
    for name in ("Ana", "Ben"):
        (offer,) = town.today(name)["offers"]
        ok(town.act(name, ticket_id, "decline_offer", offer_id=offer["offer_id"], reason="busy"))
    town.settle()
    assert offered_to(town, ticket_id) == {"Eve"}
    (offer,) = town.today("Eve")["offers"]
    ok(town.act("Eve", ticket_id, "accept_offer", offer_id=offer["offer_id"]))
    assert town.view(ticket_id)["ticket"]["engineer_name"] == "Eve"


def test_the_pool_widens_ring_by_ring(town: Town) -> None:
    policy(town, "pool", settings={"ring_m": 1000, "ring_min": 5, "pool_min": 60})
    ticket_id = town.create(new_ticket())["ticket_id"]
    town.settle()
    assert (town.today("Ana")["pool_count"], town.today("Ben")["pool_count"]) == (1, 0)
    facts = refused(town.act("Ben", ticket_id, "grab"), 409, "not_in_ring")
    assert facts["ring_m"] == 1000 < facts["distance_m"]
    town.product.clock.move(minutes=5, seconds=1)
    town.settle()
    assert town.today("Ben")["pool_count"] == 1
    ok(town.act("Ben", ticket_id, "grab"))


def test_names_are_collected_and_the_best_of_them_gets_it(town: Town) -> None:
    policy(town, "pool", settings={"collect_s": 120, "ring_m": 9000, "pool_min": 60})
    ticket_id = town.create(new_ticket())["ticket_id"]
    town.settle()
    for name in ("Ben", "Ben", "Ana"):
        assert ok(town.act(name, ticket_id, "grab"))["result"]["status"] == "open"
    refused(town.act("Eve", ticket_id, "grab"), 409, "not_eligible")
    (card,) = ok(town.product.client.get("/engineer/v1/pool", headers=town.phone("Ben")))["tickets"]
    assert card["name_down"]
    assert card["collect_until"] > town.product.clock.now().isoformat()
    names = [line["actor_name"] for line in town.view(ticket_id)["history"] if line["action"] == "bid"]
    assert sorted(names) == ["Ana", "Ben"]
    town.product.clock.move(seconds=121)
    town.settle()
    ticket = town.view(ticket_id)["ticket"]
    assert (ticket["status"], ticket["engineer_name"]) == ("assigned", "Ana")


def test_nobody_picks_all_the_cherries(town: Town) -> None:
    policy(town, "pool", settings={"most_grabs": 1, "ring_m": 9000})
    first, second = (town.create(new_ticket())["ticket_id"] for _ in range(2))
    town.settle()
    ok(town.act("Ana", first, "grab"))
    ok(town.act("Ana", first, "hand_back", reason="overloaded"))
    assert refused(town.act("Ana", second, "grab"), 409, "grabs_used_up") == {"grabs": 1, "most": 1}
    ok(town.act("Ben", second, "grab"))


def test_before_the_promise_is_at_risk_the_pool_gives_way_to_assignment(town: Town) -> None:
    policy(town, "pool", settings={"risk_min": 60, "pool_min": 600, "ring_m": 9000})
    now = town.product.clock.now()
    window = {"window_from": now.isoformat(), "window_to": (now + timedelta(minutes=90)).isoformat()}
    ticket_id = town.create(new_ticket(**window))["ticket_id"]
    town.settle()
    town.product.clock.move(minutes=29)
    town.settle()
    assert town.status(ticket_id) == "open"
    town.product.clock.move(minutes=2)
    town.settle()
    ticket = town.view(ticket_id)["ticket"]
    assert (ticket["status"], ticket["engineer_name"]) == ("assigned", "Ana")


def test_a_contractor_is_asked_and_their_quota_is_a_rule(town: Town) -> None:
    made = town.made
    with made.house.database.transaction(made.tenant_id) as db:
        contractor = add_contractor(db, made.tenant_id, {"zh": "服务商", "en": "Contractor"})
        lent = add_engineer(made, db, "Lee", {"hvac": 2}, 100, made.house.now())
    town.product.rows(
        "update engineers set contractor_id = %(c)s where id = %(e)s returning id", c=contractor, e=lent
    )
    town.product.rows("update contractors set daily_quota = 1 where id = %(c)s returning id", c=contractor)
    policy(town, "contractor", contractor_id=str(contractor))
    first, second = (town.create(new_ticket())["ticket_id"] for _ in range(2))
    town.settle()
    (offer,) = town.view(first)["offers"]
    assert offer["contractor_id"] == str(contractor)
    ok(town.direct(first, "accept_offer", acting_for=str(contractor), engineer_id=str(lent)))
    path = f"/dispatcher/v1/tickets/{second}/candidates/{lent}"
    line = ok(town.product.client.get(path, headers=town.board()))["candidate"]
    assert line["refusals"] == [{"rule": "contractor_quota", "visits": 1, "quota": 1}]


def test_by_hand_every_broken_rule_is_shown_and_confirmed_with_a_reason(town: Town) -> None:
    policy(town, "manual")
    ticket_id = town.create(new_ticket())["ticket_id"]
    town.settle()
    assert town.view(ticket_id)["ticket"]["attention"] == "manual"
    eve = str(town.made.engineers["Eve"])
    facts = refused(town.direct(ticket_id, "assign", engineer_id=eve), 422, "action_not_ready")
    assert facts["broken_rules"] == [{"rule": "skill", "skill": "hvac", "needs": 2, "has": 0}]
    confirmed = {"confirm_broken_rules": True, "reason": "only_one_near"}
    ok(town.direct(ticket_id, "assign", engineer_id=eve, **confirmed))
    assert town.view(ticket_id)["history"][0]["facts"]["broken_rules"] == ["skill"]


def test_policies_that_make_no_sense_are_refused(town: Town) -> None:
    client, ada = town.product.client, town.board("Ada")

    def put(body: dict[str, Any]) -> Any:
        return client.put(f"/dispatcher/v1/match_policies/{new_id()}", json=body, headers=ada)

    refused(put({"mode": "contractor"}), 422, "contractor_missing")
    refused(put({"mode": "offer", "settings": {"link_days": 3}}), 422, "tenant_setting_invalid")
    refused(put({"mode": "offer", "settings": {"ring_m": 1}}), 422, "tenant_setting_invalid")
    refused(put({"mode": "offer", "work_type": "no_such"}), 404, "work_type_unknown")
    assert put({"mode": "offer", "work_type": "leak"}).status_code == 204
    refused(put({"mode": "pool", "work_type": "leak"}), 409, "policy_exists")
    (line,) = ok(client.get("/dispatcher/v1/match_policies", headers=ada))["policies"]
    path = f"/dispatcher/v1/match_policies/{line['policy_id']}"
    assert client.delete(path, headers=town.board()).status_code == 403
    assert client.delete(path, headers=ada).status_code == 204
    refused(client.delete(path, headers=ada), 404, "policy_unknown")
