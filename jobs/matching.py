"""Jobs of the match and of offers."""

from dispatch.actions import contractors, matching_batch, matching_modes
from jobs.registry import About, Wired, in_step, job


@job
def match_ticket(wired: Wired, about: About) -> None:
    """An open ticket looks for its engineer."""
    in_step(wired, about, lambda step: matching_modes.run_match(step, about.ticket_id))


@job
def match_batch(wired: Wired, about: About) -> None:
    """Tickets that waited are matched together."""
    matching_batch.match_batch(wired.house, about.tenant_id, about.depth + 1)


@job
def expire_offer(wired: Wired, about: About) -> None:
    """An offer's time is over."""
    in_step(wired, about, lambda step: matching_modes.expire_offer(step, about.subject_id))


@job
def escalate_unnamed(wired: Wired, about: About) -> None:
    """A contractor's deadline to name the engineer."""
    in_step(wired, about, lambda step: contractors.escalate_unnamed(step, about.subject_id))


@job
def continue_offers(wired: Wired, about: About) -> None:
    """After a no or silence: ask the next one, or call the dispatcher."""
    in_step(wired, about, lambda step: matching_modes.continue_offers(step, about.ticket_id))
