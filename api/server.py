"""One api process: uvicorn on a listening socket that the supervisor opened and every api process shares."""

import argparse
import socket

import uvicorn

from dispatch.adapters.logs import set_up
from dispatch.settings import read_settings

GRACEFUL_S = 5  # below the supervisor's patience, so that open event streams end in order


def main() -> None:
    """Serves `api.app:create_app` until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m api.server", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket's file descriptor")
    fd = parser.parse_args().fd
    set_up("api", read_settings().log_level)
    config = uvicorn.Config(
        "api.app:create_app",
        factory=True,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # limits go by the socket's peer, and anyone can write a header
        timeout_graceful_shutdown=GRACEFUL_S,
        timeout_keep_alive=30,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    main()
