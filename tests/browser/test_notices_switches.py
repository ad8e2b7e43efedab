"""Switching notices on, in a real browser: the engineer's phone page and the customer's ticket.

Chromium without a screen has the permission (granted here as a person would), the service worker, the notification and
the page; it has no push service to subscribe with. `pushManager` is stood in for, and refuses a key that is none; the
rest, the product's included, is what it is in service.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dispatch.adapters.webpush import public_key
from tests.browser.serving import complaints_of, served
from tests.builders import PASSWORD, new_ticket
from tests.house import Product, Town
from tests.integration.test_push_subscription import VAPID, subscription

PATIENCE_MS = 30_000
#: The browser's own side of push, kept in the page's storage over reloads.
PUSH_SERVICE = """
(target) => {
  const mine = () => {
    const kept = localStorage.getItem('push-stand-in')
    return kept && { endpoint: JSON.parse(kept).endpoint, toJSON: () => JSON.parse(kept),
      unsubscribe: async () => { localStorage.removeItem('push-stand-in'); return true } }
  }
  PushManager.prototype.getSubscription = async () => mine()
  PushManager.prototype.subscribe = async (wanted) => {
    const key = wanted.applicationServerKey
    const bytes = typeof key === 'string'
      ? Uint8Array.from(atob(key.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)) : new Uint8Array(key)
    if (!wanted.userVisibleOnly || bytes.length !== 65 || bytes[0] !== 4) throw new DOMException('key', 'InvalidAccessError')
    if (Notification.permission !== 'granted') throw new DOMException('denied', 'NotAllowedError')
    localStorage.setItem('push-key', [...bytes].join())
    localStorage.setItem('push-stand-in', target)
    return mine()
  }
}
"""
SHOWN = """() => navigator.serviceWorker.ready.then((registration) => registration.getNotifications())
  .then((all) => all.map((one) => [one.title, one.body, one.data]))"""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def address(product: Product) -> Iterator[str]:
    """The application on a real port, with a key to send with."""
    rooms = product.app.state.rooms
    before, rooms.settings = rooms.settings, replace(rooms.settings, vapid_key=VAPID)
    with served(product.app) as address:
        yield address
    rooms.settings = before


def opened(
    browser: Browser, address: str, target: str, permitted: bool = True
) -> tuple[BrowserContext, Page]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    if permitted:
        context.grant_permissions(["notifications"], origin=address)
    context.add_init_script(f"({PUSH_SERVICE})({json.dumps(target)})")
    page = context.new_page()
    return context, page


def subscribed_with(page: Page) -> str:
    bytes_ = bytes(int(n) for n in page.evaluate("localStorage.getItem('push-key')").split(","))
    return base64.urlsafe_b64encode(bytes_).rstrip(b"=").decode()


def delivered(context: BrowserContext, page: Page, said: dict[str, Any]) -> list[list[str]]:
    """What the page's service worker shows of a push that reaches it as the browser hands it over.

    Chromium forgets one now and then while it starts or stops the worker; a push service would bring it again.
    """
    cdp = context.new_cdp_session(page)
    found: list[str] = []
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(r["registrationId"] for r in event["registrations"] if not r["isDeleted"]),
    )
    cdp.send("ServiceWorker.enable")
    for _ in range(600):
        if found:
            break
        page.wait_for_timeout(50)
    push = {"origin": page.evaluate("location.origin"), "data": json.dumps(said, ensure_ascii=False)}
    for _ in range(15):
        cdp.send("ServiceWorker.deliverPushMessage", {**push, "registrationId": found[-1]})
        if shown := notices(page):
            return shown
    return []


def notices(page: Page) -> list[list[str]]:
    for _ in range(40):
        if shown := page.evaluate(SHOWN):
            return [list(one) for one in shown]
        page.wait_for_timeout(50)
    return []


@pytest.mark.usefixtures("pages")
def test_an_engineer_switches_it_on_is_shown_what_comes_and_off_again(
    browser: Browser, address: str, town: Town
) -> None:
    target = subscription()
    context, page = opened(browser, address, target)
    page.goto(f"{address}/phone/")
    page.fill("input[name=username]", town.made.signin_id("Ana"))
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(".day-head")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.goto(f"{address}/phone/#/me")
    switch = page.locator(".item", has_text="Notif").locator("button")
    switch.click()
    kept = "select target, gone_at is null as told from push_targets where tenant_id = %(tenant)s"
    for _ in range(600):
        if rows := town.product.rows(kept, town.made.tenant_id):
            break
        page.wait_for_timeout(50)
    assert [(json.loads(row["target"]), row["told"]) for row in rows] == [(json.loads(target), True)]
    assert subscribed_with(page) == public_key(VAPID)
    said = {"title": "New offer", "text": "Please answer", "url": f"{address}/phone/#/offers", "key": "1"}
    assert delivered(context, page, said) == [["New offer", "Please answer", said["url"]]]
    switch.click()
    expect(switch).not_to_have_text("")
    for _ in range(600):
        if not town.product.rows(kept, town.made.tenant_id)[0]["told"]:
            break
        page.wait_for_timeout(50)
    assert not town.product.rows(kept, town.made.tenant_id)[0]["told"]
    assert page.evaluate("localStorage.getItem('push-stand-in')") is None
    context.close()


def test_a_customer_switches_it_on_for_one_ticket_and_off_again(
    browser: Browser, address: str, town: Town
) -> None:
    made = town.create(new_ticket("survey"))
    path = "/c/" + made["customer_link"].rsplit("/", 1)[1]
    target = subscription()
    context, page = opened(browser, address, target)
    complaints = complaints_of(page)
    page.goto(f"{address}{path}?lang=en")
    box = page.locator("[data-notices]")
    button, hint = box.locator("button"), box.locator(".hint")
    expect(button).to_have_text("Switch on")
    button.click()
    expect(hint).to_have_text("Switched on, for this ticket only.")
    kept = "select language, link_id from customer_devices where tenant_id = %(tenant)s"
    assert [row["language"] for row in town.product.rows(kept, town.made.tenant_id)] == ["en"]
    assert subscribed_with(page) == public_key(VAPID)
    assert page.evaluate("navigator.serviceWorker.ready.then((r) => r.scope)") == f"{address}{path}"
    page.reload()
    expect(button).to_have_text("Switch off")
    said = {"title": "On the way", "text": "The engineer is on the way.", "url": "https://elsewhere.example/"}
    assert delivered(context, page, said)[0][:2] == ["On the way", "The engineer is on the way."]
    button.click()
    expect(button).to_have_text("Switch on")
    assert town.product.rows(kept, town.made.tenant_id) == []
    assert complaints == []
    context.close()


def test_who_does_not_permit_it_is_told_so_and_nothing_is_kept(
    browser: Browser, address: str, town: Town
) -> None:
    path = "/c/" + town.create(new_ticket("survey"))["customer_link"].rsplit("/", 1)[1]
    context, page = opened(browser, address, subscription(), permitted=False)
    page.goto(f"{address}{path}?lang=en")
    box = page.locator("[data-notices]")
    expect(box.locator(".hint")).not_to_have_text("")
    if box.locator("button").is_visible():
        box.locator("button").click()
        expect(box.locator(".hint")).to_have_text(
            "That did not work. Please try again later; some browsers cannot do it."
        )
    else:
        expect(box.locator(".hint")).to_contain_text("does not allow notices")
    kept = "select count(*)::int as n from customer_devices where tenant_id = %(tenant)s"
    assert town.product.rows(kept, town.made.tenant_id) == [{"n": 0}]
    context.close()
