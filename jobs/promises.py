"""Jobs of promises: clocks follow events and instants."""

from dispatch.actions import promises
from jobs.registry import About, Wired, in_step, job


@job
def keep_promises(wired: Wired, about: About) -> None:
    """Something happened to the ticket."""
    in_step(wired, about, lambda step: promises.keep_promises(step, about.ticket_id, about.seq))


@job
def promise_step(wired: Wired, about: About) -> None:
    """A warning or the due time of a promise has come."""
    in_step(wired, about, lambda step: promises.promise_step(step, about.subject_id))


@job
def sweep_promises(wired: Wired, about: About) -> None:
    """Every few minutes: what was missed is looked at again."""
    in_step(wired, about, promises.sweep_promises)
