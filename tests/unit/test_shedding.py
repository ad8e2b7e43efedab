"""Twice the load a process can take: the urgent is answered in time, the rest refused at once, and it is over soon."""

import asyncio
import math
import selectors
from collections import defaultdict
from typing import Any

import pytest

from api.shedding import ALWAYS, BODY_BYTES, KINDS, PHONE, READ, UPLOADS, WORK, WRITE, Shedding, kind_of

SLOTS, TAKES_S, WAIT_S = 4, 0.02, 0.6
CAPACITY_PER_S = SLOTS / TAKES_S
ACT, BOARD = ("POST", "/engineer/v1/actions"), ("GET", "/dispatcher/v1/board")


async def working(scope: Any, receive: Any, send: Any) -> None:
    """An endpoint that takes its time."""
    await asyncio.sleep(TAKES_S)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def shedding(wait_s: float = WAIT_S, app: Any = working) -> Shedding:
    made = Shedding(app, SLOTS, wait_s)
    return made


async def ask(
    app: Any, method: str, path: str, headers: Any = (), body: Any = None
) -> tuple[int, dict[bytes, bytes]]:
    found: list[Any] = []

    async def send(message: Any) -> None:
        found.append(message)

    async def receive() -> Any:
        return body.pop(0) if body else {"type": "http.disconnect"}

    await app({"type": "http", "method": method, "path": path, "headers": list(headers)}, receive, send)
    return found[0]["status"], dict(found[0]["headers"])


async def twice_the_load(app: Any, seconds: float) -> dict[tuple[str, int], list[float]]:
    """Open loop: half of what comes are engineers' steps, half are boards. Waits by path and status."""
    waits: dict[tuple[str, int], list[float]] = defaultdict(list)
    count = int(2 * CAPACITY_PER_S * seconds)
    start = now()

    async def one(n: int) -> None:
        due = start + n / (2 * CAPACITY_PER_S)
        await asyncio.sleep(max(0.0, due - now()))
        method, path = (ACT, BOARD)[n % 2]
        status, _ = await ask(app, method, path)
        waits[path, status].append(now() - due)

    await asyncio.gather(*(one(n) for n in range(count)))
    return waits


def worst(waits: dict[tuple[str, int], list[float]]) -> float:
    return max(max(each, default=0.0) for each in waits.values())


def now() -> float:
    return asyncio.get_running_loop().time()


class Skipping(selectors.DefaultSelector):
    """Waits for nothing: the loop's clock jumps to the next moment something is due, so that figures are exact."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.skipped_s += timeout or 0.0
        return super().select(0)


def played(story: Any) -> Any:
    """A story's result, on a loop whose time runs by itself."""
    selector = Skipping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.skipped_s  # type: ignore[method-assign]  # the one thing to replace
    try:
        return loop.run_until_complete(story)
    finally:
        loop.close()


def test_under_twice_the_load_the_urgent_is_served_and_the_rest_refused_quickly() -> None:
    app = shedding()

    async def story() -> tuple[dict[tuple[str, int], list[float]], list[int]]:
        waits = await twice_the_load(app, 5)
        began = now()
        after = [(await ask(app, *BOARD))[0] for _ in range(5)]
        assert now() - began < 10 * TAKES_S
        return waits, after

    waits, after = played(story())
    done = {
        path: len(waits[path, 200]) / (len(waits[path, 200]) + len(waits[path, 503]))
        for _, path in (ACT, BOARD)
    }
    assert done[ACT[1]] > 0.9, done
    assert done[BOARD[1]] < 0.3, done
    assert worst(waits) <= WAIT_S + 2 * TAKES_S
    refused = sorted(waits[BOARD[1], 503])
    assert refused[len(refused) // 2] < WAIT_S * KINDS[READ][1] + 0.1
    assert after == [200] * 5


def test_without_a_limit_everybody_waits_ever_longer() -> None:
    """The sabotage: the same load and nothing refused."""
    waits = played(twice_the_load(shedding(math.inf), 5))
    assert {status for _, status in waits} == {200}
    assert worst(waits) > 2 * WAIT_S


def test_a_refusal_is_a_problem_with_a_time_to_come_back() -> None:
    async def story() -> tuple[int, dict[bytes, bytes]]:
        app = shedding(0.0)
        busy = [asyncio.create_task(ask(app, *ACT)) for _ in range(SLOTS)]
        await asyncio.sleep(0)
        refused = await ask(app, *ACT)
        await asyncio.gather(*busy)
        return refused

    status, headers = played(story())
    assert status == 503
    assert headers[b"content-type"] == b"application/problem+json"
    assert 1 <= int(headers[b"retry-after"]) <= 5


def test_health_and_streams_are_asked_for_nothing() -> None:
    async def story() -> list[int]:
        app = shedding(0.0)
        busy = [asyncio.create_task(ask(app, *BOARD)) for _ in range(SLOTS)]
        await asyncio.sleep(0)
        found = [(await ask(app, "GET", path))[0] for path in (*ALWAYS, "/dispatcher/v1/live")]
        await asyncio.gather(*busy)
        return found

    assert played(story()) == [200] * (len(ALWAYS) + 1)


def test_who_hangs_up_while_waiting_or_working_leaves_every_slot_free() -> None:
    async def story() -> int:
        app = shedding()
        tasks = [asyncio.create_task(ask(app, *BOARD)) for _ in range(SLOTS * 2)]
        await asyncio.sleep(TAKES_S / 2)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [len(queue) for queue in app._waiting] == [0] * len(KINDS)
        return app._free

    assert played(story()) == SLOTS


def test_an_endpoint_that_raises_gives_its_slot_back() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    async def story() -> int:
        app = shedding(app=broken)
        for _ in range(SLOTS * 3):
            with pytest.raises(RuntimeError):
                await ask(app, *ACT)
        return app._free

    assert played(story()) == SLOTS


def test_a_phone_that_sends_slowly_holds_no_slot_and_its_words_arrive_whole() -> None:
    said: list[bytes] = []

    async def reading(scope: Any, receive: Any, send: Any) -> None:
        more = True
        while more:
            message = await receive()
            said.append(message["body"])
            more = message["more_body"]
        await working(scope, receive, send)

    async def story() -> int:
        app = shedding(0.0, reading)
        pieces = asyncio.Queue[Any]()

        async def slow() -> Any:
            return await pieces.get()

        async def send(message: Any) -> None: ...

        scope = {"type": "http", "method": "POST", "path": ACT[1], "headers": [(b"content-length", b"6")]}
        tasks = [asyncio.create_task(app(scope, slow, send)) for _ in range(SLOTS)]
        await asyncio.sleep(0.01)
        free = app._free
        for _ in range(SLOTS):
            await pieces.put({"type": "http.request", "body": b"abcdef", "more_body": False})
        await asyncio.gather(*tasks)
        return free

    assert played(story()) == SLOTS
    assert said == [b"abcdef"] * SLOTS


def test_photos_pass_beside_the_slots_up_to_a_number_of_their_own() -> None:
    async def story() -> list[int]:
        app = shedding(0.0)
        headers = [(b"content-length", str(BODY_BYTES + 1).encode())]
        sent = (ask(app, "PUT", "/engineer/v1/photos/x", headers) for _ in range(UPLOADS + 3))
        return [status for status, _ in await asyncio.gather(*sent)]

    statuses = played(story())
    assert (statuses.count(200), statuses.count(503)) == (UPLOADS, 3)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/engineer/v1/actions", WORK),
        ("POST", "/engineer/v1/actions/batch", WORK),
        ("POST", "/customer/v1/actions", WORK),
        ("POST", "/c/some-link", WORK),
        ("POST", "/engineer/v1/positions", WRITE),
        ("POST", "/dispatcher/v1/signin", WRITE),
        ("POST", "/api/v1/tickets", WRITE),
        ("GET", "/engineer/v1/today", PHONE),
        ("GET", "/dispatcher/v1/board", READ),
        ("GET", "/board/", READ),
        ("GET", "/engineer/v1/live", None),
        ("GET", "/healthz", None),
    ],
)
def test_each_request_has_its_place(method: str, path: str, kind: int | None) -> None:
    assert kind_of(method, path) == kind
