"""The page of bulk actions and requests, in a real browser: a leave approved, an engineer's day moved, both languages."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from dispatch.store.ids import new_id
from tests.builders import PASSWORD, new_ticket
from tests.databases import Database
from tests.house import Product, Town, ok
from tests.running import Running

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.usefixtures("pages")]

PATIENCE_MS = 60_000
WORDS = {
    "en": {
        "page": "Bulk & requests",
        "approve": "Approve Ana’s request",
        "who": "Engineer",
        "do": "Move the tickets",
        "given": "Given to Ben",
        "all": "Choose all",
        "rebook": "Rebook 2 tickets",
        "rebooked": "Tickets rebooked",
    },
    "zh": {
        "page": "批量与申请",
        "approve": "批准 Ana 的申请",
        "who": "工程师",
        "do": "移交工单",
        "given": "已派给 Ben",
        "all": "全选",
        "rebook": "改约 2 单",
        "rebooked": "整批改约",
    },
}


@pytest.fixture(scope="module")
def served(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, Product]]:
    """A page's server beside the product in this process, on the same secrets."""
    state = tmp_path_factory.mktemp("bulk_page")
    with Running(database, state, apis=1, background=False) as running:
        made = Product(database, state)
        made.house = running.house
        made.app.state.rooms.house = running.house
        yield running, made
        made.close()


def a_day_with_requests(product: Product) -> Town:
    """Ana has two tickets and asks for leave and for overtime."""
    town = product.company()
    ana = str(town.made.engineers["Ana"])
    for _ in range(2):
        ticket_id = town.create(new_ticket("survey"))["ticket_id"]
        ok(town.direct(ticket_id, "assign", engineer_id=ana))
    now = town.made.house.now()
    ahead = {
        "starts_at": (now + timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=2)).isoformat(),
    }
    for body in (
        {"kind": "leave", **ahead},
        {"kind": "overtime", "day": (now + timedelta(days=1)).date().isoformat(), "minutes": 90},
    ):
        asked: dict[str, Any] = {"command_id": str(new_id()), **body}
        ok(product.client.post("/engineer/v1/requests", json=asked, headers=town.phone("Ana")))
    return town


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_dispatcher_answers_requests_and_moves_a_sick_engineers_day(
    served: tuple[Running, Product], browser: Browser, language: str
) -> None:
    running, product = served
    town, words = a_day_with_requests(product), WORDS[language]
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(f"localStorage.setItem('paidan.language', '{language}')")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"http://127.0.0.1:{running.port}/board/#/bulk")
    page.locator("input[autocomplete=username], input[type=text]").first.fill(town.made.signin_id("Dora"))
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=words["page"])).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name=words["approve"]).first.click()
    expect(page.get_by_role("button", name=words["approve"])).to_have_count(1, timeout=PATIENCE_MS)
    page.get_by_label(words["who"], exact=True).select_option(label="Ana")
    page.get_by_role("button", name=words["do"]).click()
    expect(page.locator(".report-lines").first.get_by_text(words["given"])).to_have_count(
        2, timeout=PATIENCE_MS
    )
    page.get_by_label(words["all"]).check()
    page.get_by_role("button", name=words["rebook"]).click()
    expect(page.locator("details.report")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.locator("details.report").first).to_contain_text(words["rebooked"])
    (report, _) = ok(product.client.get("/dispatcher/v1/bulk", headers=town.board()))["reports"]
    assert (report["kind"], len(report["lines"])) == ("rebook", 2)
    if folder := os.environ.get("PAIDAN_PICTURES"):
        page.screenshot(path=Path(folder) / f"bulk-{language}.png", full_page=True)
    assert complaints == []
    context.close()
