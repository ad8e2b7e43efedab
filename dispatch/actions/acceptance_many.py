"""One customer with many tickets: a property manager sees what waits for acceptance and accepts it at once."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from dispatch.actions.cases import Case
from dispatch.actions.step import Draft, House, Step
from dispatch.actions.take_action import take_action
from dispatch.domain.commands import Command, Facts, Principal, Role
from dispatch.domain.errors import NotReady
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.proof import ManagerLink
from dispatch.store.tables.tenants import DirectoryEntry

MOST_AT_ONCE = 100
LONGEST_TOKEN = 200

_WAITING = """
  select t.id as ticket_id, t.ticket_no, t.status, t.address, t.description, w.name as work_type, t.outcome,
    v.completed_at, e.name as engineer_name,
    (select count(*)::int from evidence p where p.tenant_id = t.tenant_id and p.ticket_id = t.id
      and p.kind = 'completion' and not p.pending) as photos,
    (select l.id from customer_links l where l.tenant_id = t.tenant_id and l.ticket_id = t.id
      and l.revoked_at is null and l.expires_at > %(now)s order by l.created_at desc limit 1) as link_id
  from tickets t
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  left join lateral (select * from visits v where v.tenant_id = t.tenant_id and v.ticket_id = t.id
    order by (v.closed_at is not null), v.number desc limit 1) v on true
  left join engineers e on e.tenant_id = v.tenant_id and e.id = v.engineer_id
  where t.tenant_id = %(tenant)s and t.customer_id = %(customer)s
    and t.status not in ('closed', 'cancelled')
  order by (t.status <> 'awaiting_acceptance'), v.completed_at nulls last, t.created_at limit %(most)s
"""


@dataclass(frozen=True, slots=True)
class Manager:
    """Who holds a manager's link."""

    tenant_id: UUID
    link_id: UUID
    customer_id: UUID


def make_manager_link(step: Step, case: Case) -> tuple[str, datetime]:
    """The token and its end; links made before for this customer end. Raises NotReady `customer_missing`."""
    customer_id = case.ticket.customer_id
    if customer_id is None:
        raise NotReady("customer_missing", ticket_id=str(case.ticket.id))
    for link in step.db.query(ManagerLink).filter_by(tenant_id=step.tenant_id, customer_id=customer_id):
        link.revoked_at = link.revoked_at or step.now
    token = secrets.token_urlsafe(24)
    made = ManagerLink(
        tenant_id=step.tenant_id,
        id=new_id(),
        customer_id=customer_id,
        created_at=step.now,
        expires_at=step.now + timedelta(days=step.rules.link_days),
    )
    step.db.add(made)
    step.db.add(
        DirectoryEntry(lookup=_lookup(token), tenant_id=step.tenant_id, kind="link", subject_id=made.id)
    )
    step.db.flush()
    step.drafts.append(Draft("customer", customer_id, None, "manager_link", facts={"link": str(made.id)}))
    return token, made.expires_at


def _lookup(token: str) -> str:
    return f"manager:{sha256(token.encode()).hexdigest()}"


def find_manager(house: House, token: str) -> Manager | None:
    """Whose link this is; None for unknown and ended alike."""
    if not token.isascii() or len(token) > LONGEST_TOKEN:
        return None
    with house.database.transaction(None) as db:
        entry = db.get(DirectoryEntry, _lookup(token))
    if entry is None:
        return None
    with house.database.transaction(entry.tenant_id) as db:
        link = db.get(ManagerLink, {"tenant_id": entry.tenant_id, "id": entry.subject_id})
    if link is None or link.revoked_at is not None or link.expires_at <= house.now():
        return None
    return Manager(entry.tenant_id, link.id, link.customer_id)


def read_managed(db: Session, manager: Manager, now: datetime) -> list[dict[str, Any]]:
    """The customer's tickets that are not final, those that wait for acceptance first."""
    values = {
        "tenant": manager.tenant_id,
        "customer": manager.customer_id,
        "now": now,
        "most": MOST_AT_ONCE * 2,
    }
    return list(fetch(db, _WAITING, values))


def accept_many(
    house: House, manager: Manager, command_id: UUID, ticket_ids: list[UUID], facts: Facts
) -> dict[UUID, str | None]:
    """Each named ticket signed off in a transaction of its own; per ticket None, or the code of the refusal.

    Only this customer's tickets: another's is `ticket_unknown`. Sent twice, it is done once.
    Raises NotReady `too_many_tickets`.
    """
    if len(ticket_ids) > MOST_AT_ONCE:
        raise NotReady("too_many_tickets", most=MOST_AT_ONCE)
    with house.database.transaction(manager.tenant_id) as db:
        own = set(_owned(db, manager))
    done: dict[UUID, str | None] = {}
    for ticket_id in dict.fromkeys(ticket_ids):
        if ticket_id not in own:
            done[ticket_id] = "ticket_unknown"
            continue
        asking = Principal(manager.tenant_id, Role.CUSTOMER, manager.link_id, ticket_id=ticket_id)
        command = Command(
            uuid5(command_id, str(ticket_id)),
            ticket_id,
            "sign_off",
            facts,
            request_hash=sha256(f"{ticket_id} {facts.rating} {facts.text}".encode()).digest(),
        )
        answer = take_action(house, asking, command)
        done[ticket_id] = None if answer.status < 400 else str(answer.body["code"])
    return done


def _owned(db: Session, manager: Manager) -> list[UUID]:
    sql = "select id from tickets where tenant_id = %(tenant)s and customer_id = %(customer)s"
    rows = fetch(db, sql, {"tenant": manager.tenant_id, "customer": manager.customer_id})
    return [row["id"] for row in rows]
