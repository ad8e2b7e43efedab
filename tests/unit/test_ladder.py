"""The ladder's rungs and ends, without a database."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.ladder import OUTCOMES, Rung, Seen, ended, rungs, wait

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ASKED = Seen("pending", None, NOW, NOW + timedelta(seconds=180), 0)


def test_the_engineers_channels_come_first_and_the_duty_manager_last() -> None:
    whole = rungs(["fcm", "wecom", "voice"], True)
    assert [rung.whom for rung in whole] == ["engineer"] * 3 + ["backup", "dispatchers", "duty_manager"]
    assert rungs([], False) == [Rung("dispatchers", "message"), Rung("duty_manager", "message")]
    assert len(rungs(["sms"] * 50, False)) == 8


def test_each_rung_has_its_share_of_the_offers_time() -> None:
    assert wait(ASKED, 6) == timedelta(seconds=30)
    assert wait(ASKED, 600) == timedelta(seconds=10)
    assert wait(replace(ASKED, expires_at=NOW + timedelta(days=1)), 2) == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("change", "after_s", "outcome"),
    [
        ({}, 0, None),
        ({"seen_at": NOW}, 0, "acked"),
        ({"status": "accepted"}, 0, "acked"),
        ({"status": "declined"}, 0, "declined"),
        ({"status": "withdrawn"}, 0, "withdrawn"),
        ({"status": "expired"}, 200, "expired"),
        ({}, 181, "expired"),
        ({"rung": 2}, 181, "escalated"),
        ({"rung": 3}, 60, "escalated"),
    ],
)
def test_every_ladder_ends_with_what_happened(
    change: dict[str, object], after_s: int, outcome: str | None
) -> None:
    steps = rungs(["fcm"], False)
    seen = replace(ASKED, **change)  # type: ignore[arg-type]  # the names of fields
    assert ended(seen, steps, NOW + timedelta(seconds=after_s)) == outcome


@pytest.mark.parametrize("seed", range(50))
def test_whatever_happens_a_ladder_climbs_no_longer_than_its_rungs(seed: int) -> None:
    noise = random.Random(seed)
    steps = rungs(["fcm", "sms", "voice"][: noise.randrange(4)], noise.random() < 0.5)
    seen, at = ASKED, NOW
    for _ in range(len(steps) + 1):
        outcome = ended(seen, steps, at)
        if outcome is not None:
            break
        seen = replace(seen, rung=seen.rung + 1, seen_at=at if noise.random() < 0.2 else None)
        at += wait(seen, len(steps))
    assert outcome in OUTCOMES
