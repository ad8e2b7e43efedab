"""Jobs of webhooks."""

from dispatch.actions import webhooks
from dispatch.adapters.webhook_sender import deliver
from dispatch.settings import Clock
from jobs.registry import About, Wired, in_step, job


@job
def queue_webhooks(wired: Wired, about: About) -> None:
    """An event that endpoints may want to know of."""
    in_step(wired, about, lambda step: webhooks.queue_deliveries(step, about.ticket_id, about.seq))


@job
def deliver_webhook(wired: Wired, about: About) -> None:
    """A delivery whose time has come: read, send outside any transaction, keep."""
    outgoing = in_step(wired, about, lambda step: webhooks.take(step, about.subject_id))
    if outgoing is not None:
        message_id = f"msg_{outgoing.delivery_id.hex}"
        attempt = deliver(wired.outside, outgoing.url, outgoing.keys, message_id, Clock.wall(), outgoing.body)
        in_step(wired, about, lambda step: webhooks.keep(step, outgoing.delivery_id, attempt))
