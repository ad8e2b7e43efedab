"""A promise set by an admin is seen and timed on the ticket, in a browser."""

from collections.abc import Iterator
from pathlib import Path
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

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def running(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(database, tmp_path_factory.mktemp("rules"), apis=1) as made:
        yield made


class Admin:
    """Ada at her board."""

    def __init__(self, running: Running, browser: Browser) -> None:
        self.address = f"http://127.0.0.1:{running.port}"
        self.made: Company = company(running.house)
        self.complaints: list[str] = []
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script("localStorage.setItem('paidan.language', 'zh')")
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


def test_what_is_promised_is_set_here_and_seen_on_the_ticket(
    running: Running, browser: Browser, tmp_path: Path
) -> None:
    ada = Admin(running, browser)
    page = ada.page
    page.goto(f"{ada.address}/board/#/settings/promises")
    add_policy, add_calendar = (page.locator(".part-head .primary").nth(n) for n in (0, 1))
    add_calendar.click()
    page.fill("dialog [name=name_zh]", "中文")
    page.fill("dialog [name=name_en]", "Office")
    page.fill("dialog [name=day_0]", "nine to five")
    page.click("dialog button.primary")
    expect(page.locator("dialog [name=day_0]")).to_have_attribute("aria-invalid", "true")
    page.fill("dialog [name=day_0]", "09:00-18:00")
    page.click("dialog button.primary")
    expect(page.locator(".rules-week li")).to_have_count(7)
    expect(page.locator(".rules-what small")).to_contain_text(" 0 个特殊日")
    page.locator(".rules-does .button").last.click()
    expect(page.locator(".rules-what small")).not_to_contain_text(" 0 个特殊日")
    add_policy.click()
    page.fill("dialog [name=name_zh]", "中文")
    page.fill("dialog [name=name_en]", "Standard")
    page.fill("dialog [name=resolution_min]", "480")
    page.click("dialog button.primary")
    expect(page.locator(".table tbody tr")).to_have_count(1)
    page.screenshot(path=tmp_path / "promises.png")
    made = ada.ticket()
    page.goto(f"{ada.address}/board/#/ticket/{made['ticket_id']}")
    expect(page.locator(".promise-mark")).to_contain_text("解决剩")
    page.locator("#tab-promises").click()
    expect(page.locator(".promise .ledger li")).to_have_count(1)
    ada.hold(made["ticket_id"])
    expect(page.locator(".promise[data-state=is_paused]")).to_be_visible()
    expect(page.locator(".promise .ledger li")).to_have_count(2)
    assert ada.complaints == []
    page.context.close()
