"""Jobs of messages and ladders: plan in a transaction, send outside of any, keep what became of it."""

from collections.abc import Callable, Mapping

from dispatch.actions import telling_ladder, telling_messages, telling_people
from dispatch.actions.step import Step
from dispatch.actions.telling_messages import Telling
from dispatch.adapters.channel import Channel
from dispatch.store.queries.reading import fetch
from jobs.registry import About, Wired, in_step, job

Planning = Callable[[Step, Mapping[str, Channel]], None]
_FACTS = "select facts from ticket_events where tenant_id = %(tenant)s and seq = %(seq)s"
_VISIT = """
  select engineer_id from visits where tenant_id = %(tenant)s and ticket_id = %(ticket)s
  order by (closed_at is not null), number desc limit 1
"""


def _plan(wired: Wired, about: About, work: Planning) -> None:
    book = wired.book
    if book is not None:
        in_step(wired, about, lambda step: work(step, book.of(step)))


@job
def send_message(wired: Wired, about: About) -> None:
    """A message whose time has come."""
    book = wired.book
    if book is None:
        return
    outgoing = in_step(
        wired,
        about,
        lambda step: telling_messages.take(step, book.of(step), about.subject_id, wired.public_url),
    )
    if outgoing is not None:
        sent = outgoing.channel.send(outgoing.message)
        in_step(
            wired,
            about,
            lambda step: telling_messages.keep(step, book.of(step), outgoing.message_id, sent),
        )


@job
def start_ladders(wired: Wired, about: About) -> None:
    """Engineers are asked: see that somebody sees it."""
    _plan(wired, about, lambda step, channels: telling_ladder.start_ladders(step, channels, about.ticket_id))


@job
def climb_ladder(wired: Wired, about: About) -> None:
    """A rung's time is over."""
    _plan(wired, about, lambda step, channels: telling_ladder.climb(step, channels, about.subject_id))


@job
def end_ladders(wired: Wired, about: About) -> None:
    """An offer was answered or is over."""
    _plan(wired, about, lambda step, channels: telling_ladder.end_ladders(step, channels, about.ticket_id))


@job
def tell_promise(wired: Wired, about: About) -> None:
    """A warning of a promise, to whom its policy names."""

    def plan(step: Step, channels: Mapping[str, Channel]) -> None:
        (event,) = fetch(step.db, _FACTS, {"tenant": step.tenant_id, "seq": about.seq})
        facts = event["facts"]
        visits = fetch(step.db, _VISIT, {"tenant": step.tenant_id, "ticket": about.ticket_id})
        template = "promise_broken" if facts["pct"] >= 100 else "promise_at_risk"
        said = {"kind": facts["kind"], "pct": facts["pct"]}
        engineer_id = visits[0]["engineer_id"] if visits else None
        for person in telling_people.audience(step, facts["whom"], engineer_id):
            telling_messages.tell(step, channels, Telling(about.seq, about.ticket_id, template, person, said))

    _plan(wired, about, plan)
