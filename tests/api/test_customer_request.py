"""The page on which anybody asks for a repair: what was typed stays, photos come along, nobody floods it."""

import re
import secrets
from uuid import uuid4

import pytest

from api.customer.limits import RequestLimit
from tests.builders import picture
from tests.customer_forms import done, page, send, without_limit
from tests.house import Product, Town


@pytest.fixture(autouse=True)
def _no_limit(product: Product) -> None:
    without_limit(product)


def asked(town: Town, **more: str) -> dict[str, str]:
    return {
        "command_id": str(uuid4()),
        "work_type": "leak",
        "description": "水槽漏水 & more",
        "address": "示例路 2 号",
        "door": "1-101",
        "contact_name": "Chen",
        "contact_phone": "139 0000 1234",
        "language": "en",
        **more,
    }


def tickets(town: Town) -> int:
    rows = town.product.rows(
        "select count(*) as n from tickets where tenant_id = %(tenant)s", town.made.tenant_id
    )
    return int(rows[0]["n"])


def test_a_request_becomes_a_ticket_with_its_photos_and_leads_to_its_link(town: Town) -> None:
    pictures = [picture(secrets.randbits(30)) for _ in range(3)]
    reply = send(town, f"/new/{town.made.slug}", files=pictures, **asked(town))
    done(reply, "request")
    html = page(town, reply.headers["location"])
    assert "We have your request." in html
    assert "水槽漏水 &amp; more" in html
    assert len(re.findall(r'<img src="/c/', html)) == 3
    kinds = town.product.rows(
        "select distinct kind from evidence where tenant_id = %(tenant)s", town.made.tenant_id
    )
    assert kinds == [{"kind": "intake"}]


def test_a_request_sent_twice_is_one_ticket_with_its_photos_once(town: Town) -> None:
    body, pictures = asked(town), [picture(secrets.randbits(30))]
    first, again = (send(town, f"/new/{town.made.slug}", files=pictures, **body) for _ in range(2))
    assert first.headers["location"] == again.headers["location"]
    assert tickets(town) == 1
    assert len(re.findall(r'<img src="/c/', page(town, first.headers["location"]))) == 1


def test_a_bad_photo_does_not_lose_the_request(town: Town) -> None:
    reply = send(town, f"/new/{town.made.slug}", files=[b"nonsense", picture(3)], **asked(town))
    done(reply, "request")
    html = page(town, reply.headers["location"])
    assert "could not keep 1 of the photos" in html
    assert len(re.findall(r'<img src="/c/', html)) == 1


def test_what_was_typed_stays_when_something_is_wrong(town: Town) -> None:
    body = asked(town, contact_phone="call me", description="a leak <b>here</b>", work_type="leak")
    reply = send(town, f"/new/{town.made.slug}?lang=en", **body)
    assert reply.status_code == 422
    assert "Please check: the phone number." in reply.text
    for text in (
        "a leak &lt;b&gt;here&lt;/b&gt;",
        'value="call me"',
        'value="示例路 2 号"',
        'value="leak" required checked',
    ):
        assert text in reply.text, text
    assert body["command_id"] not in reply.text
    assert tickets(town) == 0


@pytest.mark.parametrize("missing", ["work_type", "description", "address", "contact_phone", "command_id"])
def test_a_request_without_what_it_needs_is_refused_in_words(town: Town, missing: str) -> None:
    body = asked(town)
    del body[missing]
    reply = send(town, f"/new/{town.made.slug}?lang=en", **body)
    assert reply.status_code == 422
    assert "Please check" in reply.text


def test_an_unknown_work_type_or_company_is_told(town: Town) -> None:
    assert send(town, f"/new/{town.made.slug}", **asked(town, work_type="magic")).status_code == 422
    assert send(town, "/new/nobody", **asked(town)).status_code == 404
    page(town, "/new/nobody", 404)
    page(town, "/new/%00", 404)


def test_the_trap_field_catches_what_fills_everything(town: Town) -> None:
    reply = send(town, f"/new/{town.made.slug}", **asked(town, website="https://spam.example"))
    assert reply.status_code == 422
    assert tickets(town) == 0


def test_one_address_may_ask_twenty_times_an_hour_whatever_its_headers_say(town: Town) -> None:
    town.product.app.state.request_limit = None
    replies = [
        send(town, f"/new/{town.made.slug}", headers={"x-forwarded-for": f"198.51.100.{n}"}, **asked(town))
        for n in range(21)
    ]
    assert [r.status_code for r in replies] == [303] * 20 + [429]
    assert 3500 < int(replies[-1].headers["retry-after"]) <= 3601
    assert 'value="示例路 2 号"' in replies[-1].text
    body = {**asked(town), "contact_phone": "13900001234"}
    twin = town.product.client.post(f"/customer/v1/{town.made.slug}/tickets", json=body)
    assert (twin.status_code, twin.json()["code"]) == (429, "too_many_requests")
    assert tickets(town) == 20


def test_the_limit_forgets_after_its_time_and_counts_households() -> None:
    now = [0.0]
    limit = RequestLimit(most=2, per_s=100, clock=lambda: now[0])
    assert [limit.wait_s("2001:db8::1"), limit.wait_s("2001:db8::2"), limit.wait_s("192.0.2.1")] == [0, 0, 0]
    assert limit.wait_s("2001:db8::3") == 101
    now[0] = 100.0
    assert limit.wait_s("2001:db8::3") == 0
