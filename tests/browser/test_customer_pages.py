"""The customer's pages in a real browser: fingers, photos, signature, news; both languages, both sizes."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.serving import complaints_of, served
from tests.builders import new_ticket, picture
from tests.customer_forms import without_limit
from tests.house import Product, Town, ok

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def address(product: Product) -> Iterator[str]:
    """The application on a free port."""
    without_limit(product)
    with served(product.app, lifespan="off") as address:
        yield address


def opened(browser: Browser, size: dict[str, int] = PHONE, **more: Any) -> Page:
    """A page that remembers what its console complained of and what it asked of others."""
    context = browser.new_context(viewport=size, locale="en-GB", **more)  # type: ignore[arg-type]  # a TypedDict
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.complaints = complaints_of(page)  # type: ignore[attr-defined]  # kept beside the page for `quiet`
    return page


def quiet(page: Page) -> None:
    """No error in the console, nothing wider than the screen."""
    assert page.complaints == []  # type: ignore[attr-defined]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def made(town: Town) -> tuple[str, str]:
    body = town.create(new_ticket("survey"))
    return body["ticket_id"], f"/c/{body['customer_link'].rsplit('/', 1)[-1]}"


def finished(town: Town) -> tuple[str, str]:
    ticket_id, path = made(town)
    town.assign_by_hand(ticket_id, "Ana")
    town.arrive("Ana", ticket_id)
    town.complete("Ana", ticket_id)
    return ticket_id, path


def sign(page: Page) -> None:
    """A scribble on the pad."""
    pad = page.locator("canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 40, box["y"] + 80)
    page.mouse.down()
    for n in range(12):
        page.mouse.move(box["x"] + 40 + 14 * n, box["y"] + 80 + (25 if n % 2 else -25))
    page.mouse.up()


def test_stars_words_and_a_drawn_signature_close_the_ticket(
    town: Town, address: str, browser: Browser
) -> None:
    ticket_id, path = finished(town)
    page = opened(browser)
    page.goto(f"{address}{path}")
    page.locator(".stars label").nth(3).click()
    expect(page.locator(".stars output")).to_have_text("Good")
    page.locator("[data-form=sign_off] textarea").fill("All fine")
    sign(page)
    page.locator("[data-form=sign_off] .button").click()
    expect(page.locator(".note.ok")).to_contain_text("Accepted. Thank you.")
    quiet(page)
    (row,) = town.product.rows(
        "select a.rating, a.text, e.kind, e.sha256 is not null as kept from acceptances a "
        "join evidence e on e.id = a.signature_id where a.ticket_id = %(t)s",
        t=ticket_id,
    )
    assert row == {"rating": 4, "text": "All fine", "kind": "signature", "kept": True}


def test_a_signature_that_cannot_be_sent_is_told_and_nothing_is_signed_off(
    town: Town, address: str, browser: Browser
) -> None:
    ticket_id, path = finished(town)
    page = opened(browser)
    page.goto(f"{address}{path}")
    page.route("**/customer/v1/photos/**", lambda route: route.abort())
    sign(page)
    page.locator("[data-form=sign_off] .button").click()
    expect(page.locator("[data-form=sign_off] .form-error")).to_contain_text("That was not sent")
    expect(page.locator("[data-form=sign_off] .button")).to_be_enabled()
    assert town.status(ticket_id) == "awaiting_acceptance"
    page.unroute("**/customer/v1/photos/**")
    page.locator("[data-form=sign_off] .button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    assert town.status(ticket_id) == "closed"


def test_not_accepted_with_a_reason_and_photos(
    town: Town, address: str, browser: Browser, tmp_path: Path
) -> None:
    ticket_id, path = finished(town)
    files = [tmp_path / f"{n}.jpg" for n in range(2)]
    for file in files:
        file.write_bytes(picture(secrets.randbits(30)))
    page = opened(browser)
    page.goto(f"{address}{path}")
    page.get_by_text("Something wrong? Send it back").click()
    page.get_by_label("Left untidy").check()
    page.locator("[data-form=reject] input[type=file]").set_input_files(files)
    expect(page.locator("[data-form=reject] .thumbs img")).to_have_count(2)
    page.locator("[data-form=reject] .button").click()
    expect(page.locator(".note.ok")).to_contain_text("Noted")
    quiet(page)
    assert town.status(ticket_id) == "assigned"
    rows = town.product.rows(
        "select count(*) as n from evidence where ticket_id = %(t)s and kind = 'reject'", t=ticket_id
    )
    assert rows[0]["n"] == 2


def test_a_button_pressed_twice_acts_once(town: Town, address: str, browser: Browser) -> None:
    ticket_id, path = made(town)
    page = opened(browser)
    page.goto(f"{address}{path}")
    page.locator("[data-form=urge] .button").dblclick(no_wait_after=True)
    expect(page.locator(".note.ok")).to_be_visible()
    rows = town.product.rows("select urged from tickets where id = %(t)s", t=ticket_id)
    assert rows[0]["urged"] == 1


def test_news_arrives_by_itself_but_takes_away_nothing_half_filled(
    town: Town, address: str, browser: Browser
) -> None:
    ticket_id, path = made(town)
    idle, busy = opened(browser), opened(browser)
    for page in (idle, busy):
        page.goto(f"{address}{path}")
    busy.locator("summary", has_text="Cancel the request").click()
    busy.locator("[data-form=cancel] textarea").fill("half a sentence")
    town.assign_by_hand(ticket_id, "Ana")
    for page in (idle, busy):
        page.evaluate("look()")
        expect(page.locator("h1")).to_have_text("Ana will come to you")
    expect(busy.locator("[data-form=cancel] textarea")).to_have_value("half a sentence")
    expect(busy.locator(".news")).to_contain_text("There is news")
    expect(idle.locator(".news")).to_have_count(0)
    idle.locator("[data-form=urge] .button").click()
    expect(idle.locator(".note.ok")).to_be_visible()
    quiet(idle)


def test_a_repair_is_asked_for_with_a_large_photo_made_smaller(
    town: Town, address: str, browser: Browser, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(_noisy_jpeg())
    page = opened(browser)
    page.goto(f"{address}/new/{town.made.slug}?lang=en")
    page.get_by_label("Leak").check()
    page.get_by_label("What is wrong?").fill("Water under the sink")
    page.locator("input[type=file]").set_input_files(large)
    page.get_by_label("Street address").fill("示例路 3 号")
    page.get_by_label("Phone").fill("13900001234")
    page.get_by_role("button", name="Send the request").click()
    expect(page.locator(".note.ok")).to_contain_text("We have your request.")
    expect(page.locator(".gallery img")).to_have_count(1)
    quiet(page)
    assert re.search(r"/c/[\w-]+\?done=request&lang=en$", page.url)
    (row,) = town.product.rows(
        "select b.width, b.bytes_count from blobs b where tenant_id = %(tenant)s", town.made.tenant_id
    )
    assert row["width"] == 2000
    assert row["bytes_count"] < large.stat().st_size


def _noisy_jpeg() -> bytes:
    """A photo of several megabytes."""
    import io

    from PIL import Image

    kept = io.BytesIO()
    Image.effect_noise((3000, 2000), 90).convert("RGB").save(kept, "JPEG", quality=90)
    return kept.getvalue()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_status_fits_the_screen_without_a_complaint(
    town: Town, address: str, browser: Browser, size: dict[str, int], language: str
) -> None:
    ticket_id, path = made(town)
    page = opened(browser, size, color_scheme="dark")

    def look() -> None:
        page.goto(f"{address}{path}?lang={language}")
        expect(page.locator("h1")).not_to_be_empty()
        quiet(page)

    look()
    town.assign_by_hand(ticket_id, "Ana")
    look()
    ok(town.act("Ana", ticket_id, "set_off"))
    look()
    photo = town.photo("Ana", ticket_id, "check_in")
    ok(town.act("Ana", ticket_id, "check_in", photo_ids=[photo], position=town.at_site()))
    lines = [{"kind": "labour", "text": "长" * 60, "quantity": "1.25", "unit_price_minor": 12_345_678}]
    ok(town.act("Ana", ticket_id, "quote", currency="CNY", quote_lines=lines))
    look()
    page.locator("[data-form=approve_quote] .button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    town.complete("Ana", ticket_id)
    look()
    page.locator("[data-form=sign_off] .button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    look()
    page.goto(f"{address}/new/{town.made.slug}?lang={language}")
    quiet(page)


def test_without_scripts_a_plain_form_signs_off(town: Town, address: str, browser: Browser) -> None:
    ticket_id, path = finished(town)
    page = opened(browser, java_script_enabled=False)
    page.goto(f"{address}{path}")
    expect(page.locator("canvas")).to_be_hidden()
    page.locator(".stars label").nth(4).click()
    page.locator("[data-form=sign_off] .button").click()
    expect(page.locator(".note.ok")).to_be_visible()
    assert town.status(ticket_id) == "closed"


def test_a_script_the_page_did_not_bring_does_not_run(town: Town, address: str, browser: Browser) -> None:
    _, path = made(town)
    page = opened(browser)
    page.goto(f"{address}{path}")
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.ran = 1';document.body.append(s)"
    )
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in text for text in page.complaints)  # type: ignore[attr-defined]
