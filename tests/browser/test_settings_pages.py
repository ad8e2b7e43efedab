"""Every page of the settings, walked through in both languages and on both sizes, and one real change on each; a
ticket's work and money; the contractor's desk. One product and one browser for all."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.legible import faint_texts
from tests.browser.words import TEXTS, untranslated
from tests.browser.world import busy_company
from tests.builders import PASSWORD, new_ticket
from tests.databases import Database
from tests.house import Product, Town, ok
from tests.running import Running

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.usefixtures("pages")]

PATIENCE_MS = 60_000
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: The narrowest that WCAG 2.2, 1.4.10 asks for, and the desk at 200 %.
NARROW = {"width": 320, "height": 640}
ZOOMED = {"width": 720, "height": 450}
TABLET = {"width": 1000, "height": 700}
#: Set to a folder to look at what the test sees.
PICTURES = os.environ.get("PAIDAN_PICTURES")
SECTIONS = (
    "operations figures engineers dispatchers roster policies lists checklists promises contracts prices parts rates "
    "reactions messages webhooks keys provider"
).split()
#: Names, codes and what people typed; words that are the same in every language.
DATA = (
    "ac_repair ac_direct leak survey hvac plumbing valve visit 示例 服务商 Contractor Ana Ben Eve Ada Dora Cora Lee "
    "Chen testclient tests pdk_ tell PostgreSQL Python main ./paidan status backup restore PLACE --check roads import "
    "OpenID Connect AgentId EncodingAESKey Secret Token access_token CSV API Standard Webhooks https WGS84 CNY FILE "
    "ana ben eve lee ada cora dora Debian deb bar pc SN-1 示例路 1 号 冷气不凉 not cooling Chromium PDF postgres "
    "Chrome Linux"
).split(" ")

expect.set_options(timeout=PATIENCE_MS)


class World:
    """The busy company behind a real port, and whoever looks at it."""

    def __init__(self, running: Running, product: Product) -> None:
        self.address = f"http://127.0.0.1:{running.port}/board/"
        self.town: Town
        self.town, self.tickets = busy_company(product)
        self.complaints: list[str] = []

    def page(self, browser: Browser, who: str, language: str = "en") -> Page:
        context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]  # a TypedDict
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(f"localStorage.setItem('paidan.language', '{language}')")
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.goto(self.address)
        page.fill("[name=signin_id]", self.town.made.signin_id(who))
        page.fill("[name=password]", PASSWORD)
        page.click("button.primary")
        expect(page.locator(".top-bar")).to_be_visible()
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        """The board asks who it is before anybody signed in, and for maps nobody brought here."""
        url = message.location.get("url", "")
        if message.type == "error" and not url.endswith("/me") and "/map/" not in url:
            self.complaints.append(f"{message.text} {url}")


@pytest.fixture(scope="module")
def world(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    state = tmp_path_factory.mktemp("settings")
    with Running(database, state, apis=1, background=False) as running:
        product = Product(database, state)
        product.house = running.house
        product.app.state.rooms.house = running.house
        yield World(running, product)
        product.close()


def look(page: Page, name: str, language: str, found: dict[str, list[str]]) -> None:
    """Every size: nothing wider than the screen; nothing untranslated, nothing too faint."""
    for size in (NARROW, PHONE, ZOOMED, TABLET, DESK):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a TypedDict
        wide = page.evaluate(
            "() => [document.documentElement, ...document.querySelectorAll('.settings-main, .page, .ticket-scroll')]"
            ".some(one => one.scrollWidth > one.clientWidth + 1)"
        )
        if wide:
            found.setdefault(name, []).append(f"wider than {size['width']}")
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}_{language}_{size['width']}.png")
    if wrong := untranslated(language, page.evaluate(TEXTS), sorted(DATA, key=len, reverse=True)):
        found.setdefault(name, []).extend(wrong)
    if faint := faint_texts(page):
        found.setdefault(name, []).extend(faint)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_settings_page_fits_both_screens_and_speaks_the_language(
    world: World, browser: Browser, language: str
) -> None:
    page = world.page(browser, "Ada", language)
    found: dict[str, list[str]] = {}
    for section in SECTIONS:
        page.goto(f"{world.address}#/settings/{section}")
        expect(page.locator(f".settings-nav a[aria-current=page][href$='/{section}']")).to_be_attached()
        expect(page.locator(".settings-main .page-head + *").first).to_be_visible()
        expect(page.locator(".settings-main .loading")).to_have_count(0)
        look(page, section, language, found)
    page.goto(f"{world.address}#/ticket/{world.tickets['finished']}")
    for tab, shown in (("proof", ".answers"), ("money", ".proof-lines b"), ("photos", ".photos img")):
        page.click(f"#tab-{tab}")
        expect(page.locator(f"#tab-panel {shown}").first).to_be_visible()
        look(page, f"tab_{tab}", language, found)
    rows = page.locator(".tabs button").evaluate_all("all => new Set(all.map(one => one.offsetTop)).size")
    assert rows == 1, "a ticket's tabs stand in one row on a desk"
    page.context.close()
    assert (found, world.complaints) == ({}, [])


def test_a_text_too_faint_and_a_page_too_wide_would_be_noticed(world: World, browser: Browser) -> None:
    page = world.page(browser, "Ada")
    page.goto(f"{world.address}#/settings/lists")
    expect(page.locator(".list-line").first).to_be_visible()
    found: dict[str, list[str]] = {}
    page.locator(".list-line strong").first.evaluate(
        "one => Object.assign(one.style, { color: '#8a8a8a', width: '700px', display: 'block' })"
    )
    look(page, "lists", "en", found)
    assert any(one.startswith("light 3.") for one in found["lists"])
    assert "wider than 320" in found["lists"]
    page.context.close()


def saved(page: Page) -> None:
    page.click("dialog button.primary")
    expect(page.locator("dialog")).to_have_count(0)


def add(page: Page, world: World, section: str, nth: int = 0) -> None:
    page.goto(f"{world.address}#/settings/{section}")
    page.locator(".part-head .primary").nth(nth).click()


def test_one_real_change_on_each_page_is_kept(world: World, browser: Browser) -> None:
    page = world.page(browser, "Ada")
    rows = page.locator(".table tbody tr")

    add(page, world, "prices")
    page.fill("dialog [name=code]", "labour_hour")
    page.fill("dialog [name=name_zh]", "工时")
    page.fill("dialog [name=name_en]", "Labour hour")
    page.fill("dialog [name=unit_price_minor]", "120.50")
    saved(page)
    expect(rows.filter(has_text="Labour hour")).to_contain_text("120.50")

    add(page, world, "rates")
    page.select_option("dialog [name=payee_kind]", "contractor")
    page.fill("dialog [name=share_bp]", "12.5")
    saved(page)
    expect(rows.filter(has_text="Contractor")).to_contain_text("12.5%")
    for fixed, day, shown in (("60", "2031-01-02", "60.00"), ("70", "2031-01-04", None)):
        page.locator(".part-head .primary").first.click()
        page.select_option("dialog [name=payee_kind]", "contractor")
        page.fill("dialog [name=fixed_minor]", fixed)
        page.fill("dialog [name=valid_from]", day)
        if shown:
            saved(page)
            expect(rows.filter(has_text="2031-01-02")).to_contain_text(shown)
        else:
            page.click("dialog button.primary")
            expect(page.locator("dialog .field-error")).to_have_text(
                "Another rate stands on some of these days."
            )
            page.keyboard.press("Escape")
            expect(page.locator("dialog")).to_have_count(0)

    page.goto(f"{world.address}#/settings/parts")
    rows.first.get_by_role("button", name="Load a van").click()
    page.select_option("dialog [name=engineer_id]", label="Ben")
    page.fill("dialog [name=quantity]", "2")
    saved(page)
    ledger = page.get_by_role("table", name="Ledger of parts").locator("tbody tr")
    expect(ledger.first).to_contain_text("Van Ben")
    rows.first.get_by_role("button", name="Receive").click()
    page.fill("dialog [name=reference]", "DN-77")
    page.fill("dialog [name=quantity]", "5")
    saved(page)
    expect(ledger.first).to_contain_text("DN-77")
    stock = page.get_by_role("table", name="Stock", exact=True).locator("tbody tr")
    stock.first.get_by_role("button", name="Count").click()
    page.fill("dialog [name=counted]", "7")
    page.select_option("dialog [name=reason]", "lost")
    saved(page)
    expect(ledger.first).to_contain_text("Lost")
    expect(stock.first).to_contain_text("7")
    old = page.get_by_role("table", name="Old parts").locator("tbody tr")
    expect(old.first).to_contain_text("Engineer Ana")
    old.first.get_by_role("button", name="Hand in").click()
    saved(page)
    expect(old.first).to_contain_text("Depot")
    old.first.get_by_role("button", name="Book out").click()
    page.select_option("dialog [name=to]", "supplier")
    page.fill("dialog [name=reference]", "RMA-7")
    saved(page)
    expect(old).to_have_count(0)
    expect(ledger.first).to_contain_text("RMA-7")
    owed = page.get_by_role("table", name="Owed by engineers").locator("tbody tr")
    expect(owed.first).to_contain_text("Ana")
    owed.first.get_by_role("button", name="Brought").click()
    saved(page)
    expect(owed).to_have_count(0)
    expect(old.first).to_contain_text("Engineer Ana")

    add(page, world, "policies")
    page.select_option("dialog [name=mode]", "pool")
    page.click("dialog summary >> text=Pool")
    page.fill("dialog [name=ring_m]", "2500")
    saved(page)
    expect(rows.first).to_contain_text("2500")
    page.locator(".part-head .primary").click()
    page.click("dialog button.primary")
    expect(page.locator("dialog [aria-invalid=true]")).to_have_attribute("name", "work_type")
    expect(page.locator("dialog .field-error")).to_have_text("This work type has a policy there already.")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)

    page.goto(f"{world.address}#/settings/checklists")
    page.locator(".part-head .primary").click()
    page.fill("dialog [name=label_zh]", "噪音")
    page.fill("dialog [name=label_en]", "Noise")
    page.fill("dialog [name=item]", "noise")
    page.select_option("dialog [name=show_when]", "leaks")
    saved(page)
    expect(page.locator(".checklist li").last).to_contain_text("when “Does it leak” is Yes")

    add(page, world, "roster")
    page.select_option("dialog [name=engineer_id]", label="Eve")
    page.fill("dialog [name=day]", (world.town.product.clock.now()).date().isoformat())
    saved(page)
    page.get_by_role("button", name="On call", exact=True).click()
    expect(rows).to_have_count(1)

    add(page, world, "contracts")
    page.fill("dialog [name=number]", "C-18")
    page.fill("dialog [name=customer_phone]", "13700000000")
    page.click("dialog button.primary")
    expect(page.locator("dialog [name=customer_phone]")).to_have_attribute("aria-invalid", "true")
    page.fill("dialog [name=customer_phone]", "13900001234")
    saved(page)
    expect(rows.filter(has_text="C-18")).to_be_visible()
    rows.filter(has_text="C-18").get_by_role("button").first.click()
    page.fill("dialog [name=number]", "C-19")
    saved(page)
    rows.filter(has_text="C-19").get_by_role("button").last.click()
    expect(rows.filter(has_text="C-19")).to_have_count(0)

    page.goto(f"{world.address}#/settings/reactions")
    switch = page.locator("[role=switch]").nth(3)
    with page.expect_response(lambda answer: answer.request.method == "PUT") as put:
        switch.check()
    assert put.value.ok
    expect(page.locator(".notice[data-kind=good]").last).to_be_visible()
    page.reload()
    expect(switch).to_be_checked()

    page.goto(f"{world.address}#/settings/messages")
    page.locator(".rules-list > li").nth(1).locator(".button").last.click()
    page.fill("[name=access_token]", "token")
    page.fill("[name=secret]", "secret")
    page.locator(".rules-form.inside button[type=submit]").click()
    expect(page.locator(".rules-list > li").nth(1)).to_have_attribute("data-off", "false")

    page.get_by_role("button", name="Edit: Ana").click()
    page.select_option("dialog [name=channel_0]", "mail")
    page.fill("dialog [name=address_0]", "nowhere")
    page.click("dialog button.primary")
    expect(page.locator("dialog .note")).to_contain_text("no address")
    page.fill("dialog [name=address_0]", "ana@example.org")
    saved(page)
    expect(page.locator(".target")).to_have_text("E-mail")

    add(page, world, "webhooks")
    page.fill("dialog [name=url]", "https://127.0.0.1/hook")
    page.click("dialog button.primary")
    expect(page.locator("dialog [name=url]")).to_have_attribute("aria-invalid", "true")
    page.fill("dialog [name=url]", "https://hooks.invalid/paidan")
    saved(page)
    expect(page.locator(".rules-secret code")).to_contain_text("whsec_")

    page.goto(f"{world.address}#/settings/operations")
    page.locator(".failed").get_by_role("button").click()
    expect(page.locator(".failed")).to_have_count(0)

    page.goto(f"{world.address}#/ticket/{world.tickets['finished']}")
    page.click("#tab-proof")
    page.get_by_role("button", name="Refuse Ana’s request").click()
    expect(page.get_by_role("button", name="Refuse Ana’s request")).to_have_count(0)
    page.get_by_role("button", name="New warranty callback").click()
    expect(page.locator(".proof-lines").last).to_contain_text("Warranty callback")
    page.get_by_role("button", name="History: Unit").click()
    expect(page.locator("dialog .proof-lines li")).to_have_count(1)
    page.keyboard.press("Escape")
    with page.expect_download() as brought:
        page.get_by_role("button", name="Export for the customer").click()
    assert "13900001234" in Path(brought.value.path()).read_text()
    page.context.close()
    assert [
        one for one in world.complaints if "409" not in one and "422" not in one and "404" not in one
    ] == []


def test_a_dispatcher_sees_only_the_sections_that_are_theirs(world: World, browser: Browser) -> None:
    page = world.page(browser, "Dora")
    page.goto(f"{world.address}#/settings/operations")
    expect(page.locator(".settings-nav a[aria-current=page]")).to_have_text("Figures")
    assert page.locator(".settings-nav a").all_inner_texts() == [
        "Figures",
        "Roster and on call",
        "Parts and stock",
    ]
    page.context.close()


def test_a_price_picked_on_the_phone_is_the_lists_and_cannot_be_written_over(
    world: World, browser: Browser
) -> None:
    town = world.town
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    town.assign_by_hand(ticket_id, "Eve")
    town.arrive("Eve", ticket_id)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]  # a TypedDict
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script("localStorage.setItem('paidan.language', 'en')")
    page = context.new_page()
    page.goto(world.address.replace("/board/", "/phone/"))
    page.fill("input[name=username]", town.made.signin_id("Eve"))
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.locator(".bar button").last.click()
    page.get_by_role("button", name="Quote", exact=True).click()
    page.get_by_label("Add from the price list").select_option("visit")
    price = page.get_by_label("Unit price")
    expect(price).to_have_value("50.00")
    expect(price).to_have_attribute("readonly", "")
    with page.expect_response(lambda reply: "/engineer/v1/actions" in reply.url) as sent:
        page.get_by_role("button", name="Quote", exact=True).last.click()
    assert sent.value.status == 200
    board = town.product.client.get(f"/dispatcher/v1/tickets/{ticket_id}/proof", headers=town.board())
    assert [line["price"] for line in ok(board)["quotes"][0]["lines"]] == ["visit"]
    context.close()


def test_a_contractors_dispatcher_answers_and_names_the_engineer_at_their_desk(
    world: World, browser: Browser
) -> None:
    page = world.page(browser, "Cora")
    asked, taken = (page.locator(".desk-list").nth(n) for n in (0, 1))
    expect(taken.locator("li")).to_have_count(1)
    taken.get_by_role("button", name="Name the engineer").click()
    page.select_option("dialog [name=engineer_id]", label="Lee")
    saved(page)
    expect(taken.locator("li").first).to_contain_text("Lee")
    asked.get_by_role("button", name="Decline").click()
    page.select_option("dialog [name=reason]", "busy")
    saved(page)
    expect(asked.locator("li")).to_have_count(0)
    page.goto(f"{world.address}#/ticket/{world.tickets['taken']}")
    expect(page.locator(".tabs button")).to_have_count(4)
    page.goto(f"{world.address}#/settings/keys")
    expect(page.locator(".top-bar")).to_be_visible()
    expect(page.locator(".settings")).to_have_count(0)
    page.context.close()
