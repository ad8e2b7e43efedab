"""Access and turns that hold at some hours only: OpenStreetMap's `…:conditional` values as slots of a week.

A slot is an hour of a kind of day: a working day, a Saturday, a Sunday (holidays count as Sundays); there is one
metric for each. A condition is followed for every slot it touches. One that tells working days apart, seasons and
vehicles' weights are not, and are named. Syntax: wiki.openstreetmap.org, Conditional_restrictions and
Key:opening_hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from geo.roads import profiles
from geo.roads.errors import RoadsError

Tags = Mapping[str, str]
Day = Literal["weekday", "saturday", "sunday"]

DAYS: Final[tuple[Day, ...]] = ("weekday", "saturday", "sunday")
ALL_SLOTS = (1 << 24 * len(DAYS)) - 1
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = f"(?:{'|'.join(_DAYS)}|PH|SH)"
_DAY_LIST = rf"{_DAY}(?:\s*-\s*{_DAY})?(?:\s*,\s*{_DAY}(?:\s*-\s*{_DAY})?)*"
_OFF = re.compile(r"(?:PH|SH)(?:\s*,\s*(?:PH|SH))*\s+off")
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
    """A value and the slots it holds: bit 24 * d + h of `slots` is from h:00 to h + 1:00 on a day of DAYS[d]."""

    value: str
    slots: int


@dataclass(frozen=True, slots=True)
class Closures:
    """A way as it is to be read for a network: its tags with slots that open it already opened, and the slots at
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
        slots = _slots(condition.strip().removeprefix("(").removesuffix(")")) if at else None
        if slots is None:
            unfollowed.append(part.strip())
        else:
            found.append(Condition(value.strip(), slots))
    return found, unfollowed


def slots_table(slots: Sequence[int]) -> NDArray[np.int32]:
    """(len(slots), len(DAYS)): the bits of each kind of day by themselves, for files and compiled code."""
    hours = [[each >> 24 * d & 0xFFFFFF for d in range(len(DAYS))] for each in slots]
    return np.array(hours, np.int32).reshape(-1, len(DAYS))


def _slots(condition: str) -> int | None:
    """The slots of a condition, None where it speaks of something else."""
    slots, not_on_holidays = 0, False
    for rule in condition.split(";"):
        if _OFF.fullmatch(rule.strip()):
            not_on_holidays = True
            continue
        told = _RULE.fullmatch(rule.strip())
        days = None if told is None or not (told[1] or told[2]) else _kinds_of_day(told[1])
        if told is None or days is None:
            return None
        slots |= _touched(days, told[2] or "00:00-24:00")
    return None if not_on_holidays and slots >> 24 * DAYS.index("sunday") else slots


def _kinds_of_day(text: str | None) -> set[Day] | None:
    """The kinds of day a list of days names; None where it names some working days only, or holidays alone."""
    if not text:
        return set(DAYS)
    held: set[str] = set()
    for part in text.split(","):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first in _DAYS and last in _DAYS:
            a, b = _DAYS.index(first), _DAYS.index(last)
            held |= set(_DAYS[a : b + 1] if a <= b else _DAYS[a:] + _DAYS[: b + 1])
        else:
            held.add(first)
    working = held & set(_DAYS[:5])
    if (working and len(working) < 5) or not held & set(_DAYS):
        return None
    kinds: set[Day] = {"weekday"} if working else set()
    if "Sa" in held:
        kinds.add("saturday")
    if "Su" in held:
        kinds.add("sunday")
    return kinds


def _touched(days: set[Day], text: str) -> int:
    """Every slot that a span touches. One that goes past midnight touches the day after, too: after a working day
    that is one or a Saturday; a single Monday after a Sunday is not followed."""
    slots = 0
    after: dict[Day, tuple[Day, ...]] = {
        "weekday": ("weekday", "saturday"),
        "saturday": ("sunday",),
        "sunday": (),
    }
    for h1, m1, h2, m2 in re.findall(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)", text):
        start, end = int(h1) * 60 + int(m1), int(h2) * 60 + int(m2)
        if end <= start:
            end += 24 * 60
        for hour in range(start // 60, -(-end // 60)):
            for day in days:
                for touched in (day,) if hour < 24 else after[day]:
                    slots |= 1 << 24 * DAYS.index(touched) + hour % 24
    return slots


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
            closed |= condition.slots
        elif condition.value in _OPEN:
            opened |= condition.slots
        else:
            unfollowed.append(f"{condition.value} @ (…)")
    if opened and profiles.is_closed(tags, network):
        return Closures({**tags, key: "yes"}, ALL_SLOTS & ~(opened & ~closed), tuple(unfollowed))
    return Closures(tags, closed, tuple(unfollowed))


def restriction_slots(tags: Tags, network: str) -> tuple[str | None, int, tuple[str, ...]]:
    """("no", "only" or None, the slots it binds, what cannot be followed) of a turn restriction."""
    kind = profiles.restriction_kind(tags, network)
    if kind is not None:
        return kind, ALL_SLOTS, ()
    for key in _RESTRICTION_KEYS[network]:
        if f"{key}:conditional" not in tags:
            continue
        conditions, unfollowed = read_conditions(tags[f"{key}:conditional"])
        words = {profiles.restriction_kind({**tags, "restriction": c.value}, network) for c in conditions}
        if len(words) == 1 and (kind := words.pop()) is not None:
            slots = 0
            for condition in conditions:
                slots |= condition.slots
            return kind, slots, tuple(unfollowed)
        return None, 0, (*unfollowed, *(f"{c.value} @ (…)" for c in conditions))
    return None, 0, ()


def check_day(day: str) -> Day:
    """One of DAYS; raises RoadsError day_unknown."""
    for known in DAYS:
        if day == known:
            return known
    raise RoadsError("day_unknown", {"day": repr(day), "known": list(DAYS)})
