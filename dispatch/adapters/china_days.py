"""Holidays and make-up days (调休) of mainland China as published by the State Council, by chinesecalendar."""

from datetime import date, timedelta

import chinese_calendar

from dispatch.domain.errors import NotReady

FIRST_YEAR = 2004


def last_known_year(now: date) -> int:
    """The newest year whose days are published in the installed library, FIRST_YEAR - 1 where none."""
    for year in range(now.year + 2, FIRST_YEAR - 1, -1):
        if _known(year):
            return year
    return FIRST_YEAR - 1


def _known(year: int) -> bool:
    try:
        chinese_calendar.is_workday(date(year, 6, 1))
    except NotImplementedError:
        return False
    return True


def china_days(year: int) -> tuple[list[date], list[date]]:
    """(holidays on days of work, make-up work on days of rest) of one year.

    Raises NotReady `holidays_unknown` for a year not published yet.
    """
    if not FIRST_YEAR <= year <= date.max.year - 1 or not _known(year):
        raise NotReady("holidays_unknown", year=year)
    closed, opened = [], []
    day = date(year, 1, 1)
    while day.year == year:
        works = bool(chinese_calendar.is_workday(day))
        if works and day.weekday() >= 5:
            opened.append(day)
        elif not works and day.weekday() < 5:
            closed.append(day)
        day += timedelta(days=1)
    return closed, opened
