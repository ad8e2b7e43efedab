"""The customer's pages, rendered on the server: how the ticket stands, what to do about it, asking for one.

Opening a page changes nothing, however often a mail program or a browser opens it beforehand. Acting is a
posted form with a command id of its own, so that a form sent twice is done once.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from api.customer import limits, progress
from api.customer.endpoints import customer_act, customer_ticket, request_by_form, tenant_of_slug
from api.customer.forms import PHOTOS, Sent, read_form, to_command, to_request
from api.customer.links import link_principal
from api.customer.rendering import (
    PageRoute,
    browser_language,
    check_origin,
    notices_script,
    problem_text,
    show,
    wished_language,
)
from api.customer.words import Words
from api.house import Here, Rooms
from api.photos import PhotoBrought, keep_photo, show_photo
from api.problems import status_of, trace_of
from dispatch.adapters.webpush import public_key
from dispatch.domain.commands import Principal
from dispatch.domain.errors import DispatchError, NotReady
from dispatch.domain.lifecycle import FINAL
from dispatch.domain.reasons import REASONS
from dispatch.store.tables.tenants import Tenant, WorkType

#: Reasons a customer may give; the other codes of these lists are the dispatcher's words.
CHOICES = {
    "cancel": ("no_longer_needed", "wrong_ticket", "other"),
    "reject": REASONS["reject"],
    "reopen": REASONS["reopen"],
}
#: It asks nobody anything.
NOTICES_POLICY = "default-src 'none'; frame-ancestors 'none'"
#: Forms that bring photos, and what the photos are then.
PHOTO_KINDS: dict[str, str] = {"reject": "reject", "add_photos": "intake"}
FURTHEST_DAYS = 90

DONE = frozenset(
    {
        "request", "add_photos", "approve_quote", "refuse_quote", "sign_off", "reject", "urge", "rebook",
        "cancel", "reopen",
    }
)  # fmt: skip


def _answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI: a refusal is a page, or a problem where the request never reached these routes."""
    content = {"text/html": {"schema": {"type": "string"}}, "application/problem+json": {}}
    return {status: {"description": "In words", "content": content} for status in sorted({*statuses, 503})}


def _form_of(**properties: Any) -> dict[str, Any]:
    """OpenAPI: the form as browsers send it."""
    photo = {"type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": PHOTOS}
    texts = {name: {"type": "string"} for name in ("command_id", *properties)}
    schema = {"type": "object", "properties": {**texts, **properties, "photos": photo}}
    return {"requestBody": {"content": {"multipart/form-data": {"schema": schema}}}}


pages = APIRouter(tags=["customer"], route_class=PageRoute, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a posted form was not done, beside what it held."""

    status: int
    code: str
    facts: dict[str, Any]
    sent: Sent
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: DispatchError, sent: Sent) -> "Refused":
        return cls(status_of(error), error.code, dict(error.facts), sent)


# the ticket


@pages.get(
    "/c/notices.js",
    operation_id="link_notices",
    response_class=Response,
    responses={200: {"content": {"text/javascript": {"schema": {"type": "string"}}}}},
)
def link_notices() -> Response:
    """What a browser runs to show the notices of a link while its page is closed."""
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": NOTICES_POLICY}
    return Response(notices_script(), media_type="text/javascript", headers=headers)


@pages.get("/c/{token}", operation_id="link_page", responses=_answers(404))
def link_page(
    token: str, here: Here, request: Request, lang: str | None = None, done: str | None = None, lost: int = 0
) -> Response:
    """How the ticket stands, and what its customer may do."""
    return _ticket_page(here, request, token, link_principal(here, token), None)


@pages.post(
    "/c/{token}",
    operation_id="link_form",
    status_code=303,
    responses=_answers(403, 404, 409, 413, 422, 507),
    openapi_extra=_form_of(action={"type": "string"}),
)
async def link_form(token: str, here: Here, request: Request, lang: str | None = None) -> Response:
    """The customer's step, then the page again."""
    check_origin(request, here)
    asking = await run_in_threadpool(link_principal, here, token)
    try:
        sent = await read_form(request)
    except NotReady as error:
        refused = Refused.of(error, Sent())
        return await run_in_threadpool(_ticket_page, here, request, token, asking, refused)
    return await run_in_threadpool(_act, here, request, token, asking, sent)


def _act(here: Rooms, request: Request, token: str, asking: Principal, sent: Sent) -> Response:
    action = sent.get("action") or ""
    try:
        if action == "add_photos":
            _keep_photos(here, asking, sent)
            return _see_link(token, request, "add_photos")
        zone = here.rules(asking.tenant_id).tzinfo
        to_command(sent, zone, [])
        command = to_command(sent, zone, _keep_photos(here, asking, sent))
        answer = customer_act(here, asking, command)
    except DispatchError as error:
        return _ticket_page(here, request, token, asking, Refused.of(error, sent))
    if answer.status >= 400:
        refused = Refused(answer.status, answer.body["code"], answer.body["facts"], sent)
        return _ticket_page(here, request, token, asking, refused)
    return _see_link(token, request, action)


def _keep_photos(here: Rooms, asking: Principal, sent: Sent) -> list[UUID]:
    """The form's photos, kept; their ids. Raises PhotoRefused for the first that is none."""
    kind = PHOTO_KINDS.get(sent.get("action") or "")
    if kind is None or not sent.photos:
        return []
    assert asking.ticket_id is not None
    ids = [sent.photo_id(number) for number in range(len(sent.photos))]
    for photo_id, raw in zip(ids, sent.photos, strict=True):
        keep_photo(here, asking, PhotoBrought(photo_id, asking.ticket_id, kind, raw, None))
    return ids


def _see_link(token: str, request: Request, done: str, lost: int = 0) -> Response:
    lang = wished_language(request)
    query = f"?done={done}" + (f"&lost={lost}" if lost else "") + (f"&lang={lang}" if lang else "")
    return RedirectResponse(f"/c/{token}{query}", 303, {"Cache-Control": "no-store"})


def _ticket_page(
    here: Rooms, request: Request, token: str, asking: Principal, refused: Refused | None
) -> HTMLResponse:
    ticket = customer_ticket(here, asking)
    now = here.house.now()
    words = Words(wished_language(request) or ticket["language"], ticket["zone"], now)
    typed = refused.sent.fields if refused else {}
    return show(
        "ticket.html",
        words,
        refused.status if refused else 200,
        title=words.say("ticket_title", ticket_no=ticket["ticket_no"]),
        tenant=words.own(ticket["tenant_name"]),
        demo=ticket["demo"],
        token=token,
        here=f"/c/{token}" + (f"?lang={words.language}" if wished_language(request) else ""),
        other_language=f"/c/{token}?lang={'en' if words.language == 'zh' else 'zh'}",
        ticket=ticket,
        headline=progress.headline(ticket, words),
        subline=progress.subline(ticket, words),
        steps=progress.steps(ticket, words),
        history=progress.history(ticket, words),
        photos=progress.photos(ticket, words),
        lines=progress.quote_lines(ticket, words),
        buttons=progress.buttons(ticket),
        final=ticket["status"] in FINAL,
        push_key=public_key(here.settings.vapid_key) if here.settings.vapid_key else None,
        takes_photos=ticket["status"] in progress.TAKES_PHOTOS,
        choices=CHOICES,
        rebook=_rebook_defaults(ticket, words),
        typed=typed,
        problem=_in_words(refused, words, request),
        notice=None if refused else _notice(request, words),
    )


def _rebook_defaults(ticket: dict[str, Any], words: Words) -> dict[str, str]:
    """What the form for another appointment begins with: the promised hours, or tomorrow morning."""
    today = words.now.astimezone(words.zone).date()
    day, start, end = today + timedelta(days=1), "09:00", "12:00"
    window = ticket["window"]
    if window and window["start"] and window["end"] > words.now:
        day = max(window["start"].astimezone(words.zone).date(), today)
        start, end = words.clock(window["start"]), words.clock(window["end"])
    last = today + timedelta(days=FURTHEST_DAYS)
    return {"day": str(day), "from": start, "to": end, "first": str(today), "last": str(last)}


def _in_words(refused: Refused | None, words: Words, request: Request) -> str | None:
    if refused is None:
        return None
    return problem_text(words, refused.code, refused.facts, trace_of(request))


def _notice(request: Request, words: Words) -> str | None:
    done, lost = request.query_params.get("done"), request.query_params.get("lost", "")
    if done not in DONE:
        return None
    if done == "request" and lost.isdecimal() and 1 <= int(lost[:3]) <= PHOTOS:
        return words.say("done_request_photos_lost", n=int(lost[:3]))
    return words.say(f"done_{done}")


@pages.get("/c/{token}/photos/{photo_id}", operation_id="link_photo_page", responses=_answers(404, 422))
def link_photo_page(
    token: str, photo_id: UUID, here: Here, size: Literal["large", "thumb"] = "thumb"
) -> Response:
    """A picture of the link's ticket."""
    return show_photo(here, link_principal(here, token), photo_id, size)


# asking for a repair


@pages.get("/new/{slug}", operation_id="request_form", responses=_answers(404))
def request_form(slug: str, here: Here, request: Request, lang: str | None = None) -> Response:
    """The form anyone may fill in."""
    return _request_page(here, request, slug, None)


@pages.post(
    "/new/{slug}",
    operation_id="request_form_post",
    status_code=303,
    responses=_answers(403, 404, 409, 413, 422, 429),
    openapi_extra=_form_of(
        work_type={"type": "string"}, description={"type": "string"}, address={"type": "string"},
        contact_phone={"type": "string"},
    ),
)  # fmt: skip
async def request_form_post(slug: str, here: Here, request: Request, lang: str | None = None) -> Response:
    """A ticket, its photos, and off to its link."""
    check_origin(request, here)
    again = partial(_request_page, here, request, slug)
    try:
        sent = await read_form(request)
    except NotReady as error:
        return await run_in_threadpool(again, Refused.of(error, Sent()))
    if (wait_s := limits.wait_s(request)) > 0:
        facts = {"retry_after_s": wait_s}
        busy = Refused(429, "too_many_requests", facts, sent, {"Retry-After": str(wait_s)})
        return await run_in_threadpool(again, busy)
    return await run_in_threadpool(_request, here, request, slug, sent)


def _request(here: Rooms, request: Request, slug: str, sent: Sent) -> Response:
    try:
        if sent.get("website"):
            raise NotReady("form_trap")
        answer = request_by_form(here, slug, to_request(sent))
    except NotReady as error:
        return _request_page(here, request, slug, Refused.of(error, sent))
    if answer.status >= 400:
        refused = Refused(answer.status, answer.body["code"], answer.body["facts"], sent)
        return _request_page(here, request, slug, refused)
    token = answer.body["customer_link"].rsplit("/", 1)[1]
    return _see_link(token, request, "request", lost=_keep_what_can_be(here, token, sent))


def _keep_what_can_be(here: Rooms, token: str, sent: Sent) -> int:
    """How many photos were lost: a bad photo must not lose the request, which is in already."""
    lost = 0
    asking = link_principal(here, token)
    assert asking.ticket_id is not None
    for number, raw in enumerate(sent.photos):
        try:
            keep_photo(
                here, asking, PhotoBrought(sent.photo_id(number), asking.ticket_id, "intake", raw, None)
            )
        except DispatchError:
            lost += 1
    return lost


def _request_page(here: Rooms, request: Request, slug: str, refused: Refused | None) -> HTMLResponse:
    """The form, with what was typed where it comes back. Raises NotFound `tenant_unknown`."""
    tenant_id = tenant_of_slug(here, slug)
    with here.house.database.transaction(tenant_id) as db:
        tenant = db.get_one(Tenant, tenant_id)
        work_types = db.execute(
            select(WorkType.code, WorkType.name)
            .where(WorkType.tenant_id == tenant_id, WorkType.retired_at.is_(None))
            .order_by(WorkType.code)
        ).all()
    language = wished_language(request) or browser_language(request) or tenant.language
    words = Words(language, tenant.zone, here.house.now())
    return show(
        "request.html",
        words,
        refused.status if refused else 200,
        refused.headers if refused else None,
        title=words.say("form_title"),
        tenant=words.own(tenant.name),
        demo=tenant.is_demo,
        here=f"/new/{slug}" + (f"?lang={language}" if wished_language(request) else ""),
        other_language=f"/new/{slug}?lang={'en' if language == 'zh' else 'zh'}",
        work_types=[{"code": row.code, "name": words.own(row.name)} for row in work_types],
        typed=refused.sent.fields if refused else {},
        wrong=refused.facts.get("fields", []) if refused else [],
        problem=_in_words(refused, words, request),
    )
