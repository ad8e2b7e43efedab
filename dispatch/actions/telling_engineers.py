"""Engineers whom no app of theirs can be told by: their browser is, of what the app would be pushed."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.step import Step
from dispatch.actions.telling import concerned
from dispatch.actions.telling_messages import Telling, tell
from dispatch.actions.telling_people import Person
from dispatch.adapters.channel import Channel
from dispatch.store.tables.money import Request
from dispatch.store.tables.people import PushTarget

#: What the app is pushed → the message in its place. Of offers their ladder tells, over every channel.
TEMPLATES = {"assigned": "visit_assigned", "ticket_changed": "visit_changed"}


def tell_in_place_of_push(
    step: Step, channels: Mapping[str, Channel], ticket_id: UUID, seq: int, kind: str, pushes: bool
) -> None:
    """Those the ticket concerns who have no app. `pushes`: whether this installation pushes to apps at all."""
    if kind in TEMPLATES:
        for engineer_id, _, _ in concerned(step, ticket_id, kind):
            told = Telling(seq, ticket_id, TEMPLATES[kind], Person("engineer", engineer_id))
            _tell(step, channels, told, pushes)


def tell_answer(
    step: Step, channels: Mapping[str, Channel], request_id: UUID, seq: int, pushes: bool
) -> None:
    """Who asked is told what was answered. `pushes` as above."""
    request = step.db.get(Request, {"tenant_id": step.tenant_id, "id": request_id})
    if request is not None:
        facts = {"request": request.kind, "answer": request.status}
        person = Person("engineer", request.engineer_id)
        _tell(step, channels, Telling(seq, None, "request_answered", person, facts), pushes)


def _tell(step: Step, channels: Mapping[str, Channel], telling: Telling, pushes: bool) -> None:
    apps = select(PushTarget.id).where(
        PushTarget.tenant_id == step.tenant_id,
        PushTarget.engineer_id == telling.person.id,
        PushTarget.platform == "fcm",
        PushTarget.gone_at.is_(None),
    )
    if not pushes or step.db.scalars(apps).first() is None:
        tell(step, channels, telling, only="webpush")
