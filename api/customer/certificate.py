"""The certificate for its customer, and the page behind its QR code that says whether it still holds."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.certificates import PRINTED, certificate_reply
from api.customer.links import link_principal
from api.customer.rendering import PageRoute, browser_language, show, wished_language
from api.customer.words import Words
from api.house import Here
from dispatch.actions.evidence_certificate import Checked, check_certificate
from dispatch.domain.errors import NotFound
from dispatch.store.tables.tenants import DirectoryEntry

pages = APIRouter(tags=["customer"], route_class=PageRoute, default_response_class=HTMLResponse)

_PAGE: dict[int | str, dict[str, Any]] = {
    status: {"description": "In words", "content": {"text/html": {"schema": {"type": "string"}}}}
    for status in (404, 422, 503)
}


@pages.get("/c/{token}/certificate.pdf", operation_id="link_certificate", responses=_PAGE)
def link_certificate(token: str, here: Here, request: Request, lang: str | None = None) -> Response:
    """The PDF of an accepted ticket, in the language asked for or the customer's."""
    asking = link_principal(here, token)
    assert asking.ticket_id is not None
    return certificate_reply(here, asking, asking.ticket_id, wished_language(request))


@pages.get("/check/{certificate_id}", operation_id="check_certificate", responses=_PAGE)
def check(
    certificate_id: UUID, here: Here, request: Request, h: str | None = None, lang: str | None = None
) -> Response:
    """Anyone holding the paper: does what it says match what is kept? Shows no name and no address."""
    with here.house.database.transaction(None) as db:
        entry = db.get(DirectoryEntry, f"certificate:{certificate_id}")
    if entry is None:
        raise NotFound("certificate_unknown")
    with here.house.database.transaction(entry.tenant_id) as db:
        checked = check_certificate(db, entry.tenant_id, certificate_id, h)
    if checked is None:
        raise NotFound("certificate_unknown")
    return _check_page(here, request, checked, certificate_id, h)


def _check_page(
    here: Here, request: Request, checked: Checked, certificate_id: UUID, h: str | None
) -> HTMLResponse:
    facts = checked.issued.facts
    language = wished_language(request) or browser_language(request) or facts.get("language", "zh")
    words = Words(language, facts.get("zone", "UTC"), here.house.now())
    printed = f"&h={h}" if h and h.isalnum() and len(h) <= 64 else ""
    return show(
        "check.html",
        words,
        title=words.say("check_title"),
        tenant=words.own(facts.get("tenant_name", {"zh": "", "en": ""})),
        demo=facts.get("is_demo", False),
        other_language=f"/check/{certificate_id}?lang={'en' if words.language == 'zh' else 'zh'}{printed}",
        facts=facts,
        wrong=checked.wrong,
        issued_at=checked.issued.issued_at,
        content=checked.issued.content_hash.hex()[:PRINTED],
    )
