"""企业微信 (WeCom): messages of a company's own app to one person, with an accept button; and what they answer.

Sending: `gettoken`, then `message/send`; the provider answers 200 with an errcode. Receiving: the callback's
signature (SHA-1 of the sorted parts) and AES-256-CBC, as published in the provider's documentation.
"""

import base64
import hashlib
import hmac
import struct
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dispatch.adapters.calls import client
from dispatch.adapters.channel import (
    ACCEPTED,
    HTTP_TIMEOUT_S,
    Clock,
    Message,
    Sent,
    by_status,
    gone,
    refused,
    retry,
)

BASE_URL = "https://qyapi.weixin.qq.com"
TITLE_BYTES_MAX = 78
TEXT_BYTES_MAX = 2_000
CALLBACK_BYTES_MAX = 64 * 1024

_TOKEN_ENDED = frozenset({40014, 41001, 42001})
#: -1 busy, 45009 and 45033 too many requests, 50001.. not ours.
_LATER = {-1: 5.0, 45009: 60.0, 45033: 60.0, 10001: 5.0}
#: the person is not in the company, not in the app's range, or has never opened it.
_GONE = frozenset({60111, 40003, 46004, 81013, 82001})


@dataclass(frozen=True, slots=True)
class WeComAccount:
    """A company's app. `callback_token` and `callback_key` are for its answers."""

    corp_id: str
    agent_id: int
    secret: str
    callback_token: str = ""
    callback_key: str = ""


class WeComChannel:
    """A target is the person's user id within the company."""

    def __init__(
        self, account: WeComAccount, clock: Clock, base_url: str = BASE_URL, timeout_s: float = HTTP_TIMEOUT_S
    ) -> None:
        self._account = account
        self._clock = clock
        self._client = client(timeout_s, base_url)
        self._token: tuple[str, datetime] | None = None
        self._lock = threading.Lock()

    def send(self, message: Message) -> Sent:
        if message.expires_at <= self._clock():
            return refused("message_expired")
        if not message.target or "|" in message.target or message.target.startswith("@"):
            return refused("wecom_target_malformed")
        try:
            return self._send(message)
        except httpx.HTTPError:
            return retry("wecom_unreachable")
        except ValueError:
            return retry("wecom_answer_malformed")

    def _send(self, message: Message) -> Sent:
        """A token that ended is asked for anew, once."""
        for fresh in (False, True):
            token, problem = self._access_token(fresh)
            if problem is not None:
                return problem
            answer = self._client.post(
                "/cgi-bin/message/send", params={"access_token": token}, json=self._body(message)
            )
            if answer.status_code != 200:
                return by_status("wecom", answer.status_code, answer.headers)
            said = _object(answer)
            code = int(said.get("errcode", -1))
            if code not in _TOKEN_ENDED:
                return _judge(code, str(said.get("invaliduser") or ""), message.target)
        return refused("wecom_token_refused")

    def _access_token(self, fresh: bool) -> tuple[str, Sent | None]:
        with self._lock:
            now = self._clock()
            if not fresh and self._token is not None and self._token[1] > now:
                return self._token[0], None
            names = {"corpid": self._account.corp_id, "corpsecret": self._account.secret}
            answer = self._client.get("/cgi-bin/gettoken", params=names)
            if answer.status_code != 200:
                return "", by_status("wecom", answer.status_code, answer.headers)
            said = _object(answer)
            code = int(said.get("errcode", -1))
            if code != 0 or not isinstance(said.get("access_token"), str):
                return "", _judge(code or -1, "", "")
            lasts_s = max(60, int(said.get("expires_in", 7200)) - 300)
            self._token = (said["access_token"], now + timedelta(seconds=lasts_s))
            return self._token[0], None

    def _body(self, message: Message) -> dict[str, Any]:
        head = {
            "touser": message.target,
            "agentid": self._account.agent_id,
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 1800,
        }
        title, text = _short(message.title, TITLE_BYTES_MAX), _short(message.text, TEXT_BYTES_MAX)
        if message.button is None:
            whole = f"{title}\n{text}\n{message.url}" if message.url else f"{title}\n{text}"
            return {**head, "msgtype": "text", "text": {"content": whole}}
        card: dict[str, Any] = {
            "card_type": "button_interaction",
            "main_title": {"title": title},
            "sub_title_text": text,
            "task_id": message.key,
            "button_list": [{"text": message.button.label, "style": 1, "key": message.button.key}],
        }
        if message.url:
            card["card_action"] = {"type": 1, "url": message.url}
        return {**head, "msgtype": "template_card", "template_card": card}


def _object(answer: httpx.Response) -> dict[str, Any]:
    said = answer.json()
    if not isinstance(said, dict):
        raise ValueError("not an object")
    return said


def _judge(code: int, not_reached: str, target: str) -> Sent:
    """What an errcode means; `invaliduser` names who was not told though errcode is 0."""
    if code == 0:
        return gone("wecom_invaliduser") if target and target in not_reached.split("|") else ACCEPTED
    if code in _GONE:
        return gone(f"wecom_{code}")
    if code in _LATER:
        return retry(f"wecom_{code}", _LATER[code])
    return refused(f"wecom_{code}")


def _short(text: str, most_bytes: int) -> str:
    return text.encode()[:most_bytes].decode(errors="ignore")


class CallbackRefused(Exception):
    """Not from the provider, or altered."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A person pressed a button of a card."""

    user_id: str
    task_id: str
    key: str


def callback_signature(token: str, timestamp: str, nonce: str, sealed: str) -> str:
    return hashlib.sha1("".join(sorted((token, timestamp, nonce, sealed))).encode()).hexdigest()


def open_callback(account: WeComAccount, signature: str, timestamp: str, nonce: str, sealed: str) -> bytes:
    """The callback's message. Raises CallbackRefused when signature, padding or receiver are wrong."""
    wanted = callback_signature(account.callback_token, timestamp, nonce, sealed)
    if not account.callback_token or not hmac.compare_digest(wanted, signature):
        raise CallbackRefused("signature")
    try:
        key = base64.b64decode(account.callback_key + "=", validate=True)
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = cipher.update(base64.b64decode(sealed, validate=True)) + cipher.finalize()
        body = plain[: -plain[-1]] if 1 <= plain[-1] <= 32 else b""
        (length,) = struct.unpack("!I", body[16:20])
    except (ValueError, struct.error, IndexError) as error:
        raise CallbackRefused("sealed") from error
    message, receiver = body[20 : 20 + length], body[20 + length :]
    if len(message) != length or receiver.decode(errors="replace") != account.corp_id:
        raise CallbackRefused("receiver")
    return message


def sealed_part(xml: bytes) -> str:
    """The `Encrypt` element of a callback's body. Raises CallbackRefused."""
    found = _parse(xml).findtext("Encrypt")
    if not found:
        raise CallbackRefused("body")
    return found


def read_pressed(xml: bytes) -> Pressed | None:
    """The button that was pressed, None for any other message. Raises CallbackRefused."""
    body = _parse(xml)
    if body.findtext("Event") != "template_card_event":
        return None
    return Pressed(
        body.findtext("FromUserName") or "", body.findtext("TaskId") or "", body.findtext("EventKey") or ""
    )


def _parse(xml: bytes) -> ElementTree.Element:
    """XML without a document type: entities are neither defined nor expanded."""
    if len(xml) > CALLBACK_BYTES_MAX or b"<!" in xml.replace(b"<![CDATA[", b""):
        raise CallbackRefused("body")
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise CallbackRefused("body") from error
