"""Each channel against a provider on this machine that refuses what is malformed and answers with its codes."""

import base64
import json
import os
import smtplib
import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dispatch.adapters import wecom
from dispatch.adapters.channel import Button, Message, Sent
from dispatch.adapters.group_bots import DingTalkChannel, FeishuChannel
from dispatch.adapters.mail import MailChannel
from dispatch.adapters.outside import OutsideClient
from dispatch.adapters.sms import HttpSms, KeptSms, SmsChannel
from dispatch.adapters.voice import HttpVoice, KeptVoice, VoiceChannel
from dispatch.adapters.webpush import WebPushChannel, padded, point
from dispatch.adapters.wecom import (
    CallbackRefused,
    WeComAccount,
    WeComChannel,
    callback_signature,
    open_callback,
    read_pressed,
    sealed_part,
)
from dispatch.settings import Clock
from tests.fakes import tell_services as fake

ACCOUNT = WeComAccount("corp", 7, "secret")
NOW = Clock.wall


def message(target: str, **more: Any) -> Message:
    until = NOW() + timedelta(minutes=5)
    return replace(Message(target, "派单", "冷气不凉 New offer", "key-1", until), **more)


def codes(sent: Sent) -> tuple[str, str | None]:
    return sent.outcome, sent.code


# 企业微信


def test_wecom_sends_a_card_with_a_button_and_asks_for_one_token_only() -> None:
    with fake.running(fake.wecom) as service:
        channel = WeComChannel(ACCOUNT, NOW, service.url)
        for _ in range(3):
            assert channel.send(message("ana", button=Button("接单", "accept"))).outcome == "accepted"
        assert service.tokens == 1
        card = service.accepted[0]["template_card"]
        assert (card["task_id"], card["button_list"][0]["key"]) == ("key-1", "accept")


@pytest.mark.parametrize(
    ("script", "outcome", "code"),
    [
        ([42001], "accepted", None),
        ([40014], "accepted", None),
        ([42001, 42001], "refused", "wecom_token_refused"),
        ([45009], "retry", "wecom_45009"),
        ([-1], "retry", "wecom_-1"),
        ([60111], "gone", "wecom_60111"),
        ([{"errcode": 0, "invaliduser": "ana"}], "gone", "wecom_invaliduser"),
        ([48002], "refused", "wecom_48002"),
        ([{"nothing": 1}], "retry", "wecom_-1"),
    ],
)
def test_wecom_means_what_its_errcode_says(script: list[Any], outcome: str, code: str | None) -> None:
    with fake.running(fake.wecom) as service:
        service.script = list(script)
        assert codes(WeComChannel(ACCOUNT, NOW, service.url).send(message("ana"))) == (outcome, code)
        assert service.tokens == (2 if script[0] in (42001, 40014) else 1)


def test_wecom_believing_http_alone_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage: every 200 is a success."""
    monkeypatch.setattr(wecom, "_judge", lambda code, reached, target: wecom.ACCEPTED)
    with pytest.raises(AssertionError):
        test_wecom_means_what_its_errcode_says([60111], "gone", "wecom_60111")


@pytest.mark.parametrize(
    ("name", "query", "change"),
    [
        ("no_token", {}, {}),
        ("stale_token", {"access_token": "token-0"}, {}),
        ("no_person", {"access_token": "token-1"}, {"touser": ""}),
        ("wrong_agent", {"access_token": "token-1"}, {"agentid": 8}),
        ("unknown_kind", {"access_token": "token-1"}, {"msgtype": "shout"}),
    ],
)
def test_the_fake_wecom_refuses_malformed_requests(
    name: str, query: dict[str, str], change: dict[str, Any]
) -> None:
    with fake.running(fake.wecom) as service:
        httpx.get(f"{service.url}/cgi-bin/gettoken", params={"corpid": "corp", "corpsecret": "secret"})
        body = {"touser": "ana", "agentid": 7, "msgtype": "text", **change}
        said = httpx.post(f"{service.url}/cgi-bin/message/send", params=query, json=body).json()
        assert (said["errmsg"], service.refusals) == (name, [name])


def test_the_callbacks_signature_and_cipher_are_those_the_provider_published() -> None:
    """The example of the provider's documentation for verifying the callback's address."""
    account = WeComAccount(
        "wx5823bf96d3bd56c7", 1, "", "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
    )
    sealed = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    signature = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert open_callback(account, signature, "1409659589", "263014780", sealed) == b"1616140317555161061"
    for wrong in (signature[::-1], "", "0" * 40):
        with pytest.raises(CallbackRefused):
            open_callback(account, wrong, "1409659589", "263014780", sealed)
    with pytest.raises(CallbackRefused):
        open_callback(replace(account, corp_id="other"), signature, "1409659589", "263014780", sealed)


def seal(account: WeComAccount, text: bytes) -> str:
    key = base64.b64decode(account.callback_key + "=")
    body = os.urandom(16) + struct.pack("!I", len(text)) + text + account.corp_id.encode()
    pad = 32 - len(body) % 32
    sealer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(sealer.update(body + bytes([pad]) * pad) + sealer.finalize()).decode()


def test_a_pressed_button_is_read_and_anything_else_is_nothing() -> None:
    account = replace(
        ACCOUNT, callback_token="t", callback_key=base64.b64encode(os.urandom(32)).decode()[:43]
    )
    xml = (
        b"<xml><FromUserName><![CDATA[ana]]></FromUserName><Event><![CDATA[template_card_event]]></Event>"
        b"<TaskId><![CDATA[key-1]]></TaskId><EventKey><![CDATA[accept]]></EventKey></xml>"
    )
    sealed = seal(account, xml)
    outer = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
    signature = callback_signature("t", "1", "2", sealed_part(outer))
    pressed = read_pressed(open_callback(account, signature, "1", "2", sealed))
    assert pressed == wecom.Pressed("ana", "key-1", "accept")
    assert read_pressed(b"<xml><Event>enter_agent</Event></xml>") is None
    for bad in (b"<xml", b'<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>', b"<xml></xml>"):
        with pytest.raises(CallbackRefused):
            sealed_part(bad)


# 钉钉, 飞书


@pytest.mark.parametrize(
    ("script", "outcome"), [([], "accepted"), ([130101], "retry"), ([300001], "gone"), ([310000], "refused")]
)
def test_dingtalk_means_what_its_errcode_says(script: list[int], outcome: str) -> None:
    with fake.running(fake.dingtalk) as service:
        service.script = script
        assert DingTalkChannel(NOW, service.url).send(message("bot\nSEC1")).outcome == outcome
        assert service.refusals == []


@pytest.mark.parametrize(
    ("script", "outcome"), [([], "accepted"), ([11232], "retry"), ([19001], "gone"), ([19024], "refused")]
)
def test_feishu_means_what_its_code_says(script: list[int], outcome: str) -> None:
    with fake.running(fake.feishu) as service:
        service.script = script
        assert FeishuChannel(NOW, service.url).send(message("bot\nSEC2")).outcome == outcome
        assert service.refusals == []


def bot_requests(kind: str) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    now = NOW().timestamp()
    ding = {"access_token": "bot", "timestamp": str(int(now * 1000)), "sign": "x"}
    fei = {"timestamp": str(int(now)), "sign": "x", "content": {"text": "t"}}
    old = str(int(now - 9000))
    if kind == "dingtalk":
        from dispatch.adapters.group_bots import dingtalk_sign

        signed = {**ding, "sign": dingtalk_sign(ding["timestamp"], "SEC1")}
        return [
            ("unknown_token", {**ding, "access_token": "no"}, {}),
            ("no_timestamp", {**ding, "timestamp": ""}, {}),
            ("stale_timestamp", {**ding, "timestamp": f"{old}000"}, {}),
            ("wrong_sign", ding, {}),
            ("no_text", signed, {"markdown": {}}),
        ]
    from dispatch.adapters.group_bots import feishu_sign

    return [
        ("unknown_hook", {"hook": "no"}, fei),
        ("no_timestamp", {}, {**fei, "timestamp": ""}),
        ("stale_timestamp", {}, {**fei, "timestamp": old}),
        ("wrong_sign", {}, fei),
        ("no_text", {}, {**fei, "sign": feishu_sign(fei["timestamp"], "SEC2"), "content": {}}),
    ]


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_the_fake_bots_refuse_five_malformed_requests(kind: str) -> None:
    with fake.running(fake.dingtalk if kind == "dingtalk" else fake.feishu) as service:
        for name, query, body in bot_requests(kind):
            path = (
                "/robot/send" if kind == "dingtalk" else f"/open-apis/bot/v2/hook/{query.get('hook', 'bot')}"
            )
            said = httpx.post(service.url + path, params=query, json=body).json()
            assert name in (said.get("errmsg"), said.get("msg")), said
        assert len(service.refusals) == 5


# text messages and calls


Make = Callable[[str, str], Any]
GATEWAYS: dict[str, Make] = {
    "sms": lambda url, token: SmsChannel(HttpSms(url, token), NOW),
    "voice": lambda url, token: VoiceChannel(HttpVoice(url, token), NOW),
}


@pytest.mark.parametrize("kind", GATEWAYS)
def test_gateways_are_asked_well_and_understood(kind: str) -> None:
    with fake.running(fake.gateway) as service:
        channel = GATEWAYS[kind](service.url, "token")
        assert channel.send(message("139 0000-1234")).outcome == "accepted"
        assert service.accepted[0]["to"] == "13900001234"
        service.script = [(429, {"Retry-After": "7"}), (503, {}), (404, {}), (400, {})]
        answers = [channel.send(message("13900001234")) for _ in range(4)]
        assert [a.outcome for a in answers] == ["retry", "retry", "gone", "refused"]
        assert answers[0].after_s == 7
        assert channel.send(message("not a number")).outcome == "refused"
        assert channel.send(message("13900001234", expires_at=NOW())).code == "message_expired"
        assert service.refusals == []
        assert GATEWAYS[kind](service.url, "wrong").send(message("13900001234")).code == f"{kind}_http_401"
    assert GATEWAYS[kind]("http://127.0.0.1:1/", "token").send(message("13900001234")).outcome == "retry"


@pytest.mark.parametrize(
    ("name", "headers", "body"),
    [
        ("no_token", {}, {"to": "1"}),
        ("not_json", {"Authorization": "Bearer token"}, {}),
        ("no_number", {"Authorization": "Bearer token"}, {"to": "x", "text": "t", "key": "k"}),
        ("no_text", {"Authorization": "Bearer token"}, {"to": "13900001234", "key": "k"}),
        ("no_key", {"Authorization": "Bearer token"}, {"to": "13900001234", "text": "t"}),
    ],
)
def test_the_fake_gateway_refuses_malformed_requests(
    name: str, headers: dict[str, str], body: dict[str, str]
) -> None:
    with fake.running(fake.gateway) as service:
        assert httpx.post(service.url, headers=headers, json=body).json() == {"error": name}


def test_those_that_keep_what_they_are_given_keep_it() -> None:
    sms, voice = KeptSms(), KeptVoice()
    assert (
        SmsChannel(sms, NOW).send(message("13900001234", url="https://x.example/c/1")).outcome == "accepted"
    )
    assert VoiceChannel(voice, NOW).send(message("13900001234")).outcome == "accepted"
    assert sms.kept[0].text.endswith("https://x.example/c/1")
    assert voice.kept[0].text.startswith("派单. ")


# browsers


class Browser:
    """A browser's subscription, and the keys only it has."""

    def __init__(self, url: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.secret = os.urandom(16)
        self.point = point(self.key.public_key())
        keys = {"p256dh": padded(self.point), "auth": padded(self.secret)}
        self.target = json.dumps({"endpoint": f"{url}/push/1", "keys": keys})


VAPID = padded(b"\x07" * 32)


def test_a_web_push_is_read_by_its_browser_and_by_nobody_else() -> None:
    with fake.running(fake.webpush) as service:
        browser, other = Browser(service.url), Browser(service.url)
        service.extra = {"key": browser.key, "secret": browser.secret, "point": browser.point}
        channel = WebPushChannel(VAPID, "mailto:a@b.example", NOW, OutsideClient({"127.0.0.1"}))
        assert channel.send(message(browser.target)).outcome == "accepted"
        assert service.accepted[0]["title"] == "派单"
        assert channel.send(message(other.target)).outcome == "refused"
        assert service.refusals == ["cannot_be_read"]
        service.script = [(410, {}), (429, {"Retry-After": "9"}), (500, {})]
        answers = [channel.send(message(browser.target)) for _ in range(3)]
        assert [a.outcome for a in answers] == ["gone", "retry", "retry"]
        assert channel.send(message("{}")).code == "webpush_subscription_malformed"
        assert channel.send(message(browser.target, text="x" * 4000)).code == "webpush_too_large"
        inside = WebPushChannel(VAPID, "mailto:a@b.example", NOW, OutsideClient())
        assert inside.send(message(browser.target)).code == "url_not_https"


@pytest.mark.parametrize(
    ("name", "headers", "body"),
    [
        ("no_ttl", {}, b""),
        ("not_sealed", {"TTL": "60"}, b""),
        ("too_large", {"TTL": "60", "Content-Encoding": "aes128gcm"}, b"x" * 5000),
        ("not_ours", {"TTL": "60", "Content-Encoding": "aes128gcm"}, b"x"),
    ],
)
def test_the_fake_push_service_refuses_malformed_requests(
    name: str, headers: dict[str, str], body: bytes
) -> None:
    with fake.running(fake.webpush) as service:
        assert httpx.post(service.url, headers=headers, content=body).json() == {"error": name}


# mail


def test_a_letter_arrives_with_all_a_letter_needs_and_codes_are_understood() -> None:
    with fake.running_mail() as server:
        channel = MailChannel(server.url, "paidan@a.example", NOW)
        assert channel.send(message("chen@b.example", url="https://x.example/c/1")).outcome == "accepted"
        (to, letter) = server.accepted[0]
        assert to == "chen@b.example"
        assert "Auto-Submitted: auto-generated" in letter
        assert "key-1@a.example" in letter
        server.script = ["550 no such box", "450 later", "554 no"]
        answers = [channel.send(message("chen@b.example")) for _ in range(3)]
        assert [codes(a) for a in answers] == [
            ("gone", "mail_550"), ("retry", "mail_450"), ("refused", "mail_554"),
        ]  # fmt: skip
        for bad in ("nobody", "a@b\r\nBcc: x@y.example", "a@b,c@d", ""):
            assert channel.send(message(bad)).code == "mail_address_malformed"
        title = message("chen@b.example", title="a\r\nBcc: x@y.example")
        assert channel.send(title).outcome == "accepted"
        assert "\r\nBcc:" not in server.accepted[-1][1].split("\r\n\r\n")[0].replace("Subject: a Bcc:", "")
    assert (
        MailChannel("smtp://127.0.0.1:1", "p@a.example", NOW).send(message("c@b.example")).outcome == "retry"
    )
    with pytest.raises(ValueError, match="mail"):
        MailChannel("http://127.0.0.1", "p@a.example", NOW)


@pytest.mark.parametrize("missing", ["From", "To", "Subject", "Date", "Message-ID"])
def test_the_fake_mail_server_refuses_a_letter_that_lacks_something(missing: str) -> None:
    lines = [f"{name}: x" for name in ("From", "To", "Subject", "Date", "Message-ID") if name != missing]
    with fake.running_mail() as server:
        port = int(server.url.rsplit(":", 1)[1])
        with smtplib.SMTP("127.0.0.1", port) as mail, pytest.raises(smtplib.SMTPDataError):
            mail.sendmail("a@a.example", ["b@b.example"], "\r\n".join(lines) + "\r\n\r\nhi")
        assert server.refusals == [f"no_{missing.lower()}"]
