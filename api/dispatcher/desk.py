"""What a contractor's dispatcher is shown of the board: row-level security picks the tickets and engineers, this the
fields. The customer's link is the customer's right to accept, and what others were offered is their business."""

from typing import Any

from dispatch.domain.commands import Principal, Role
from dispatch.domain.lifecycle import Actor, TicketStatus, allowed_actions


def lines_for(asking: Principal, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """views.BoardTicket lines with what the asker may do."""
    if asking.role is not Role.CONTRACTOR:
        return lines
    return [{**line, "allowed_actions": _actions(TicketStatus(line["status"]))} for line in lines]


def view_for(asking: Principal, view: dict[str, Any]) -> dict[str, Any]:
    """views.TicketView as the asker may see it."""
    if asking.role is not Role.CONTRACTOR:
        return view
    mine = [o for o in view["offers"] if o["contractor_id"] == asking.contractor_id or o["engineer_name"]]
    (ticket,) = lines_for(asking, [view["ticket"]])
    return {**view, "ticket": ticket, "customer_link": None, "offers": mine}


def _actions(status: TicketStatus) -> list[str]:
    found = list(allowed_actions(status, Actor.CONTRACTOR))
    return [*found, "decline_offer"] if "accept_offer" in found else found
