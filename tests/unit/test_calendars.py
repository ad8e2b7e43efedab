"""Business hours held against a walk minute by minute, clock changes and make-up days included."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dispatch.adapters.china_days import china_days
from dispatch.domain import calendars
from dispatch.domain.calendars import ALWAYS, Calendar, calendar_body, check_calendar
from dispatch.domain.errors import NotReady

OFFICE = (((540, 720), (780, 1080)),) * 5 + ((), ())
NIGHT = (((0, 150), (1320, 1440)),) * 7
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo")


def is_open(calendar: Calendar, at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(calendar.zone))
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in calendar.spans(local.date()))


def walked_due(calendar: Calendar, start: datetime, minutes: int) -> datetime:
    at, left = start, minutes
    while left > 0:
        left -= is_open(calendar, at)
        at += timedelta(minutes=1)
    return at


def some_calendars(seed: int) -> list[Calendar]:
    noise = random.Random(seed)
    days = {date(2026, 3, 29): ((60, 240),), date(2026, 10, 25): ((30, 200),), date(2026, 12, 25): ()}
    return [Calendar(zone, noise.choice((OFFICE, NIGHT)), days) for zone in ZONES]


@pytest.mark.parametrize("seed", range(8))
def test_due_times_agree_with_a_walk_minute_by_minute(seed: int) -> None:
    noise = random.Random(seed)
    changes = (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC))
    for calendar in some_calendars(seed):
        start = noise.choice(changes) + timedelta(minutes=noise.randrange(3 * 1440))
        minutes = noise.randrange(1, 900)
        due = calendar.due(start, minutes * 60)
        assert due == walked_due(calendar, start, minutes), (calendar.zone, start, minutes)
        assert calendar.seconds_between(start, due) == minutes * 60


def test_an_hour_that_happens_twice_counts_twice_and_one_that_never_happens_not_at_all() -> None:
    early = Calendar("Europe/Berlin", (((120, 180),),) * 7)
    twice = datetime(2026, 10, 25, tzinfo=UTC)
    never = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert early.seconds_between(twice, twice + timedelta(hours=6)) == 2 * 3600
    assert early.seconds_between(never, never + timedelta(hours=6)) == 0


def test_make_up_days_are_worked_and_holidays_are_not() -> None:
    """National Day 2026: 1 to 7 October off, Saturday 10 October worked."""
    closed, opened = china_days(2026)
    days = dict.fromkeys(closed, ()) | dict.fromkeys(opened, OFFICE[0])
    calendar = Calendar("Asia/Shanghai", OFFICE, days, date(2026, 12, 31))
    evening = datetime(2026, 9, 30, 9, tzinfo=UTC)  # 17:00, one hour left
    assert calendar.due(evening, 2 * 3600) == datetime(2026, 10, 8, 2, tzinfo=UTC)
    friday = datetime(2026, 10, 9, 9, tzinfo=UTC)
    assert calendar.due(friday, 2 * 3600) == datetime(2026, 10, 10, 2, tzinfo=UTC)
    without = Calendar("Asia/Shanghai", OFFICE)
    assert without.due(friday, 2 * 3600) != calendar.due(friday, 2 * 3600)


def test_a_due_time_past_the_known_years_is_called_a_guess() -> None:
    calendar = Calendar("Asia/Shanghai", OFFICE, {}, date(2026, 12, 31))
    assert not calendar.is_guess(datetime(2026, 12, 31, 12, tzinfo=UTC))
    assert calendar.is_guess(datetime(2026, 12, 31, 17, tzinfo=UTC))
    with pytest.raises(NotReady, match="holidays_unknown"):
        china_days(2099)


def test_a_calendar_that_never_opens_is_refused_and_not_walked_for_ever() -> None:
    with pytest.raises(NotReady, match="calendar_never_opens"):
        Calendar("UTC", ((),) * 7).due(datetime(2026, 1, 1, tzinfo=UTC), 60)
    assert ALWAYS.due(datetime(2026, 1, 1, tzinfo=UTC), 60).minute == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"zone": "Mars/Base"}, "zone_unknown"),
        ({"zone": "../../etc/passwd"}, "zone_unknown"),
        ({"week": [[]] * 6}, "calendar_invalid"),
        ({"week": [[[600, 540]]] + [[]] * 6}, "calendar_invalid"),
        ({"week": [[[0, 600], [500, 700]]] + [[]] * 6}, "calendar_invalid"),
        ({"week": [[[0, 1441]]] + [[]] * 6}, "calendar_invalid"),
        ({"days": {"2026-02-30": []}}, "calendar_invalid"),
    ],
)
def test_a_malformed_calendar_is_refused_by_name(change: dict[str, object], code: str) -> None:
    body = calendar_body(Calendar("UTC", OFFICE))
    assert check_calendar(body) == Calendar("UTC", OFFICE)
    with pytest.raises(NotReady, match=code):
        check_calendar({**body, **change})


def test_mapping_a_day_by_one_offset_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage: the offset at the day's begin for the whole day."""
    calendars._stretches.cache_clear()
    whole = calendars._pieces
    monkeypatch.setattr(
        calendars,
        "_pieces",
        lambda zone, day: [(whole(zone, day)[0][0], whole(zone, day)[-1][1], whole(zone, day)[0][2])],
    )
    with pytest.raises(AssertionError):
        test_an_hour_that_happens_twice_counts_twice_and_one_that_never_happens_not_at_all()
    calendars._stretches.cache_clear()
