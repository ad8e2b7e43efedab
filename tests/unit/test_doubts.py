"""What a check-in leaves to doubt: each reason alone, with its numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.evidence_doubts import POINTS, ArrivalFacts, PhotoFacts, doubt_score, judge_doubts
from geo.points import Point, offset

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SITE = Point(120.30, 36.07)
PHOTO = PhotoFacts("p1", NOW, SITE)
PLAIN = ArrivalFacts((), NOW, NOW, SITE, NOW, 10.0, 0.0, SITE, None, (PHOTO,))


def codes(arrival: ArrivalFacts) -> list[str]:
    return [doubt.code for doubt in judge_doubts(arrival)]


def test_an_honest_check_in_leaves_nothing_to_doubt() -> None:
    assert judge_doubts(PLAIN) == []
    assert doubt_score([]) == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"flags": ("mock_position",)}, "mock_position"),
        ({"accuracy_m": 900.0}, "poor_accuracy"),
        ({"speed_mps": 20.0}, "moving"),
        ({"device_at": NOW + timedelta(minutes=10)}, "clock_ahead"),
        (
            {"last_seen": (offset(SITE, 40_000, 0), NOW - timedelta(minutes=2))},
            "impossible_speed",
        ),
        ({"photos": (replace(PHOTO, taken_at=NOW - timedelta(days=3)),)}, "photo_old"),
        ({"photos": (replace(PHOTO, position=offset(SITE, 5_000, 0)),)}, "photo_elsewhere"),
        ({"photos": (replace(PHOTO, like=(("p0", 3, False),)),)}, "photo_reused"),
        ({"photos": (replace(PHOTO, like=(("p0", 3, True),)),)}, "photo_mirrored"),
    ],
)
def test_each_reason_is_named_alone(changed: dict[str, object], code: str) -> None:
    doubts = judge_doubts(replace(PLAIN, **changed))  # type: ignore[arg-type]  # one field at a time
    assert [doubt.code for doubt in doubts] == [code]
    assert doubts[0].points == POINTS[code]


def test_a_step_sent_hours_later_is_no_reason() -> None:
    late = replace(PLAIN, at=NOW + timedelta(hours=6))
    assert codes(late) == []


def test_a_drive_at_a_drivers_speed_is_no_reason() -> None:
    assert codes(replace(PLAIN, last_seen=(offset(SITE, 40_000, 0), NOW - timedelta(minutes=40)))) == []


def test_the_score_counts_each_reason_once_and_ends_at_100() -> None:
    twice = replace(PLAIN, photos=(replace(PHOTO, like=(("a", 0, False), ("b", 1, False))),))
    assert doubt_score(judge_doubts(twice)) == POINTS["photo_reused"]
    worst = replace(
        PLAIN, flags=("mock_position",), photos=(replace(PHOTO, like=(("a", 0, False), ("b", 1, True))),)
    )
    assert doubt_score(judge_doubts(worst)) == 100
