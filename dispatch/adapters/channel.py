"""What every channel that tells people shares: what is sent, and what became of it.

A channel never raises for a message that fails and never tries one twice by itself: the job that sends
is what tries again, and the ladder is what goes on to the next channel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Outcome = Literal["accepted", "gone", "retry", "refused"]

RETRY_S_DEFAULT = 30.0
RETRY_S_MIN = 1.0
RETRY_S_MAX = 600.0
HTTP_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Button:
    """One thing a person can do from the message itself; `key` comes back when they do."""

    label: str
    key: str


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one target. `key` is the same however often it is sent: providers that know it drop a twin."""

    target: str
    """Where: a phone number, a mail address, a person's id at the provider, or a subscription."""
    title: str
    text: str
    key: str
    expires_at: datetime
    """Aware; not sent at all once this has passed."""
    url: str | None = None
    button: Button | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message. `accepted` is the provider's word, not the person's."""

    outcome: Outcome
    code: str | None = None
    """Why, for everything but `accepted`. `gone` means that the target is to be used no more."""
    after_s: float = 0.0
    """For `retry`: not before this many seconds."""


class Channel(Protocol):
    """The port that actions know."""

    def send(self, message: Message) -> Sent:
        """One attempt, HTTP_TIMEOUT_S at most for each request to the provider."""
        ...


Clock = Callable[[], datetime]


def retry(code: str, after: str | float | None = None) -> Sent:
    """Patience, for as long as the provider asks within RETRY_S_MIN and RETRY_S_MAX."""
    asked_s = RETRY_S_DEFAULT
    if isinstance(after, int | float) or (after is not None and after.isdecimal()):
        asked_s = float(after)
    return Sent("retry", code, min(max(asked_s, RETRY_S_MIN), RETRY_S_MAX))


def refused(code: str) -> Sent:
    return Sent("refused", code)


def gone(code: str) -> Sent:
    return Sent("gone", code)


ACCEPTED = Sent("accepted")


def by_status(channel: str, status: int, headers: Mapping[str, str]) -> Sent:
    """What an HTTP status alone says: 2xx accepted, 404 and 410 gone, 429 and 5xx patience, else refused."""
    if 200 <= status < 300:
        return ACCEPTED
    code = f"{channel}_http_{status}"
    if status in (404, 410):
        return gone(code)
    if status == 429 or status >= 500:
        return retry(code, headers.get("Retry-After"))
    return refused(code)
