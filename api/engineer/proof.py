"""The engineer's van, and photos in pieces: what a day with a poor line needs."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.declared import ERRORS, problems
from api.house import Asking, Here, Rooms, reply, to_reading
from api.photos import PhotoBrought, keep_photo, read_body
from dispatch.actions import evidence_uploads as uploads
from dispatch.actions.evidence_completion import read_stock
from dispatch.actions.step import run_step
from dispatch.domain.commands import Principal
from dispatch.domain.errors import Conflict, NotReady
from mobile_contract import v1

#: Part of the engineer's door: `api.engineer.endpoints` takes these in.
endpoints = APIRouter()


@endpoints.get("/stock", operation_id="engineer_stock", response_model=v1.Stock, responses=ERRORS)
def stock(asking: Asking, here: Here) -> Response:
    """Every part of the tenant with what my van holds of it, and the prices for a quote."""
    return reply(run_step(here.house, asking, lambda step: read_stock(step, asking.id)))


_UPLOAD = problems(401, 403, 404, 409, 413, 422, 503, 507)


@endpoints.post(
    "/uploads/{photo_id}",
    operation_id="engineer_begin_upload",
    response_model=v1.UploadStatus,
    status_code=201,
    responses=_UPLOAD,
)
def begin(photo_id: UUID, body: v1.UploadWanted, asking: Asking, here: Here) -> Response:
    """A photo in pieces: made now, or the one begun before and how far it has come."""
    facts = body.facts.model_dump(mode="json")
    state = uploads.begin_upload(
        here.house, here.blobs, asking, photo_id, body.ticket_id, body.kind, body.bytes_total, facts
    )
    return reply(_status(state), 201)


@endpoints.get(
    "/uploads/{photo_id}", operation_id="engineer_upload", response_model=v1.UploadStatus, responses=_UPLOAD
)
def status(photo_id: UUID, asking: Asking, here: Here) -> Response:
    """Where to go on after the line broke."""
    return reply(_status(uploads.read_upload(here.house, asking, photo_id)))


@endpoints.patch(
    "/uploads/{photo_id}",
    operation_id="engineer_upload_piece",
    response_model=v1.UploadStatus,
    responses=_UPLOAD,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def piece(
    photo_id: UUID,
    asking: Asking,
    here: Here,
    request: Request,
    offset: Annotated[int, Query(ge=0, le=50 * 1024 * 1024)],
) -> Response:
    """The next piece, at most 8 MB. With the last one the photo is taken; an empty piece at the end tries again
    to take a photo whose pieces are all here."""
    chunk = await read_body(request, uploads.CHUNK_BYTES)
    return await run_in_threadpool(_take_piece, here, asking, photo_id, offset, chunk)


def _take_piece(here: Rooms, asking: Principal, photo_id: UUID, offset: int, chunk: bytes) -> Response:
    state = uploads.keep_chunk(here.house, here.blobs, asking, photo_id, offset, chunk)
    if not state.whole:
        return reply(_status(state))
    raw = uploads.whole_photo(here.blobs, asking.tenant_id, state)
    try:
        taken = keep_photo(here, asking, _brought(state, raw))
    except (NotReady, Conflict):
        uploads.end_upload(here.house, here.blobs, asking, state)
        raise
    uploads.end_upload(here.house, here.blobs, asking, state)
    return reply({**_status(state), "photo": taken})


def _brought(state: uploads.UploadState, raw: bytes) -> PhotoBrought:
    facts = v1.PhotoFacts.model_validate(state.facts)
    claimed: dict[str, object] | None = None
    if facts.position is not None:
        reading = to_reading(facts.position)
        claimed = {
            "lon": reading.lon,
            "lat": reading.lat,
            "accuracy_m": reading.accuracy_m,
            "at": reading.at.isoformat(),
            "raw": [reading.raw_lon, reading.raw_lat, reading.datum],
        }
    return PhotoBrought(
        state.upload_id,
        state.ticket_id,
        state.kind,
        raw,
        facts.taken_at,
        facts.original_sha256,
        claimed,
        True,
    )


def _status(state: uploads.UploadState) -> dict[str, Any]:
    return {
        "photo_id": state.upload_id,
        "offset": state.offset,
        "bytes_total": state.bytes_total,
        "expires_at": state.expires_at,
        "photo": None,
    }
