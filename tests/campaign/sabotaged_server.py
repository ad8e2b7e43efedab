"""The api with one guarantee taken away, to see the campaign notice: the stored answer of a command is
written in a transaction of its own, a moment after the command's."""

import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from api import server
from dispatch.actions import step
from dispatch.store.exchange import Question


def _nothing(key: Any, request_hash: bytes, status: int, body: dict[str, Any], now: datetime) -> Question:
    return "select 1", {}


def sabotage(put: Callable[[Any, str, Any], None] = setattr) -> set[str]:
    """Commit the work first, sleep as a slow moment would, then store the answer: wherever the product runs a
    command. The modules it does so in."""
    honest_store, honest_run = step._to_store, step.run_command

    def run(house: Any, principal: Any, command_id: Any, request_hash: Any, work: Any, *more: Any) -> Any:
        answer = honest_run(house, principal, command_id, request_hash, work, *more)
        if not answer.repeated:
            time.sleep(0.05)
            key = step._key(principal, command_id)
            write = honest_store(key, request_hash, answer.status, answer.body, house.now())
            house.database.run(principal.tenant_id, lambda db, rows: None, write)
        return answer

    put(step, "_to_store", _nothing)
    ours = {name: one for name, one in sys.modules.items() if name.startswith(("api.", "dispatch."))}
    honest = {name: one for name, one in ours.items() if vars(one).get("run_command") is honest_run}
    for module in honest.values():
        put(module, "run_command", run)
    return set(honest)


if __name__ == "__main__":
    sabotage()
    server.main()
