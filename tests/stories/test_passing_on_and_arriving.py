"""Work passed on between colleagues, arriving away from the site, a photo still on the phone, a silent engineer: each
through HTTP."""

import hashlib

import pytest

from tests.builders import SITE, new_ticket, picture
from tests.house import Product, Town, ok, refused


@pytest.fixture
def town(product: Product) -> Town:
    return product.company()


def given_to(town: Town, name: str) -> str:
    """A ticket in this engineer's hands."""
    ticket_id: str = town.create(new_ticket("survey"))["ticket_id"]
    ok(town.direct(ticket_id, "assign", engineer_id=str(town.made.engineers[name])))
    town.settle()
    return ticket_id


def test_a_visit_is_handed_over_once_the_colleague_says_yes(town: Town) -> None:
    ticket_id = given_to(town, "Ana")
    ben, eve = (str(town.made.engineers[name]) for name in ("Ben", "Eve"))
    ok(town.act("Ana", ticket_id, "hand_over", colleague_id=eve))
    (offer,) = town.today("Eve")["offers"]
    assert offer["kind"] == "hand_over"
    ok(town.act("Eve", ticket_id, "decline_offer", offer_id=offer["offer_id"], reason="busy"))
    assert town.view(ticket_id)["ticket"]["engineer_name"] == "Ana"
    ok(town.act("Ana", ticket_id, "hand_over", colleague_id=ben))
    assert town.view(ticket_id)["ticket"]["engineer_name"] == "Ana"
    (offer,) = town.today("Ben")["offers"]
    ok(town.act("Ben", ticket_id, "accept_hand_over", offer_id=offer["offer_id"]))
    assert town.view(ticket_id)["ticket"]["engineer_name"] == "Ben"
    assert town.today("Ana")["tickets"] == []
    refused(town.act("Ana", ticket_id, "set_off"), 404, "ticket_unknown")


def test_who_arrives_elsewhere_says_why_and_is_flagged(town: Town) -> None:
    ticket_id = given_to(town, "Ana")
    away = {**town.at_site(), "lon": SITE.lon + 0.02}
    photo = [town.photo("Ana", ticket_id, "check_in")]
    facts = refused(
        town.act("Ana", ticket_id, "check_in", position=away, photo_ids=photo), 422, "action_not_ready"
    )
    assert facts["missing"] == ["at_site_or_reason"]
    ok(town.act("Ana", ticket_id, "check_in", position=away, photo_ids=photo, reason="large_site"))
    town.settle()
    (shown,) = [e for e in town.view(ticket_id)["evidence"] if e["photo"]["kind"] == "check_in"]
    assert "override" in shown["flags"]
    assert shown["distance_m"] > 1_000
    assert "not_at_site" in {doubt["code"] for doubt in shown["doubts"]}


def test_a_photo_still_on_the_phone_blocks_no_work_and_comes_later(town: Town) -> None:
    ticket_id = given_to(town, "Ana")
    body = picture(4711)
    late = [hashlib.sha256(body).hexdigest()]
    ok(town.act("Ana", ticket_id, "check_in", position=town.at_site(), photo_pending=late))
    assert town.status(ticket_id) == "on_site"
    (waiting,) = [e for e in town.view(ticket_id)["evidence"] if e["photo"]["kind"] == "check_in"]
    assert (waiting["photo"]["pending"], "photo_pending" in waiting["flags"]) == (True, True)
    town.photo("Ana", ticket_id, "check_in", 4711)
    assert [e["photo"]["pending"] for e in town.view(ticket_id)["evidence"]] == [False]


def test_who_was_sent_and_says_nothing_is_told_to_the_dispatcher(town: Town) -> None:
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.product.clock.move(minutes=16)
    town.settle()
    assert town.view(ticket_id)["ticket"]["attention"] == "not_acknowledged"
    ok(town.act(name, ticket_id, "acknowledge"))
    assert town.view(ticket_id)["ticket"]["attention"] is None
