"""Webhooks as standardwebhooks signs them: id, timestamp and body under one or two secrets."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx
from standardwebhooks.webhooks import Webhook

from dispatch.adapters.outside import OutsideClient, RefusedTarget

TIMEOUT_S = 10.0
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt: the HTTP status, or the code of what went wrong before there was one."""

    status: int | None
    code: str | None
    final: bool = False
    """Not to be tried again: the address is refused, or says that it is gone."""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def new_secret() -> str:
    """A secret as receivers' libraries take it: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(keys: Sequence[str], message_id: str, at: datetime, body: str) -> dict[str, str]:
    """One signature for each secret, so that a receiver may hold either while they change."""
    signatures = [Webhook(key).sign(message_id, at, body) for key in keys]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Paidan-Webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def deliver(
    client: OutsideClient, url: str, keys: Sequence[str], message_id: str, at: datetime, body: str
) -> Attempt:
    """One attempt, TIMEOUT_S at most; never raises for one that fails. `at` is real time: receivers check it."""
    headers = signed_headers(keys, message_id, at, body)
    try:
        answer = client.post(url, body.encode(), headers, TIMEOUT_S)
    except RefusedTarget as error:
        return Attempt(None, error.code, final=True)
    except httpx.TransportError:
        return Attempt(None, "unreachable")
    return Attempt(answer.status, None, final=answer.status == 410)
