"""Headers that protect, on every kind of reply; placeholder secrets are refused."""

import base64
import re
import secrets

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.problems import Limits
from dispatch.settings import PLACEHOLDERS, SettingsError, read_settings
from tests.builders import new_ticket
from tests.house import Town

PAGES = ("/board/", "/phone/", "/new/{slug}", "/c/{link}")
DATA = ("/healthz", "/dispatcher/v1/board", "/engineer/v1/today", "/api/v1/tickets/x", "/nowhere")


def paths(town: Town) -> list[str]:
    link = town.create(new_ticket())["customer_link"].rsplit("/", 1)[1]
    return [path.format(slug=town.made.slug, link=link) for path in (*PAGES, *DATA)]


@pytest.mark.usefixtures("pages")
def test_every_reply_protects_itself(town: Town) -> None:
    for path in paths(town):
        headers = town.product.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] in ("same-origin", "no-referrer"), path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path


@pytest.mark.usefixtures("pages")
def test_no_page_allows_inline_scripts_or_styles_but_under_a_fresh_nonce(town: Town) -> None:
    for path in paths(town)[: len(PAGES)]:
        replies = [town.product.client.get(path) for _ in range(2)]
        policies = [reply.headers["content-security-policy"] for reply in replies]
        assert "unsafe-inline" not in policies[0], path
        assert "unsafe-eval" not in policies[0], path
        nonces = [set(re.findall(r"'nonce-([^']+)'", policy)) for policy in policies]
        assert not nonces[0] & nonces[1], path
        for nonce in nonces[0]:
            assert f'nonce="{nonce}"' in replies[0].text


def test_on_https_browsers_are_told_to_stay_with_it() -> None:
    for secure in (True, False):
        app = FastAPI()
        app.add_middleware(Limits, most_bytes=1000, photo_bytes=1000, secure=secure)
        assert ("strict-transport-security" in TestClient(app).get("/").headers) is secure


@pytest.mark.parametrize("name", ["PAIDAN_SECRET_KEY", "PAIDAN_DATA_KEY"])
@pytest.mark.parametrize("value", [*sorted(PLACEHOLDERS), "A" * 44, "short"])
def test_placeholder_secrets_are_refused(name: str, value: str) -> None:
    good = base64.b64encode(secrets.token_bytes(32)).decode()
    env = {"PAIDAN_DATABASE_URL": "postgresql://x/y", "PAIDAN_SECRET_KEY": good, "PAIDAN_DATA_KEY": good}
    read_settings(env)
    with pytest.raises(SettingsError, match=name):
        read_settings(env | {name: value})


def test_an_earlier_key_is_checked_as_strictly() -> None:
    good = base64.b64encode(secrets.token_bytes(32)).decode()
    env = {"PAIDAN_DATABASE_URL": "postgresql://x/y", "PAIDAN_SECRET_KEY": good, "PAIDAN_DATA_KEY": good}
    with pytest.raises(SettingsError, match="PAIDAN_PREVIOUS_DATA_KEYS"):
        read_settings(env | {"PAIDAN_PREVIOUS_DATA_KEYS": f"{good},changeme"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAIDAN_MAIL_URL", "mail.example:25"),
        ("PAIDAN_MAIL_URL", "http://mail.example"),
        ("PAIDAN_MAIL_URL", "smtp://"),
        ("PAIDAN_MAIL_URL", "smtp://mail.example:notaport"),
        ("PAIDAN_MAIL_FROM", "nobody"),
        ("PAIDAN_SMS_URL", "gateway.example/sms"),
        ("PAIDAN_VOICE_URL", "ftp://gateway.example"),
        ("PAIDAN_VAPID_KEY", "changeme"),
        ("PAIDAN_VAPID_KEY", "A" * 43),
    ],
)
def test_a_malformed_address_or_key_of_a_channel_is_refused_at_the_start(name: str, value: str) -> None:
    good = base64.b64encode(secrets.token_bytes(32)).decode()
    env = {
        "PAIDAN_DATABASE_URL": "postgresql://x/y",
        "PAIDAN_SECRET_KEY": good,
        "PAIDAN_DATA_KEY": good,
        "PAIDAN_MAIL_URL": "smtps://user:pass%40word@mail.example:465",
        "PAIDAN_MAIL_FROM": "paidan@mail.example",
        "PAIDAN_SMS_URL": "https://gateway.example/sms",
        "PAIDAN_VOICE_URL": "http://127.0.0.1:9000/call",
        "PAIDAN_VAPID_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(),
    }
    read_settings(env)
    with pytest.raises(SettingsError, match=name):
        read_settings(env | {name: value})
