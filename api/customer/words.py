"""What the customer's pages say: one catalogue in both languages, times on the site's wall clock, money."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from dispatch.domain.money import money_text

CATALOGUE = Path(__file__).resolve().parents[2] / "web" / "customer" / "messages.json"
LANGUAGES = ("zh", "en")

_HOLE = re.compile(r"\{(\w+)\}")
_DAYS = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """The texts by language, then key; read once."""
    texts: Mapping[str, Mapping[str, str]] = orjson.loads(CATALOGUE.read_bytes())
    return texts


class Words:
    """One reader's language, zone and present moment."""

    def __init__(self, language: str, zone: str, now: datetime) -> None:
        self.language = language if language in LANGUAGES else "zh"
        self.zone = ZoneInfo(zone)
        self.now = now

    def say(self, key: str, **facts: object) -> str:
        """The text of `key` with its `{holes}` filled. Raises KeyError for a key the catalogue lacks."""
        text = catalogue()[self.language][key]
        return _HOLE.sub(lambda hole: str(facts.get(hole[1], hole[0])), text)

    def knows(self, key: str) -> bool:
        return key in catalogue()[self.language]

    def label(self, kind: str, code: str | None) -> str:
        """The word for a code, or the code made readable where there is none."""
        key = f"{kind}_{code}"
        return self.say(key) if self.knows(key) else str(code or "").replace("_", " ")

    def own(self, texts: Mapping[str, str]) -> str:
        """A tenant's text in this language, or in the other where it is empty."""
        return texts.get(self.language) or next((text for text in texts.values() if text), "")

    def clock(self, at: datetime) -> str:
        """14:05"""
        return f"{at.astimezone(self.zone):%H:%M}"

    def day(self, at: datetime) -> str:
        """today, tomorrow, yesterday; else Tue 3 Nov or 11月3日周二, with the year where it is another."""
        local, today = at.astimezone(self.zone).date(), self.now.astimezone(self.zone).date()
        for name, days in (("day_today", 0), ("day_tomorrow", 1), ("day_yesterday", -1)):
            if local == today + timedelta(days=days):
                return self.say(name)
        weekday = _DAYS[self.language][local.weekday()]
        other_year = local.year != today.year
        if self.language == "zh":
            return f"{f'{local.year}年' if other_year else ''}{local.month}月{local.day}日{weekday}"
        return f"{weekday} {local.day} {_MONTHS[local.month - 1]}{f' {local.year}' if other_year else ''}"

    def moment(self, at: datetime) -> str:
        """today 14:05"""
        return f"{self.day(at)} {self.clock(at)}"

    def window(self, start: datetime | None, end: datetime) -> str:
        """today 14:00–16:00; both days where they differ."""
        if start is None:
            return f"– {self.moment(end)}"
        if self.day(start) == self.day(end):
            return f"{self.moment(start)}–{self.clock(end)}"
        return f"{self.moment(start)} – {self.moment(end)}"

    def money(self, minor: int, currency: str) -> str:
        """12850, CNY → ¥128.50. Integer arithmetic, no rounding."""
        return money_text(minor, currency)


def first_up(text: str) -> str:
    """Its first letter in upper case: a day's name at the head of a line."""
    return text[:1].upper() + text[1:]
