"""One command = one transaction = one event per changed subject, an outbox row for each.

`run_command` is the door every command of every front comes through: it opens the
transaction, knows a command it has seen, and stores the answer beside what was done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dispatch.domain.commands import Principal
from dispatch.domain.errors import Conflict, DispatchError, Forbidden, NotFound, NotReady
from dispatch.domain.events import GENESIS, Event, chain_hash
from dispatch.domain.tenancy import TenantRules
from dispatch.store.personal import PersonalData
from dispatch.store.tables.events import CommandAnswer, EventText, OutboxRow, TicketEvent, Timer
from dispatch.store.tables.tenants import Tenant
from dispatch.store.transactions import Database

STATUS_OF: tuple[tuple[type[DispatchError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (NotReady, 422),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has a place in the chain."""

    subject_type: str
    subject_id: UUID
    ticket_id: UUID | None
    action: str
    from_status: str | None = None
    to_status: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    text: str | None = None
    territory_id: UUID | None = None
    actor: str | None = None
    actor_id: UUID | None = None


@dataclass(slots=True)
class Step:
    """What one command works with. Actions add rows to `db` and drafts to `drafts`; they never commit."""

    db: Session
    now: datetime
    principal: Principal
    personal: PersonalData
    rules: TenantRules
    command_id: UUID | None = None
    acting_for: UUID | None = None
    device_at: datetime | None = None
    depth: int = 0
    drafts: list[Draft] = field(default_factory=list)

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    def set_timer(self, kind: str, subject_id: UUID, due_at: datetime) -> None:
        """Look at `subject_id` again at `due_at`; a later call moves it."""
        row = {"tenant_id": self.tenant_id, "kind": kind, "subject_id": subject_id, "due_at": due_at}
        statement = insert(Timer).values(**row)
        self.db.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "kind", "subject_id"], set_={"due_at": due_at}
            )
        )

    def drop_timers(self, subject_id: UUID, *kinds: str) -> None:
        self.db.execute(
            delete(Timer).where(
                Timer.tenant_id == self.tenant_id, Timer.subject_id == subject_id, Timer.kind.in_(kinds)
            )
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is HTTP's; `body` is the result, or `{code, facts}` of a refusal."""

    status: int
    body: dict[str, Any]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class House:
    """What actions need of the world: the database, the clock's reading, the personal-data keys."""

    database: Database
    now: Callable[[], datetime]
    personal: PersonalData


Work = Callable[[Step], dict[str, Any]]


def run_command(
    house: House,
    principal: Principal,
    command_id: UUID,
    request_hash: bytes,
    work: Work,
    device_at: datetime | None = None,
) -> Answer:
    """Do `work` once for this principal's `command_id`; sent again, answer the same.

    `work` returns the result's body; `seq` is added when the events have their place.
    Refusals (DispatchError) are stored too, a 5xx never. The same id with another
    request hash is refused with 422 `command_id_reused`.
    """

    def attempt(db: Session) -> Answer:
        seen = _seen(db, principal, command_id, request_hash)
        if seen is not None:
            return seen
        step = begin(db, house, principal, command_id, device_at)
        body = work(step)
        _once_more(db, principal, command_id)
        seq = append_events(step)
        return _store(db, principal, command_id, request_hash, 200, {**body, "seq": seq}, step.now)

    try:
        return house.database.run(principal.tenant_id, attempt)
    except AlreadyDone:
        return house.database.run(
            principal.tenant_id, lambda db: _must_have_seen(db, principal, command_id, request_hash)
        )
    except DispatchError as refusal:
        status = next(code for kind, code in STATUS_OF if isinstance(refusal, kind))
        body = {"code": refusal.code, "facts": refusal.facts}
        if refusal.code == "command_id_reused":
            return Answer(status, body)
        return house.database.run(
            principal.tenant_id,
            lambda db: (
                _seen(db, principal, command_id, request_hash)
                or _store(db, principal, command_id, request_hash, status, body, house.now())
            ),
        )


class AlreadyDone(Exception):
    """The same command was finished by another request while this one waited for a lock."""


def run_step(house: House, principal: Principal, work: Callable[[Step], Any], depth: int = 0) -> Any:
    """`work` in one transaction without a command id: jobs, which check everything again themselves."""

    def attempt(db: Session) -> Any:
        step = begin(db, house, principal, None, None)
        step.depth = depth
        result = work(step)
        append_events(step)
        return result

    return house.database.run(principal.tenant_id, attempt)


def begin(
    db: Session, house: House, principal: Principal, command_id: UUID | None, device_at: datetime | None
) -> Step:
    return Step(
        db=db,
        now=house.now(),
        principal=principal,
        personal=house.personal,
        rules=read_rules(db, principal.tenant_id),
        command_id=command_id,
        device_at=device_at,
    )


def read_rules(db: Session, tenant_id: UUID) -> TenantRules:
    row = db.execute(
        select(Tenant.zone, Tenant.language, Tenant.currency, Tenant.settings).where(Tenant.id == tenant_id)
    ).one_or_none()
    if row is None:
        raise NotFound("tenant_unknown")
    return TenantRules.of(row.zone, row.language, row.currency, row.settings)


def _seen(db: Session, principal: Principal, command_id: UUID, request_hash: bytes) -> Answer | None:
    row = db.execute(
        select(CommandAnswer.request_hash, CommandAnswer.status, CommandAnswer.body).where(
            CommandAnswer.tenant_id == principal.tenant_id,
            CommandAnswer.actor_id == principal.id,
            CommandAnswer.command_id == command_id,
        )
    ).one_or_none()
    if row is None:
        return None
    if bytes(row.request_hash) != request_hash:
        raise NotReady("command_id_reused", command_id=str(command_id))
    return Answer(row.status, row.body, repeated=True)


def _once_more(db: Session, principal: Principal, command_id: UUID) -> None:
    """A twin of this command may have finished while `work` waited for a lock: undo, answer as it did."""
    found = db.execute(
        select(CommandAnswer.status).where(
            CommandAnswer.tenant_id == principal.tenant_id,
            CommandAnswer.actor_id == principal.id,
            CommandAnswer.command_id == command_id,
        )
    ).one_or_none()
    if found is not None:
        raise AlreadyDone


def _must_have_seen(db: Session, principal: Principal, command_id: UUID, request_hash: bytes) -> Answer:
    seen = _seen(db, principal, command_id, request_hash)
    if seen is None:
        raise Conflict("command_in_progress", command_id=str(command_id))
    return seen


def _store(
    db: Session,
    principal: Principal,
    command_id: UUID,
    request_hash: bytes,
    status: int,
    body: dict[str, Any],
    now: datetime,
) -> Answer:
    done = db.execute(
        insert(CommandAnswer)
        .values(
            tenant_id=principal.tenant_id,
            actor_id=principal.id,
            command_id=command_id,
            request_hash=request_hash,
            status=status,
            body=body,
            at=now,
        )
        .on_conflict_do_nothing()
        .returning(CommandAnswer.status)
    ).one_or_none()
    if done is None:
        raise AlreadyDone
    return Answer(status, body)


_HEAD = text("select seq, hash from chain_heads where tenant_id = :tenant for update")
_MOVE_HEAD = text("update chain_heads set seq = :seq, hash = :hash where tenant_id = :tenant")


def append_events(step: Step) -> int:
    """Give the step's drafts their places in the tenant's chain; the chain head is the last lock.

    Returns the newest seq (0 when there was nothing to append).
    """
    step.db.flush()
    if not step.drafts:
        return 0
    head = step.db.execute(_HEAD, {"tenant": step.tenant_id}).one_or_none()
    if head is None:
        raise NotFound("tenant_unknown")
    seq, previous = head.seq, bytes(head.hash)
    events, texts, outbox = [], [], []
    for draft in step.drafts:
        seq += 1
        event = _event(step, draft, seq)
        this = chain_hash(previous, event)
        events.append(_row(step, event, previous, this))
        outbox.append(
            {
                "tenant_id": step.tenant_id,
                "seq": seq,
                "action": draft.action,
                "subject_id": draft.subject_id,
                "ticket_id": draft.ticket_id,
                "territory_id": draft.territory_id,
                "depth": step.depth,
            }
        )
        if draft.text:
            texts.append(
                {"tenant_id": step.tenant_id, "seq": seq, "ticket_id": draft.ticket_id, "text": draft.text}
            )
        previous = this
    step.db.execute(insert(TicketEvent).values(events))
    step.db.execute(insert(OutboxRow).values(outbox))
    if texts:
        step.db.execute(insert(EventText).values(texts))
    step.db.execute(_MOVE_HEAD, {"seq": seq, "hash": previous, "tenant": step.tenant_id})
    step.drafts = []
    return int(seq)


def _event(step: Step, draft: Draft, seq: int) -> Event:
    principal = step.principal
    return Event(
        seq=seq,
        subject_type=draft.subject_type,
        subject_id=draft.subject_id,
        ticket_id=draft.ticket_id,
        action=draft.action,
        actor=draft.actor or str(principal.role),
        actor_id=draft.actor_id or principal.id,
        acting_for=step.acting_for,
        command_id=step.command_id,
        from_status=draft.from_status,
        to_status=draft.to_status,
        facts=draft.facts,
        device_at=step.device_at,
        at=step.now,
    )


def _row(step: Step, event: Event, previous: bytes, this: bytes) -> dict[str, Any]:
    return {
        "tenant_id": step.tenant_id,
        "seq": event.seq,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "ticket_id": event.ticket_id,
        "action": event.action,
        "actor": event.actor,
        "actor_id": event.actor_id,
        "acting_for": event.acting_for,
        "command_id": event.command_id,
        "from_status": event.from_status,
        "to_status": event.to_status,
        "facts": dict(event.facts),
        "device_at": event.device_at,
        "at": event.at,
        "prev_hash": previous,
        "hash": this,
    }


def start_chain(db: Session, tenant_id: UUID) -> None:
    """A tenant's chain begins: seq 0, thirty-two zero bytes."""
    db.execute(
        text(
            "insert into chain_heads (tenant_id, seq, hash) values (:tenant, 0, :hash) on conflict do nothing"
        ),
        {"tenant": tenant_id, "hash": GENESIS},
    )
