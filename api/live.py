"""Live by server-sent events: one LISTEN a process, bounded queues, filtered by tenant and person."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
import orjson
import psycopg
from fastapi import Request, Response
from psycopg.rows import dict_row
from sse_starlette.sse import EventSourceResponse

from dispatch.actions.promises import PROMISES_KEPT
from dispatch.domain.commands import Principal, Role

log = logging.getLogger("api.live")

CHANNEL = "paidan_live"
#: Said by the database with the id of a sign-in or key that was revoked.
ENDED = "paidan_ended"
#: News that changes nothing on a phone.
BOARDS_ONLY = frozenset({PROMISES_KEPT})
QUEUE = 200
POSITIONS_EVERY_S = 1.0
SIGNINS_EVERY_S = 20.0
RECONNECT_S = 1.0
FAREWELL_S = 1.0


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream. A listener that does not read loses events and is told to reload."""

    principal: Principal
    queue: asyncio.Queue[dict[str, Any]] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    def put(self, event: dict[str, Any]) -> None:
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            event = {"event": "reload", "data": "{}"}
        self.queue.put_nowait(event)


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom a ticket's event concerns: its engineers and contractors, and who directs its territory (None: all do)."""

    people: frozenset[UUID] = frozenset()
    territory_id: UUID | None = None

    def holds(self, listener: Principal) -> bool:
        if listener.role is Role.ENGINEER:
            return listener.id in self.people
        if listener.role is Role.CONTRACTOR:
            return listener.contractor_id in self.people
        return listener.directs(self.territory_id)


class LiveHub:
    """Hears the relay's notifications and hands each to those it concerns."""

    def __init__(
        self,
        database_url: str,
        ended: Callable[[UUID | None], None] = lambda _: None,
        shown: Callable[[Principal, list[UUID]], None] | None = None,
    ) -> None:
        """`ended` is told which sign-in or key was revoked, None where that may have been missed; `shown` whose
        positions went to which board, and may take its time, in a thread."""
        self._url = database_url
        self.ended = ended
        self.shown = shown
        self._listeners: dict[UUID, set[Listener]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._one_reader = asyncio.Lock()

    def start(self) -> None:
        watches = (self._hear(), self._watch_positions(), self._watch_signins())
        self._tasks = [asyncio.create_task(watch) for watch in watches]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.put({"event": "bye", "data": "{}"})
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextlib.contextmanager
    def listening(self, principal: Principal) -> Any:
        listener = Listener(principal)
        self._listeners.setdefault(principal.tenant_id, set()).add(listener)
        try:
            yield listener
        finally:
            mine = self._listeners[principal.tenant_id]
            mine.discard(listener)
            if not mine:
                del self._listeners[principal.tenant_id]

    async def _hear(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=5, application_name="paidan-live"
                ) as connection:
                    await connection.execute(f"listen {CHANNEL}; listen {ENDED}")
                    self.ended(None)
                    self._tell_all({"event": "reload", "data": "{}"})
                    async for notice in connection.notifies():
                        if notice.channel == ENDED:
                            self._end(UUID(notice.payload))
                        else:
                            await self._hand_out(orjson.loads(notice.payload))
            except (psycopg.Error, OSError) as error:
                log.warning("live events interrupted: %s", type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    def _end(self, ended: UUID) -> None:
        self.ended(ended)
        for listeners in self._listeners.values():
            for listener in listeners:
                if listener.principal.signin_id == ended:
                    listener.put({"event": "bye", "data": "{}"})

    def _tell_all(self, event: dict[str, Any]) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.put(event)

    async def _hand_out(self, notice: dict[str, Any]) -> None:
        tenant_id = UUID(notice["t"])
        listeners = self._listeners.get(tenant_id)
        if not listeners:
            return
        data = {"seq": notice["s"], "ticket_id": notice["k"], "action": notice["a"]}
        event = {"event": "changed", "data": orjson.dumps(data).decode()}
        asked = [x for x in listeners if x.principal.role is Role.ENGINEER or x.principal.narrowed]
        concerned = await self._concerned(tenant_id, notice["k"]) if asked and notice["k"] else Concerned()
        for listener in list(listeners):
            if notice["a"] in BOARDS_ONLY and listener.principal.role is Role.ENGINEER:
                continue
            if concerned.holds(listener.principal):
                listener.put(event)

    async def _concerned(self, tenant_id: UUID, ticket_id: str) -> "Concerned":
        rows = await self._read(tenant_id, _CONCERNED, {"ticket": ticket_id})
        people = frozenset(row["id"] for row in rows if row["kind"] != "territory")
        return Concerned(people, next((row["id"] for row in rows if row["kind"] == "territory"), None))

    async def _watch_positions(self) -> None:
        """Boards see where engineers are, at most once a second, one read per tenant that is watched."""
        newest: dict[UUID, Any] = {}
        while True:
            await asyncio.sleep(POSITIONS_EVERY_S)
            for tenant_id, listeners in list(self._listeners.items()):
                boards = [x for x in listeners if x.principal.role is not Role.ENGINEER]
                if not boards:
                    continue
                try:
                    rows = await self._read(tenant_id, _MOVED, {"since": newest.get(tenant_id)})
                except (psycopg.Error, OSError):
                    continue
                if not rows:
                    continue
                newest[tenant_id] = max(row["at"] for row in rows)
                data = _positions(rows)
                for listener in boards:
                    seen = [row for row in rows if _shown(row, listener.principal)]
                    if not seen:
                        continue
                    moved = [row["engineer_id"] for row in seen]
                    text = data if len(seen) == len(rows) else _positions(seen)
                    listener.put({"event": "positions", "data": text})
                    if self.shown is not None:
                        await anyio.to_thread.run_sync(self.shown, listener.principal, moved)

    async def _watch_signins(self) -> None:
        """A stream whose sign-in's end was not heard ends at most SIGNINS_EVERY_S later."""
        while True:
            await asyncio.sleep(SIGNINS_EVERY_S)
            for tenant_id, listeners in list(self._listeners.items()):
                ids = [x.principal.signin_id for x in listeners if x.principal.signin_id is not None]
                try:
                    rows = await self._read(tenant_id, _REVOKED, {"ids": ids})
                except (psycopg.Error, OSError):
                    continue
                ended = {row["id"] for row in rows}
                for listener in list(listeners):
                    if listener.principal.signin_id in ended:
                        listener.put({"event": "bye", "data": "{}"})

    async def _read(self, tenant_id: UUID, sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        async with self._one_reader:
            connection = await self._reader()
            async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute("select set_config('app.tenant', %s, true)", [str(tenant_id)])
                await cursor.execute(sql, {**values, "tenant": tenant_id})
                return await cursor.fetchall()

    async def _reader(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, connect_timeout=5, application_name="paidan-live-reads"
            )
        return self._connection


def _positions(rows: list[dict[str, Any]]) -> str:
    shown = [{k: v for k, v in row.items() if k not in ("territory_id", "contractor_id")} for row in rows]
    return orjson.dumps({"positions": shown}).decode()


def _shown(row: dict[str, Any], viewer: Principal) -> bool:
    """A contractor's dispatcher sees the contractor's engineers, one bound to territories those of these or none."""
    if viewer.role is Role.CONTRACTOR:
        return bool(row["contractor_id"] == viewer.contractor_id)
    return viewer.directs(row["territory_id"])


#: Who was ever given the ticket: to whom it is no longer given must hear that too.
_CONCERNED = """
  select 'engineer' as kind, c.engineer_id as id from visits v
    join visit_engineers c on c.tenant_id = v.tenant_id and c.visit_id = v.id
    where v.tenant_id = %(tenant)s and v.ticket_id = %(ticket)s::uuid
  union select 'engineer', o.engineer_id from offers o
    where o.tenant_id = %(tenant)s and o.ticket_id = %(ticket)s::uuid and o.engineer_id is not null
  union select 'engineer', e.id from tickets t
    join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
    join engineers e on e.tenant_id = t.tenant_id and e.active
    where t.tenant_id = %(tenant)s and t.id = %(ticket)s::uuid and coalesce(t.mode, w.mode) = 'pool'
  union select 'contractor', o.contractor_id from offers o
    where o.tenant_id = %(tenant)s and o.ticket_id = %(ticket)s::uuid and o.contractor_id is not null
  union select 'contractor', e.contractor_id from visits v
    join visit_engineers c on c.tenant_id = v.tenant_id and c.visit_id = v.id
    join engineers e on e.tenant_id = c.tenant_id and e.id = c.engineer_id
    where v.tenant_id = %(tenant)s and v.ticket_id = %(ticket)s::uuid and e.contractor_id is not null
  union select 'territory', t.territory_id from tickets t
    where t.tenant_id = %(tenant)s and t.id = %(ticket)s::uuid and t.territory_id is not null
"""

_REVOKED = """
  select id from signins
  where tenant_id = %(tenant)s and id = any(%(ids)s::uuid[]) and revoked_at is not null
"""

_MOVED = """
  select id as engineer_id, territory_id, contractor_id, st_x(position::geometry) as lon, st_y(position::geometry) as lat,
    position_at as at
  from engineers where tenant_id = %(tenant)s and active and position is not null
    and (%(since)s::timestamptz is null or position_at > %(since)s) limit 1000
"""


def event_stream(request: Request, principal: Principal) -> Response:
    """The SSE reply for one listener; a comment every 15 s keeps proxies awake."""
    hub: LiveHub = request.app.state.live

    ending = anyio.Event()

    async def events() -> AsyncIterator[dict[str, Any]]:
        with hub.listening(principal) as listener:
            farewell = asyncio.create_task(_farewell(ending, listener))
            try:
                yield {"event": "hello", "data": "{}"}
                while True:
                    event = await listener.queue.get()
                    if event["event"] == "bye":
                        return
                    yield event
            finally:
                farewell.cancel()

    return EventSourceResponse(
        events(),
        ping=15,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        shutdown_event=ending,
        shutdown_grace_period=FAREWELL_S,
    )


async def _farewell(ending: anyio.Event, listener: Listener) -> None:
    """The server stops: the stream ends in order instead of being cut."""
    await ending.wait()
    listener.put({"event": "bye", "data": "{}"})
