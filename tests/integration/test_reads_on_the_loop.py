"""Hot reads on the event loop: the same rows as in a thread, and no answer that is somebody else's."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from fastapi import APIRouter

from api.engineer.endpoints import endpoints
from api.shortcut import Shortcut
from dispatch.store.exchange import Link
from dispatch.store.links import Links
from dispatch.store.transactions import Database as Store
from dispatch.store.transactions import Unavailable
from tests.databases import Database
from tests.house import Product

NAMES = ("select slug, pg_backend_pid() as pid from tenants", {})


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def test_many_companies_read_at_once_and_each_sees_its_own(product: Product) -> None:
    made = [product.company().made for _ in range(3)]
    store = Store(product.settings.database_url, 4, "tests")

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(store.trip(m.tenant_id, NAMES) for m in made * 40))

    seen = [rows[0]["slug"] for (rows,) in run(all_of_them())]
    assert seen == [m.slug for m in made * 40]
    assert len({rows[0]["pid"] for (rows,) in run(all_of_them())}) <= 8, "its own four and the pool's four"
    store.close()


async def _given_up(store: Store, tenant_id: Any) -> Any:
    """A read that nobody waits for any more, and then another."""
    slow = asyncio.create_task(store.trip(tenant_id, ("select pg_sleep(0.3)::text as slept", {})))
    await asyncio.sleep(0.1)
    slow.cancel()
    with suppress(asyncio.CancelledError):
        await slow
    return await store.trip(tenant_id, NAMES)


def test_an_answer_nobody_waited_for_is_not_the_next_readers(product: Product) -> None:
    made = product.company().made
    store = Store(product.settings.database_url, 1, "tests")
    run(store.trip(made.tenant_id, NAMES))
    assert run(_given_up(store, made.tenant_id))[0][0]["slug"] == made.slug
    store.close()


def test_a_connection_kept_in_the_middle_of_an_answer_is_seen(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage of the test above."""
    made = product.company().made
    store = Store(product.settings.database_url, 1, "tests")
    run(store.trip(made.tenant_id, NAMES))
    monkeypatch.setattr(Links, "_give_back", lambda self, link: self._idle.append(link))
    with pytest.raises((psycopg.Error, KeyError, AssertionError, Unavailable, ValueError)):
        assert run(_given_up(store, made.tenant_id))[0][0]["slug"] == made.slug
    store.close()


def test_a_wrong_question_costs_no_connection_and_a_lost_one_is_replaced(
    product: Product, database: Database
) -> None:
    made = product.company().made
    store = Store(product.settings.database_url, 2, "tests")

    def pid() -> int:
        return int(run(store.trip(made.tenant_id, NAMES))[0][0]["pid"])

    first = pid()
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(store.trip(made.tenant_id, ("select 1 / 0 as never", {})))
    assert pid() == first
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        db.execute("select pg_terminate_backend(%s)", [first])
    with pytest.raises(Unavailable):
        pid()
    assert pid() != first
    store.close()


def test_where_all_connections_are_at_work_a_thread_reads(product: Product) -> None:
    made = product.company().made
    links = Links(lambda: Link.connect(product.settings.database_url), 0)

    async def taken() -> Any:
        async with links.one() as link:
            return link

    assert run(taken()) is None
    store = Store(product.settings.database_url, 1, "tests")
    store._links = links
    assert run(store.trip(made.tenant_id, NAMES))[0][0]["slug"] == made.slug
    store.close()


def test_the_shortcut_answers_as_the_long_way_does(product: Product) -> None:
    town = product.company()
    phone = town.phone("Ana")
    routes = product.app.router.routes
    short = product.client.get("/engineer/v1/today", headers=phone)
    wrong = [
        product.client.get("/engineer/v1/today"),
        product.client.get("/engineer/v1/today", headers={"Authorization": "Bearer pd1.a.b"}),
        product.client.get("/engineer/v1/today", headers=town.board()),
        product.client.post("/engineer/v1/today", headers=phone),
    ]
    shortcut = routes.pop(0)
    assert isinstance(shortcut, Shortcut)
    try:
        long = product.client.get("/engineer/v1/today", headers=phone)
        assert short.status_code == long.status_code == 200
        assert {**short.json(), "now": None} == {**long.json(), "now": None}
        again = [
            product.client.get("/engineer/v1/today"),
            product.client.get("/engineer/v1/today", headers={"Authorization": "Bearer pd1.a.b"}),
            product.client.get("/engineer/v1/today", headers=town.board()),
            product.client.post("/engineer/v1/today", headers=phone),
        ]
    finally:
        routes.insert(0, shortcut)
    assert [r.status_code for r in wrong] == [r.status_code for r in again] == [401, 401, 403, 405]
    assert [r.json()["code"] for r in wrong] == [r.json()["code"] for r in again]


@pytest.mark.parametrize("operation", ["engineer_ticket", "engineer_pool", "nothing_of_the_kind"])
def test_no_shortcut_to_what_needs_more_than_who_asks(operation: str) -> None:
    with pytest.raises(ValueError, match=operation):
        Shortcut(endpoints, operation)
    with pytest.raises(ValueError, match=operation):
        Shortcut(APIRouter(), operation)
