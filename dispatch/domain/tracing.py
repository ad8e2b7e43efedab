"""What ties a request to all that follows from it: a trace id, carried as W3C Trace Context (w3.org/TR/trace-context)."""

import random
import re
from contextvars import ContextVar

#: The trace of what is being done here and now, 32 hex digits; empty outside of requests and jobs.
TRACE: ContextVar[str] = ContextVar("trace", default="")

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


def new_trace() -> str:
    """Names a request or a job; no secret, so not worth the kernel's randomness."""
    return f"{random.getrandbits(128) | 1:032x}"


def trace_in(traceparent: str) -> str | None:
    """The trace id of a `traceparent` header, or None where it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    if len(traceparent) > 55 and traceparent.startswith("00"):
        return None
    return found[1]


def traceparent(trace: str) -> str:
    """The header for what is asked on behalf of `trace`, with a span of its own."""
    return f"00-{trace}-{random.getrandbits(64) | 1:016x}-01"


def tracing_headers() -> dict[str, str]:
    """For a call to another system: the present trace, or nothing outside of one."""
    trace = TRACE.get()
    return {"traceparent": traceparent(trace)} if trace else {}
