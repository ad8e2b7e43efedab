"""Voice calls that read a text aloud: the port, a gateway over HTTP, and one that keeps what it is given.

The gateway is one as for text messages.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from dispatch.adapters.channel import ACCEPTED, Clock, Message, Sent, refused
from dispatch.adapters.gateway import Gateway, dialled
from dispatch.adapters.sms import KEPT

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
        self._gateway = Gateway("voice", url, token)

    def call(self, call: Call) -> Sent:
        return self._gateway.post(call.phone, call.text[:TEXT_LENGTH_MAX], call.key)


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
