"""Jobs that tidy up."""

from dispatch.actions import keeping
from jobs.registry import About, Wired, in_step, job


@job
def purge_old(wired: Wired, about: About) -> None:
    """Once a day and tenant."""
    in_step(wired, about, keeping.purge_old)
