"""When a job that raised is tried again."""

from datetime import timedelta
from typing import Any

import pytest
from procrastinate import RetryDecision
from procrastinate.jobs import Job

from dispatch.actions.telling import PushLater, check_patience
from dispatch.adapters.push import PushResult
from dispatch.adapters.queue import MAX_TRIES, RETRY
from dispatch.settings import Clock


def decided(error: Exception, attempts: int = 0) -> RetryDecision | None:
    job = Job(
        id=7, queue="others", lock="push/x", queueing_lock=None, task_name="push_offers", attempts=attempts
    )
    return RETRY.get_retry_decision(exception=error, job=job)


def waits(decision: RetryDecision | None) -> int:
    assert decision is not None
    assert decision.retry_at is not None
    return round((decision.retry_at - Clock.wall()) / timedelta(seconds=1))


@pytest.mark.parametrize(("attempts", "wait_s"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 32)])
def test_a_job_waits_longer_each_time_and_keeps_its_place(attempts: int, wait_s: int) -> None:
    decision = decided(ValueError(), attempts)
    assert waits(decision) == wait_s
    assert decision is not None
    assert decision.lock is None


@pytest.mark.parametrize(("attempts", "wait_s"), [(0, 10), (2, 10), (3, 16)])
def test_what_the_provider_asked_for_is_waited_and_others_need_not(attempts: int, wait_s: int) -> None:
    decision = decided(PushLater(10), attempts)
    assert waits(decision) == wait_s
    assert decision is not None
    assert decision.lock == "later/7"


def test_patience_ends() -> None:
    assert decided(PushLater(10), MAX_TRIES) is None


def test_the_longest_wait_of_several_devices_counts() -> None:
    def result(outcome: Any, after_s: float = 0.0) -> PushResult:
        return PushResult("phone", outcome, after_s)

    check_patience([result("accepted"), result("gone")])
    with pytest.raises(PushLater) as told:
        check_patience([result("accepted"), result("retry", 2), result("retry", 60)])
    assert told.value.after_s == 60
