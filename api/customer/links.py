"""A customer's link: the token in the path is the whole sign-in."""

from hashlib import sha256

from api.house import Rooms
from api.problems import SignInRequired
from dispatch.domain.commands import Principal, Role
from dispatch.store.tables.tenants import DirectoryEntry
from dispatch.store.tables.tickets import CustomerLink

LONGEST = 200


def link_principal(here: Rooms, token: str) -> Principal:
    """The customer of the link's ticket. Raises SignInRequired, the same for unknown and ended."""
    if not token.isascii() or len(token) > LONGEST:
        raise SignInRequired("link_ended")
    digest = sha256(token.encode()).hexdigest()
    with here.house.database.transaction(None) as db:
        entry = db.get(DirectoryEntry, f"link:{digest}")
    if entry is None:
        raise SignInRequired("link_ended")
    with here.house.database.transaction(entry.tenant_id) as db:
        link = db.get(CustomerLink, {"tenant_id": entry.tenant_id, "id": entry.subject_id})
    if link is None or link.revoked_at is not None or link.expires_at <= here.house.now():
        raise SignInRequired("link_ended")
    return Principal(entry.tenant_id, Role.CUSTOMER, link.id, ticket_id=link.ticket_id)
