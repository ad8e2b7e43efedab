"""What other systems send and read."""

from api.shapes import BoardTicket, DispatcherCommand, NewTicket, TicketCreated
from mobile_contract.v1 import ActionResult, Reply


class IncomingTicket(NewTicket):
    """A ticket from another system; `external_ref` makes sending it again harmless."""


class IncomingCommand(DispatcherCommand):
    """An action by another system: it has a dispatcher's rights, within the key's scopes."""


class Created(TicketCreated):
    """The ticket, with its customer's link."""


class TicketLine(BoardTicket):
    """A ticket as it stands."""


class Done(Reply):
    result: ActionResult
