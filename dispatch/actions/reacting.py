"""Which of an event's jobs have nothing to do at all, found by one small reading instead of a transaction each."""

from uuid import UUID

from dispatch.domain.automations import setting_of, woken_by
from dispatch.store.transactions import Database

_WANTED = """
  select e.action,
    exists (select from webhook_endpoints w where w.tenant_id = e.tenant_id and w.active) as webhooks,
    coalesce((select jsonb_object_agg(a.kind, a.active) from automations a where a.tenant_id = e.tenant_id), '{}')
      as automations
  from ticket_events e where e.tenant_id = %(tenant)s and e.seq = %(seq)s
"""


def idle_jobs(database: Database, tenant_id: UUID, seq: int) -> frozenset[str]:
    """Names of jobs that would look at event `seq` now and leave it: webhooks of a company without an endpoint,
    reactions that are switched off or that the event does not wake."""
    (events,) = database.read(tenant_id, (_WANTED, {"tenant": tenant_id, "seq": seq}))
    if not events:
        return frozenset()
    said = events[0]
    idle = set() if said["webhooks"] else {"queue_webhooks"}
    if not any(
        setting_of(kind, said["automations"].get(kind), {}).active for kind in woken_by(said["action"])
    ):
        idle.add("automate")
    return frozenset(idle)
