"""Messages: planned as rows in one transaction, sent by a job of their own, kept with what became of them.

Never twice: a row is unique by event, template, person and channel; it is marked before it is sent, and a job
that finds the mark of one that died does not send again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions import telling_people as people
from dispatch.actions.step import Step
from dispatch.actions.telling_people import Person, Place
from dispatch.adapters.channel import Button, Channel, Message, Sent
from dispatch.domain.messages import TEMPLATES, Quiet, not_before, render
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables import telling as stored
from dispatch.store.tables.people import PushTarget

TRIES_MAX = 6
DEBOUNCE_S = 20
#: A job that died while it sent is not waited for longer.
GIVEN_UP_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Telling:
    """One event to be told to one person. `facts` fill the template: codes, instants, numbers."""

    seq: int
    ticket_id: UUID | None
    template: str
    person: Person
    facts: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None


def tell(
    step: Step, channels: Mapping[str, Channel], telling: Telling, only: str | None = None
) -> stored.Message | None:
    """Plan one message over the person's best channel (or `only` this one) that has not been tried for it.

    None where no channel is left, or the row is there already.
    """
    if not channels:
        return None
    tried = _tried(step, telling)
    places = [p for p in people.places(step, telling.person) if p.channel in channels]
    left = [p for p in places if p.channel not in tried and only in (None, p.channel)]
    return _plan(step, telling, left[0]) if left else None


def _tried(step: Step, telling: Telling) -> set[str]:
    found = step.db.scalars(
        select(stored.Message.channel).where(
            stored.Message.tenant_id == step.tenant_id,
            stored.Message.seq == telling.seq,
            stored.Message.template == telling.template,
            stored.Message.person_kind == telling.person.kind,
            stored.Message.person_id == telling.person.id,
        )
    )
    return set(found)


def _plan(step: Step, telling: Telling, place: Place) -> stored.Message | None:
    template = TEMPLATES[telling.template]
    quiet, debounce_s = read_tell_rules(step)
    on_call = people.on_call(step, telling.person)
    at = not_before(template, step.now, quiet, step.rules.zone, on_call, debounce_s)
    row = step.db.scalars(
        insert(stored.Message)
        .values(
            tenant_id=step.tenant_id,
            id=new_id(),
            seq=telling.seq,
            ticket_id=telling.ticket_id,
            template=telling.template,
            person_kind=telling.person.kind,
            person_id=telling.person.id,
            channel=place.channel,
            target_id=place.target_id,
            language=people.language(step, telling.person),
            facts=dict(telling.facts),
            status="waiting",
            not_before=at,
            expires_at=telling.expires_at or max(at, step.now) + template.lasts,
            made_at=step.now,
        )
        .on_conflict_do_nothing()
        .returning(stored.Message)
    ).one_or_none()
    if row is None:
        return None
    if template.gathers:
        _merge_older(step, row)
    step.set_timer("message_due", row.id, at)
    return row


def _merge_older(step: Step, newest: stored.Message) -> None:
    """A burst becomes its last message."""
    message = stored.Message
    step.db.execute(
        update(message)
        .where(
            message.tenant_id == step.tenant_id,
            message.ticket_id == newest.ticket_id,
            message.template == newest.template,
            message.person_kind == newest.person_kind,
            message.person_id == newest.person_id,
            message.channel == newest.channel,
            message.status == "waiting",
            message.id != newest.id,
        )
        .values(status="merged")
    )


def read_tell_rules(step: Step) -> tuple[Quiet | None, int]:
    row = step.db.get(stored.TellRules, {"tenant_id": step.tenant_id})
    if row is None:
        return None, DEBOUNCE_S
    if row.quiet_from_min is None or row.quiet_to_min is None:
        return None, row.debounce_s
    return Quiet(row.quiet_from_min, row.quiet_to_min), row.debounce_s


# sending


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A marked message, ready for its channel."""

    message_id: UUID
    channel: Channel
    message: Message


def take(step: Step, channels: Mapping[str, Channel], message_id: UUID, public_url: str) -> Outgoing | None:
    """Mark a message as being sent and compose it; None where it is not to be sent now, or ever."""
    row = _locked(step, message_id)
    if row is None or not _is_due(step, row):
        return None
    channel = channels.get(row.channel)
    target = people.address(step, row)
    if channel is None or target is None:
        _give_up(step, channels, row, "refused", "no_address" if channel else "channel_off")
        return None
    row.status, row.tries = "sending", row.tries + 1
    step.set_timer("message_due", row.id, step.now + GIVEN_UP_AFTER)
    step.db.flush()
    return Outgoing(row.id, channel, compose(step, row, target, public_url))


def _is_due(step: Step, row: stored.Message) -> bool:
    """Whether it is to be sent now; what can no longer be is ended, what is early is armed again."""
    if row.status == "sending":
        # Its job died between the mark and the outcome: it may have been sent.
        row.status, row.code, row.sent_at = "sent", "unconfirmed", step.now
    elif row.status == "waiting" and row.expires_at <= step.now:
        row.status, row.code = "expired", "message_expired"
    elif row.status == "waiting" and row.not_before > step.now:
        step.set_timer("message_due", row.id, row.not_before)
    else:
        return row.status == "waiting"
    step.db.flush()
    return False


def _locked(step: Step, message_id: UUID) -> stored.Message | None:
    return step.db.get(
        stored.Message,
        {"tenant_id": step.tenant_id, "id": message_id},
        with_for_update=True,
        populate_existing=True,
    )


_ABOUT = """
  select t.ticket_no, w.name as work_type from tickets t
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  where t.tenant_id = %(tenant)s and t.id = %(ticket)s
"""


def compose(step: Step, row: stored.Message, target: str, public_url: str) -> Message:
    """The message in the recipient's language; the customer's carries the link to their page."""
    about = fetch(step.db, _ABOUT, {"tenant": step.tenant_id, "ticket": row.ticket_id})
    facts = {**(about[0] if about else {}), **row.facts}
    title, text = render(row.template, row.language, facts, step.rules.zone)
    template = TEMPLATES[row.template]
    button = None
    if template.button is not None and row.facts.get("offer_id"):
        label = template.button[0] if row.language == "zh" else template.button[1]
        button = Button(label, f"accept:{row.facts['offer_id']}")
    url = people.url(step, row, public_url)
    return Message(target, title, text, str(row.id), row.expires_at, url, button)


def keep(step: Step, channels: Mapping[str, Channel], message_id: UUID, sent: Sent) -> stored.Message | None:
    """Keep what became of it: wait and try again, or go to the person's next channel. The row, if there is one."""
    row = _locked(step, message_id)
    if row is None or row.status != "sending":
        return row
    row.code = sent.code
    step.drop_timers(row.id, "message_due")
    if sent.outcome == "accepted":
        row.status, row.sent_at = "sent", step.now
    elif sent.outcome == "retry" and row.tries < TRIES_MAX:
        after = timedelta(seconds=sent.after_s * 2 ** (row.tries - 1))
        row.status, row.not_before = "waiting", step.now + min(after, timedelta(hours=1))
        step.set_timer("message_due", row.id, row.not_before)
    else:
        if sent.outcome == "gone" and row.target_id is not None:
            _forget(step, row)
        _give_up(step, channels, row, "gone" if sent.outcome == "gone" else "refused", sent.code)
    step.db.flush()
    return row


def _forget(step: Step, row: stored.Message) -> None:
    key = {"tenant_id": step.tenant_id, "id": row.target_id}
    target = step.db.get(stored.TellTarget, key) or step.db.get(PushTarget, key)
    browser = step.db.get(stored.CustomerDevice, key)
    if browser is not None:
        step.db.delete(browser)
    if target is not None:
        target.gone_at = step.now


def _give_up(
    step: Step, channels: Mapping[str, Channel], row: stored.Message, status: str, code: str | None
) -> None:
    """This channel does not work for this message: the person's next one, unless a ladder does that."""
    row.status, row.code = status, code
    step.db.flush()
    if row.template != "offer" and row.ticket_id is not None:
        person = Person(row.person_kind, row.person_id)
        tell(step, channels, Telling(row.seq, row.ticket_id, row.template, person, row.facts, row.expires_at))
