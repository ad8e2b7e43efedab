"""How often one address may ask for a repair without signing in: each process counts for itself."""

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import cast

from fastapi import Request

MOST = 20
#: In the demo one machine plays every customer of a city.
MOST_IN_DEMO = 100_000
PER_S = 3600.0
#: Addresses remembered; the one heard of longest ago is forgotten first.
ADDRESSES = 10_000


class RequestLimit:
    """At most `most` requests an address within `per_s` seconds of real time."""

    def __init__(
        self, most: int = MOST, per_s: float = PER_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._per_s = per_s
        self._clock = clock
        self._taken: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_s(self, address: str) -> int:
        """0 when the request may go on (it is counted then), else the seconds until the next may."""
        now = self._clock()
        with self._lock:
            times = self._taken.setdefault(_block(address), deque())
            self._taken.move_to_end(_block(address))
            while times and times[0] <= now - self._per_s:
                times.popleft()
            if len(times) >= self._most:
                return max(1, int(times[0] + self._per_s - now) + 1)
            times.append(now)
            if len(self._taken) > ADDRESSES:
                self._taken.popitem(last=False)
        return 0


def _block(address: str) -> str:
    """An IPv4 address, or the /64 an IPv6 one lies in: a household has the whole of it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))


def wait_s(request: Request) -> int:
    """Seconds the socket's peer must wait, 0 for none. Headers are not believed: anyone can write them."""
    state = request.app.state
    limit = getattr(state, "request_limit", None)
    if limit is None:
        limit = state.request_limit = RequestLimit(MOST_IN_DEMO if state.settings.demo else MOST)
    return cast(RequestLimit, limit).wait_s(request.client.host if request.client else "")
