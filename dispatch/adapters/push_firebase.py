"""Pushes through Firebase Cloud Messaging, or through a server that speaks the same protocol."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import firebase_admin
from firebase_admin import credentials, exceptions, messaging
from google.auth.exceptions import GoogleAuthError
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from dispatch.adapters.push import PushMessage, PushResult
from dispatch.domain.tracing import answered, span, tracing_headers

FCM_URL = "https://fcm.googleapis.com"
_CHUNK = 50
_HTTP_TIMEOUT_S = 5
_PAYLOAD_BYTES_MAX = 4096
_TTL_S_MAX = 28 * 24 * 3600
#: Where the provider names no time: its own advice for what timed out or broke, and for too many at once.
_RETRY_S_DEFAULT = 10.0
_RETRY_S_QUOTA = 60.0
_RETRY_S_MIN = 1.0
_RETRY_S_MAX = 600.0
_RESERVED_WORDS = {"from", "message_type", "collapse_key"}
_RESERVED_PREFIXES = ("google.", "gcm.")
_APNS_COLLAPSE_BYTES = 64


class FirebasePushSender:
    """A PushSender. One instance per process is enough; it may be used from several threads."""

    def __init__(
        self, service_account: Mapping[str, Any], clock: Callable[[], datetime], fcm_url: str = FCM_URL
    ) -> None:
        """`service_account` is the key file's content; its token_uri says where access tokens come from.

        Raises ValueError when the key is malformed. Nothing is sent yet.
        """
        self._clock = clock
        self._app = firebase_admin.initialize_app(
            credentials.Certificate(dict(service_account)),
            {"httpTimeout": _HTTP_TIMEOUT_S},
            name=f"paidan-{uuid.uuid4().hex}",
        )
        _point_at(
            self._app, f"{fcm_url.rstrip('/')}/v1/projects/{service_account['project_id']}/messages:send"
        )

    def send(self, messages: Sequence[PushMessage]) -> list[PushResult]:
        """See PushSender. Chunks of 50 in parallel, each request a few seconds at most, no hidden retries."""
        now = self._clock()
        results = [_refusal(message, now) for message in messages]
        sendable = [i for i, result in enumerate(results) if result is None]
        for start in range(0, len(sendable), _CHUNK):
            chunk = sendable[start : start + _CHUNK]
            for i, result in zip(chunk, self._send_chunk([messages[i] for i in chunk], now), strict=True):
                results[i] = result
        return [result for result in results if result is not None]

    def close(self) -> None:
        """Closes the connections; the sender cannot be used afterwards."""
        firebase_admin.delete_app(self._app)

    def _send_chunk(self, messages: list[PushMessage], now: datetime) -> list[PushResult]:
        """Each in a thread of its own where there are several, within the trace of who sends."""
        if len(messages) == 1:
            return [self._send_one(messages[0], now)]
        contexts = [copy_context() for _ in messages]
        with ThreadPoolExecutor(len(messages)) as pool:
            return list(pool.map(lambda c, m: c.run(self._send_one, m, now), contexts, messages))

    def _send_one(self, message: PushMessage, now: datetime) -> PushResult:
        try:
            messaging.send(_to_firebase(message, now), app=self._app)
        except exceptions.FirebaseError as error:
            return _failure(message, error)
        except GoogleAuthError:
            return PushResult(message.target, "retry", _RETRY_S_DEFAULT, "push_no_access_token")
        return PushResult(message.target, "accepted")


class _TracedAdapter(HTTPAdapter):
    """Connections to the provider, each request of which carries the trace it is made for."""

    def send(self, request: PreparedRequest, *given: Any, **more: Any) -> Response:
        host = urlsplit(request.url or "").hostname
        with span(f"{request.method} {host}", "client") as told:
            request.headers.update(tracing_headers())
            answer = super().send(request, *given, **more)
            answered(told, answer.status_code)
        return answer


def _point_at(app: firebase_admin.App, url: str) -> None:
    """Sets address and retries of this app's sender; the library (7.x) has no public setting for either.

    Its own retries obey Retry-After without a limit, for messages and for access tokens: one answer could
    hold a worker for an hour. The job that sends is what tries again.
    """
    service = messaging._get_messaging_service(app)
    session = service._client.session
    if not service._fcm_url.endswith("/messages:send"):
        raise RuntimeError("this version of firebase-admin keeps its address elsewhere")
    service._fcm_url = url
    for prefix in list(session.adapters):
        session.mount(prefix, _TracedAdapter(pool_connections=_CHUNK, pool_maxsize=_CHUNK, max_retries=0))
    for prefix in list(session._auth_request.session.adapters):
        session._auth_request.session.mount(prefix, HTTPAdapter(max_retries=0))


def _refusal(message: PushMessage, now: datetime) -> PushResult | None:
    """What the provider would refuse or the library would raise for, found before anything is sent."""
    code = None
    texts = [*message.data, *message.data.values()]
    if not message.target or not all(isinstance(text, str) for text in texts):
        code = "push_malformed"
    elif any(key in _RESERVED_WORDS or key.startswith(_RESERVED_PREFIXES) for key in message.data):
        code = "push_reserved_key"
    elif len(json.dumps(message.data, ensure_ascii=False).encode()) > _PAYLOAD_BYTES_MAX:
        code = "push_too_large"
    elif message.expires_at <= now:
        code = "push_expired"
    return PushResult(message.target, "refused", code=code) if code else None


def _to_firebase(message: PushMessage, now: datetime) -> messaging.Message:
    ttl_s = min(max(1, int((message.expires_at - now).total_seconds())), _TTL_S_MAX)
    headers = {
        "apns-priority": "10",
        "apns-push-type": "alert",
        "apns-expiration": str(int(message.expires_at.timestamp())),
    }
    if message.collapse_key and len(message.collapse_key.encode()) <= _APNS_COLLAPSE_BYTES:
        headers["apns-collapse-id"] = message.collapse_key
    # The phone's own catalogue has the words: the push itself carries none.
    alert = messaging.ApsAlert(loc_key=f"push_{message.data.get('type', 'sync')}")
    return messaging.Message(
        token=message.target,
        data=message.data,
        android=messaging.AndroidConfig(priority="high", ttl=ttl_s, collapse_key=message.collapse_key),
        apns=messaging.APNSConfig(
            headers=headers,
            payload=messaging.APNSPayload(aps=messaging.Aps(alert=alert, mutable_content=True)),
        ),
    )


def _failure(message: PushMessage, error: exceptions.FirebaseError) -> PushResult:
    """Only UNREGISTERED means that the device is gone: every other 404 may be a wrong setting of ours."""
    if isinstance(error, messaging.UnregisteredError):
        return PushResult(message.target, "gone")
    code = f"push_{error.code.lower()}"
    if isinstance(error, messaging.SenderIdMismatchError):
        code = "push_sender_id_mismatch"
    elif isinstance(error, messaging.ThirdPartyAuthError):
        code = "push_third_party_auth_error"
    answer = error.http_response
    if answer is None or answer.status_code == 429 or answer.status_code >= 500:
        wait = answer.headers.get("Retry-After", "") if answer is not None else ""
        quota = answer is not None and answer.status_code == 429
        after_s = float(wait) if wait.isdecimal() else _RETRY_S_QUOTA if quota else _RETRY_S_DEFAULT
        return PushResult(message.target, "retry", min(max(after_s, _RETRY_S_MIN), _RETRY_S_MAX), code)
    return PushResult(message.target, "refused", code=code)
