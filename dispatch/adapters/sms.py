"""Text messages: the port, a gateway over HTTP, and one that keeps what it is given (demo and tests).

There is no common protocol of providers. A gateway takes `POST {to, text, key}` with a bearer token and
answers 2xx, 4xx for a number it refuses, 429 or 5xx when busy; a provider's own API stands behind it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from dispatch.adapters.channel import ACCEPTED, Clock, Message, Sent, refused
from dispatch.adapters.gateway import Gateway, dialled

TEXT_LENGTH_MAX = 500
KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Sms:
    """One text message. `phone` as it was given; digits and a leading + are what counts."""

    phone: str
    text: str
    key: str


class SmsSender(Protocol):
    """The port: one attempt, never raises for a message that fails."""

    def send_sms(self, sms: Sms) -> Sent:
        """`accepted` when the provider took it; see channel.Sent."""
        ...


class HttpSms:
    """A SmsSender through a gateway at `url`; one instance may be used from several threads."""

    def __init__(self, url: str, token: str) -> None:
        self._gateway = Gateway("sms", url, token)

    def send_sms(self, sms: Sms) -> Sent:
        if dialled(sms.phone) is not None and not 0 < len(sms.text) <= TEXT_LENGTH_MAX:
            return refused("sms_text_length")
        return self._gateway.post(sms.phone, sms.text, sms.key)

    def close(self) -> None:
        self._gateway.close()


class KeptSms:
    """A SmsSender that sends nothing: the newest messages are in `kept`, newest last."""

    def __init__(self) -> None:
        self.kept: deque[Sms] = deque(maxlen=KEPT)

    def send_sms(self, sms: Sms) -> Sent:
        if dialled(sms.phone) is None:
            return refused("sms_phone_malformed")
        self.kept.append(sms)
        return ACCEPTED


class SmsChannel:
    """Text messages as one of the channels: title left out, the link at the end."""

    def __init__(self, sender: SmsSender, clock: Clock) -> None:
        self._sender = sender
        self._clock = clock

    def send(self, message: Message) -> Sent:
        if message.expires_at <= self._clock():
            return refused("message_expired")
        text = f"{message.text} {message.url}" if message.url else message.text
        return self._sender.send_sms(Sms(message.target, text, message.key))
