"""Spans for an OpenTelemetry collector: OTLP over HTTP in its JSON form (opentelemetry.io/docs/specs/otlp), by nothing
but the standard library. Loaded only where PAIDAN_OTLP_URL names a collector.

A thread sends them in batches. A collector that is away or slow costs the spans and nothing else: what does not fit
the waiting room is dropped.
"""

import json
import threading
import urllib.request
from collections import deque
from typing import Any

from dispatch.adapters.logs import entry
from dispatch.domain.tracing import Span, spans_to

WAITING_MOST = 4_096
BATCH = 512
EVERY_S = 2.0
TIMEOUT_S = 5.0
_KINDS = {"server": 2, "client": 3, "consumer": 5}
_FAILED = 2


class Collector:
    """`process` names the service; `send_now` empties the waiting room from the caller's thread."""

    def __init__(self, url: str, process: str) -> None:
        self._url = f"{url.rstrip('/')}/v1/traces"
        self._service = f"paidan-{process}"
        self._waiting: deque[Span] = deque(maxlen=WAITING_MOST)
        self._reached = True

    def start(self) -> None:
        """Every span that ends in this process goes to the collector from now on."""
        spans_to(self._waiting.append)
        threading.Thread(target=self._run, name="spans", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(EVERY_S)
            self.send_now()

    def send_now(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            reached = self._send(batch)
            if reached != self._reached:
                self._reached = reached
                entry("spans_sent_again" if reached else "spans_collector_away")
            if not reached:
                return

    def _send(self, batch: list[Span]) -> bool:
        body = json.dumps(as_otlp(self._service, batch)).encode()
        asked = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
                return bool(answer.status < 300)
        except (OSError, ValueError):
            return False


def as_otlp(service: str, spans: list[Span]) -> dict[str, Any]:
    """An ExportTraceServiceRequest; 64-bit numbers are strings there."""
    resource = {"attributes": [_attribute("service.name", service)]}
    scope = {"scope": {"name": "paidan"}, "spans": [_span(each) for each in spans]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _span(one: Span) -> dict[str, Any]:
    return {
        "traceId": one.trace,
        "spanId": one.span,
        "parentSpanId": one.parent,
        "name": one.name,
        "kind": _KINDS[one.kind],
        "startTimeUnixNano": str(one.began_ns),
        "endTimeUnixNano": str(one.ended_ns),
        "attributes": [_attribute(name, value) for name, value in one.said.items()],
        "status": {"code": _FAILED} if one.failed else {},
    }


def _attribute(name: str, value: str | int) -> dict[str, Any]:
    return {
        "key": name,
        "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value},
    }
