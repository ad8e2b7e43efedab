"""One action by the system itself, within a job's or another action's transaction."""

from typing import Any
from uuid import UUID

from dispatch.actions.step import Step
from dispatch.actions.take_action import apply_action
from dispatch.domain.commands import Command, Facts
from dispatch.store.ids import new_id


def act(step: Step, ticket_id: UUID, action: str, facts: Facts | None = None) -> dict[str, Any]:
    """`action` on the ticket; the answer is mobile_contract's ActionResult. Raises DispatchError."""
    done = apply_action(step, Command(new_id(), ticket_id, action, facts or Facts()))
    step.db.flush()
    return done
