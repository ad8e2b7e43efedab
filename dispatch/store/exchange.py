"""Several prepared statements in one trip to PostgreSQL and back.

psycopg's own pipeline flushes after every statement; here everything is sent at once and the server
is woken once, which is most of what a small statement costs on both sides. It is libpq's pipeline mode
through `psycopg.pq`; values and rows are adapted by psycopg as everywhere else.
"""

import asyncio
import re
import select
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import abc, pq
from psycopg.adapt import PyFormat, Transformer

Rows = list[dict[str, Any]]
#: SQL in psycopg's `%(name)s` form, and the values it names.
Question = tuple[str, Mapping[str, Any]]

#: Statements one connection keeps prepared; beyond that they are sent as they are.
MOST_PREPARED = 400
#: Longer than any statement may run (statement_timeout): only a dead network waits so long.
WAIT_MS = 30_000

_NAMED = re.compile(r"%\((\w+)\)s|%%")


_Key = tuple[bytes, tuple[int, ...]]


@dataclass(slots=True)
class _Prepared:
    """What one connection has prepared: (SQL, types) → name, and the columns it gives. A name is never used twice."""

    names: dict[_Key, bytes] = field(default_factory=dict)
    columns: dict[_Key, list[str]] = field(default_factory=dict)
    count: int = 0


_of_connection: WeakKeyDictionary[psycopg.Connection[Any], _Prepared] = WeakKeyDictionary()


class Link(psycopg.Connection[Any]):
    """A connection that keeps its prepared statements when a transaction is rolled back, as PostgreSQL does;
    psycopg would drop them all, those of `exchange` too."""

    def rollback(self) -> None:
        if self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            exchange(self, [("rollback", {})])


def exchange(db: psycopg.Connection[Any], questions: Sequence[Question]) -> list[Rows]:
    """The rows of each question, in order; [] for one that gives none.

    Within a transaction they are part of it; outside one they are a transaction of their own. Raises
    the first wrong statement's psycopg.Error (those after it were not done), OperationalError when the
    connection is lost.
    """
    if not questions:
        return []
    trip = _Trip(db, questions)
    return trip.answers(_drain(trip.wire))


async def exchange_async(db: psycopg.Connection[Any], questions: Sequence[Question]) -> list[Rows]:
    """As `exchange`, while the event loop does other things. The connection is of no more use when it is cancelled:
    whoever cancels closes it."""
    if not questions:
        return []
    trip = _Trip(db, questions)
    return trip.answers(await _drain_async(trip.wire))


class _Trip:
    """Questions on their way: sent when made, and what came back read as their rows."""

    def __init__(self, db: psycopg.Connection[Any], questions: Sequence[Question]) -> None:
        self._adapter: abc.Transformer = Transformer.from_context(db)
        self._asked = [_asked(self._adapter, sql, values) for sql, values in questions]
        self._prepared = _of_connection.setdefault(db, _Prepared())
        self._fresh: list[_Key] = []
        self._is_answer: list[bool] = []
        self.wire = db.pgconn
        self.wire.enter_pipeline_mode()
        for asked in self._asked:
            self._send(*asked)
        self.wire.pipeline_sync()

    def _send(self, key: _Key, values: Sequence[Any], formats: Sequence[pq.Format] | None) -> None:
        name = self._prepared.names.get(key)
        if name is None and len(self._prepared.names) < MOST_PREPARED:
            self._prepared.count += 1
            name = self._prepared.names[key] = b"pd_%d" % self._prepared.count
            self.wire.send_prepare(name, *key)
            self._fresh.append(key)
            self._is_answer.append(False)
        if name is None:
            self.wire.send_query_params(key[0], values, key[1], formats)
        else:
            self.wire.send_query_prepared(name, values, formats)
        self._is_answer.append(True)

    def answers(self, results: list[pq.abc.PGresult]) -> list[Rows]:
        """The rows of each question. Raises the first wrong statement's psycopg.Error."""
        self.wire.exit_pipeline_mode()
        wrong = next((one for one in results if one.status == pq.ExecStatus.FATAL_ERROR), None)
        if wrong is not None:
            for key in self._fresh:
                del self._prepared.names[key]
            raise psycopg.errors.error_from_result(wrong, encoding="utf-8")
        given = (one for one, answer in zip(results, self._is_answer, strict=True) if answer)
        return [
            _rows(self._adapter, one, key, self._prepared)
            for one, (key, _, _) in zip(given, self._asked, strict=True)
        ]


def _asked(
    adapter: abc.Transformer, sql: str, values: Mapping[str, Any]
) -> tuple[_Key, Sequence[Any], Sequence[pq.Format] | None]:
    text, names = _numbered(sql)
    sent = adapter.dump_sequence([values[name] for name in names], [PyFormat.AUTO] * len(names))
    return (text, tuple(adapter.types or ())), sent, adapter.formats


def _drain(wire: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    """Send what waits and take every result up to the pipeline's end."""
    waiting = select.poll()
    waiting.register(wire.socket, select.POLLIN | select.POLLOUT)
    while wire.flush():
        _wait(waiting)
        wire.consume_input()
    waiting.modify(wire.socket, select.POLLIN)
    results: list[pq.abc.PGresult] = []
    while not _take(wire, results):
        _wait(waiting)
        wire.consume_input()
    return results


async def _drain_async(wire: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    loop, results = asyncio.get_running_loop(), list[pq.abc.PGresult]()
    try:
        async with asyncio.timeout(WAIT_MS / 1000):
            while wire.flush():
                await asyncio.sleep(0.001)  # questions longer than the socket's buffer: none of ours are
                wire.consume_input()
            while not _take(wire, results):
                came = loop.create_future()
                loop.add_reader(wire.socket, _came, came)
                try:
                    await came
                finally:
                    loop.remove_reader(wire.socket)
                wire.consume_input()
    except TimeoutError as error:
        raise psycopg.OperationalError("the server does not answer") from error
    return results


def _came(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)


def _take(wire: pq.abc.PGconn, results: list[pq.abc.PGresult]) -> bool:
    """Adds what has come in; whether that was all."""
    while not wire.is_busy():
        result = wire.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return True
        results.append(result)
        if wire.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError(wire.error_message.decode(errors="replace").strip())
    return False


def _wait(waiting: "select.poll") -> None:
    if not waiting.poll(WAIT_MS):
        raise psycopg.OperationalError("the server does not answer")


def _rows(adapter: abc.Transformer, result: pq.abc.PGresult, key: _Key, prepared: _Prepared) -> Rows:
    if not result.nfields:
        return []
    names = prepared.columns.get(key)
    if names is None:
        names = [(result.fname(n) or b"").decode() for n in range(result.nfields)]
        if key in prepared.names:
            prepared.columns[key] = names
    adapter.set_pgresult(result, set_loaders=True)
    return adapter.load_rows(0, result.ntuples, lambda values: dict(zip(names, values, strict=True)))


@lru_cache(maxsize=1024)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """`%(name)s` as `$1`, and the names in that order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _NAMED.sub(number, sql).encode(), tuple(names)
