"""Jobs that tidy up."""

from dispatch.actions import keeping, travelling
from dispatch.actions.identity_keys import seal_again
from jobs.registry import About, Wired, in_step, job


@job
def purge_old(wired: Wired, about: About) -> None:
    """Once a day and tenant."""
    in_step(wired, about, keeping.purge_old)
    while in_step(wired, about, seal_again):
        pass


@job
def learn_travel(wired: Wired, about: About) -> None:
    """Some hours after the first new trip."""
    in_step(wired, about, travelling.learn)
