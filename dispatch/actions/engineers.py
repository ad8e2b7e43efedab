"""What concerns an engineer and no one ticket: offers seen, colleagues."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.step import Step
from dispatch.domain.errors import NotFound
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tickets import Offer


def acknowledge_offer(step: Step, engineer_id: UUID, offer_id: UUID) -> None:
    """The phone shows the offer. Raises NotFound `offer_unknown`."""
    offer = step.db.scalars(
        select(Offer).where(
            Offer.tenant_id == step.tenant_id, Offer.id == offer_id, Offer.engineer_id == engineer_id
        )
    ).one_or_none()
    if offer is None:
        raise NotFound("offer_unknown", offer_id=str(offer_id))
    offer.seen_at = offer.seen_at or step.now
    step.db.flush()


def colleagues(step: Step, engineer_id: UUID) -> list[dict[str, Any]]:
    """Active engineers of the same employer and territory, by name, at most 200."""
    me = step.db.get(Engineer, {"tenant_id": step.tenant_id, "id": engineer_id})
    if me is None:
        raise NotFound("engineer_unknown", engineer_id=str(engineer_id))
    found = select(Engineer.id, Engineer.name).where(
        Engineer.tenant_id == step.tenant_id,
        Engineer.id != engineer_id,
        Engineer.active,
        Engineer.contractor_id.is_not_distinct_from(me.contractor_id),
    )
    if me.territory_id is not None:
        found = found.where(Engineer.territory_id == me.territory_id)
    rows = step.db.execute(found.order_by(Engineer.name).limit(200))
    return [{"engineer_id": row.id, "name": row.name} for row in rows]
