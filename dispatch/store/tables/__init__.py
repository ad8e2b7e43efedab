"""Every stored table; importing this package makes `Base.metadata` whole."""

from dispatch.store.tables import events, evidence, money, people, tenants, tickets
from dispatch.store.tables.base import Base

__all__ = ["Base", "events", "evidence", "money", "people", "tenants", "tickets"]
