"""What comes back from a message: a pressed button is the engineer's own answer."""

from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select

from dispatch.actions.step import House
from dispatch.actions.take_action import take_action
from dispatch.actions.telling_book import opened, wecom_account
from dispatch.adapters.wecom import Pressed, WeComAccount
from dispatch.domain.commands import Command, Facts, Principal, Role
from dispatch.store.tables.telling import ChannelSetting, TellTarget
from dispatch.store.tables.tickets import Offer


def wecom_of(house: House, tenant_id: UUID) -> WeComAccount | None:
    """The tenant's account, None where it has none that is active."""
    with house.database.transaction(tenant_id) as db:
        row = db.get(ChannelSetting, {"tenant_id": tenant_id, "channel": "wecom"})
        if row is None or not row.active:
            return None
        return wecom_account(opened(house.personal, tenant_id, "wecom", bytes(row.body_enc)))


def pressed(house: House, tenant_id: UUID, press: Pressed) -> str | None:
    """Accept the offer behind a button in the name of the person it was sent to, once.

    Returns the refusal's code, None when accepted; `offer_unknown` for a button or person that is not known.
    """
    word, _, name = press.key.partition(":")
    try:
        offer_id = UUID(name)
    except ValueError:
        return "offer_unknown"
    with house.database.transaction(tenant_id) as db:
        blinds = house.personal.blinds(press.user_id, tenant_id)
        offer = db.get(Offer, {"tenant_id": tenant_id, "id": offer_id})
        target = db.scalars(
            select(TellTarget.id).where(
                TellTarget.tenant_id == tenant_id,
                TellTarget.person_kind == "engineer",
                TellTarget.person_id == (offer.engineer_id if offer is not None else None),
                TellTarget.channel == "wecom",
                TellTarget.address_blind.in_(blinds),
            )
        ).first()
    if word != "accept" or offer is None or offer.engineer_id is None or target is None:
        return "offer_unknown"
    action = "accept_offer" if offer.kind == "offer" else "accept_hand_over"
    command = Command(
        uuid5(NAMESPACE_URL, f"wecom:{press.task_id}:{press.key}"),
        offer.ticket_id,
        action,
        Facts(offer_id=offer_id),
        request_hash=press.key.encode(),
    )
    answer = take_action(house, Principal(tenant_id, Role.ENGINEER, offer.engineer_id), command)
    return str(answer.body["code"]) if answer.status >= 400 else None
