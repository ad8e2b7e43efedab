"""New tickets from the wire, whoever sends them."""

from typing import Any

from dispatch.actions.intake import TicketWanted
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
