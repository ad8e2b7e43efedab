"""Several statements in one trip: their rows, their errors, and what a rolled back transaction leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from dispatch.store.exchange import MOST_PREPARED, Link, exchange
from tests.databases import Database

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def link(database: Database) -> Iterator[Link]:
    with Link.connect(database.app_url) as db:
        yield db


def test_rows_come_in_the_order_of_the_questions_with_their_types(link: Link) -> None:
    questions = [
        ("select %(a)s::int as n, %(none)s::text as nothing, 'a%%b' as percent", {"a": 7, "none": None}),
        ("select from pg_class limit 0", {}),
        ("select %(at)s::timestamptz as at, %(tags)s::text[] as tags", {"at": AT, "tags": ["x", "y"]}),
    ]
    for _ in range(2):
        numbers, nothing, times = exchange(link, questions)
        assert numbers == [{"n": 7, "nothing": None, "percent": "a%b"}]
        assert nothing == []
        assert times == [{"at": AT, "tags": ["x", "y"]}]
    assert exchange(link, []) == []


def test_outside_a_transaction_all_of_it_is_one(link: Link) -> None:
    made = ("create temp table kept (n int)", {})
    with pytest.raises(psycopg.errors.DivisionByZero):
        exchange(link, [made, ("insert into kept values (1)", {}), ("select 1 / 0", {})])
    with pytest.raises(psycopg.errors.UndefinedTable):
        exchange(link, [("select n from kept", {})])
    exchange(link, [made])
    assert exchange(link, [("select count(*) as n from kept", {})]) == [[{"n": 0}]]


def test_a_value_that_cannot_be_sent_leaves_the_connection_as_it_was(link: Link) -> None:
    with pytest.raises(psycopg.DataError):
        exchange(link, [("select %(text)s::text as text", {"text": "a\0b"})])
    assert exchange(link, [("select 1 as n", {})]) == [[{"n": 1}]]


def test_prepared_statements_outlive_a_rollback_and_never_become_too_many(link: Link) -> None:
    one = [("select %(n)s::int as n", {"n": 1})]
    for _ in range(8):
        exchange(link, [("begin", {}), *one])
        link.execute("select 1")  # psycopg prepares it too, and would drop everything with its rollback
        link.rollback()
    for n in range(MOST_PREPARED + 20):
        assert exchange(link, [(f"select {n} as n", {})]) == [[{"n": n}]]
    assert exchange(link, one) == [[{"n": 1}]]
    count = exchange(link, [("select count(*) as n from pg_prepared_statements where name like 'pd_%%'", {})])
    assert count[0][0]["n"] == MOST_PREPARED


def test_a_connection_the_server_ended_says_so(link: Link, database: Database) -> None:
    pid = link.info.backend_pid
    with Link.connect(database.app_url) as other:
        other.execute("select pg_terminate_backend(%s)", [pid])
    with pytest.raises(psycopg.OperationalError):
        exchange(link, [("select pg_sleep(0)", {}), ("select 1", {})])
    assert link.closed
