"""Ten days in a ticket's life, each through HTTP, with a real worker and a real relay between."""

from collections.abc import Iterator
from typing import Any

import pytest

from dispatch.actions.audit import verify
from tests.background import Background
from tests.builders import SITE, add_engineer, new_ticket
from tests.databases import Database
from tests.house import Product, Town, ok, refused


@pytest.fixture(scope="module")
def lived(
    database: Database, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """The product with its worker and relay running as processes."""
    product.background = Background(database, product.settings, tmp_path_factory.mktemp("background"))
    yield product
    product.background.stop()
    product.background = None


@pytest.fixture
def town(lived: Product) -> Town:
    return lived.company()


def test_happy_path_an_offer_is_accepted_and_the_customer_signs_off(town: Town) -> None:
    made = town.create(new_ticket())
    ticket_id = made["ticket_id"]
    town.settle()
    (offer,) = town.today("Ana")["offers"]
    ok(town.act("Ana", ticket_id, "accept_offer", offer_id=offer["offer_id"]))
    town.arrive("Ana", ticket_id)
    town.complete("Ana", ticket_id)
    town.settle()
    done = ok(town.answer(made["customer_link"], "sign_off", rating=5, text="谢谢"))
    assert done["ticket"]["status"] == "closed"
    view = town.view(ticket_id)
    assert [line["action"] for line in view["history"] if line["subject_type"] == "ticket"][::-1] == [
        "create", "offer", "accept_offer", "set_off", "check_in", "complete", "sign_off",
    ]  # fmt: skip
    assert view["acceptances"][0]["rating"] == 5


def test_a_pool_ticket_is_grabbed_and_no_longer_in_the_pool(town: Town) -> None:
    ticket_id = town.create(new_ticket("leak"))["ticket_id"]
    town.settle()
    assert town.today("Eve")["pool_count"] == 1
    ok(town.act("Eve", ticket_id, "grab"))
    refused(town.act("Ben", ticket_id, "grab"), 409, "action_not_allowed")
    assert town.today("Ben")["pool_count"] == 0
    assert town.view(ticket_id)["ticket"]["engineer_name"] == "Eve"


def test_offers_run_out_and_the_dispatcher_is_called(town: Town) -> None:
    ticket_id = town.create(new_ticket())["ticket_id"]
    town.settle()
    (offer,) = town.today("Ana")["offers"]
    ok(town.act("Ana", ticket_id, "decline_offer", offer_id=offer["offer_id"], reason="too_far"))
    town.settle()
    assert town.today("Ana")["offers"] == []
    (offer,) = town.today("Ben")["offers"]
    town.product.clock.move(seconds=200)
    town.settle()
    ticket = town.view(ticket_id)["ticket"]
    assert (ticket["status"], ticket["attention"]) == ("open", "offers_ran_out")
    refused(town.act("Ben", ticket_id, "accept_offer", offer_id=offer["offer_id"]), 409, "action_not_allowed")
    town.assign_by_hand(ticket_id, "Ben", reason="agreed_by_phone")


def test_the_customer_rejects_and_the_same_engineer_comes_again(town: Town) -> None:
    made = town.create(new_ticket("ac_direct"))
    ticket_id = made["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    ok(town.act(name, ticket_id, "acknowledge"))
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    ok(town.answer(made["customer_link"], "reject", reason="not_fixed", text="still warm"))
    (card,) = town.today(name)["tickets"]
    assert (card["status"], card["visit_number"]) == ("assigned", 2)
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    ok(town.answer(made["customer_link"], "sign_off"))
    assert town.status(ticket_id) == "closed"


def test_a_hold_for_parts_keeps_the_engineer_and_ends_by_itself(town: Town) -> None:
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(name, ticket_id)
    ok(town.act(name, ticket_id, "hold", reason="parts", keep_engineer=True, text="compressor"))
    assert town.status(ticket_id) == "on_hold"
    assert town.today(name)["tickets"][0]["status"] == "on_hold"
    town.product.clock.move(days=3, minutes=1)
    town.settle()
    ticket = town.view(ticket_id)["ticket"]
    assert (ticket["status"], ticket["engineer_name"]) == ("assigned", name)


def test_an_urgent_ticket_takes_the_engineer_off_another(town: Town) -> None:
    first = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(first)["ticket"]["engineer_name"]
    ok(town.act(name, first, "set_off"))
    urgent = town.create(new_ticket("survey", priority="urgent"))["ticket_id"]
    town.settle()
    town.assign_by_hand(urgent, name, reason="emergency")
    refused(town.act(name, urgent, "set_off"), 409, "engineer_under_way")
    other = "Ben" if name == "Ana" else "Ana"
    ok(town.direct(first, "assign", engineer_id=str(town.made.engineers[other])))
    ok(town.act(name, urgent, "set_off"))
    refused(town.act(name, first, "check_in"), 404, "ticket_unknown")
    ok(town.act(other, first, "set_off"))


def test_a_wrong_address_is_amended_and_the_ticket_finds_its_engineer(town: Town) -> None:
    ticket_id = town.create(new_ticket(site=None))["ticket_id"]
    town.settle()
    assert town.view(ticket_id)["ticket"]["attention"] == "needs_position"
    ok(town.direct(ticket_id, "amend", site={"lon": SITE.lon, "lat": SITE.lat}, address="示例路 2 号"))
    town.settle()
    assert town.status(ticket_id) == "offered"
    assert town.today("Ana")["offers"][0]["address"] == "示例路 2 号"


def test_the_customer_is_absent_and_the_visit_ends_without_a_repair(town: Town) -> None:
    made = town.create(new_ticket("ac_direct"))
    ticket_id = made["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id, outcome="no_access")
    assert town.status(ticket_id) == "awaiting_acceptance"
    town.product.clock.move(days=3, minutes=1)
    town.settle()
    view = town.view(ticket_id)
    assert view["ticket"]["status"] == "closed"
    assert view["history"][0]["actor"] == "system"


def test_a_closed_ticket_is_opened_again_within_the_days_and_not_after(town: Town) -> None:
    made = town.create(new_ticket("ac_direct"))
    ticket_id, link = made["ticket_id"], made["customer_link"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    ok(town.answer(link, "sign_off"))
    ok(town.answer(link, "reopen", reason="fault_returned"))
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    ok(town.answer(link, "sign_off"))
    town.product.clock.move(days=8)
    facts = refused(town.answer(link, "reopen", reason="fault_returned"), 422, "action_not_ready")
    assert facts["missing"] == ["within_reopen_days"]


def worked_with(town: Town, who: str, ticket_id: str) -> dict[str, Any]:
    """Ana leads and `who` comes along, with steps of their own that do not move the ticket; the crew by name."""
    ok(town.act(who, ticket_id, "set_off"))
    assert town.status(ticket_id) == "assigned"
    town.arrive("Ana", ticket_id)
    photo = town.photo(who, ticket_id, "check_in")
    ok(town.act(who, ticket_id, "check_in", photo_ids=[photo], position=town.at_site()))
    refused(town.act(who, ticket_id, "hold", reason="parts"), 409, "not_the_lead")
    town.complete("Ana", ticket_id)
    return {one["name"]: one for one in town.view(ticket_id)["crew"]}


def test_a_trainee_comes_along_without_capacity_pay_or_a_say_and_has_times_of_their_own(town: Town) -> None:
    made, client = town.made, town.product.client
    with made.house.database.transaction(made.tenant_id) as db:
        trainee = add_engineer(made, db, "Tim", {"plumbing": 3}, 0, made.house.now())
    town.product.rows("update engineers set trainee = true where id = %(t)s returning id", t=trainee)
    for kind in ("engineer", "helper"):
        url = f"/dispatcher/v1/rates/survey/{kind}"
        assert client.put(url, json={"fixed_minor": 900}, headers=town.board("Ada")).status_code == 204
    made_ticket = town.create(new_ticket("survey"))
    ticket_id = made_ticket["ticket_id"]
    alone = {"engineer_id": str(trainee)}
    facts = refused(town.direct(ticket_id, "assign", **alone), 422, "action_not_ready")
    assert "trainee" in [one["rule"] for one in facts["broken_rules"]]
    ok(town.direct(ticket_id, "assign", engineer_id=str(made.engineers["Ana"]), helper_ids=[str(trainee)]))
    booked = "select planned_min from engineer_days where tenant_id = %(tenant)s and engineer_id = %(t)s"
    assert [row["planned_min"] for row in town.product.rows(booked, made.tenant_id, t=trainee)] in ([], [0])
    (card,) = town.today("Tim")["tickets"]
    assert card["role"] == "trainee"
    crew = worked_with(town, "Tim", ticket_id)
    assert crew["Tim"]["role"] == "trainee"
    assert None not in [crew["Tim"][at] for at in ("set_off_at", "checked_in_at", "left_at")]
    ok(town.answer(made_ticket["customer_link"], "sign_off"))
    paid = "select distinct payee_id from settlement_lines where tenant_id = %(tenant)s"
    assert [row["payee_id"] for row in town.product.rows(paid, made.tenant_id)] == [made.engineers["Ana"]]


def test_a_crew_of_two_only_the_lead_moves_the_ticket(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.settle()
    ana, ben = str(town.made.engineers["Ana"]), str(town.made.engineers["Ben"])
    ok(town.direct(ticket_id, "assign", engineer_id=ana, helper_ids=[ben]))
    assert town.today("Ben")["tickets"][0]["role"] == "helper"
    crew = worked_with(town, "Ben", ticket_id)
    assert crew["Ben"]["left_at"] is not None
    assert crew["Ana"]["role"] == "lead"


def test_a_crew_changes_while_its_lead_stays(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.settle()
    ana, ben, eve = (str(town.made.engineers[name]) for name in ("Ana", "Ben", "Eve"))
    ok(town.direct(ticket_id, "assign", engineer_id=ana, helper_ids=[ben]))
    refused(town.direct(ticket_id, "assign", engineer_id=ana, helper_ids=[ben]), 409, "already_assigned")
    refused(town.direct(ticket_id, "assign", engineer_id=ana), 409, "already_assigned")
    ok(town.direct(ticket_id, "assign", engineer_id=ana, helper_ids=[eve]))
    town.settle()
    crew = {c["name"]: c["role"] for c in town.view(ticket_id)["crew"]}
    assert crew == {"Ana": "lead", "Eve": "helper"}
    assert town.today("Ben")["tickets"] == []
    town.arrive("Ana", ticket_id)
    town.complete("Ana", ticket_id)
    assert verify(town.made.house.database, town.made.tenant_id).breaks == []
