"""The customer's link as JSON. The pages in `pages.py` show the same and post the same commands."""

import re
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.customer import limits, views
from api.declared import ERRORS, IMAGE, problems
from api.house import Asking, Here, Rooms, refusal_reply, reply, request_hash, to_command
from api.photos import PhotoBrought, keep_photo, read_body, show_photo
from api.problems import problem, trace_of
from dispatch.actions import telling_customers
from dispatch.actions.intake import TicketWanted, create_ticket
from dispatch.actions.service_code import service_code
from dispatch.actions.step import Answer, Step, read_rules, run_command, run_step
from dispatch.actions.take_action import take_action
from dispatch.domain.commands import Principal, Role
from dispatch.domain.errors import NotFound
from dispatch.domain.tenancy import TenantRules
from dispatch.store.queries.customer import read_customer_ticket
from dispatch.store.tables.tenants import DirectoryEntry, Tenant
from dispatch.store.tables.tickets import Ticket
from mobile_contract.v1 import PhotoTaken

endpoints = APIRouter(prefix="/customer/v1", tags=["customer"])


@endpoints.get(
    "/ticket", operation_id="customer_ticket", response_model=views.CustomerTicket, responses=ERRORS
)
def ticket(asking: Asking, here: Here) -> Response:
    return reply(customer_ticket(here, asking))


def customer_ticket(here: Rooms, asking: Principal) -> dict[str, Any]:
    """CustomerTicket of the link's one ticket."""
    assert asking.ticket_id is not None
    with here.house.database.transaction(asking.tenant_id) as db:
        rules = read_rules(db, asking.tenant_id)
        shown = read_customer_ticket(db, asking.tenant_id, asking.ticket_id, rules, here.house.now())
        tenant = db.get_one(Tenant, asking.tenant_id)
        row = db.get_one(Ticket, {"tenant_id": asking.tenant_id, "id": asking.ticket_id})
    closed_at = row.closed_at if "reopen" in shown["allowed_actions"] else None
    return {
        **shown,
        "demo": tenant.is_demo,
        "service_code": _code(here, rules, asking.tenant_id, shown) if shown["visit_id"] else None,
        "hold_until": row.hold_until,
        "reopen_by": closed_at + timedelta(days=rules.reopen_days) if closed_at else None,
    }


def _code(here: Rooms, rules: TenantRules, tenant_id: UUID, shown: dict[str, Any]) -> str | None:
    """The one-time code, while there is something to accept and the company asks for one."""
    if not rules.service_code or shown["status"] not in ("on_site", "awaiting_acceptance"):
        return None
    return service_code(here.house.personal, tenant_id, shown["visit_id"])


@endpoints.post(
    "/actions",
    operation_id="customer_action",
    response_model=views.CustomerDone,
    responses=problems(401, 403, 404, 409, 422),
)
def action(body: views.CustomerCommand, asking: Asking, here: Here, request: Request) -> Response:
    answer = customer_act(here, asking, body)
    return refusal_reply(answer, trace_of(request)) or reply(
        {"result": answer.body, "ticket": customer_ticket(here, asking)}
    )


def customer_act(here: Rooms, asking: Principal, body: views.CustomerCommand) -> Answer:
    assert asking.ticket_id is not None
    command = to_command(body.command_id, asking.ticket_id, body.action, body.facts, None)
    return take_action(here.house, asking, command)


@endpoints.put(
    "/photos/{photo_id}",
    operation_id="customer_put_photo",
    response_model=PhotoTaken,
    status_code=201,
    responses=problems(401, 403, 404, 409, 413, 422, 503, 507),
    openapi_extra=IMAGE,
)
async def put_photo(
    photo_id: UUID,
    kind: Literal["intake", "reject", "signature"],
    asking: Asking,
    here: Here,
    request: Request,
) -> Response:
    assert asking.ticket_id is not None
    raw = await read_body(request, here.photo_bytes)
    brought = PhotoBrought(photo_id, asking.ticket_id, kind, raw, None)
    return reply(await run_in_threadpool(keep_photo, here, asking, brought), 201)


@endpoints.get(
    "/photos/{photo_id}",
    operation_id="customer_get_photo",
    responses=problems(401, 403, 404, 422),
    response_class=Response,
)
def get_photo(
    photo_id: UUID, asking: Asking, here: Here, size: Literal["large", "thumb"] = "thumb"
) -> Response:
    return show_photo(here, asking, photo_id, size)


@endpoints.put(
    "/browser",
    operation_id="customer_put_browser",
    status_code=204,
    responses=problems(401, 403, 409, 422),
)
def put_browser(body: views.BrowserWanted, asking: Asking, here: Here) -> Response:
    """The customer's browser is told of this ticket from now on, as long as the link holds."""
    run_step(
        here.house, asking, lambda step: telling_customers.switch_on(step, body.subscription, body.language)
    )
    return Response(status_code=204)


@endpoints.post(
    "/browser/gone",
    operation_id="customer_drop_browser",
    status_code=204,
    responses=problems(401, 403, 422),
)
def drop_browser(body: views.Browser, asking: Asking, here: Here) -> Response:
    """It is told nothing more; done again, it stays so."""
    run_step(here.house, asking, lambda step: telling_customers.switch_off(step, body.subscription))
    return Response(status_code=204)


requests = APIRouter(tags=["customer"])
SLUG = re.compile(r"^[a-z0-9-]{1,60}$")


@requests.post(
    "/customer/v1/{slug}/tickets",
    operation_id="request_ticket",
    response_model=views.Requested,
    status_code=201,
    responses=problems(404, 409, 422, 429),
)
def request_ticket(
    body: views.RequestedTicket,
    here: Here,
    request: Request,
    slug: str = Path(pattern=SLUG.pattern),
) -> Response:
    """A repair asked for without signing in: the link that comes back is the customer's door."""
    if (wait_s := limits.wait_s(request)) > 0:
        headers = {"Retry-After": str(wait_s)}
        return problem(429, "too_many_requests", {"retry_after_s": wait_s}, trace_of(request), headers)
    answer = request_by_form(here, slug, body)
    return refusal_reply(answer, trace_of(request)) or reply(answer.body, 201)


def request_by_form(here: Rooms, slug: str, body: views.RequestedTicket) -> Answer:
    """Raises NotFound `tenant_unknown`. The answer's body is views.Requested."""
    tenant_id = tenant_of_slug(here, slug)
    form = Principal(tenant_id, Role.CUSTOMER, FORM_ID)
    wanted = TicketWanted(
        work_type=body.work_type,
        description=body.description,
        address=body.address,
        door=body.door,
        site=here.places_site(body.address),
        contact_name=body.contact_name,
        contact_phone=body.contact_phone,
        language=body.language,
        source="customer",
    )

    def work(step: Step) -> dict[str, Any]:
        made = create_ticket(step, wanted)
        link = f"{here.settings.public_url}/c/{made['customer_link']}"
        return {"ticket_no": made["ticket_no"], "status": made["status"], "customer_link": link}

    return run_command(here.house, form, body.command_id, request_hash(slug, body), work)


#: Who asked, in the event, before the customer has a link of their own.
FORM_ID = UUID(int=1)


def tenant_of_slug(here: Rooms, slug: str) -> UUID:
    """Raises NotFound `tenant_unknown`."""
    if not SLUG.fullmatch(slug):
        raise NotFound("tenant_unknown")
    with here.house.database.transaction(None) as db:
        entry = db.get(DirectoryEntry, f"tenant:{slug}")
    if entry is None:
        raise NotFound("tenant_unknown", slug=slug)
    return entry.tenant_id
