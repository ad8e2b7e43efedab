"""Business hours: when a promise's clock may run.

A calendar is local rules in one IANA zone: hours of each weekday (split shifts are several spans), and single
days that differ: holidays (no hours) and make-up days (hours on a day of rest). An instant is open when its
local wall time lies in a span of its local day; that one sentence settles both days of a clock change.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dispatch.domain.errors import NotReady

#: Minutes of the local day, from and to: (540, 1080) is 9:00 to 18:00, 1440 is the day's end.
Span = tuple[int, int]
DAY_MIN = 1440
SPANS_MAX = 8
DAYS_MAX = 2_000
#: How far a due time may lie: a calendar open one hour a week still gives 500 hours.
HORIZON_DAYS = 3_660


@dataclass(frozen=True)
class Calendar:
    """`week` holds Monday to Sunday; `days` the exceptions, empty for a holiday. `known_until` is the last day
    whose holidays somebody has entered: a due time after it is a guess."""

    zone: str = "UTC"
    week: tuple[tuple[Span, ...], ...] = (((0, DAY_MIN),),) * 7
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)
    known_until: date | None = None

    def spans(self, day: date) -> tuple[Span, ...]:
        """The hours of one local day."""
        return self.days.get(day, self.week[day.weekday()])

    def open_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches within [start, end), in order, UTC."""
        zone = ZoneInfo(self.zone)
        day = start.astimezone(zone).date() - timedelta(days=1)
        last = end.astimezone(zone).date() + timedelta(days=1)
        while day <= last:
            for opens, closes in _stretches(self.zone, day, self.spans(day)):
                if closes > start and opens < end:
                    yield max(opens, start), min(closes, end)
            day += timedelta(days=1)

    def seconds_between(self, start: datetime, end: datetime) -> float:
        """Business seconds from `start` to `end`; 0 when `end` is not later."""
        return sum((b - a).total_seconds() for a, b in self.open_between(start, end))

    def due(self, start: datetime, seconds: float) -> datetime:
        """The instant at which `seconds` business seconds have passed since `start`.

        Zero or less is `start` itself. Raises NotReady `calendar_never_opens` past HORIZON_DAYS.
        """
        left = seconds
        if left <= 0:
            return start
        for opens, closes in self.open_between(start, start + timedelta(days=HORIZON_DAYS)):
            length = (closes - opens).total_seconds()
            if length >= left:
                return opens + timedelta(seconds=left)
            left -= length
        raise NotReady("calendar_never_opens", days=HORIZON_DAYS)

    def is_guess(self, at: datetime) -> bool:
        """Whether nobody has entered the holidays of that day's year yet."""
        return self.known_until is not None and at.astimezone(ZoneInfo(self.zone)).date() > self.known_until


#: Open at every hour: what a policy without a calendar means.
ALWAYS = Calendar()


@lru_cache(maxsize=20_000)
def _stretches(zone: str, day: date, spans: tuple[Span, ...]) -> tuple[tuple[datetime, datetime], ...]:
    """The spans of a local day as UTC, each piece of constant offset mapped by itself."""
    found = []
    for piece_from, piece_to, offset in _pieces(ZoneInfo(zone), day):
        midnight = datetime.combine(day, time(), UTC) - offset
        for from_min, to_min in spans:
            opens = max(midnight + timedelta(minutes=from_min), piece_from)
            closes = min(midnight + timedelta(minutes=to_min), piece_to)
            if opens < closes:
                found.append((opens, closes))
    return tuple(sorted(found))


def _pieces(zone: ZoneInfo, day: date) -> list[tuple[datetime, datetime, timedelta]]:
    """Stretches of UTC around a local day in which the zone's offset does not change: one, or two."""
    low = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    high = low + timedelta(hours=54)
    first, last = _offset(zone, low), _offset(zone, high)
    if first == last:
        return [(low, high, first)]
    before, after = low, high
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) / 2
        before, after = (middle, after) if _offset(zone, middle) == first else (before, middle)
    change = after.replace(microsecond=0)
    return [(low, change, first), (change, high, last)]


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def check_calendar(body: Mapping[str, object]) -> Calendar:
    """A calendar from its stored or sent form: {zone, week: [7 lists of [from_min, to_min]], days: {ISO date:
    list}, known_until}. Raises NotReady `calendar_invalid` naming the field, `zone_unknown`."""
    zone = body.get("zone")
    week = body.get("week")
    days = body.get("days") or {}
    if not isinstance(zone, str):
        raise NotReady("calendar_invalid", field="zone")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NotReady("zone_unknown", zone=zone[:80]) from error
    if not isinstance(week, list | tuple) or len(week) != 7:
        raise NotReady("calendar_invalid", field="week")
    if not isinstance(days, Mapping) or len(days) > DAYS_MAX:
        raise NotReady("calendar_invalid", field="days")
    return Calendar(
        zone,
        tuple(check_spans(spans, "week") for spans in week),
        {_day(key): check_spans(spans, "days") for key, spans in days.items()},
        _day(body["known_until"]) if body.get("known_until") else None,
    )


def check_spans(spans: object, field_name: str) -> tuple[Span, ...]:
    """Spans in order, without overlap, within the day. Raises NotReady `calendar_invalid`."""
    if not isinstance(spans, list | tuple) or len(spans) > SPANS_MAX:
        raise NotReady("calendar_invalid", field=field_name)
    found: list[Span] = []
    after = 0
    for span in spans:
        whole = isinstance(span, list | tuple) and len(span) == 2 and all(type(m) is int for m in span)
        if not whole or not after <= span[0] < span[1] <= DAY_MIN:
            raise NotReady("calendar_invalid", field=field_name)
        found.append((span[0], span[1]))
        after = span[1]
    return tuple(found)


def _day(text: object) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise NotReady("calendar_invalid", field="days") from error


def calendar_body(calendar: Calendar) -> dict[str, object]:
    """The stored form `check_calendar` reads."""
    return {
        "zone": calendar.zone,
        "week": [[list(span) for span in spans] for spans in calendar.week],
        "days": {day.isoformat(): [list(s) for s in spans] for day, spans in sorted(calendar.days.items())},
        "known_until": calendar.known_until.isoformat() if calendar.known_until else None,
    }
