"""What ties a request to all that follows from it: a trace id, carried as W3C Trace Context (w3.org/TR/trace-context).

Where somebody wants spans (`spans_to`), requests, jobs and calls to other systems are told as such, each within the
one it was asked from; otherwise nothing is kept and nothing costs.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

#: The trace of what is being done here and now, 32 hex digits; empty outside of requests and jobs.
TRACE: ContextVar[str] = ContextVar("trace", default="")
#: The span that is under way, 16 hex digits; empty where nobody wants spans.
SPAN: ContextVar[str] = ContextVar("span", default="")

#: What a span says of an answer, by OpenTelemetry's name.
STATUS = "http.response.status_code"

Kind = Literal["server", "consumer", "client"]

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


@dataclass(slots=True)
class Span:
    """A stretch of work. `said` are ids, codes and figures, nothing a person wrote; instants in ns since 1970."""

    name: str
    kind: Kind
    trace: str
    span: str
    parent: str
    began_ns: int
    ended_ns: int = 0
    failed: bool = False
    said: dict[str, str | int] = field(default_factory=dict)


def answered(told: Span | None, status: int) -> None:
    """Another system answered the call `told` is the span of, where anybody wants it."""
    if told is not None:
        told.said[STATUS] = status
        told.failed = status >= 500


Sink = Callable[[Span], None]
_sinks: list[Sink] = []


def spans_to(sink: Sink | None) -> None:
    """Who is told of every span that ends from now on; None: nobody."""
    _sinks[:] = [sink] if sink is not None else []


@contextmanager
def span(name: str, kind: Kind, parent: str | None = None) -> Iterator[Span | None]:
    """What happens within is a span of the present trace, a child of the one under way (or of `parent`). None where
    nobody wants it. An exception marks it as failed."""
    if not _sinks or not TRACE.get():
        yield None
        return
    before = SPAN.get() if parent is None else parent
    one = Span(name, kind, TRACE.get(), new_span(), before, time.time_ns())
    within = SPAN.set(one.span)
    try:
        yield one
    except BaseException:
        one.failed = True
        raise
    finally:
        SPAN.reset(within)
        one.ended_ns = time.time_ns()
        for sink in _sinks:
            sink(one)


def new_trace() -> str:
    """Names a request or a job; no secret, so not worth the kernel's randomness."""
    return f"{random.getrandbits(128) | 1:032x}"


def new_span() -> str:
    return f"{random.getrandbits(64) | 1:016x}"


def trace_in(traceparent: str) -> str | None:
    """The trace id of a `traceparent` header, or None where it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    if len(traceparent) > 55 and traceparent.startswith("00"):
        return None
    return found[1]


def span_in(traceparent: str) -> str:
    """The caller's span of a `traceparent` header; empty where it is none."""
    return traceparent.split("-")[2] if trace_in(traceparent) else ""


def traceparent(trace: str) -> str:
    """The header for what is asked on behalf of `trace`: by the span under way, or one of its own."""
    return f"00-{trace}-{SPAN.get() or new_span()}-01"


def tracing_headers() -> dict[str, str]:
    """For a call to another system: the present trace, or nothing outside of one."""
    trace = TRACE.get()
    return {"traceparent": traceparent(trace)} if trace else {}
