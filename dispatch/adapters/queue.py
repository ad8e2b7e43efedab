"""The job queue behind one door: procrastinate on the product's own PostgreSQL.

Jobs carry ids only. A job that raises is tried again with growing waits, MAX_TRIES times
in all; then it is a dead letter. One of a worker that was killed is rescued by another.
"""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import procrastinate
import psycopg
from procrastinate import (
    App,
    JobContext,
    PsycopgConnector,
    RetryDecision,
    RetryStrategy,
    SyncPsycopgConnector,
)
from procrastinate.jobs import Job
from psycopg.types.json import Jsonb

from dispatch.adapters.logs import entry
from dispatch.domain.reactions import WAITS_FOR_OTHERS
from dispatch.settings import Clock

MAX_TRIES = 5
HEARTBEAT_S = 2.0
STALLED_S = 8.0
RESCUE_EVERY_S = 3.0
FORGET_DONE_HOURS = 48
FORGET_EVERY_S = 60.0
#: Jobs one look at what is to be forgotten reads, however many are kept; where it forgot as many it looks again soon.
FORGET_MOST = 1_000
RECONNECT_S = 0.5
#: The pool tries a database that is away ever less often; after so long it is left, and asked for every RECONNECT_S.
POOL_S = 5.0
#: Jobs that wait for somebody else's service have threads of their own: one that hangs takes none from the others.
OWN, OTHERS = "default", "others"
#: Connections beside one for each job under way: both queues listen, keep their heartbeat and look for work.
CONNECTIONS_MORE = 8
#: Several jobs of one event under one lock, done in their order: `names` beside the arguments they share.
FOLLOW_UP = "follow_up"
#: One that is tried again is left with those that failed; so a dead letter names them, and an order is kept.
_LEFT = """
  update procrastinate_jobs set args = jsonb_set(args, '{names}', %(names)s) where id = %(job)s and status = 'doing'
"""

#: The oldest that were done, but for those not long enough: the library's own statement sorts every event there is.
FORGET = """
  delete from procrastinate_jobs where id in (
    select j.id from procrastinate_jobs j
    where j.id in (select id from procrastinate_jobs where status = 'succeeded' order by id limit %(most)s)
      and not exists (select from procrastinate_events e where e.job_id = j.id
        and e.at >= clock_timestamp() - make_interval(hours => %(hours)s))
    for update of j skip locked)
  returning id
"""


class Patience(RetryStrategy):
    """Ever longer waits. An error that names `after_s` waits as long at least, and holds up no other job meanwhile."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        decision = super().get_retry_decision(exception=exception, job=job)
        after_s: float | None = getattr(exception, "after_s", None)
        if decision is None or decision.retry_at is None or after_s is None:
            return decision
        named = Clock.wall() + timedelta(seconds=after_s)
        return RetryDecision(retry_at=max(decision.retry_at, named), lock=f"later/{job.id}")


RETRY = Patience(max_attempts=MAX_TRIES, exponential_wait=2)

Run = Callable[[str, Mapping[str, Any]], None]
#: Names of an event's jobs that would find nothing to do.
Idle = Callable[[Mapping[str, Any]], frozenset[str]]
log = logging.getLogger("jobs")


@dataclass(frozen=True, slots=True)
class JobWanted:
    """A job by name; jobs of the same `lock` run one after the other."""

    name: str
    arguments: Mapping[str, Any]
    lock: str | None = None


class FollowUpFailed(Exception):
    """Some of an event's jobs raised; the queue tries them again."""


class JobQueue:
    """The relay's side: defers jobs in the relay's own transaction."""

    def __init__(self, names: Iterable[str]) -> None:
        self._app = _app(SyncPsycopgConnector(), [*names, FOLLOW_UP], lambda name, arguments: None)

    def defer(self, connection: psycopg.Connection[Any], wanted: Iterable[JobWanted]) -> None:
        """Queue the jobs on this connection, in one statement: they commit or vanish with its transaction."""
        jobs = [
            self._app.configure_task(job.name, lock=job.lock).make_new_job(**job.arguments) for job in wanted
        ]
        if jobs:
            self._app.job_manager.batch_defer_jobs(jobs=jobs, connection=connection)


def follow_up(
    run: Run, names: Sequence[str], arguments: Mapping[str, Any], idle: Idle = lambda _: frozenset()
) -> list[str]:
    """Does each of `names` but the `idle` ones once, whatever became of those before it; the names of those that
    raised."""
    failed, nothing_to_do = [], idle(arguments)
    for name in (name for name in names if name not in nothing_to_do):
        try:
            run(name, arguments)
        except Exception as error:
            log.warning("a job of an event failed: %s", name, exc_info=error)
            failed.append(name)
    return failed


def run_worker(url: str, names: Iterable[str], run: Run, concurrency: int, idle: Idle) -> None:
    """Work until SIGTERM; `run(name, arguments)` does one job, in a thread: `concurrency` of them at once, and as many
    that wait for others. The database's absence is waited for."""
    while True:
        most = concurrency + CONNECTIONS_MORE
        connector = PsycopgConnector(conninfo=url, min_size=2, max_size=most, timeout=POOL_S)
        app = _app(connector, names, run)
        _register_follow_up(app, run, idle, url)
        try:
            _wait_for_database(url)
            asyncio.run(_work(app, concurrency))
            return
        except (procrastinate.exceptions.ConnectorException, psycopg.Error) as error:
            entry("database_away", logging.WARNING, error=type(error).__name__)
            time.sleep(RECONNECT_S)


def _wait_for_database(url: str) -> None:
    """The pool would wait ever longer between its tries; here they come RECONNECT_S apart."""
    while True:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            time.sleep(RECONNECT_S)


async def _work(app: App, concurrency: int) -> None:
    """Both queues until a signal or until one of them ends; raises what ended it."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(2 * concurrency, "job"))
    async with app.open_async():
        tidying = [asyncio.create_task(work(app)) for work in (_rescue, _forget)]
        queues = [asyncio.create_task(_queue(app, name, concurrency)) for name in (OWN, OTHERS)]

        def stop() -> None:
            """Each is told once: told again, it would leave without ending its jobs and taking its name off."""
            for queue in queues:
                if not queue.cancelling():
                    queue.cancel()

        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop)
        try:
            await asyncio.wait(queues, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tidying:
                task.cancel()
            stop()
            ended = await asyncio.gather(*queues, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def _queue(app: App, name: str, concurrency: int) -> None:
    await app.run_worker_async(
        queues=[name],
        concurrency=concurrency,
        fetch_job_polling_interval=1.0,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=STALLED_S,
        shutdown_graceful_timeout=5,
        delete_jobs="never",
        install_signal_handlers=False,
    )


def _app(connector: procrastinate.BaseConnector, names: Iterable[str], run: Run) -> App:
    app = App(connector=connector)
    for name in names:
        _register(app, name, run)
    return app


def _register(app: App, name: str, run: Run) -> None:
    queue = OTHERS if name in WAITS_FOR_OTHERS else OWN

    @app.task(name=name, queue=queue, retry=RETRY, pass_context=True)
    def job(context: JobContext, /, **arguments: Any) -> None:
        run(name, arguments)


def _register_follow_up(app: App, run: Run, idle: Idle, url: str) -> None:
    @app.task(name=FOLLOW_UP, retry=RETRY, pass_context=True)
    def job(context: JobContext, /, names: list[str], **arguments: Any) -> None:
        failed = follow_up(run, names, arguments, idle)
        if not failed:
            return
        if len(failed) < len(names):
            _leave(url, context.job.id, failed)
        raise FollowUpFailed(", ".join(failed))


def _leave(url: str, job_id: int | None, names: list[str]) -> None:
    """Where the database is away all are done again, which each of them bears."""
    with (
        contextlib.suppress(psycopg.Error),
        psycopg.connect(url, autocommit=True, connect_timeout=5) as db,
    ):
        db.execute(_LEFT, {"names": Jsonb(names), "job": job_id})


async def _rescue(app: App) -> None:
    """Jobs of killed workers go back to the queue, or, tried often enough, to the dead letters: at once when work
    begins, as after a database that was away they are this worker's own."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
                if job.attempts + 1 >= MAX_TRIES:
                    await app.job_manager.finish_job(
                        job, status=procrastinate.jobs.Status.FAILED, delete_job=False
                    )
                    entry("job_of_killed_workers_failed", logging.ERROR, job_id=job.id, job=job.task_name)
                else:
                    await app.job_manager.retry_job(job, retry_at=Clock.wall())
                    entry("job_rescued", logging.WARNING, job_id=job.id, job=job.task_name)
        except (procrastinate.exceptions.ConnectorException, psycopg.Error) as error:
            entry("database_away", logging.WARNING, error=type(error).__name__)
        await asyncio.sleep(RESCUE_EVERY_S)


async def _forget(app: App) -> None:
    """Jobs done long ago are not kept. Dead letters are."""
    while True:
        gone: list[dict[str, Any]] = []
        try:
            gone = await app.connector.execute_query_all_async(
                FORGET, most=FORGET_MOST, hours=FORGET_DONE_HOURS
            )
        except (procrastinate.exceptions.ConnectorException, psycopg.Error) as error:
            entry("database_away", logging.WARNING, error=type(error).__name__)
        await asyncio.sleep(FORGET_EVERY_S if len(gone) < FORGET_MOST else RESCUE_EVERY_S)
