"""What sign-ins are carried by: signed tokens, good under the present key and those before it."""

import base64
import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from api.problems import SignInRequired

ACCESS = "pd1"
REFRESH = "pdr1"
LONGEST = 1000


class TokenKeys:
    """Signs with the first secret; believes every one of them, so that the secret can be changed while running."""

    def __init__(self, secret_key: bytes, *previous: bytes) -> None:
        self._keys = [hmac.digest(key, b"paidan/signin/1", "sha256") for key in (secret_key, *previous)]

    @property
    def key(self) -> bytes:
        return self._keys[0]

    @property
    def keys(self) -> list[bytes]:
        """The present key first."""
        return list(self._keys)

    def signature(self, text: bytes) -> str:
        return _sign(self.key, text)

    def signed(self, text: bytes, signature: str) -> bool:
        given = signature.encode()
        return any(hmac.compare_digest(given, _sign(key, text).encode()) for key in self._keys)

    def pack(self, kind: str, body: dict[str, Any]) -> str:
        """`kind.body.signature`; the kind is signed too, so one kind never passes for another."""
        text = base64.urlsafe_b64encode(orjson.dumps(body)).rstrip(b"=")
        return f"{kind}.{text.decode()}.{self.signature(kind.encode() + b'.' + text)}"

    def unpack(self, kind: str, token: str) -> dict[str, Any]:
        """Raises SignInRequired for anything not signed here as this kind."""
        if len(token) > LONGEST or not token.isascii():
            raise SignInRequired
        try:
            given, text, signature = token.split(".")
            if given != kind or not self.signed(f"{kind}.{text}".encode(), signature):
                raise SignInRequired
            body: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError as error:
            raise SignInRequired from error
        return body


def refresh_body(tenant_id: UUID, signin_id: UUID, number: int) -> dict[str, Any]:
    return {"t": tenant_id.hex, "s": signin_id.hex, "n": number}


def ends(body: dict[str, Any], now: datetime) -> bool:
    """The access token's own end has passed."""
    return int(body["e"]) <= now.timestamp()


def _sign(key: bytes, text: bytes) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, text, "sha256")).rstrip(b"=").decode()
