"""The api with one guarantee taken away, to see the campaign notice: the stored answer of a command is
written in a transaction of its own, a moment after the command's."""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from api import server
from api.integrations import endpoints
from dispatch.actions import step, take_action
from dispatch.domain.commands import Principal


def _answer_only(
    db: Session,
    principal: Principal,
    command_id: UUID,
    request_hash: bytes,
    status: int,
    body: dict[str, Any],
    now: datetime,
) -> step.Answer:
    return step.Answer(status, body)


def sabotage() -> None:
    """Commit the work first, sleep as a slow moment would, then store the answer."""
    honest_store, honest_run = step._store, step.run_command
    step._store = _answer_only

    def run(house: Any, principal: Any, command_id: Any, request_hash: Any, work: Any, at: Any = None) -> Any:
        answer = honest_run(house, principal, command_id, request_hash, work, at)
        if not answer.repeated:
            time.sleep(0.05)
            house.database.run(
                principal.tenant_id,
                lambda db: honest_store(
                    db, principal, command_id, request_hash, answer.status, answer.body, house.now()
                ),
            )
        return answer

    step.run_command = run
    endpoints.run_command = take_action.run_command = run


if __name__ == "__main__":
    sabotage()
    server.main()
