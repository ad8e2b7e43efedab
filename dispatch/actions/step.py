"""One command = one transaction = one event per changed subject, an outbox row for each.

`run_command` is the door every command of every front comes through: it opens the
transaction, knows a command it has seen, and stores the answer beside what was done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.actions.chain import HEAD, chained
from dispatch.adapters.roads import RoadTimes
from dispatch.domain.commands import Principal
from dispatch.domain.errors import Conflict, DispatchError, Forbidden, NotFound, NotReady
from dispatch.domain.tenancy import TenantRules
from dispatch.store.exchange import Question, Rows
from dispatch.store.personal import PersonalData
from dispatch.store.queries.reading import fetch, fetch_all
from dispatch.store.rows import changes
from dispatch.store.transactions import Database, Result, finish

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
    #: Statements nobody in the step reads the effect of; they are done with its end, in one trip.
    writes: list[Question] = field(default_factory=list)
    #: What was read with the transaction's beginning for the ticket a command is about; see `cases.load_case`.
    ahead: dict[UUID, list[Rows]] = field(default_factory=dict)
    #: One command is all that happens in the transaction: nobody in it tries another way where it is refused.
    alone: bool = False
    expected: list[tuple[Question, Callable[[Rows], None]]] = field(default_factory=list)

    @property
    def tenant_id(self) -> UUID:
        return self.principal.tenant_id

    def expect(self, question: Question, check: Callable[[Rows], None]) -> None:
        """Do `question` and let `check` refuse what it gave (raising DispatchError): at once, or with the step's
        last trips where a late refusal undoes the same."""
        if self.alone:
            self.expected.append((question, check))
        else:
            check(fetch(self.db, *question))

    def set_timer(self, kind: str, subject_id: UUID, due_at: datetime) -> None:
        """Look at `subject_id` again at `due_at`; a later call moves it."""
        key = {"tenant": self.tenant_id, "kind": kind, "subject": subject_id}
        self.writes.append((_SET_TIMER, {**key, "due_at": due_at}))

    def drop_timers(self, subject_id: UUID, *kinds: str) -> None:
        """`subject_id` needs no look of these kinds any more."""
        values = {"tenant": self.tenant_id, "subject": subject_id, "kinds": list(kinds)}
        self.writes.append((_DROP_TIMERS, values))


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is HTTP's; `body` is the result, or `{code, facts}` of a refusal."""

    status: int
    body: dict[str, Any]
    repeated: bool = False
    #: What was read right after the commit, where something was to be read and something was committed.
    after: list[Rows] | None = None


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
    ahead: tuple[UUID, Sequence[Question]] | None = None,
    after: Sequence[Question] = (),
) -> Answer:
    """Do `work` once for this principal's `command_id`; sent again, answer the same.

    `ahead`: a ticket and what `load_case` wants to know of it, its lock first; it goes along with the beginning.
    `after`: what to read once it is committed; it goes along with the end.

    `work` returns the result's body; `seq` is added when the events have their place.
    Refusals (DispatchError) are stored too, a 5xx never. The same id with another
    request hash is refused with 422 `command_id_reused`.
    """

    key = _key(principal, command_id)

    def attempt(db: Session, *rows: Rows) -> Answer:
        *read, seen, rules = rows
        answer = _as_answer(seen, command_id, request_hash)
        if answer is not None:
            return answer
        step = begin(db, house, principal, _as_rules(rules), command_id, device_at)
        if ahead is not None:
            step.ahead[ahead[0]], step.alone = read, True
        body = work(step)
        # A twin that waited for the same ticket's lock was seen above.
        seq, writes = append_events(step, None if ahead else (_SEEN, key))
        stored = {**body, "seq": seq}
        writes.append(_to_store(key, request_hash, 200, stored, step.now))
        return Answer(200, stored, after=_finish(db, writes, principal.tenant_id, after) or None)

    def refuse(refusal: DispatchError) -> Answer:
        status = next(code for kind, code in STATUS_OF if isinstance(refusal, kind))
        body = {"code": refusal.code, "facts": refusal.facts}
        if refusal.code == "command_id_reused":
            return Answer(status, body)

        def remember(db: Session, seen: Rows) -> Answer:
            answer = _as_answer(seen, command_id, request_hash)
            if answer is None:
                _finish(db, [_to_store(key, request_hash, status, body, house.now())])
            return answer or Answer(status, body)

        return house.database.run(principal.tenant_id, remember, (_SEEN, key))

    try:
        try:
            first = (*(ahead[1] if ahead else ()), (_SEEN, key), (_RULES, {"tenant": principal.tenant_id}))
            return house.database.run(principal.tenant_id, attempt, *first)
        except (IntegrityError, psycopg.IntegrityError) as error:
            code = race_code(error)
            if code is None:
                raise
            return refuse(Conflict(code))
        except DispatchError as refusal:
            return refuse(refusal)
    except AlreadyDone:
        return house.database.run(
            principal.tenant_id,
            lambda _, seen: _must_have_seen(seen, command_id, request_hash),
            (_SEEN, key),
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


def race_code(error: IntegrityError | psycopg.IntegrityError) -> str | None:
    """The refusal behind a unique index, or None where it is a bug."""
    diagnosis = getattr(error.orig if isinstance(error, IntegrityError) else error, "diag", None)
    return RACES.get(getattr(diagnosis, "constraint_name", None) or "")


class AlreadyDone(Exception):
    """The same command was finished by another request while this one waited for a lock."""


def run_step(house: House, principal: Principal, work: Callable[[Step], Result], depth: int = 0) -> Result:
    """`work` in one transaction without a command id: jobs, which check everything again themselves."""

    def attempt(db: Session, rules: Rows) -> Result:
        step = begin(db, house, principal, _as_rules(rules))
        step.depth = depth
        result = work(step)
        finish(db, append_events(step)[1])
        return result

    return house.database.run(principal.tenant_id, attempt, (_RULES, {"tenant": principal.tenant_id}))


def begin(
    db: Session,
    house: House,
    principal: Principal,
    rules: TenantRules,
    command_id: UUID | None = None,
    device_at: datetime | None = None,
) -> Step:
    return Step(
        db=db,
        now=house.now(),
        principal=principal,
        personal=house.personal,
        rules=rules,
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
    return _as_rules(fetch(db, _RULES, {"tenant": tenant_id}))


def _as_rules(rows: Rows) -> TenantRules:
    if not rows:
        raise NotFound("tenant_unknown")
    return TenantRules.of(**rows[0])


def _key(principal: Principal, command_id: UUID) -> dict[str, Any]:
    return {"tenant": principal.tenant_id, "actor": principal.id, "command": command_id}


def _as_answer(seen: Rows, command_id: UUID, request_hash: bytes) -> Answer | None:
    """What was answered before, or None for a command never seen."""
    if not seen:
        return None
    if bytes(seen[0]["request_hash"]) != request_hash:
        raise NotReady("command_id_reused", command_id=str(command_id))
    return Answer(seen[0]["status"], seen[0]["body"], repeated=True)


def _must_have_seen(seen: Rows, command_id: UUID, request_hash: bytes) -> Answer:
    answer = _as_answer(seen, command_id, request_hash)
    if answer is None:
        raise Conflict("command_in_progress", command_id=str(command_id))
    return answer


def _to_store(
    key: Mapping[str, Any], request_hash: bytes, status: int, body: dict[str, Any], now: datetime
) -> Question:
    return _STORE, {**key, "hash": request_hash, "status": status, "body": Jsonb(body), "at": now}


def _finish(
    db: Session, writes: list[Question], tenant_id: UUID | None = None, after: Sequence[Question] = ()
) -> list[Rows]:
    """The last trip of a command, its answer among it."""
    try:
        return finish(db, writes, tenant_id, after)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "pk_commands":
            raise AlreadyDone from error
        raise


_STORE = """
  insert into commands (tenant_id, actor_id, command_id, request_hash, status, body, at)
  values (%(tenant)s, %(actor)s, %(command)s, %(hash)s, %(status)s, %(body)s, %(at)s)
"""
_SET_TIMER = """
  insert into timers (tenant_id, kind, subject_id, due_at)
  values (%(tenant)s, %(kind)s, %(subject)s, %(due_at)s)
  on conflict (tenant_id, kind, subject_id) do update set due_at = excluded.due_at
"""
_DROP_TIMERS = """
  delete from timers where tenant_id = %(tenant)s and subject_id = %(subject)s and kind = any(%(kinds)s)
"""


def append_events(step: Step, seen: Question | None = None) -> tuple[int, list[Question]]:
    """Write what the step did and give its drafts their places in the tenant's chain, whose head is the
    last lock.

    Returns the newest seq (0 when there was nothing to append) and the statements that write the events,
    for the caller to send with its own last ones: the head stays locked the shorter. `seen` asks for a
    twin of this command, which may have finished while the step waited for a lock: then AlreadyDone.
    """
    changed = changes(step.db)
    checks = [check for _, check in step.expected]
    checks += [_must_have_changed if "returning" in sql else _anything for sql, _ in changed]
    asked = [*(question for question, _ in step.expected), *changed, *step.writes, *([seen] if seen else [])]
    if step.drafts:
        asked.append((HEAD, {"tenant": step.tenant_id}))
    answers = fetch_all(step.db, *asked)
    step.writes, step.expected = [], []
    if seen and answers[len(asked) - 1 - bool(step.drafts)]:
        raise AlreadyDone
    for check, rows in zip(checks, answers, strict=False):
        check(rows)
    if not step.drafts:
        return 0, []
    if not answers[-1]:
        raise NotFound("tenant_unknown")
    return chained(step, int(answers[-1][0]["seq"]), bytes(answers[-1][0]["hash"]))


def _must_have_changed(rows: Rows) -> None:
    """A row that was read in this transaction is there to be changed."""
    if len(rows) != 1:
        raise RuntimeError(f"{len(rows)} rows changed instead of one")


def _anything(rows: Rows) -> None:
    """What gives no rows says nothing by that."""
