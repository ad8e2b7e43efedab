"""The port for pushes: hints to a phone that something changed. The truth is pulled; a push may be lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True)
class PushMessage:
    """One hint to one device. `data` holds strings only, nothing personal, at most 4 KB."""

    target: str
    """The device's registration token."""
    data: dict[str, str]
    expires_at: datetime
    """Aware; the provider drops an undelivered push then, and one already expired is not sent at all."""
    collapse_key: str | None = None
    """A newer push with the same key replaces an undelivered one."""


@dataclass(frozen=True)
class PushResult:
    """What became of one push. `accepted` is the provider's word: escalate on the app's own ack."""

    target: str
    outcome: Literal["accepted", "gone", "retry", "refused"]
    after_s: float = 0.0
    """For `retry`: not before this many seconds."""
    code: str | None = None
    """For `retry` and `refused`: why. `gone` means that the device's registration is to be deleted."""


class PushSender(Protocol):
    """The port that actions know; never raises for a push that fails, never tries one twice by itself."""

    def send(self, messages: Sequence[PushMessage]) -> list[PushResult]:
        """One result per message, in the same order."""
        ...
