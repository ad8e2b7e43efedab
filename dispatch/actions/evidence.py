"""Photos as evidence: taken in, attached to the step that needs them, counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import Case, load_case
from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import Facts
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.store.ids import new_id
from dispatch.store.tables.evidence import Blob, Evidence

MAX_PHOTOS_PER_TICKET = 200


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photo whose bytes are durable already, and what was learnt from them."""

    photo_id: UUID
    ticket_id: UUID
    kind: str
    sha256: bytes
    content_type: str
    bytes_count: int
    width: int
    height: int
    phash: str | None
    mirror_phash: str | None
    dhash: str | None
    mirror_dhash: str | None
    taken_at: datetime
    facts: dict[str, Any]


def check_photos(step: Step, case: Case, kind: str) -> None:
    """Every named photo exists for this ticket and is of this kind. Raises NotReady `photo_unknown`."""
    if not case.facts.photo_ids:
        return
    known = set(
        step.db.scalars(
            select(Evidence.id).where(
                Evidence.tenant_id == step.tenant_id,
                Evidence.ticket_id == case.ticket.id,
                Evidence.kind == kind,
                Evidence.id.in_(case.facts.photo_ids),
            )
        )
    )
    missing = [str(i) for i in case.facts.photo_ids if i not in known]
    if missing:
        raise NotReady("photo_unknown", photo_ids=missing, kind=kind)


def attached(step: Step, case: Case, kind: str) -> int:
    """Photos of this kind the open visit has, with those promised in this command."""
    have = step.db.execute(
        select(func.count())
        .select_from(Evidence)
        .where(
            Evidence.tenant_id == step.tenant_id,
            Evidence.visit_id == case.visit.id,
            Evidence.kind == kind,
        )
    ).scalar_one()
    return int(have) + len(case.facts.photo_pending)


def attach(step: Step, case: Case, kind: str) -> list[str]:
    """Tie the named photos to the open visit; promise rows for those still on the phone."""
    if case.facts.photo_ids:
        step.db.execute(
            update(Evidence)
            .where(Evidence.tenant_id == step.tenant_id, Evidence.id.in_(case.facts.photo_ids))
            .values(visit_id=case.visit.id)
        )
    ids = [str(i) for i in case.facts.photo_ids]
    for sha256 in case.facts.photo_pending:
        if _fill_from_early_upload(step, case, kind, sha256):
            continue
        promised = Evidence(
            tenant_id=step.tenant_id,
            id=new_id(),
            ticket_id=case.ticket.id,
            visit_id=case.visit.id,
            kind=kind,
            sha256=bytes.fromhex(sha256),
            pending=True,
            actor=str(step.principal.role),
            actor_id=case.engineer_id or step.principal.id,
            taken_at=step.device_at or step.now,
            received_at=step.now,
            facts={},
        )
        step.db.add(promised)
        ids.append(str(promised.id))
    return ids


def _fill_from_early_upload(step: Step, case: Case, kind: str, sha256: str) -> bool:
    """The photo came before the command that promises it: nothing is pending then."""
    found = step.db.execute(
        update(Evidence)
        .where(
            Evidence.tenant_id == step.tenant_id,
            Evidence.ticket_id == case.ticket.id,
            Evidence.kind == kind,
            Evidence.sha256 == bytes.fromhex(sha256),
        )
        .values(visit_id=case.visit.id)
        .returning(Evidence.id)
    ).first()
    return found is not None


def take_photo(step: Step, photo: StoredPhoto) -> bool:
    """The row of a photo whose bytes are stored. True when new, False when this id was taken already.

    Raises NotFound `ticket_unknown` for a foreign ticket, Conflict `photo_id_reused` for the same id
    with other bytes, Conflict `too_many_photos`. A promise (`photo_pending`) of the same bytes is kept.
    """
    case = load_case(step, photo.ticket_id, Facts())
    known = step.db.get(Evidence, {"tenant_id": step.tenant_id, "id": photo.photo_id})
    if known is not None:
        if bytes(known.sha256) != photo.sha256 or known.ticket_id != photo.ticket_id:
            raise Conflict("photo_id_reused", photo_id=str(photo.photo_id))
        return False
    count = step.db.execute(
        select(func.count())
        .select_from(Evidence)
        .where(Evidence.tenant_id == step.tenant_id, Evidence.ticket_id == photo.ticket_id)
    ).scalar_one()
    if count >= MAX_PHOTOS_PER_TICKET:
        raise Conflict("too_many_photos", most=MAX_PHOTOS_PER_TICKET)
    _keep_blob(step, photo)
    promised = step.db.execute(
        update(Evidence)
        .where(
            Evidence.tenant_id == step.tenant_id,
            Evidence.ticket_id == photo.ticket_id,
            Evidence.kind == photo.kind,
            Evidence.pending,
            Evidence.sha256 == photo.sha256,
        )
        .values(
            pending=False, received_at=step.now, facts=photo.facts, taken_at=photo.taken_at, id=photo.photo_id
        )
        .returning(Evidence.id)
    ).first()
    if promised is None:
        step.db.add(_row(step, case, photo))
    step.drafts.append(
        Draft(
            subject_type="evidence",
            subject_id=photo.photo_id,
            ticket_id=photo.ticket_id,
            action="photo",
            facts={"kind": photo.kind, "sha256": photo.sha256.hex(), "late": promised is not None},
            territory_id=case.ticket.territory_id,
        )
    )
    return True


def _keep_blob(step: Step, photo: StoredPhoto) -> None:
    statement = insert(Blob).values(
        tenant_id=step.tenant_id,
        sha256=photo.sha256,
        content_type=photo.content_type,
        bytes_count=photo.bytes_count,
        width=photo.width,
        height=photo.height,
        phash=photo.phash,
        mirror_phash=photo.mirror_phash,
        dhash=photo.dhash,
        mirror_dhash=photo.mirror_dhash,
        refcount=1,
        stored_at=step.now,
    )
    step.db.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "sha256"], set_={"refcount": Blob.refcount + 1}
        )
    )


def _row(step: Step, case: Case, photo: StoredPhoto) -> Evidence:
    return Evidence(
        tenant_id=step.tenant_id,
        id=photo.photo_id,
        ticket_id=photo.ticket_id,
        visit_id=None if photo.kind == "intake" else case.visit.id,
        kind=photo.kind,
        sha256=photo.sha256,
        pending=False,
        actor=str(step.principal.role),
        actor_id=case.engineer_id or step.principal.id,
        taken_at=photo.taken_at,
        received_at=step.now,
        facts=photo.facts,
    )


def photo_to_show(step: Step, photo_id: UUID) -> Evidence:
    """The photo's row, if its ticket is the principal's to see and its bytes have come."""
    row = step.db.get(Evidence, {"tenant_id": step.tenant_id, "id": photo_id})
    if row is None:
        raise NotFound("photo_unknown", photo_id=str(photo_id))
    load_case(step, row.ticket_id, Facts())
    if row.pending:
        raise NotFound("photo_pending", photo_id=str(photo_id))
    return row


def kinds_for(role: str) -> Sequence[str]:
    """Which kinds of photo each role may bring."""
    return {
        "engineer": ("check_in", "completion", "signature", "reject"),
        "customer": ("intake", "reject", "signature"),
    }.get(role, ("intake", "completion", "signature", "reject", "check_in"))


def check_kind(role: str, kind: str) -> None:
    if kind not in kinds_for(role):
        raise NotReady("photo_kind_unknown", kind=kind, allowed=list(kinds_for(role)))
