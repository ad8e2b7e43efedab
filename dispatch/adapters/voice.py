"""Voice calls that read a text aloud: the port, a gateway over HTTP, and one that keeps what it is given.

A gateway takes `POST {to, text, language, key}` with a bearer token and answers like that of text messages.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import httpx

from dispatch.adapters.channel import (
    ACCEPTED,
    HTTP_TIMEOUT_S,
    Clock,
    Message,
    Sent,
    by_status,
    refused,
    retry,
)
from dispatch.adapters.sms import KEPT, dialled

TEXT_LENGTH_MAX = 300


@dataclass(frozen=True, slots=True)
class Call:
    phone: str
    text: str
    key: str


class VoiceCaller(Protocol):
    """The port: one attempt, never raises for a call that fails."""

    def call(self, call: Call) -> Sent:
        """`accepted` when the provider will ring; that somebody listened is not known."""
        ...


class HttpVoice:
    """A VoiceCaller through a gateway at `url`."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._client = httpx.Client(
            timeout=HTTP_TIMEOUT_S, headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )

    def call(self, call: Call) -> Sent:
        phone = dialled(call.phone)
        if phone is None:
            return refused("voice_phone_malformed")
        body = {"to": phone, "text": call.text[:TEXT_LENGTH_MAX], "key": call.key}
        try:
            answer = self._client.post(self._url, json=body)
        except httpx.HTTPError:
            return retry("voice_unreachable")
        return by_status("voice", answer.status_code, answer.headers)


class KeptVoice:
    """A VoiceCaller that rings nobody: the newest calls are in `kept`."""

    def __init__(self) -> None:
        self.kept: deque[Call] = deque(maxlen=KEPT)

    def call(self, call: Call) -> Sent:
        if dialled(call.phone) is None:
            return refused("voice_phone_malformed")
        self.kept.append(call)
        return ACCEPTED


class VoiceChannel:
    """Calls as one of the channels: the title is read first."""

    def __init__(self, caller: VoiceCaller, clock: Clock) -> None:
        self._caller = caller
        self._clock = clock

    def send(self, message: Message) -> Sent:
        if message.expires_at <= self._clock():
            return refused("message_expired")
        return self._caller.call(Call(message.target, f"{message.title}. {message.text}", message.key))
