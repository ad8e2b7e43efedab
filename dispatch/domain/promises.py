"""The promise's clock (SLA): one pure function from a ticket's events to its ledger, due times and warnings.

Ticket page, messages and planner all read what `read_clocks` gives; nothing here is stored as truth. A clock runs
in business seconds of its calendar, pauses with a reason, and ends met, late or dropped. Reopening a ticket
starts a new cycle of clocks; changed terms carry the seconds already run; a due time set by hand never moves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dispatch.domain.calendars import ALWAYS, Calendar
from dispatch.domain.errors import NotReady


class PromiseKind(StrEnum):
    RESPONSE = "response"
    ARRIVAL = "arrival"
    RESOLUTION = "resolution"


#: Who is told when a step of a promise is reached.
AUDIENCES = ("engineer", "dispatchers", "duty_manager")
STEPS_MAX = 8
PCT_MAX = 1_000
TARGET_MIN_MAX = 60 * 24 * 366


@dataclass(frozen=True, slots=True)
class Step:
    """When `pct` per cent of the time has run, tell `whom`; from 100 on the promise is broken."""

    pct: int
    whom: str


DEFAULT_STEPS = (Step(75, "dispatchers"), Step(100, "dispatchers"), Step(150, "duty_manager"))


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised from the event `from_seq` on. `fixed_due_at` was set by hand."""

    from_seq: int
    target_s: int
    calendar: Calendar = ALWAYS
    steps: tuple[Step, ...] = DEFAULT_STEPS
    fixed_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of the ticket, as far as clocks care. `nobody_named`: a contractor took it without an engineer."""

    seq: int
    at: datetime
    action: str
    actor: str
    pauses: bool = False
    reason: str | None = None
    outcome: str | None = None
    nobody_named: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """One line of the ledger: `business_s` ran from `from_at` to `to_at` (None: still lasting)."""

    running: bool
    reason: str | None
    from_at: datetime
    from_seq: int
    terms: Terms
    to_at: datetime | None = None

    def business_s(self, now: datetime) -> float:
        """Seconds counted, 0 while paused."""
        if not self.running:
            return 0.0
        return self.terms.calendar.seconds_between(self.from_at, self.to_at or now)


@dataclass(slots=True)
class PromiseClock:
    """One kind in one cycle. `ended` is None, `met` (in time or late, see `is_broken`) or `dropped`."""

    kind: PromiseKind
    cycle: int
    stretches: list[Stretch]
    ended: str | None = None
    ended_at: datetime | None = None
    revision: int = 1
    _before_s: dict[int, float] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        return self.stretches[-1].terms

    @property
    def started_at(self) -> datetime:
        return self.stretches[0].from_at

    @property
    def paused_reason(self) -> str | None:
        last = self.stretches[-1]
        return None if last.running or self.ended else last.reason

    def state(self, now: datetime) -> str:
        """running, paused, broken (late, still unmet), met, late (met too late) or dropped."""
        if self.ended == "dropped":
            return "dropped"
        if self.ended is not None:
            return "late" if self.is_broken(now) else "met"
        if self.is_broken(now):
            return "broken"
        return "paused" if self.paused_reason else "running"

    def elapsed_s(self, now: datetime) -> float:
        """Business seconds run by `now`, each stretch by the calendar of its own terms."""
        last = self.stretches[-1]
        return self._elapsed_before_last() + last.business_s(self.ended_at or now)

    def _elapsed_before_last(self) -> float:
        index = len(self.stretches) - 1
        if index not in self._before_s:
            self._before_s = {index: sum(s.business_s(s.to_at or s.from_at) for s in self.stretches[:-1])}
        return self._before_s[index]

    @property
    def target_s(self) -> float:
        """Business seconds promised; for a due time set by hand those from the start until it."""
        fixed = self.terms.fixed_due_at
        if fixed is not None:
            return max(1.0, self.terms.calendar.seconds_between(self.started_at, fixed))
        return float(self.terms.target_s)

    def remaining_s(self, now: datetime) -> float:
        """Business seconds left, negative once broken."""
        return self.target_s - self.elapsed_s(now)

    def reaches(self, pct: int) -> datetime | None:
        """When `pct` per cent have run if nothing pauses any more; None while paused, for the future only.

        What was reached in an earlier stretch gives the start of the last one: it is past.
        """
        fixed = self.terms.fixed_due_at
        if fixed is not None and pct == 100:
            return fixed
        last = self.stretches[-1]
        left = self.target_s * pct / 100 - self._elapsed_before_last()
        if last.running:
            return self.terms.calendar.due(last.from_at, left)
        return last.from_at if left <= 0 else None

    @property
    def due_at(self) -> datetime | None:
        """The instant it must be kept by; None while paused."""
        return self.reaches(100)

    def is_broken(self, now: datetime) -> bool:
        fixed = self.terms.fixed_due_at
        at = self.ended_at or now
        if fixed is not None:
            return at > fixed
        return self.elapsed_s(at) > self.terms.target_s

    def steps_reached(self, now: datetime) -> list[tuple[Step, datetime]]:
        """The steps due by `now` with their instants, none once ended."""
        if self.ended is not None:
            return []
        reached = [(step, self.reaches(step.pct)) for step in self.terms.steps]
        return [(step, at) for step, at in reached if at is not None and at <= now]

    def next_step_at(self, now: datetime) -> datetime | None:
        """When to look again; None when paused, ended or when no step is left."""
        if self.ended is not None:
            return None
        ahead = [at for step in self.terms.steps if (at := self.reaches(step.pct)) is not None and at > now]
        return min(ahead, default=None)

    def at_risk_at(self) -> datetime | None:
        """When its first warning is due; None while paused, ended or without warnings."""
        warnings = [step.pct for step in self.terms.steps if step.pct < 100]
        return self.reaches(min(warnings)) if warnings and self.ended is None else None


_STOPS: dict[PromiseKind, frozenset[str]] = {
    PromiseKind.RESPONSE: frozenset(
        {
            "accept_offer",
            "grab",
            "name_engineer",
            "acknowledge",
            "contact",
            "set_off",
            "check_in",
            "complete",
            "resolve_remotely",
        }
    ),
    PromiseKind.ARRIVAL: frozenset({"check_in", "complete", "resolve_remotely"}),
    PromiseKind.RESOLUTION: frozenset({"complete", "resolve_remotely", "sign_off"}),
}
_DROPS = frozenset({"cancel", "mark_duplicate"})
_UNRESOLVED = frozenset({"not_fixed", "no_access"})
#: Events at which terms are chosen anew.
CHOOSES_TERMS = frozenset({"create", "amend", "reopen"})


def read_clocks(
    events: Iterable[Happened], terms: Mapping[PromiseKind, Sequence[Terms]]
) -> list[PromiseClock]:
    """Every clock of a ticket from its events, oldest first. `terms` are in the order of `from_seq`."""
    clocks: list[PromiseClock] = []
    cycle = 0
    kept: set[PromiseKind] = set()
    for event in events:
        if event.action in ("create", "reopen"):
            cycle, kept = cycle + 1, set()
        current = {clock.kind: clock for clock in clocks if clock.cycle == cycle}
        for kind in PromiseKind:
            valid = _terms_at(terms.get(kind, ()), event.seq)
            if kind in current:
                _turn(current[kind], event)
                _change_terms(current[kind], event, valid)
            elif event.action in CHOOSES_TERMS and valid is not None and kind not in kept:
                clocks.append(PromiseClock(kind, cycle, [Stretch(True, None, event.at, event.seq, valid)]))
        kept |= {kind for kind in PromiseKind if _stops(kind, event)}
    return clocks


def _terms_at(terms: Sequence[Terms], seq: int) -> Terms | None:
    valid = [one for one in terms if one.from_seq <= seq]
    return valid[-1] if valid else None


def _turn(clock: PromiseClock, event: Happened) -> None:
    """What one event does to one clock: drop, stop, pause, run again."""
    if clock.ended == "dropped":
        return
    if clock.ended == "met":
        if event.action == "reject" and clock.kind is PromiseKind.RESOLUTION:
            _run_again(clock, event)
        return
    if event.action in _DROPS:
        _end(clock, event, "dropped")
    elif _stops(clock.kind, event):
        _end(clock, event, "met")
    elif event.action == "hold" and event.pauses:
        _next(clock, event, running=False, reason=event.reason)
    elif event.action in ("resume", "resume_kept") and not clock.stretches[-1].running:
        _next(clock, event, running=True)


def _stops(kind: PromiseKind, event: Happened) -> bool:
    if kind is PromiseKind.RESPONSE and event.action == "assign":
        return event.actor != "system"
    if event.nobody_named:
        return False
    if kind is PromiseKind.RESOLUTION and event.action == "complete" and event.outcome in _UNRESOLVED:
        return False
    return event.action in _STOPS[kind]


def _end(clock: PromiseClock, event: Happened, how: str) -> None:
    clock.stretches[-1] = _closed(clock.stretches[-1], event.at)
    clock.ended, clock.ended_at = how, event.at


def _run_again(clock: PromiseClock, event: Happened) -> None:
    """Not accepted: the time the customer took to say so does not count, the work's time goes on."""
    assert clock.ended_at is not None
    last = clock.stretches[-1]
    waited = Stretch(False, "awaiting_acceptance", clock.ended_at, event.seq, last.terms, event.at)
    clock.stretches += [waited, Stretch(True, None, event.at, event.seq, last.terms)]
    clock.ended = clock.ended_at = None


def _next(
    clock: PromiseClock, event: Happened, running: bool, reason: str | None = None, terms: Terms | None = None
) -> None:
    last = clock.stretches[-1]
    clock.stretches[-1] = _closed(last, event.at)
    clock.stretches.append(Stretch(running, reason, event.at, event.seq, terms or last.terms))


def _closed(stretch: Stretch, at: datetime) -> Stretch:
    return Stretch(stretch.running, stretch.reason, stretch.from_at, stretch.from_seq, stretch.terms, at)


def _change_terms(clock: PromiseClock, event: Happened, valid: Terms | None) -> None:
    if valid is None or valid.from_seq != event.seq or clock.ended is not None:
        return
    last = clock.stretches[-1]
    _next(clock, event, last.running, last.reason, valid)
    clock.revision += 1


def check_steps(steps: Iterable[Mapping[str, object]]) -> tuple[Step, ...]:
    """Steps in order of `pct`, each once. Raises NotReady `promise_steps_invalid`."""
    found: dict[tuple[int, str], Step] = {}
    for step in steps:
        pct, whom = step.get("pct"), step.get("whom")
        if not isinstance(pct, int) or isinstance(pct, bool) or not 1 <= pct <= PCT_MAX:
            raise NotReady("promise_steps_invalid", field="pct")
        if not isinstance(whom, str) or whom not in AUDIENCES:
            raise NotReady("promise_steps_invalid", field="whom", allowed=list(AUDIENCES))
        found[pct, whom] = Step(pct, whom)
    if len(found) > STEPS_MAX:
        raise NotReady("promise_steps_invalid", most=STEPS_MAX)
    return tuple(found[key] for key in sorted(found))


@dataclass(frozen=True, slots=True)
class PolicyMatch:
    """Which tickets a policy is for; None is any."""

    work_type: str | None
    priority: str | None
    contract_id: object | None

    def rank(self) -> tuple[bool, bool, bool]:
        """The more special goes first: contract before work type before priority."""
        return (self.contract_id is not None, self.work_type is not None, self.priority is not None)

    def fits(self, work_type: str, priority: str, contracts: Iterable[object]) -> bool:
        return (
            self.work_type in (None, work_type)
            and self.priority in (None, priority)
            and (self.contract_id is None or self.contract_id in set(contracts))
        )
