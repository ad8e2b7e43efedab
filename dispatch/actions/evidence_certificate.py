"""The certificate of an accepted ticket: what it says, its hash, and whether both still hold.

The hash covers ids, codes, numbers, instants and the photos' own hashes, never personal text: erasing a
person does not make a paper false. What came after the issue (a late photo, a reopened ticket) is left out.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.actions.step import Step
from dispatch.domain.errors import NotReady
from dispatch.domain.events import Event, chain_hash, instant
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.proof import Certificate
from dispatch.store.tables.tenants import DirectoryEntry

_FACTS = """
  select t.id as ticket_id, t.ticket_no, t.address, t.work_type as work_type_code, w.name as work_type,
    w.checklist as items, t.language, z.zone, z.name as tenant_name, z.is_demo,
    a.id as acceptance_id, a.actor as accepted_by, a.at as accepted_at, a.rating, a.signature_id,
    a.witnessed_by, v.id as visit_id, v.number as visit_number, v.checked_in_at, v.completed_at,
    e.name as engineer_name, v.engineer_id, c.outcome, c.text as what_was_done,
    coalesce(c.checklist, '[]'::jsonb) as checklist,
    coalesce((select jsonb_agg(jsonb_build_object('part', m.part, 'name', p.name, 'quantity', m.quantity::text,
        'unit', p.unit, 'serial', m.serial) order by m.id)
      from part_movements m join parts p on p.tenant_id = m.tenant_id and p.code = m.part
      where m.tenant_id = t.tenant_id and m.visit_id = v.id and m.to_kind = 'ticket' and m.at <= %(issued)s),
      '[]'::jsonb) as parts,
    coalesce((select jsonb_agg(jsonb_build_object('asset_id', s.asset_id, 'name', x.name, 'serial', x.serial,
        'outcome', s.outcome) order by s.asset_id)
      from ticket_assets s join assets x on x.tenant_id = s.tenant_id and x.id = s.asset_id
      where s.tenant_id = t.tenant_id and s.ticket_id = t.id and s.visit_id = v.id), '[]'::jsonb) as machines,
    coalesce((select jsonb_agg(jsonb_build_object('photo_id', f.id, 'kind', f.kind,
        'sha256', encode(f.sha256, 'hex'), 'taken_at', f.taken_at) order by f.taken_at, f.id)
      from evidence f where f.tenant_id = t.tenant_id and f.ticket_id = t.id and f.visit_id = v.id
        and not f.pending and f.received_at <= %(issued)s and f.kind in ('check_in','completion','signature')),
      '[]'::jsonb) as photos,
    (select jsonb_build_object('currency', q.currency, 'total_minor', q.total_minor) from quotes q
      where q.tenant_id = t.tenant_id and q.visit_id = v.id and q.status = 'approved'
      order by q.version desc limit 1) as quote
  from tickets t
  join tenants z on z.id = t.tenant_id
  join work_types w on w.tenant_id = t.tenant_id and w.code = t.work_type
  join lateral (select * from acceptances a where a.tenant_id = t.tenant_id and a.ticket_id = t.id
    and a.verdict = 'signed_off' and a.at <= %(issued)s order by a.at desc limit 1) a on true
  join visits v on v.tenant_id = t.tenant_id and v.id = a.visit_id
  left join engineers e on e.tenant_id = t.tenant_id and e.id = v.engineer_id
  left join completions c on c.tenant_id = t.tenant_id and c.visit_id = v.id
  where t.tenant_id = %(tenant)s and t.id = %(ticket)s
"""
#: The event by which the visit was accepted: the last one the certificate rests on.
_SEAL = """
  select seq, hash from ticket_events
  where tenant_id = %(tenant)s and ticket_id = %(ticket)s and subject_type = 'ticket' and action = 'sign_off'
    and at <= %(issued)s order by seq desc limit 1
"""
_EVENTS = """
  select seq, subject_type, subject_id, ticket_id, action, actor, actor_id, acting_for, command_id, from_status,
    to_status, facts, device_at, at, prev_hash, hash
  from ticket_events where tenant_id = %(tenant)s and ticket_id = %(ticket)s and seq <= %(seq)s order by seq
"""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as it is handed out; `facts` are what its page shows."""

    certificate_id: UUID
    seq: int
    chain_hash: bytes
    content_hash: bytes
    issued_at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """`wrong` names what does not hold: content, chain, paper; empty where everything matches."""

    issued: Issued
    wrong: tuple[str, ...]


def issue_certificate(step: Step, ticket_id: UUID) -> Issued:
    """The ticket's certificate; asked again, the same one while nothing changed.

    Raises NotReady `certificate_not_ready` before the ticket is accepted.
    """
    found = _read(step.db, step.tenant_id, ticket_id, step.now)
    if found is None:
        raise NotReady("certificate_not_ready", ticket_id=str(ticket_id))
    facts, seq, sealed = found
    content = content_hash(facts, sealed)
    known = step.db.scalars(
        select(Certificate).where(
            Certificate.tenant_id == step.tenant_id,
            Certificate.ticket_id == ticket_id,
            Certificate.content_hash == content,
        )
    ).one_or_none()
    if known is None:
        known = Certificate(
            tenant_id=step.tenant_id,
            id=new_id(),
            ticket_id=ticket_id,
            seq=seq,
            chain_hash=sealed,
            content_hash=content,
            issued_at=step.now,
        )
        step.db.add(known)
        step.db.add(
            DirectoryEntry(
                lookup=f"certificate:{known.id}", tenant_id=step.tenant_id, kind="link", subject_id=known.id
            )
        )
        step.db.flush()
    return _issued(known, facts)


def check_certificate(
    db: Session, tenant_id: UUID, certificate_id: UUID, printed: str | None
) -> Checked | None:
    """Compute everything again from the rows as they are now; None for an unknown certificate. `printed` is the
    beginning of the content's hash as the paper shows it."""
    row = db.get(Certificate, {"tenant_id": tenant_id, "id": certificate_id})
    if row is None:
        return None
    found = _read(db, tenant_id, row.ticket_id, row.issued_at)
    if found is None:
        return Checked(_issued(row, {}), ("content",))
    facts, seq, sealed = found
    wrong = []
    if content_hash(facts, bytes(row.chain_hash)) != bytes(row.content_hash):
        wrong.append("content")
    if (seq, sealed) != (row.seq, bytes(row.chain_hash)) or not _chain_holds(db, tenant_id, row):
        wrong.append("chain")
    if printed is not None and not (
        len(printed) >= 16 and bytes(row.content_hash).hex().startswith(printed.lower())
    ):
        wrong.append("paper")
    return Checked(_issued(row, facts), tuple(wrong))


def content_hash(facts: Mapping[str, Any], sealed: bytes) -> bytes:
    """SHA-256 over canonical JSON of what the certificate says, without personal text, and the chain's hash."""
    codes = ("ticket_id", "ticket_no", "work_type_code", "acceptance_id", "accepted_by", "rating", "visit_id")
    body = {
        **{name: str(facts[name]) for name in codes},
        "engineer": str(facts["engineer_id"]),
        "outcome": facts["outcome"],
        "checked_in_at": instant(facts["checked_in_at"]),
        "completed_at": instant(facts["completed_at"]),
        "accepted_at": instant(facts["accepted_at"]),
        "checklist": facts["checklist"],
        "parts": [[p["part"], p["quantity"], p["serial"]] for p in facts["parts"]],
        "machines": [[m["asset_id"], m["outcome"]] for m in facts["machines"]],
        "photos": [[p["photo_id"], p["kind"], p["sha256"]] for p in facts["photos"]],
        "quote": facts["quote"],
        "chain": sealed.hex(),
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def _read(
    db: Session, tenant_id: UUID, ticket_id: UUID, issued_at: datetime
) -> tuple[dict[str, Any], int, bytes] | None:
    values = {"tenant": tenant_id, "ticket": ticket_id, "issued": issued_at}
    rows, seals = fetch(db, _FACTS, values), fetch(db, _SEAL, values)
    if not rows or not seals:
        return None
    return rows[0], int(seals[0]["seq"]), bytes(seals[0]["hash"])


def _issued(row: Certificate, facts: Mapping[str, Any]) -> Issued:
    return Issued(row.id, row.seq, bytes(row.chain_hash), bytes(row.content_hash), row.issued_at, facts)


def _chain_holds(db: Session, tenant_id: UUID, row: Certificate) -> bool:
    """Every event of the ticket up to the seal still hashes to what was kept."""
    values = {"tenant": tenant_id, "ticket": row.ticket_id, "seq": row.seq}
    return all(
        chain_hash(bytes(each["prev_hash"]), _event(each)) == bytes(each["hash"])
        for each in fetch(db, _EVENTS, values)
    )


def _event(row: Mapping[str, Any]) -> Event:
    return Event(**{name: row[name] for name in row if name not in ("prev_hash", "hash")})
