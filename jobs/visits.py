"""Jobs of the visit and its end."""

from dispatch.actions import acceptance, automations, evidence_doubts, telling, working
from dispatch.actions.step import Step
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
    """A finished ticket nobody has accepted yet: said on the customer's page. Over the company's channels it is
    said by the reaction `close_when_unanswered`, when the company wants that."""
    ticket_id = about.subject_id

    def remind(step: Step) -> None:
        waits = acceptance.closes_at(step, ticket_id)
        if waits is not None:
            telling.tell_customer(step, ticket_id, waits[0], "closing_soon")

    in_step(wired, about, remind)
