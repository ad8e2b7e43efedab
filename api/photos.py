"""A photo from the wire to the store: bytes made safe, durable, then the row; and back again."""

import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from api.house import Rooms
from dispatch.actions.cases import load_case
from dispatch.actions.evidence import StoredPhoto, check_kind, photo_to_show, take_photo
from dispatch.actions.step import Step, run_step
from dispatch.adapters.photos import PhotoRefused, Stamp
from dispatch.adapters.storage import LARGE, BlobMissing, BlobStore, Variant, large_of
from dispatch.domain.commands import Facts, Principal
from dispatch.domain.errors import NotFound
from mobile_contract.v1 import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True, slots=True)
class PhotoBrought:
    """A photo as it came in."""

    photo_id: UUID
    ticket_id: UUID
    kind: str
    raw: bytes
    taken_at: datetime | None
    original_sha256: str | None = None
    claimed: dict[str, Any] | None = None
    """Where the phone says the photo was taken, WGS-84 and raw."""
    in_pieces: bool = False


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, at most `most` bytes. Raises PhotoRefused `photo_too_large`."""
    kept = io.BytesIO()
    async for chunk in request.stream():
        if kept.tell() + len(chunk) > most:
            raise PhotoRefused("photo_too_large", max_bytes=most)
        kept.write(chunk)
    return kept.getvalue()


def keep_photo(rooms: Rooms, principal: Principal, brought: PhotoBrought) -> dict[str, object]:
    """PhotoTaken. The ticket is checked before the picture is decoded; bytes are durable before the row."""
    check_kind(str(principal.role), brought.kind)
    stamp = _stamp(rooms, principal, brought)
    photo = rooms.photos.process(brought.raw, stamp)
    variants: dict[Variant, bytes] = {
        "original": brought.raw,
        large_of(brought.ticket_id): photo.large_jpeg,
        "thumb": photo.thumb_webp,
    }
    for variant, content in variants.items():
        rooms.blobs.put(principal.tenant_id, photo.sha256, content, variant)
    exif = photo.exif
    stored = StoredPhoto(
        photo_id=brought.photo_id,
        ticket_id=brought.ticket_id,
        kind=brought.kind,
        sha256=bytes.fromhex(photo.sha256),
        content_type=photo.content_type,
        bytes_count=len(brought.raw),
        width=photo.width,
        height=photo.height,
        phash=photo.phash,
        mirror_phash=photo.mirror_phash,
        dhash=photo.dhash,
        mirror_dhash=photo.mirror_dhash,
        taken_at=_said(brought.taken_at) or _said(exif.taken_at) or rooms.house.now(),
        facts={
            "original_sha256": brought.original_sha256,
            "exif_taken_at": exif.taken_at.isoformat() if exif.taken_at else None,
            "exif_position": list(exif.position_wgs84) if exif.position_wgs84 else None,
            "device": exif.device,
            "claimed_position": brought.claimed,
            **({"in_pieces": True} if brought.in_pieces else {}),
        },
    )
    run_step(rooms.house, principal, lambda step: take_photo(step, stored))
    return {
        "photo_id": brought.photo_id,
        "sha256": photo.sha256,
        "width": photo.width,
        "height": photo.height,
    }


def _said(at: datetime | None) -> datetime | None:
    """When it was taken, where that can be: the photo is kept whatever its clock showed."""
    return at if at is not None and FIRST_YEAR <= at.year <= LAST_YEAR else None


def _stamp(rooms: Rooms, principal: Principal, brought: PhotoBrought) -> Stamp | None:
    """The watermark's texts; a signature gets none. Raises NotFound for a foreign ticket."""

    def read(step: Step) -> Stamp | None:
        ticket = load_case(step, brought.ticket_id, Facts()).ticket
        if brought.kind == "signature":
            return None
        local = (_said(brought.taken_at) or step.now).astimezone(step.rules.tzinfo)
        return Stamp.of(local, ticket.address, ticket.ticket_no, step.rules.language)

    stamp: Stamp | None = run_step(rooms.house, principal, read)
    return stamp


def show_photo(rooms: Rooms, principal: Principal, photo_id: UUID, size: str) -> Response:
    """The stamped large picture or the thumbnail; the original stays inside."""
    if size not in ("large", "thumb"):
        raise NotFound("photo_unknown", photo_id=str(photo_id))
    row = run_step(rooms.house, principal, lambda step: photo_to_show(step, photo_id))
    sha256 = bytes(row.sha256).hex()
    if size == "large":
        content = large_picture(rooms.blobs, principal.tenant_id, sha256, row.ticket_id)
    else:
        content = rooms.blobs.read(principal.tenant_id, sha256, "thumb")
    media = "image/jpeg" if size == "large" else "image/webp"
    return Response(content, media_type=media, headers={"Cache-Control": "private, max-age=86400"})


def large_picture(blobs: BlobStore, tenant_id: UUID, sha256: str, ticket_id: UUID) -> bytes:
    """The picture as stamped for this ticket. Raises BlobMissing."""
    try:
        return blobs.read(tenant_id, sha256, large_of(ticket_id))
    except BlobMissing:
        return blobs.read(tenant_id, sha256, LARGE)
