"""Every stored table; importing this package makes `Base.metadata` whole."""

from dispatch.store.tables import (
    events,
    evidence,
    identity,
    matching,
    money,
    people,
    promises,
    proof,
    telling,
    tenants,
    tickets,
    travel,
    webhooks,
)
from dispatch.store.tables.base import Base

__all__ = [
    "Base",
    "events",
    "evidence",
    "identity",
    "matching",
    "money",
    "people",
    "promises",
    "proof",
    "telling",
    "tenants",
    "tickets",
    "travel",
    "webhooks",
]
