"""Promises on the board and the rules page, in a browser, in both languages."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from dispatch.store.ids import new_id
from tests.builders import PASSWORD, Company, company, new_ticket
from tests.databases import Database
from tests.running import Running

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.usefixtures("pages")]

PATIENCE_MS = 30_000
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
WORDS = {
    "en": {
        "rules": "Rules",
        "sign_in": "Sign in",
        "resolution": "Resolution in",
        "paused": "Paused",
        "tab": "Promises",
    },
    "zh": {"rules": "规则", "sign_in": "登录", "resolution": "解决剩", "paused": "已暂停", "tab": "时限"},
}
HAN = re.compile(r"[\u4e00-\u9fff]")
#: The company's own words, in whatever language.
DATA = ("示例路 1 号", "冷气不凉", "not cooling", "示例", "中文")

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def running(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(database, tmp_path_factory.mktemp("rules"), apis=1) as made:
        yield made


class Admin:
    """Ada at her board."""

    def __init__(self, running: Running, browser: Browser, language: str) -> None:
        self.address = f"http://127.0.0.1:{running.port}"
        self.made: Company = company(running.house)
        self.words = WORDS[language]
        self.complaints: list[str] = []
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=LOCALES[language])
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(f"localStorage.setItem('paidan.language', '{language}')")
        self.page: Page = context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(f"{self.address}/board/")
        self.page.fill("input[name=signin_id]", self.made.signin_id("Ada"))
        self.page.fill("input[name=password]", PASSWORD)
        self.page.press("input[name=password]", "Enter")
        expect(self.page.locator(".top-bar")).to_be_visible()

    def ticket(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.made.key}"}
        reply = httpx.post(f"{self.address}/api/v1/tickets", json=new_ticket("survey"), headers=headers)
        found: dict[str, Any] = reply.json()
        return found

    def hold(self, ticket_id: str) -> None:
        headers = {"Authorization": f"Bearer {self.made.key}"}
        body = {"command_id": str(new_id()), "action": "hold", "facts": {"reason": "parts"}}
        reply = httpx.post(f"{self.address}/api/v1/tickets/{ticket_id}/actions", json=body, headers=headers)
        assert reply.status_code == 200, reply.text

    def rules(self, tab: int) -> None:
        self.page.goto(f"{self.address}/board/#/rules")
        self.page.locator(".page .views .view").nth(tab).click()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_is_promised_is_set_here_and_seen_on_the_ticket(
    running: Running, browser: Browser, language: str, tmp_path: Any
) -> None:
    ada = Admin(running, browser, language)
    page, words = ada.page, ada.words
    ada.rules(0)
    page.locator(".rules-two > section").nth(1).locator("> .button").click()
    page.fill("[name=zh]", "中文")
    page.fill("[name=en]", "Office")
    page.locator(".rules-form button[type=submit]").click()
    expect(page.locator(".rules-week li")).to_have_count(7)
    page.locator(".rules-does .button").first.click()
    page.locator(".rules-two > section").first.locator("> .button").click()
    page.fill("[name=zh]", "中文")
    page.fill("[name=en]", "Standard")
    page.fill("[name=resolution]", "480")
    page.locator(".rules-form button[type=submit]").click()
    expect(page.locator(".rules-list").first.locator("> li")).to_have_count(1)
    page.screenshot(path=tmp_path / f"promises_{language}.png")
    made = ada.ticket()
    page.goto(f"{ada.address}/board/#/ticket/{made['ticket_id']}")
    expect(page.locator(".promise-mark")).to_contain_text(words["resolution"])
    page.locator("#tab-promises").click()
    expect(page.locator(".promise .ledger li")).to_have_count(1)
    ada.hold(made["ticket_id"])
    expect(page.locator(".promise[data-state=is_paused]")).to_be_visible()
    expect(page.locator(".promise .ledger li")).to_have_count(2)
    page.screenshot(path=tmp_path / f"ticket_{language}.png")
    assert ada.complaints == []
    page.context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_reactions_messages_and_webhooks_are_set_and_kept(
    running: Running, browser: Browser, language: str, tmp_path: Any
) -> None:
    ada = Admin(running, browser, language)
    page = ada.page
    ada.rules(1)
    switch = page.locator(".rules-list > li").nth(3).locator("[role=switch]")
    expect(page.locator(".rules-list > li")).to_have_count(8)
    switch.check()
    expect(page.locator(".notice[data-kind=good]")).to_be_visible()
    page.reload()
    page.locator(".page .views .view").nth(1).click()
    expect(switch).to_be_checked()
    page.screenshot(path=tmp_path / f"reactions_{language}.png")
    ada.rules(2)
    expect(page.locator(".rules-list > li")).to_have_count(3)
    page.locator(".rules-list > li").nth(1).locator(".button").last.click()
    page.fill("[name=access_token]", "token")
    page.fill("[name=secret]", "secret")
    page.locator(".rules-form.inside button[type=submit]").click()
    expect(page.locator(".rules-list > li").nth(1)).to_have_attribute("data-off", "false")
    page.screenshot(path=tmp_path / f"messages_{language}.png", full_page=True)
    ada.rules(3)
    page.locator("main section > .button").first.click()
    page.fill("[name=url]", "https://127.0.0.1/hook")
    page.locator(".rules-form button[type=submit]").click()
    expect(page.locator(".notice[data-kind=bad]")).to_be_visible()
    page.fill("[name=url]", "https://hooks.invalid/paidan")
    page.locator(".rules-form button[type=submit]").click()
    expect(page.locator(".rules-secret code")).to_contain_text("whsec_")
    ada.ticket()
    expect(page.locator(".rules-list > li")).to_have_count(1)
    for _ in range(30):
        ada.rules(0)
        ada.rules(3)
        page.wait_for_timeout(1_000)
        if page.locator(".rules-log li").count():
            break
    expect(page.locator(".rules-log li").first).to_be_visible()
    page.screenshot(path=tmp_path / f"webhooks_{language}.png")
    assert ada.complaints == []
    assert foreign_words(page, language) == []
    page.context.close()


def foreign_words(page: Page, language: str) -> list[str]:
    """Lines of the other language; only Chinese in the English page can be told for sure."""
    if language == "zh":
        return []
    lines = page.locator("main").inner_text().splitlines()
    for data in DATA:
        lines = [line.replace(data, "") for line in lines]
    return [line for line in lines if HAN.search(line)]
