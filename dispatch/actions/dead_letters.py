"""Jobs that failed for good: an operator sees them and may try again."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from dispatch.domain.errors import NotFound
from dispatch.store.queries.reading import fetch
from dispatch.store.transactions import Database

PAGE = 50

_FAILED = """
  select j.id as job_id, j.args as arguments,
    coalesce((select string_agg(name, ', ') from jsonb_array_elements_text(j.args -> 'names') name), j.task_name)
      as job, j.attempts as tries,
    (select max(e.at) from procrastinate_events e where e.job_id = j.id and e.type = 'failed') as failed_at,
    null as error
  from procrastinate_jobs j
  where j.status = 'failed' and j.args ->> 'tenant' = %(tenant)s
  order by j.id desc offset %(offset)s limit %(limit)s
"""
_RETRY = text("""
  update procrastinate_jobs set status = 'todo', scheduled_at = null, attempts = 0, worker_id = null
  where id = :job and status = 'failed' and args ->> 'tenant' = :tenant returning id
""")


class DeadLetters:
    """The tenant's failed jobs. Jobs carry ids only, and name their tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, tenant_id: UUID, offset: int) -> dict[str, Any]:
        """A page, newest first."""
        values = {"tenant": str(tenant_id), "offset": offset, "limit": PAGE + 1}
        with self._database.transaction(tenant_id) as db:
            rows = list(fetch(db, _FAILED, values))
        next_page = str(offset + PAGE) if len(rows) > PAGE else None
        return {"dead_letters": rows[:PAGE], "next_page": next_page}

    def retry(self, tenant_id: UUID, job_id: int) -> None:
        """Queue the job again with its tries counted anew. Raises NotFound `job_unknown`."""
        with self._database.transaction(tenant_id) as db:
            done = db.execute(_RETRY, {"job": job_id, "tenant": str(tenant_id)}).first()
        if done is None:
            raise NotFound("job_unknown", job_id=job_id)
