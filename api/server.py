"""One api process: uvicorn on a listening socket that the supervisor opened and every api process shares."""

import argparse
import gc
import socket

import uvicorn

from api.app import create_app
from dispatch.adapters.logs import set_up
from dispatch.settings import read_settings

#: Objects made before the collector looks for circles among them, and how often it looks at older ones. A request
#: makes some thousands and drops them at once; looking through all that lives stops every request meanwhile.
GC_THRESHOLDS = (20_000, 20, 100)
#: Proxies give an idle connection up after 60 s or less: were this shorter, they would now and then send a request
#: down a connection that is just being closed.
KEEP_ALIVE_S = 75
GRACEFUL_S = 5  # below the supervisor's patience, so that open event streams end in order


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m api.server", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the listening socket's file descriptor")
    fd = parser.parse_args().fd
    settings = read_settings()
    set_up("api", settings.log_level)
    if settings.otlp_url:
        from dispatch.adapters.spans import Collector

        Collector(settings.otlp_url, "api").start()
    app = create_app(settings)
    gc.collect()
    gc.freeze()  # what the start made stays until the end
    gc.set_threshold(*GC_THRESHOLDS)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # limits go by the socket's peer, and anyone can write a header
        timeout_graceful_shutdown=GRACEFUL_S,
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    main()
