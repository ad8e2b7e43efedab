"""When does he come? The customer switches notices on at the ticket's link and is told in the browser, until the
switch, the link or the person's data goes."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dispatch.actions import telling_people
from dispatch.actions.keeping import purge_old
from dispatch.actions.step import run_step
from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.webpush import WebPushChannel, padded, point
from dispatch.domain.commands import system
from dispatch.settings import Clock
from dispatch.store.tables.telling import CustomerDevice
from tests.builders import new_ticket
from tests.fakes import tell_services as fake
from tests.house import Town, ok, refused
from tests.integration.test_push_subscription import VAPID, subscription

SECRET = b"0123456789abcdef"
KEPT = "select count(*)::int as n from customer_devices where tenant_id = %(tenant)s"


@pytest.fixture
def browser(town: Town) -> Iterator[fake.Service]:
    """The push service of one browser, which refuses what is malformed; `extra` has the browser's key and secret."""
    key = ec.generate_private_key(ec.SECP256R1())
    product, rooms = town.product, town.product.app.state.rooms
    before = rooms.settings
    with fake.running(fake.webpush, key=key, secret=SECRET, point=point(key.public_key())) as service:
        outside = OutsideClient({"127.0.0.1"})
        channel = WebPushChannel(VAPID, "mailto:push@paidan.example", Clock.wall, outside)
        product.book = ChannelBook(product.clock.now, {"webpush": channel})
        rooms.settings = replace(before, vapid_key=VAPID)
        yield service
        rooms.settings, product.book = before, None


def kept_by(service: fake.Service, path: str = "/send/1") -> str:
    """The subscription as the browser made it. The service is on this machine, where the product lets nobody
    subscribe: it is written past the door."""
    keys = {"p256dh": padded(service.extra["point"]), "auth": padded(SECRET)}
    return json.dumps({"endpoint": f"{service.url}{path}", "keys": keys})


def put(town: Town, link: str, target: str, language: str = "zh", path: str = "") -> Any:
    headers = {"Authorization": f"Bearer {link.rsplit('/', 1)[1]}"}
    body = {"subscription": target} | ({} if path else {"language": language})
    send = town.product.client.post if path else town.product.client.put
    return send(f"/customer/v1/browser{path}", json=body, headers=headers)


def switch_on(town: Town, monkeypatch: pytest.MonkeyPatch, link: str, target: str, language: str) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("dispatch.actions.telling_customers.check_subscription", lambda _: None)
        assert put(town, link, target, language).status_code == 204


def titles(service: fake.Service) -> list[str]:
    return [said["title"] for said in service.accepted]


def told(town: Town) -> None:
    """What waits for more of its kind, too, is sent."""
    town.settle()
    town.product.clock.move(seconds=30)
    town.settle()


def move_window(town: Town, ticket_id: str) -> None:
    start = town.product.clock.now() + timedelta(hours=3)
    window = {"window_from": start.isoformat(), "window_to": (start + timedelta(hours=2)).isoformat()}
    ok(town.direct(ticket_id, "rebook", **window))
    told(town)


def test_the_customer_is_told_from_the_way_to_the_sign_off_of_this_ticket_alone(
    town: Town, browser: fake.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, other = town.create(new_ticket("survey")), town.create(new_ticket("survey"))
    ticket_id, link = made["ticket_id"], made["customer_link"]
    town.settle()
    switch_on(town, monkeypatch, link, kept_by(browser), "en")
    town.assign_by_hand(other["ticket_id"], "Ben")
    ok(town.act("Ben", other["ticket_id"], "set_off"))
    told(town)
    assert titles(browser) == []
    town.assign_by_hand(ticket_id, "Ana")
    told(town)
    move_window(town, ticket_id)
    ok(town.act("Ana", ticket_id, "set_off"))
    told(town)
    photo = town.photo("Ana", ticket_id, "check_in")
    ok(town.act("Ana", ticket_id, "check_in", photo_ids=[photo], position=town.at_site()))
    told(town)
    town.complete("Ana", ticket_id)
    town.settle()
    assert titles(browser) == [
        "Engineer assigned",
        "Change of plan",
        "On the way",
        "Arrived",
        "Please accept the work",
    ]
    assert browser.refusals == []
    assert {said["url"].rsplit("/c/", 1)[1] for said in browser.accepted} == {link.rsplit("/c/", 1)[1]}
    said = json.dumps(browser.accepted, ensure_ascii=False)
    assert not [word for word in ("Chen", "1390000", "3-201", "示例路") if word in said]
    ok(town.answer(link, "sign_off", rating=5))
    assert put(town, link, kept_by(browser), path="/gone").status_code == 204
    town.settle()
    assert titles(browser)[-1] == "Please accept the work"
    assert town.product.rows(KEPT, town.made.tenant_id) == [{"n": 0}]


def test_a_window_the_customer_moved_is_no_news_to_them(
    town: Town, browser: fake.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = town.create(new_ticket("survey"))
    switch_on(town, monkeypatch, made["customer_link"], kept_by(browser), "zh")
    start = town.product.clock.now() + timedelta(hours=3)
    window = {"window_from": start.isoformat(), "window_to": (start + timedelta(hours=2)).isoformat()}
    ok(town.answer(made["customer_link"], "rebook", **window))
    town.settle()
    town.product.clock.move(seconds=30)
    town.settle()
    assert "时间有变" not in titles(browser)


def reaches(town: Town, browser: fake.Service, ticket_id: str) -> bool:
    before = len(browser.accepted)
    town.assign_by_hand(ticket_id, "Ana")
    ok(town.act("Ana", ticket_id, "set_off"))
    town.settle()
    return len(browser.accepted) > before


END_LINK = "update customer_links set revoked_at = now() where ticket_id = %(ticket)s returning id"


def test_a_link_that_ended_tells_nobody_and_its_browsers_are_forgotten(
    town: Town, browser: fake.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = town.create(new_ticket("survey"))
    switch_on(town, monkeypatch, made["customer_link"], kept_by(browser), "zh")
    town.product.rows(END_LINK, ticket=made["ticket_id"])
    assert not reaches(town, browser, made["ticket_id"])
    assert run_step(town.product.house, system(town.made.tenant_id), purge_old)["customer_devices"] == 1
    assert town.product.rows(KEPT, town.made.tenant_id) == [{"n": 0}]


def test_without_a_look_at_the_link_it_would(
    town: Town, browser: fake.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage: the browser's row is enough."""

    def blind(step: Any, device_id: Any) -> str | None:
        row = step.db.get(CustomerDevice, {"tenant_id": step.tenant_id, "id": device_id})
        found: str | None = step.personal.decrypt(
            row.subscription_enc, step.tenant_id, device_id, "subscription"
        )
        return found

    monkeypatch.setattr(telling_people, "_of_customer", blind)
    made = town.create(new_ticket("survey"))
    switch_on(town, monkeypatch, made["customer_link"], kept_by(browser), "zh")
    town.product.rows(END_LINK, ticket=made["ticket_id"])
    assert reaches(town, browser, made["ticket_id"])


def test_a_browser_that_is_gone_is_forgotten_and_a_link_has_no_more_than_a_household_needs(
    town: Town, browser: fake.Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = town.create(new_ticket("survey"))
    link = made["customer_link"]
    switch_on(town, monkeypatch, link, kept_by(browser), "zh")
    browser.script = [(410, {})]
    assert not reaches(town, browser, made["ticket_id"])
    assert town.product.rows(KEPT, town.made.tenant_id) == [{"n": 0}]
    mine = subscription("https://push.example/0")
    for target in (mine, *(subscription(f"https://push.example/{n}") for n in range(1, 5)), mine):
        assert put(town, link, target).status_code == 204
    refused(put(town, link, subscription("https://push.example/9")), 409, "devices_too_many")
    refused(put(town, link, subscription("http://10.0.0.1/")), 422, "push_target_invalid")
    other = town.create(new_ticket("survey"))["customer_link"]
    assert put(town, other, mine, path="/gone").status_code == 204
    assert town.product.rows(KEPT, town.made.tenant_id) == [{"n": 5}]


def test_a_customers_browsers_are_handed_out_and_erased_with_their_data(town: Town) -> None:
    made = town.create(new_ticket("survey", contact_phone="13655550001"))
    target = subscription()
    assert put(town, made["customer_link"], target, "en").status_code == 204
    (row,) = town.product.rows("select subscription_enc from customer_devices where tenant_id = %(tenant)s",
                               town.made.tenant_id)  # fmt: skip
    assert b"push.example" not in bytes(row["subscription_enc"])
    ok(town.direct(made["ticket_id"], "cancel", "Ada", reason="no_longer_needed"))
    client, board = town.product.client, town.board("Ada")
    base = f"/dispatcher/v1/admin/tickets/{made['ticket_id']}"
    (shown,) = ok(client.get(f"{base}/customer", headers=board))["browsers"]
    assert (shown["subscription"], shown["language"]) == (target, "en")
    assert client.post(f"{base}/erase_customer", headers=board).status_code == 204
    assert town.product.rows(KEPT, town.made.tenant_id) == [{"n": 0}]


def test_the_page_offers_it_only_where_it_can_be_sent_and_its_worker_may_do_nothing_else(
    town: Town, browser: fake.Service
) -> None:
    path = "/c/" + town.create(new_ticket("survey"))["customer_link"].rsplit("/", 1)[1]
    client = town.product.client
    reply = client.get(path)
    assert 'data-notices="' in reply.text
    policy = reply.headers["content-security-policy"]
    assert "worker-src 'self'" in policy
    assert "'unsafe" not in policy
    worker = client.get("/c/notices.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    rooms = town.product.app.state.rooms
    rooms.settings = replace(rooms.settings, vapid_key="")
    assert 'data-notices="' not in client.get(path).text
