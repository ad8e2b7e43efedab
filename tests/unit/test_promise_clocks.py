"""The promise's clock, event by event, against a sum minute by minute."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain import promises
from dispatch.domain.calendars import ALWAYS, Calendar
from dispatch.domain.errors import NotReady
from dispatch.domain.promises import (
    Happened,
    PromiseClock,
    PromiseKind,
    Step,
    Terms,
    check_steps,
    read_clocks,
)
from tests.unit.test_calendars import OFFICE, is_open

MONDAY = datetime(2026, 11, 23, 1, tzinfo=UTC)  # 9:00 in Shanghai
SHANGHAI = Calendar("Asia/Shanghai", OFFICE)
H = 3600


def story(*lines: tuple[float, str], **more: object) -> list[Happened]:
    """(hours after Monday 9:00, action) as events; `hold` pauses for parts."""
    return [
        Happened(
            seq, MONDAY + timedelta(hours=at), action, "engineer", action == "hold", "parts", outcome="fixed"
        )
        for seq, (at, action) in enumerate(lines, 1)
    ]


def resolution(events: list[Happened], *terms: Terms) -> list[PromiseClock]:
    return read_clocks(events, {PromiseKind.RESOLUTION: terms or (Terms(1, 8 * H, SHANGHAI),)})


def test_a_pause_moves_the_due_time_by_the_business_time_it_took() -> None:
    (clock,) = resolution(story((0, "create")))
    assert clock.due_at == MONDAY + timedelta(hours=9)  # 18:00, an hour of lunch
    (paused,) = resolution(story((0, "create"), (2, "hold")))
    assert (paused.due_at, paused.paused_reason, paused.remaining_s(MONDAY + timedelta(days=9))) == (
        None,
        "parts",
        6 * H,
    )
    (clock,) = resolution(story((0, "create"), (2, "hold"), (26, "resume")))
    assert clock.due_at == MONDAY + timedelta(hours=33)  # Tuesday 18:00: six hours from 11:00
    assert [(s.running, s.reason) for s in clock.stretches] == [(True, None), (False, "parts"), (True, None)]


def test_a_pause_over_the_weekend_night_costs_nothing_where_nothing_was_open() -> None:
    (clock,) = resolution(story((0, "create"), (9, "hold"), (23, "resume")))
    assert clock.remaining_s(MONDAY + timedelta(hours=24)) == 0


def test_completion_meets_it_rejection_runs_it_on_and_reopening_starts_another() -> None:
    (met,) = resolution(story((0, "create"), (4, "complete")))
    assert met.state(MONDAY + timedelta(days=3)) == "met"
    (again,) = resolution(story((0, "create"), (4, "complete"), (27, "reject")))
    assert again.elapsed_s(MONDAY + timedelta(hours=27)) == 3 * H  # the customer's day does not count
    assert [s.reason for s in again.stretches] == [None, "awaiting_acceptance", None]
    first, second = resolution(story((0, "create"), (4, "complete"), (5, "sign_off"), (48, "reopen")))
    assert (first.cycle, first.ended, second.cycle, second.ended) == (1, "met", 2, None)
    assert second.started_at == MONDAY + timedelta(hours=48)


def test_changed_terms_carry_the_seconds_already_run() -> None:
    events = story((0, "create"), (2, "amend"))
    (clock,) = resolution(events, Terms(1, 8 * H, SHANGHAI), Terms(2, 4 * H, ALWAYS))
    assert clock.due_at == MONDAY + timedelta(hours=4)
    assert (clock.revision, clock.elapsed_s(MONDAY + timedelta(hours=3))) == (2, 3 * H)


def test_a_due_time_set_by_hand_never_moves() -> None:
    by_hand = Terms(1, 0, SHANGHAI, fixed_due_at=MONDAY + timedelta(hours=5))
    for events in (
        story((0, "create")),
        story((0, "create"), (1, "hold")),
        story((0, "create"), (1, "hold"), (3, "resume")),
    ):
        (clock,) = resolution(events, by_hand)
        assert clock.due_at == MONDAY + timedelta(hours=5)
    assert clock.is_broken(MONDAY + timedelta(hours=6))


def test_a_promise_that_begins_with_an_amendment_begins_there_unless_it_is_kept_already() -> None:
    terms = {kind: (Terms(3, H),) for kind in PromiseKind}
    clocks = read_clocks(story((0, "create"), (1, "accept_offer"), (2, "amend")), terms)
    assert {c.kind: c.started_at for c in clocks} == {
        PromiseKind.ARRIVAL: MONDAY + timedelta(hours=2),
        PromiseKind.RESOLUTION: MONDAY + timedelta(hours=2),
    }


def test_a_cancelled_ticket_breaks_no_promise() -> None:
    (clock,) = resolution(story((0, "create"), (1, "cancel")))
    assert (clock.state(MONDAY + timedelta(days=9)), clock.next_step_at(MONDAY)) == ("dropped", None)


def test_work_that_did_not_fix_it_does_not_keep_the_promise() -> None:
    created, done = story((0, "create"), (1, "complete"))
    unfixed = Happened(done.seq, done.at, "complete", "engineer", outcome="not_fixed")
    (clock,) = resolution([created, unfixed])
    assert clock.state(MONDAY + timedelta(hours=2)) == "running"


def test_the_system_assigning_is_no_response() -> None:
    terms = {PromiseKind.RESPONSE: (Terms(1, H),)}
    created = story((0, "create"))[0]
    for actor, ended in (("system", None), ("dispatcher", "met")):
        (clock,) = read_clocks([created, Happened(2, MONDAY, "assign", actor)], terms)
        assert clock.ended == ended


def test_steps_come_at_their_share_of_the_time() -> None:
    terms = Terms(
        1, 8 * H, SHANGHAI, (Step(50, "engineer"), Step(100, "dispatchers"), Step(150, "duty_manager"))
    )
    (clock,) = resolution(story((0, "create")), terms)
    assert clock.next_step_at(MONDAY) == MONDAY + timedelta(hours=5)  # four hours and lunch
    assert clock.at_risk_at() == MONDAY + timedelta(hours=5)
    late = MONDAY + timedelta(days=5)
    assert [step.pct for step, _ in clock.steps_reached(late)] == [50, 100, 150]


@pytest.mark.parametrize(
    "step", [{"pct": 0, "whom": "engineer"}, {"pct": True, "whom": "engineer"}, {"pct": 9, "whom": "all"}]
)
def test_malformed_steps_are_refused(step: dict[str, object]) -> None:
    with pytest.raises(NotReady, match="promise_steps_invalid"):
        check_steps([step])


def walked(events: list[Happened], calendar: Calendar, now: datetime) -> float:
    """Seconds run, minute by minute: the reference."""
    running, seconds, index, at = False, 0.0, 0, events[0].at
    while at < now:
        while index < len(events) and events[index].at <= at:
            running = {"hold": False, "note": running}.get(events[index].action, True)
            index += 1
        seconds += 60 * (running and is_open(calendar, at))
        at += timedelta(minutes=1)
    return seconds


def agree(seed: int) -> None:
    noise = random.Random(seed)
    hours = sorted(noise.sample(range(1, 2400), 6))
    actions = ["create", "hold", "resume", "hold", "resume", "note"]
    events = story(*[(h / 60, a) for h, a in zip(hours, actions, strict=True)])
    now = events[-1].at + timedelta(minutes=noise.randrange(1, 900))
    (clock,) = resolution(events)
    assert clock.elapsed_s(now) == walked(events, SHANGHAI, now)


@pytest.mark.parametrize("seed", range(25))
def test_random_ledgers_agree_with_a_walk_minute_by_minute(seed: int) -> None:
    agree(seed)


def test_counting_pauses_by_the_wall_clock_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage, a usual shortcut: elapsed is now minus start minus the pauses."""
    monkeypatch.setattr(
        promises.PromiseClock,
        "elapsed_s",
        lambda self, now: (
            self.terms.calendar.seconds_between(self.started_at, now)
            - sum((s.to_at - s.from_at).total_seconds() for s in self.stretches if not s.running and s.to_at)
        ),
    )
    with pytest.raises(AssertionError):
        agree(3)
