"""Phones that are told by push: kept by their own engineer, and let go."""

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.step import Step
from dispatch.adapters.outside import OutsideClient, RefusedTarget
from dispatch.adapters.webpush import read_subscription
from dispatch.domain.errors import NotReady
from dispatch.store.ids import new_id
from dispatch.store.tables.people import PushTarget


def keep_target(step: Step, engineer_id: UUID, platform: str, target: str) -> None:
    """This device is told from now on; a device belongs to whoever signed in on it last.

    Raises NotReady `push_target_invalid` where a browser's subscription is none, or leads where nothing is sent.
    """
    if platform == "web":
        check_subscription(target)
    row = insert(PushTarget).values(
        tenant_id=step.tenant_id,
        id=new_id(),
        engineer_id=engineer_id,
        platform=platform,
        target=target,
        created_at=step.now,
    )
    step.db.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "platform", "target"],
            set_={"engineer_id": engineer_id, "gone_at": None},
        )
    )


def drop_target(step: Step, engineer_id: UUID, platform: str, target: str) -> None:
    """This device is told nothing more; one that is not the engineer's own stays."""
    mine = update(PushTarget).where(
        PushTarget.tenant_id == step.tenant_id,
        PushTarget.engineer_id == engineer_id,
        PushTarget.platform == platform,
        PushTarget.target == target,
        PushTarget.gone_at.is_(None),
    )
    step.db.execute(mine.values(gone_at=step.now))


def check_subscription(target: str) -> None:
    """Raises NotReady `push_target_invalid` as `keep_target`."""
    try:
        endpoint, _, _ = read_subscription(target)
        OutsideClient().check(endpoint)
    except (ValueError, KeyError, TypeError, AttributeError, RefusedTarget) as error:
        raise NotReady("push_target_invalid") from error
