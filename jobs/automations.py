"""Jobs of the tenant's eight reactions."""

from collections.abc import Callable, Mapping

from dispatch.actions import automations
from dispatch.actions.step import Step
from dispatch.adapters.channel import Channel
from jobs.registry import About, Wired, in_step, job

Work = Callable[[Step, Mapping[str, Channel]], None]


def _do(wired: Wired, about: About, work: Work) -> None:
    """With the tenant's channels; where none are wired, reactions work and nobody is written to."""
    book = wired.book
    in_step(wired, about, lambda step: work(step, book.of(step) if book is not None else {}))


@job
def automate(wired: Wired, about: About) -> None:
    """An event may wake automations."""
    _do(wired, about, lambda step, channels: automations.wake(step, channels, about.ticket_id, about.seq))


@job
def auto_assign(wired: Wired, about: About) -> None:
    """Silence has lasted long enough."""
    _do(wired, about, lambda step, channels: automations.assign_when_silent(step, about.subject_id))


@job
def auto_remind(wired: Wired, about: About) -> None:
    """A window is near."""
    _do(wired, about, lambda step, channels: automations.remind_window(step, channels, about.subject_id))


@job
def auto_rating(wired: Wired, about: About) -> None:
    """Some time after the end."""
    _do(wired, about, lambda step, channels: automations.ask_rating(step, channels, about.subject_id))


@job
def auto_closing(wired: Wired, about: About) -> None:
    """Before a ticket closes by itself."""
    _do(wired, about, lambda step, channels: automations.warn_closing(step, channels, about.subject_id))
