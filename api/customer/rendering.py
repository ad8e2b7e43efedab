"""From template to reply: one environment, one policy for what a page may load, refusals as pages."""

import logging
import re
import secrets
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.exc import DataError, IntegrityError
from starlette.exceptions import HTTPException

from api.customer.words import LANGUAGES, Words, first_up
from api.house import Rooms
from api.problems import RETRY_AFTER_S, SignInRequired, status_of, trace_of
from dispatch.actions.step import race_code
from dispatch.domain.errors import DispatchError, Forbidden
from dispatch.store.transactions import Unavailable

WEB = Path(__file__).resolve().parents[2] / "web"
log = logging.getLogger("api")


@cache
def environment() -> Environment:
    """Templates with escaping on; a name a template does not get is an error, not an empty text."""
    made = Environment(
        loader=FileSystemLoader(WEB / "customer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["first_up"] = first_up
    made.globals["new_id"] = lambda: str(uuid4())
    # Our own files, written into the page under its nonce: one request shows it all.
    made.globals["style"] = Markup(_squeeze(_text("shared/tokens.css") + _text("customer/style.css")))
    made.globals["switch_script"] = Markup(_text("customer/switch.js"))
    made.globals["script"] = Markup(_text("customer/page.js"))
    return made


@cache
def notices_script() -> str:
    """The service worker of the customer's pages."""
    return _text("customer/notices.js")


def _text(name: str) -> str:
    return (WEB / name).read_text(encoding="utf-8")


def _squeeze(css: str) -> str:
    """Without comments and indentation."""
    return re.sub(r"\n\s*", "\n", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()


def show(
    template: str, words: Words, status: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """The page. Scripts and styles run only under this reply's nonce; nothing comes from elsewhere."""
    nonce = secrets.token_urlsafe(16)
    text = environment().get_template(template).render(words=words, say=words.say, nonce=nonce, **context)
    policy = (
        f"default-src 'self'; script-src 'nonce-{nonce}'; worker-src 'self'; style-src 'nonce-{nonce}'; "
        "img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
    fixed = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Content-Language": words.language,
    }
    return HTMLResponse(text, status, {**fixed, **(headers or {})})


def wished_language(request: Request) -> str | None:
    """The language the address asks for with ?lang=, if it is one we speak."""
    lang = request.query_params.get("lang")
    return lang if lang in LANGUAGES else None


def browser_language(request: Request) -> str | None:
    """The first of our languages in Accept-Language, weights left aside: browsers write the best first."""
    for part in request.headers.get("accept-language", "").split(","):
        if (language := part.strip()[:2].lower()) in LANGUAGES:
            return language
    return None


def check_origin(request: Request, here: Rooms) -> None:
    """A form comes from our own page. Raises Forbidden `origin_wrong`.

    Browsers say where a request comes from and pages cannot change that; what says nothing is no browser
    in which another site could act.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        allowed = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        ours = (request.headers.get("host"), urlsplit(here.settings.public_url).netloc)
        allowed = origin is None or urlsplit(origin).netloc in ours
    if not allowed:
        raise Forbidden("origin_wrong")


def problem_text(words: Words, code: str, facts: dict[str, Any], trace_id: str) -> str:
    """A refusal in words, by its code."""
    if code == "window_invalid" and facts.get("why") == "half":
        code = "window_half"
    if code.startswith("photo_") and not words.knows(f"problem_{code}"):
        code = "busy" if code in ("photo_busy", "photo_worker_broken") else "photo_refused"
    if code in ("unavailable", "storage_full", "storage_unavailable"):
        code = "busy"
    key = f"problem_{code}" if words.knows(f"problem_{code}") else "problem_other"
    shown = {
        "code": code,
        "trace_id": trace_id,
        "status": words.label("status", facts.get("status")),
        "missing": _listed(words, "need", facts.get("missing", ())),
        "fields": _listed(words, "field", facts.get("fields", ())),
        "minutes": -(-int(facts.get("retry_after_s", 0)) // 60),
    }
    return words.say(key, **shown)


def _listed(words: Words, kind: str, codes: Any) -> str:
    other = words.say("field_other")
    names = [words.label(kind, code) if words.knows(f"{kind}_{code}") else other for code in codes]
    return ("、" if words.language == "zh" else ", ").join(dict.fromkeys(names))


class PageRoute(APIRoute):
    """What these routes refuse is a page in words, where the rest of the API answers problem+json."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except Exception as error:
                return _refusal_page(request, error)

        return handle


def _refusal_page(request: Request, error: Exception) -> HTMLResponse:
    status, code, facts = _what_of(error)
    if status == 500:
        log.error("unexpected", exc_info=error)
    here: Rooms = request.app.state.rooms
    language = wished_language(request) or browser_language(request) or "zh"
    words = Words(language, "UTC", here.house.now())
    title = "problem_not_found_title" if code == "not_found" else "problem_title"
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status in (503, 507) else None
    text = problem_text(words, code, facts, trace_of(request))
    return show("problem.html", words, status, headers, title=words.say(title), text=text, demo=False)


def _what_of(error: Exception) -> tuple[int, str, dict[str, Any]]:
    """Status, code, facts. Whatever is not there or not theirs is the same 404."""
    status, code, facts = 500, "internal", {}
    if isinstance(error, SignInRequired):
        status = 404
    elif isinstance(error, DispatchError):
        status, code, facts = status_of(error), error.code, dict(error.facts)
    elif isinstance(error, RequestValidationError):
        in_path = all(item["loc"][0] == "path" for item in error.errors())
        status, code = (404 if in_path else 422), "request_invalid"
    elif isinstance(error, HTTPException):
        status, code = {400: (422, "request_invalid"), 413: (413, "request_too_large")}.get(
            error.status_code, (404, "not_found")
        )
    elif isinstance(error, Unavailable):
        status, code = 503, "unavailable"
    elif isinstance(error, DataError | psycopg.DataError):
        status, code = 422, "request_invalid"
    elif isinstance(error, IntegrityError) and (race := race_code(error)) is not None:
        status, code = 409, race
    return (404, "not_found", {}) if status == 404 else (status, code, facts or {"fields": ["other"]})
