"""The rules of FCM's HTTP v1 messages that Paidan's pushes must keep, written down once.

Source: the discovery document of fcm.googleapis.com v1, and the documented limits it does not state
(4 KB, reserved keys, 28 days, background priority). Fields that Paidan never sends are refused.
"""

import json
import re
from collections.abc import Callable
from typing import Any

_DURATION = re.compile(r"\d+(\.\d{1,9})?s")
_RESERVED = re.compile(r"from|message_type|collapse_key|(google|gcm)\..*")
_PAYLOAD_BYTES_MAX = 4096
_TTL_S_MAX = 28 * 24 * 3600

Check = Callable[[Any, str], None]


class BadMessage(Exception):
    """The field that breaks a rule, and which rule."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"Invalid value at {field}: {why}")
        self.field = field
        self.why = why


def check_request(body: Any) -> dict[str, Any]:
    """The message of a send request. Raises BadMessage for what FCM would answer 400 to."""
    _REQUEST(body, "request")
    message = body.get("message")
    if message is None:
        raise BadMessage("message", "required")
    _check_meaning(message)
    return dict(message)


def _check_meaning(message: dict[str, Any]) -> None:
    if sum(target in message for target in ("token", "topic", "condition")) != 1:
        raise BadMessage("message", "exactly one target")
    for key in message.get("data", {}):
        if _RESERVED.fullmatch(key):
            raise BadMessage(f"message.data[{key}]", "Invalid data payload key")
    payload = {part: message[part] for part in ("data", "notification") if part in message}
    if len(json.dumps(payload, ensure_ascii=False).encode()) > _PAYLOAD_BYTES_MAX:
        raise BadMessage("message", "Message too big")
    ttl = message.get("android", {}).get("ttl")
    if ttl is not None and float(ttl[:-1]) > _TTL_S_MAX:
        raise BadMessage("message.android.ttl", "over 28 days")
    headers = message.get("apns", {}).get("headers", {})
    if headers.get("apns-push-type") == "background" and headers.get("apns-priority") == "10":
        raise BadMessage("message.apns.headers", "background needs priority 5")


def _text(value: Any, field: str) -> None:
    if not isinstance(value, str):
        raise BadMessage(field, "expected string")


def _yes_or_no(value: Any, field: str) -> None:
    if not isinstance(value, bool):
        raise BadMessage(field, "expected boolean")


def _duration(value: Any, field: str) -> None:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise BadMessage(field, "bad duration")


def _one_of(*words: str) -> Check:
    def check(value: Any, field: str) -> None:
        if not isinstance(value, str) or value.upper() not in words:
            raise BadMessage(field, "invalid enum")

    return check


def _record(**fields: Check) -> Check:
    """An object with these fields only; FCM takes both spellings of a name, snake_case and camelCase."""

    def check(value: Any, field: str) -> None:
        if not isinstance(value, dict):
            raise BadMessage(field, "expected object")
        for name, inner in value.items():
            camel = re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)
            if camel not in fields:
                raise BadMessage(f"{field}.{name}", "Cannot find field.")
            fields[camel](inner, f"{field}.{name}")

    return check


def _map_of(inner: Check) -> Check:
    def check(value: Any, field: str) -> None:
        if not isinstance(value, dict):
            raise BadMessage(field, "expected object")
        for name, item in value.items():
            inner(item, f"{field}[{name}]")

    return check


def _anything(value: Any, field: str) -> None:
    """Free JSON: Apple's payload is not FCM's to judge."""


_NOTIFICATION = _record(title=_text, body=_text, image=_text)
_ANDROID = _record(
    collapseKey=_text,
    priority=_one_of("NORMAL", "HIGH"),
    ttl=_duration,
    restrictedPackageName=_text,
    data=_map_of(_text),
    directBootOk=_yes_or_no,
)
_APNS = _record(headers=_map_of(_text), payload=_map_of(_anything))
_WEBPUSH = _record(headers=_map_of(_text), data=_map_of(_text), notification=_map_of(_anything))
_MESSAGE = _record(
    token=_text,
    topic=_text,
    condition=_text,
    data=_map_of(_text),
    notification=_NOTIFICATION,
    android=_ANDROID,
    apns=_APNS,
    webpush=_WEBPUSH,
    fcmOptions=_record(analyticsLabel=_text),
)
_REQUEST = _record(message=_MESSAGE, validateOnly=_yes_or_no)
