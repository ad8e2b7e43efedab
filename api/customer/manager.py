"""The page of a customer with many tickets: what waits, and one button to accept what is ticked."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.customer.forms import Sent, invalid, read_form
from api.customer.rendering import PageRoute, check_origin, show, wished_language
from api.customer.words import Words
from api.house import Here, Rooms
from api.problems import SignInRequired
from dispatch.actions.acceptance_many import Manager, accept_many, find_manager, read_managed
from dispatch.domain.commands import Facts
from dispatch.store.tables.people import Customer
from dispatch.store.tables.tenants import Tenant

pages = APIRouter(tags=["customer"], route_class=PageRoute, default_response_class=HTMLResponse)

_PAGE: dict[int | str, dict[str, Any]] = {
    status: {"description": "In words", "content": {"text/html": {"schema": {"type": "string"}}}}
    for status in (403, 404, 413, 422, 503)
}


def _manager(here: Rooms, token: str) -> Manager:
    """Raises SignInRequired, the same for unknown and ended."""
    manager = find_manager(here.house, token)
    if manager is None:
        raise SignInRequired("link_ended")
    return manager


@pages.get("/m/{token}", operation_id="manager_page", responses=_PAGE)
def manager_page(
    token: str, here: Here, request: Request, lang: str | None = None, done: int | None = None
) -> Response:
    """Every ticket of this customer that is not final; opening it changes nothing."""
    return _page(here, request, token, _manager(here, token), done)


@pages.post("/m/{token}", operation_id="manager_form", status_code=303, responses=_PAGE)
async def manager_form(token: str, here: Here, request: Request, lang: str | None = None) -> Response:
    """The ticked tickets accepted, each once however often the form is sent."""
    check_origin(request, here)
    manager = await run_in_threadpool(_manager, here, token)
    sent = await read_form(request)
    return await run_in_threadpool(_accept, here, token, manager, sent, wished_language(request))


def _accept(here: Rooms, token: str, manager: Manager, sent: Sent, language: str | None) -> Response:
    try:
        tickets = [UUID(text) for text in sent.lists.get("ticket_id", [])]
    except ValueError:
        raise invalid("other") from None
    rating = sent.get("rating")
    if rating is not None and rating not in ("1", "2", "3", "4", "5"):
        raise invalid("rating")
    facts = Facts(rating=int(rating) if rating else None, text=(sent.get("text") or "")[:4000] or None)
    done = accept_many(here.house, manager, sent.command_id, tickets, facts)
    accepted = sum(code is None for code in done.values())
    query = f"?done={accepted}" + (f"&lang={language}" if language else "")
    return RedirectResponse(f"/m/{token}{query}", 303, {"Cache-Control": "no-store"})


def _page(here: Rooms, request: Request, token: str, manager: Manager, done: int | None) -> HTMLResponse:
    now = here.house.now()
    with here.house.database.transaction(manager.tenant_id) as db:
        tenant = db.get_one(Tenant, manager.tenant_id)
        customer = db.get_one(Customer, {"tenant_id": manager.tenant_id, "id": manager.customer_id})
        tickets = read_managed(db, manager, now)
    language = wished_language(request) or customer.language
    words = Words(language, tenant.zone, now)
    return show(
        "manager.html",
        words,
        title=words.say("manager_title"),
        tenant=words.own(tenant.name),
        demo=tenant.is_demo,
        here=f"/m/{token}" + (f"?lang={words.language}" if wished_language(request) else ""),
        other_language=f"/m/{token}?lang={'en' if words.language == 'zh' else 'zh'}",
        waiting=[t for t in tickets if t["status"] == "awaiting_acceptance"],
        others=[t for t in tickets if t["status"] != "awaiting_acceptance"],
        done=done if done is not None and 0 <= done <= 100 else None,
    )
