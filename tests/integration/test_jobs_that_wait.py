"""A service that hangs takes the threads of jobs that wait for others, and none from the product's own."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from procrastinate import PsycopgConnector

from dispatch.adapters import queue
from dispatch.adapters.queue import JobQueue, JobWanted
from dispatch.domain.reactions import REACTIONS, TIMERS, WAITS_FOR_OTHERS
from dispatch.store.queries.operations import QUEUES_A_WORKER
from jobs import telling, telling_channels, telling_webhooks
from jobs.registry import JOBS
from tests.house import Product

HANGING, OWN, AT_ONCE = "push_offers", "match_ticket", 2


def came_past(product: Product, hangs_s: float) -> list[bool]:
    """For each of AT_ONCE jobs that hang, `hangs_s` at most: was the product's own work done meanwhile? By one worker
    that does AT_ONCE jobs of a kind."""
    begun, ended, own_done = threading.Barrier(AT_ONCE + 1), threading.Barrier(AT_ONCE), threading.Event()
    found: list[bool] = []

    def run(name: str, arguments: Mapping[str, Any]) -> None:
        if name == OWN:
            own_done.set()
        else:
            begun.wait(20)
            found.append(own_done.wait(hangs_s))
            ended.wait(20)  # the first to give up leaves its place to nobody while the other still looks

    wanted = [JobWanted(HANGING, {"n": n}) for n in range(AT_ONCE)]

    async def scene() -> None:
        app = queue._app(
            PsycopgConnector(conninfo=product.settings.database_url, timeout=5), [HANGING, OWN], run
        )
        working = asyncio.create_task(queue._work(app, AT_ONCE))
        await asyncio.to_thread(begun.wait, 20)
        await until(lambda: len(at_work(product) - before) == QUEUES_A_WORKER, 20)
        assert len(at_work(product) - before) == QUEUES_A_WORKER
        await asyncio.to_thread(defer, product, [JobWanted(OWN, {})])
        await until(lambda: len(found) == AT_ONCE, 60)
        assert not working.done()
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(working, 60)
        assert at_work(product) <= before

    product.rows("with gone as (delete from procrastinate_jobs where status = 'todo') select 1 as done")
    defer(product, wanted)
    before = at_work(product)
    asyncio.run(scene())
    return found


async def until(holds: Callable[[], bool], most_s: float) -> None:
    """Waits for it, so long at most."""
    for _ in range(int(most_s / 0.05)):
        if holds():
            return
        await asyncio.sleep(0.05)


def at_work(product: Product) -> set[int]:
    return {row["id"] for row in product.rows("select id from procrastinate_workers")}


def defer(product: Product, wanted: list[JobWanted]) -> None:
    with psycopg.connect(product.settings.database_relay_url) as connection:
        JobQueue([HANGING, OWN]).defer(connection, wanted)


def test_pushes_that_hang_hold_up_nothing_of_the_products_own(product: Product) -> None:
    assert came_past(product, 40) == [True] * AT_ONCE


def test_in_one_queue_they_would(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sabotage: every job is of one kind."""
    monkeypatch.setattr(queue, "WAITS_FOR_OTHERS", frozenset())
    assert came_past(product, 2) == [False] * AT_ONCE


def test_every_job_that_sends_is_among_those_that_wait() -> None:
    assert WAITS_FOR_OTHERS <= JOBS.keys() == {*TIMERS.values(), *(n for r in REACTIONS.values() for n in r)}
    sending = {name for name in JOBS if name.startswith(("push_", "send_", "deliver_"))}
    assert sending == WAITS_FOR_OTHERS
    assert {JOBS[name].__module__ for name in WAITS_FOR_OTHERS} == {
        module.__name__ for module in (telling, telling_channels, telling_webhooks)
    }
