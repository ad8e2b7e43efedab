"""The customer's pages as a browser without scripts sees them: forms in, pages out, nothing else changed."""

import re
import secrets
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.builders import SITE, picture
from tests.customer_forms import act, done, form_id, made, offered, page, send, without_limit
from tests.house import Product, Town, ok

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def _no_limit(product: Product) -> None:
    without_limit(product)


def versions(town: Town) -> Any:
    """What an observer could see change: versions, events, stored answers."""
    return town.product.rows(
        "select (select sum(version) from tickets where tenant_id = %(tenant)s) as tickets, "
        "(select count(*) from ticket_events where tenant_id = %(tenant)s) as events, "
        "(select count(*) from commands where tenant_id = %(tenant)s) as answers",
        town.made.tenant_id,
    )


def finished(town: Town) -> tuple[str, str]:
    """A ticket Ana has completed."""
    ticket_id, path = made(town)
    town.assign_by_hand(ticket_id, "Ana")
    town.arrive("Ana", ticket_id)
    town.complete("Ana", ticket_id)
    return ticket_id, path


# the page itself


def test_the_page_says_what_where_when_and_who(town: Town) -> None:
    start = town.product.clock.now().astimezone(SHANGHAI).replace(hour=23, minute=0) + timedelta(days=2)
    end = start + timedelta(minutes=30)
    ticket_id, path = made(town, window_from=start.isoformat(), window_to=end.isoformat())
    town.assign_by_hand(ticket_id, "Ana")
    html = page(town, path)
    for text in (
        "Ana will come to you",
        "示例路 1 号",
        "冷气不凉 not cooling",
        "Survey",
        "23:00–23:30",
        "Example",
    ):
        assert text in html, text
    assert "13900001234" not in html
    assert "Chen" not in html


def test_how_far_the_engineer_is_shows_only_under_way_roughly_and_while_it_is_news(town: Town) -> None:
    ticket_id, path = made(town)
    town.assign_by_hand(ticket_id, "Ana")
    there = {"positions": [town.at_site(lon=SITE.lon + 0.02)]}
    ok(town.product.client.post("/engineer/v1/positions", json=there, headers=town.phone("Ana")))
    assert "within" not in page(town, path)
    ok(town.act("Ana", ticket_id, "set_off"))
    html = page(town, path)
    assert "within 2 km" in html
    assert f"{SITE.lon + 0.02:.2f}" not in html
    town.product.clock.move(minutes=11)
    assert "within" not in page(town, path)


def test_opening_a_page_changes_and_consumes_nothing(town: Town) -> None:
    _, path = finished(town)
    before = versions(town)
    for address in (path, path, f"{path}?done=sign_off", f"{path}?lang=zh", f"/new/{town.made.slug}"):
        page(town, address, purpose="prefetch")
    assert versions(town) == before
    done(act(town, path, "sign_off"), "sign_off")


def test_the_page_offers_only_what_the_server_allows(town: Town) -> None:
    ticket_id, path = made(town)
    assert offered(page(town, path)) == {"urge", "rebook", "cancel", "add_photos"}
    town.assign_by_hand(ticket_id, "Ana")
    assert offered(page(town, path)) == {"urge", "rebook", "cancel", "add_photos"}
    ok(town.act("Ana", ticket_id, "set_off"))
    assert offered(page(town, path)) == {"urge", "rebook", "add_photos"}
    photo = town.photo("Ana", ticket_id, "check_in")
    ok(town.act("Ana", ticket_id, "check_in", photo_ids=[photo], position=town.at_site()))
    assert offered(page(town, path)) == {"add_photos"}
    town.complete("Ana", ticket_id)
    assert offered(page(town, path)) == {"sign_off", "reject"}
    done(act(town, path, "sign_off"), "sign_off")
    assert offered(page(town, path)) == {"reopen"}
    town.product.clock.move(days=8)
    try:
        assert offered(page(town, path)) == set()
    finally:
        town.product.clock.move(days=-8)


def test_the_language_is_the_tickets_until_it_is_switched(town: Town) -> None:
    _, english = made(town, language="en")
    _, chinese = made(town, language="zh")
    assert '<html lang="en">' in page(town, english)
    assert '<html lang="zh-CN">' in page(town, chinese)
    assert '<html lang="zh-CN">' in page(town, f"{english}?lang=zh")
    assert '<html lang="en">' in page(town, f"{english}?lang=tlh")
    reply = send(town, f"{english}?lang=zh", action="urge", command_id=str(uuid4()))
    assert reply.headers["location"] == f"{english}?done=urge&lang=zh"


def test_times_are_on_the_companys_wall_clock(town: Town) -> None:
    _, path = made(town)
    local = town.product.clock.now().astimezone(SHANGHAI)
    html = page(town, path)
    near = {f"{local - timedelta(minutes=m):%H:%M}" for m in range(3)}
    assert any(f"Today {time}" in html for time in near)


def test_a_demo_company_is_marked(town: Town) -> None:
    _, path = made(town)
    assert 'class="demo"' not in page(town, path)
    town.product.rows(
        "update tenants set is_demo = true where id = %(tenant)s returning 1", town.made.tenant_id
    )
    assert ">示例</span>" in page(town, f"{path}?lang=zh")
    assert ">Demo</span>" in page(town, f"/new/{town.made.slug}?lang=en")


def test_only_what_carries_the_pages_nonce_runs_and_nothing_comes_from_elsewhere(town: Town) -> None:
    _, path = finished(town)
    for address in (path, f"/new/{town.made.slug}", "/c/unknown"):
        reply = town.product.client.get(address)
        policy = reply.headers["content-security-policy"]
        nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
        assert nonce
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        opened = re.findall(r"<(?:script|style)[\s>][^>]*>?", reply.text)
        assert opened
        assert all(f'nonce="{nonce[1]}"' in tag for tag in opened)
        assert not re.search(r"""\s(?:style|on\w+)=["']""", reply.text)
        assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", reply.text)
        assert reply.headers["cache-control"] == "no-store"
    again = town.product.client.get(path).headers["content-security-policy"]
    assert again != policy


def test_what_others_typed_is_shown_as_text(town: Town) -> None:
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    _, path = made(town, description=nasty, address=nasty)
    html = page(town, path)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


# links


@pytest.mark.parametrize("token", ["unknown", "%00", "x" * 500, "ä", "pdk_12345678_abc"])
def test_an_unknown_link_is_a_page_without_detail(town: Town, token: str) -> None:
    html = page(town, f"/c/{token}", 404)
    assert "Ask the company for a new one" in page(town, "/c/unknown", 404, **{"accept-language": "en"})
    assert "新链接" in html
    reply = send(town, "/c/unknown", action="urge", command_id=str(uuid4()))
    assert reply.status_code == 404


def test_a_link_that_ended_is_like_one_that_never_was(town: Town) -> None:
    ticket_id, path = made(town)
    _, revoked = made(town)
    unknown = page(town, "/c/unknown", 404)
    plain = re.compile(r'nonce(=|-)"?[\w-]+')
    town.product.rows(
        "update customer_links set revoked_at = now() where token_hash = sha256(%(token)s) returning 1",
        token=revoked.removeprefix("/c/").encode(),
    )
    assert plain.sub("", page(town, revoked, 404)) == plain.sub("", unknown)
    town.product.clock.move(days=61)
    try:
        assert plain.sub("", page(town, path, 404)) == plain.sub("", unknown)
        assert send(town, path, action="cancel", reason="other", command_id=str(uuid4())).status_code == 404
    finally:
        town.product.clock.move(days=-61)
    assert town.status(ticket_id) == "open"


def test_a_link_shows_its_own_tickets_photos_only(town: Town) -> None:
    _, path = finished(town)
    _, other = made(town)
    photo_id = re.findall(r"/photos/([0-9a-f-]{36})\"", page(town, path))[0]
    client = town.product.client
    thumb = client.get(f"{path}/photos/{photo_id}")
    assert (thumb.status_code, thumb.headers["content-type"]) == (200, "image/webp")
    assert client.get(f"{path}/photos/{photo_id}?size=large").headers["content-type"] == "image/jpeg"
    for address in (f"{other}/photos/{photo_id}", f"{path}/photos/{uuid4()}", f"{path}/photos/no-id"):
        reply = client.get(address)
        assert reply.status_code == 404, address
        assert "text/html" in reply.headers["content-type"]
    assert client.get(f"{path}/photos/{photo_id}?size=original").status_code == 422


# acting


def test_a_form_sent_twice_is_applied_once(town: Town) -> None:
    ticket_id, path = made(town)
    command_id = form_id(page(town, path), "urge")
    for _ in range(2):
        done(send(town, path, action="urge", command_id=command_id), "urge")
    rows = town.product.rows("select urged from tickets where id = %(t)s", t=ticket_id)
    assert rows[0]["urged"] == 1
    done(act(town, path, "urge"), "urge")
    rows = town.product.rows("select urged from tickets where id = %(t)s", t=ticket_id)
    assert rows[0]["urged"] == 2


def test_every_form_of_a_page_has_a_command_of_its_own(town: Town) -> None:
    _, path = made(town)
    ids = re.findall(r'name="command_id" value="([^"]+)"', page(town, path))
    assert len(ids) == len(set(ids)) == 4


def test_a_visit_that_mended_nothing_is_not_called_work_that_is_done(town: Town) -> None:
    _, path = finished(town)
    assert "The work is done" in page(town, path)
    ticket_id, path = made(town)
    town.assign_by_hand(ticket_id, "Ana")
    town.arrive("Ana", ticket_id)
    town.complete("Ana", ticket_id, "not_fixed")
    assert "The visit is over" in page(town, path)


def test_the_customer_signs_off_with_stars_and_words(town: Town) -> None:
    ticket_id, path = finished(town)
    done(act(town, path, "sign_off", rating="4", text="谢谢 thanks"), "sign_off")
    assert town.status(ticket_id) == "closed"
    rows = town.product.rows(
        "select rating, text, actor from acceptances where ticket_id = %(t)s", t=ticket_id
    )
    assert rows == [{"rating": 4, "text": "谢谢 thanks", "actor": "customer"}]
    assert "All done, thank you" in page(town, path)


def test_a_signature_sent_before_the_form_is_kept_with_the_verdict(town: Town) -> None:
    ticket_id, path = finished(town)
    photo_id = str(uuid4())
    reply = town.product.client.put(
        f"/customer/v1/photos/{photo_id}?kind=signature",
        content=picture(1),
        headers={"Authorization": f"Bearer {path.removeprefix('/c/')}"},
    )
    assert reply.status_code == 201, reply.text
    done(act(town, path, "sign_off", photo_ids=photo_id), "sign_off")
    rows = town.product.rows("select signature_id from acceptances where ticket_id = %(t)s", t=ticket_id)
    assert str(rows[0]["signature_id"]) == photo_id


def test_not_accepted_needs_a_reason_and_keeps_the_photos(town: Town) -> None:
    ticket_id, path = finished(town)
    reply = act(town, path, "reject", text="still warm")
    assert reply.status_code == 422
    assert "Still missing: a reason." in reply.text
    assert "still warm" in reply.text
    assert town.status(ticket_id) == "awaiting_acceptance"
    pictures = [picture(secrets.randbits(30)) for _ in range(2)]
    done(act(town, path, "reject", reason="not_fixed", text="still warm", files=pictures), "reject")
    assert town.status(ticket_id) == "assigned"
    rows = town.product.rows(
        "select count(*) as n from evidence where ticket_id = %(t)s and kind = 'reject'", t=ticket_id
    )
    assert rows[0]["n"] == 2


def test_a_file_that_is_no_photo_stops_the_rejection_in_words(town: Town) -> None:
    ticket_id, path = finished(town)
    reply = act(town, path, "reject", reason="damage", text="kept text", files=[b"%PDF-1.7 not a photo"])
    assert reply.status_code == 422
    assert "That photo cannot be used" in reply.text
    assert "kept text" in reply.text
    assert town.status(ticket_id) == "awaiting_acceptance"


def test_the_quote_is_shown_with_its_lines_and_answered(town: Town) -> None:
    for answer, status in (("approve_quote", "You agreed"), ("refuse_quote", "You declined")):
        ticket_id, path = made(town)
        town.assign_by_hand(ticket_id, "Ana")
        town.arrive("Ana", ticket_id)
        lines = [{"kind": "part", "text": "Capacitor", "quantity": "2.5", "unit_price_minor": 4555}]
        ok(town.act("Ana", ticket_id, "quote", currency="CNY", quote_lines=lines))
        html = page(town, path)
        for text in ("Please look at the quote", "Capacitor", "2.5 × ¥45.55", "¥113.88"):
            assert text in html, text
        done(act(town, path, answer), answer)
        html = page(town, path)
        assert status in html
        assert not {"approve_quote", "refuse_quote"} & offered(html)
        ok(town.act("Ana", ticket_id, "hold", reason="approval"))


def test_another_appointment_is_read_on_the_companys_wall_clock(town: Town) -> None:
    ticket_id, path = made(town)
    day = (town.product.clock.now().astimezone(SHANGHAI) + timedelta(days=3)).date()
    done(act(town, path, "rebook", day=str(day), **{"from": "14:00", "to": "16:30"}), "rebook")
    window = town.view(ticket_id)["ticket"]["window"]
    assert window["start"].startswith(f"{day}T06:00")
    assert "14:00–16:30" in page(town, path)


@pytest.mark.parametrize(
    ("day", "start", "end", "says"),
    [
        (1, "16:00", "14:00", "These hours do not work"),
        (-2, "10:00", "12:00", "These hours do not work"),
        (1, "", "12:00", "Please give the day"),
        (1, "25:61", "12:00", "These hours do not work"),
        (1, "10:00+08:00", "12:00", "These hours do not work"),
    ],
)
def test_hours_that_do_not_work_are_refused_and_stay_in_the_form(
    town: Town, day: int, start: str, end: str, says: str
) -> None:
    _, path = made(town)
    wanted = (town.product.clock.now().astimezone(SHANGHAI) + timedelta(days=day)).date()
    reply = act(town, path, "rebook", day=str(wanted), **{"from": start, "to": end})
    assert reply.status_code == 422
    assert says in reply.text
    assert f'name="to" value="{end}"' in reply.text


def test_cancelled_with_a_reason_then_nothing_is_left_to_do(town: Town) -> None:
    ticket_id, path = made(town)
    assert act(town, path, "cancel", reason="not a code").status_code == 422
    assert "choose a reason" in act(town, path, "cancel", reason="gone").text
    done(act(town, path, "cancel", reason="no_longer_needed", text="sold it"), "cancel")
    assert town.status(ticket_id) == "cancelled"
    assert offered(page(town, path)) == set()


def test_reopened_within_the_days_with_a_reason(town: Town) -> None:
    ticket_id, path = finished(town)
    done(act(town, path, "sign_off"), "sign_off")
    done(act(town, path, "reopen", reason="fault_returned"), "reopen")
    assert town.status(ticket_id) == "open"


def test_a_step_that_came_too_late_is_told_and_shown_as_it_is_now(town: Town) -> None:
    ticket_id, path = made(town)
    command_id = form_id(page(town, path), "cancel")
    town.assign_by_hand(ticket_id, "Ana")
    ok(town.act("Ana", ticket_id, "set_off"))
    reply = send(town, path, action="cancel", command_id=command_id, reason="other")
    assert reply.status_code == 409
    assert "The ticket is now “on the way”" in reply.text
    assert "Ana is on the way" in reply.text


def test_a_changed_form_under_an_old_command_is_told_and_can_be_sent_again(town: Town) -> None:
    _, path = finished(town)
    command_id = form_id(page(town, path), "sign_off")
    done(send(town, path, action="sign_off", command_id=command_id, rating="5"), "sign_off")
    reply = send(town, path, action="sign_off", command_id=command_id, rating="1")
    assert reply.status_code == 422
    assert "was sent before" in reply.text


@pytest.mark.parametrize(
    "fields", [{}, {"action": "assign"}, {"action": "urge"}, {"action": "urge", "command_id": "x"}]
)
def test_a_malformed_form_is_a_page_and_changes_nothing(town: Town, fields: dict[str, str]) -> None:
    _, path = made(town)
    before = versions(town)
    reply = send(town, path, **fields)
    assert reply.status_code == 422
    assert 'class="note bad"' in reply.text
    assert versions(town) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": "http://testserver"}, 303),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, 303),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
    ],
)
def test_a_form_from_another_site_is_refused(town: Town, headers: dict[str, str], status: int) -> None:
    _, path = made(town)
    before = versions(town)
    reply = send(town, path, action="urge", command_id=str(uuid4()), headers=headers)
    assert reply.status_code == status
    assert (versions(town) == before) == (status == 403)


def test_a_missing_origin_check_is_seen(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.customer.pages.check_origin", lambda request, here: None)
    with pytest.raises(AssertionError):
        test_a_form_from_another_site_is_refused(town, {"sec-fetch-site": "cross-site"}, 403)


def test_a_command_id_that_is_not_kept_is_seen(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.customer.forms.Sent.command_id", property(lambda self: uuid4()))
    with pytest.raises(AssertionError):
        test_a_form_sent_twice_is_applied_once(town)


def test_photos_added_later_are_shown(town: Town) -> None:
    _, path = made(town)
    done(act(town, path, "add_photos", files=[picture(7)]), "add_photos")
    assert len(re.findall(r'<img src="/c/', page(town, path))) == 1
    reply = act(town, path, "add_photos", files=[picture(n) for n in range(6)])
    assert reply.status_code == 422
    assert "too many photos" in reply.text


def test_an_unforeseen_failure_is_a_page_with_its_trace(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    _, path = made(town)
    monkeypatch.setattr("api.customer.pages.progress.headline", broken)
    html = page(town, f"{path}?lang=en", 500)
    assert "secret detail" not in html
    assert re.search(r"Trace [0-9a-f]{16}", html)
