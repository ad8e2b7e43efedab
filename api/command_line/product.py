"""The processes that make up a running Paidan, and waiting until they answer."""

import http.client
import json
import time
from typing import Any

from api.command_line.problems import CommandError
from api.command_line.progress import say
from api.command_line.supervisor import Program, Supervisor, python

HEALTH_TIMEOUT_S = 3.0
READY_TIMEOUT_S = 90.0


def product_programs(listener_fd: int, apis: int, workers: int, relays: int) -> list[Program]:
    """The api, worker and relay processes of one host, and the one that answers travel times."""
    fds = (listener_fd,)
    return [
        Program("roads", python("jobs.roads"), single=True),
        *(
            Program(f"api-{n}", python("api.server", "--fd", str(listener_fd)), fds)
            for n in range(1, apis + 1)
        ),
        *(Program(f"worker-{n}", python("jobs.worker")) for n in range(1, workers + 1)),
        *(Program(f"relay-{n}", python("jobs.relay")) for n in range(1, relays + 1)),
    ]


def health(host: str, port: int) -> dict[str, Any]:
    """What GET /healthz says, with `answers` false and the reason when nothing answers."""
    connection = http.client.HTTPConnection(host, port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/healthz")
        reply = connection.getresponse()
        body = reply.read(10_000)
    except (OSError, http.client.HTTPException) as error:
        return {"answers": False, "reason": str(error) or type(error).__name__}
    finally:
        connection.close()
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    return {"answers": reply.status == 200, "status": reply.status, "said": said}


def wait_until_healthy(supervisor: Supervisor, host: str, port: int) -> bool:
    """Runs the supervisor until the api answers; False when told to stop before. Raises CommandError."""
    began = time.monotonic()
    told = False

    def answered() -> bool:
        nonlocal told
        if time.monotonic() - began > READY_TIMEOUT_S:
            raise CommandError(
                f"the api did not answer within {READY_TIMEOUT_S:.0f} s; see {supervisor.state}/logs"
            )
        if not told and time.monotonic() - began > 2:
            say("waiting for the api to answer …")
            told = True
        return bool(health(host, port)["answers"])

    supervisor.run(until=answered)
    return not supervisor.stopping
