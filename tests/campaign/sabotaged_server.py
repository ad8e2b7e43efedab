"""The api with one guarantee taken away, to see the campaign notice: the stored answer of a command is
written in a transaction of its own, a moment after the command's."""

import time
from datetime import datetime
from typing import Any

from api import server
from api.integrations import endpoints
from dispatch.actions import step, take_action
from dispatch.store.exchange import Question


def _nothing(key: Any, request_hash: bytes, status: int, body: dict[str, Any], now: datetime) -> Question:
    return "select 1", {}


def sabotage() -> None:
    """Commit the work first, sleep as a slow moment would, then store the answer."""
    honest_store, honest_run = step._to_store, step.run_command
    step._to_store = _nothing

    def run(house: Any, principal: Any, command_id: Any, request_hash: Any, work: Any, *more: Any) -> Any:
        answer = honest_run(house, principal, command_id, request_hash, work, *more)
        if not answer.repeated:
            time.sleep(0.05)
            key = step._key(principal, command_id)
            write = honest_store(key, request_hash, answer.status, answer.body, house.now())
            house.database.run(principal.tenant_id, lambda db, rows: None, write)
        return answer

    step.run_command = run
    endpoints.run_command = take_action.run_command = run


if __name__ == "__main__":
    sabotage()
    server.main()
