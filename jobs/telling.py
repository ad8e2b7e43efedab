"""Jobs that tell: pushes to engineers, messages to customers."""

from dispatch.actions import telling
from jobs.registry import About, Wired, in_step, job


def _push(wired: Wired, about: About, kind: str) -> None:
    """Read whom to tell, send outside any transaction, keep what became of it."""
    if wired.push is None:
        return
    planned = in_step(wired, about, lambda step: telling.plan_pushes(step, about.ticket_id, about.seq, kind))
    if planned:
        results = wired.push.send([p.message for p in planned])
        in_step(wired, about, lambda step: telling.keep_results(step, about.seq, planned, results))
        if telling.wants_retry(results):
            raise telling.PushLater


@job
def push_offers(wired: Wired, about: About) -> None:
    _push(wired, about, "offer")


@job
def push_assignment(wired: Wired, about: About) -> None:
    _push(wired, about, "assigned")


@job
def push_ticket_changed(wired: Wired, about: About) -> None:
    _push(wired, about, "ticket_changed")


def _tell(wired: Wired, about: About, template: str) -> None:
    in_step(wired, about, lambda step: telling.tell_customer(step, about.ticket_id, about.seq, template))


@job
def tell_customer_received(wired: Wired, about: About) -> None:
    _tell(wired, about, "received")


@job
def tell_customer_assigned(wired: Wired, about: About) -> None:
    _tell(wired, about, "assigned")


@job
def tell_customer_en_route(wired: Wired, about: About) -> None:
    _tell(wired, about, "en_route")


@job
def tell_customer_delayed(wired: Wired, about: About) -> None:
    _tell(wired, about, "delayed")


@job
def tell_customer_quote(wired: Wired, about: About) -> None:
    _tell(wired, about, "quote")


@job
def ask_customer_acceptance(wired: Wired, about: About) -> None:
    _tell(wired, about, "acceptance")


@job
def tell_customer_closed(wired: Wired, about: About) -> None:
    _tell(wired, about, "closed")
