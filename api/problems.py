"""The only place that knows which refusal is which HTTP status: RFC 9457 problem details."""

import json
import logging
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from dispatch.actions.step import STATUS_OF, race_code
from dispatch.adapters.papers import PaperBroken, PaperBusy
from dispatch.adapters.photos import PhotoBusy, PhotoWorkerBroken
from dispatch.adapters.storage import StorageFull, StorageUnavailable
from dispatch.domain.errors import DispatchError
from dispatch.domain.tracing import STATUS, TRACE, Span, new_trace, span, span_in, trace_in, traceparent
from dispatch.store.transactions import Unavailable
from geo.points import GeoError

log = logging.getLogger("api")

RETRY_AFTER_S = 2

_OUTSIDE: tuple[tuple[type[DispatchError], int], ...] = (
    (StorageFull, 507),
    (StorageUnavailable, 503),
    (PhotoBusy, 503),
    (PaperBusy, 503),
    (PaperBroken, 503),
    (PhotoWorkerBroken, 503),
)


class SignInRequired(Exception):
    """Nobody known is asking: 401."""

    def __init__(self, code: str = "signin_required") -> None:
        self.code = code
        super().__init__(code)


class TooOften(Exception):
    """The same thing again too soon: 429, with how long to wait."""

    def __init__(self, wait: timedelta) -> None:
        self.wait_s = max(1, math.ceil(wait.total_seconds()))
        super().__init__(f"{self.wait_s} s")


def problem(
    status: int, code: str, facts: Any = None, trace_id: str = "", headers: dict[str, str] | None = None
) -> Response:
    """A problem+json reply; `title` is the code in words, for readers of logs."""
    body = problem_body(status, code, facts, trace_id)
    return Response(
        json.dumps(body, default=str, ensure_ascii=False),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def problem_body(status: int, code: str, facts: Any = None, trace_id: str = "") -> dict[str, Any]:
    return {
        "type": "about:blank",
        "code": code,
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "facts": facts or {},
        "trace_id": trace_id,
    }


def status_of(error: DispatchError) -> int:
    return next((status for kind, status in (*_OUTSIDE, *STATUS_OF) if isinstance(error, kind)), 422)


def trace_of(request: Request) -> str:
    trace_id = getattr(request.state, "trace_id", None)
    if trace_id is None:
        trace_id = request.state.trace_id = new_trace()
    return str(trace_id)


def install(app: FastAPI) -> None:
    """Every exception's way out. Anything unnamed is a bug: 500, logged, nothing internal in the text."""

    def on(kind: type[Exception]) -> Callable[[Callable[[Request, Any], Response]], None]:
        def register(handler: Callable[[Request, Any], Response]) -> None:
            async def handle(request: Request, error: Exception) -> Response:
                return handler(request, error)

            app.add_exception_handler(kind, handle)

        return register

    @on(DispatchError)
    def _(request: Request, error: DispatchError) -> Response:
        status = status_of(error)
        headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (503, 507) else None
        return problem(status, error.code, error.facts, trace_of(request), headers)

    @on(GeoError)
    def _(request: Request, error: GeoError) -> Response:
        return problem(422, error.code, error.facts, trace_of(request))

    @on(SignInRequired)
    def _(request: Request, error: SignInRequired) -> Response:
        return problem(401, error.code, None, trace_of(request), {"WWW-Authenticate": "Bearer"})

    @on(TooOften)
    def _(request: Request, error: TooOften) -> Response:
        facts = {"wait_s": error.wait_s}
        return problem(429, "too_many_requests", facts, trace_of(request), {"Retry-After": str(error.wait_s)})

    @on(RequestValidationError)
    def _(request: Request, error: RequestValidationError) -> Response:
        wrong = [
            {"field": ".".join(str(part) for part in e["loc"]), "why": e["type"]} for e in error.errors()
        ]
        return problem(422, "request_invalid", {"fields": wrong[:20]}, trace_of(request))

    @on(HTTPException)
    def _(request: Request, error: HTTPException) -> Response:
        codes = {
            404: "not_found",
            405: "method_not_allowed",
            413: "request_too_large",
            422: "request_invalid",
        }
        status = 422 if error.status_code == 400 else error.status_code
        headers = dict(error.headers) if error.headers else None
        return problem(status, codes.get(status, "http_error"), None, trace_of(request), headers)

    @on(ClientDisconnect)
    def _(request: Request, error: ClientDisconnect) -> Response:
        """They hung up while sending: nobody reads this."""
        return problem(400, "request_cut", None, trace_of(request))

    @on(Unavailable)
    def _(request: Request, error: Unavailable) -> Response:
        return problem(503, "unavailable", None, trace_of(request), {"Retry-After": str(RETRY_AFTER_S)})

    kinds: tuple[tuple[type[Exception], Any], ...] = (
        (DataError, _unfit),
        (psycopg.DataError, _unfit),
        (IntegrityError, _broken_rule),
        (psycopg.IntegrityError, _broken_rule),
        (ProgrammingError, _outside_scope),
        (psycopg.errors.InsufficientPrivilege, _outside_scope),
    )
    for kind, answer in kinds:
        on(kind)(answer)
    on(Exception)(_bug)


def _unfit(request: Request, _: Exception) -> Response:
    """A value the database cannot hold."""
    return problem(422, "request_invalid", None, trace_of(request))


def _outside_scope(request: Request, error: Exception) -> Response:
    """Row-level security refused a row: a dispatcher writes into a territory of somebody else's."""
    if not isinstance(getattr(error, "orig", error), psycopg.errors.InsufficientPrivilege):
        return _bug(request, error)
    return problem(403, "territory_not_yours", None, trace_of(request))


def _broken_rule(request: Request, error: IntegrityError | psycopg.IntegrityError) -> Response:
    """A lost race, or a row that named one which does not exist (or not any more)."""
    code = race_code(error)
    if code is not None:
        return problem(409, code, None, trace_of(request))
    cause = error.orig if isinstance(error, IntegrityError) else error
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):
        named = (cause.diag.constraint_name or "").removeprefix("fk_")
        return problem(422, "reference_unknown", {"named": named}, trace_of(request))
    return _bug(request, error)


def _bug(request: Request, error: Exception) -> Response:
    trace_id = trace_of(request)
    log.error("unexpected", exc_info=error)
    return problem(500, "internal", None, trace_id)


#: On every reply; a page's own policy stands beside them.
PROTECTING = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
#: What is no page loads nothing, whatever a browser takes it for.
CSP_OF_DATA = b"default-src 'none'; frame-ancestors 'none'"


class Limits:
    """ASGI middleware: a trace id for every request, a size for every body, headers that protect."""

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        most_bytes: int,
        photo_bytes: int,
        secure: bool = False,
    ) -> None:
        """`secure`: the product is reached by https, and browsers are told to stay with it."""
        self.app = app
        self.secure = secure
        self.most_bytes = most_bytes
        self.photo_bytes = photo_bytes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"])
        trace_id = trace_in(given.get(b"traceparent", b"").decode("latin-1")) or new_trace()
        scope.setdefault("state", {})["trace_id"] = trace_id
        TRACE.set(trace_id)
        with span(
            "request", "server", parent=span_in(given.get(b"traceparent", b"").decode("latin-1"))
        ) as told:
            await self._limited(scope, receive, send, given, told)

    async def _limited(
        self, scope: Any, receive: Any, send: Any, given: dict[bytes, bytes], told: Span | None
    ) -> None:
        trace_id = scope["state"]["trace_id"]
        most = self.photo_bytes if _takes_photos(scope["path"]) else self.most_bytes
        taken, parent = 0, traceparent(trace_id).encode()

        async def counted() -> Any:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(413)
            return message

        async def answered(message: Any) -> None:
            if message["type"] == "http.response.start":
                if told is not None:
                    _tell(told, scope, message["status"])
                headers = message.setdefault("headers", [])
                headers.extend([(b"x-trace-id", trace_id.encode()), (b"traceparent", parent), *PROTECTING])
                if not any(name.lower() == b"content-security-policy" for name, _ in headers):
                    headers.append((b"content-security-policy", CSP_OF_DATA))
                if self.secure:
                    headers.append((b"strict-transport-security", b"max-age=63072000"))
            await send(message)

        announced = given.get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > most:
            status, code = (413, "request_too_large") if announced.isdigit() else (400, "request_invalid")
            await problem(status, code, {"most_bytes": most}, trace_id)(scope, receive, answered)
            return
        await self.app(scope, counted, answered)


def _tell(told: Span, scope: Any, status: int) -> None:
    """The route's template and never the path, which may hold a customer's link."""
    route = scope.get("route")
    told.name = f"{scope['method']} {getattr(route, 'path', None) or scope.get('shed') or 'none'}"
    told.failed = status >= 500 and status != 503
    told.said[STATUS] = status


def _takes_photos(path: str) -> bool:
    return "/photos/" in path or "/uploads/" in path or path.startswith(("/new/", "/c/"))
