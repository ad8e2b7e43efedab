"""New tickets from the wire, whoever sends them."""

from typing import Any

from fastapi import Request, Response

from api.house import Rooms, once, request_hash
from dispatch.actions.intake import TicketWanted, create_ticket
from dispatch.actions.step import Step
from dispatch.domain.commands import Principal
from geo.datum import point_to_wgs84


def ticket_wanted(body: Any, source: str) -> TicketWanted:
    """A NewTicket, whoever sent it, as the domain's wish. Raises GeoError."""
    site = raw = None
    if body.site is not None:
        site = point_to_wgs84(body.site.lon, body.site.lat, body.site.datum.value)
        raw = {"lon": body.site.lon, "lat": body.site.lat, "datum": body.site.datum.value}
    return TicketWanted(
        work_type=body.work_type,
        priority=body.priority,
        description=body.description,
        address=body.address,
        door=body.door,
        site=site,
        site_raw=raw,
        contact_name=body.contact_name,
        contact_phone=body.contact_phone,
        window_from=body.window_from,
        window_to=body.window_to,
        due_at=body.due_at,
        language=body.language,
        external_ref=body.external_ref,
        source=source,
    )


def create_by(here: Rooms, asking: Principal, body: Any, source: str, request: Request) -> Response:
    """The ticket a NewTicket asks for, once for its command id: 201 with the customer's address, or why not."""
    wanted = ticket_wanted(body, source)

    def work(step: Step) -> dict[str, Any]:
        made = create_ticket(step, wanted)
        made["customer_link"] = f"{here.settings.public_url}/c/{made['customer_link']}"
        return made

    return once(here, asking, request, body.command_id, request_hash(body), work, 201)
