"""Jobs of the visit and its end."""

from dispatch.actions import acceptance, automations, evidence_doubts, telling, telling_messages, working
from dispatch.actions.step import Step
from dispatch.actions.telling_messages import Telling
from dispatch.actions.telling_people import Person
from jobs.registry import About, Wired, in_step, job


@job
def alert_unacknowledged(wired: Wired, about: About) -> None:
    """An assignment nobody has seen."""
    in_step(wired, about, lambda step: working.alert_unacknowledged(step, about.subject_id))


@job
def resume_ticket(wired: Wired, about: About) -> None:
    """A hold's end."""
    in_step(wired, about, lambda step: working.resume_ticket(step, about.subject_id))


@job
def sign_off_by_default(wired: Wired, about: About) -> None:
    """The customer's days are over."""
    in_step(wired, about, lambda step: automations.sign_off_unanswered(step, about.subject_id))


@job
def judge_evidence(wired: Wired, about: About) -> None:
    """A photo or a check-in came: compare, and weigh what is left to doubt."""
    in_step(wired, about, lambda step: evidence_doubts.judge_evidence(step, about.ticket_id))


@job
def remind_acceptance(wired: Wired, about: About) -> None:
    """A finished ticket nobody has accepted yet: on the customer's page, and over the company's channels."""
    ticket_id = about.subject_id

    def remind(step: Step) -> None:
        waits = acceptance.closes_at(step, ticket_id)
        if waits is None:
            return
        seq, at = waits
        telling.tell_customer(step, ticket_id, seq, "closing_soon")
        if wired.book is not None:
            customer, facts = Person("customer", ticket_id), {"at": at.isoformat()}
            told = Telling(seq, ticket_id, "closing_soon", customer, facts)
            telling_messages.tell(step, wired.book.of(step), told)

    in_step(wired, about, remind)
