"""Access and turns that hold at some hours only: OpenStreetMap's `…:conditional` values as hours of a working day.

There is one metric for each hour, of a working day. A condition that holds from Monday to Friday (or says no days) is
followed for every hour it touches; weekends, holidays, seasons and vehicles' weights are not, and are named. Syntax:
wiki.openstreetmap.org, Conditional_restrictions and Key:opening_hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from geo.roads import profiles

Tags = Mapping[str, str]

ALL_HOURS = (1 << 24) - 1
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = f"(?:{'|'.join(_DAYS)}|PH|SH)"
_DAY_LIST = rf"{_DAY}(?:\s*-\s*{_DAY})?(?:\s*,\s*{_DAY}(?:\s*-\s*{_DAY})?)*"
_SPAN = r"\d{1,2}:\d\d\s*-\s*\d{1,2}:\d\d"
_RULE = re.compile(rf"(?:({_DAY_LIST})\s*:?\s*)?({_SPAN}(?:\s*,\s*{_SPAN})*)?")
_RESTRICTION_KEYS = {
    "car": ("restriction:motorcar", "restriction:motor_vehicle", "restriction:vehicle", "restriction"),
    "bike": ("restriction:bicycle", "restriction"),
    "foot": (),
}
_OPEN = frozenset("yes permissive designated official".split())


@dataclass(frozen=True, slots=True)
class Condition:
    """A value and the hours it holds: bit h of `hours` is from h:00 to h + 1:00 on a working day."""

    value: str
    hours: int


@dataclass(frozen=True, slots=True)
class Closures:
    """A way as it is to be read for a network: its tags with hours that open it already opened, and the hours at
    which it is closed nevertheless."""

    tags: Tags
    closed: int
    unfollowed: tuple[str, ...]


def read_conditions(text: str) -> tuple[list[Condition], list[str]]:
    """The conditions of a tag that can be followed, and those that cannot, as written."""
    found, unfollowed = [], []
    for part in re.split(r";(?![^(]*\))", text):
        value, at, condition = part.partition("@")
        if not part.strip():
            continue
        hours = _hours(condition.strip().removeprefix("(").removesuffix(")")) if at else None
        if hours is None:
            unfollowed.append(part.strip())
        else:
            found.append(Condition(value.strip(), hours))
    return found, unfollowed


def _hours(condition: str) -> int | None:
    """The hours of a working day, None where the condition speaks of something else."""
    hours = 0
    for rule in condition.split(";"):
        told = _RULE.fullmatch(rule.strip())
        if told is None or not (told[1] or told[2]) or (told[1] and not _working_days(told[1])):
            return None
        hours |= _spans(told[2]) if told[2] else ALL_HOURS
    return hours


def _working_days(text: str) -> bool:
    """Whether the list holds Monday to Friday."""
    held: set[str] = set()
    for part in text.split(","):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first in _DAYS and last in _DAYS:
            a, b = _DAYS.index(first), _DAYS.index(last)
            held |= set(_DAYS[a : b + 1] if a <= b else _DAYS[a:] + _DAYS[: b + 1])
        else:
            held.add(first)
    return set(_DAYS[:5]) <= held


def _spans(text: str) -> int:
    """Every hour that a span touches; a span may go past midnight."""
    hours = 0
    for h1, m1, h2, m2 in re.findall(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", text):
        start, end = int(h1) * 60 + int(m1), int(h2) * 60 + int(m2)
        if end <= start:
            end += 24 * 60
        for hour in range(start // 60, -(-end // 60)):
            hours |= 1 << hour % 24
    return hours


def closures(tags: Tags, network: str) -> Closures:
    """What a way's conditional access means for "car", "bike" or "foot". The most specific key speaks."""
    keys = [key for key in profiles.ACCESS_KEYS[network] if f"{key}:conditional" in tags]
    if not keys:
        return Closures(tags, 0, ())
    key = keys[-1]
    conditions, unfollowed = read_conditions(tags[f"{key}:conditional"])
    closed = opened = 0
    for condition in conditions:
        if condition.value in profiles.CLOSED:
            closed |= condition.hours
        elif condition.value in _OPEN:
            opened |= condition.hours
        else:
            unfollowed.append(f"{condition.value} @ (…)")
    if opened and profiles.is_closed(tags, network):
        return Closures({**tags, key: "yes"}, ALL_HOURS & ~(opened & ~closed), tuple(unfollowed))
    return Closures(tags, closed, tuple(unfollowed))


def restriction_hours(tags: Tags, network: str) -> tuple[str | None, int, tuple[str, ...]]:
    """("no", "only" or None, the hours it binds, what cannot be followed) of a turn restriction."""
    kind = profiles.restriction_kind(tags, network)
    if kind is not None:
        return kind, ALL_HOURS, ()
    for key in _RESTRICTION_KEYS[network]:
        if f"{key}:conditional" not in tags:
            continue
        conditions, unfollowed = read_conditions(tags[f"{key}:conditional"])
        words = {profiles.restriction_kind({**tags, "restriction": c.value}, network) for c in conditions}
        if len(words) == 1 and (kind := words.pop()) is not None:
            hours = 0
            for condition in conditions:
                hours |= condition.hours
            return kind, hours, tuple(unfollowed)
        return None, 0, (*unfollowed, *(f"{c.value} @ (…)" for c in conditions))
    return None, 0, ()
