"""Who is told of what: pushes to the engineers a ticket concerns, messages to its customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.step import Step
from dispatch.adapters.push import PushMessage, PushResult
from dispatch.store.tables.money import Request
from dispatch.store.tables.people import PushDelivery, PushTarget
from dispatch.store.tables.tickets import Offer, Visit, VisitEngineer

PUSH_LASTS = timedelta(hours=1)
_TOLD = """
  insert into messages_sent (tenant_id, seq, ticket_id, template, recipient, language, channel, at)
  select tenant_id, %(seq)s, id, %(template)s, 'customer', language, 'link', %(now)s from tickets
  where tenant_id = %(tenant)s and id = %(ticket)s
  on conflict (tenant_id, seq, ticket_id, template, recipient) do nothing
"""


@dataclass(frozen=True, slots=True)
class PlannedPush:
    """A push to one device, and the row it is kept under."""

    target_id: UUID
    subject_id: UUID
    message: PushMessage


class PushLater(Exception):
    """The provider asked for patience: the job is tried again, not before `after_s` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"not before {after_s:.0f} s")
        self.after_s = after_s


def plan_pushes(step: Step, ticket_id: UUID, seq: int, kind: str) -> list[PlannedPush]:
    """A hint for every device of those concerned that has not been told of this event yet."""
    planned = []
    for engineer_id, subject_id, expires_at in concerned(step, ticket_id, kind):
        ids = {"ticket_id": str(ticket_id)} | ({"offer_id": str(subject_id)} if kind == "offer" else {})
        planned += _for_devices(step, engineer_id, subject_id, seq, kind, expires_at, ids)
    return planned


def plan_answer_pushes(step: Step, request_id: UUID, seq: int) -> list[PlannedPush]:
    """A hint for every device of the engineer whose request was answered."""
    request = step.db.get(Request, {"tenant_id": step.tenant_id, "id": request_id})
    if request is None:
        return []
    ids = {"request_id": str(request_id)} | (
        {"ticket_id": str(request.ticket_id)} if request.ticket_id else {}
    )
    until = step.now + PUSH_LASTS
    return _for_devices(step, request.engineer_id, request_id, seq, "request_answered", until, ids)


def _for_devices(
    step: Step,
    engineer_id: UUID,
    subject_id: UUID,
    seq: int,
    kind: str,
    expires_at: datetime,
    ids: dict[str, str],
) -> list[PlannedPush]:
    """One push for each device of the engineer that was not told of this event."""
    planned = []
    targets = step.db.scalars(
        select(PushTarget).where(
            PushTarget.tenant_id == step.tenant_id,
            PushTarget.engineer_id == engineer_id,
            PushTarget.platform == "fcm",
            PushTarget.gone_at.is_(None),
        )
    )
    for target in targets:
        told = step.db.get(
            PushDelivery,
            {
                "tenant_id": step.tenant_id,
                "seq": seq,
                "subject_id": subject_id,
                "target_id": target.id,
            },
        )
        if told is None:
            data = {"v": "1", "type": kind, "seq": str(seq), "exp": str(int(expires_at.timestamp())), **ids}
            planned.append(
                PlannedPush(
                    target.id,
                    subject_id,
                    PushMessage(
                        target.target, data, expires_at, f"{kind}-{ids.get('ticket_id', subject_id)}"
                    ),
                )
            )
    return planned


def concerned(step: Step, ticket_id: UUID, kind: str) -> list[tuple[UUID, UUID, datetime]]:
    """(engineer, subject, until when it matters)."""
    until = step.now + PUSH_LASTS
    if kind == "offer":
        offers = step.db.scalars(
            select(Offer).where(
                Offer.tenant_id == step.tenant_id,
                Offer.ticket_id == ticket_id,
                Offer.status == "pending",
                Offer.engineer_id.is_not(None),
                Offer.expires_at > step.now,
            )
        )
        return [(o.engineer_id, o.id, o.expires_at) for o in offers if o.engineer_id is not None]
    crew = step.db.scalars(
        select(VisitEngineer.engineer_id)
        .join(Visit, (Visit.tenant_id == VisitEngineer.tenant_id) & (Visit.id == VisitEngineer.visit_id))
        .where(Visit.tenant_id == step.tenant_id, Visit.ticket_id == ticket_id)
        .distinct()
    )
    return [(engineer_id, ticket_id, until) for engineer_id in crew]


def keep_results(step: Step, seq: int, planned: Sequence[PlannedPush], results: Sequence[PushResult]) -> None:
    """Keep each outcome once; drop a device the provider no longer knows. A `retry` is not kept."""
    for push, result in zip(planned, results, strict=True):
        if result.outcome == "retry":
            continue
        step.db.execute(
            insert(PushDelivery)
            .values(
                tenant_id=step.tenant_id,
                seq=seq,
                subject_id=push.subject_id,
                target_id=push.target_id,
                outcome=result.outcome,
                at=step.now,
            )
            .on_conflict_do_nothing()
        )
        if result.outcome == "gone":
            target = step.db.get(PushTarget, {"tenant_id": step.tenant_id, "id": push.target_id})
            if target is not None:
                target.gone_at = step.now
    step.db.flush()


def check_patience(results: Sequence[PushResult]) -> None:
    """Raises PushLater where any is to be tried again."""
    waits = [result.after_s for result in results if result.outcome == "retry"]
    if waits:
        raise PushLater(max(waits))


def tell_customer(step: Step, ticket_id: UUID, seq: int, template: str) -> None:
    """One message per event and template: kept for the customer's page and for the channels of a tenant."""
    values = {
        "tenant": step.tenant_id,
        "seq": seq,
        "ticket": ticket_id,
        "template": template,
        "now": step.now,
    }
    step.writes.append((_TOLD, values))


def nobody_comes_yet(step: Step, ticket_id: UUID) -> bool:
    """Whether a contractor has the open visit and has not said who comes."""
    waiting = select(Visit.id).where(
        Visit.tenant_id == step.tenant_id,
        Visit.ticket_id == ticket_id,
        Visit.closed_at.is_(None),
        Visit.engineer_id.is_(None),
        Visit.name_by.is_not(None),
    )
    return step.db.scalars(waiting).first() is not None
