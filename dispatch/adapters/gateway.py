"""A provider behind `POST {to, text, key, …}` with a bearer token, as text messages and calls use it.

It answers 2xx, 4xx for a number it refuses, 429 or 5xx when busy; see channel.by_status.
"""

import re

import httpx

from dispatch.adapters.calls import client
from dispatch.adapters.channel import HTTP_TIMEOUT_S, Sent, by_status, refused, retry

_PHONE = re.compile(r"\+?\d{5,20}")


class Gateway:
    """One gateway at `url`; an instance may be used from several threads. `channel` begins its codes."""

    def __init__(self, channel: str, url: str, token: str) -> None:
        self.channel = channel
        self._url = url
        self._client = client(HTTP_TIMEOUT_S, headers={"Authorization": f"Bearer {token}"})

    def post(self, phone: str, text: str, key: str) -> Sent:
        """One attempt. A phone that is none is refused as `<channel>_phone_malformed`."""
        to = dialled(phone)
        if to is None:
            return refused(f"{self.channel}_phone_malformed")
        try:
            answer = self._client.post(self._url, json={"to": to, "text": text, "key": key})
        except httpx.HTTPError:
            return retry(f"{self.channel}_unreachable")
        return by_status(self.channel, answer.status_code, answer.headers)

    def close(self) -> None:
        self._client.close()


def dialled(phone: str) -> str | None:
    """The number as a provider takes it: digits, a leading + kept; None where it is no number."""
    plain = re.sub(r"[\s().-]", "", phone)
    return plain if _PHONE.fullmatch(plain) else None
