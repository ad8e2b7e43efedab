"""Jobs that tell: pushes to engineers, messages to customers."""

from collections.abc import Callable, Mapping

from dispatch.actions import telling, telling_customers, telling_engineers
from dispatch.actions.step import Step
from dispatch.actions.telling_messages import Telling
from dispatch.actions.telling_people import Person
from dispatch.adapters.channel import Channel
from jobs.registry import About, Wired, in_step, job


def _push(wired: Wired, about: About, kind: str) -> None:
    def tell(step: Step, channels: Mapping[str, Channel], pushes: bool) -> None:
        telling_engineers.tell_in_place_of_push(step, channels, about.ticket_id, about.seq, kind, pushes)

    _send(wired, about, tell, lambda step: telling.plan_pushes(step, about.ticket_id, about.seq, kind))


def _send(
    wired: Wired,
    about: About,
    tell: Callable[[Step, Mapping[str, Channel], bool], None],
    plan: Callable[[Step], list[telling.PlannedPush]],
) -> None:
    """Tell those who have no app and read whom to push to, send outside any transaction, keep what became of it."""
    book, push = wired.book, wired.push
    if book is None and push is None:
        return

    def begin(step: Step) -> list[telling.PlannedPush]:
        if book is not None:
            tell(step, book.of(step), push is not None)
        return plan(step) if push is not None else []

    planned = in_step(wired, about, begin)
    if push is None or not planned:
        return
    results = push.send([p.message for p in planned])
    if any(result.outcome != "retry" for result in results):
        in_step(wired, about, lambda step: telling.keep_results(step, about.seq, planned, results))
    telling.check_patience(results)


@job
def push_offers(wired: Wired, about: About) -> None:
    _push(wired, about, "offer")


@job
def push_assignment(wired: Wired, about: About) -> None:
    _push(wired, about, "assigned")


@job
def push_ticket_changed(wired: Wired, about: About) -> None:
    _push(wired, about, "ticket_changed")


@job
def push_request_answered(wired: Wired, about: About) -> None:
    def tell(step: Step, channels: Mapping[str, Channel], pushes: bool) -> None:
        telling_engineers.tell_answer(step, channels, about.subject_id, about.seq, pushes)

    _send(wired, about, tell, lambda step: telling.plan_answer_pushes(step, about.subject_id, about.seq))


def _tell(wired: Wired, about: About, template: str) -> None:
    """Kept for the customer's page, and sent over the company's channels where there are any."""
    book = wired.book

    def tell(step: Step) -> None:
        if template == "assigned" and telling.nobody_comes_yet(step, about.ticket_id):
            return
        telling.tell_customer(step, about.ticket_id, about.seq, template)
        if book is not None:
            customer = Person("customer", about.ticket_id)
            said = Telling(about.seq, about.ticket_id, template, customer)
            telling_customers.tell_everywhere(step, book.of(step), said)

    in_step(wired, about, tell)


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
def tell_customer_arrived(wired: Wired, about: About) -> None:
    """In their browsers alone: who has none sees who is at the door."""
    book = wired.book
    if book is not None:
        said = Telling(about.seq, about.ticket_id, "arrived", Person("customer", about.ticket_id))
        in_step(wired, about, lambda step: telling_customers.tell_browsers(step, book.of(step), said))


@job
def tell_customer_rebooked(wired: Wired, about: About) -> None:
    """The window moved: whoever moved it themselves knows."""
    if not in_step(wired, about, lambda step: telling_customers.by_customer(step, about.seq)):
        _tell(wired, about, "delayed")


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
