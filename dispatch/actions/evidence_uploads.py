"""A photo in pieces over a poor line: every piece is durable before its row says so, and none is asked for twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from dispatch.actions.cases import load_case
from dispatch.actions.step import House, Step, run_step
from dispatch.adapters.storage import BlobStore
from dispatch.domain.commands import Facts, Principal
from dispatch.domain.errors import Conflict, NotFound
from dispatch.store.tables.proof import Upload

KEPT = timedelta(days=2)
MOST_OPEN = 50
MOST_CHUNKS = 2_000
CHUNK_BYTES = 8 * 1024 * 1024
_SWEPT_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class UploadState:
    """An upload as it stands; `offset` bytes of `bytes_total` are durable."""

    upload_id: UUID
    ticket_id: UUID
    kind: str
    offset: int
    bytes_total: int
    chunks: tuple[tuple[int, int], ...]
    facts: Mapping[str, Any]
    expires_at: datetime

    @property
    def whole(self) -> bool:
        return self.offset == self.bytes_total


def begin_upload(
    house: House,
    blobs: BlobStore,
    asking: Principal,
    upload_id: UUID,
    ticket_id: UUID,
    kind: str,
    bytes_total: int,
    facts: Mapping[str, Any],
) -> UploadState:
    """The upload, made now or known already; what others left unfinished too long is swept away first.

    Raises NotFound for a foreign ticket, Conflict `upload_id_reused`, `too_many_uploads`.
    """

    def work(step: Step) -> tuple[UploadState, list[UploadState]]:
        load_case(step, ticket_id, Facts())
        expired = _take_expired(step)
        known = _find(step, upload_id)
        if known is None:
            known = Upload(
                tenant_id=step.tenant_id,
                id=upload_id,
                ticket_id=ticket_id,
                kind=kind,
                actor_id=asking.id,
                bytes_total=bytes_total,
                bytes_received=0,
                chunks=[],
                facts=dict(facts),
                created_at=step.now,
                expires_at=step.now + KEPT,
            )
            _check_room(step)
            step.db.add(known)
            step.db.flush()
        elif (known.ticket_id, known.kind, known.bytes_total) != (ticket_id, kind, bytes_total):
            raise Conflict("upload_id_reused", photo_id=str(upload_id))
        return _state(known), expired

    state, expired = run_step(house, asking, work)
    for each in expired:
        _drop_chunks(blobs, asking.tenant_id, each)
    return state


def read_upload(house: House, asking: Principal, upload_id: UUID) -> UploadState:
    """How far it is. Raises NotFound `upload_unknown`, also for another's."""
    return run_step(house, asking, lambda step: _state(_own(step, upload_id)))


def keep_chunk(
    house: House, blobs: BlobStore, asking: Principal, upload_id: UUID, offset: int, chunk: bytes
) -> UploadState:
    """The piece made durable, then counted. A piece sent twice changes nothing.

    Raises Conflict `upload_offset_wrong` naming where to go on, `upload_too_large`; NotFound `upload_unknown`;
    StorageFull, StorageUnavailable from the store: then nothing is counted.
    """
    before = read_upload(house, asking, upload_id)
    if offset != before.offset:
        raise Conflict("upload_offset_wrong", offset=before.offset)
    if offset + len(chunk) > before.bytes_total or len(before.chunks) >= MOST_CHUNKS:
        raise Conflict("upload_too_large", bytes_total=before.bytes_total)
    if not chunk:
        return before
    blobs.put(asking.tenant_id, chunk_key(upload_id, offset), chunk, "chunk")

    def count(step: Step) -> UploadState:
        row = _own(step, upload_id, lock=True)
        if row.bytes_received == offset:
            row.bytes_received = offset + len(chunk)
            row.chunks = [*row.chunks, [offset, len(chunk)]]
            step.db.flush()
        elif [offset, len(chunk)] not in row.chunks:
            raise Conflict("upload_offset_wrong", offset=row.bytes_received)
        return _state(row)

    return run_step(house, asking, count)


def whole_photo(blobs: BlobStore, tenant_id: UUID, state: UploadState) -> bytes:
    """The pieces put together."""
    return b"".join(
        blobs.read(tenant_id, chunk_key(state.upload_id, offset), "chunk") for offset, _ in state.chunks
    )


def end_upload(house: House, blobs: BlobStore, asking: Principal, state: UploadState) -> None:
    """The photo is taken, or refused for good: the pieces go."""

    def forget(step: Step) -> None:
        row = _find(step, state.upload_id)
        if row is not None:
            step.db.delete(row)

    run_step(house, asking, forget)
    _drop_chunks(blobs, asking.tenant_id, state)


def chunk_key(upload_id: UUID, offset: int) -> str:
    return sha256(f"{upload_id} {offset}".encode()).hexdigest()


def _find(step: Step, upload_id: UUID) -> Upload | None:
    return step.db.get(Upload, {"tenant_id": step.tenant_id, "id": upload_id}, populate_existing=True)


def _own(step: Step, upload_id: UUID, lock: bool = False) -> Upload:
    statement = select(Upload).where(
        Upload.tenant_id == step.tenant_id,
        Upload.id == upload_id,
        Upload.actor_id == step.principal.id,
        Upload.expires_at > step.now,
    )
    row = step.db.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound("upload_unknown", photo_id=str(upload_id))
    return row


def _check_room(step: Step) -> None:
    mine = (Upload.tenant_id == step.tenant_id, Upload.actor_id == step.principal.id)
    if step.db.execute(select(func.count()).select_from(Upload).where(*mine)).scalar_one() >= MOST_OPEN:
        raise Conflict("too_many_uploads", most=MOST_OPEN)


def _take_expired(step: Step) -> list[UploadState]:
    rows = list(
        step.db.scalars(
            select(Upload)
            .where(Upload.tenant_id == step.tenant_id, Upload.expires_at <= step.now)
            .order_by(Upload.expires_at)
            .limit(_SWEPT_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
    )
    states = [_state(row) for row in rows]
    for row in rows:
        step.db.delete(row)
    step.db.flush()
    return states


def _drop_chunks(blobs: BlobStore, tenant_id: UUID, state: UploadState) -> None:
    for offset, _ in state.chunks:
        blobs.delete(tenant_id, chunk_key(state.upload_id, offset), "chunk")


def _state(row: Upload) -> UploadState:
    chunks = tuple((int(offset), int(count)) for offset, count in row.chunks)
    return UploadState(
        row.id,
        row.ticket_id,
        row.kind,
        row.bytes_received,
        row.bytes_total,
        chunks,
        row.facts,
        row.expires_at,
    )
