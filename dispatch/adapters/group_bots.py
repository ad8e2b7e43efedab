"""钉钉 (DingTalk) and 飞书 (Feishu) group bots, with signed requests. Both answer 200 with a code of their own."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import httpx

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

DINGTALK_URL = "https://oapi.dingtalk.com"
FEISHU_URL = "https://open.feishu.cn"
TEXT_LENGTH_MAX = 4_000

#: 130101: more than 20 messages a minute; -1 busy.
_DINGTALK_LATER = {130101: 60.0, -1: 5.0}
_DINGTALK_GONE = frozenset({300001, 400101, 400102})
#: 11232, 9499 with 429: too many requests.
_FEISHU_LATER = {11232: 60.0, 1254290: 60.0}
_FEISHU_GONE = frozenset({19001})


class DingTalkChannel:
    """A target is the bot's access token, a line break and its signing secret."""

    def __init__(self, clock: Clock, base_url: str = DINGTALK_URL, timeout_s: float = HTTP_TIMEOUT_S) -> None:
        self._clock = clock
        self._client = client(timeout_s, base_url)

    def send(self, message: Message) -> Sent:
        token, _, secret = message.target.partition("\n")
        if not token or not secret:
            return refused("dingtalk_target_malformed")
        if message.expires_at <= self._clock():
            return refused("message_expired")
        stamp = str(int(self._clock().timestamp() * 1000))
        sign = dingtalk_sign(stamp, secret)
        body = {"msgtype": "markdown", "markdown": {"title": message.title[:100], "text": _text(message)}}
        query = {"access_token": token, "timestamp": stamp, "sign": sign}
        said = _ask(self._client, "dingtalk", "/robot/send", body, query)
        return said if isinstance(said, Sent) else _judge("dingtalk", said, "errcode")


class FeishuChannel:
    """A target is the bot's hook id, a line break and its signing secret."""

    def __init__(self, clock: Clock, base_url: str = FEISHU_URL, timeout_s: float = HTTP_TIMEOUT_S) -> None:
        self._clock = clock
        self._client = client(timeout_s, base_url)

    def send(self, message: Message) -> Sent:
        hook, _, secret = message.target.partition("\n")
        if not hook or not secret or "/" in hook:
            return refused("feishu_target_malformed")
        if message.expires_at <= self._clock():
            return refused("message_expired")
        stamp = str(int(self._clock().timestamp()))
        body = {
            "timestamp": stamp,
            "sign": feishu_sign(stamp, secret),
            "msg_type": "text",
            "content": {"text": f"{message.title}\n{_text(message)}"},
        }
        said = _ask(self._client, "feishu", f"/open-apis/bot/v2/hook/{hook}", body, {})
        return said if isinstance(said, Sent) else _judge("feishu", said, "code")


def dingtalk_sign(stamp: str, secret: str) -> str:
    """HMAC-SHA256 with the secret over `stamp`, a line break and the secret; base64."""
    digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def feishu_sign(stamp: str, secret: str) -> str:
    """HMAC-SHA256 of nothing, with `stamp`, a line break and the secret as its key; base64."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()


def _text(message: Message) -> str:
    return (f"{message.text}\n{message.url}" if message.url else message.text)[:TEXT_LENGTH_MAX]


def _ask(
    asking: httpx.Client, name: str, path: str, body: Mapping[str, Any], query: Mapping[str, str]
) -> Sent | dict[str, Any]:
    """What the provider said, or the outcome where it said nothing of use."""
    try:
        answer = asking.post(path, json=body, params=query)
        if answer.status_code != 200:
            return by_status(name, answer.status_code, answer.headers)
        said = answer.json()
    except httpx.HTTPError:
        return retry(f"{name}_unreachable")
    except ValueError:
        return retry(f"{name}_answer_malformed")
    return said if isinstance(said, dict) else retry(f"{name}_answer_malformed")


def _judge(name: str, said: Mapping[str, Any], field: str) -> Sent:
    code = said.get(field)
    if code == 0:
        return ACCEPTED
    if not isinstance(code, int):
        return retry(f"{name}_answer_malformed")
    later = _DINGTALK_LATER if name == "dingtalk" else _FEISHU_LATER
    ended = _DINGTALK_GONE if name == "dingtalk" else _FEISHU_GONE
    if code in later:
        return retry(f"{name}_{code}", later[code])
    return gone(f"{name}_{code}") if code in ended else refused(f"{name}_{code}")
