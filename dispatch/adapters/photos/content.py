"""What a file really is, told from its bytes alone; name and declared type are never asked."""

import re
import zlib

from dispatch.adapters.photos.model import PhotoRefused

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_ZIP_END = b"PK\x05\x06"
_ZIP_END_BYTES = 22
_ZIP_COMMENT_MAX = 65535
_FOREIGN = re.compile(
    rb"%PDF-|<html|<script|<!doctype html|<svg|<\?php|PK\x03\x04|Rar!\x1a|7z\xbc\xaf\x27\x1c|\x7fELF",
    re.IGNORECASE,
)
_WINDOW_BYTES = 1024
"""Readers of other formats look this far for their signature; further in, a chance match is likelier."""


def recognise(raw: bytes) -> str:
    """One of "JPEG", "PNG", "WEBP", "HEIF": the format whose structure the bytes follow from start to end.

    Raises PhotoRefused: photo_empty, photo_format_not_allowed, photo_truncated (the format's end is missing),
    photo_polyglot (the file is also a document, page, archive or program). What phones append themselves
    (a motion photo's film, a second JPEG, maker trailers) is allowed.
    """
    if not raw:
        raise PhotoRefused("photo_empty")
    kind, end = _structure(raw)
    if end is None:
        raise PhotoRefused("photo_truncated", format=kind)
    if any(_FOREIGN.search(raw, start, start + _WINDOW_BYTES) for start in (0, end)) or _ends_as_zip(raw):
        raise PhotoRefused("photo_polyglot", format=kind)
    return kind


def _structure(raw: bytes) -> tuple[str, int | None]:
    if raw.startswith(b"\xff\xd8\xff"):
        return "JPEG", _jpeg_end(raw)
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG", _png_end(raw)
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        end = 8 + int.from_bytes(raw[4:8], "little")
        return "WEBP", end if end <= len(raw) else None
    if raw[4:8] == b"ftyp" and raw[8:12] in _HEIC_BRANDS:
        return "HEIF", _heif_end(raw)
    raise PhotoRefused("photo_format_not_allowed")


def _jpeg_end(raw: bytes) -> int | None:
    """Behind the end marker, found by walking segments: the end of an embedded preview does not count."""
    at = 2
    while marker := _JPEG_MARKER.search(raw, at):
        code, at = marker[1][0], marker.end()
        if code == 0xD9:
            return at
        if code not in (0x01, 0xD8):
            at += max(2, int.from_bytes(raw[at : at + 2], "big"))
    return None


def _png_end(raw: bytes) -> int | None:
    """Behind the last chunk; every checksum is compared, because the decoder overlooks garbled pixels."""
    at = 8
    while at + 12 <= len(raw):
        length, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(raw):
            return None
        if zlib.crc32(raw[at + 4 : end - 4]) != int.from_bytes(raw[end - 4 : end], "big"):
            raise PhotoRefused("photo_broken", reason="checksum")
        if name == b"IEND":
            return end
        at = end
    return None


def _heif_end(raw: bytes) -> int | None:
    """Behind the last whole box; None when a box claims more bytes than there are."""
    at = 0
    while at + 8 <= len(raw):
        size, name = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(raw[at + 8 : at + 16], "big")
        elif size == 0:
            return len(raw)
        if size < 8 or not name.isascii() or not name.isalnum():
            return at
        at += size
    return at if at <= len(raw) else None


def _ends_as_zip(raw: bytes) -> bool:
    """Archive readers start at the end, at a directory record whose comment reaches exactly the last byte."""
    start = raw.rfind(_ZIP_END, max(0, len(raw) - _ZIP_END_BYTES - _ZIP_COMMENT_MAX))
    if start < 0 or start + _ZIP_END_BYTES > len(raw):
        return False
    return start + _ZIP_END_BYTES + int.from_bytes(raw[start + 20 : start + 22], "little") == len(raw)
