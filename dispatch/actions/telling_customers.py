"""Customers' browsers: switched on and off by the customer at one ticket's link, and told beside all other channels."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions import telling_messages
from dispatch.actions.step import Step
from dispatch.actions.telling_devices import check_subscription
from dispatch.actions.telling_messages import Telling
from dispatch.actions.telling_people import Person
from dispatch.adapters.channel import Channel
from dispatch.domain.errors import Conflict
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.telling import CustomerDevice
from dispatch.store.tables.tickets import CustomerLink

#: Browsers told by one link: the household's phones.
DEVICES_MAX = 5
_ACTOR = "select actor from ticket_events where tenant_id = %(tenant)s and seq = %(seq)s"


def switch_on(step: Step, subscription: str, language: Literal["zh", "en"]) -> None:
    """The customer who acts wants this browser told of their link's ticket, in this language, until they say otherwise.

    Raises NotReady `push_target_invalid`; Conflict `devices_too_many`.
    """
    check_subscription(subscription)
    assert step.principal.ticket_id is not None
    link_id = step.principal.id
    # The link's row is locked: two browsers at once are counted one after the other.
    step.db.get(CustomerLink, {"tenant_id": step.tenant_id, "id": link_id}, with_for_update=True)
    switch_off(step, subscription)
    others = select(func.count()).where(
        CustomerDevice.tenant_id == step.tenant_id, CustomerDevice.link_id == link_id
    )
    if step.db.scalars(others).one() >= DEVICES_MAX:
        raise Conflict("devices_too_many", most=DEVICES_MAX)
    device_id = new_id()
    step.db.execute(
        insert(CustomerDevice).values(
            tenant_id=step.tenant_id,
            id=device_id,
            ticket_id=step.principal.ticket_id,
            link_id=link_id,
            subscription_enc=step.personal.encrypt(subscription, step.tenant_id, device_id, "subscription"),
            subscription_blind=step.personal.blind(subscription, step.tenant_id),
            language=language,
            switched_on_at=step.now,
        )
    )


def switch_off(step: Step, subscription: str) -> None:
    """This browser is told nothing more of the link's ticket, and nothing of it is kept."""
    step.db.execute(
        delete(CustomerDevice).where(
            CustomerDevice.tenant_id == step.tenant_id,
            CustomerDevice.link_id == step.principal.id,
            CustomerDevice.subscription_blind.in_(step.personal.blinds(subscription, step.tenant_id)),
        )
    )


def tell_browsers(step: Step, channels: Mapping[str, Channel], telling: Telling) -> None:
    """The customer's browsers are told too, each once; what `telling` names as the person is not read."""
    devices = select(CustomerDevice.id).where(
        CustomerDevice.tenant_id == step.tenant_id, CustomerDevice.ticket_id == telling.ticket_id
    )
    for device_id in step.db.scalars(devices).all():
        telling_messages.tell(step, channels, replace(telling, person=Person("device", device_id)))


def tell_everywhere(step: Step, channels: Mapping[str, Channel], telling: Telling) -> None:
    """The customer over their best channel, and each browser they switched on."""
    telling_messages.tell(step, channels, telling)
    tell_browsers(step, channels, telling)


def by_customer(step: Step, seq: int) -> bool:
    """Whether the customer did it themselves, who need not be told."""
    rows = fetch(step.db, _ACTOR, {"tenant": step.tenant_id, "seq": seq})
    return bool(rows) and rows[0]["actor"] == "customer"
