"""Jobs that tidy up."""

from dispatch.actions import keeping, travelling
from jobs.registry import About, Wired, in_step, job


@job
def purge_old(wired: Wired, about: About) -> None:
    """Once a day and tenant."""
    in_step(wired, about, keeping.purge_old)


@job
def learn_travel(wired: Wired, about: About) -> None:
    """Some hours after the first new trip."""
    in_step(wired, about, travelling.learn)
