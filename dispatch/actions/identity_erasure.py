"""One person's data: handed out, or erased so that the history's chain still verifies.

Events hash ids and codes only; what is personal lies beside them and goes. Photos go too, for they show a home and
carry its address: those the customer brought and signed always, those of the work unless the company keeps them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from dispatch.actions.identity import revoke_all
from dispatch.actions.step import House, Step
from dispatch.adapters.storage import BlobStore, large_of
from dispatch.domain.errors import Conflict, NotFound
from dispatch.store.queries.reading import fetch, fetch_all

ERASED = "—"
#: Shown where a name was.
FORMER = "Former engineer 已离职"

_CUSTOMER_OF = """
  select t.customer_id, c.erased_at from tickets t
  left join customers c on c.tenant_id = t.tenant_id and c.id = t.customer_id
  where t.tenant_id = %(tenant)s and t.id = %(ticket)s
"""
_THEIRS = "select id from tickets where tenant_id = %(tenant)s and customer_id = %(customer)s"
_UNDER_WAY = f"{_THEIRS} and status not in ('closed', 'cancelled') limit 1"
_ERASE_CUSTOMER = (
    "update customers set name_enc = null, phone_enc = null, phone_blind = null, phone_last4_blind = null,"
    " erased_at = %(now)s where tenant_id = %(tenant)s and id = %(customer)s",
    f"delete from event_texts where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})",
    f"update acceptances set text = null, signature_id = null where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})",
    "update customer_links set revoked_at = coalesce(revoked_at, %(now)s) where tenant_id = %(tenant)s"
    f" and ticket_id in ({_THEIRS})",
    f"update completions set text = null where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})",
    f"update check_ins set position = null, raw = null where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})",
    f"delete from customer_devices where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})",
    "delete from tell_targets where tenant_id = %(tenant)s and person_kind = 'customer'"
    " and person_id = %(customer)s",
    "update tickets set contact_name_enc = null, contact_phone_enc = null, contact_phone_blind = null,"
    " contact_last4_blind = null, door_enc = null, address = %(erased)s, description = %(erased)s,"
    " site = null, site_raw = null, search = '{}' where tenant_id = %(tenant)s and customer_id = %(customer)s",
)
#: What customers bring and sign; an engineer's are of the work.
_OWN = ("intake", "reject", "signature")
KINDS = (*_OWN, "check_in", "completion")
_ERASE_PHOTOS = f"""
  with gone as (
    delete from evidence where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})
      and (actor = 'customer' or kind = any(%(kinds)s)) returning id, ticket_id, sha256, pending),
  counted as (select sha256, count(*) as n from gone where not pending group by sha256),
  freed as (
    update blobs b set refcount = greatest(b.refcount - c.n, 0) from counted c
    where b.tenant_id = %(tenant)s and b.sha256 = c.sha256)
  select distinct ticket_id, sha256 from gone g where not exists (
    select from evidence e where e.tenant_id = %(tenant)s and e.ticket_id = g.ticket_id
      and e.sha256 = g.sha256 and e.id not in (select id from gone))
"""
_UNREFERRED = """
  select b.sha256 from blobs b where b.tenant_id = %(tenant)s and b.refcount = 0
    and not exists (select from evidence e where e.tenant_id = b.tenant_id and e.sha256 = b.sha256)
  order by b.sha256 limit %(limit)s for update skip locked
"""
_FORGET = "delete from blobs where tenant_id = %(tenant)s and sha256 = any(%(hashes)s)"
_BROWSERS_OF = f"""
  select id, ticket_id, subscription_enc, language, switched_on_at from customer_devices
  where tenant_id = %(tenant)s and ticket_id in ({_THEIRS}) order by switched_on_at limit 10000
"""
AT_ONCE = 200
_WORK_OF = """
  select 1 from visit_engineers c join visits v on v.tenant_id = c.tenant_id and v.id = c.visit_id
  where c.tenant_id = %(tenant)s and c.engineer_id = %(engineer)s and c.left_at is null
    and v.closed_at is null limit 1
"""
_ERASE_ENGINEER = (
    "delete from directory where tenant_id = %(tenant)s and kind = 'engineer' and subject_id = %(engineer)s",
    "delete from engineer_positions where tenant_id = %(tenant)s and engineer_id = %(engineer)s",
    "delete from position_views where tenant_id = %(tenant)s and engineer_id = %(engineer)s",
    "delete from signin_codes where tenant_id = %(tenant)s and engineer_id = %(engineer)s",
    "delete from tell_targets where tenant_id = %(tenant)s and person_kind = 'engineer'"
    " and person_id = %(engineer)s",
    "update engineer_skills set certificate = null where tenant_id = %(tenant)s"
    " and engineer_id = %(engineer)s",
    "update engineers set active = false, name = %(former)s, signin_id = id::text, password_hash = '',"
    " phone_enc = null, phone_blind = null, home = null, position = null, position_at = null,"
    " position_accuracy_m = null, position_consent_at = null"
    " where tenant_id = %(tenant)s and id = %(engineer)s",
)
_TICKETS_OF = """
  select id, ticket_no, status, work_type, address, description, created_at, closed_at,
    contact_name_enc, contact_phone_enc, door_enc
  from tickets where tenant_id = %(tenant)s and customer_id = %(customer)s order by created_at limit 10000
"""
_WORDS_OF = f"""
  select ticket_id, text from event_texts where tenant_id = %(tenant)s and ticket_id in ({_THEIRS})
  order by seq limit 100000
"""


def erase_customer(step: Step, ticket_id: UUID) -> list[tuple[UUID, str]]:
    """The customer of this ticket, in all their tickets; (ticket, sha256) of photos nobody may see there any more.

    Raises NotFound, Conflict `tickets_under_way`.
    """
    values = _customer(step, ticket_id)
    if fetch(step.db, _UNDER_WAY, values):
        raise Conflict("tickets_under_way")
    kinds = list(_OWN if step.rules.keep_work_photos else KINDS)
    fetch_all(step.db, *((sql, values) for sql in _ERASE_CUSTOMER))
    gone = fetch(step.db, _ERASE_PHOTOS, {**values, "kinds": kinds})
    return [(row["ticket_id"], bytes(row["sha256"]).hex()) for row in gone]


def collect_photos(
    house: House, blobs: BlobStore, tenant_id: UUID, erased: Sequence[tuple[UUID, str]] = ()
) -> int:
    """Deletes what no photo's row refers to any more: the picture as it came and what was made of it. What a crash
    leaves is collected with the next erasure. Returns how many.

    `erased` are (ticket, sha256): the pictures stamped for that ticket go though the bytes serve another one too.
    """
    for ticket_id, sha256_hex in erased:
        blobs.delete(tenant_id, sha256_hex, large_of(ticket_id))
    collected = 0
    while True:
        with house.database.transaction(tenant_id) as db:
            rows = fetch(db, _UNREFERRED, {"tenant": tenant_id, "limit": AT_ONCE})
            hashes = [bytes(row["sha256"]) for row in rows]
            for sha256 in hashes:
                for variant in blobs.variants(tenant_id, sha256.hex()):
                    blobs.delete(tenant_id, sha256.hex(), variant)
            fetch(db, _FORGET, {"tenant": tenant_id, "hashes": hashes})
        collected += len(hashes)
        if len(hashes) < AT_ONCE:
            return collected


def export_customer(step: Step, ticket_id: UUID) -> dict[str, Any]:
    """All that is kept about the customer of this ticket, readable. Raises NotFound."""
    values = _customer(step, ticket_id)
    tickets = []
    for row in fetch(step.db, _TICKETS_OF, values):
        opened = {
            name: step.personal.decrypt(row.pop(f"{name}_enc"), step.tenant_id, row["id"], name)
            for name in ("contact_name", "contact_phone", "door")
        }
        tickets.append({"ticket_id": row.pop("id"), **row, **opened})
    browsers = fetch(step.db, _BROWSERS_OF, values)
    for row in browsers:
        sealed, device_id = row.pop("subscription_enc"), row.pop("id")
        row["subscription"] = step.personal.decrypt(sealed, step.tenant_id, device_id, "subscription")
    return {
        "customer_id": values["customer"],
        "browsers": list(browsers),
        "tickets": tickets,
        "words": [
            {"ticket_id": w["ticket_id"], "text": w["text"]} for w in fetch(step.db, _WORDS_OF, values)
        ],
    }


def erase_engineer(step: Step, engineer_id: UUID, wall: datetime) -> None:
    """What is personal of somebody who left; their work stays, under no name. `wall` is real time.

    Raises NotFound `engineer_unknown`, Conflict `engineer_has_work`.
    """
    values = {"tenant": step.tenant_id, "engineer": engineer_id, "former": FORMER}
    if not fetch(
        step.db, "select 1 from engineers where tenant_id = %(tenant)s and id = %(engineer)s", values
    ):
        raise NotFound("engineer_unknown", engineer_id=str(engineer_id))
    if fetch(step.db, _WORK_OF, values):
        raise Conflict("engineer_has_work")
    revoke_all(step.db, step.tenant_id, engineer_id, wall)
    fetch_all(step.db, *((sql, values) for sql in _ERASE_ENGINEER))


def _customer(step: Step, ticket_id: UUID) -> dict[str, Any]:
    found = fetch(step.db, _CUSTOMER_OF, {"tenant": step.tenant_id, "ticket": ticket_id})
    if not found:
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    if found[0]["customer_id"] is None or found[0]["erased_at"] is not None:
        raise NotFound("customer_unknown")
    return {
        "tenant": step.tenant_id,
        "customer": found[0]["customer_id"],
        "now": step.now,
        "erased": ERASED,
    }
