"""Logs: one JSON object a line on standard error, with the trace and without personal data.

What a library or an exception says in words may quote a name, a phone, an SQL parameter or an address with a token
in it: of an exception only its class and where it happened are written, never its text.
"""

import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson

from dispatch.domain.tracing import TRACE

FRAMES = 12
#: Levels of PAIDAN_LOG_LEVEL.
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_entries = logging.getLogger("paidan")


def set_up(process: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Everything this process logs goes to `stream` (standard error) as JSON lines from now on; `process` names it
    in each. Libraries that write addresses of calls at level info are not heard there."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])
    for noisy in ("procrastinate", "uvicorn.error", "httpx", "httpcore", "botocore", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    sys.excepthook = lambda kind, error, trace: _unhandled(error)
    threading.excepthook = lambda given: _unhandled(given.exc_value)


def entry(event: str, level: int = logging.INFO, /, **fields: object) -> None:
    """One entry; `fields` are ids, codes and figures, nothing a person wrote."""
    if _entries.isEnabledFor(level):
        # Logger.log would first walk the stack for who calls, on every request, and no line says it.
        record = logging.LogRecord(_entries.name, level, "", 0, event, None, None)
        record.__dict__["fields"] = fields
        _entries.handle(record)


class JsonLines(logging.Formatter):
    """A record as one line: time, level, event, process, trace where there is one, and the entry's fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "process": self._process,
            "pid": record.process,
        }
        trace = TRACE.get()
        if trace:
            line["trace"] = trace
        fields = getattr(record, "fields", None)
        if fields is not None:
            line.update(fields)
        else:
            line["logger"] = record.name
        if record.exc_info and record.exc_info[1] is not None:
            line["error"], line["where"] = told(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def told(error: BaseException) -> tuple[str, list[str]]:
    """Class (with its cause's and, from PostgreSQL, the SQLSTATE) and the innermost frames, oldest first."""
    names, at = [], error
    while True:
        state = getattr(at, "sqlstate", None)
        names.append(f"{type(at).__name__}({state})" if state else type(at).__name__)
        cause = at.__cause__ or getattr(at, "orig", None)
        if cause is None or len(names) >= 4:
            break
        at = cause
    return " < ".join(names), _frames(error.__traceback__)


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/site-packages/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return frames[-FRAMES:]


def _unhandled(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        logging.getLogger("paidan").critical("unhandled", exc_info=error)
