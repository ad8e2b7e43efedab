"""A job that keeps failing ends where an operator sees it, and runs again when told to."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from dispatch.actions.dead_letters import DeadLetters
from dispatch.adapters.queue import FOLLOW_UP, MAX_TRIES, JobQueue, JobWanted
from dispatch.store.ids import new_id
from jobs.registry import JOBS
from tests.builders import company
from tests.house import Product, Town, ok, refused
from tests.running import Running


def failed(product: Product, town: Town) -> int:
    rows = product.rows(
        "insert into procrastinate_jobs (queue_name, task_name, status, args, attempts) values "
        "('default', 'match_ticket', 'failed', jsonb_build_object('tenant', %(t)s::text), 5) returning id",
        t=str(town.made.tenant_id),
    )
    return int(rows[0]["id"])


def test_an_operator_sees_a_dead_letter_and_retries_it(product: Product, town: Town) -> None:
    job_id = failed(product, town)
    admin = town.board("Ada")
    letters = ok(product.client.get("/dispatcher/v1/dead_letters", headers=admin))["dead_letters"]
    assert [(x["job_id"], x["job"], x["tries"]) for x in letters] == [(job_id, "match_ticket", 5)]
    ok(product.client.post(f"/dispatcher/v1/dead_letters/{job_id}/retry", headers=admin))
    assert ok(product.client.get("/dispatcher/v1/dead_letters", headers=admin))["dead_letters"] == []
    rows = product.rows("delete from procrastinate_jobs where id = %(id)s returning status", id=job_id)
    assert rows == [{"status": "todo"}]


def test_another_tenants_dead_letter_is_not_found(product: Product, town: Town) -> None:
    job_id = failed(product, product.company())
    reply = product.client.post(f"/dispatcher/v1/dead_letters/{job_id}/retry", headers=town.board("Ada"))
    refused(reply, 404, "job_unknown")


@pytest.mark.alone
def test_a_job_that_always_raises_is_tried_a_few_times_and_then_dead(
    fresh_database: Any, tmp_path: Path
) -> None:
    """Of an event's jobs that are one in the queue, the first raises as its event does not exist, the others are done
    once. The dead letter names the one that failed, and no other."""
    with Running(fresh_database, tmp_path, apis=1) as running:
        made = company(running.house)
        queue = JobQueue(JOBS)
        with psycopg.connect(fresh_database.relay_url) as db:
            subject = str(new_id())
            about = {
                "tenant": str(made.tenant_id),
                "subject": subject,
                "ticket": subject,
                "seq": 0,
                "depth": 0,
            }
            names = ["tell_promise", "keep_promises", "automate"]
            queue.defer(db, [JobWanted(FOLLOW_UP, {**about, "names": names}, lock=subject)])
        with psycopg.connect(fresh_database.superuser_url, autocommit=True) as db:
            for _ in range(MAX_TRIES + 2):
                _hurry(db)
                (status, attempts) = _wait(db)
                if status == "failed":
                    break
        assert status == "failed"
        assert attempts <= MAX_TRIES + 1
        log = [json.loads(line) for line in running.log("worker").splitlines() if '"event":"job"' in line]
        ran = Counter((line["job"], line["outcome"]) for line in log)
        assert ran["tell_promise", "failed"] >= MAX_TRIES
        assert ran["keep_promises", "done"] == 1
        assert sum(count for (name, _), count in ran.items() if name == "automate") == 1
        with psycopg.connect(fresh_database.superuser_url) as db:
            assert db.execute("select args -> 'names' from procrastinate_jobs").fetchall() == [
                (["tell_promise"],)
            ]
        letters = DeadLetters(running.house.database).of(made.tenant_id, 0)["dead_letters"]
        assert [letter["job"] for letter in letters] == ["tell_promise"]


def _hurry(db: psycopg.Connection[Any]) -> None:
    """The waits between tries are real minutes: skip them."""
    db.execute("update procrastinate_jobs set scheduled_at = null where status = 'todo'")
    db.execute('notify "procrastinate_queue#default", \'{"type": "job_inserted", "job_id": 1}\'')


def _wait(db: psycopg.Connection[Any]) -> tuple[str, int]:
    before = db.execute("select attempts from procrastinate_jobs").fetchone()
    for _ in range(100):
        row = db.execute("select status::text, attempts from procrastinate_jobs").fetchone()
        assert row is not None
        assert before is not None
        if row[0] == "failed" or row[1] > before[0]:
            return row[0], row[1]
        time.sleep(0.1)
    raise AssertionError("the worker does not try")
