"""One command = one transaction = one event per changed subject, an outbox row for each.

`run_command` is the door every command of every front comes through: it opens the
transaction, knows a command it has seen, and stores the answer beside what was done.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.adapters.roads import RoadTimes
from dispatch.domain.commands import Principal
from dispatch.domain.errors import Conflict, DispatchError, Forbidden, NotFound, NotReady
from dispatch.domain.events import GENESIS, Event, chain_hash
from dispatch.domain.tenancy import TenantRules
from dispatch.store.personal import PersonalData
from dispatch.store.queries.reading import fetch, fetch_all
from dispatch.store.tables.events import Timer
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
    roads: RoadTimes | None = None

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
    """What actions need of the world: the database, the clock's reading, the personal-data keys, and who is asked
    for travel times (None: they are estimated)."""

    database: Database
    now: Callable[[], datetime]
    personal: PersonalData
    roads: RoadTimes | None = None


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

    def refuse(refusal: DispatchError) -> Answer:
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

    try:
        try:
            return house.database.run(principal.tenant_id, attempt)
        except IntegrityError as error:
            code = race_code(error)
            if code is None:
                raise
            return refuse(Conflict(code))
        except DispatchError as refusal:
            return refuse(refusal)
    except AlreadyDone:
        return house.database.run(
            principal.tenant_id, lambda db: _must_have_seen(db, principal, command_id, request_hash)
        )


#: What a unique index says to those who come at once.
RACES = {
    "uq_visit_engineers_under_way": "engineer_under_way",
    "uq_offers_one_accepted": "offer_not_live",
    "uq_offers_one_pending": "offer_pending",
    "uq_visits_one_open": "visit_open",
    "uq_tickets_external_ref": "external_ref_known",
    "uq_quotes_one_open": "quote_open",
}


def race_code(error: IntegrityError) -> str | None:
    """The refusal behind a unique index, or None where it is a bug."""
    diagnosis = getattr(error.orig, "diag", None)
    return RACES.get(getattr(diagnosis, "constraint_name", None) or "")


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
        roads=house.roads,
    )


_RULES = "select zone, language, currency, settings from tenants where id = %(tenant)s"
_SEEN = """
  select request_hash, status, body from commands
  where tenant_id = %(tenant)s and actor_id = %(actor)s and command_id = %(command)s
"""


def read_rules(db: Session, tenant_id: UUID) -> TenantRules:
    rows = fetch(db, _RULES, {"tenant": tenant_id})
    if not rows:
        raise NotFound("tenant_unknown")
    return TenantRules.of(**rows[0])


def _key(principal: Principal, command_id: UUID) -> dict[str, Any]:
    return {"tenant": principal.tenant_id, "actor": principal.id, "command": command_id}


def _seen(db: Session, principal: Principal, command_id: UUID, request_hash: bytes) -> Answer | None:
    rows = fetch(db, _SEEN, _key(principal, command_id))
    if not rows:
        return None
    if bytes(rows[0]["request_hash"]) != request_hash:
        raise NotReady("command_id_reused", command_id=str(command_id))
    return Answer(rows[0]["status"], rows[0]["body"], repeated=True)


def _once_more(db: Session, principal: Principal, command_id: UUID) -> None:
    """A twin of this command may have finished while `work` waited for a lock: undo, answer as it did."""
    if fetch(db, _SEEN, _key(principal, command_id)):
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
    values = {"hash": request_hash, "status": status, "body": Jsonb(body), "at": now}
    if not fetch(db, _STORE, {**_key(principal, command_id), **values}):
        raise AlreadyDone
    return Answer(status, body)


_STORE = """
  insert into commands (tenant_id, actor_id, command_id, request_hash, status, body, at)
  values (%(tenant)s, %(actor)s, %(command)s, %(hash)s, %(status)s, %(body)s, %(at)s)
  on conflict do nothing returning status
"""
_HEAD = "select seq, hash from chain_heads where tenant_id = %(tenant)s for update"
_MOVE_HEAD = "update chain_heads set seq = %(seq)s, hash = %(hash)s where tenant_id = %(tenant)s"
_EVENT = """
  insert into ticket_events (tenant_id, seq, subject_type, subject_id, ticket_id, action, actor, actor_id,
    acting_for, command_id, from_status, to_status, facts, device_at, at, prev_hash, hash)
  values (%(tenant_id)s, %(seq)s, %(subject_type)s, %(subject_id)s, %(ticket_id)s, %(action)s, %(actor)s,
    %(actor_id)s, %(acting_for)s, %(command_id)s, %(from_status)s, %(to_status)s, %(facts)s, %(device_at)s,
    %(at)s, %(prev_hash)s, %(hash)s)
"""
_OUTBOX = """
  insert into outbox (tenant_id, seq, action, subject_id, ticket_id, territory_id, depth) values
    (%(tenant_id)s, %(seq)s, %(action)s, %(subject_id)s, %(ticket_id)s, %(territory_id)s, %(depth)s)
"""
_TEXT = """
  insert into event_texts (tenant_id, seq, ticket_id, text)
  values (%(tenant_id)s, %(seq)s, %(ticket_id)s, %(text)s)
"""


def append_events(step: Step) -> int:
    """Give the step's drafts their places in the tenant's chain; the chain head is the last lock.

    Returns the newest seq (0 when there was nothing to append).
    """
    step.db.flush()
    if not step.drafts:
        return 0
    heads = fetch(step.db, _HEAD, {"tenant": step.tenant_id})
    if not heads:
        raise NotFound("tenant_unknown")
    seq, previous = int(heads[0]["seq"]), bytes(heads[0]["hash"])
    writes: list[tuple[str, dict[str, Any]]] = []
    for draft in step.drafts:
        seq += 1
        event = _event(step, draft, seq)
        this = chain_hash(previous, event)
        row = _row(step, event, previous, this)
        writes.append((_EVENT, row))
        writes.append((_OUTBOX, {**row, "territory_id": draft.territory_id, "depth": step.depth}))
        if draft.text:
            writes.append((_TEXT, {**row, "text": draft.text}))
        previous = this
    writes.append((_MOVE_HEAD, {"seq": seq, "hash": previous, "tenant": step.tenant_id}))
    fetch_all(step.db, *writes)
    step.drafts = []
    return seq


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
        "facts": Jsonb(dict(event.facts)),
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
