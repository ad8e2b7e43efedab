"""The engineer's phone in a real browser against the real application: reception goes, the work does not."""

import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect
from playwright.sync_api import Error as BrowserError

from tests.browser.serving import served
from tests.builders import PASSWORD, SITE, new_ticket
from tests.house import Product, Town, ok

pytestmark = pytest.mark.usefixtures("pages")

PATIENCE_MS = 30_000
KEEPS_ITS_SHELL = """() => navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller ??
    new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }))
).then(() => true)"""
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def address(product: Product) -> Iterator[str]:
    """The application on a real port."""
    with served(product.app) as address:
        yield address


class Phone:
    """Ana's phone: 360 px wide, at the site, in English."""

    def __init__(self, browser: Browser, address: str, town: Town, **more: Any) -> None:
        self.address, self.town = address, town
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 360, "height": 740},
            locale="en-GB",
            has_touch=True,
            is_mobile=True,
            geolocation={"longitude": SITE.lon, "latitude": SITE.lat, "accuracy": 10},
            permissions=["geolocation"],
            **more,
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()

    def sign_in(self, name: str = "Ana") -> None:
        """Until the day's work is on the phone: what was never fetched cannot be worked on without reception."""
        self.page.goto(f"{self.address}/phone/")
        self.enter(name)

    def enter(self, name: str, then: str = ".day-head") -> None:
        self.page.fill("input[name=username]", self.town.made.signin_id(name))
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_selector(then)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/phone/#/{path}")

    def loses_reception(self) -> None:
        """Not before the shell is kept: from then on neither a sheet nor a reload needs the network."""
        self.page.evaluate(KEEPS_ITS_SHELL)
        self.context.set_offline(True)

    def main_button(self, name: str) -> None:
        self.page.locator(".bar .main", has_text=name).click()

    def photograph(self) -> None:
        shots = self.page.locator("dialog .shots figure img")
        before = shots.count()
        with self.page.expect_file_chooser() as chooser:
            self.page.click("dialog .shoot")
        chooser.value.set_files(FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=camera_picture()))
        expect(shots).to_have_count(before + 1)

    def check_in(self) -> None:
        self.main_button("Check in")
        self.photograph()
        self.page.click(".sheet-foot .main")
        self.page.wait_for_selector("dialog", state="detached")

    def complete(self) -> None:
        self.main_button("Complete")
        self.page.locator(".choice", has_text="Fixed").first.click()
        self.photograph()
        self.page.click(".sheet-foot .main")
        self.page.wait_for_selector("dialog", state="detached")

    def customer_signs(self) -> None:
        self.main_button("Customer signs")
        self.page.wait_for_selector("canvas")
        box = self.page.locator("canvas").bounding_box()
        assert box
        self.page.mouse.move(box["x"] + 30, box["y"] + 60)
        self.page.mouse.down()
        for step in range(30):
            self.page.mouse.move(box["x"] + 30 + 6 * step, box["y"] + 60 + 30 * (step % 2))
        self.page.mouse.up()
        self.page.click(".sheet-foot .main")
        self.page.wait_for_selector("dialog", state="detached")


def camera_picture() -> bytes:
    """A 12 MP picture, another one each time."""
    small = Image.frombytes("RGB", (40, 30), secrets.token_bytes(40 * 30 * 3))
    kept = io.BytesIO()
    small.resize((4000, 3000)).save(kept, "JPEG", quality=80)
    return kept.getvalue()


def given_ana_has_a_ticket(town: Town) -> str:
    ticket_id = str(town.create(new_ticket("survey"))["ticket_id"])
    ok(town.direct(ticket_id, "assign", engineer_id=str(town.made.engineers["Ana"])))
    ok(town.act("Ana", ticket_id, "acknowledge"))
    return ticket_id


@pytest.fixture
def phone(browser: Browser, address: str, town: Town) -> Iterator[Phone]:
    made = Phone(browser, address, town)
    yield made
    made.context.close()


def actions_of(town: Town, ticket_id: str) -> list[str]:
    return [event["action"] for event in reversed(town.view(ticket_id)["history"])]


def test_a_whole_visit_without_reception_arrives_in_order_after_a_reload(phone: Phone) -> None:
    ticket_id = given_ana_has_a_ticket(phone.town)
    phone.sign_in()
    phone.loses_reception()

    phone.main_button("Set off")
    phone.check_in()
    phone.complete()
    phone.customer_signs()
    phone.page.reload()
    phone.open("queue")
    expect(phone.page.locator(".queue-row")).to_have_count(4)
    assert phone.town.status(ticket_id) == "assigned"

    phone.context.set_offline(False)
    expect(phone.page.locator(".empty")).to_contain_text("Everything has been sent")
    assert phone.town.status(ticket_id) == "closed"
    steps = [action for action in actions_of(phone.town, ticket_id) if action != "photo"]
    assert steps[-4:] == ["set_off", "check_in", "complete", "sign_off"]
    kinds = sorted(line["photo"]["kind"] for line in phone.town.view(ticket_id)["evidence"])
    assert kinds == ["check_in", "completion", "signature"]


def test_who_loses_reception_before_the_day_was_fetched_is_told_and_sees_it_once_it_is_back(
    phone: Phone,
) -> None:
    created = phone.town.create(new_ticket("survey"))
    phone.town.assign_by_hand(str(created["ticket_id"]), "Ana")
    cut = "**/engineer/v1/today"
    phone.page.route(cut, lambda route: route.abort())
    phone.page.goto(f"{phone.address}/phone/")
    phone.enter("Ana", ".empty")
    expect(phone.page.locator(".empty")).to_contain_text("Not loaded yet")
    phone.page.unroute(cut)
    expect(phone.page.locator(".hero")).to_contain_text(str(created["ticket_no"]))


def waits_for(page: Page, true: str) -> None:
    """Asked from outside: the page's own policy forbids it to evaluate strings while it waits."""
    for _ in range(PATIENCE_MS // 50):
        if page.evaluate(true):
            return
        page.wait_for_timeout(50)
    raise AssertionError(true)


def asked(town: Town) -> dict[str, dict[str, Any]]:
    """What Ana asked for by its kind, as the board reads it."""
    found = ok(town.product.client.get("/dispatcher/v1/requests", headers=town.board()))["requests"]
    return {one["kind"]: one["facts"] for one in found}


def test_overtime_leave_and_a_part_asked_for_without_reception_are_sent_when_it_is_back(phone: Phone) -> None:
    town, page = phone.town, phone.page
    valve = {"lines": [{"code": "valve", "name": {"zh": "阀", "en": "Valve"}, "unit": "pc"}]}
    ok(town.product.client.put("/dispatcher/v1/parts", json=valve, headers=town.board("Ada")))
    ticket_id = given_ana_has_a_ticket(town)
    phone.sign_in()
    waits_for(page, "localStorage.getItem('stock')?.includes('valve') ?? false")
    phone.loses_reception()

    def sends() -> None:
        page.click(".sheet-foot .main")
        page.wait_for_selector("dialog", state="detached")

    phone.open("requests")
    page.get_by_role("button", name="Overtime").click()
    page.locator("dialog .choice", has_text="90").click()
    sends()
    page.get_by_role("button", name="Leave").click()
    day = page.locator("dialog input").first.input_value()[:10]
    page.locator("dialog input").first.fill(f"{day}T09:30")
    sends()
    phone.open(f"ticket/{ticket_id}/more")
    page.locator("dialog .item", has_text="Ask for a part").click()
    page.select_option("dialog select", label="Valve")
    page.locator("dialog input").fill("2")
    sends()
    page.reload()
    phone.open("requests")
    unsent = page.locator(".request-row", has_text="Not sent yet")
    expect(unsent).to_have_count(3)
    assert asked(town) == {}

    phone.context.set_offline(False)
    expect(unsent).to_have_count(0)
    expect(page.locator(".request-row", has_text="Withdraw")).to_have_count(3)
    facts = asked(town)
    assert sorted(facts) == ["leave", "overtime", "part"]
    assert facts["overtime"]["minutes"] == 90
    assert (facts["part"]["part"], float(facts["part"]["quantity"])) == ("valve", 2)
    page.reload()
    expect(page.locator(".request-row")).to_have_count(3)


def test_a_long_list_of_requests_goes_on(phone: Phone) -> None:
    town = phone.town
    sql = """insert into requests (tenant_id, id, kind, engineer_id, status, facts, asked_at, answered_at)
      select %(tenant)s, gen_random_uuid(), 'overtime', %(ana)s, 'refused', '{"day": "2026-03-02", "minutes": 30}',
        now() - n * interval '1 hour', now() from generate_series(1, 53) n returning id"""
    town.product.rows(sql, town.made.tenant_id, ana=town.made.engineers["Ana"])
    phone.sign_in()
    phone.open("requests")
    lines = phone.page.locator(".request-row")
    expect(lines).to_have_count(50)
    phone.page.get_by_role("button", name="Show more").click()
    expect(lines).to_have_count(53)
    expect(phone.page.get_by_role("button", name="Show more")).to_have_count(0)


def test_without_the_kept_shell_a_reload_without_reception_shows_nothing(
    browser: Browser, address: str, town: Town
) -> None:
    given_ana_has_a_ticket(town)
    phone = Phone(browser, address, town, service_workers="block")
    phone.sign_in()
    phone.context.set_offline(True)
    with pytest.raises(BrowserError):
        phone.page.reload()
    phone.context.close()


def test_a_step_refused_after_the_fact_stays_in_sight_with_its_photo_until_dismissed(phone: Phone) -> None:
    ticket_id = given_ana_has_a_ticket(phone.town)
    phone.sign_in()
    phone.loses_reception()
    phone.main_button("Set off")
    phone.check_in()
    ok(phone.town.direct(ticket_id, "cancel", reason="by_customer"))

    phone.context.set_offline(False)
    phone.open("queue")
    refused = phone.page.locator(".refused")
    expect(refused).to_have_count(2)
    expect(refused.nth(1)).to_contain_text("Check in")
    expect(refused.nth(1).locator("img")).to_have_count(1)
    phone.page.reload()
    expect(refused).to_have_count(2)

    refused.nth(1).locator("button", has_text="Understood").click()
    expect(refused.nth(1)).to_contain_text("deletes its 1 photos")
    refused.nth(1).locator("button", has_text="Understood").click()
    expect(refused).to_have_count(1)


def test_a_sign_in_that_ended_keeps_the_queue_and_sends_it_after_the_next(phone: Phone) -> None:
    ticket_id = given_ana_has_a_ticket(phone.town)
    phone.sign_in()
    phone.loses_reception()
    phone.main_button("Set off")
    expect(phone.page.locator(".pill.unsent")).to_be_visible()
    phone.page.evaluate(
        """() => new Promise((resolve) => {
             const opening = indexedDB.open('paidan-phone')
             opening.onsuccess = () => {
               const kept = opening.result.transaction('kept', 'readwrite').objectStore('kept')
               const reading = kept.get('session')
               reading.onsuccess = () => {
                 const writing = kept.put({ ...reading.result, access_token: 'ended', refresh_token: 'ended' }, 'session')
                 writing.onsuccess = () => { opening.result.close(); resolve(true) }
               }
             }
           })"""
    )
    phone.page.reload()
    phone.context.set_offline(False)
    expect(phone.page.locator(".signin")).to_contain_text("1 actions are kept on this phone")
    assert phone.town.status(ticket_id) == "assigned"
    phone.enter("Ana")
    expect(phone.page.locator(".hero .pill").first).to_have_text("On the way")
    expect(phone.page.locator(".pill.unsent")).to_have_count(0)
    assert phone.town.status(ticket_id) == "en_route"


def test_an_offer_is_accepted_and_its_door_is_shown_only_then(phone: Phone) -> None:
    created = phone.town.create(new_ticket("ac_repair", door="3-201"))
    phone.town.settle()
    phone.sign_in()
    phone.open("offers")
    expect(phone.page.locator(".offer")).to_contain_text(str(created["ticket_no"]))
    expect(phone.page.locator(".offer")).not_to_contain_text("3-201")
    phone.page.locator(".offer .main").click()
    phone.open("today")
    expect(phone.page.locator(".hero")).to_contain_text("3-201")
    assert phone.town.status(str(created["ticket_id"])) == "assigned"


def test_the_folder_of_the_phone_is_small_enough_for_a_poor_line(pages: None) -> None:
    built = Path(__file__).parents[2] / "web" / "phone" / "dist"
    heaviest = max((built / "assets").glob("*.js"), key=lambda file: file.stat().st_size)
    assert heaviest.stat().st_size < 60_000, heaviest.name
