"""The admin's page in a real browser: an engineer and a key are added, a phone is signed out, a second factor is on."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from api.signin import Doorkeeper
from dispatch.actions import identity_oidc
from dispatch.adapters.oidc import OidcClient
from dispatch.adapters.outside import OutsideClient
from dispatch.domain.identity import totp_code
from dispatch.settings import Clock
from dispatch.store.tables.identity import OidcProvider
from dispatch.store.tables.people import Engineer
from tests.builders import PASSWORD, Company, company
from tests.databases import Database
from tests.fakes.oidc_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, provider_running
from tests.running import Running

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.usefixtures("pages")]

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: Set to a folder to look at what the test sees.
PICTURES = os.environ.get("PAIDAN_TEST_PICTURES")

expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def running(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    made = Running(database, tmp_path_factory.mktemp("admin"), apis=1)
    made.environment["PAIDAN_PUBLIC_URL"] = f"http://127.0.0.1:{made.port}"
    made.environment["PAIDAN_OIDC_PRIVATE_HOSTS"] = "127.0.0.1"
    with made:
        yield made


def open_board(browser: Browser, running: Running, size: dict[str, int], language: str) -> Page:
    context = browser.new_context(viewport=size)  # type: ignore[arg-type]  # a TypedDict
    context.set_default_timeout(60_000)
    context.add_init_script(f"localStorage.setItem('paidan.language', '{language}')")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{running.port}/board/")
    return page


def sign_in(page: Page, made: Company, name: str) -> None:
    page.fill("[name=signin_id]", made.signin_id(name))
    page.fill("[name=password]", PASSWORD)
    page.click("button.primary")


def keep(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def fits_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize(("language", "size"), [("zh", DESK), ("en", PHONE)])
def test_an_admin_adds_an_engineer_and_a_key_and_signs_a_phone_out(
    browser: Browser, running: Running, language: str, size: dict[str, int]
) -> None:
    made = company(running.house)
    doors = Doorkeeper(running.house.database, running.settings.secret_key, secure=False)
    with running.house.database.transaction(made.tenant_id) as db:
        ana = db.get(Engineer, {"tenant_id": made.tenant_id, "id": made.engineers["Ana"]})
    assert ana is not None
    lost = doors.begin(ana, "Lost phone", "d" * 32)
    page = open_board(browser, running, size, language)
    sign_in(page, made, "Ada")
    expect(page.locator(".top-bar")).to_be_visible()
    page.goto(f"http://127.0.0.1:{running.port}/board/#/settings/engineers")
    expect(page.locator(".admin-list li")).to_have_count(3)
    keep(page, f"admin_{language}")
    assert fits_the_screen(page)

    page.fill(".admin-search", "nobody of that name")
    expect(page.locator(".admin-list li")).to_have_count(0)
    page.fill(".admin-search", "")
    page.click(".admin-tools button.primary")
    page.fill("dialog [name=name]", "Finn")
    page.fill("dialog [name=signin_id]", f"finn-{made.slug}")
    page.fill("dialog [name=password]", "finns first password")
    page.select_option("dialog [name=level-hvac]", "2")
    keep(page, f"admin_engineer_{language}")
    page.click("dialog button.primary")
    expect(page.locator(".admin-list li", has_text="Finn")).to_be_visible()

    line = page.locator(".admin-list li", has_text="Ana")
    line.locator(".admin-does button").nth(1).click()
    page.locator("dialog li", has_text="Lost phone").locator("button").click()
    expect(page.locator("dialog li")).to_have_count(0)
    page.keyboard.press("Escape")
    with pytest.raises(Exception, match="signin_ended"):
        doors.refresh(lost.refresh_token or "", "d" * 32)

    page.goto(f"http://127.0.0.1:{running.port}/board/#/settings/keys")
    page.click(".admin-section > button.primary")
    page.fill("dialog [name=name]", "shop")
    page.locator("dialog [name=scopes]").first.check()
    page.click("dialog button.primary")
    expect(page.locator(".key-once code")).to_contain_text("pdk_")
    keep(page, f"admin_key_{language}")

    page.goto(f"http://127.0.0.1:{running.port}/board/#/settings/lists")
    skill = page.locator(".list-line", has_text="hvac")
    skill.locator("button").first.click()
    page.fill("dialog [name=zh]", "制冷")
    page.fill("dialog [name=en]", "Cooling")
    page.click("dialog button.primary")
    expect(skill).to_contain_text("制冷" if language == "zh" else "Cooling")
    skill.locator("button").last.click()
    expect(page.locator(".notice[data-kind=bad]")).to_be_visible()
    expect(skill).to_be_visible()
    skill.locator("button").nth(1).click()
    expect(skill).to_have_attribute("data-off", "true")
    expect(skill).to_contain_text("已停用" if language == "zh" else "Retired")
    skill.locator("button").nth(1).click()
    expect(skill).to_have_attribute("data-off", "false")
    unused = page.locator(".list-line", has_text="survey")
    unused.locator("button").last.click()
    expect(unused).to_have_count(0)
    keep(page, f"admin_lists_{language}")
    assert fits_the_screen(page)
    page.context.close()


def test_a_dispatcher_turns_the_second_factor_on_and_needs_it_at_the_next_sign_in(
    browser: Browser, running: Running
) -> None:
    made = company(running.house)
    page = open_board(browser, running, DESK, "en")
    sign_in(page, made, "Dora")
    expect(page.locator(".top-bar")).to_be_visible()
    page.goto(f"http://127.0.0.1:{running.port}/board/#/security")
    page.click(".admin-form > button.primary")
    secret = page.locator("code.secret").inner_text()
    keep(page, "security")
    assert page.locator("img.qr").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.fill("[name=code]", code_of(secret, 0))
    page.locator("form", has=page.locator("[name=code]")).locator("button.primary").click()
    expect(page.locator(".recovery li")).to_have_count(10)
    keep(page, "security_on")
    page.context.close()

    again = open_board(browser, running, PHONE, "zh")
    sign_in(again, made, "Dora")
    again.locator("[name=code]").fill(code_of(secret, 1))
    keep(again, "sign_in_code")
    again.click("button.primary")
    expect(again.locator(".top-bar")).to_be_visible()
    again.context.close()


def code_of(secret: str, steps_ahead: int) -> str:

    assert re.fullmatch(r"[A-Z2-7]{32}", secret)
    return totp_code(base64.b32decode(secret), int(Clock.wall().timestamp()) // 30 + steps_ahead)


def vouched_for(running: Running, made: Company, provider: FakeProvider, name: str) -> None:
    """The company has `provider`, which knows this person."""
    email, wall = f"{name.lower()}@example.com", Clock.wall()
    provider.claims = {"sub": f"{name} there", "email": email, "email_verified": True}
    wanted = identity_oidc.ProviderWanted(provider.url, CLIENT_ID, CLIENT_SECRET, ["example.com"])
    client = OidcClient(OutsideClient({"127.0.0.1"}))
    with running.house.database.transaction(made.tenant_id) as db:
        identity_oidc.put_provider(db, running.house.personal, client, made.tenant_id, wanted, wall, None)
        identity_oidc.put_email(db, made.tenant_id, made.dispatchers[name], email)


def test_an_admin_comes_through_the_company_and_the_page_says_when_that_is_the_only_way_in(
    browser: Browser, running: Running
) -> None:
    """First as somebody nobody here knows."""
    made = company(running.house)
    with provider_running() as provider:
        vouched_for(running, made, provider, "Ada")
        page = open_board(browser, running, DESK, "en")
        board = f"http://127.0.0.1:{running.port}/board/?company={made.slug}"
        known, provider.claims = provider.claims, {**provider.claims, "email": "eve@example.com"}
        page.goto(board)
        page.get_by_role("link", name="company").click()
        page.click("#go")
        expect(page.get_by_role("alert")).to_contain_text("Nobody here has that e-mail")
        provider.claims = known
        page.goto(board)
        page.get_by_role("link", name="company").click()
        page.click("#go")
        expect(page.locator("[name=password]")).to_have_count(0)
        page.goto(f"http://127.0.0.1:{running.port}/board/#/settings/dispatchers")
        assert page.evaluate("fetch('/dispatcher/v1/me').then((r) => r.json())")["name"] == "Ada"
        with running.house.database.transaction(made.tenant_id) as db:
            db.execute(update(OidcProvider).where(OidcProvider.tenant_id == made.tenant_id).values(only=True))
        other = open_board(browser, running, PHONE, "zh")
        other.goto(board)
        expect(other.locator("a.button.primary")).to_have_text("用企业账号登录")
        sign_in_by_password(other, made, "Dora")
        expect(other.get_by_role("alert")).to_contain_text("您的企业只允许企业账号登录")
        assert fits_the_screen(other)


def sign_in_by_password(page: Page, made: Company, name: str) -> None:
    page.fill("[name=signin_id]", made.signin_id(name))
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
