"""Who is told: the people behind a word, where each is reached in which order, and in which language."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.step import Step
from dispatch.actions.telling_book import GROUP_CHANNELS, PERSON_CHANNELS, group_target
from dispatch.domain.errors import NotFound, NotReady
from dispatch.store.ids import new_id
from dispatch.store.queries.board import link_url
from dispatch.store.queries.reading import fetch, fetch_all
from dispatch.store.tables import telling as stored
from dispatch.store.tables.people import Engineer, PushTarget
from dispatch.store.tables.tenants import Dispatcher
from dispatch.store.tables.tickets import CustomerLink, Ticket

#: Where nobody said otherwise, a known phone number is used after all that was named.
PHONE_PREFERENCE = 90
TARGETS_MAX = 10


@dataclass(frozen=True, slots=True)
class Person:
    """`kind` is engineer, dispatcher, customer (by the ticket's id), device (a customer's browser) or group (the
    tenant's bots)."""

    kind: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Place:
    """One way to reach a person; `target_id` is the row it is kept in, None for a phone of their own."""

    channel: str
    preference: int
    target_id: UUID | None


_DUTY = """
  select dispatcher_id as id from duties where tenant_id = %(tenant)s and starts_at <= %(now)s and ends_at > %(now)s
"""
_BOARD = (
    "select id from dispatchers where tenant_id = %(tenant)s and active and role = any(%(roles)s) order by id"
)


_NAMED = """
  select id, channel, preference from tell_targets
  where tenant_id = %(tenant)s and person_kind = %(kind)s and person_id = %(person)s and gone_at is null
"""
#: The table and the column of a person's own number.
_PHONES = {"customer": ("tickets", "contact_phone"), "engineer": ("engineers", "phone")}
_DEVICES = """
  select id, case platform when 'fcm' then 'fcm' else 'webpush' end as channel, 0 as preference from push_targets
  where tenant_id = %(tenant)s and engineer_id = %(person)s and gone_at is null
"""


def audience(step: Step, whom: str, engineer_id: UUID | None = None) -> list[Person]:
    """The people behind `engineer`, `dispatchers` (their group bots too) or `duty_manager`."""
    values = {"tenant": step.tenant_id, "now": step.now}
    if whom == "engineer":
        return [Person("engineer", engineer_id)] if engineer_id else []
    if whom == "duty_manager":
        rows = fetch(step.db, _DUTY, values) or fetch(step.db, _BOARD, {**values, "roles": ["admin"]})
        return [Person("dispatcher", row["id"]) for row in rows]
    rows = fetch(step.db, _BOARD, {**values, "roles": ["admin", "dispatcher"]})
    return [Person("dispatcher", row["id"]) for row in rows] + [Person("group", step.tenant_id)]


def places(step: Step, person: Person) -> list[Place]:
    """Where they are reached, the preferred first; a device that is gone is not there."""
    if person.kind == "group":
        return [Place(name, n, None) for n, name in enumerate(GROUP_CHANNELS, 1)]
    if person.kind == "device":
        return [Place("webpush", 0, person.id)]
    values = {"tenant": step.tenant_id, "kind": person.kind, "person": _owner(step, person)}
    asked = (_NAMED, _DEVICES) if person.kind == "engineer" else (_NAMED,)
    rows = fetch_all(step.db, *((sql, values) for sql in asked))
    found = [Place(row["channel"], row["preference"], row["id"]) for each in rows for row in each]
    if _phone(step, person) is not None and not any(place.channel == "sms" for place in found):
        found.append(Place("sms", PHONE_PREFERENCE, None))
        if person.kind == "engineer":
            found.append(Place("voice", PHONE_PREFERENCE + 1, None))
    return sorted(found, key=lambda place: (place.preference, place.channel))


def _owner(step: Step, person: Person) -> UUID | None:
    if person.kind != "customer":
        return person.id
    ticket = step.db.get(Ticket, {"tenant_id": step.tenant_id, "id": person.id})
    return ticket.customer_id if ticket is not None else None


def _phone(step: Step, person: Person) -> str | None:
    if person.kind not in _PHONES:
        return None
    table, column = _PHONES[person.kind]
    sql = f"select {column}_enc as sealed from {table} where tenant_id = %(tenant)s and id = %(person)s"
    rows = fetch(step.db, sql, {"tenant": step.tenant_id, "person": person.id})
    return step.personal.decrypt(rows[0]["sealed"], step.tenant_id, person.id, column) if rows else None


def address(step: Step, row: stored.Message) -> str | None:
    """The target a message goes to, None where it is gone."""
    person = Person(row.person_kind, row.person_id)
    if person.kind == "group":
        return group_target(step, row.channel)
    if row.target_id is None:
        return _phone(step, person)
    key = {"tenant_id": step.tenant_id, "id": row.target_id}
    named = step.db.get(stored.TellTarget, key)
    if named is not None:
        if named.gone_at is not None:
            return None
        return step.personal.decrypt(named.address_enc, step.tenant_id, named.id, "address")
    if person.kind == "device":
        return _of_customer(step, row.target_id)
    device = step.db.get(PushTarget, key)
    return device.target if device is not None and device.gone_at is None else None


def _of_customer(step: Step, device_id: UUID) -> str | None:
    """A customer's browser, as long as its link holds."""
    key = {"tenant_id": step.tenant_id, "id": device_id}
    device = step.db.get(stored.CustomerDevice, key)
    link = step.db.get(CustomerLink, {**key, "id": device.link_id}) if device is not None else None
    if device is None or link is None or link.revoked_at is not None or link.expires_at <= step.now:
        return None
    return step.personal.decrypt(device.subscription_enc, step.tenant_id, device_id, "subscription")


def language(step: Step, person: Person) -> str:
    """The recipient's own; the tenant's for its group."""
    key = {"tenant_id": step.tenant_id, "id": person.id}
    found: Engineer | Dispatcher | Ticket | stored.CustomerDevice | None = None
    if person.kind == "engineer":
        found = step.db.get(Engineer, key)
    elif person.kind == "dispatcher":
        found = step.db.get(Dispatcher, key)
    elif person.kind == "customer":
        found = step.db.get(Ticket, key)
    elif person.kind == "device":
        found = step.db.get(stored.CustomerDevice, key)
    return found.language if found is not None else step.rules.language


_ON_CALL = """
  select 1 from shifts where tenant_id = %(tenant)s and engineer_id = %(person)s
    and starts_at <= %(now)s and ends_at > %(now)s limit 1
"""


def on_call(step: Step, person: Person) -> bool:
    """Whether quiet hours do not count for them: an engineer at work or on call, whoever is on duty."""
    values = {"tenant": step.tenant_id, "person": person.id, "now": step.now}
    if person.kind == "engineer":
        return bool(fetch(step.db, _ON_CALL, values))
    if person.kind == "dispatcher":
        return any(row["id"] == person.id for row in fetch(step.db, _DUTY, values))
    return person.kind == "group"


_LINK = """
  select id::text, encode(token_enc, 'hex') as token from customer_links
  where tenant_id = %(tenant)s and ticket_id = %(ticket)s and revoked_at is null order by created_at desc limit 1
"""
_LINK_OF_DEVICE = """
  select l.id::text, encode(l.token_enc, 'hex') as token from customer_devices d
  join customer_links l on l.tenant_id = d.tenant_id and l.id = d.link_id
  where d.tenant_id = %(tenant)s and d.id = %(device)s
"""


def url(step: Step, row: stored.Message, public_url: str) -> str | None:
    """The page that goes with a message: the customer's link, the engineer's app, the board."""
    if row.person_kind == "engineer" and row.ticket_id is None:
        return f"{public_url}/phone/#/requests"
    if row.ticket_id is None:
        return None
    if row.person_kind in ("customer", "device"):
        sql = _LINK if row.person_kind == "customer" else _LINK_OF_DEVICE
        values = {"tenant": step.tenant_id, "ticket": row.ticket_id, "device": row.person_id}
        links = fetch(step.db, sql, values)
        return link_url(step.personal, step.tenant_id, links[0], public_url) if links else None
    if row.person_kind == "engineer":
        return f"{public_url}/phone/#/ticket/{row.ticket_id}"
    return f"{public_url}/board/#/ticket/{row.ticket_id}"


def put_targets(step: Step, person: Person, wanted: Sequence[tuple[str, str]]) -> None:
    """Replace a person's targets by (channel, address), in order of preference.

    Raises NotFound `person_unknown`; NotReady `target_invalid` for a channel that tells no single person.
    """
    table = {"engineer": Engineer, "dispatcher": Dispatcher}.get(person.kind)
    if table is None or step.db.get(table, {"tenant_id": step.tenant_id, "id": person.id}) is None:
        raise NotFound("person_unknown")
    allowed = [name for name in PERSON_CHANNELS if name != "fcm"]
    for channel, where in wanted:
        if channel not in allowed or not where.strip() or not _is_address(channel, where):
            raise NotReady("target_invalid", channel=channel, allowed=allowed)
    target = stored.TellTarget
    for row in step.db.scalars(
        select(target).where(
            target.tenant_id == step.tenant_id,
            target.person_kind == person.kind,
            target.person_id == person.id,
        )
    ):
        step.db.delete(row)
    step.db.flush()
    for preference, (channel, where) in enumerate(dict.fromkeys(wanted), 1):
        row_id = new_id()
        sealed = step.personal.encrypt(where, step.tenant_id, row_id, "address")
        blind = step.personal.blind(where, step.tenant_id)
        assert sealed is not None
        assert blind is not None
        step.db.add(
            target(
                tenant_id=step.tenant_id,
                id=row_id,
                person_kind=person.kind,
                person_id=person.id,
                channel=channel,
                preference=preference,
                address_enc=sealed,
                address_blind=blind,
                created_at=step.now,
            )
        )
    step.db.flush()


def _is_address(channel: str, where: str) -> bool:
    """Whether it may be one; the channel itself judges finely when it sends."""
    if channel == "webpush":
        try:
            return isinstance(json.loads(where), dict)
        except ValueError:
            return False
    if channel == "mail":
        return where.count("@") == 1
    return len(where) <= 100 and "\n" not in where
