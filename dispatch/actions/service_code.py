"""The one-time code (服务码) by which the customer proves to be there when signing on the engineer's phone.

Nothing is stored: the code follows from the tenant's data key and the visit, and is told to the customer alone.
"""

import hmac
from datetime import timedelta
from uuid import UUID

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.domain.errors import Conflict, NotReady
from dispatch.store.personal import PersonalData
from dispatch.store.queries.reading import fetch

MOST_TRIES = 5
TRIES_WITHIN = timedelta(hours=1)

#: Refusals are answers that are kept: they count the tries.
_TRIES = """
  select count(*)::int as count from commands
  where tenant_id = %(tenant)s and actor_id = %(engineer)s and at > %(since)s
    and body ->> 'code' = 'service_code_wrong' and body -> 'facts' ->> 'ticket_id' = %(ticket)s
"""


def service_code(personal: PersonalData, tenant_id: UUID, visit_id: UUID) -> str:
    """Six digits, the same for a visit as long as the data key is."""
    digest = personal.blind(f"service code {visit_id}", tenant_id)
    assert digest is not None
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def check_service_code(step: Step, case: Case) -> None:
    """Where the tenant asks for the code, it must be right. Raises NotReady `service_code_missing`,
    `service_code_wrong`, Conflict `service_code_locked` after MOST_TRIES wrong ones within the hour: the
    customer's own link still works."""
    if not step.rules.service_code:
        return
    ticket_id = str(case.ticket.id)
    if case.facts.code is None:
        raise NotReady("service_code_missing", ticket_id=ticket_id)
    values = {
        "tenant": step.tenant_id,
        "engineer": step.principal.id,
        "since": step.now - TRIES_WITHIN,
        "ticket": ticket_id,
    }
    if fetch(step.db, _TRIES, values)[0]["count"] >= MOST_TRIES:
        raise Conflict("service_code_locked", ticket_id=ticket_id)
    if not hmac.compare_digest(case.facts.code, service_code(step.personal, step.tenant_id, case.visit.id)):
        raise NotReady("service_code_wrong", ticket_id=ticket_id)
