"""One ticket through all three pages: asked for, assigned, repaired, signed off. Real processes, a real browser."""

import io
import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Locator, Page, expect

from tests.browser.legible import faint_texts
from tests.browser.words import TEXTS, untranslated
from tests.builders import PASSWORD, SITE, Company, company
from tests.databases import Database
from tests.running import Running

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.usefixtures("pages")]

PATIENCE_MS = 60_000
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
ADDRESS = {"zh": "示例路1号", "en": "1 Sample Road"}
#: What people typed or are called, in whatever language they like.
DATA = (
    "示例路1号",
    "1 Sample Road",
    "Not cooling",
    "示例",
    "Ana",
    "Ben",
    "Chen",
    "Dora",
    "Eve",
    "Chrome Linux",
)

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def running(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Api, worker and relay, with one address the finder is sure of."""
    state = tmp_path_factory.mktemp("three_pages")
    (state / "maps").mkdir()
    place = {**ADDRESS, "lon": SITE.lon, "lat": SITE.lat}
    (state / "maps" / "addresses.json").write_text(json.dumps([place]))
    with Running(database, state, apis=1) as made:
        yield made


class Pages:
    """The three people's screens on one running product, and what their consoles complained of."""

    def __init__(self, running: Running, made: Company, browser: Browser, language: str = "en") -> None:
        self.address = f"http://127.0.0.1:{running.port}"
        self.made, self.language = made, language
        self.complaints: list[str] = []
        self._browser = browser
        self.board = self._screen(DESK)
        self.phone = self._screen(
            PHONE,
            has_touch=True,
            is_mobile=True,
            geolocation={"longitude": SITE.lon, "latitude": SITE.lat, "accuracy": 10},
            permissions=["geolocation"],
        )
        self.customer = self._screen(PHONE)

    def _screen(self, size: dict[str, int], **more: Any) -> Page:
        context = self._browser.new_context(viewport=size, locale=LOCALES[self.language], **more)  # type: ignore[arg-type]  # a TypedDict
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(f"localStorage.setItem('paidan.language', '{self.language}')")
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not expected(message.text, message.location.get("url", "")):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def close(self) -> None:
        for page in (self.board, self.phone, self.customer):
            page.context.close()

    # the customer

    def ask(self) -> str:
        """A request by the form; the ticket's number."""
        page = self.customer
        page.goto(f"{self.address}/new/{self.made.slug}?lang={self.language}")
        page.locator("input[value=survey]").check()
        page.fill("[name=description]", "Not cooling")
        page.fill("[name=address]", ADDRESS["zh"])
        page.fill("[name=contact_name]", "Chen")
        page.fill("[name=contact_phone]", "13900001234")
        page.click("form[data-form=request] button.button")
        expect(page.locator(".note.ok")).to_be_visible()
        return page.locator(".hero .no").inner_text()

    def sign_off(self) -> None:
        page = self.customer
        page.goto(page.url.split("?")[0] + f"?lang={self.language}")
        page.locator(".stars label").nth(4).click()
        scribble(page, page.locator("[data-form=sign_off] canvas"))
        page.locator("[data-form=sign_off] .button").click()
        expect(page.locator(".note.ok")).to_be_visible()

    # the dispatcher

    def open_board(self) -> None:
        page = self.board
        page.goto(f"{self.address}/board/")
        page.fill("input[name=signin_id]", self.made.signin_id("Dora"))
        page.fill("input[name=password]", PASSWORD)
        page.click(".sign-in-card button.primary")
        expect(page.locator(".live")).to_have_attribute("data-live", "true")

    def open_ticket(self, ticket_no: str) -> None:
        self.board.locator(".tickets .row", has_text=ticket_no).click()
        expect(self.board.locator(".ticket-head .number")).to_have_text(ticket_no)

    def assign(self, name: str) -> None:
        self.board.click("#tab-candidates")
        self.board.locator(".candidate", has_text=name).locator("button").click()
        self.sees("assigned")

    def sees(self, status: str) -> None:
        """The board shows the status by itself: nothing is reloaded."""
        expect(self.board.locator(".ticket-head .pill")).to_have_attribute("data-status", status)

    # the engineer

    def open_phone(self, name: str = "Ana") -> None:
        page = self.phone
        page.goto(f"{self.address}/phone/")
        page.fill("input[name=username]", self.made.signin_id(name))
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".day-head")

    def tap(self, action: str, status: str) -> None:
        """A one-tap step; `status` is how the card shows it then."""
        self.phone.locator(".bar .main", has_text=action).click()
        expect(self.phone.locator(f".hero.s-{status}")).to_be_visible()
        expect(self.phone.locator(".bar .main", has_text=action)).to_have_count(0)

    def step_with_photo(self, action: str, choice: str | None = None) -> None:
        page = self.phone
        page.locator(".bar .main", has_text=action).click()
        if choice is not None:
            page.locator("dialog .choice", has_text=choice).first.click()
        shots = page.locator("dialog .shots figure img")
        with page.expect_file_chooser() as chooser:
            page.click("dialog .shoot")
        chooser.value.set_files(FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=camera_picture()))
        expect(shots).to_have_count(1)
        page.click(".sheet-foot .main")
        page.wait_for_selector("dialog", state="detached")


def expected(text: str, url: str) -> bool:
    """Chromium calls every refused load an error: nobody signed in yet, a company without a map."""
    return (url.endswith("/dispatcher/v1/me") and "401" in text) or ("/map/" in url and "404" in text)


def camera_picture() -> bytes:
    """A picture of a camera's shape, another one each time."""
    small = Image.frombytes("RGB", (40, 30), secrets.token_bytes(40 * 30 * 3))
    kept = io.BytesIO()
    small.resize((1600, 1200)).save(kept, "JPEG", quality=80)
    return kept.getvalue()


def scribble(page: Page, pad: Locator) -> None:
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 80)
    page.mouse.down()
    for n in range(12):
        page.mouse.move(box["x"] + 40 + 14 * n, box["y"] + 80 + (25 if n % 2 else -25))
    page.mouse.up()


@pytest.fixture
def people(running: Running, browser: Browser) -> Iterator[Pages]:
    made = Pages(running, company(running.house), browser)
    yield made
    made.close()


def test_one_ticket_goes_through_all_three_pages(people: Pages) -> None:
    people.open_board()
    ticket_no = people.ask()
    people.open_ticket(ticket_no)
    people.sees("open")
    people.assign("Ana")

    people.open_phone()
    expect(people.phone.locator(".hero")).to_contain_text(ADDRESS["zh"])
    people.tap("Seen", "assigned")
    people.tap("Set off", "en_route")
    people.sees("en_route")
    people.step_with_photo("Check in")
    people.sees("on_site")
    people.step_with_photo("Complete", "Fixed")
    people.sees("awaiting_acceptance")

    people.sign_off()
    people.sees("closed")
    people.board.click("#tab-photos")
    expect(people.board.locator("#tab-panel img")).to_have_count(3)
    assert people.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_the_language_and_its_console_is_quiet(
    running: Running, browser: Browser, language: str
) -> None:
    people = Pages(running, company(running.house), browser, language)
    board, phone, customer = people.board, people.phone, people.customer
    found: dict[str, list[str]] = {}

    def read(name: str, page: Page, shown: str) -> None:
        expect(page.locator(shown).first).to_be_visible()
        if wrong := untranslated(language, page.evaluate(TEXTS), DATA):
            found[name] = wrong
        if faint := faint_texts(page):
            found[f"{name}, too faint"] = faint

    customer.goto(f"{people.address}/new/{people.made.slug}?lang={language}")
    read("request", customer, "form[data-form=request]")
    people.open_board()
    ticket_no = people.ask()
    read("customer", customer, ".history li")
    read("queue", board, ".tickets .row")
    people.open_ticket(ticket_no)
    for tab in ("details", "receipts", "photos", "history", "candidates"):
        board.click(f"#tab-{tab}")
        read(tab, board, f"#tab-{tab}[aria-selected=true]")
    people.assign("Ana")
    for page in ("new", "engineers"):
        board.goto(f"{people.address}/board/#/{page}")
        read(page, board, "input[type=search]")

    people.open_phone()
    phone.goto(f"{people.address}/phone/#/me")
    phone.locator(".switch button", has_text="中文" if language == "zh" else "English").click()
    expect(phone.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh" else "en")
    for screen in ("me", "offers", "pool", "queue", "today"):
        phone.goto(f"{people.address}/phone/#/{screen}")
        read(screen, phone, "main" if screen != "today" else ".hero")
    people.close()
    assert (found, people.complaints) == ({}, [])


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "status_on_site"),
        ("zh", "预计 {time} 到达"),
        ("en", "Status 待派单"),
        ("zh", "状态 on site"),
        ("zh", "Ticket"),
    ],
)
def test_a_text_left_untranslated_would_be_noticed(language: str, told: str) -> None:
    assert untranslated(language, told, DATA)
