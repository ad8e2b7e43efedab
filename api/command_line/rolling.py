"""Restarting a running product's processes one after another, each new one proven before the old one goes."""

import http.client
import json
import subprocess
import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

from api.command_line.processes import end
from api.command_line.progress import say

if TYPE_CHECKING:
    from api.command_line.supervisor import Child, Supervisor

READY_S = 90.0
#: A process that listens nowhere has started well when it is still there after this long.
STEADY_S = 3.0
ASK_S = 2.0
GIVE_UP_S = 2.0


class Rolling:
    """One round over all programs; `step` does a little of it and returns, so that the others are looked after.

    It ends at the first program whose new process does not come up: that one and those behind it go on as they were.
    """

    def __init__(self, supervisor: "Supervisor") -> None:
        self._supervisor = supervisor
        self._steps = self._roll()

    def step(self) -> None:
        try:
            next(self._steps)
        except StopIteration:
            self._supervisor.rolling = None

    def _roll(self) -> Iterator[None]:
        supervisor = self._supervisor
        supervisor.say_roll("rolling")
        for child in list(supervisor.children):
            if child.ended or child.program.once:
                continue
            say(f"a new {child.program.name} …")
            single = child.program.single
            if single and child.process is not None:
                before, child.process = child.process, None
                end(before, GIVE_UP_S)
            fresh = supervisor.launch(child)
            if single:
                supervisor.replace(child, fresh)
            wrong = yield from self._comes_up(child, fresh)
            if wrong:
                if not single:
                    end(fresh, GIVE_UP_S)
                supervisor.say_roll(f"{child.program.name}: {wrong}")
                return
            if not single:
                supervisor.replace(child, fresh)
        supervisor.say_roll("done")

    def _comes_up(
        self, child: "Child", fresh: "subprocess.Popen[bytes]"
    ) -> Generator[None, None, str | None]:
        """None once it works, else what is wrong with it."""
        began = time.monotonic()
        while True:
            yield
            took_s = time.monotonic() - began
            if fresh.poll() is not None:
                return f"the new process ended with {fresh.returncode} after {took_s:.0f} s"
            if child.program.fds and "port" in self._supervisor.facts:
                if self._answers(fresh.pid):
                    return None
            elif took_s >= STEADY_S:
                return None
            if took_s > READY_S:
                return f"the new process did not answer within {READY_S:.0f} s"

    def _answers(self, pid: int) -> bool:
        """Whether this very process, of all that share the socket, is ready."""
        facts = self._supervisor.facts
        connection = http.client.HTTPConnection(facts["host"], facts["port"], timeout=ASK_S)
        try:
            connection.request("GET", "/readyz", headers={"Connection": "close"})
            reply = connection.getresponse()
            return reply.status == 200 and json.loads(reply.read(10_000)).get("pid") == pid
        except (OSError, ValueError, http.client.HTTPException):
            return False
        finally:
            connection.close()
