"""Connections for reads on the event loop, beside the pool that threads take theirs from."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from psycopg import pq

from dispatch.store.exchange import Link


class Links:
    """At most `most`, opened when first needed. One of them is one reader's at a time."""

    def __init__(self, connect: Callable[[], Link], most: int) -> None:
        self._connect, self._most = connect, most
        self._idle: list[Link] = []
        self._open = 0

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[Link | None]:
        """A connection, or None where all are at work. One that is left in the middle of an answer, because it broke
        or nobody waits any more, is closed: the next reader would be given the rest."""
        link = await self._take()
        try:
            yield link
        finally:
            if link is not None:
                self._give_back(link)

    async def _take(self) -> Link | None:
        with contextlib.suppress(IndexError):
            return self._idle.pop()  # the last one back: it is the warmest
        if self._open >= self._most:
            return None
        self._open += 1
        try:
            return await asyncio.to_thread(self._connect)
        except BaseException:
            self._open -= 1
            raise

    def _give_back(self, link: Link) -> None:
        wire = link.pgconn
        done = wire.transaction_status == pq.TransactionStatus.IDLE
        if done and wire.pipeline_status == pq.PipelineStatus.OFF:
            self._idle.append(link)
        else:
            self._drop(link)

    def _drop(self, link: Link) -> None:
        self._open -= 1
        link.close()

    def close(self) -> None:
        """Those that are idle; one at work is kept or closed by its reader."""
        while self._idle:
            self._drop(self._idle.pop())
